#include "grammar/json_text.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "core/utf8.h"
#include "io/json.h"

namespace lm::grammar {

namespace {

/// Hexadecimal digits [low, high], large and small letters.
ByteSet hex_digits(u32 low, u32 high) {
  ByteSet out;
  for (u32 d = low; d <= high; ++d) {
    if (d < 10) {
      out.add(static_cast<u8>('0' + d));
    } else {
      out.add(static_cast<u8>('a' + d - 10));
      out.add(static_cast<u8>('A' + d - 10));
    }
  }
  return out;
}

/// The numbers [low, high] in `digits` hexadecimal digits.
Expr hex_range(ExprTable& table, u32 low, u32 high, int digits) {
  if (digits == 0) return kEmpty;
  const u32 unit = u32{1} << (4 * (digits - 1));
  const u32 first = low / unit;
  const u32 last = high / unit;
  const auto part = [&](u32 from, u32 to, u32 begin, u32 end) {
    return table.cat(table.bytes(hex_digits(from, to)), hex_range(table, begin, end, digits - 1));
  };
  if (first == last) return part(first, last, low % unit, high % unit);
  std::vector<Expr> options;
  const bool low_whole = low % unit == 0;
  const bool high_whole = high % unit == unit - 1;
  if (!low_whole) options.push_back(part(first, first, low % unit, unit - 1));
  if (!high_whole) options.push_back(part(last, last, 0, high % unit));
  const u32 from = first + (low_whole ? 0 : 1);
  const u32 to = last - (high_whole ? 0 : 1);
  if (from <= to) options.push_back(part(from, to, 0, unit - 1));
  return table.alt(std::move(options));
}

/// \uXXXX of the characters [low, high] of one plane group: all below U+10000 or none.
Expr escapes(ExprTable& table, char32_t low, char32_t high) {
  const Expr mark = table.literal("\\u");
  if (high < 0x10000) return table.cat(mark, hex_range(table, low, high, 4));
  const auto pair = [&](u32 from, u32 to, u32 begin, u32 end) {
    return table.cat(table.cat(mark, hex_range(table, from, to, 4)),
                     table.cat(mark, hex_range(table, 0xDC00 + begin, 0xDC00 + end, 4)));
  };
  const u32 first = 0xD800 + ((low - 0x10000) >> 10);
  const u32 last = 0xD800 + ((high - 0x10000) >> 10);
  const u32 begin = (low - 0x10000) & 0x3FF;
  const u32 end = (high - 0x10000) & 0x3FF;
  if (first == last) return pair(first, last, begin, end);
  std::vector<Expr> options;
  if (begin != 0) options.push_back(pair(first, first, begin, 0x3FF));
  if (end != 0x3FF) options.push_back(pair(last, last, 0, end));
  const u32 from = first + (begin == 0 ? 0 : 1);
  const u32 to = last - (end == 0x3FF ? 0 : 1);
  if (from <= to) options.push_back(pair(from, to, 0, 0x3FF));
  return table.alt(std::move(options));
}

}  // namespace

Expr json_chars(ExprTable& table, const CharSet& set, Spelling spelling) {
  static constexpr std::string_view kShort = "\"\\\b\f\n\r\t/";
  static constexpr std::string_view kShortLetters = "\"\\bfnrt/";
  const CharSet escaped = normal({{0, 0x1F}, {'"', '"'}, {'\\', '\\'}});
  std::vector<Expr> options{table.chars(intersect(set, complement(escaped)))};
  const CharSet spelled = spelling == Spelling::kAny ? set : intersect(set, escaped);
  ByteSet letters;
  for (std::size_t i = 0; i < kShort.size(); ++i) {
    if (contains(spelled, static_cast<u8>(kShort[i])))
      letters.add(static_cast<u8>(kShortLetters[i]));
  }
  if (!letters.empty()) options.push_back(table.cat(table.byte('\\'), table.bytes(letters)));
  for (const CharRange& r : spelled) {
    if (r.low < 0x10000)
      options.push_back(escapes(table, r.low, std::min(r.high, char32_t{0xFFFF})));
    if (r.high >= 0x10000)
      options.push_back(escapes(table, std::max(r.low, char32_t{0x10000}), r.high));
  }
  return table.alt(std::move(options));
}

Expr json_string_texts(ExprTable& table, std::string_view text, Spelling spelling) {
  std::vector<Expr> chars;
  for (i64 at = 0; at < isize(text);) {
    const Decoded c = decode_at(text, at);
    chars.push_back(json_chars(table, normal({{c.cp, c.cp}}), spelling));
    at += c.size;
  }
  Expr out = kEmpty;
  for (auto it = chars.rbegin(); it != chars.rend(); ++it)
    out = table.cat(*it, out);
  return out;
}

std::string json_number_text(const io::Json& number) {
  if (number.is_number_integer()) return number.dump();
  const f64 value = number.get<f64>();
  constexpr f64 kExact = 9007199254740992.0;  // 2^53: whole numbers up to here are what they say
  if (std::trunc(value) == value && std::abs(value) <= kExact) return cat(static_cast<i64>(value));
  return format_float(value);
}

JsonWriter::JsonWriter(ExprTable& table, const SchemaOptions& options) : table_(table) {
  const bool loose = options.space == JsonSpace::kFlexible || options.space == JsonSpace::kFree;
  const Expr after = options.space == JsonSpace::kCanonical ? table.byte(' ') : kEmpty;
  if (loose) {
    ByteSet set;
    for (const char c : {' ', '\t', '\n', '\r'})
      set.add(static_cast<u8>(c));
    blank_ = table.repeat(table.bytes(set), 0,
                          options.space == JsonSpace::kFree ? kNoLimit : options.flexible);
  }
  if (options.space == JsonSpace::kFree) edge_ = blank_;
  comma_ = table.cat(blank_, table.cat(table.byte(','), table.cat(after, blank_)));
  colon_ = table.cat(blank_, table.cat(table.byte(':'), table.cat(after, blank_)));
}

Expr JsonWriter::enclosed(char open, Expr inner, char close) {
  // Blanks once where there is nothing inside.
  const Expr end = table_.byte(static_cast<u8>(close));
  const Expr tail = table_.cat(inner, inner == kEmpty ? end : table_.cat(blank_, end));
  return table_.cat(table_.byte(static_cast<u8>(open)), table_.cat(blank_, tail));
}

Expr JsonWriter::array(Expr inner) {
  return enclosed('[', inner, ']');
}

Expr JsonWriter::object(Expr inner) {
  return enclosed('{', inner, '}');
}

Expr JsonWriter::string(Expr content) {
  return table_.cat(table_.byte('"'), table_.cat(content, table_.byte('"')));
}

Expr JsonWriter::member(std::string_view name, Expr value) {
  return table_.cat(table_.literal(io::json_string(name)), table_.cat(colon_, value));
}

Expr JsonWriter::constant(const io::Json& value) {
  Expr inner = kEmpty;
  if (value.is_object()) {
    for (const auto& [name, field] : value.items()) {
      const Expr one = member(name, constant(field));
      inner = inner == kEmpty ? one : table_.cat(inner, table_.cat(comma_, one));
    }
    return object(inner);
  }
  if (value.is_array()) {
    for (const io::Json& item : value) {
      const Expr one = constant(item);
      inner = inner == kEmpty ? one : table_.cat(inner, table_.cat(comma_, one));
    }
    return array(inner);
  }
  if (value.is_string()) return table_.literal(io::json_string(value.get<std::string>()));
  if (value.is_number()) return table_.literal(json_number_text(value));
  return table_.literal(value.dump());
}

}  // namespace lm::grammar
