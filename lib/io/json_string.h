#pragma once
// The inside of JSON strings.

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace lm::io {

/// The text of a JSON string whose inside, without quotes, is given. Fault for a bad escape (json)
/// or a lone surrogate (utf8).
std::optional<Fault> unescape(std::string_view inside, std::string& out);

}  // namespace lm::io
