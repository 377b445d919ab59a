#pragma once
// When guesses are worth their rows. A pass takes longer with every row, by how much its own passes
// show; of the guesses of all sequences those are checked that make the most tokens a second, and
// none are made where making and checking them takes longer than they save. What comes out of the
// model does not depend on any of it.

#include <functional>
#include <span>
#include <vector>

#include "decode/draft.h"

namespace lm::decode {

/// Seconds of a pass by its rows, as passes have shown. What was not seen yet is taken to cost a
/// tenth of a row more with each row, so that it is tried.
class RowCost {
 public:
  static constexpr i64 kMostRows = 1024;
  /// computed: rows that a pass of so many computes (Engine::pass_rows), never falling.
  explicit RowCost(const std::function<i64(i64)>& computed);

  /// Has any pass counted?
  bool known() const { return known_; }
  /// One of so many rows?
  bool known(i64 rows) const;
  /// Between seen counts and beyond them along a line; of nothing seen, in units of one row.
  f64 seconds(i64 rows) const;
  /// A pass of so many rows took so long. The first of a size also made its graph, and does not
  /// count.
  void learn(i64 rows, f64 seconds);

 private:
  struct Size {
    f64 rows = 0;
    f64 seconds = 0;
    i64 seen = 0;
  };
  std::vector<i64> size_of_;  // by rows, index into sizes_
  std::vector<Size> sizes_;
  bool known_ = false;
};

/// What a sequence's guesses have been worth: how far their chances were too high or too low, and
/// what time they have saved or lost. While they lose, none are made for up to 127 passes.
class DraftPace {
 public:
  /// For a sequence of the same run: begins with what this one knows, and learns faster.
  DraftPace successor() const;
  /// Are there guesses in this pass? To be asked once per pass.
  bool ready();
  /// Chances are to be multiplied with it, 0.05 to 2.
  f64 factor() const;
  /// Of guesses that would be right so often by their chances, so many were.
  void learn(f64 expected, i64 right);
  /// The guesses of a pass have saved so many seconds, less what it took to make and check them.
  void settle(f64 seconds);

 private:
  void set_pause();
  f64 expected_ = 0;  // sums that forget
  f64 right_ = 0;
  f64 saved_ = 0;
  i64 losses_ = 0;  // passes in a row with guesses and without a gain
  i64 pause_ = 0;   // passes yet without guesses
};

/// Seconds that guesses have saved in a run. They may lose a hundredth of its time, not more.
class DraftAccount {
 public:
  /// passes_s: time of all passes so far.
  bool allows(f64 passes_s) const { return saved_ >= -0.01 * passes_s; }
  void settle(f64 seconds) { saved_ += seconds; }

 private:
  f64 saved_ = 0;
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
