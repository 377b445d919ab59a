#pragma once
// Numbers packed into bits, least significant first: runs and packed groups (levels, dictionary
// indices, truth values) and differences in blocks. Decoders read from bytes that they never leave
// and give values one after another; no count is believed before the bytes for it are there.
// Source: apache/parquet-format, Encodings.md (RLE / bit-packing hybrid, DELTA_BINARY_PACKED).

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "core/types.h"
#include "parquet/place.h"

namespace lm::parquet {

static_assert(std::endian::native == std::endian::little, "Parquet's numbers are little-endian");

/// The number stored at p.
template <typename T>
T load(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

/// `width` (0 to 64) bits from bit `at` on; all of them lie within bytes.
u64 get_bits(std::string_view bytes, u64 at, int width);

/// A varint at bytes[at]; advances at. False when it is cut or longer than 64 bits.
bool get_varint(std::string_view bytes, std::size_t& at, u64& value);

/// The RLE / bit-packing hybrid.
class RunDecoder {
 public:
  RunDecoder() = default;
  /// width: bits of a value, 0 to 32.
  RunDecoder(std::string_view bytes, int width) : bytes_(bytes), width_(width) {}

  /// Decodes up to n values; fewer only where the bytes end or are damaged. T holds width bits.
  template <typename T>
  i64 read(T* out, i64 n);

 private:
  bool next_run();

  std::string_view bytes_;
  std::size_t at_ = 0;
  int width_ = 0;
  u64 repeat_ = 0;  // values left of a run
  u64 value_ = 0;
  u64 packed_ = 0;  // values left of packed groups
  u64 bit_ = 0;     // where the next of them begins, in bits from the start
};

/// DELTA_BINARY_PACKED. Differences are added modulo 2^64.
class DeltaDecoder {
 public:
  DeltaDecoder() = default;
  /// Throws at place for a header that cannot be.
  DeltaDecoder(std::string_view bytes, const Place& place);

  /// How many values there are, by the header.
  u64 count() const { return total_; }
  /// The next value. Throws when there is none, or its bytes are cut.
  i64 next();
  /// Offset of the first byte behind all values. O(blocks); for a decoder that was not read from.
  std::size_t end() const;

 private:
  void next_block();

  std::string_view bytes_;
  const Place* place_ = nullptr;
  std::size_t at_ = 0;
  u64 total_ = 0;
  u64 left_ = 0;  // values that are not given yet
  u64 per_block_ = 0;
  u64 per_mini_ = 0;
  u64 minis_ = 0;
  u64 mini_ = 0;     // miniblock of the block
  u64 in_mini_ = 0;  // values left in it
  u64 bit_ = 0;
  int width_ = 0;
  u64 min_delta_ = 0;
  u64 value_ = 0;
  bool first_ = true;
  std::string_view widths_;  // of the block's miniblocks
};

template <typename T>
i64 RunDecoder::read(T* out, i64 n) {
  i64 done = 0;
  while (done < n) {
    const u64 want = static_cast<u64>(n - done);
    if (repeat_ > 0) {
      const u64 take = std::min(want, repeat_);
      std::fill_n(out + done, take, static_cast<T>(value_));
      repeat_ -= take;
      done += static_cast<i64>(take);
    } else if (packed_ > 0) {
      const u64 take = std::min(want, packed_);
      for (u64 i = 0; i < take; ++i, bit_ += static_cast<u64>(width_))
        out[done + static_cast<i64>(i)] = static_cast<T>(get_bits(bytes_, bit_, width_));
      packed_ -= take;
      done += static_cast<i64>(take);
    } else if (!next_run()) {
      break;
    }
  }
  return done;
}

inline u64 get_bits(std::string_view bytes, u64 at, int width) {
  if (width == 0) return 0;
  const std::size_t byte = at >> 3;
  const int shift = static_cast<int>(at & 7);
  const u64 mask = ~u64{0} >> (64 - width);
  if (byte + 8 <= bytes.size()) {
    u64 word = load<u64>(bytes.data() + byte) >> shift;
    if (shift + width > 64) word |= u64{static_cast<u8>(bytes[byte + 8])} << (64 - shift);
    return word & mask;
  }
  u64 word = 0;
  for (std::size_t i = byte; i < bytes.size(); ++i)
    word |= u64{static_cast<u8>(bytes[i])} << (8 * (i - byte));
  return word >> shift & mask;
}

}  // namespace lm::parquet
