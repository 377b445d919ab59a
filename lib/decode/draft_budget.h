#pragma once
// When guesses are worth their rows. A pass takes longer with every row, by how much is measured;
// of the guesses of all sequences those are checked that make the most tokens a second. What comes
// out of the model does not depend on any of it.

#include <array>
#include <span>

#include "decode/draft.h"
#include "model/engine.h"

namespace lm::decode {

/// Seconds of a pass by its rows.
class RowCost {
 public:
  static constexpr i64 kMostRows = 1024;
  /// Passes of 1, 2, 4 .. 64 rows of a sequence that is dropped again (fewer where the engine's
  /// memory is smaller): about ten times the time of a token.
  static RowCost measure(model::Engine& engine);
  /// Known at 1, 2, 4, ... rows.
  explicit RowCost(std::span<const f64> seconds);

  /// Between measured counts and beyond them along a line, never falling.
  f64 seconds(i64 rows) const;
  /// A pass of so many rows took so long. Moves what is near it by a part of the difference.
  void learn(i64 rows, f64 seconds);

 private:
  static constexpr i64 kCounts = 11;  // 2^0 .. 2^10
  std::array<f64, kCounts> seconds_ = {};
};

/// What a sequence's guesses have been worth: how far their chances were too high or too low, and
/// whether to guess at all. While no guess is worth its row, none is made for up to 63 passes.
class DraftPace {
 public:
  /// Are there guesses in this pass? To be asked once per pass.
  bool ready();
  /// Chances are to be multiplied with it, 0.05 to 2.
  f64 factor() const { return factor_; }
  /// Of guesses that would be right so often by their chances, so many were.
  void learn(f64 expected, i64 right);
  /// Guesses were made and none was worth a row.
  void skip();

 private:
  void add(f64 expected, f64 right);
  f64 factor_ = 1;
  f64 expected_ = 0;  // sums that forget
  f64 right_ = 0;
  i64 misses_ = 0;  // passes in a row without a guess worth its row
  i64 pause_ = 0;   // passes yet without guesses
};

/// A sequence's guesses in a pass.
struct DraftBid {
  DraftTree* tree = nullptr;
  f64 factor = 1;
};

/// Leaves of the trees the guesses that make the most tokens a second, of all that are likeliest
/// first (of equal ones those of earlier trees and nodes), at most `most`. A pass evaluates `rows`
/// rows anyway, of which `sequences` give a token each. Returns how many are left.
i64 choose_guesses(std::span<const DraftBid> bids, i64 sequences, i64 rows, i64 most,
                   const RowCost& cost);

}  // namespace lm::decode
