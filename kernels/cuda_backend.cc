#include "cuda_backend.h"

#include <array>
#include <memory>

#include "core/str.h"
#include "runtime.h"
#include "table.h"

namespace lm::cuda {

namespace {

constexpr i64 kMiB = i64{1} << 20;

// What the table's functions share. They take no closure, so it is one object per process, made
// when the device is chosen and left to the driver at exit.
struct DeviceInUse {
  int index = 0;
  LtTable table;
  std::unique_ptr<GemmCache> gemm;
  Engine engine;
  Backend backend;
};

DeviceInUse*& in_use() {
  static DeviceInUse* device = nullptr;
  return device;
}

constexpr std::array<KernelDef, usize(kOpCount)> make_kernels() {
  std::array<KernelDef, usize(kOpCount)> k{};
  const auto set = [&k](Op op, Kernel run, WorkspaceRule* workspace = nullptr) {
    k[static_cast<std::size_t>(op)] = {run, workspace};
  };
  set(Op::kCopy, run_copy);
  set(Op::kFill, run_fill);
  set(Op::kPad, run_pad);
  set(Op::kConcat, run_concat);
  set(Op::kGatherRows, run_gather);
  set(Op::kScatterAddRows, run_scatter, space_scatter);
  set(Op::kBroadcast, run_broadcast);
  set(Op::kAdd, run_add);
  set(Op::kMul, run_mul);
  set(Op::kUnary, run_unary);
  set(Op::kUnaryGrad, run_unary_grad);
  set(Op::kDropout, run_dropout);
  set(Op::kReduce, run_reduce, space_reduce);
  set(Op::kSoftmax, run_softmax);
  set(Op::kSoftmaxGrad, run_softmax_grad);
  set(Op::kLogsumexp, run_logsumexp);
  set(Op::kPick, run_pick);
  set(Op::kPickGrad, run_pick_grad);
  set(Op::kLinear, run_linear, space_linear);
  set(Op::kLinearGradX, run_linear_grad_x);
  set(Op::kLinearGradW, run_linear_grad_w);
  set(Op::kMatmul, run_matmul);
  set(Op::kNorm, run_norm);
  set(Op::kNormGrad, run_norm_grad, space_norm_grad);
  set(Op::kQkNorm, run_qk_norm);
  set(Op::kQkNormGrad, run_qk_norm_grad, space_qk_norm_grad);
  set(Op::kRope, run_rope);
  set(Op::kAttention, run_attention);
  set(Op::kAttentionGrad, run_attention_grad, space_attention_grad);
  set(Op::kGlu, run_glu);
  set(Op::kGluGrad, run_glu_grad);
  set(Op::kEmbedding, run_embedding);
  set(Op::kEmbeddingGrad, run_embedding_grad, space_scatter);
  set(Op::kLinearCe, run_linear_ce, space_linear_ce);
  set(Op::kLinearCeGrad, run_linear_ce_grad, space_linear_ce_grad);
  set(Op::kLinearLogprob, run_linear_logprob, space_linear_logprob);
  return k;
}

constexpr std::array<KernelDef, usize(kOpCount)> kKernels = make_kernels();

void release_storage(void* base, i64) {
  release(base);
}

Storage allocate_storage(i64 bytes) {
  use_device(in_use()->index);  // the current device is per thread
  const Device device{Device::kCuda, static_cast<i16>(in_use()->index)};
  return Storage(device, allocate(bytes), bytes, release_storage);
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

// Throws if a kernel met bad data since the last time.
void check_fault(Stream* stream) {
  Fault fault;
  download(&fault, engine().fault, sizeof fault, stream);
  if (fault.taken == 0) return;
  set_zero(engine().fault, sizeof fault, stream);
  throw Error(ErrorKind::kData, cat(fault_name(fault.kind), " ", fault.value, " at row ", fault.row,
                                    " is outside [0, ", fault.limit, ")"));
}

void finish(Stream* stream) {
  wait(stream);
  check_fault(stream);
}

// Results leave the device here: none that comes from bad data does.
void read_back(void* dst, const void* src, i64 bytes, Stream* stream) {
  download(dst, src, bytes, stream);
  check_fault(stream);
}

// Weights are used where they lie: nothing is kept between runs.
class NoState : public BackendState {
 public:
  void clear() override {}
};

std::unique_ptr<BackendState> make_state() {
  return std::make_unique<NoState>();
}

std::unique_ptr<DeviceInUse> start(int index) {
  std::string why;
  const i64 count = device_count(&why);
  if (count == 0 || index < 0 || index >= count) {
    throw Error(ErrorKind::kUnavailable,
                count == 0 ? cat("device cuda:", index, ": ", why)
                           : cat("device cuda:", index, ": there are only ", count),
                "--device cpu always works");
  }
  std::unique_ptr<DeviceInUse> device = std::make_unique<DeviceInUse>();
  device->index = index;
  use_device(index);
  device->table = load_cublaslt();
  device->engine.capability = capability();
  const i64 workspace = (device->engine.capability >= 90 ? 32 : 4) * kMiB;
  device->gemm = std::make_unique<GemmCache>(device->table, allocate(workspace), workspace);
  device->engine.gemm = device->gemm.get();
  device->engine.fault = static_cast<Fault*>(allocate(sizeof(Fault)));
  set_zero(device->engine.fault, sizeof(Fault), nullptr);
  Backend& b = device->backend;
  b.name = "cuda";
  b.device = Device{Device::kCuda, static_cast<i16>(index)};
  b.kernels = kKernels;
  b.allocate = allocate_storage;
  b.zero = set_zero;
  b.to_device = upload;
  b.to_host = read_back;
  b.synchronize = finish;
  b.make_state = make_state;
  return device;
}

}  // namespace

const Engine& engine() {
  return in_use()->engine;
}

Availability available() {
  Availability a;
  a.devices = device_count(&a.reason);
  return a;
}

const Backend& cuda_backend(int index) {
  if (in_use() == nullptr) in_use() = start(index).release();
  if (in_use()->index != index) {
    throw Error(ErrorKind::kUnavailable,
                cat("device cuda:", index, ": this process runs on cuda:", in_use()->index));
  }
  use_device(index);
  return in_use()->backend;
}

}  // namespace lm::cuda
