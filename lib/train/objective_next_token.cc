#include "train/objective_next_token.h"

#include <algorithm>

#include "core/error.h"

namespace lm::train {

LossValues NextToken::build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const {
  const Value x = model.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
  CeAttr attr;
  attr.vocab = model.config().vocab;
  attr.z_loss = options_.z_loss;
  attr.label_smoothing = options_.label_smoothing;
  const CeResult ce =
      linear_ce(graph, x, model.head(), inputs.target_value, inputs.weight_value, attr);
  return {ce.sum, ce.rows, {}};
}

/// One example into the rows from `first` on; its number of targets.
i64 NextToken::fill_slot(const Example& example, i64 first, RowInputs& inputs) const {
  const i64 n = isize(example.tokens) - 1;
  LM_CHECK(n >= 0 && n <= inputs.slot_rows(), "an example fits its rows");
  LM_CHECK(example.loss.empty() || isize(example.loss) == n + 1, "a loss mask of the tokens");
  std::copy_n(example.tokens.begin(), n, inputs.tokens.begin() + first);
  std::copy_n(example.tokens.begin() + 1, n, inputs.targets.begin() + first);
  const auto ignore = [&](i64 token) { inputs.targets[usize(first + token - 1)] = kIgnoreTarget; };
  for (i64 i = 1; i < isize(example.loss); ++i)
    if (example.loss[usize(i)] == 0) ignore(i);
  i64 begin = 0;
  if (options_.documents) {
    for (const i32 start : example.starts) {
      ignore(start);
      if (start == n) continue;
      inputs.document(first + begin, start - begin);
      begin = start;
    }
  }
  inputs.document(first + begin, n - begin);
  return n - std::count(inputs.targets.begin() + first, inputs.targets.begin() + first + n,
                        kIgnoreTarget);
}

f64 NextToken::fill(std::span<const Example> examples, const FillCtx& /*no random choices*/,
                    RowInputs& inputs) const {
  LM_CHECK(isize(examples) <= inputs.slots(), "no more examples than slots");
  inputs.clear();
  i64 count = 0;
  for (i64 s = 0; s < isize(examples); ++s)
    count += fill_slot(examples[usize(s)], s * inputs.slot_rows(), inputs);
  return static_cast<f64>(count);
}

}  // namespace lm::train
