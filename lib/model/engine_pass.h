#pragma once
// Private to the engine: its graphs.

#include <memory>

#include "graph/plan.h"
#include "model/build.h"
#include "model/engine.h"

namespace lm::model {

/// Bytes of the slab that a graph's values take.
inline i64 plan_bytes(const Graph& graph, const Backend& backend) {
  const WorkspaceFn workspace = [&](const Node& node, const Graph& g) {
    const KernelDef& kernel = backend.kernels[static_cast<std::size_t>(node.op)];
    return kernel.workspace ? kernel.workspace(node, g) : i64{0};
  };
  return make_plan(graph, workspace).slab_bytes;
}

template <typename T>
T* at(u8* block, i64 offset) {
  return reinterpret_cast<T*>(block + offset);
}

/// What a pass binds (RunCtx::bindings): KvView, StateView.
inline constexpr i32 kStateBinding = 1;

/// Rows see what earlier passes left: keys and values in the pages, states.
class PagedContext : public MixContext {
 public:
  PagedContext(Graph& g, const ModelCfg& cfg, i32 max_keys, bool prefixes)
      : g_(g), cfg_(cfg), max_keys_(max_keys), prefixes_(prefixes), seen_(usize(cfg.depth())) {}
  Value attend(Value qkv, const AttentionAttr& attr, i64 layer) override {
    PagedAttr paged;
    paged.heads = attr.heads;
    paged.kv_heads = attr.kv_heads;
    paged.head_dim = attr.head_dim;
    paged.scale = attr.scale;
    paged.softcap = attr.softcap;
    paged.window = attr.window;
    paged.sparse = attr.sparse;
    paged.layer = static_cast<i32>(layer);
    paged.max_keys = max_keys_;
    seen_[usize(layer)] = qkv;
    return paged_attention(g_, qkv, paged);
  }
  Value scan(Value gate, Value x, i64 layer) override {
    return cached_scan(g_, gate, x, {kStateBinding, state_numbers(cfg_, layer)});
  }
  Value lstm(Value x, Value w, i64 layer) override {
    return cached_lstm(g_, x, w, {kStateBinding, state_numbers(cfg_, layer)});
  }
  Value conv(Value x, Value w, i64 layer) override {
    return cached_conv(g_, x, w, {kStateBinding, state_numbers(cfg_, layer)});
  }
  bool has_prefixes() const override { return prefixes_; }
  Value linear_attend(const LinearAttentionInputs& x, const LinearAttentionAttr& attr,
                      i64 layer) override {
    return cached_linear_attention(g_, x, {attr, {kStateBinding, state_numbers(cfg_, layer)}});
  }
  /// What layer i, which attends, was given.
  Value seen(i64 layer) const { return seen_[usize(layer)]; }

 private:
  Graph& g_;
  const ModelCfg& cfg_;
  i32 max_keys_;
  bool prefixes_;
  std::vector<Value> seen_;
};

struct Engine::Pass {
  Pass(const ModelRef& from, const Weights& weights, const RopeTables& ropes,
       const EngineOptions& options, i64 positions, const PassKey& key)
      : graph(ops(), options.activation),
        model(graph, from.cfg, from.params,
              build_options(from, weights, ropes, options, positions)) {
    tokens = graph.input("tokens", {key.rows}, DType::kI32);
    if (from.adapters != nullptr) {
      adapters = graph.input("adapters", {key.rows, from.adapters->columns()}, options.activation);
      model.use_adapters(adapters);
    }
    position = graph.input("positions", {key.rows}, DType::kI32);
    PagedContext mix(graph, from.cfg, static_cast<i32>(key.max_keys), key.prefixes);
    std::vector<Value> behind(usize(from.cfg.depth() + 1));
    const i64 last = options.final_state ? from.cfg.depth() : options.states.back();
    const Value x = model.stream(tokens, position, mix, last, behind);
    for (const i64 layer : options.states) {
      states.push_back(behind[usize(layer)]);
      graph.keep(states.back());
    }
    for (const i64 layer : options.projections) {
      projections.push_back(mix.seen(layer));
      graph.keep(projections.back());
    }
    if (!options.final_state) return;
    hidden = model.final_norm(x);
    graph.keep(hidden);
    if (key.logit_rows == 0) return;
    select = graph.input("select", {key.logit_rows}, DType::kI32);
    const Value chosen = gather_rows(graph, hidden, select);
    logit = lm::logits(graph, chosen, model.head(), from.cfg.vocab);
    graph.keep(logit);
  }
  static BuildOptions build_options(const ModelRef& from, const Weights& weights,
                                    const RopeTables& ropes, const EngineOptions& options,
                                    i64 positions) {
    BuildOptions out;
    out.adapters = from.adapters;
    out.weights = &weights;
    out.positions = positions;
    out.ropes = &ropes;
    out.activation = options.activation;
    return out;
  }
  Graph graph;
  GraphModel model;
  Value tokens, position, adapters, select, hidden, logit;
  std::vector<Value> states, projections;
  KvView view;
  std::unique_ptr<Executor> executor;
};

/// A pass's last step alone, over hidden states that lie anywhere.
struct Engine::Head {
  Head(const ModelRef& from, const Weights& weights, const RopeTables& ropes,
       const EngineOptions& options, i64 positions)
      : graph(ops(), options.activation),
        model(graph, from.cfg, from.params,
              Pass::build_options(from, weights, ropes, options, positions)) {
    hidden = graph.input("hidden", {options.max_logit_rows, from.cfg.width}, options.activation);
    logit = lm::logits(graph, hidden, model.head(), from.cfg.vocab);
    graph.keep(logit);
  }
  Graph graph;
  GraphModel model;
  Value hidden, logit;
  std::unique_ptr<Executor> executor;
};

}  // namespace lm::model
