#pragma once
// Runs a node list on a backend. The planned executor owns (or borrows) one slab and allocates
// nothing after construction; the heap executor gives every value its own guarded buffer, for
// debugging and as the reference of the planner's tests. Both produce the same bits.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/plan.h"

namespace lm {

struct Stream;  // a device queue, opaque here

/// What a backend keeps from run to run for one set of weights (packed copies);
/// Backend::make_state. A run with a state promises that weights of linear and loss nodes are
/// unchanged since the state was made or last cleared. For inference; training runs without.
class BackendState {
 public:
  virtual ~BackendState() = default;
  /// Forgets everything: call after changing weights.
  virtual void clear() = 0;
};

/// What a kernel may know about the run. Random draws are a function of (seed, step, micro_step,
/// rank, Node::rng_id, element) only.
struct RunCtx {
  u64 seed = 0;
  u32 step = 0;
  u32 micro_step = 0;  // micro-step * ranks + rank
  bool training = false;
  Stream* stream = nullptr;
  BackendState* state = nullptr;
  /// Objects a graph refers to by number (KV cache views); their type is the operator's business.
  std::span<const void* const> bindings{};
};

/// in, out: one tensor per input and output, null data for absent ones. Bits of node.accumulate say
/// which outputs are added to. Kernels of a device must not depend on thread count.
using Kernel = void (*)(const RunCtx& ctx, const Node& node, const Tensor* in, Tensor* out,
                        void* workspace);

struct KernelDef {
  Kernel run = nullptr;                                          // null: operator missing
  i64 (*workspace)(const Node& node, const Graph& g) = nullptr;  // null: none
};

/// A device with its kernels: cpu_backend() (cpu/backend.h), the CUDA table has the same type.
struct Backend {
  std::string_view name;
  Device device;
  std::span<const KernelDef> kernels;  // by Op
  Storage (*allocate)(i64 bytes) = nullptr;
  void (*zero)(void* dst, i64 bytes, Stream* stream) = nullptr;
  /// Between host memory and this device; returns when the host side may be reused or read.
  void (*to_device)(void* dst, const void* src, i64 bytes, Stream* stream) = nullptr;
  void (*to_host)(void* dst, const void* src, i64 bytes, Stream* stream) = nullptr;
  void (*synchronize)(Stream* stream) = nullptr;
  std::unique_ptr<BackendState> (*make_state)() = nullptr;
};

/// Name of the first operator of g that the backend lacks, empty if it can run all.
std::string missing_operator(const Graph& g, const Backend& backend);

enum class ExecMode : u8 { kPlanned, kHeap };

struct ExecOptions {
  ExecMode mode = ExecMode::kPlanned;
  bool in_place = true;
  /// After every node, throw Error{kInternal} naming node, output, count and first index of
  /// non-finite f32 values (`--check nan`). -inf in saved log-sum-exps of empty rows is allowed.
  bool check_nan = false;
  bool profile = false;  // time every node
  /// Borrow this slab instead of allocating; must have plan().slab_bytes (checked).
  const Storage* slab = nullptr;
};

struct OpTime {
  std::string op;
  i64 calls = 0;
  f64 wall_s = 0;
  i64 flops = 0;
  i64 bytes = 0;
};

class Executor {
 public:
  /// Plans and allocates. graph and backend outlive the executor; the graph must not change any
  /// more. Throws Error{kUnavailable} naming a missing operator, Error{kOs} naming the ten largest
  /// values when the slab cannot be had.
  Executor(const Graph& graph, const Backend& backend, ExecOptions options = {});
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Binds a parameter, gradient or input. Throws ShapeError naming the value unless shape and
  /// dtype match; columns must be contiguous. Stays bound until replaced.
  void bind(Value v, const Tensor& t);
  /// Binds all parameter values of the graph by their index.
  void bind_params(const std::function<Tensor(i32 param)>& tensor);
  /// Binds all parameter gradients of the graph by index.
  void bind_grads(const std::function<Tensor(i32 param)>& tensor);

  /// Runs all nodes. Throws Error{kInternal} naming the first unbound value.
  void run(const RunCtx& ctx);
  /// Same, then calls hook after every node (dumps, taps). Slower: synchronises each node.
  using Hook = std::function<void(i64 node, const Tensor* out)>;
  void run(const RunCtx& ctx, const Hook& hook);

  /// Device view of a kept or bound value; valid until the next run.
  Tensor tensor(Value v) const;
  /// Copies a kept value to host f32s. Throws ShapeError when out.size() is not its count.
  void read(Value v, std::span<f32> out) const;
  /// Single f32 element.
  f32 scalar(Value v) const;

  const Plan& plan() const;
  /// Accumulated since construction, by operator, largest time first; empty without profile.
  std::vector<OpTime> profile() const;
  const Graph& graph() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes the value `name` (a node output's name) to a safetensors file when a run passes it: a
/// hook for Executor::run. Throws Error{kUsage} listing near names when no value has that name.
Executor::Hook dump_hook(const Graph& g, const Backend& backend, std::string_view name,
                         const std::string& path);

}  // namespace lm
