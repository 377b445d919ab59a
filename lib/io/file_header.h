#pragma once
// Who made a file: the header of this toolkit, which stands in LMH1 at its start or inside LME1 at
// its end. Anything that is not ours gives nothing; reading the file will judge it.

#include <optional>
#include <string>

#include "io/input_source.h"
#include "io/tags.h"

namespace lm::io {

/// LMH1 at the start of an input. Waits only for what a producer sends before its first record.
std::optional<StreamHeader> leading_header(RawBuffer& raw);

/// The header of a complete file of this toolkit, from its start or from its end frame; of a pipe
/// only one at its start. nullopt for anything else. Throws kNoInput.
std::optional<StreamHeader> file_header(const std::string& path);

/// The same for a regular file that is complete: an end frame is the last thing in it (behind it a
/// seek table may stand). Looks at both ends of the file only.
std::optional<StreamHeader> finished_header(const std::string& path);

}  // namespace lm::io
