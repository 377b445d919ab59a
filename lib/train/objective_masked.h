#pragma once
// Masked diffusion: tokens of a text are hidden, each with the probability that a drawn noise level
// says, and the model, whose rows see all of their text, says which they were. Sources: Sahoo et
// al. 2024 (MDLM), Nie et al. 2025 (LLaDA), Arriola et al. 2025 (block diffusion).

#include "model/masking.h"
#include "train/objective.h"

namespace lm::train {

/// Of all objectives of masked diffusion; objective_table.h says which reads what.
struct MaskedOptions {
  i32 mask = -1;          // the token that hides others
  i64 block = 0;          // bd3: tokens of a block; 0: texts are seen whole
  f64 random_length = 0;  // llada: share of texts that are cut to a uniform length
  model::NoiseWeight weight;
  f64 low = 0, high = 1;  // bd3: noise levels are drawn from there
  i32 end = -1;           // llada-sft: what completions are padded with; -1: they are not
  bool held_out = false;  // estimate the bound by counts (model/masking.h), the same at any step
};

/// The loss is the sum over hidden tokens of their cross entropy, weighed by NoiseWeight. The mask
/// token has probability 0: it is never the answer. The normaliser is the number of tokens, of
/// completions their number, each having the mean of its tokens. Metrics: masked_ce, the mean cross
/// entropy of hidden tokens, and masked, their share.
///
/// Texts: a sequence, or each of its documents; in blocks with a clean copy of those before. Noise
/// level of text d, block b of row r in a step: spread_point of (r blocks + b), moved by a draw of
/// (seed, step, d), so that the levels of a step are evenly spread (antithetic draws) and depend on
/// the row's number in the step alone; of llada a draw of (seed, step, r, d). Token j of the row is
/// hidden by draw j of (seed, step, r).
///
/// Rows: noisy texts of all slots, then with blocks clean ones of all slots.
class Masked final : public Objective {
 public:
  struct Options : MaskedOptions {
    bool documents = false;    // a row sees its own document only
    bool completions = false;  // tokens that Example::loss does not name are never hidden
    bool spread = true;        // noise levels of a step
  };
  /// LM_CHECK: a mask token, blocks of whole tokens.
  explicit Masked(const Options& options);

  i64 tokens_per_sequence(i64 seq_len) const override {
    return options_.completions ? seq_len : seq_len + 1;
  }
  i64 slot_rows(i64 seq_len) const override { return copies() * seq_len; }
  i64 slot_tokens(i64 seq_len) const override { return seq_len; }
  i64 seen_rows(i64 seq_len) const override;
  i64 room_of(std::span<const i64> lengths) const override;
  i64 slot_room(i64 seq_len) const override { return seq_len; }
  i64 tokens_read(const Example& example) const override;
  LossValues build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const override;
  /// Throws Error{kData} for a text with the mask token.
  f64 fill(std::span<const Example> examples, const FillCtx& ctx, RowInputs& inputs) const override;

 private:
  struct Slot;
  i64 copies() const { return options_.block > 0 ? 2 : 1; }
  void fill_text(const Slot& slot, i64 text, i64 begin, i64 end, RowInputs& inputs) const;
  /// Hides tokens of one block; what each counts.
  f64 hide(const Slot& slot, i64 text, i64 block, i64 begin, std::span<u8> hidden) const;
  void check_tokens(const Example& example, std::span<const i32> tokens) const;

  Options options_;
};

}  // namespace lm::train
