#include "model/build.h"

#include "core/error.h"
#include "core/str.h"
#include "model/lora.h"

namespace lm::model {
namespace {

i32 narrow(i64 value) {
  return static_cast<i32>(value);
}

/// Rows of a batch see rows of the batch.
class BatchContext : public MixContext {
 public:
  BatchContext(Graph& g, Value spans, Value prefix_ends)
      : g_(g), spans_(spans), prefix_ends_(prefix_ends) {}
  Value attend(Value qkv, const AttentionAttr& attr, i64 /*layer*/) override {
    return attention(g_, qkv, spans_, attr);
  }
  Value scan(Value gate, Value x, i64 /*layer*/) override { return lm::scan(g_, gate, x, spans_); }
  Value lstm(Value x, Value w, i64 /*layer*/) override { return lm::lstm(g_, x, w, spans_); }
  Value conv(Value x, Value w, i64 /*layer*/) override { return lm::conv(g_, x, w, spans_); }
  bool has_prefixes() const override { return bool(prefix_ends_); }
  Value linear_attend(const LinearAttentionInputs& x, const LinearAttentionAttr& attr,
                      i64 /*layer*/) override {
    LinearAttentionInputs all = x;
    if (x.prefix_k) all.prefix_end = prefix_ends_;
    return linear_attention(g_, all, spans_, attr);
  }
  Value spans() const override { return spans_; }

 private:
  Graph& g_;
  Value spans_;
  Value prefix_ends_;
};

}  // namespace

GraphModel::GraphModel(Graph& g, const ModelCfg& cfg, const ModelParams& params,
                       const BuildOptions& options)
    : g_(g), cfg_(cfg), params_(params), options_(options) {
  for (i32 i = 0; i < params.set.size(); ++i) {
    const DType dtype = options.weights ? options.weights->dtype(i) : options.activation;
    values_.push_back(g.parameter(params.set[i].name, params.set[i].shape, i, dtype,
                                  options.trainable && params.set[i].trainable));
  }
  if (cfg.lora)
    for (const LoraModule& one : lora_modules(cfg, params.set))
      low_rank_[one.param].push_back({one.row, one.rows, param(one.a()), param(one.b())});
  if (options.adapters != nullptr) declare_adapters(*options.adapters);
  if (cfg.kind == ModelKind::kDecoder && cfg.scores == 0)
    head_ = param(cfg.tied ? "embed.weight" : "head.weight");
  if (options_.ropes == nullptr) own_ropes_.emplace(cfg, options_.positions);
  for (i64 i = 0; i < ropes().size(); ++i)
    ropes_.push_back(g.input(cat("rope.", i), ropes().tensor(i).shape));
}

/// Their parameters' numbers follow the model's.
void GraphModel::declare_adapters(const AdapterBank& bank) {
  LM_CHECK(!cfg_.lora, "adapters are trained, or run");
  std::vector<Value> values;
  for (i32 i = 0; i < bank.params().size(); ++i) {
    const ParamInfo& info = bank.params()[i];
    values.push_back(
        g_.parameter(info.name, info.shape, params_.set.size() + i, options_.activation, false));
  }
  for (const AdapterBank::Part& one : bank.parts())
    low_rank_[one.param].push_back({one.row, one.rows, values[usize(one.a)], values[usize(one.b)]});
}

Value GraphModel::param(std::string_view name) const {
  const i32 index = params_.set.find(name);
  return index < 0 ? Value{} : values_[usize(index)];
}

Value GraphModel::norm(const std::string& prefix, Value x) {
  const Value weight = param(prefix + ".weight");
  const f32 eps = static_cast<f32>(cfg_.norm_eps);
  if (cfg_.norm == NormKind::kRms) return rmsnorm(g_, x, weight, eps);
  return layernorm(g_, x, weight, param(prefix + ".bias"), eps);
}

Value GraphModel::add_low_rank(const std::string& stem, Value x, Value y) {
  const bool trained = cfg_.lora.has_value();
  LM_CHECK(trained || adapter_rows_, "rows say which adapters they use");
  if (trained && cfg_.lora->dropout > 0) x = dropout(g_, x, static_cast<f32>(cfg_.lora->dropout));
  ValueList parts;
  i64 end = 0;  // of the columns that have parts
  // Columns without adapters; zeros of the activations' type.
  const auto zeros_to = [&](i64 column) {
    if (column <= end) return;
    const Value own = stop_gradient(g_, slice_columns(g_, y, end, column - end));
    parts.push_back(scale(g_, own, 0));
  };
  for (const LowRankPart& one : low_rank_.at(stem)) {
    zeros_to(one.row);
    Value low = linear(g_, x, one.a);
    if (!trained) low = mul(g_, low, adapter_rows_);
    parts.push_back(linear(g_, low, one.b));
    end = one.row + one.rows;
  }
  zeros_to(g_.shape(y).cols());
  const Value sum = parts.size() == 1 ? parts[0] : concat_columns(g_, parts);
  return add(g_, y, sum, 1, trained ? static_cast<f32>(cfg_.lora->scale()) : 1);
}

Value GraphModel::embed(Value tokens, Value positions) {
  LM_CHECK(param("embed.weight"), "the model has a table of embeddings");
  const Graph::Scope scope = g_.scope("embed");
  tokens_ = tokens;
  const Value table = param("pos_embed.weight");
  Value x = embedding(g_, tokens, param("embed.weight"), table ? positions : Value{}, table);
  if (cfg_.token_types > 0) {
    types_.push_back(g_.input("types", g_.shape(tokens), DType::kI32));
    x = add(g_, x, embedding(g_, types_.back(), param("type_embed.weight")));
  }
  if (cfg_.embed_norm) x = norm("embed_norm", x);
  return options_.dropout > 0 ? dropout(g_, x, options_.dropout) : x;
}

Value GraphModel::block(i64 i, Value x, Value positions, MixContext& mix) {
  const Graph::Scope region = g_.region(cat("blocks.", i), options_.checkpoint.of_block(i));
  LayerGraph at(*this, i, positions, mix);
  return build_layer(cfg_.layers[usize(i)], at, x);
}

Value GraphModel::final_norm(Value x) {
  if (cfg_.kind == ModelKind::kEncoder) return x;
  const Graph::Scope scope = g_.scope("final");
  return norm("norm", x);
}

Value GraphModel::stream(Value tokens, Value positions, MixContext& mix, i64 layers,
                         std::span<Value> states) {
  return this->layers(embed(tokens, positions), positions, mix, layers, states);
}

Value GraphModel::layers(Value x, Value positions, MixContext& mix, i64 count,
                         std::span<Value> states) {
  if (!states.empty()) states[0] = x;
  for (i64 i = 0; i < count; ++i) {
    x = block(i, x, positions, mix);
    if (i + 1 < isize(states)) states[usize(i + 1)] = x;
  }
  return x;
}

Value GraphModel::hidden(Value tokens, Value positions, MixContext& mix, std::span<Value> states) {
  return final_norm(stream(tokens, positions, mix, cfg_.depth(), states));
}

Value GraphModel::hidden(Value tokens, Value positions, Value spans) {
  BatchContext mix(g_, spans, prefix_ends_);
  return hidden(tokens, positions, mix);
}

void GraphModel::bind(Executor& executor, const Weights& weights, const Weights* adapters) const {
  const i32 own = params_.set.size();
  executor.bind_params(
      [&](i32 index) { return index < own ? weights[index] : (*adapters)[index - own]; });
  for (i64 i = 0; i < ropes().size(); ++i) {
    const Tensor table = ropes().tensor(i);
    if (executor.device() == table.device)
      executor.bind(ropes_[usize(i)], table);
    else
      executor.set(ropes_[usize(i)], table);
  }
  for (const Value types : types_)
    executor.set(types, OwnedTensor(g_.shape(types), DType::kI32).view);
}

Value GraphModel::hidden_of(Value rows, Value positions, Value spans) {
  BatchContext mix(g_, spans, prefix_ends_);
  tokens_ = {};
  const Value x = options_.dropout > 0 ? dropout(g_, rows, options_.dropout) : rows;
  return final_norm(layers(x, positions, mix, cfg_.depth(), {}));
}

ScoreGraph::ScoreGraph(const ModelCfg& cfg, const ModelParams& params, i64 rows)
    : graph(ops()), model(graph, cfg, params, {}) {
  tokens = graph.input("tokens", {rows}, DType::kI32);
  positions = graph.input("positions", {rows}, DType::kI32);
  spans = graph.input("spans", {rows, kSpanInts}, DType::kI32);
  targets = graph.input("targets", {rows}, DType::kI32);
  LogprobAttr attr;
  attr.vocab = cfg.vocab;
  const Value x = model.hidden(tokens, positions, spans);
  result = linear_logprob(graph, x, model.head(), targets, attr);
  graph.keep(result.logprob);
  graph.keep(result.entropy);
  graph.keep(result.argmax);
  graph.keep(result.rank);
}

Tensor span_tensor(std::vector<RowSpan>& spans) {
  static_assert(sizeof(RowSpan) == kSpanInts * sizeof(i32));
  return make_tensor(spans.data(), {isize(spans), kSpanInts}, DType::kI32);
}

PackedRows causal_rows(std::span<const i64> lengths, i64 rows) {
  PackedRows out;
  out.positions.assign(usize(rows), 0);
  out.spans.assign(usize(rows), RowSpan{});
  i64 row = 0;
  for (const i64 length : lengths) {
    const i64 start = row;
    LM_CHECK(length >= 0 && start + length <= rows, "documents must fit the batch's rows");
    for (; row < start + length; ++row) {
      out.positions[usize(row)] = narrow(row - start);
      out.spans[usize(row)].a0 = narrow(start);
      out.spans[usize(row)].a1 = narrow(row + 1);
    }
  }
  return out;
}

}  // namespace lm::model
