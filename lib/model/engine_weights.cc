// The engine's weights: packed on the host, copied to a device.

#include <algorithm>

#include "cpu/backend.h"
#include "model/engine_pass.h"

namespace lm::model {
namespace {

constexpr i64 kUploadBytes = 16 << 20;  // weights rounded at a time

/// Which of the model's parameters a graph reads as weights of linear layers, of how many one below
/// the other, and which otherwise.
struct Readers {
  Readers(const Graph& graph, i32 params)
      : linear(usize(params)), other(usize(params)), groups(usize(params), 1) {
    for (const Node& node : graph.nodes()) {
      for (i64 i = 0; i < node.in.size(); ++i) {
        if (!node.in[i]) continue;
        const i32 param = graph.info(node.in[i]).param;
        if (param < 0 || param >= isize(linear)) continue;
        const bool grouped = node.op == Op::kGroupedLinear;
        (i == 1 && (grouped || node.op == Op::kLinear) ? linear : other)[usize(param)] = true;
        if (i == 1 && grouped) groups[usize(param)] = node.attr.as<GroupedAttr>().groups;
      }
    }
  }
  std::vector<bool> linear, other;  // by parameter
  std::vector<i64> groups;
};

}  // namespace

const Weights& Engine::bound() const {
  if (on_host()) return model_.weights;
  return weights_;
}

ParamSlab Engine::make_weights() const {
  if (on_host()) return {};
  return ParamSlab(model_.params.set, 1, backend_, options_.activation);
}

const Weights* Engine::bound_adapters() const {
  if (model_.adapters == nullptr) return nullptr;
  return on_host() ? &model_.adapters->weights() : &adapter_slab_;
}

i64 Engine::host_bytes(const ModelRef& model, const EngineOptions& options) {
  const i64 positions = options.positions > 0 ? options.positions : model.cfg.context;
  const RopeTables ropes(model.cfg, positions, true);
  PassKey key;
  key.rows = options.max_rows;
  key.logit_rows = options.max_logit_rows;
  key.prefixes = reads_prefixes(model.cfg);
  const Pass largest(model, model.weights, ropes, options, positions, key);
  const Readers readers(largest.graph, model.params.set.size());
  i64 bytes = ropes.bytes() + plan_bytes(largest.graph, cpu_backend()) +
              options.max_logit_rows * model.cfg.vocab * item_bytes(DType::kF32);
  // Adapters are held in memory, and packed by the first pass.
  if (model.adapters != nullptr) bytes += 2 * model.adapters->bytes();
  i64 assembled = 0;  // one parameter at a time
  for (i32 param = 0; param < model.params.set.size(); ++param) {
    const i64 count = model.params.set[param].count;
    const DType stored = model.weights.dtype(param);
    if (readers.linear[usize(param)]) assembled = std::max(assembled, count * item_bytes(stored));
    if (readers.linear[usize(param)] || model.params.set[param].shape.rank < 2)
      bytes += count * item_bytes(stored == DType::kBf16 ? DType::kBf16 : DType::kF32);
  }
  return bytes + assembled;
}

/// Copies of what linear layers read, so that runs need not the originals; what nothing else reads
/// is let go.
void Engine::pack_weights() {
  PassKey key;
  key.rows = 1;
  key.logit_rows = std::min<i64>(1, options_.max_logit_rows);
  key.prefixes = reads_prefixes(model_.cfg);
  const Pass least(model_, bound(), ropes_, options_, positions_, key);
  const Readers readers(least.graph, model_.params.set.size());
  for (i32 param = 0; param < model_.params.set.size(); ++param) {
    const bool linear = readers.linear[usize(param)];
    if (readers.other[usize(param)]) model_.weights.hold(param);
    if (const i64 groups = readers.groups[usize(param)]; groups > 1) {
      model_.weights.hold(param);
      const Tensor whole = model_.weights[param];
      const i64 rows = whole.rows() / groups;
      for (i64 e = 0; e < groups; ++e) {
        const Tensor one = slice(whole, e * rows, rows);
        LM_CHECK(state_->keep(one, {&one, 1}), "a whole matrix can be packed");
      }
    } else if (linear) {
      const std::vector<Tensor> parts = model_.weights.parts(param);
      if (parts.empty() || !state_->keep(model_.weights[param], parts)) {
        model_.weights.hold(param);
        const Tensor whole = model_.weights[param];
        LM_CHECK(state_->keep(whole, {&whole, 1}), "a whole matrix can be packed");
      }
    }
    if (!readers.other[usize(param)]) model_.weights.drop(param);
  }
}

/// The device's copy of the weights, rounded there where they are f32 here.
void Engine::take_weights() {
  Storage staged;  // f32 on the device, to be rounded
  for (i32 param = 0; param < model_.params.set.size(); ++param) {
    model_.weights.hold(param);
    const Tensor from = model_.weights[param];
    const Tensor to = weights_[param];
    if (from.dtype == to.dtype) {
      backend_.to_device(to.data, from.data, to.count() * item_bytes(to.dtype));
    } else {
      take_converted(from, to, staged);
    }
    model_.weights.drop(param);
  }
  if (model_.adapters != nullptr) {
    const ParamSet& set = model_.adapters->params();
    adapter_slab_ = ParamSlab(set, 1, backend_, options_.activation);
    for (i32 param = 0; param < set.size(); ++param) {
      const Tensor from = model_.adapters->weights()[param];
      const Tensor to = adapter_slab_[param];
      if (from.dtype == to.dtype)
        backend_.to_device(to.data, from.data, to.count() * item_bytes(to.dtype));
      else
        take_converted(from, to, staged);
    }
  }
  backend_.synchronize();  // before the staging memory goes
}

void Engine::take_converted(const Tensor& from, const Tensor& to, Storage& staged) const {
  const i64 count = to.count();
  const i64 step = std::min(count, kUploadBytes / 4);
  OwnedTensor wide;
  if (from.dtype != DType::kF32) wide = OwnedTensor({step});
  for (i64 begin = 0; begin < count; begin += step) {
    const i64 n = std::min(step, count - begin);
    const f32* part = nullptr;
    if (from.dtype == DType::kF32) {
      part = from.f32_data() + begin;
    } else {
      const i64 offset = begin * item_bytes(from.dtype);
      copy_convert(make_tensor(from.bytes() + offset, {n}, from.dtype), slice(wide.view, 0, n));
      part = wide.view.f32_data();
    }
    if (to.dtype == DType::kF32) {
      backend_.to_device(at<f32>(to.bytes(), begin * 4), part, n * 4);
      continue;
    }
    if (!staged) staged = backend_.allocate(kUploadBytes);
    backend_.to_device(staged.data(), part, n * 4);
    backend_.round_to_bf16(n, at<const f32>(staged.data(), 0), at<u16>(to.bytes(), begin * 2));
  }
}

void Engine::weights_changed() {
  if (!on_host()) return take_weights();
  state_->clear();
  pack_weights();
}

}  // namespace lm::model
