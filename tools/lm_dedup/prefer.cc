#include "prefer.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <optional>

#include "core/error.h"
#include "core/str.h"
#include "text/utf8.h"

namespace lm::dedup_tool {

namespace {

constexpr u64 kWorst = std::numeric_limits<u64>::max();

/// Takes `digits` decimal digits off the front.
std::optional<i64> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  i64 value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// Seconds since midnight times 10^6, with the zone taken off; the time's end is the text's.
std::optional<i64> parse_clock(std::string_view text) {
  const std::optional<i64> hour = take_number(text, 2);
  if (!hour || *hour > 24 || !take(text, ':')) return std::nullopt;
  const std::optional<i64> minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  i64 micros = (*hour * 60 + *minute) * 60 * 1000000;
  if (take(text, ':')) {
    const std::optional<i64> second = take_number(text, 2);
    if (!second || *second > 60) return std::nullopt;
    micros += *second * 1000000;
    if (take(text, '.')) {
      i64 unit = 100000;
      const std::size_t before = text.size();
      for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), unit /= 10)
        micros += (text[0] - '0') * unit;
      if (text.size() == before) return std::nullopt;
    }
  }
  if (text.empty() || text == "Z") return micros;
  const i64 sign = text.front() == '+' ? 1 : -1;
  if (text.front() != '+' && text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  const std::optional<i64> hours = take_number(text, 2);
  take(text, ':');
  const std::optional<i64> minutes = text.empty() ? 0 : take_number(text, 2);
  if (!hours || !minutes || !text.empty()) return std::nullopt;
  return micros - sign * (*hours * 60 + *minutes) * 60 * 1000000;
}

/// ISO 8601: a date, or date and time with an optional zone (default Z). Microseconds since 1970.
std::optional<i64> parse_time(std::string_view text) {
  const std::optional<i64> year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const std::optional<i64> month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const std::optional<i64> day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const i64 micros = std::chrono::sys_days(date).time_since_epoch().count() * 86400 * 1000000;
  if (text.empty()) return micros;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const std::optional<i64> clock = parse_clock(text);
  if (!clock) return std::nullopt;
  return micros + *clock;
}

/// An unsigned number in the same order.
u64 ordered(i64 value) {
  return static_cast<u64>(value) ^ (u64{1} << 63);
}
u64 ordered(f64 value) {
  const u64 bits = std::bit_cast<u64>(value == 0 ? 0.0 : value);  // -0 is 0
  return (bits >> 63) != 0 ? ~bits : bits | u64{1} << 63;
}

/// The third number of the first span; nullopt if there is none or it is not finite.
std::optional<f64> first_score(std::string_view spans) {
  std::string_view span = trim(spans.substr(1));
  if (span.empty() || span.front() != '[') return std::nullopt;
  span = span.substr(1, span.find(']') - 1);
  const std::vector<std::string_view> parts = split(span, ',');
  return parts.size() == 3 ? parse_float(trim(parts[2])) : std::nullopt;
}

Fault fault(const io::JsonReader& json, i64 field, const char* code, std::string_view what) {
  return Fault{code, cat("field \"", json.path(field), "\" ", what), json.field(field).begin};
}

}  // namespace

Preference::Preference(const std::string& spec) {
  const auto after = [&spec](std::string_view head) { return spec.substr(head.size()); };
  if (spec == "first") return;
  if (spec == "longest" || spec == "shortest") {
    kind_ = spec == "longest" ? Kind::kLongest : Kind::kShortest;
  } else if (spec.starts_with("newest:") || spec.starts_with("oldest:")) {
    kind_ = spec.starts_with("newest:") ? Kind::kNewest : Kind::kOldest;
    path_ = after("newest:");
  } else if (spec.starts_with("source=")) {
    kind_ = Kind::kSource;
    path_ = "source";
    for (const std::string_view name : split(std::string_view(spec).substr(7), ','))
      sources_.emplace_back(name);
  } else if (spec.starts_with("attr:") && (spec.ends_with(":desc") || spec.ends_with(":asc"))) {
    kind_ = spec.ends_with(":desc") ? Kind::kAttrDesc : Kind::kAttrAsc;
    const std::string name = after("attr:");
    const std::size_t end = name.rfind(':');
    if (end != std::string::npos && end > 0) path_ = "attributes." + name.substr(0, end);
  }
  const bool needs_path = kind_ != Kind::kLongest && kind_ != Kind::kShortest;
  if (kind_ == Kind::kFirst || (needs_path && path_.empty())) {
    throw Error(ErrorKind::kUsage,
                cat("--prefer: ", quote(spec),
                    ", expected first, longest, shortest, newest:FIELD, "
                    "oldest:FIELD, source=a,b,c, attr:NAME:desc or attr:NAME:asc"));
  }
}

Result<u64> Preference::of(io::JsonReader& json, const Fields& fields) const {
  if (kind_ == Kind::kLongest || kind_ == Kind::kShortest) {
    const Result<std::string_view> text = json.string(fields.text());
    if (!text && json.has(fields.text())) return text.fault();
    const u64 length = text ? static_cast<u64>(text::count_code_points(*text)) : 0;
    return kind_ == Kind::kLongest ? kWorst - length : length;
  }
  const i64 field = fields.index(path_);
  if (!json.has(field)) return kWorst;
  if (kind_ == Kind::kAttrDesc || kind_ == Kind::kAttrAsc) {
    if (json.field(field).type != io::JsonType::kArray)
      return fault(json, field, "type", "is no list of spans");
    const std::string_view raw = json.raw(field);
    if (trim(raw.substr(1, raw.size() - 2)).empty()) return kWorst;
    const std::optional<f64> score = first_score(raw);
    if (!score) return fault(json, field, "type", "does not begin with a span [start, end, score]");
    return kind_ == Kind::kAttrDesc ? ~ordered(*score) : ordered(*score);
  }
  const Result<std::string_view> value = json.string(field);
  if (!value) return value.fault();
  if (kind_ == Kind::kSource) {
    return static_cast<u64>(std::find(sources_.begin(), sources_.end(), *value) - sources_.begin());
  }
  const std::optional<i64> time = parse_time(*value);
  if (!time) {
    return fault(json, field, "range", cat("is ", quote(*value), ", expected an ISO 8601 time"));
  }
  return kind_ == Kind::kNewest ? ~ordered(*time) : ordered(*time);
}

}  // namespace lm::dedup_tool
