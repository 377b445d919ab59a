#include "train/token_loss.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "core/str.h"

namespace lm::train {

namespace {

constexpr std::array<const char*, 4> kNames = {"ce", "emo", "mixce", "tvd"};
constexpr i64 kChunkBytes = i64{64} << 20;  // of a chunk's logits
constexpr f64 kTiny = 1e-10;
constexpr f64 kLeastWeight = 0.2;

/// 1 / (max(x, 0) + tiny): losses that rounding made negative are zero.
Value reciprocal(Graph& g, Value x) {
  const Value positive = shifted(g, unary(g, x, Unary::kRelu), kTiny);
  return unary(g, scale(g, unary(g, positive, Unary::kLog), -1), Unary::kExp);
}

Value capped(Graph& g, Value x, f64 cap) {
  if (cap <= 0) return x;
  const Value below = unary(g, shifted(g, scale(g, x, -1), cap), Unary::kRelu);
  return shifted(g, scale(g, below, -1), cap);
}

/// Rows of a chunk: a function of the vocabulary alone.
i64 chunk_rows(i64 vocab) {
  return std::clamp<i64>(kChunkBytes / (4 * vocab) / 64 * 64, 64, 1024);
}

}  // namespace

Value shifted(Graph& g, Value x, f64 by) {
  return add(g, x, fill(g, {1}, static_cast<f32>(by)), 1, 1, Along::kScalar);
}

std::vector<std::string> token_loss_names() {
  return {kNames.begin(), kNames.end()};
}

TokenLossKind parse_token_loss(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (name == kNames[i]) return static_cast<TokenLossKind>(i);
  throw Error(ErrorKind::kUsage, cat("no token loss ", quote(name)));
}

CostTable::CostTable(i64 n, i64 width, std::vector<f32> table)
    : rows(n), cols(width), unit(std::move(table)) {
  LM_CHECK(isize(unit) == rows * cols, "a matrix of embeddings");
  for (i64 r = 0; r < rows; ++r) {
    f32* row = unit.data() + r * cols;
    f64 square = 0;
    for (i64 c = 0; c < cols; ++c)
      square += static_cast<f64>(row[c]) * static_cast<f64>(row[c]);
    const f64 factor = square > 0 ? 1 / std::sqrt(square) : 0;
    for (i64 c = 0; c < cols; ++c)
      row[c] = static_cast<f32>(static_cast<f64>(row[c]) * factor);
  }
}

Value unit_rows(Graph& graph, Value x) {
  const Value squares = graph.apply(Op::kReduce, Attr::of(ReduceAttr{Along::kCol, 1.0f}), {x, x});
  // The shift keeps zero rows finite: 0 * 1e12.
  const Value inverse =
      unary(graph, scale(graph, unary(graph, shifted(graph, squares, 1e-24), Unary::kLog), -0.5f),
            Unary::kExp);
  return mul(graph, x, inverse, Along::kCol);
}

TransportRows transport_rows(Graph& graph, Value x, Value w, i64 vocab, Value unit, Value targets) {
  const Value l = logits(graph, x, w, vocab);
  TransportRows out;
  out.ce = sub(graph, logsumexp(graph, l), pick(graph, l, targets));
  const Value q = softmax(graph, l);
  const Value cosines = linear(graph, gather_rows(graph, unit, targets), unit);
  const Value near =
      graph.apply(Op::kReduce, Attr::of(ReduceAttr{Along::kCol, 1.0f}), {q, cosines});
  out.transport = shifted(graph, scale(graph, near, -1), 1);
  out.target_mass = stop_gradient(graph, pick(graph, q, targets));
  return out;
}

Value emo_rows(Graph& graph, const TransportRows& rows, const TokenLossOptions& options) {
  const Value emo =
      options.detach_target ? add(graph, rows.transport, rows.target_mass) : rows.transport;
  const Value ce_value = stop_gradient(graph, rows.ce);
  const Value emo_value = stop_gradient(graph, emo);
  if (options.emo_mode == 2) {
    const Value ratio =
        capped(graph, mul(graph, emo_value, reciprocal(graph, ce_value)), options.emo_cap);
    return add(graph, emo, mul(graph, rows.ce, ratio));
  }
  const Value ratio =
      capped(graph, mul(graph, ce_value, reciprocal(graph, emo_value)), options.emo_cap);
  return add(graph, rows.ce, mul(graph, emo, ratio), 0.5f, 0.5f);
}

Value mixed_weights(Graph& graph, Value ce, const TokenLossOptions& options) {
  const Value q = unary(graph, scale(graph, stop_gradient(graph, ce), -1), Unary::kExp);
  const f64 mix = options.mix;
  if (options.kind == TokenLossKind::kMixce)
    return shifted(graph, scale(graph, q, static_cast<f32>(1 - mix)), mix);
  const Value under = shifted(graph, scale(graph, q, static_cast<f32>(mix)), 1 - mix);
  const Value share = mul(graph, q, reciprocal(graph, under));
  const Value over = unary(graph, shifted(graph, share, -kLeastWeight), Unary::kRelu);
  return shifted(graph, scale(graph, over, static_cast<f32>(1 - mix)),
                 mix + (1 - mix) * kLeastWeight);
}

EmoSums emo_sums(Graph& graph, Value x, Value w, i64 vocab, Value unit, Value targets,
                 Value counted, const TokenLossOptions& options) {
  const i64 total = graph.shape(x).rows();
  const i64 step = chunk_rows(vocab);
  EmoSums out;
  const auto add_to = [&](Value& sum, Value part) { sum = sum ? add(graph, sum, part) : part; };
  for (i64 begin = 0; begin < total; begin += step) {
    const i64 n = std::min(step, total - begin);
    EmoSums part;
    {
      const Graph::Scope region = graph.region(cat("loss.", begin / step), Recompute::kBlock);
      const Value mask = slice_rows(graph, counted, begin, n);
      const TransportRows rows = transport_rows(graph, slice_rows(graph, x, begin, n), w, vocab,
                                                unit, slice_rows(graph, targets, begin, n));
      part = {dot(graph, emo_rows(graph, rows, options), mask), dot(graph, rows.ce, mask),
              dot(graph, rows.transport, mask)};
    }
    add_to(out.loss, part.loss);
    add_to(out.ce, part.ce);
    add_to(out.transport, part.transport);
  }
  return out;
}

}  // namespace lm::train
