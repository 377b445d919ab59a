#pragma once
// --recipe: streams in a YAML or JSON file, with the keys of Dolma's mixer and those of the
// options.

#include <vector>

#include "parts.h"

namespace lm::mix_tool {

/// Throws Error{kConfig} "FILE:LINE: ..." for what cannot be done as it is written there, and
/// Error{kNoInput} for a file that cannot be read. Files of documents are looked up, not opened.
std::vector<Stream> read_recipe(cli::Tool& tool, const std::string& path);

}  // namespace lm::mix_tool
