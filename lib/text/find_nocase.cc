#include "text/find_nocase.h"

#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lm::text {

namespace {

char low(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool stands_at(std::string_view text, std::string_view part, i64 at) {
  for (std::size_t i = 0; i < part.size(); ++i)
    if (low(text[usize(at) + i]) != part[i]) return false;
  return true;
}

#if defined(__x86_64__)

/// 32 places at once where both ends of part stand; where it goes on with fewer left, or the place.
__attribute__((target("avx2"))) i64 skip_avx2(std::string_view text, std::string_view part,
                                              i64 from) {
  const __m256i bit = _mm256_set1_epi8(0x20);
  const __m256i first = _mm256_set1_epi8(part.front());
  const __m256i last = _mm256_set1_epi8(part.back());
  const auto* const bytes = text.data();
  i64 at = from;
  for (; at + isize(part) + 31 <= isize(text); at += 32) {
    const __m256i head = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + at));
    const __m256i tail =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + at + isize(part) - 1));
    const __m256i both = _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_or_si256(head, bit), first),
                                          _mm256_cmpeq_epi8(_mm256_or_si256(tail, bit), last));
    u32 places = static_cast<u32>(_mm256_movemask_epi8(both));
    for (; places != 0; places &= places - 1) {
      const i64 place = at + std::countr_zero(places);
      if (stands_at(text, part, place)) return place;
    }
  }
  return at;
}

#endif

}  // namespace

i64 find_nocase_plain(std::string_view text, std::string_view part, i64 from) {
  for (i64 at = from; at + isize(part) <= isize(text); ++at)
    if (low(text[usize(at)]) == part[0] && stands_at(text, part, at)) return at;
  return -1;
}

i64 find_nocase(std::string_view text, std::string_view part, i64 from) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) from = skip_avx2(text, part, from);
#endif
  return find_nocase_plain(text, part, from);
}

}  // namespace lm::text
