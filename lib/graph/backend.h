#pragma once
// A device as graphs see it: a table of kernels by operator, memory, copies, and the few functions
// over flat slabs that an optimizer needs. cpu_backend() (cpu/backend.h) and cuda::cuda_backend()
// (kernels/cuda_backend.h) give one object each; kernels find it in their RunCtx.

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "graph/adamw.h"
#include "graph/graph.h"

namespace lm {

struct Stream;  // a device queue, opaque here
class Backend;

/// What a backend keeps from run to run for one set of weights (packed copies);
/// Backend::make_state. A run with a state promises that weights of linear and loss nodes are
/// unchanged since the state was made or last cleared. For inference; training runs without.
class BackendState {
 public:
  virtual ~BackendState() = default;
  /// Forgets everything: call after changing weights.
  virtual void clear() = 0;
  /// Takes the copy of a linear layer's weight [out, in] now, from tensors of rows one below the
  /// other; runs do not read the original then. False when it cannot be taken from these.
  virtual bool keep(const Tensor& weight, std::span<const Tensor> parts) = 0;
};

/// What a kernel may know about the run. Random draws are a function of (seed, step, micro_step,
/// rank, Node::rng_id, element) only.
struct RunCtx {
  u64 seed = 0;
  u32 step = 0;
  u32 micro_step = 0;  // micro-step * ranks + rank
  bool training = false;
  BackendState* state = nullptr;
  /// Objects a graph refers to by number (KV cache views); their type is the operator's business.
  std::span<const void* const> bindings{};
  /// The executor sets these two.
  const Backend* backend = nullptr;
  Stream* stream = nullptr;
};

/// in, out: one tensor per input and output, null data for absent ones. Bits of node.accumulate say
/// which outputs are added to. Kernels of a device must not depend on thread count.
using Kernel = void (*)(const RunCtx& ctx, const Node& node, const Tensor* in, Tensor* out,
                        void* workspace);

struct KernelDef {
  Kernel run = nullptr;                                          // null: operator missing
  i64 (*workspace)(const Node& node, const Graph& g) = nullptr;  // null: none
};

/// Queued work that can be queued again as one launch (a CUDA graph).
class Recording {
 public:
  virtual ~Recording() = default;
  virtual void replay() = 0;
};

/// Work is queued on the device's one stream and done in order; only the functions that say so
/// wait. One thread at a time.
class Backend {
 public:
  Backend(std::string_view backend_name, Device where, std::span<const KernelDef> table)
      : name(backend_name), device(where), kernels(table) {}
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  const std::string_view name;
  const Device device;
  const std::span<const KernelDef> kernels;  // by Op

  /// Throws Error{kOs} naming bytes asked (and free and total, on a device).
  virtual Storage allocate(i64 bytes) const = 0;
  virtual void zero(void* dst, i64 bytes) const = 0;
  virtual void copy(void* dst, const void* src, i64 bytes) const = 0;
  /// Between host memory and this device; return when the host side may be reused or read. to_host
  /// and synchronize throw Error{kData} for bad ids, positions, targets or spans that a kernel met
  /// since the last time, where the backend's kernels report them late.
  virtual void to_device(void* dst, const void* src, i64 bytes) const = 0;
  virtual void to_host(void* dst, const void* src, i64 bytes) const = 0;
  virtual void synchronize() const = 0;
  /// The device's queue; makes the device the calling thread's, which may change between runs.
  virtual Stream* stream() const { return nullptr; }
  /// Free memory of a device with memory of its own; 0 otherwise.
  virtual i64 free_bytes() const { return 0; }
  virtual std::unique_ptr<BackendState> make_state() const { return nullptr; }
  /// Does the work once while recording it. Null, with nothing done, where the device cannot.
  virtual std::unique_ptr<Recording> record(const std::function<void()>&) const { return nullptr; }

  /// One optimizer step over n elements; w16, if not null, gets the new weights rounded to bf16.
  virtual void adamw(const AdamWStep& step, i64 n, const f32* grad, f32* w, f32* m, f32* v,
                     u16* w16) const = 0;
  /// The sum of squares, by a tree that n alone shapes. Waits.
  virtual f64 sum_squares(i64 n, const f32* x) const = 0;
  /// Rounds to nearest even.
  virtual void round_to_bf16(i64 n, const f32* x, u16* y) const = 0;
};

}  // namespace lm
