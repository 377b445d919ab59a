#include "dedup/minhash.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "dedup/minhash_kernel.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::dedup {

namespace {

// B of the shingle polynomial: odd, so that multiplying loses nothing, and 3 mod 4, so that the
// factors B^k - 1 which appear for permuted units have few powers of two.
constexpr u64 kBase = 0x9E3779B97F4A7C17ULL;
static_assert(kBase % 4 == 3);

/// Code points and token ids are small numbers; the offset keeps 0 from hashing to 0.
u64 hash_small(u64 value) {
  return mix64(value + 0x632BE59BD9B4E019ULL);
}

std::array<u64, 256> make_byte_hashes() {
  std::array<u64, 256> table{};
  for (u64 i = 0; i < 256; ++i)
    table[i] = hash_small(i);
  return table;
}

const std::array<u64, 256>& byte_hashes() {
  static const std::array<u64, 256> table = make_byte_hashes();
  return table;
}

/// Bit i: bytes[i] is a blank.
u64 blanks_in_64(const char* bytes) {
#if defined(__SSE2__)
  u64 mask = 0;
  for (i64 part = 0; part < 4; ++part) {
    const __m128i sixteen = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * part));
    const int found = _mm_movemask_epi8(_mm_cmpeq_epi8(sixteen, _mm_set1_epi8(' ')));
    mask |= static_cast<u64>(static_cast<u32>(found)) << (16 * part);
  }
  return mask;
#else
  u64 mask = 0;
  for (int i = 0; i < 64; ++i)
    mask |= static_cast<u64>(bytes[i] == ' ') << i;
  return mask;
#endif
}

i64 padded(i64 count) {
  return (count + kPermBlock - 1) / kPermBlock * kPermBlock;
}

}  // namespace

Shingler::Shingler(const MinhashParams& params, const text::Tokenizer* tokenizer)
    : params_(params), tokenizer_(tokenizer) {
  check_minhash(params, tokenizer);
  const text::Normaliser n = params.normaliser;
  single_blanks_ = n != text::Normaliser::kRaw && n != text::Normaliser::kCcnetDedup &&
                   n != text::Normaliser::kUrl;
  for (i64 i = 0; i < params.n; ++i)
    leading_power_ *= kBase;
}

void Shingler::hash_words(std::string_view text, Scratch& scratch) const {
  if (!single_blanks_) {
    text::WordCursor cursor(text);
    std::string_view word;
    while (cursor.next(word))
      scratch.units.push_back(xxh3_64(word));
    return;
  }
  // Word ends as bits of a mask: a byte loop mispredicts at nearly every one.
  const char* word = text.data();
  i64 at = 0;
  for (; at + 64 <= isize(text); at += 64) {
    const char* const block = text.data() + at;
    for (u64 ends = blanks_in_64(block); ends != 0; ends &= ends - 1) {
      const char* const end = block + std::countr_zero(ends);
      scratch.units.push_back(xxh3_64({word, usize(end - word)}));
      word = end + 1;
    }
  }
  const char* const text_end = text.data() + text.size();
  for (const char* p = text.data() + at; p < text_end; ++p) {
    if (*p != ' ') continue;
    scratch.units.push_back(xxh3_64({word, usize(p - word)}));
    word = p + 1;
  }
  if (word < text_end) scratch.units.push_back(xxh3_64({word, usize(text_end - word)}));
}

void Shingler::hash_units(std::string_view text, Scratch& scratch) const {
  scratch.units.clear();
  const std::array<u64, 256>& bytes = byte_hashes();
  switch (params_.unit) {
    case ShingleUnit::kWord:
      hash_words(text, scratch);
      break;
    case ShingleUnit::kByte:
      for (const char c : text)
        scratch.units.push_back(bytes[static_cast<u8>(c)]);
      break;
    case ShingleUnit::kChar:
      for (const char* p = text.data(); p < text.data() + text.size();) {
        const char32_t cp = text::next_valid(p);
        scratch.units.push_back(cp < 0x80 ? bytes[cp] : hash_small(cp));
      }
      break;
    case ShingleUnit::kToken:
      if (!scratch.encode) scratch.encode = tokenizer_->new_state();
      scratch.ids.clear();
      tokenizer_->encode(text, *scratch.encode, scratch.ids);
      for (const i32 id : scratch.ids)
        scratch.units.push_back(hash_small(static_cast<u32>(id)));
      break;
  }
  scratch.unit_count += isize(scratch.units);
  scratch.unit_bytes += isize(text);
}

void Shingler::shingles(std::string_view text, Scratch& scratch, std::vector<u64>& out) const {
  out.clear();
  std::string_view normal = text;
  if (params_.normaliser != text::Normaliser::kRaw) {
    text::normalise(params_.normaliser, text, scratch.normal);
    normal = scratch.normal;
  }
  hash_units(normal, scratch);
  const std::vector<u64>& units = scratch.units;
  if (units.empty()) return;
  const i64 count = isize(units);
  const i64 n = params_.n;
  u64 sum = 0;
  for (i64 i = 0; i < std::min(n, count); ++i)
    sum = sum * kBase + units[usize(i)];
  out.reserve(usize(std::max<i64>(1, count - n + 1)));
  out.push_back(mix64(sum));
  for (i64 i = n; i < count; ++i) {
    sum = sum * kBase + units[usize(i)] - units[usize(i - n)] * leading_power_;
    out.push_back(mix64(sum));
  }
}

void Shingler::shingle_set(std::string_view text, Scratch& scratch, std::vector<u64>& out) const {
  shingles(text, scratch, out);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

Signer::Signer(const MinhashParams& params) : params_(params) {
  const i64 count = padded(params.minima());
  const RandomStream random(params.seed, RandomPurpose::kOther, 0x6D696E68617368);  // "minhash"
  for (i64 i = 0; i < count; ++i) {
    const u64 a = random.bits(static_cast<u64>(2 * i)) | 1;
    a_low_.push_back(static_cast<u32>(a));
    a_high_.push_back(static_cast<u32>(a >> 32));
    c_.push_back(random.bits(static_cast<u64>(2 * i + 1)));
  }
}

void Signer::minima(std::span<const u64> shingles, std::span<u32> minima) const {
  LM_CHECK(isize(minima) == params_.minima(), "one minimum per permutation");
  const PermTable table{a_low_.data(), a_high_.data(), c_.data(), isize(a_low_)};
  if (table.count == isize(minima)) {
    minhash_minima(table, shingles, minima.data());
    return;
  }
  std::vector<u32> wide(a_low_.size());
  minhash_minima(table, shingles, wide.data());
  std::copy_n(wide.begin(), minima.size(), minima.begin());
}

void Signer::band_keys(std::span<const u32> minima, std::span<u64> keys) const {
  LM_CHECK(isize(keys) == params_.bands, "one key per band");
  const std::size_t row_bytes = usize(params_.rows) * sizeof(u32);
  const char* at = reinterpret_cast<const char*>(minima.data());
  for (std::size_t band = 0; band < keys.size(); ++band) {
    keys[band] = xxh3_64({at + band * row_bytes, row_bytes}, band);
  }
}

f64 jaccard(std::span<const u64> a, std::span<const u64> b) {
  std::size_t i = 0;
  std::size_t j = 0;
  i64 both = 0;
  while (i < a.size() && j < b.size()) {
    const u64 x = a[i];
    const u64 y = b[j];
    both += x == y;
    i += x <= y;  // no branch to mispredict: both advance on equality
    j += y <= x;
  }
  const i64 all = isize(a) + isize(b) - both;
  return all == 0 ? 0 : static_cast<f64>(both) / static_cast<f64>(all);
}

}  // namespace lm::dedup
