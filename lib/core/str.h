#pragma once
// Strings without locale: concatenation, number parsing and printing, sizes, name suggestions.

#include <charconv>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm {

namespace detail {
inline void append_piece(std::string& out, std::string_view piece) {
  out.append(piece);
}
inline void append_piece(std::string& out, const char* piece) {
  out.append(piece);
}
inline void append_piece(std::string& out, char piece) {
  out.push_back(piece);
}
inline void append_piece(std::string& out, bool piece) {
  out.append(piece ? "true" : "false");
}
template <std::integral T>
void append_piece(std::string& out, T value) {
  char buf[24];
  const std::to_chars_result end = std::to_chars(buf, buf + sizeof buf, value);
  out.append(buf, end.ptr);
}
void append_float(std::string& out, f64 value);
void append_float(std::string& out, f32 value);
inline void append_piece(std::string& out, f64 value) {
  append_float(out, value);
}
inline void append_piece(std::string& out, f32 value) {
  append_float(out, value);
}
}  // namespace detail

/// Concatenates strings, characters and numbers; floats in shortest round-trip form.
template <typename... Pieces>
std::string cat(const Pieces&... pieces) {
  std::string out;
  (detail::append_piece(out, pieces), ...);
  return out;
}

template <typename... Pieces>
void append(std::string& out, const Pieces&... pieces) {
  (detail::append_piece(out, pieces), ...);
}

/// Shortest decimal that reads back as the same value ("1", "0.1", "1e+30", "nan", "inf").
std::string format_float(f64 value);
/// Fixed number of digits after the point.
std::string format_fixed(f64 value, int digits);
/// "512 B", "3.2 KiB", "4.0 GiB".
std::string format_bytes(i64 bytes);
/// "0.4 s", "12 s", "3m 20s", "2h 05m", "3d 04h".
std::string format_duration(f64 seconds);
/// "950", "12.3k", "4.56M", "7.89G".
std::string format_count(f64 count);

/// Whole string as a decimal integer (no sign tricks, no octal, no spaces); nullopt otherwise.
std::optional<i64> parse_int(std::string_view text);
std::optional<u64> parse_u64(std::string_view text);
/// A count: "1000", "1e6", "2.5e3" (must be whole).
std::optional<i64> parse_count(std::string_view text);
/// A size in bytes: a count with optional suffix K M G T (powers of 1024), case-insensitive,
/// optional "B"/"iB".
std::optional<i64> parse_size(std::string_view text);
std::optional<f64> parse_float(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
/// The parts of a temporary would dangle.
template <class T>
requires std::same_as<T, std::string> std::vector<std::string_view> split(T&& text, char separator)
= delete;
std::string_view trim(std::string_view text);  // ASCII blanks at both ends
std::string ascii_lower(std::string_view text);
bool starts_with_nocase(std::string_view text, std::string_view prefix);
std::string join(std::span<const std::string> parts, std::string_view separator);

/// Occurrences of byte, counted by memchr hops: fast where they are rare. Stops at `enough`.
i64 count_byte(std::string_view text, char byte, i64 enough = i64{1} << 62);

/// Lower-case hexadecimal of a 64-bit value, always 16 digits.
std::string hex64(u64 value);
std::string hex(std::span<const u8> bytes);

/// Levenshtein distance. O(|a| * |b|).
i64 edit_distance(std::string_view a, std::string_view b);
/// The candidate nearest to name within max_distance, or empty. Ties: first candidate.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates,
                         i64 max_distance = 2);

/// For messages: quotes text, escapes control and non-UTF-8 bytes, cuts to limit bytes with "...".
std::string quote(std::string_view text, i64 limit = 60);

}  // namespace lm
