#include "graph/exec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "core/clock.h"
#include "core/str.h"
#include "graph/op_def.h"
#include "tensor/convert.h"
#include "tensor/safe_writer.h"

namespace lm {

namespace {

constexpr i64 kGuardBytes = 256;
constexpr u8 kGuardByte = 0xA5;
constexpr u8 kPoisonByte = 0xFF;  // f32 0xFFFFFFFF is a NaN, i32 -1

// A heap value with guard zones on both sides.
struct Guarded {
  Storage storage;
  i64 bytes = 0;
  u8* data() const { return storage.data() + kGuardBytes; }
};

i32 base_id(const Graph& g, Value v) {
  const i32 base = g.info(v).base;
  return base >= 0 ? base : v.id;
}

}  // namespace

std::string missing_operator(const Graph& g, const Backend& backend) {
  for (const Node& node : g.nodes()) {
    const OpDef& def = g.def(node.op);
    const std::size_t op = static_cast<std::size_t>(node.op);
    if (def.is_view) continue;
    if (op >= backend.kernels.size() || backend.kernels[op].run == nullptr) {
      return std::string(def.name);
    }
  }
  return {};
}

struct Executor::Impl {
  Impl(const Graph& graph, const Backend& device, ExecOptions opts)
      : g(graph), backend(device), options(opts) {}

  const Graph& g;
  const Backend& backend;
  ExecOptions options;
  Plan plan;
  std::vector<bool> live;
  Storage own_slab;
  u8* slab = nullptr;
  std::map<i32, Guarded> heap;
  Storage heap_scratch;
  std::vector<Tensor> values;              // per value; null data: unbound or unread
  std::vector<Tensor> args;                // inputs then outputs of every node, flat
  std::vector<i64> arg_begin;              // per node
  std::vector<std::vector<i64>> uses;      // per value: positions in args
  std::vector<std::vector<i32>> views_of;  // per value
  std::vector<f64> seconds;
  std::vector<i64> calls;
  std::map<i32, Storage> own_inputs;     // of set()
  std::unique_ptr<Recording> recording;  // of the present bindings
  std::vector<const void*> recorded_bindings;
  i64 plain_runs = 0;

  void allocate();
  void allocate_heap();
  void collect_args();
  void set_value(i32 id, void* data);
  void check_bound() const;
  void run_node(const RunCtx& ctx, std::size_t n);
  void run(const RunCtx& from, const Hook* hook);
  void run_recorded(const RunCtx& ctx);
  bool can_record(const RunCtx& ctx) const;
  void check_type(Value v, const Tensor& t, const char* what) const;
  void poison();
  void check_guards() const;
  void read_row(const Tensor& t, i64 r, std::span<f32> out) const;
  void check_finite(const Node& node, const Tensor* out) const;
  void* workspace_of(i64 n) const;
};

void Executor::Impl::allocate() {
  const WorkspaceFn workspace = [this](const Node& node, const Graph& graph) -> i64 {
    const KernelDef& kernel = backend.kernels[static_cast<std::size_t>(node.op)];
    return kernel.workspace == nullptr ? 0 : kernel.workspace(node, graph);
  };
  plan = make_plan(g, workspace, PlanOptions{options.in_place});
  live = live_nodes(g);
  if (options.mode == ExecMode::kHeap) {
    allocate_heap();
    return;
  }
  if (options.slab != nullptr) {
    LM_CHECK(options.slab->bytes() >= plan.slab_bytes, "the borrowed slab must hold the plan");
    slab = options.slab->data();
    return;
  }
  try {
    own_slab = backend.allocate(plan.slab_bytes);
  } catch (const Error& e) {
    std::string hint = "largest values:";
    for (const PlanEntry& entry : largest_values(g, 10)) {
      append(hint, " ", entry.name, " ", format_bytes(entry.bytes), ";");
    }
    append(hint, " a smaller --micro-batch or --recompute block needs less");
    throw Error(ErrorKind::kOs, e.message(), hint);
  }
  slab = own_slab.data();
}

void Executor::Impl::allocate_heap() {
  i64 scratch = 0;
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    if (plan.workspace_offset[n] < 0) continue;
    const Node& node = g.nodes()[n];
    scratch =
        std::max(scratch, backend.kernels[static_cast<std::size_t>(node.op)].workspace(node, g));
  }
  heap_scratch = backend.allocate(scratch);
  for (std::size_t v = 0; v < g.values().size(); ++v) {
    if (plan.value_offset[v] < 0) continue;
    const ValueInfo& info = g.values()[v];
    Guarded block;
    block.bytes = info.shape.count() * item_bytes(info.dtype);
    block.storage = backend.allocate(block.bytes + 2 * kGuardBytes);
    heap.emplace(static_cast<i32>(v), std::move(block));
  }
}

// Fills per-value tensors for planned values and the flat argument list.
void Executor::Impl::collect_args() {
  const std::size_t count = g.values().size();
  values.resize(count);
  uses.resize(count);
  views_of.resize(count);
  for (std::size_t v = 0; v < count; ++v) {
    const ValueInfo& info = g.values()[v];
    values[v] = Tensor{nullptr, info.shape, info.ld, info.dtype, backend.device};
    if (info.base >= 0) views_of[usize(info.base)].push_back(static_cast<i32>(v));
  }
  for (const Node& node : g.nodes()) {
    arg_begin.push_back(ssize(args));
    for (const Value v : node.in) {
      if (v) uses[usize(v.id)].push_back(ssize(args));
      args.push_back(v ? values[usize(v.id)] : Tensor{});
    }
    for (const Value v : node.out) {
      if (v) uses[usize(v.id)].push_back(ssize(args));
      args.push_back(v ? values[usize(v.id)] : Tensor{});
    }
  }
  for (std::size_t v = 0; v < count; ++v) {
    if (plan.value_offset[v] < 0) continue;
    const i32 id = static_cast<i32>(v);
    set_value(id, slab != nullptr ? slab + plan.value_offset[v] : heap.at(id).data());
  }
}

// Points a value, its views and every use of them at data.
void Executor::Impl::set_value(i32 id, void* data) {
  values[usize(id)].data = data;
  for (const i64 at : uses[usize(id)])
    args[usize(at)].data = data;
  for (const i32 view : views_of[usize(id)]) {
    const ValueInfo& info = g.values()[usize(view)];
    void* begin = data == nullptr
                      ? nullptr
                      : static_cast<u8*>(data) + info.view_offset * item_bytes(info.dtype);
    values[usize(view)].data = begin;
    for (const i64 at : uses[usize(view)])
      args[usize(at)].data = begin;
  }
}

void Executor::Impl::check_bound() const {
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    if (!live[n]) continue;
    const Node& node = g.nodes()[n];
    for (const ValueList* list : {&node.in, &node.out}) {
      for (const Value v : *list) {
        if (!v) continue;
        const ValueInfo& base = g.values()[usize(base_id(g, v))];
        LM_CHECK(base.kind == ValueKind::kActivation || values[usize(v.id)].data != nullptr ||
                     base.shape.count() == 0,
                 cat("value ", base.name, " must be bound before run()"));
      }
    }
  }
}

void* Executor::Impl::workspace_of(i64 n) const {
  const i64 offset = plan.workspace_offset[usize(n)];
  if (offset < 0) return nullptr;
  return slab != nullptr ? slab + offset : heap_scratch.data();
}

void Executor::Impl::poison() {
  for (auto& [id, block] : heap) {
    std::vector<u8> image(usize(block.bytes + 2 * kGuardBytes), kPoisonByte);
    std::fill_n(image.begin(), kGuardBytes, kGuardByte);
    std::fill_n(image.end() - kGuardBytes, kGuardBytes, kGuardByte);
    backend.to_device(block.storage.data(), image.data(), ssize(image));
  }
}

void Executor::Impl::check_guards() const {
  for (const auto& [id, block] : heap) {
    std::vector<u8> zone(usize(kGuardBytes));
    for (const i64 offset : {i64{0}, kGuardBytes + block.bytes}) {
      backend.to_host(zone.data(), block.storage.data() + offset, kGuardBytes);
      const bool whole =
          std::all_of(zone.begin(), zone.end(), [](u8 byte) { return byte == kGuardByte; });
      LM_CHECK(whole, cat("a kernel wrote outside value ", g.values()[usize(id)].name));
    }
  }
}

// out.size() elements from row r on, as f32.
void Executor::Impl::read_row(const Tensor& t, i64 r, std::span<f32> out) const {
  const i64 item = item_bytes(t.dtype);
  const u8* from = t.bytes() + r * t.ld * item;
  if (t.dtype == DType::kF32) return backend.to_host(out.data(), from, ssize(out) * item);
  LM_CHECK(t.dtype == DType::kBf16, "values that are read are f32 or bf16");
  std::vector<u16> narrow(out.size());
  backend.to_host(narrow.data(), from, ssize(out) * item);
  std::transform(narrow.begin(), narrow.end(), out.begin(), bf16_to_f32);
}

void Executor::Impl::check_finite(const Node& node, const Tensor* out) const {
  for (i64 j = 0; j < node.out.size(); ++j) {
    const Tensor& t = out[j];
    if (t.data == nullptr || !is_real(t.dtype)) continue;
    std::vector<f32> row(usize(t.cols()));
    i64 bad = 0;
    i64 first = -1;
    for (i64 r = 0; r < t.rows(); ++r) {
      read_row(t, r, row);
      for (i64 c = 0; c < t.cols(); ++c) {
        const f32 x = row[usize(c)];
        // Rows without keys have log-sum-exp -inf, which is a right value of a saved output.
        if (std::isfinite(x) || (j > 0 && x == -std::numeric_limits<f32>::infinity())) continue;
        if (first < 0) first = r * t.cols() + c;
        ++bad;
      }
    }
    if (bad > 0) {
      throw Error(ErrorKind::kInternal,
                  cat("node ", node.name, " output ", j, ": ", bad, " of ", t.count(),
                      " values are not finite, first at index ", first));
    }
  }
}

void Executor::Impl::run_node(const RunCtx& ctx, std::size_t n) {
  const Node& node = g.nodes()[n];
  Tensor* const in = args.data() + arg_begin[n];
  Tensor* const out = in + node.in.size();
  const f64 start = options.profile ? monotonic_s() : 0;
  backend.kernels[static_cast<std::size_t>(node.op)].run(ctx, node, in, out,
                                                         workspace_of(static_cast<i64>(n)));
  if (options.profile) {
    backend.synchronize();
    seconds[n] += monotonic_s() - start;
    ++calls[n];
  }
  if (options.check_nan) {
    backend.synchronize();
    check_finite(node, out);
  }
}

void Executor::Impl::run(const RunCtx& from, const Hook* hook) {
  RunCtx ctx = from;
  ctx.backend = &backend;
  ctx.stream = backend.stream();
  check_bound();
  if (options.mode == ExecMode::kHeap) poison();
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    const Node& node = g.nodes()[n];
    if (!live[n]) continue;
    if (!g.def(node.op).is_view) run_node(ctx, n);
    if (hook != nullptr) {
      backend.synchronize();
      (*hook)(static_cast<i64>(n), args.data() + arg_begin[n] + node.in.size());
    }
  }
  if (options.mode == ExecMode::kHeap) {
    backend.synchronize();
    check_guards();
  }
}

// A run depends on its context only through random draws, states and bindings.
bool Executor::Impl::can_record(const RunCtx& ctx) const {
  if (!options.record || options.mode == ExecMode::kHeap || options.profile || options.check_nan ||
      ctx.state != nullptr)
    return false;
  for (std::size_t n = 0; n < g.nodes().size(); ++n)
    if (live[n] && g.def(g.nodes()[n].op).draws) return false;
  return true;
}

// The first run is plain: what kernels and libraries set up at their first call stays out of the
// recording.
void Executor::Impl::run_recorded(const RunCtx& ctx) {
  if (recording != nullptr && !std::ranges::equal(ctx.bindings, recorded_bindings))
    recording = nullptr;
  if (recording != nullptr) return recording->replay();
  if (plain_runs > 0 && can_record(ctx)) {
    recording = backend.record([&] { run(ctx, nullptr); });
    recorded_bindings.assign(ctx.bindings.begin(), ctx.bindings.end());
    if (recording != nullptr) return;
    options.record = false;
  }
  run(ctx, nullptr);
  ++plain_runs;
}

Executor::Executor(const Graph& graph, const Backend& backend, ExecOptions options)
    : impl_(std::make_unique<Impl>(graph, backend, options)) {
  const std::string missing = missing_operator(graph, backend);
  if (!missing.empty()) {
    throw Error(ErrorKind::kUnavailable,
                cat("device ", backend.name, " has no kernel for operator ", missing));
  }
  impl_->allocate();
  impl_->collect_args();
  if (options.profile) {
    impl_->seconds.assign(graph.nodes().size(), 0);
    impl_->calls.assign(graph.nodes().size(), 0);
  }
}

Executor::~Executor() = default;

void Executor::Impl::check_type(Value v, const Tensor& t, const char* what) const {
  const ValueInfo& info = g.info(v);
  LM_CHECK(info.kind != ValueKind::kActivation, "only parameters, gradients and inputs are bound");
  if (info.shape == t.shape && info.dtype == t.dtype && t.contiguous()) return;
  throw ShapeError(cat(what, " ", info.name, ": got ", dtype_name(t.dtype), to_string(t.shape),
                       t.contiguous() ? "" : " (not contiguous)", ", expected ",
                       dtype_name(info.dtype), to_string(info.shape)));
}

void Executor::bind(Value v, const Tensor& t) {
  impl_->check_type(v, t, "binding");
  LM_CHECK(t.device == impl_->backend.device, "a bound tensor lives on the executor's device");
  if (impl_->values[usize(v.id)].data == t.data) return;
  impl_->recording = nullptr;
  impl_->set_value(v.id, t.data);
}

void Executor::set(Value v, const Tensor& host) {
  impl_->check_type(v, host, "setting");
  const i64 bytes = host.count() * item_bytes(host.dtype);
  Storage& own = impl_->own_inputs[v.id];
  if (!own) own = impl_->backend.allocate(bytes);
  if (impl_->values[usize(v.id)].data != own.data()) {
    impl_->recording = nullptr;
    impl_->set_value(v.id, own.data());
  }
  impl_->backend.to_device(own.data(), host.data, bytes);
}

void Executor::bind_params(const std::function<Tensor(i32)>& tensor) {
  for (std::size_t v = 0; v < impl_->g.values().size(); ++v) {
    const ValueInfo& info = impl_->g.values()[v];
    if (info.kind == ValueKind::kParameter) {
      bind(Value{static_cast<i32>(v)}, tensor(info.param));
    }
  }
}

void Executor::bind_grads(const std::function<Tensor(i32)>& tensor) {
  for (std::size_t v = 0; v < impl_->g.values().size(); ++v) {
    const ValueInfo& info = impl_->g.values()[v];
    if (info.kind == ValueKind::kGradient) bind(Value{static_cast<i32>(v)}, tensor(info.param));
  }
}

void Executor::run(const RunCtx& ctx) {
  impl_->run_recorded(ctx);
}
void Executor::run(const RunCtx& ctx, const Hook& hook) {
  impl_->run(ctx, &hook);
}

Tensor Executor::tensor(Value v) const {
  const ValueInfo& info = impl_->g.info(v);
  LM_CHECK(info.kind != ValueKind::kActivation || info.keep,
           cat("value ", info.name, " is not kept: call Graph::keep before planning"));
  return impl_->values[usize(v.id)];
}

void Executor::read(Value v, std::span<f32> out) const {
  const Tensor t = tensor(v);
  if (ssize(out) != t.count()) {
    throw ShapeError(cat("reading ", impl_->g.info(v).name, " ", to_string(t.shape), " into ",
                         out.size(), " elements"));
  }
  if (t.contiguous() && t.count() > 0) return impl_->read_row(t, 0, out);
  for (i64 r = 0; r < t.rows(); ++r)
    impl_->read_row(t, r, out.subspan(usize(r * t.cols()), usize(t.cols())));
}

f32 Executor::scalar(Value v) const {
  f32 out = 0;
  read(v, std::span<f32>(&out, 1));
  return out;
}

const Plan& Executor::plan() const {
  return impl_->plan;
}
Device Executor::device() const {
  return impl_->backend.device;
}
const Graph& Executor::graph() const {
  return impl_->g;
}

std::vector<OpTime> Executor::profile() const {
  std::map<std::string, OpTime> totals;
  for (std::size_t n = 0; n < impl_->seconds.size(); ++n) {
    if (impl_->calls[n] == 0) continue;
    const Node& node = impl_->g.nodes()[n];
    const OpDef& def = impl_->g.def(node.op);
    const Cost cost = def.cost != nullptr ? def.cost(node, impl_->g) : Cost{};
    OpTime& total = totals[std::string(def.name)];
    total.op = std::string(def.name);
    total.calls += impl_->calls[n];
    total.wall_s += impl_->seconds[n];
    total.flops += cost.flops * impl_->calls[n];
    total.bytes += (cost.bytes_read + cost.bytes_written) * impl_->calls[n];
  }
  std::vector<OpTime> out;
  out.reserve(totals.size());
  for (const auto& [name, total] : totals)
    out.push_back(total);
  std::stable_sort(out.begin(), out.end(),
                   [](const OpTime& a, const OpTime& b) { return a.wall_s > b.wall_s; });
  return out;
}

Executor::Hook dump_hook(const Graph& g, const Backend& backend, std::string_view name,
                         const std::string& path) {
  std::vector<std::string> names;
  Value wanted;
  for (std::size_t v = 0; v < g.values().size(); ++v) {
    names.push_back(g.values()[v].name);
    if (g.values()[v].name == name) wanted = Value{static_cast<i32>(v)};
  }
  if (!wanted) {
    const std::string near = nearest_name(name, names, 8);
    throw Error(ErrorKind::kUsage, cat("no value is called ", quote(name)),
                near.empty() ? std::string() : cat("did you mean ", near, "?"));
  }
  return [&g, &backend, wanted, path](i64 n, const Tensor* out) {
    const Node& node = g.nodes()[usize(n)];
    for (i64 j = 0; j < node.out.size(); ++j) {
      if (!(node.out[j] == wanted) || out[j].data == nullptr) continue;
      OwnedTensor host(out[j].shape, out[j].dtype);
      const i64 item = item_bytes(out[j].dtype);
      for (i64 r = 0; r < out[j].rows(); ++r) {
        backend.to_host(host.view.bytes() + r * host.view.ld * item,
                        out[j].bytes() + r * out[j].ld * item, out[j].cols() * item);
      }
      const SafeWrite one{g.info(wanted).name, host.view};
      write_safetensors(path, std::span<const SafeWrite>(&one, 1));
    }
  };
}

}  // namespace lm
