#include "text/byte_bits.h"

#include <array>

#include "core/error.h"
#include "text/segment.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lm::text {

namespace {

constexpr i64 kBlock = 64;

/// Bits that differ from the one before, as white space does at both ends of a word.
__attribute__((always_inline)) inline u64 edges_at(const EdgeMaps& maps, i64 block, u64& before) {
  const u64 spaces = maps.spaces[block];
  const u64 edges = spaces ^ (spaces << 1 | before);
  before = spaces >> 63;
  return edges;
}

__attribute__((always_inline)) inline i64 count_all_edges(const EdgeMaps& maps) {
  u64 before = 1;
  i64 count = 0;
  for (i64 block = 0; block < maps.blocks; ++block)
    count += std::popcount(edges_at(maps, block, before));
  return count;
}

// Places are written eight at a time: how many a block has is not to be foreseen.
__attribute__((always_inline)) inline void write_all_edges(const EdgeMaps& maps, u32* bytes,
                                                           u32* chars) {
  u64 before = 1;
  for (i64 block = 0; block < maps.blocks; ++block) {
    u64 edges = edges_at(maps, block, before);
    const u32 base = static_cast<u32>(kBlock * block);
    const i64 found = std::popcount(edges);
    for (i64 done = 0; done < found; done += kEdgeRoom) {
      for (i64 i = 0; i < kEdgeRoom; ++i) {
        bytes[done + i] = base + static_cast<u32>(std::countr_zero(edges));
        edges &= edges - 1;
      }
    }
    if (maps.inner != nullptr) {
      for (i64 i = 0; i < found; ++i) {
        const u64 below = (u64{1} << (bytes[i] - base)) - 1;
        chars[i] = bytes[i] - maps.inner_before[block] -
                   static_cast<u32>(std::popcount(maps.inner[block] & below));
      }
      chars += found;
    }
    bytes += found;
  }
}

#if defined(__x86_64__)

#define LM_WITH_BITS __attribute__((target("avx2,bmi,bmi2,popcnt")))

bool has_bits() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

LM_WITH_BITS i64 count_edges_bits(const EdgeMaps& maps) {
  return count_all_edges(maps);
}
LM_WITH_BITS void write_edges_bits(const EdgeMaps& maps, u32* bytes, u32* chars) {
  write_all_edges(maps, bytes, chars);
}

struct Half {
  u32 spaces, newlines, digits, inner, high;
};

/// True in each byte of v that is one of `count` values from `first` on.
__attribute__((target("avx2"))) inline __m256i among(__m256i v, char first, char count) {
  const __m256i from = _mm256_sub_epi8(v, _mm256_set1_epi8(first));
  return _mm256_cmpeq_epi8(from,
                           _mm256_min_epu8(from, _mm256_set1_epi8(static_cast<char>(count - 1))));
}

__attribute__((target("avx2"))) inline u32 bits_of(__m256i v) {
  return static_cast<u32>(_mm256_movemask_epi8(v));
}

__attribute__((target("avx2"))) inline Half map_half(const char* bytes) {
  const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
  return {bits_of(_mm256_or_si256(among(v, 0x09, 5), among(v, 0x1C, 5))),
          bits_of(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n'))), bits_of(among(v, '0', 10)),
          // Signed, 80 to BF are the least values.
          bits_of(_mm256_cmpgt_epi8(_mm256_set1_epi8(-64), v)), bits_of(v)};
}

__attribute__((target("avx2"))) bool map_blocks_avx2(const char* bytes, i64 blocks,
                                                     const BlockMaps& out) {
  u32 high = 0;
  for (i64 i = 0; i < blocks; ++i) {
    const Half low = map_half(bytes + kBlock * i);
    const Half top = map_half(bytes + kBlock * i + 32);
    out.spaces[i] = low.spaces | u64{top.spaces} << 32;
    out.newlines[i] = low.newlines | u64{top.newlines} << 32;
    out.digits[i] = low.digits | u64{top.digits} << 32;
    out.inner[i] = low.inner | u64{top.inner} << 32;
    high |= low.high | top.high;
  }
  return high != 0;
}

#endif

}  // namespace

i64 count_edges_plain(const EdgeMaps& maps) {
  return count_all_edges(maps);
}

i64 count_edges(const EdgeMaps& maps) {
#if defined(__x86_64__)
  if (has_bits()) return count_edges_bits(maps);
#endif
  return count_edges_plain(maps);
}

void write_edges_plain(const EdgeMaps& maps, u32* bytes, u32* chars) {
  write_all_edges(maps, bytes, chars);
}

void write_edges(const EdgeMaps& maps, u32* bytes, u32* chars) {
#if defined(__x86_64__)
  if (has_bits()) return write_edges_bits(maps, bytes, chars);
#endif
  write_edges_plain(maps, bytes, chars);
}

void ByteBits::word_edges(std::vector<u32>& bytes, std::vector<u32>& chars) const {
  const EdgeMaps maps = {spaces_.data(), ascii_ ? nullptr : inner_.data(), inner_before_.data(),
                         blocks()};
  const i64 count = count_edges(maps);
  bytes.resize(usize(count + kEdgeRoom));
  chars.resize(usize(ascii_ ? 0 : count));
  write_edges(maps, bytes.data(), chars.data());
  bytes.resize(usize(count));
}

bool map_blocks_plain(const char* bytes, i64 blocks, const BlockMaps& out) {
  bool high = false;
  for (i64 i = 0; i < blocks; ++i) {
    out.spaces[i] = out.newlines[i] = out.digits[i] = out.inner[i] = 0;
    for (i64 j = 0; j < kBlock; ++j) {
      const u8 c = static_cast<u8>(bytes[kBlock * i + j]);
      out.spaces[i] |= u64{(c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20)} << j;
      out.newlines[i] |= u64{c == '\n'} << j;
      out.digits[i] |= u64{c >= '0' && c <= '9'} << j;
      out.inner[i] |= u64{(c & 0xC0) == 0x80} << j;
      high = high || c >= 0x80;
    }
  }
  return high;
}

bool map_blocks(const char* bytes, i64 blocks, const BlockMaps& out) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return map_blocks_avx2(bytes, blocks, out);
#endif
  return map_blocks_plain(bytes, blocks, out);
}

void ByteBits::scan(std::string_view text) {
  LM_CHECK(text.size() < (u64{1} << 32), "a text is shorter than 4 GiB");
  size_ = isize(text);
  const std::size_t words = usize(blocks() + 1);
  for (BitMap* map : {&spaces_, &newlines_, &digits_, &inner_})
    map->resize(words);
  const i64 whole = size_ / kBlock;
  const auto maps_at = [&](i64 i) {
    return BlockMaps{spaces_.data() + i, newlines_.data() + i, digits_.data() + i,
                     inner_.data() + i};
  };
  bool high = map_blocks(text.data(), whole, maps_at(0));
  // The last bytes as a block that blanks fill up.
  std::array<char, kBlock> last;
  last.fill(' ');
  text.copy(last.data(), usize(size_ % kBlock), usize(kBlock * whole));
  high = map_blocks(last.data(), 1, maps_at(whole)) || high;
  spaces_.back() = ~u64{0};
  newlines_.back() = digits_.back() = inner_.back() = 0;
  ascii_ = !high;
  inner_count_ = 0;
  if (high) {
    add_wide_spaces(text);
  } else {
    inner_.clear();
  }
}

void ByteBits::add_wide_spaces(std::string_view text) {
  inner_before_.resize(usize(blocks()));
  for (i64 i = 0; i < blocks(); ++i) {
    inner_before_[usize(i)] = static_cast<u32>(inner_count_);
    inner_count_ += std::popcount(inner_[usize(i)]);
    // First bytes of code points of several.
    u64 leads = ~inner_[usize(i)] & ahead(inner_, i, 1);
    for (; leads != 0; leads &= leads - 1) {
      const i64 at = kBlock * i + std::countr_zero(leads);
      for (i64 k = at, end = at + py_space_size(text, at); k < end; ++k)
        spaces_[usize(k / 64)] |= u64{1} << (k % 64);
    }
  }
}

}  // namespace lm::text
