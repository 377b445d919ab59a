#include "cuda_backend.h"

#include <array>
#include <memory>

#include "adamw.h"
#include "core/str.h"
#include "pointwise.h"
#include "runtime.h"
#include "slab.h"
#include "table.h"

namespace lm::cuda {

namespace {

constexpr i64 kMiB = i64{1} << 20;

class CudaBackend : public Backend {
 public:
  explicit CudaBackend(int index);
  Storage allocate(i64 bytes) const override;
  void zero(void* dst, i64 bytes) const override;
  void copy(void* dst, const void* src, i64 bytes) const override;
  void to_device(void* dst, const void* src, i64 bytes) const override;
  void to_host(void* dst, const void* src, i64 bytes) const override;
  void synchronize() const override;
  Stream* stream() const override {
    use_device(device.index);
    return stream_;
  }
  i64 free_bytes() const override { return free_memory(); }
  std::unique_ptr<BackendState> make_state() const override;
  std::unique_ptr<Recording> record(const std::function<void()>& work) const override;
  void adamw(const AdamWStep& step, i64 n, const f32* grad, f32* w, f32* m, f32* v,
             u16* w16) const override;
  f64 sum_squares(i64 n, const f32* x) const override;
  void round_to_bf16(i64 n, const f32* x, u16* y) const override;
  const Context& context() const { return context_; }

 private:
  void check_fault() const;

  LtTable table_;
  Stream* stream_ = nullptr;
  std::unique_ptr<GemmCache> gemm_;
  Context context_;
  f64* partials_ = nullptr;  // device memory for square_sums
};

// One object per process, made when the device is chosen and left to the driver at exit.
CudaBackend*& in_use() {
  static CudaBackend* device = nullptr;
  return device;
}

constexpr KernelTable kKernels =
    kernel_table({LM_KERNELS(LM_KERNEL_ENTRY)}, {{Op::kScatterAddRows, space_scatter},
                                                 {Op::kReduce, space_reduce},
                                                 {Op::kLinear, space_linear},
                                                 {Op::kNormGrad, space_norm_grad},
                                                 {Op::kQkNormGrad, space_qk_norm_grad},
                                                 {Op::kAttention, space_attention},
                                                 {Op::kAttentionGrad, space_attention_grad},
                                                 {Op::kPagedAttention, space_paged},
                                                 {Op::kEmbeddingGrad, space_scatter},
                                                 {Op::kLinearCe, space_linear_ce},
                                                 {Op::kLinearCeGrad, space_linear_ce_grad},
                                                 {Op::kLinearLogprob, space_linear_logprob}});

void release_storage(void* base, i64) {
  release(base);
}

std::string_view fault_name(i32 kind) {
  switch (static_cast<FaultKind>(kind)) {
    case FaultKind::kToken:
      return "token";
    case FaultKind::kPosition:
      return "position";
    case FaultKind::kTarget:
      return "target";
    case FaultKind::kSpan:
      return "span edge";
    case FaultKind::kNone:
      break;
  }
  return "number";
}

// Weights are used where they lie: nothing is kept between runs.
class NoState : public BackendState {
 public:
  void clear() override {}
  bool keep(const Tensor&, std::span<const Tensor>) override { return true; }
};

class CudaRecording : public Recording {
 public:
  CudaRecording(void* graph, Stream* stream) : graph_(graph), stream_(stream) {}
  ~CudaRecording() override { release_graph(graph_); }
  void replay() override { launch_graph(graph_, stream_); }

 private:
  void* graph_;
  Stream* stream_;
};

CudaBackend::CudaBackend(int index)
    : Backend("cuda", Device{Device::kCuda, static_cast<i16>(index)}, kKernels),
      table_(load_cublaslt()) {
  context_.capability = capability();
  stream_ = make_stream();
  const i64 workspace = (context_.capability >= 90 ? 32 : 4) * kMiB;
  gemm_ = std::make_unique<GemmCache>(table_, cuda::allocate(workspace), workspace);
  context_.gemm = gemm_.get();
  context_.fault = static_cast<Fault*>(cuda::allocate(sizeof(Fault)));
  set_zero(context_.fault, sizeof(Fault), stream_);
  partials_ = static_cast<f64*>(cuda::allocate(8 * kMostPartials));
  set_zero(partials_, 8, stream_);
  f32_to_bf16(1, reinterpret_cast<const f32*>(partials_), reinterpret_cast<u16*>(partials_ + 1),
              stream_);  // a card that this build has no kernels for says so now
}

Storage CudaBackend::allocate(i64 bytes) const {
  use_device(device.index);  // the current device is per thread
  return Storage(device, cuda::allocate(bytes), bytes, release_storage);
}

void CudaBackend::zero(void* dst, i64 bytes) const {
  set_zero(dst, bytes, stream_);
}

void CudaBackend::copy(void* dst, const void* src, i64 bytes) const {
  copy_within(dst, src, bytes, stream_);
}

void CudaBackend::to_device(void* dst, const void* src, i64 bytes) const {
  upload(dst, src, bytes, stream_);
}

// Results leave the device here: none that comes from bad data does.
void CudaBackend::to_host(void* dst, const void* src, i64 bytes) const {
  download(dst, src, bytes, stream_);
  check_fault();
}

void CudaBackend::synchronize() const {
  wait(stream_);
  check_fault();
}

// Throws if a kernel met bad data since the last time.
void CudaBackend::check_fault() const {
  Fault fault;
  download(&fault, context_.fault, sizeof fault, stream_);
  if (fault.taken == 0) return;
  set_zero(context_.fault, sizeof fault, stream_);
  throw Error(ErrorKind::kData, cat(fault_name(fault.kind), " ", fault.value, " at row ", fault.row,
                                    " is outside [0, ", fault.limit, ")"));
}

std::unique_ptr<BackendState> CudaBackend::make_state() const {
  return std::make_unique<NoState>();
}

std::unique_ptr<Recording> CudaBackend::record(const std::function<void()>& work) const {
  if (!begin_capture(stream_)) return nullptr;
  void* graph = nullptr;
  try {
    work();
  } catch (...) {
    release_graph(end_capture(stream_));
    throw;
  }
  graph = end_capture(stream_);
  if (graph == nullptr) return nullptr;
  std::unique_ptr<CudaRecording> recording = std::make_unique<CudaRecording>(graph, stream_);
  recording->replay();
  return recording;
}

void CudaBackend::adamw(const AdamWStep& step, i64 n, const f32* grad, f32* w, f32* m, f32* v,
                        u16* w16) const {
  cuda::adamw(n, step, grad, w, m, v, w16, stream_);
}

f64 CudaBackend::sum_squares(i64 n, const f32* x) const {
  std::array<f64, usize(kMostPartials)> partials{};
  const i64 count = square_sum_count(n);
  square_sums(n, x, partials_, stream_);
  download(partials.data(), partials_, 8 * count, stream_);
  f64 sum = 0;
  for (i64 i = 0; i < count; ++i)
    sum += partials[usize(i)];
  return sum;
}

void CudaBackend::round_to_bf16(i64 n, const f32* x, u16* y) const {
  f32_to_bf16(n, x, y, stream_);
}

CudaBackend* start(int index) {
  std::string why;
  const i64 count = device_count(&why);
  if (count == 0 || index < 0 || index >= count) {
    throw Error(ErrorKind::kUnavailable,
                count == 0 ? cat("device cuda:", index, ": ", why)
                           : cat("device cuda:", index, ": there are only ", count),
                "--device cpu always works");
  }
  use_device(index);
  return std::make_unique<CudaBackend>(index).release();
}

}  // namespace

const Context& context() {
  return in_use()->context();
}

Availability available() {
  Availability a;
  a.devices = device_count(&a.reason);
  return a;
}

const Backend& cuda_backend(int index) {
  if (in_use() == nullptr) in_use() = start(index);
  if (in_use()->device.index != index) {
    throw Error(ErrorKind::kUnavailable,
                cat("device cuda:", index, ": this process runs on cuda:", in_use()->device.index));
  }
  use_device(index);
  return *in_use();
}

}  // namespace lm::cuda
