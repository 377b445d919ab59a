#include "core/str.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/ascii.h"

namespace lm {

namespace detail {
template <typename T>
void append_shortest(std::string& out, T value) {
  if (std::isnan(value)) {
    out.append("nan");
    return;
  }
  char buf[40];
  const std::to_chars_result end = std::to_chars(buf, buf + sizeof buf, value);
  out.append(buf, end.ptr);
}
void append_float(std::string& out, f64 value) {
  append_shortest(out, value);
}
void append_float(std::string& out, f32 value) {
  append_shortest(out, value);
}
}  // namespace detail

std::string format_float(f64 value) {
  return cat(value);
}

std::string format_fixed(f64 value, int digits) {
  char buf[400];
  const std::to_chars_result end =
      std::to_chars(buf, buf + sizeof buf, value, std::chars_format::fixed, digits);
  return std::string(buf, end.ptr);
}

std::string format_bytes(i64 bytes) {
  static constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  f64 value = static_cast<f64>(bytes);
  std::size_t unit = 0;
  while (value >= 1024.0 && unit + 1 < kUnits.size()) {
    value /= 1024.0;
    ++unit;
  }
  return cat(unit == 0 ? cat(bytes) : format_fixed(value, 1), " ", kUnits[unit]);
}

std::string format_duration(f64 seconds) {
  if (!(seconds < 1e9)) return "very long";
  if (seconds < 9.95) return cat(format_fixed(seconds, 1), " s");
  const i64 s = std::llround(seconds);
  const auto pair = [](i64 big, const char* unit, i64 small, const char* small_unit) {
    return cat(big, unit, small < 10 ? " 0" : " ", small, small_unit);
  };
  if (s < 60) return cat(s, " s");
  if (s < 3600) return pair(s / 60, "m", s % 60, "s");
  if (s < 86400) return pair(s / 3600, "h", s / 60 % 60, "m");
  return pair(s / 86400, "d", s / 3600 % 24, "h");
}

std::string format_count(f64 count) {
  static constexpr std::array<const char*, 5> kUnits = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  while (count >= 1000.0 && unit + 1 < kUnits.size()) {
    count /= 1000.0;
    ++unit;
  }
  if (unit == 0 && count == std::floor(count)) return format_fixed(count, 0);
  return cat(format_fixed(count, count < 10 ? 2 : count < 100 ? 1 : 0), kUnits[unit]);
}

std::optional<i64> parse_int(std::string_view text) {
  i64 value = 0;
  const std::from_chars_result r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (r.ec != std::errc() || r.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<u64> parse_u64(std::string_view text) {
  u64 value = 0;
  const std::from_chars_result r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (r.ec != std::errc() || r.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<f64> parse_float(std::string_view text) {
  f64 value = 0;
  const std::from_chars_result r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (r.ec != std::errc() || r.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<i64> parse_count(std::string_view text) {
  if (const std::optional<i64> whole = parse_int(text)) return whole;
  const std::optional<f64> value = parse_float(text);
  if (!value || !std::isfinite(*value) || std::floor(*value) != *value || std::abs(*value) > 9e18)
    return std::nullopt;
  return static_cast<i64>(*value);
}

std::optional<i64> parse_size(std::string_view text) {
  std::string lower = ascii_lower(text);
  if (lower.ends_with("ib")) {
    lower.resize(lower.size() - 2);
  } else if (lower.ends_with("b")) {
    lower.resize(lower.size() - 1);
  }
  i64 unit = 1;
  static constexpr std::string_view kSuffixes = "kmgt";
  if (!lower.empty()) {
    const std::size_t at = kSuffixes.find(lower.back());
    if (at != std::string_view::npos) {
      unit = i64{1} << (10 * (at + 1));
      lower.pop_back();
    }
  }
  if (const std::optional<i64> whole = parse_int(lower)) {
    if (*whole < 0 || *whole > (i64{1} << 62) / unit) return std::nullopt;
    return *whole * unit;
  }
  const std::optional<f64> value = parse_float(lower);
  if (!value || !(*value >= 0) || *value * static_cast<f64>(unit) > 4e18) return std::nullopt;
  return static_cast<i64>(*value * static_cast<f64>(unit));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string ascii_lower(std::string_view text) {
  std::string out(text);
  std::size_t at = 0;
  for (u64 eight = 0; at + 8 <= out.size(); at += 8) {
    std::memcpy(&eight, out.data() + at, 8);
    eight = ascii_lower8(eight);
    std::memcpy(out.data() + at, &eight, 8);
  }
  for (; at < out.size(); ++at) {
    char& c = out[at];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool starts_with_nocase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         ascii_lower(text.substr(0, prefix.size())) == ascii_lower(prefix);
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out.append(separator);
    out.append(part);
  }
  return out;
}

i64 count_byte(std::string_view text, char byte, i64 enough) {
  i64 count = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (count < enough && at < end) {
    at = static_cast<const char*>(std::memchr(at, byte, static_cast<std::size_t>(end - at)));
    if (at == nullptr) break;
    ++count;
    ++at;
  }
  return count;
}

std::string hex(std::span<const u8> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const u8 b : bytes) {
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
}

std::string hex64(u64 value) {
  std::array<u8, 8> bytes{};
  for (int i = 0; i < 8; ++i)
    bytes[usize(i)] = static_cast<u8>(value >> (56 - 8 * i));
  return hex(bytes);
}

i64 edit_distance(std::string_view a, std::string_view b) {
  std::vector<i64> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = static_cast<i64>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    i64 diagonal = row[0];
    row[0] = static_cast<i64>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const i64 above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string nearest_name(std::string_view name, std::span<const std::string> candidates,
                         i64 max_distance) {
  std::string best;
  i64 best_distance = max_distance + 1;
  for (const std::string& candidate : candidates) {
    const i64 distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string quote(std::string_view text, i64 limit) {
  std::string out = "\"";
  i64 used = 0;
  for (const char c : text) {
    if (used++ >= limit) {
      out.append("...");
      break;
    }
    const u8 byte = static_cast<u8>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out.append("\\n");
    } else if (byte < 0x20 || byte >= 0x7F) {
      append(out, "\\x", hex(std::span<const u8>(&byte, 1)));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
  return out;
}

}  // namespace lm
