#pragma once
// A day as text, for templates that print one. The day is given, never asked of a clock: the same
// input has the same prompt on any day.

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace lm::text {

struct Date {
  int year = 1970;
  int month = 1;  // from 1
  int day = 1;    // from 1
};

/// "2024-07-26"; nothing if that is no day of the Gregorian calendar from year 1 to 9999.
std::optional<Date> parse_date(std::string_view text);

/// What Python's strftime makes of the day's midnight in the C locale. Understood are a A b B c d D
/// e F H h I j m M n p S t T u w x X y Y % and "-" before a number (no leading zero). Fault
/// "template" for others.
Result<std::string> format_date(const Date& date, std::string_view format);

}  // namespace lm::text
