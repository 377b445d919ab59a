#include "train/objective_jrt.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "train/objective_table.h"

namespace lm::train {

Jrt::Jrt(const JrtOptions& options) : options_(options) {
  LM_CHECK(options.prefix > 0, "a prefix has a token");
  LM_CHECK(options.share == 0 || options.mask >= 0, "a token stands for the hidden ones");
}

LossValues Jrt::build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const {
  const Value weights = inputs.declare_weights(graph);
  const Value hidden = inputs.declare_numbers(graph, "hidden", inputs.rows());
  const Value x = model.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
  CeAttr attr;
  attr.vocab = model.config().vocab;
  const CeResult ce = linear_ce(graph, x, model.head(), inputs.target_value, weights, attr);
  const Value masked = dot(graph, ce.rows, hidden);
  return {ce.sum,
          ce.rows,
          {{"ce", sub(graph, ce.sum, masked), {}}, {"mlm", masked, dot(graph, weights, hidden)}}};
}

std::vector<i64> Jrt::hidden(u64 seed, u64 row) const {
  const RandomStream random(seed, RandomPurpose::kOther, mix64(row ^ fnv1a64("hidden")));
  const i64 places = options_.prefix - 1;
  const i64 count = std::llround(options_.share * static_cast<f64>(places));
  std::vector<i64> order(usize(places));
  std::iota(order.begin(), order.end(), 0);
  for (i64 i = 0; i < count; ++i) {
    const u64 left = static_cast<u64>(places - i);
    std::swap(order[usize(i)],
              order[usize(i + static_cast<i64>(random.below(static_cast<u64>(i), left)))]);
  }
  order.resize(usize(count));
  std::sort(order.begin(), order.end());
  return order;
}

/// One example into the rows from `first` on; the number of its next tokens.
f64 Jrt::fill_slot(const Example& example, u64 seed, u64 row, i64 first, RowInputs& inputs) const {
  const i64 n = isize(example.tokens) - 1;
  LM_CHECK(n >= 0 && n <= inputs.slot_rows(), "an example fits its rows");
  std::copy_n(example.tokens.begin(), n, inputs.tokens.begin() + first);
  inputs.document(first, n);
  const i64 next = n + 1 - options_.prefix;
  if (inputs.prefix_value) inputs.prefix(first, std::min(options_.prefix, n));
  if (next <= 0) return 0;
  std::copy_n(example.tokens.begin() + options_.prefix, next,
              inputs.targets.begin() + first + options_.prefix - 1);
  if (options_.share == 0) return static_cast<f64>(next);
  const std::vector<i64> places = hidden(seed, row);
  const std::span<f32> marks = inputs.numbers("hidden");
  // A mean over those places, as that over the next tokens.
  const f64 weight = options_.weight * static_cast<f64>(next) / static_cast<f64>(isize(places));
  for (const i64 place : places) {
    const std::size_t at = usize(first + place);
    inputs.targets[at] = inputs.tokens[at];
    inputs.tokens[at] = options_.mask;
    inputs.weights[at] = static_cast<f32>(weight);
    marks[at] = 1;
  }
  return static_cast<f64>(next);
}

f64 Jrt::fill(std::span<const Example> examples, const FillCtx& ctx, RowInputs& inputs) const {
  LM_CHECK(isize(examples) <= inputs.slots(), "no more examples than slots");
  inputs.clear();
  f64 count = 0;
  for (i64 s = 0; s < isize(examples); ++s) {
    const u64 row =
        u64{ctx.step} << 32 | static_cast<u64>(i64{ctx.micro_step} * inputs.slots() + s);
    count += fill_slot(examples[usize(s)], ctx.seed, row, s * inputs.slot_rows(), inputs);
  }
  return count;
}

std::unique_ptr<Objective> make_jrt(const ObjectiveOptions& options) {
  return std::make_unique<Jrt>(options.jrt);
}

}  // namespace lm::train
