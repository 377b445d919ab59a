#pragma once
// Whole texts through the inference engine: many share a pass, each in a sequence of its own that
// is forgotten afterwards. By the engine's contract N1 what a text gives does not depend on what is
// in its pass, on chunks or on threads. One thread drives it.

#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "model/engine.h"

namespace lm::decode {

struct PassLimits {
  i64 batch = 64;   // texts in a pass
  i64 chunk = 512;  // tokens in a pass, but for a longer text
};

struct PassStats {
  i64 texts = 0;
  i64 rows = 0;
  i64 passes = 0;
  f64 forward_s = 0;
};

class TextPasses {
 public:
  /// Sets what a row asks for: token i of a text of count.
  using Ask = std::function<void(model::EvalRow& row, i64 i, i64 count)>;
  /// Reads what came of a pass: the first row of each of its texts, and one past the last row.
  using Read = std::function<void(std::span<const i64> first)>;

  /// Borrows the engine, which is this object's alone.
  TextPasses(model::Engine& engine, PassLimits limits, Ask ask);

  /// At least one token, at most engine.positions() less the model's first position; ids of the
  /// vocabulary.
  void add(std::vector<i32> tokens);
  /// Texts that had no pass yet.
  i64 pending() const { return isize(texts_); }
  /// One pass; false if no text is left. Throws Error{kOs} naming the need for a text that an empty
  /// cache cannot hold.
  bool step(const Read& read);
  const PassStats& stats() const { return stats_; }

 private:
  void gather();

  model::Engine& engine_;
  PassLimits limits_;
  Ask ask_;
  std::deque<std::vector<i32>> texts_;
  std::vector<model::EvalRow> rows_;
  std::vector<i64> first_;
  PassStats stats_;
};

}  // namespace lm::decode
