#pragma once
// The draws of a record: a pure function of (seed, record id, epoch, purpose, position, index).
// Purposes are apart, so that switching one feature on moves no draw of another.

#include <array>
#include <string_view>

#include "core/random.h"
#include "core/record_key.h"
#include "core/types.h"

namespace lm::transform {

/// The last word of the counter. Operators of noise have the numbers from kNoise on.
enum class Purpose : u32 {
  kOrder = 1,  // the order of a sentence's units
  kGrams = 2,  // lengths of random units
  kMix = 3,    // which kind of row a document becomes
  kSpans = 4,  // share, lengths and places of what is masked
  kSplit = 5,  // where a document is cut in two or three
  kNoise = 64,
};

/// The draws of one purpose at one position, one after the other.
class DrawRow {
 public:
  DrawRow(std::array<u32, 2> key, u32 epoch, u32 purpose, u32 position)
      : key_(key), epoch_(epoch), purpose_(purpose), position_(position) {}
  /// Uniform in (0,1).
  f64 uniform() {
    const Philox4 w = next();
    return uniform53(w[0], w[1]);
  }
  /// Whole number in [0, bound), bound > 0, by multiply-shift.
  i64 below(i64 bound) {
    __extension__ using u128 = unsigned __int128;
    const Philox4 w = next();
    return static_cast<i64>((static_cast<u128>(u64{w[0]} << 32 | w[1]) * static_cast<u64>(bound)) >>
                            64);
  }

 private:
  Philox4 next() { return philox({index_++, position_, epoch_, purpose_}, key_); }

  std::array<u32, 2> key_;
  u32 epoch_;
  u32 purpose_;
  u32 position_;
  u32 index_ = 0;
};

class Draws {
 public:
  Draws(u64 seed, std::string_view record_id, i64 epoch)
      : key_(record_key(seed, record_id)), epoch_(static_cast<u32>(epoch)) {}
  DrawRow row(Purpose purpose, i64 position = 0, u32 more = 0) const {
    return {key_, epoch_, static_cast<u32>(purpose) + more, static_cast<u32>(position)};
  }

 private:
  std::array<u32, 2> key_;
  u32 epoch_;
};

}  // namespace lm::transform
