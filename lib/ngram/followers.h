#pragma once
// What follows a context in a model: of every context the likeliest words, which the query form
// (image.h) does not list. Immutable once made: const members may run concurrently.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/context.h"
#include "ngram/column.h"
#include "ngram/model.h"

namespace lm::ngram {

class Followers {
 public:
  static constexpr i64 kMost = 12;  // words of a context
  struct Follower {
    u64 context;  // hash, 0: the empty context
    u32 word;
    f32 log10_p;  // given that context
  };

  /// Lists the model's n-grams once (unfold.h, whose memory it takes meanwhile), then 16 bytes for
  /// each that is kept; what exceeds the budget is spilled. ctx outlives it. Throws what unfold
  /// throws.
  Followers(const Context& ctx, const Model& model, const std::string& name);

  /// The likeliest words behind the last `size` words of a state, the likeliest first, of equal
  /// ones the smaller; never <unk>, <s> or </s>. Empty for a context that the model lacks.
  std::span<const Follower> after(const State& state, int size) const;
  /// The words of a context and of those it backs off to, each with its probability, the likeliest
  /// first; a longer context's word hides a shorter one's. Those of less than `least` are left out.
  void after(const State& state, f64 least, std::vector<std::pair<f32, u32>>& out) const;
  i64 size() const { return all_.size(); }

 private:
  Column<Follower> all_;     // by context, then as after() gives them
  std::vector<i64> begins_;  // [2^16 + 1] by the upper bits of the context
};

}  // namespace lm::ngram
