#include "train/objective_next_token.h"

#include <algorithm>

#include "core/error.h"
#include "core/random.h"

namespace lm::train {

LossValues NextToken::build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const {
  const Value x = model.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
  if (options_.loss.kind == TokenLossKind::kEmo) return emo(graph, x, model, inputs);
  if (options_.loss.kind != TokenLossKind::kCe) return mixed(graph, x, model, inputs);
  CeAttr attr;
  attr.vocab = model.config().vocab;
  attr.z_loss = options_.z_loss;
  attr.label_smoothing = options_.label_smoothing;
  const CeResult ce =
      linear_ce(graph, x, model.head(), inputs.target_value, inputs.weight_value, attr);
  return {ce.sum, ce.rows, {}};
}

LossValues NextToken::emo(Graph& graph, Value x, model::GraphModel& model,
                          RowInputs& inputs) const {
  const i64 vocab = model.config().vocab;
  const TokenLossOptions& loss = options_.loss;
  const Value counted = inputs.declare_numbers(graph, "counted", inputs.rows());
  Value unit;
  if (loss.cost) {
    unit = inputs.declare_table(graph, "cost", loss.cost->rows, loss.cost->cols,
                                loss.cost->unit.data());
  } else {
    const Value head = stop_gradient(graph, model.head());
    unit =
        unit_rows(graph, vocab == graph.shape(head)[0] ? head : slice_rows(graph, head, 0, vocab));
  }
  const EmoSums sums =
      emo_sums(graph, x, model.head(), vocab, unit, inputs.target_value, counted, loss);
  return {sums.loss, {}, {{"ce", sums.ce, {}}, {"transport", sums.transport, {}}}};
}

LossValues NextToken::mixed(Graph& graph, Value x, model::GraphModel& model,
                            RowInputs& inputs) const {
  CeAttr attr;
  attr.vocab = model.config().vocab;
  const Value ce = linear_ce(graph, x, model.head(), inputs.target_value, {}, attr).rows;
  const Value weights = mixed_weights(graph, ce, options_.loss);
  return {dot(graph, ce, weights), ce, {{"ce", sum(graph, ce), {}}}};
}

i64 NextToken::table_bytes(i64 /*slots*/) const {
  const CostTable* cost = options_.loss.cost.get();
  return cost == nullptr ? 0 : cost->rows * cost->cols * static_cast<i64>(sizeof(f32));
}

/// A length in [1, tokens - 1] for each document of two tokens or more. row: of the whole run.
std::vector<i32> NextToken::drawn_prefixes(const Example& example, u64 seed, u64 row) const {
  const RandomStream random(seed, RandomPurpose::kOther, mix64(row ^ fnv1a64("prefix")));
  std::vector<i32> out;
  i64 begin = 0;
  const auto add = [&](i64 end) {
    const i64 size = end - begin;
    const u64 index = out.size();
    out.push_back(size < 2 ? 0
                           : static_cast<i32>(1 + random.below(index, static_cast<u64>(size - 1))));
    begin = end;
  };
  if (options_.documents)
    for (const i32 start : example.starts)
      add(start);
  add(isize(example.tokens));
  return out;
}

/// One example into the rows from `first` on; its number of targets.
i64 NextToken::fill_slot(const Example& example, std::span<const i32> prefixes, i64 first,
                         RowInputs& inputs) const {
  const i64 n = isize(example.tokens) - 1;
  LM_CHECK(n >= 0 && n <= inputs.slot_rows(), "an example fits its rows");
  LM_CHECK(example.loss.empty() || isize(example.loss) == n + 1, "a loss mask of the tokens");
  std::copy_n(example.tokens.begin(), n, inputs.tokens.begin() + first);
  std::copy_n(example.tokens.begin() + 1, n, inputs.targets.begin() + first);
  const auto ignore = [&](i64 token) { inputs.targets[usize(first + token - 1)] = kIgnoreTarget; };
  for (i64 i = 1; i < isize(example.loss); ++i)
    if (example.loss[usize(i)] == 0) ignore(i);
  i64 number = 0;
  const auto document = [&](i64 begin, i64 end) {
    const i64 rows = std::min(end, n) - begin;  // the last token is a target only
    inputs.document(first + begin, rows);
    const i64 prefix = number < isize(prefixes) ? prefixes[usize(number)] : 0;
    ++number;
    if (prefix == 0) return;
    inputs.prefix(first + begin, std::min(prefix, rows));
    for (i64 token = begin + 1; token < begin + prefix; ++token)
      ignore(token);
  };
  i64 begin = 0;
  if (options_.documents) {
    for (const i32 start : example.starts) {
      ignore(start);
      document(begin, start);
      begin = start;
    }
  }
  document(begin, n + 1);
  return n - std::count(inputs.targets.begin() + first, inputs.targets.begin() + first + n,
                        kIgnoreTarget);
}

f64 NextToken::fill(std::span<const Example> examples, const FillCtx& ctx,
                    RowInputs& inputs) const {
  LM_CHECK(isize(examples) <= inputs.slots(), "no more examples than slots");
  inputs.clear();
  i64 count = 0;
  for (i64 s = 0; s < isize(examples); ++s) {
    const Example& example = examples[usize(s)];
    std::vector<i32> drawn;
    if (options_.draw_prefixes)
      drawn = drawn_prefixes(
          example, ctx.seed,
          u64{ctx.step} << 32 | static_cast<u64>(i64{ctx.micro_step} * inputs.slots() + s));
    count += fill_slot(example, options_.draw_prefixes ? drawn : example.prefixes,
                       s * inputs.slot_rows(), inputs);
  }
  const std::span<f32> counted = inputs.numbers("counted");
  for (i64 r = 0; r < isize(counted); ++r)
    counted[usize(r)] = inputs.targets[usize(r)] == kIgnoreTarget ? 0.0f : 1.0f;
  return static_cast<f64>(count);
}

}  // namespace lm::train
