#include "train/objective_drawn.h"

#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"

namespace lm::train {

namespace {

/// Tables of all slots, one below the other [slots V, C]: of the first layer's rows, and of logits.
struct Tables {
  Value in, out;
};

Tables tables_of(Graph& graph, model::GraphModel& model, Value drawn, Value learned) {
  const f32 factor = model::embed_factor(model.config().width);
  const Value scaled = mul(graph, drawn, model.param("embed_scale"), Along::kScalar);
  if (!learned) return {drawn, scale(graph, scaled, factor)};
  // Rows of tokens that are drawn are 0 in the one part, those of the others in the other.
  const Value own = gather_rows(graph, model.param("embed.weight"), learned);
  const Value own_out = model.config().tied ? own : gather_rows(graph, model.head(), learned);
  return {add(graph, own, drawn), add(graph, own_out, scaled, 1, factor)};
}

/// Cross entropies of logits [N, V] without those of rows that do not count, [N].
Value losses_of(Graph& graph, Value logits, Value targets, Value counted,
                const NextToken::Options& options) {
  const f32 eps = options.label_smoothing;
  const Value lse = logsumexp(graph, logits);
  Value loss = add(graph, lse, pick(graph, logits, targets), 1, eps - 1);
  if (eps != 0)
    loss = add(graph, loss, sum_columns(graph, logits), 1,
               -eps / static_cast<f32>(graph.shape(logits).cols()));
  if (options.z_loss != 0) loss = add(graph, loss, mul(graph, lse, lse), 1, options.z_loss);
  return mul(graph, loss, counted);
}

}  // namespace

DrawnNextToken::DrawnNextToken(const DrawnOptions& drawn, const NextToken::Options& options)
    : drawn_(drawn), options_(options), rows_(options) {
  LM_CHECK(drawn.embed.drawn() && drawn.vocab > 0 && drawn.width > 0, "embeddings to draw");
  LM_CHECK(options.loss.kind == TokenLossKind::kCe, "drawn embeddings go with cross entropy");
}

/// Where they are drawn, and where the graph reads them.
i64 DrawnNextToken::table_bytes(i64 slots) const {
  return 2 * slots * drawn_.vocab * drawn_.width * static_cast<i64>(sizeof(f32));
}

LossValues DrawnNextToken::build(Graph& graph, model::GraphModel& model, RowInputs& inputs) const {
  LM_CHECK(model.config().vocab == drawn_.vocab && model.config().width == drawn_.width &&
               graph.activation() == DType::kF32,
           "the model that the tables are for");
  const i64 slots = inputs.slots(), types = slots * drawn_.vocab;
  const Value counted = inputs.declare_numbers(graph, "counted", inputs.rows());
  const Value drawn = reshape(graph, inputs.declare_numbers(graph, "drawn", types * drawn_.width),
                              {types, drawn_.width});
  const Value places = inputs.declare_indices(graph, "drawn_rows", inputs.rows());
  Value learned;
  if (drawn_.embed.kind == model::EmbedKind::kSemi)
    learned = inputs.declare_indices(graph, "learned_rows", types);
  const Tables tables = tables_of(graph, model, drawn, learned);
  const Value x = model.hidden_of(gather_rows(graph, tables.in, places), inputs.position_value,
                                  inputs.span_value);
  const Value logits =
      matmul(graph, reshape(graph, x, {slots, inputs.slot_rows(), drawn_.width}),
             reshape(graph, tables.out, {slots, drawn_.vocab, drawn_.width}), false, true);
  const Value rows = losses_of(graph, reshape(graph, logits, {inputs.rows(), drawn_.vocab}),
                               inputs.target_value, counted, options_);
  return {sum(graph, rows), rows, {}};
}

f64 DrawnNextToken::fill(std::span<const Example> examples, const FillCtx& ctx,
                         RowInputs& inputs) const {
  const f64 count = rows_.fill(examples, ctx, inputs);
  const i64 cells = drawn_.vocab * drawn_.width;
  const std::span<f32> drawn = inputs.numbers("drawn");
  const std::span<i32> learned = inputs.indices("learned_rows");
  const std::span<i32> places = inputs.indices("drawn_rows");
  if (places.empty()) return count;  // no graph reads these rows: targets are counted
  parallel_for(isize(examples), 1, [&](i64 begin, i64 end) {
    for (i64 s = begin; s < end; ++s) {
      const std::span<i32> own =
          learned.empty() ? learned : learned.subspan(usize(s * drawn_.vocab), usize(drawn_.vocab));
      model::draw_embeddings(drawn_.embed, {ctx.seed, examples[usize(s)].number, ctx.step},
                             drawn_.width, drawn.subspan(usize(s * cells), usize(cells)), own);
    }
  });
  for (i64 r = 0; r < inputs.rows(); ++r) {
    const i32 token = inputs.tokens[usize(r)];
    if (token < 0 || token >= drawn_.vocab)
      throw Error(ErrorKind::kData, cat("token ", token, " is outside [0, ", drawn_.vocab, ")"));
    places[usize(r)] = static_cast<i32>(r / inputs.slot_rows() * drawn_.vocab + token);
  }
  return count;
}

}  // namespace lm::train
