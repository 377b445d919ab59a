#include "text/chat_date.h"

#include <array>

#include "core/str.h"

namespace lm::text {

namespace {

constexpr std::array<const char*, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday"};
constexpr std::array<const char*, 12> kMonths = {"January",   "February", "March",    "April",
                                                 "May",       "June",     "July",     "August",
                                                 "September", "October",  "November", "December"};

bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int days_of(int year, int month) {
  constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[usize(month - 1)] + (month == 2 && is_leap(year) ? 1 : 0);
}

/// From 1.
int day_of_year(const Date& date) {
  int out = date.day;
  for (int month = 1; month < date.month; ++month)
    out += days_of(date.year, month);
  return out;
}

/// From Sunday, which is 0; 1 January of year 1 was a Monday.
int day_of_week(const Date& date) {
  const int before = date.year - 1;
  return (before * 365 + before / 4 - before / 100 + before / 400 + day_of_year(date)) % 7;
}

std::string padded(int value, std::size_t width, char fill) {
  const std::string digits = cat(value);
  return digits.size() < width ? std::string(width - digits.size(), fill) + digits : digits;
}

/// What one letter stands for, or nothing.
std::optional<std::string> field(const Date& date, char letter, bool bare) {
  const auto number = [&](int value, std::size_t width, char fill = '0') {
    return padded(value, bare ? 0 : width, fill);
  };
  const auto all = [&](std::string_view format) { return *format_date(date, format); };
  const std::string_view day = kDays[usize(day_of_week(date))];
  const std::string_view month = kMonths[usize(date.month - 1)];
  switch (letter) {
    case 'a':
      return std::string(day.substr(0, 3));
    case 'A':
      return std::string(day);
    case 'b':
    case 'h':
      return std::string(month.substr(0, 3));
    case 'B':
      return std::string(month);
    case 'c':
      return all("%a %b %e %H:%M:%S %Y");
    case 'd':
      return number(date.day, 2);
    case 'D':
    case 'x':
      return all("%m/%d/%y");
    case 'e':
      return number(date.day, 2, ' ');
    case 'F':
      return all("%Y-%m-%d");
    case 'H':
    case 'M':
    case 'S':
      return number(0, 2);
    case 'I':
      return number(12, 2);
    case 'j':
      return number(day_of_year(date), 3);
    case 'm':
      return number(date.month, 2);
    case 'n':
      return "\n";
    case 'p':
      return "AM";
    case 't':
      return "\t";
    case 'T':
    case 'X':
      return all("%H:%M:%S");
    case 'u':
      return cat((day_of_week(date) + 6) % 7 + 1);
    case 'w':
      return cat(day_of_week(date));
    case 'y':
      return number(date.year % 100, 2);
    case 'Y':
      return cat(date.year);
    case '%':
      return "%";
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto digits = [&](std::size_t at, std::size_t size) -> std::optional<i64> {
    const std::string_view part = text.substr(at, size);
    if (part.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return parse_int(part);
  };
  const std::optional<i64> year = digits(0, 4);
  const std::optional<i64> month = digits(5, 2);
  const std::optional<i64> day = digits(8, 2);
  if (!year || !month || !day || *year < 1 || *month < 1 || *month > 12) return std::nullopt;
  const Date out{static_cast<int>(*year), static_cast<int>(*month), static_cast<int>(*day)};
  if (out.day < 1 || out.day > days_of(out.year, out.month)) return std::nullopt;
  return out;
}

Result<std::string> format_date(const Date& date, std::string_view format) {
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    const bool bare = format.substr(i + 1).starts_with('-');
    const std::size_t at = i + (bare ? 2 : 1);
    const std::optional<std::string> part =
        at < format.size() ? field(date, format[at], bare) : std::nullopt;
    if (!part)
      return Fault{"template",
                   cat("strftime_now: ", quote(format.substr(i, at + 1 - i)), " is not understood"),
                   -1};
    out += *part;
    i = at;
  }
  return out;
}

}  // namespace lm::text
