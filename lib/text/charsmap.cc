#include "text/charsmap.h"

#include <cstring>

#include "core/error.h"
#include "core/str.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

u32 load_u32(std::string_view bytes, u64 index) {
  u32 value = 0;
  std::memcpy(&value, bytes.data() + index * 4, 4);
  return value;
}

u64 offset_of(u32 unit) {
  return u64{unit >> 10} << ((unit & (1u << 9)) >> 6);
}

}  // namespace

// The table is a u32 length, a double array of that many bytes and a block of NUL-terminated
// replacements. A lookup goes from unit i to (i ^ offset(i)) ^ byte, and to i ^ offset(i) for the
// value if i has a leaf; both must stay inside for every i and byte. Checking all units instead of
// the reachable ones is right for arrays as darts-clone writes them (whole blocks of 256, unused
// units have offset 0 and no leaf) and needs no traversal.
void check_charsmap(std::string_view map, const std::string& name) {
  const auto fail = [&](std::string_view why) {
    throw Error(ErrorKind::kData, cat(name, ": broken normalisation table: ", why));
  };
  if (map.empty()) return;
  if (map.size() <= 4) fail(cat(map.size(), " bytes long"));
  const u64 trie_bytes = load_u32(map, 0);
  if (trie_bytes + 4 >= map.size()) fail(cat("trie of ", trie_bytes, " bytes in ", map.size()));
  if (trie_bytes == 0 || trie_bytes % 1024 != 0) {
    fail(cat("trie of ", trie_bytes, " bytes, expected whole blocks of 1024"));
  }
  const std::string_view trie = map.substr(4, trie_bytes);
  const u64 units = trie_bytes / 4;
  const u64 replacements = map.size() - 4 - trie_bytes;
  if (map.back() != '\0') fail("the replacements do not end in NUL");
  for (u64 i = 0; i < units; ++i) {
    const u32 unit = load_u32(trie, i);
    if (unit >> 31) continue;  // a value: checked where a leaf points at it
    const u64 target = i ^ offset_of(unit);
    if ((target | 0xff) >= units) fail(cat("unit ", i, " points to ", target, " of ", units));
    if (unit & (1u << 8)) {
      const u64 value = load_u32(trie, target) & 0x7fffffffu;
      if (value >= replacements) fail(cat("replacement ", value, " of ", replacements));
      const u8 first = static_cast<u8>(map[usize(4 + trie_bytes + value)]);
      if ((first & 0xC0u) == 0x80u) fail(cat("replacement ", value, " begins inside a character"));
    }
  }
}

Charsmap::Charsmap(std::string table, const std::string& name) : table_(std::move(table)) {
  check_charsmap(table_, name);
  if (!table_.empty()) trie_units_ = load_u32(table_, 0) / 4;
  const std::string_view all(table_);
  const std::string_view texts = all.substr(std::min(all.size(), usize(4 + trie_units_ * 4)));
  if (!is_valid_utf8(texts))
    throw Error(ErrorKind::kData, cat(name,
                                      ": broken normalisation table: replacements that are "
                                      "not UTF-8"));
}

u32 Charsmap::unit(u64 index) const {
  return load_u32(std::string_view(table_).substr(4), index);
}

std::optional<std::string_view> Charsmap::find(std::string_view text) const {
  if (trie_units_ == 0) return std::nullopt;
  u64 at = offset_of(unit(0));
  for (const char c : text) {
    at ^= static_cast<u8>(c);
    if (at >= trie_units_) return std::nullopt;
    const u32 node = unit(at);
    if ((node & ((1u << 31) | 0xFFu)) != static_cast<u8>(c)) return std::nullopt;
    at ^= offset_of(node);
    if ((node & (1u << 8)) == 0) continue;
    // A replacement ends in NUL; that it begins inside was checked.
    const std::string_view rest =
        std::string_view(table_).substr(usize(4 + trie_units_ * 4 + (unit(at) & 0x7FFFFFFFu)));
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

namespace {

/// Grapheme_Cluster_Break of UAX 29, Unicode 16.0, as far as clusters of less than 6 bytes and
/// Hangul need it.
enum class Break { kOther, kCr, kLf, kControl, kJoins, kPrepend, kLead, kVowel, kTail, kLv, kLvt };

bool is_prepend(char32_t cp) {
  return (cp >= 0x600 && cp <= 0x605) || cp == 0x6DD || cp == 0x70F || cp == 0x890 || cp == 0x891 ||
         cp == 0x8E2 || cp == 0xD4E || cp == 0x110BD || cp == 0x110CD || cp == 0x111C2 ||
         cp == 0x111C3 || cp == 0x113D1 || cp == 0x1193F || cp == 0x11941 ||
         (cp >= 0x11A84 && cp <= 0x11A89) || cp == 0x11D46 || cp == 0x11F02;
}

/// Spacing marks that begin a cluster all the same.
bool stands_alone(char32_t cp) {
  return cp == 0x102B || cp == 0x102C || cp == 0x1038 || (cp >= 0x1062 && cp <= 0x1064) ||
         (cp >= 0x1067 && cp <= 0x106D) || cp == 0x1083 || (cp >= 0x1087 && cp <= 0x108C) ||
         cp == 0x108F || (cp >= 0x109A && cp <= 0x109C) || cp == 0x1A61 || cp == 0x1A63 ||
         cp == 0x1A64 || cp == 0xAA7B || cp == 0xAA7D || cp == 0x11720 || cp == 0x11721;
}

Break break_of(char32_t cp) {
  if (cp == '\r') return Break::kCr;
  if (cp == '\n') return Break::kLf;
  if (cp >= 0x1100 && cp <= 0x115F) return Break::kLead;
  if (cp >= 0xA960 && cp <= 0xA97C) return Break::kLead;
  if ((cp >= 0x1160 && cp <= 0x11A7) || (cp >= 0xD7B0 && cp <= 0xD7C6)) return Break::kVowel;
  if ((cp >= 0x11A8 && cp <= 0x11FF) || (cp >= 0xD7CB && cp <= 0xD7FB)) return Break::kTail;
  if (cp >= 0xAC00 && cp <= 0xD7A3) return (cp - 0xAC00) % 28 == 0 ? Break::kLv : Break::kLvt;
  if (is_prepend(cp)) return Break::kPrepend;
  // Joiners, Thai and Lao AM, halfwidth voiced marks, skin tones.
  if (cp == 0x200C || cp == 0x200D || cp == 0xE33 || cp == 0xEB3 || cp == 0xFF9E || cp == 0xFF9F ||
      (cp >= 0x1F3FB && cp <= 0x1F3FF) || (cp >= 0xE0020 && cp <= 0xE007F))
    return Break::kJoins;
  constexpr u32 kControls = category_bit(Category::kCc) | category_bit(Category::kCf) |
                            category_bit(Category::kZl) | category_bit(Category::kZp);
  if (in_categories(cp, kControls) || cp == 0x2065 || (cp >= 0xFFF0 && cp <= 0xFFF8))
    return Break::kControl;
  return is_mark(cp) && !stands_alone(cp) ? Break::kJoins : Break::kOther;
}

bool stay_together(Break left, Break right) {
  if (left == Break::kCr) return right == Break::kLf;
  if (left == Break::kControl || left == Break::kLf) return false;
  if (right == Break::kControl || right == Break::kCr || right == Break::kLf) return false;
  if (right == Break::kJoins || left == Break::kPrepend) return true;
  if (left == Break::kLead)
    return right == Break::kLead || right == Break::kVowel || right == Break::kLv ||
           right == Break::kLvt;
  if (left == Break::kLv || left == Break::kVowel)
    return right == Break::kVowel || right == Break::kTail;
  return left == Break::kLvt || left == Break::kTail ? right == Break::kTail : false;
}

}  // namespace

i64 cluster_end(std::string_view text, i64 at) {
  Decoded d = decode_at(text, at);
  at += d.size;
  // Two characters of ASCII stand together only as CR LF.
  for (Break left = break_of(d.cp); at < isize(text); at += d.size) {
    d = decode_at(text, at);
    const Break right = break_of(d.cp);
    if (!stay_together(left, right)) break;
    left = right;
  }
  return at;
}

}  // namespace lm::text
