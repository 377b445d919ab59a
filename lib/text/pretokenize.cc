#include "text/pretokenize.h"

#include <bit>
#include <cstring>

#include "core/error.h"
#include "text/char_class.h"

namespace lm::text {
namespace {

// The texts under which each pattern is known. The first of an id is its canonical form.
struct KnownPattern {
  PatternId id;
  std::string_view text;
};

constexpr std::string_view kR50kText =
    R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kCl100kHfText =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Text =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kCl100kTiktokenText =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)";
constexpr std::string_view kO200kText =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr KnownPattern kKnown[] = {
    {PatternId::kR50k, kR50kText},
    {PatternId::kR50k,
     R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {PatternId::kR50k,
     R"('s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {PatternId::kR50k,
     R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)"},
    {PatternId::kCl100kHf, kCl100kHfText},
    {PatternId::kCl100kTiktoken, kCl100kTiktokenText},
    {PatternId::kQwen2, kQwen2Text},
    {PatternId::kO200k, kO200kText},
};

bool is_lower_of(char c, char lower) {
  return (c | 0x20) == lower;
}

/// Length of 's 't 'm 'd 're 've 'll at p (p[0] is an apostrophe), lower case only; else 0.
i64 contraction_lower(const char* p, const char* end) {
  if (end - p < 2) return 0;
  const char a = p[1];
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  if (end - p < 3) return 0;
  const char b = p[2];
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/// The same in any case. U+017F (long s) folds to s; no other non-ASCII letter folds to these.
i64 contraction_any(const char* p, const char* end) {
  if (end - p < 2) return 0;
  const char a = p[1];
  if (is_lower_of(a, 's') || is_lower_of(a, 't') || is_lower_of(a, 'm') || is_lower_of(a, 'd')) {
    return 2;
  }
  if (end - p < 3) return 0;
  const char b = p[2];
  if (a == '\xC5' && b == '\xBF') return 3;
  return (is_lower_of(a, 'r') && is_lower_of(b, 'e')) ||
                 (is_lower_of(a, 'v') && is_lower_of(b, 'e')) ||
                 (is_lower_of(a, 'l') && is_lower_of(b, 'l'))
             ? 3
             : 0;
}

/// First position at or after p that is no ASCII letter; the last bytes of a text are left to the
/// caller. Eight bytes a step without a branch that text decides: adding to the low seven bits
/// carries into the top one where a byte is at least 'a', or beyond 'z'.
const char* skip_ascii_letters(const char* p, const char* end) {
  static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");
  constexpr u64 kEach = 0x0101010101010101ULL;
  while (end - p >= 8) {
    u64 bytes;
    std::memcpy(&bytes, p, 8);
    const u64 low = (bytes | 0x20 * kEach) & 0x7F * kEach;
    const u64 letters = (low + (0x80 - 'a') * kEach) & ~(low + (0x7F - 'z') * kEach) & ~bytes;
    const u64 others = ~letters & 0x80 * kEach;
    if (others != 0) return p + std::countr_zero(others) / 8;
    p += 8;
  }
  return p;
}

const char* skip_in(const char* p, const char* end, u8 set);

/// skip_in for letters.
const char* skip_letters(const char* p, const char* end) {
  p = skip_ascii_letters(p, end);
  if (end - p >= 8 && static_cast<u8>(*p) < 0x80) return p;
  return skip_in(p, end, kIsLetter);
}

/// First position at or after p whose character has none of the flags in set.
const char* skip_in(const char* p, const char* end, u8 set) {
  while (p < end) {
    // ASCII runs stay in a loop of one load and one look-up a byte.
    while (static_cast<u8>(*p) < 0x80) {
      if ((kAsciiClasses[static_cast<u8>(*p)] & set) == 0) return p;
      if (++p == end) return p;
    }
    const CharClass c = class_at(p);
    if ((c.flags & set) == 0) break;
    p += c.size;
  }
  return p;
}

/// First position at or after p whose character has one of the flags in set.
const char* skip_out(const char* p, const char* end, u8 set) {
  while (p < end) {
    const CharClass c = class_at(p);
    if ((c.flags & set) != 0) break;
    p += c.size;
  }
  return p;
}

/// A maximal run of white space that starts at p.
struct SpaceRun {
  const char* end;          // after the run
  const char* last;         // start of its last character
  const char* after_break;  // after its last CR or LF, or null
  i64 count = 0;            // characters
};

SpaceRun space_run(const char* p, const char* end) {
  SpaceRun run{p, p, nullptr, 0};
  while (run.end < end) {
    const CharClass c = class_at(run.end);
    if ((c.flags & kIsSpace) == 0) break;
    run.last = run.end;
    run.end += c.size;
    if ((c.flags & kIsBreak) != 0) run.after_break = run.end;
    ++run.count;
  }
  return run;
}

/// \s+(?!\S)|\s+ : the whole run at the end of text, else all but its last character, else one.
const char* space_tail(const SpaceRun& run, const char* end) {
  return run.end == end || run.count == 1 ? run.end : run.last;
}

constexpr u8 kWordOrSpace = kIsLetter | kIsNumber | kIsSpace;

const char* piece_r50k(const char* p, const char* end) {
  if (*p == '\'') {
    const i64 n = contraction_lower(p, end);
    if (n > 0) return p + n;
  }
  const char* body = *p == ' ' && p + 1 < end ? p + 1 : p;
  const CharClass c = class_at(body);
  if ((c.flags & kIsLetter) != 0) return skip_letters(body + c.size, end);
  if ((c.flags & kIsNumber) != 0) return skip_in(body + c.size, end, kIsNumber);
  if ((c.flags & kIsSpace) == 0) return skip_out(body + c.size, end, kWordOrSpace);
  return space_tail(space_run(p, end), end);
}

/// White space of the cl100k family: up to the last line break, else space_tail.
template <bool kWholeAtEnd>
const char* space_cl100k(const char* p, const char* end) {
  const SpaceRun run = space_run(p, end);
  if (kWholeAtEnd && run.end == end) return end;
  if (run.after_break != nullptr) return run.after_break;
  return space_tail(run, end);
}

/// Up to kMax numbers that start at p.
template <int kMax>
const char* numbers(const char* p, const char* end) {
  for (int i = 0; i < kMax && p < end; ++i) {
    const CharClass c = class_at(p);
    if ((c.flags & kIsNumber) == 0) break;
    p += c.size;
  }
  return p;
}

/// ` ?[^\s\p{L}\p{N}]+` and then what follows of the trailing set; null if it does not match.
const char* punctuation(const char* p, const char* end, bool slash_follows) {
  const char* body = *p == ' ' && p + 1 < end ? p + 1 : p;
  if ((class_at(body).flags & kWordOrSpace) != 0) return nullptr;
  const char* q = skip_out(body, end, kWordOrSpace);
  while (q < end && (*q == '\r' || *q == '\n' || (slash_follows && *q == '/')))
    ++q;
  return q;
}

template <int kMaxNumbers, bool kWholeAtEnd>
const char* piece_cl100k(const char* p, const char* end) {
  if (*p == '\'') {
    const i64 n = contraction_any(p, end);
    if (n > 0) return p + n;
  }
  const CharClass c = class_at(p);
  if ((c.flags & kIsLetter) != 0) return skip_letters(p + c.size, end);
  if ((c.flags & kIsNumber) != 0) return numbers<kMaxNumbers>(p, end);
  if ((c.flags & kIsBreak) == 0 && p + c.size < end) {
    const CharClass next = class_at(p + c.size);
    if ((next.flags & kIsLetter) != 0) return skip_letters(p + c.size + next.size, end);
  }
  const char* q = punctuation(p, end, false);
  return q != nullptr ? q : space_cl100k<kWholeAtEnd>(p, end);
}

constexpr u8 kUpperSet = kIsUpper | kIsNeutral | kIsMark;
constexpr u8 kLowerSet = kIsLower | kIsNeutral | kIsMark;

/// [Upper]*[Lower]+ , else null. The greedy run of the first set gives back characters until one
/// of the second set can follow.
const char* upper_then_lower(const char* p, const char* end) {
  const char* i = p;
  const char* last_both_end = nullptr;
  while (i < end) {
    const CharClass c = class_at(i);
    if ((c.flags & kUpperSet) == 0) break;
    i += c.size;
    if ((c.flags & kLowerSet) != 0) last_both_end = i;
  }
  const char* j = skip_in(i, end, kLowerSet);
  return j > i ? j : last_both_end;
}

/// The word alternatives of o200k from body on (the optional prefix is already taken), else null.
const char* o200k_word(const char* p, const char* end, bool first_alternative) {
  const char* q = nullptr;
  if (first_alternative) {
    q = upper_then_lower(p, end);
  } else {
    const char* i = skip_in(p, end, kUpperSet);
    if (i > p) q = skip_in(i, end, kLowerSet);
  }
  if (q != nullptr && q < end && *q == '\'') q += contraction_any(q, end);
  return q;
}

const char* piece_o200k(const char* p, const char* end) {
  const CharClass c = class_at(p);
  if ((c.flags & kIsNumber) != 0) return numbers<3>(p, end);
  const bool may_prefix = (c.flags & (kIsLetter | kIsNumber | kIsBreak)) == 0;
  for (const bool first : {true, false}) {
    const char* q = may_prefix ? o200k_word(p + c.size, end, first) : nullptr;
    if (q == nullptr) q = o200k_word(p, end, first);
    if (q != nullptr) return q;
  }
  const char* q = punctuation(p, end, true);
  return q != nullptr ? q : space_cl100k<false>(p, end);
}

template <const char* (*kPiece)(const char*, const char*)>
i64 scan_with(std::string_view text, i64 at, std::span<Span> pieces) {
  const char* base = text.data();
  const char* end = base + text.size();
  const char* p = base + at;
  i64 count = 0;
  for (; p < end && count < isize(pieces); ++count) {
    const char* q = kPiece(p, end);
    pieces[usize(count)] = {p - base, q - base};
    p = q;
  }
  return count;
}

}  // namespace

PatternId identify_pattern(std::string_view pattern) {
  for (const KnownPattern& known : kKnown) {
    if (known.text == pattern) return known.id;
  }
  return PatternId::kOther;
}

std::string_view pattern_text(PatternId id) {
  for (const KnownPattern& known : kKnown) {
    if (known.id == id) return known.text;
  }
  return {};
}

i64 scan_some(PatternId id, std::string_view text, i64 at, std::span<Span> pieces) {
  switch (id) {
    case PatternId::kR50k:
      return scan_with<piece_r50k>(text, at, pieces);
    case PatternId::kCl100kHf:
      return scan_with<piece_cl100k<3, false>>(text, at, pieces);
    case PatternId::kCl100kTiktoken:
      return scan_with<piece_cl100k<3, true>>(text, at, pieces);
    case PatternId::kQwen2:
      return scan_with<piece_cl100k<1, false>>(text, at, pieces);
    case PatternId::kO200k:
      return scan_with<piece_o200k>(text, at, pieces);
    case PatternId::kOther:
      break;
  }
  LM_CHECK(false, "only known patterns have a scanner");
}

void scan_pieces(PatternId id, std::string_view text, std::vector<Span>& pieces) {
  Span batch[256];
  for (i64 at = 0; at < isize(text); at = pieces.back().end) {
    const i64 count = scan_some(id, text, at, batch);
    pieces.insert(pieces.end(), batch, batch + count);
  }
}

}  // namespace lm::text
