#include "grammar/schema_format.h"

#include "core/str.h"

namespace lm::grammar {

namespace {

constexpr const char* kDate =
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    // Leap years: divisible by 4 and not by 100, or by 400.
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";
constexpr const char* kTime =
    "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?"
    "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
constexpr const char* kByte = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
constexpr const char* kLabel = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";

std::string ipv4() {
  return cat("(?:", kByte, "(?:\\.", kByte, "){3})");
}

// Eight groups, or fewer with one "::" for the missing ones; the last two may be an IPv4 address.
std::string ipv6() {
  const std::string group = "[0-9A-Fa-f]{1,4}";
  const std::string last = cat("(?:", group, ":", group, "|", ipv4(), ")");
  std::string out = cat("(?:(?:", group, ":){6}", last);
  for (int before = 0; before <= 5; ++before) {
    const std::string head =
        before == 0 ? "" : cat("(?:", group, "(?::", group, "){0,", before - 1, "})?");
    // `before` groups at most in front of "::", the rest behind it.
    append(out, "|", head, "::(?:", group, ":){", 5 - before, "}", last);
  }
  const std::string six = cat("(?:", group, "(?::", group, "){0,5})?");
  const std::string seven = cat("(?:", group, "(?::", group, "){0,6})?");
  append(out, "|", six, "::", group, "|", seven, "::)");
  return out;
}

}  // namespace

std::optional<std::string> format_pattern(std::string_view format) {
  const std::string hostname = cat("(?:", kLabel, "(?:\\.", kLabel, ")*)");
  if (format == "date") return kDate;
  if (format == "time") return kTime;
  if (format == "date-time") return cat(kDate, "T", kTime);
  if (format == "duration") {
    const std::string time = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)";
    const std::string date = "(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)";
    return cat("P(?:", date, "(?:", time, ")?|", time, "|[0-9]+W)");
  }
  if (format == "uuid")
    return "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}";
  if (format == "ipv4") return ipv4();
  if (format == "ipv6") return ipv6();
  if (format == "hostname") return hostname;
  if (format == "email") {
    const std::string atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
    return cat(atom, "(?:\\.", atom, ")*@", hostname);
  }
  return std::nullopt;
}

}  // namespace lm::grammar
