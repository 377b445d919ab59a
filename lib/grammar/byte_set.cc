#include "grammar/byte_set.h"

#include <algorithm>

#include "text/unicode.h"

namespace lm::grammar {

namespace {

constexpr char32_t kLast = 0x10FFFF;

int encode(char32_t cp, u8* out) {
  if (cp < 0x80) {
    out[0] = static_cast<u8>(cp);
    return 1;
  }
  if (cp < 0x800) {
    out[0] = static_cast<u8>(0xC0 | cp >> 6);
    out[1] = static_cast<u8>(0x80 | (cp & 0x3F));
    return 2;
  }
  if (cp < 0x10000) {
    out[0] = static_cast<u8>(0xE0 | cp >> 12);
    out[1] = static_cast<u8>(0x80 | (cp >> 6 & 0x3F));
    out[2] = static_cast<u8>(0x80 | (cp & 0x3F));
    return 3;
  }
  out[0] = static_cast<u8>(0xF0 | cp >> 18);
  out[1] = static_cast<u8>(0x80 | (cp >> 12 & 0x3F));
  out[2] = static_cast<u8>(0x80 | (cp >> 6 & 0x3F));
  out[3] = static_cast<u8>(0x80 | (cp & 0x3F));
  return 4;
}

/// Splits [low, high], whose forms have the same length, into products of byte ranges: where low
/// does not begin, or high not end, a block of continuation bytes, the partial block goes alone.
void split(char32_t low, char32_t high, std::vector<ByteSequence>& out) {
  u8 a[4];
  u8 b[4];
  const int size = encode(low, a);
  encode(high, b);
  for (int i = 1; i < size; ++i) {
    const char32_t mask = (char32_t{1} << (6 * i)) - 1;
    if ((low & ~mask) == (high & ~mask)) continue;
    if ((low & mask) != 0) {
      split(low, low | mask, out);
      split((low | mask) + 1, high, out);
      return;
    }
    if ((high & mask) != mask) {
      split(low, (high & ~mask) - 1, out);
      split(high & ~mask, high, out);
      return;
    }
  }
  ByteSequence one;
  one.size = size;
  for (int i = 0; i < size; ++i)
    one.at[static_cast<std::size_t>(i)] = ByteSet::range(a[i], b[i]);
  out.push_back(one);
}

}  // namespace

CharSet normal(std::vector<CharRange> ranges) {
  std::vector<CharRange> cut;
  for (CharRange r : ranges) {
    r.high = std::min(r.high, kLast);
    if (r.low > r.high) continue;
    if (r.low < 0xD800) cut.push_back({r.low, std::min(r.high, char32_t{0xD7FF})});
    if (r.high > 0xDFFF) cut.push_back({std::max(r.low, char32_t{0xE000}), r.high});
  }
  std::sort(cut.begin(), cut.end(),
            [](const CharRange& x, const CharRange& y) { return x.low < y.low; });
  CharSet out;
  for (const CharRange& r : cut) {
    // Across the surrogates ranges stay apart: no byte sequence spans them.
    if (!out.empty() && r.low <= out.back().high + 1 &&
        !(out.back().high == 0xD7FF && r.low == 0xE000)) {
      out.back().high = std::max(out.back().high, r.high);
    } else {
      out.push_back(r);
    }
  }
  return out;
}

CharSet complement(const CharSet& set) {
  std::vector<CharRange> out;
  char32_t from = 0;
  for (const CharRange& r : set) {
    if (r.low > from) out.push_back({from, r.low - 1});
    from = r.high + 1;
  }
  if (from <= kLast) out.push_back({from, kLast});
  return normal(std::move(out));
}

CharSet intersect(const CharSet& a, const CharSet& b) {
  std::vector<CharRange> out;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const char32_t low = std::max(a[i].low, b[j].low);
    const char32_t high = std::min(a[i].high, b[j].high);
    if (low <= high) out.push_back({low, high});
    if (a[i].high < b[j].high) {
      ++i;
    } else {
      ++j;
    }
  }
  return normal(std::move(out));
}

CharSet unite(const CharSet& a, const CharSet& b) {
  std::vector<CharRange> out = a;
  out.insert(out.end(), b.begin(), b.end());
  return normal(std::move(out));
}

bool contains(const CharSet& set, char32_t cp) {
  return std::any_of(set.begin(), set.end(),
                     [cp](const CharRange& r) { return r.low <= cp && cp <= r.high; });
}

CharSet fold_case(const CharSet& set) {
  std::vector<CharRange> out = set;
  // No character above U+1E943 has a case mapping.
  constexpr char32_t kLastCased = 0x1E943;
  for (const CharRange& r : set) {
    for (char32_t c = r.low; c <= r.high && c <= kLastCased; ++c) {
      const char32_t low = text::simple_lower(c);
      const char32_t high = text::simple_upper(c);
      if (low != c) out.push_back({low, low});
      if (high != c) out.push_back({high, high});
    }
  }
  return normal(std::move(out));
}

std::vector<ByteSequence> utf8_sequences(const CharSet& set) {
  static constexpr CharRange kLengths[] = {
      {0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xFFFF}, {0x10000, kLast}};
  std::vector<ByteSequence> out;
  for (const CharRange& r : set) {
    for (const CharRange& length : kLengths) {
      const char32_t low = std::max(r.low, length.low);
      const char32_t high = std::min(r.high, length.high);
      if (low <= high) split(low, high, out);
    }
  }
  return out;
}

}  // namespace lm::grammar
