#pragma once
// Order statistics without sorting: keys are looked at digit by digit from the top, 16 bits a pass,
// through histograms. Keys are the bits of magnitudes, whose order as integers is their order as
// numbers. Memory: 256 KiB per searched key and thread, whatever the number of keys.

#include <bit>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "core/types.h"

namespace lm::merge {

/// Bits of a magnitude: 31 of f32, 63 of f64.
template <class A>
using KeyOf = std::conditional_t<std::is_same_v<A, f32>, u32, u64>;

/// The bits of |value|.
template <class A>
inline KeyOf<A> magnitude_key(A value) {
  using Key = KeyOf<A>;
  return std::bit_cast<Key>(value) & static_cast<Key>(~Key{0} >> 1);
}

/// Finds the keys at given ranks (0 is the smallest key), several at once.
template <class A>
class RadixSelect {
 public:
  using Key = KeyOf<A>;
  static constexpr int kBits = static_cast<int>(sizeof(Key)) * 8 - 1;
  static constexpr int kDigitBits = 16;
  static constexpr i64 kBins = i64{1} << kDigitBits;

  explicit RadixSelect(std::span<const i64> ranks);

  /// Counters that the next pass needs, 0 when every key is known.
  i64 counters() const { return left_ == 0 ? 0 : isize(prefixes_) * kBins; }
  /// Counts keys into the pass's counters. Thread-safe for separate counters.
  void count(std::span<const A> values, std::span<u32> counters) const;
  /// Takes the counters of all keys.
  void end_pass(std::span<const i64> counters);

  /// After the last pass, of the i-th rank: the key, how many keys are smaller, how many equal.
  Key key(std::size_t i) const { return targets_[i].prefix; }
  i64 below(std::size_t i) const { return targets_[i].below; }
  i64 equal(std::size_t i) const { return targets_[i].equal; }

 private:
  struct Target {
    i64 rank = 0;
    Key prefix = 0;
    i64 below = 0;
    i64 equal = 0;
    std::size_t slot = 0;  // of its prefix in prefixes_
  };
  void collect_prefixes();
  int digit() const { return left_ < kDigitBits ? left_ : kDigitBits; }

  std::vector<Target> targets_;
  std::vector<Key> prefixes_;  // different ones, each with a histogram
  int left_ = kBits;           // bits that are not known
};

/// Keeps the elements whose place in the order of descending magnitude lies in [first, last); equal
/// magnitudes are in the order of their index. Drives its own passes, as a part of a Kernel.
template <class A>
class RankWindow {
 public:
  /// count elements in chunks of kChunkElements.
  RankWindow(i64 count, i64 first, i64 last);

  /// Counters of the next pass (may be 0), or nothing when the window is known.
  std::optional<i64> next_pass();
  void observe(std::span<const A> values, i64 chunk, std::span<u32> counters);
  void end_pass(std::span<const i64> counters);
  /// Sets the dropped ones of a chunk's values to zero.
  void apply(std::span<A> values, i64 chunk) const;
  i64 kept() const { return last_ - first_; }

 private:
  struct Edge {
    KeyOf<A> key = 0;
    i64 greater = 0;         // elements of larger magnitude
    std::vector<i64> ties;   // by chunk: elements with this key before it
    bool straddles = false;  // some elements with this key stay and some go
  };
  Edge make_edge(std::size_t target) const;

  enum class Phase : u8 { kSelect, kTies, kDone };
  i64 count_;
  i64 first_;
  i64 last_;
  Phase phase_ = Phase::kDone;
  bool has_top_ = false;     // first > 0: an edge above the window
  bool has_bottom_ = false;  // last < count
  std::optional<RadixSelect<A>> select_;
  Edge top_;
  Edge bottom_;
};

}  // namespace lm::merge
