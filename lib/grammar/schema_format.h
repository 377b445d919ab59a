#pragma once
// Formats that are honoured as assertions: date (of the Gregorian calendar), time, date-time
// (RFC 3339, without leap seconds, letters T and Z in capitals), duration (ISO 8601), uuid, ipv4,
// ipv6, hostname (labels of 63 letters, digits and hyphens), email (dot-atom at hostname).

#include <optional>
#include <string>
#include <string_view>

namespace lm::grammar {

/// A pattern (regex.h) that matches exactly the format's texts, as a whole.
std::optional<std::string> format_pattern(std::string_view format);

}  // namespace lm::grammar
