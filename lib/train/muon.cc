#include "train/muon.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/error.h"
#include "core/str.h"
#include "graph/plan.h"
#include "model/layer.h"
#include "ops/ops.h"

namespace lm::train {

namespace {

constexpr int kIterations = 5;
constexpr f32 kA = 3.4445f, kB = -4.7750f, kC = 2.0315f;
constexpr f64 kSize = 0.2;
constexpr f32 kTiny = 1e-30f;

bool ends(const std::string& name, std::string_view with) {
  return name.ends_with(with);
}

/// Of a parameter blocks.I.REST.
const model::LayerCfg& layer_of(const std::string& name, const model::ModelCfg& cfg) {
  const std::size_t begin = name.find('.') + 1;
  const std::optional<i64> layer =
      parse_count(std::string_view(name).substr(begin, name.find('.', begin) - begin));
  LM_CHECK(layer && *layer < cfg.depth(), "a parameter of a layer");
  return cfg.layers[usize(*layer)];
}

/// The rows of a stacked parameter, by part; none of one that is no matrix.
std::vector<i64> parts_of(const std::string& name, const model::LayerCfg& layer, i64 rows) {
  if (ends(name, ".attn.qkv.weight")) {
    const model::AttentionCfg& a = std::get<model::AttentionCfg>(layer.mixer);
    return {a.q_size(), a.kv_size(), a.kv_size()};
  }
  if (ends(name, ".linear.qkv.weight")) {
    const auto& a = std::get<model::LinearAttentionCfg>(layer.mixer);
    return {a.heads * a.dim, a.heads * a.dim, a.heads * a.head_dim};
  }
  if (ends(name, ".linear.prefix.weight")) {
    const auto& a = std::get<model::LinearAttentionCfg>(layer.mixer);
    return {a.heads * a.dim, a.heads * a.head_dim};
  }
  if (ends(name, ".taps.weight")) return {};
  if (name.find(".mlp.") != std::string::npos) {
    for (const char* one : {".router.weight", ".noise.weight", ".shared_gate.weight"})
      if (ends(name, one)) return {};
    const i64 experts = model::expert_count(layer);
    if (ends(name, ".experts.gate_up.weight"))
      return std::vector<i64>(usize(2 * experts), rows / (2 * experts));
    if (ends(name, ".experts.down.weight")) return std::vector<i64>(usize(experts), rows / experts);
  }
  if (ends(name, ".gates.weight") || ends(name, ".recurrent.weight"))
    return {rows / 4, rows / 4, rows / 4, rows / 4};
  if (ends(name, ".gate_up.weight") || ends(name, ".conv.in.weight")) return {rows / 2, rows / 2};
  return {rows};
}

}  // namespace

std::vector<MuonMatrix> muon_matrices(const model::ModelCfg& cfg, const ParamSet& set) {
  std::vector<MuonMatrix> out;
  for (i32 i = 0; i < set.size(); ++i) {
    const ParamInfo& info = set[i];
    if (!info.trainable || info.shape.rank != 2 || !info.name.starts_with("blocks.")) continue;
    i64 row = 0;
    const std::vector<i64> parts = parts_of(info.name, layer_of(info.name, cfg), info.shape[0]);
    for (const i64 rows : parts) {
      out.push_back({i, row, rows, info.shape[1]});
      row += rows;
    }
    LM_CHECK(parts.empty() || row == info.shape[0], "the parts are the whole");
  }
  return out;
}

Value orthogonal(Graph& graph, Value x) {
  const bool wide = graph.shape(x)[0] <= graph.shape(x)[1];
  const Value square = add(graph, dot(graph, x, x), fill(graph, {1}, kTiny));
  const Value inverse =
      unary(graph, scale(graph, unary(graph, square, Unary::kLog), -0.5f), Unary::kExp);
  x = mul(graph, x, inverse, Along::kScalar);
  for (int i = 0; i < kIterations; ++i) {
    const Value a = wide ? matmul(graph, x, x, false, true) : matmul(graph, x, x, true, false);
    const Value b = add(graph, a, matmul(graph, a, a), kB, kC);
    x = add(graph, x, wide ? matmul(graph, b, x) : matmul(graph, x, b), kA, 1.0f);
  }
  return x;
}

/// The update of matrices of one shape, as a graph.
struct Muon::Step {
  Graph graph{ops()};
  Value g, m, w, grad_scale, keep_share, rate, new_m, new_w;
  std::unique_ptr<Executor> executor;

  Step(i64 rows, i64 cols, f64 momentum) {
    const Shape shape{rows, cols};
    g = graph.input("g", shape);
    m = graph.input("m", shape);
    w = graph.input("w", shape);
    grad_scale = graph.input("grad_scale", {1});
    keep_share = graph.input("keep", {1});
    rate = graph.input("rate", {1});
    const f32 b = static_cast<f32>(momentum);
    const Value scaled = mul(graph, g, grad_scale, Along::kScalar);
    new_m = add(graph, m, scaled, b, 1 - b);
    const Value x = orthogonal(graph, add(graph, new_m, scaled, b, 1 - b));
    new_w =
        add(graph, mul(graph, w, keep_share, Along::kScalar), mul(graph, x, rate, Along::kScalar));
    graph.keep(new_m);
    graph.keep(new_w);
  }
  bool is(const MuonMatrix& matrix) const {
    return graph.shape(g)[0] == matrix.rows && graph.shape(g)[1] == matrix.cols;
  }
};

namespace {

Plan plan_of(const Graph& graph, const Backend& backend) {
  return make_plan(graph, [&backend](const Node& node, const Graph& g) -> i64 {
    const KernelDef& kernel = backend.kernels[static_cast<std::size_t>(node.op)];
    return kernel.workspace == nullptr ? 0 : kernel.workspace(node, g);
  });
}

}  // namespace

i64 Muon::slab_bytes(const model::ModelCfg& cfg, const ParamSet& set, const Backend& backend) {
  i64 most = 0;
  std::vector<std::unique_ptr<Step>> seen;
  for (const MuonMatrix& matrix : muon_matrices(cfg, set)) {
    const auto same = [&](const std::unique_ptr<Step>& step) { return step->is(matrix); };
    if (std::any_of(seen.begin(), seen.end(), same)) continue;
    seen.push_back(std::make_unique<Step>(matrix.rows, matrix.cols, 0.9));
    most = std::max(most, plan_of(seen.back()->graph, backend).slab_bytes);
  }
  return most;
}

Muon::Muon(const model::ModelCfg& cfg, const ParamSet& set, const MuonOptions& options,
           const Backend& backend)
    : options_(options), backend_(backend), matrices_(muon_matrices(cfg, set)) {
  slab_ = backend.allocate(std::max<i64>(1, slab_bytes(cfg, set, backend)));
  ExecOptions exec;
  exec.slab = &slab_;
  for (const MuonMatrix& matrix : matrices_) {
    const auto same = [&](const std::unique_ptr<Step>& step) { return step->is(matrix); };
    if (std::any_of(steps_.begin(), steps_.end(), same)) continue;
    steps_.push_back(std::make_unique<Step>(matrix.rows, matrix.cols, options.momentum));
    Step& step = *steps_.back();
    step.executor = std::make_unique<Executor>(step.graph, backend, exec);
  }
}

Muon::~Muon() = default;

i64 Muon::slab_bytes() const {
  return slab_.bytes();
}

void Muon::update(f64 lr, f64 grad_scale, const ParamSlab& grads, ParamSlab& weights,
                  ParamSlab* half, ParamSlab& m) {
  for (const MuonMatrix& matrix : matrices_) {
    const auto same = [&](const std::unique_ptr<Step>& step) { return step->is(matrix); };
    Step& step = **std::find_if(steps_.begin(), steps_.end(), same);
    Executor& executor = *step.executor;
    const auto part = [&](const ParamSlab& slab) {
      return slice(slab[matrix.param], matrix.row, matrix.rows);
    };
    const auto set = [&](Value value, f64 number) {
      f32 narrow = static_cast<f32>(number);
      executor.set(value, make_tensor(&narrow, {1}));
    };
    const Tensor to_m = part(m), to_w = part(weights);
    executor.bind(step.g, part(grads));
    executor.bind(step.m, to_m);
    executor.bind(step.w, to_w);
    set(step.grad_scale, grad_scale);
    set(step.keep_share, 1 - lr * options_.weight_decay);
    set(step.rate, -lr * kSize * std::sqrt(static_cast<f64>(std::max(matrix.rows, matrix.cols))));
    executor.run({});
    const i64 count = matrix.rows * matrix.cols;
    const i64 bytes = count * static_cast<i64>(sizeof(f32));
    backend_.copy(to_m.data, executor.tensor(step.new_m).data, bytes);
    backend_.copy(to_w.data, executor.tensor(step.new_w).data, bytes);
    if (half == nullptr) continue;
    u16* narrow = static_cast<u16*>(part(*half).data);
    backend_.round_to_bf16(count, to_w.f32_data(), narrow);
  }
}

}  // namespace lm::train
