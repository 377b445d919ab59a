#pragma once
// Runs a node list on a backend. The planned executor owns (or borrows) one slab and allocates
// nothing after construction; the heap executor gives every value its own guarded buffer, for
// debugging and as the reference of the planner's tests. Both produce the same bits.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/backend.h"
#include "graph/graph.h"
#include "graph/plan.h"

namespace lm {

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
  /// Let the backend record the second run and replay it from then on, where it can and no node
  /// draws random numbers. For graphs whose bindings stay: objects of RunCtx::bindings with other
  /// contents must be other objects.
  bool record = false;
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
  /// Copies host data (contiguous) to where an input lies: a buffer of the executor's own in the
  /// device's memory, made at the first call. Throws as bind.
  void set(Value v, const Tensor& host);
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
  /// Copies a kept value to host f32s (bf16 is widened). Throws ShapeError when out.size() is not
  /// its count.
  void read(Value v, std::span<f32> out) const;
  /// Single f32 element.
  f32 scalar(Value v) const;

  const Plan& plan() const;
  Device device() const;
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
