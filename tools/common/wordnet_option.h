#pragma once
// --wordnet, of every program that knows words by WordNet.

#include "cli/flags.h"
#include "uq/wordnet.h"

namespace lm::tool_options {

/// The option's table entry. semantic: no, the digest goes into the stream's parameters.
cli::Flag wordnet_flag(const std::string& group);

/// The database in the option's folder. Throws Error{kUnavailable} if the default one is not there,
/// Error{kNoInput} naming the file that a folder lacks.
uq::WordNet open_wordnet(const cli::Options& options);

}  // namespace lm::tool_options
