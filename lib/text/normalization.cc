// NFC, NFD, NFKC, NFKD (UAX 15). Text is cut into segments that begin with an inert starter; only
// segments with something to do are decomposed, ordered and composed, the rest is copied.

#include <algorithm>

#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

constexpr char32_t kHangulBase = 0xAC00;
constexpr char32_t kLBase = 0x1100;
constexpr char32_t kVBase = 0x1161;
constexpr char32_t kTBase = 0x11A7;
constexpr char32_t kLCount = 19;
constexpr char32_t kVCount = 21;
constexpr char32_t kTCount = 28;
constexpr char32_t kHangulCount = kLCount * kVCount * kTCount;

u32 two_stage(const u16* index, const u16* blocks, char32_t cp) {
  return blocks[index[cp / tables::kBlock] * tables::kBlock + cp % tables::kBlock];
}

void append_decomposition(std::u32string& out, char32_t cp, bool compat) {
  if (cp - kHangulBase < kHangulCount) {
    const char32_t s = cp - kHangulBase;
    out.push_back(kLBase + s / (kVCount * kTCount));
    out.push_back(kVBase + s % (kVCount * kTCount) / kTCount);
    if (s % kTCount != 0) out.push_back(kTBase + s % kTCount);
    return;
  }
  u32 at = compat ? two_stage(tables::compat_index, tables::compat_blocks, cp) : 0;
  if (at == 0) at = two_stage(tables::canon_index, tables::canon_blocks, cp);
  if (at == 0) {
    out.push_back(cp);
    return;
  }
  const u32* entry = tables::decomposition_pool + at;
  for (u32 i = 1; i <= entry[0]; ++i)
    out.push_back(entry[i]);
}

/// Canonical ordering: stable sort of every run of non-zero combining classes.
void order_marks(std::u32string& cps) {
  for (std::size_t i = 0; i < cps.size();) {
    if (combining_class(cps[i]) == 0) {
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < cps.size() && combining_class(cps[end]) != 0)
      ++end;
    std::stable_sort(
        cps.begin() + static_cast<i64>(i), cps.begin() + static_cast<i64>(end),
        [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    i = end;
  }
}

/// The primary composite of (first, second), or 0.
char32_t compose_pair(char32_t first, char32_t second) {
  if (first - kLBase < kLCount && second - kVBase < kVCount) {
    return kHangulBase + ((first - kLBase) * kVCount + (second - kVBase)) * kTCount;
  }
  if (first - kHangulBase < kHangulCount && (first - kHangulBase) % kTCount == 0 &&
      second > kTBase && second < kTBase + kTCount) {
    return first + (second - kTBase);
  }
  const tables::CompositionPair* end = tables::pairs + tables::pair_count;
  const tables::CompositionPair* found =
      std::lower_bound(tables::pairs, end, std::pair<u32, u32>(first, second),
                       [](const tables::CompositionPair& p, const std::pair<u32, u32>& key) {
                         return std::pair<u32, u32>(p.first, p.second) < key;
                       });
  return found != end && found->first == first && found->second == second ? found->composite : 0;
}

/// Canonical composition in place: a character joins the last starter unless one with the same or a
/// higher class (or another starter) stands between.
void compose(std::u32string& cps) {
  std::size_t out = 0;
  std::size_t starter = std::u32string::npos;
  int last_class = -1;  // class of the character before, -1 right after the starter
  for (std::size_t i = 0; i < cps.size(); ++i) {
    const char32_t cp = cps[i];
    const int ccc = combining_class(cp);
    if (starter != std::u32string::npos && last_class < ccc) {
      const char32_t joined = compose_pair(cps[starter], cp);
      if (joined != 0) {
        cps[starter] = joined;
        continue;
      }
    }
    if (ccc == 0) {
      starter = out;
      last_class = -1;
    } else {
      last_class = ccc;
    }
    cps[out++] = cp;
  }
  cps.resize(out);
}

std::string decompose_text(std::string_view text, bool compat, bool drop_marks) {
  std::string out;
  out.reserve(text.size());
  std::u32string run;
  for (i64 at = 0; at < isize(text);) {
    const char c = text[usize(at)];
    // ASCII maps to itself and ends a run of marks.
    if (static_cast<u8>(c) < 0x80 && run.empty()) {
      out.push_back(c);
      ++at;
      continue;
    }
    run.clear();
    while (at < isize(text)) {
      const Decoded d = decode_at(text, at);
      if (d.cp < 0x80) break;
      append_decomposition(run, d.cp, compat);
      at += d.size;
    }
    order_marks(run);
    for (const char32_t cp : run) {
      if (!drop_marks || general_category(cp) != Category::kMn) append_utf8(out, cp);
    }
    run.clear();
  }
  return out;
}

/// Byte offset of the last code point that begins before `at`.
i64 back_one(std::string_view text, i64 at) {
  do {
    --at;
  } while (at > 0 && (static_cast<u8>(text[usize(at)]) & 0xC0) == 0x80);
  return at;
}

}  // namespace

i64 find_not_inert(std::string_view text, i64 from) {
  for (i64 at = from; at < isize(text);) {
    // Everything below U+0300 is inert: lead bytes up to 0xCB.
    if (static_cast<u8>(text[usize(at)]) < 0xCC) {
      ++at;
      continue;
    }
    const Decoded d = decode_at(text, at);
    if ((tables::props(d.cp) & 0x40) != 0) return at;
    at += d.size;
  }
  return -1;
}

bool nfc_inert(std::string_view text) {
  return find_not_inert(text, 0) < 0;
}

std::string nfc(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::u32string segment;
  i64 copied = 0;
  while (true) {
    const i64 hit = find_not_inert(text, copied);
    if (hit < 0) break;
    const i64 begin = hit > copied ? back_one(text, hit) : hit;
    out.append(text, usize(copied), usize(begin - copied));
    i64 end = hit;
    while (end < isize(text)) {
      const Decoded d = decode_at(text, end);
      if ((tables::props(d.cp) & 0x40) == 0) break;
      end += d.size;
    }
    segment.clear();
    for (i64 at = begin; at < end;) {
      const Decoded d = decode_at(text, at);
      append_decomposition(segment, d.cp, false);
      at += d.size;
    }
    order_marks(segment);
    compose(segment);
    for (const char32_t cp : segment)
      append_utf8(out, cp);
    copied = end;
  }
  out.append(text, usize(copied));
  return out;
}

std::string nfd(std::string_view text) {
  return decompose_text(text, false, false);
}
std::string nfkd(std::string_view text) {
  return decompose_text(text, true, false);
}
std::string nfkc(std::string_view text) {
  return nfc(nfkd(text));
}
std::string nfd_without_marks(std::string_view text) {
  return decompose_text(text, false, true);
}

}  // namespace lm::text
