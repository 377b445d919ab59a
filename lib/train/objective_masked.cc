#include "train/objective_masked.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "train/objective_table.h"

namespace lm::train {

namespace {

/// The head without the mask token's row: its logit is -infinity. A last row is left out for
/// nothing, another costs a copy of the head.
struct Head {
  Value rows;
  i64 vocab = 0;
};

Head head_without(Graph& graph, model::GraphModel& model, i32 mask) {
  const i64 vocab = model.config().vocab;
  const Value head = model.head();
  if (mask == vocab - 1) return {head, vocab - 1};
  const Value behind = slice_rows(graph, head, mask + 1, vocab - mask - 1);
  if (mask == 0) return {copy(graph, behind), vocab - 1};
  return {concat_rows(graph, {slice_rows(graph, head, 0, mask), behind}), vocab - 1};
}

RandomStream stream_of(const FillCtx& ctx, std::string_view purpose, u64 row) {
  return {ctx.seed, RandomPurpose::kDiffusion,
          mix64(mix64(u64{ctx.step} ^ fnv1a64(purpose)) + row)};
}

/// A golden ratio's multiple: points of several passes over the same texts lie apart.
constexpr f64 kBetweenPasses = 0.6180339887498949;

}  // namespace

/// An example on its way into a slot.
struct Masked::Slot {
  const FillCtx& ctx;
  i64 number = 0;  // of the slot
  u64 row = 0;     // of the step; of held-out texts their number
  u64 blocks = 1;  // of a slot
  std::span<const i32> tokens;
  std::span<const u8> counts;  // whether a token may be hidden; empty: all may
  RandomStream masks;
};

Masked::Masked(const Options& options) : options_(options) {
  LM_CHECK(options.mask >= 0 && options.block >= 0, "a mask token and blocks");
  LM_CHECK(options.low >= 0 && options.low < options.high && options.high <= 1, "noise levels");
  LM_CHECK(options.block == 0 || !options.completions, "blocks are of documents");
}

i64 Masked::seen_rows(i64 seq_len) const {
  if (options_.block == 0) return 2 * seq_len;
  return seq_len + std::min(options_.block, seq_len);  // of both copies on average
}

i64 Masked::room_of(std::span<const i64> lengths) const {
  constexpr i64 kWholeSlot = i64{1} << 40;
  return options_.end >= 0 ? kWholeSlot : lengths[0];
}

i64 Masked::tokens_read(const Example& example) const {
  return isize(example.tokens) - (options_.completions || example.tokens.empty() ? 0 : 1);
}

LossValues Masked::build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const {
  LM_CHECK(options_.mask < model.config().vocab, "the mask token is one of the model's");
  inputs.declare_weights(graph);
  const i64 noisy = inputs.rows() / copies();
  Value x = model.hidden(inputs.token_value, inputs.position_value, inputs.span_value);
  Value targets = inputs.target_value, weights = inputs.weight_value;
  for (Value* const value : {&x, &targets, &weights})
    if (copies() > 1) *value = slice_rows(graph, *value, 0, noisy);
  const Head head = head_without(graph, model, options_.mask);
  CeAttr attr;
  attr.vocab = head.vocab;
  const CeResult ce = linear_ce(graph, x, head.rows, targets, weights, attr);
  const Value plain = inputs.declare_numbers(graph, "unweighted", noisy);
  const Value hidden = inputs.declare_numbers(graph, "hidden", noisy);
  const Value tokens = inputs.declare_numbers(graph, "counted", noisy);
  return {ce.sum,
          ce.rows,
          {{"masked_ce", dot(graph, ce.rows, plain), sum(graph, hidden)},
           {"masked", sum(graph, hidden), sum(graph, tokens)}}};
}

f64 Masked::hide(const Slot& slot, i64 text, i64 block, i64 begin, std::span<u8> hidden) const {
  const u64 number = slot.row * slot.blocks + static_cast<u64>(block);
  const auto point = [&](const RandomStream& shifts) {
    return model::spread_point(shifts.uniform(static_cast<u64>(text)), number);
  };
  if (options_.held_out) {
    FillCtx any = slot.ctx;  // the same masks at all steps
    any.step = 0;
    const f64 pass = kBetweenPasses * static_cast<f64>(~slot.ctx.step);
    const f64 at = point(stream_of(any, "held-out", 0)) + pass;
    const i64 count = model::count_at(at - std::floor(at), isize(hidden));
    model::hide_count(slot.masks, static_cast<u64>(begin), count, hidden);
    return static_cast<f64>(isize(hidden)) / static_cast<f64>(count);
  }
  const f64 u = options_.spread
                    ? point(stream_of(slot.ctx, "noise levels", 0))
                    : stream_of(slot.ctx, "noise", slot.row).uniform(static_cast<u64>(text));
  const bool whole = options_.low == 0 && options_.high == 1;
  const f64 t = whole ? (1 - model::kLeastNoise) * u + model::kLeastNoise
                      : options_.low + (options_.high - options_.low) * u;
  // MDLM hides 1 - alpha_t = (1 - eps) t of the tokens, LLaDA t; both divide by t.
  const f64 share = options_.spread ? (1 - model::kLeastNoise) * t : t;
  model::hide_each(slot.masks, static_cast<u64>(begin), share, hidden);
  return options_.weight.at(t);
}

/// Tokens [begin, end) of the slot's text as a text of their own.
void Masked::fill_text(const Slot& slot, i64 text, i64 begin, i64 end, RowInputs& inputs) const {
  const i64 count = end - begin;
  const i64 room = inputs.slot_rows() / copies();
  const i64 noisy = slot.number * room + begin;
  const i64 clean = inputs.rows() / copies() + noisy;
  const i64 size = options_.block > 0 ? options_.block : count;
  if (options_.block > 0) {
    inputs.blocks(noisy, clean, count, size);
    std::copy_n(slot.tokens.begin() + begin, count, inputs.tokens.begin() + clean);
  } else {
    inputs.document(noisy, count);
    inputs.prefix(noisy, count);
  }
  std::copy_n(slot.tokens.begin() + begin, count, inputs.tokens.begin() + noisy);
  const auto counts = [&](i64 j) { return slot.counts.empty() || slot.counts[usize(j)] != 0; };
  f64 share = 1;  // of a token of completions
  if (options_.completions) {
    i64 answer = 0;
    for (i64 j = begin; j < end; ++j)
      answer += counts(j) ? 1 : 0;
    share = 1 / static_cast<f64>(std::max<i64>(1, answer));
  }
  const std::span<f32> plain = inputs.numbers("unweighted"), flags = inputs.numbers("hidden");
  const std::span<f32> counted = inputs.numbers("counted");
  std::vector<u8> hidden;
  for (i64 at = 0; at < count; at += size) {
    hidden.resize(usize(std::min(size, count - at)));
    const f64 weight = share * hide(slot, text, at / size, begin + at, hidden);
    for (i64 j = 0; j < isize(hidden); ++j) {
      const i64 row = noisy + at + j;
      if (!counts(begin + at + j)) continue;
      if (!counted.empty()) counted[usize(row)] = 1;
      if (hidden[usize(j)] == 0) continue;
      const i32 token = inputs.tokens[usize(row)];
      inputs.tokens[usize(row)] = options_.mask;
      inputs.targets[usize(row)] = token - (token > options_.mask ? 1 : 0);  // of the head's rows
      if (!inputs.weights.empty()) inputs.weights[usize(row)] = static_cast<f32>(weight);
      if (!plain.empty()) plain[usize(row)] = static_cast<f32>(1 / weight);
      if (!flags.empty()) flags[usize(row)] = 1;
    }
  }
}

void Masked::check_tokens(const Example& example, std::span<const i32> tokens) const {
  const auto at = std::find(tokens.begin(), tokens.end(), options_.mask);
  if (at != tokens.end())
    throw Error(ErrorKind::kData,
                cat("sequence ", example.number, ": token ", at - tokens.begin(),
                    " is the mask token ", options_.mask, ", which texts must not have"));
}

f64 Masked::fill(std::span<const Example> examples, const FillCtx& ctx, RowInputs& inputs) const {
  LM_CHECK(isize(examples) <= inputs.slots(), "no more examples than slots");
  inputs.clear();
  const i64 room = inputs.slot_rows() / copies();
  f64 normaliser = 0;
  for (i64 s = 0; s < isize(examples); ++s) {
    const Example& example = examples[usize(s)];
    if (example.tokens.empty()) continue;
    const u64 row = static_cast<u64>(options_.held_out ? example.number
                                                       : i64{ctx.micro_step} * inputs.slots() + s);
    std::vector<i32> tokens = example.tokens;
    std::vector<u8> counts = example.loss;
    // The last token of a sequence of documents is the first of another.
    LM_CHECK(isize(tokens) <= room + (options_.completions ? 0 : 1), "an example fits its rows");
    if (!options_.completions) tokens.resize(usize(std::min(room, isize(tokens))));
    check_tokens(example, tokens);
    if (options_.end >= 0) {
      tokens.resize(usize(room), options_.end);
      counts.resize(usize(room), 1);
    }
    const RandomStream cut = stream_of(ctx, "length", row);
    if (cut.uniform(0) < options_.random_length)
      tokens.resize(usize(1 + static_cast<i64>(cut.below(1, static_cast<u64>(isize(tokens))))));
    const i64 size = isize(tokens);
    const u64 blocks =
        static_cast<u64>(options_.block > 0 ? (room + options_.block - 1) / options_.block : 1);
    const Slot slot{ctx, s, row, blocks, tokens, counts, stream_of(ctx, "mask", row)};
    i64 text = 0, begin = 0;
    const auto until = [&](i64 end) {
      if (end > begin) fill_text(slot, text, begin, end, inputs);
      ++text;
      begin = end;
    };
    if (options_.documents || options_.completions)
      for (const i32 start : example.starts)
        until(std::min<i64>(start, size));
    until(size);
    normaliser += static_cast<f64>(options_.completions ? text : size);
  }
  return normaliser;
}

std::unique_ptr<Objective> make_masked(const ObjectiveOptions& options) {
  Masked::Options out;
  static_cast<MaskedOptions&>(out) = options.masked;
  out.documents = options.doc_mask;
  out.completions = options.name == "llada-sft";
  out.spread = !options.name.starts_with("llada");
  if (!out.completions) out.end = -1;
  if (options.name != "bd3") out.block = 0;
  return std::make_unique<Masked>(out);
}

}  // namespace lm::train
