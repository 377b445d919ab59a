// The device calls of runtime.h through the CUDA runtime, which is linked statically: on a machine
// without a driver cudaGetDeviceCount says so and nothing else happens.

#include "runtime.h"

#include <cuda_runtime_api.h>

#include "core/error.h"
#include "core/str.h"

namespace lm::cuda {

namespace {

[[noreturn]] void fail(ErrorKind kind, cudaError_t code, std::string_view what) {
  throw Error(kind, cat("cuda: ", what, ": ", cudaGetErrorString(code)));
}

void check(cudaError_t code, std::string_view what) {
  if (code != cudaSuccess) fail(ErrorKind::kInternal, code, what);
}

cudaStream_t handle(Stream* stream) {
  return reinterpret_cast<cudaStream_t>(stream);
}

}  // namespace

i64 device_count(std::string* why) {
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code == cudaSuccess && count > 0) return count;
  if (why != nullptr)
    *why = code == cudaSuccess                   ? "no device present"
           : code == cudaErrorInsufficientDriver ? "no NVIDIA driver, or one too old for CUDA 13"
                                                 : cudaGetErrorString(code);
  cudaGetLastError();  // forget it: later launches must not report it again
  return 0;
}

void use_device(int device) {
  const cudaError_t code = cudaSetDevice(device);
  if (code != cudaSuccess) fail(ErrorKind::kUnavailable, code, cat("device ", device));
}

int capability() {
  int device = 0, major = 0, minor = 0;
  check(cudaGetDevice(&device), "current device");
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "capability");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "capability");
  return 10 * major + minor;
}

std::string device_name() {
  int device = 0;
  check(cudaGetDevice(&device), "current device");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "device properties");
  return properties.name;
}

void* allocate(i64 bytes) {
  void* base = nullptr;
  const cudaError_t code = cudaMalloc(&base, usize(bytes > 0 ? bytes : 1));
  if (code == cudaSuccess) return base;
  cudaGetLastError();
  std::size_t free_bytes = 0, total = 0;
  cudaMemGetInfo(&free_bytes, &total);
  fail(ErrorKind::kOs, code,
       cat("asked for ", bytes, " bytes of device memory, ", free_bytes, " of ", total,
           " are free"));
}

i64 free_memory() {
  std::size_t free_bytes = 0, total = 0;
  check(cudaMemGetInfo(&free_bytes, &total), "free memory");
  return static_cast<i64>(free_bytes);
}

void release(void* base) noexcept {
  cudaFree(base);
}

void set_zero(void* dst, i64 bytes, Stream* stream) {
  if (bytes > 0) check(cudaMemsetAsync(dst, 0, usize(bytes), handle(stream)), "clear memory");
}

void upload(void* dst, const void* src, i64 bytes, Stream* stream) {
  if (bytes <= 0) return;
  check(cudaMemcpyAsync(dst, src, usize(bytes), cudaMemcpyHostToDevice, handle(stream)),
        "copy to the device");
  check(cudaStreamSynchronize(handle(stream)), "copy to the device");
}

void download(void* dst, const void* src, i64 bytes, Stream* stream) {
  if (bytes <= 0) return;
  check(cudaMemcpyAsync(dst, src, usize(bytes), cudaMemcpyDeviceToHost, handle(stream)),
        "copy from the device");
  check(cudaStreamSynchronize(handle(stream)), "copy from the device");
}

void copy_within(void* dst, const void* src, i64 bytes, Stream* stream) {
  if (bytes > 0)
    check(cudaMemcpyAsync(dst, src, usize(bytes), cudaMemcpyDeviceToDevice, handle(stream)),
          "copy on the device");
}

Stream* make_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "create a stream");
  return reinterpret_cast<Stream*>(stream);
}

bool begin_capture(Stream* stream) {
  if (cudaStreamBeginCapture(handle(stream), cudaStreamCaptureModeThreadLocal) == cudaSuccess)
    return true;
  cudaGetLastError();
  return false;
}

void* end_capture(Stream* stream) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t ready = nullptr;
  if (cudaStreamEndCapture(handle(stream), &graph) == cudaSuccess && graph != nullptr &&
      cudaGraphInstantiate(&ready, graph, 0) != cudaSuccess)
    ready = nullptr;
  cudaGetLastError();
  if (graph != nullptr) cudaGraphDestroy(graph);
  return ready;
}

void launch_graph(void* graph, Stream* stream) {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), handle(stream)), "launch a graph");
}

void release_graph(void* graph) noexcept {
  if (graph != nullptr) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph));
}

void wait(Stream* stream) {
  check(cudaStreamSynchronize(handle(stream)), "run");
}

void check_launch(const char* kernel) {
  const cudaError_t code = cudaGetLastError();
  if (code == cudaErrorNoKernelImageForDevice || code == cudaErrorUnsupportedPtxVersion) {
    const int c = capability();
    throw Error(ErrorKind::kUnavailable,
                cat("cuda: ", device_name(), " has compute capability ", c / 10, ".", c % 10,
                    ", for which this build has no kernels"),
                "--device cpu always works; LM_CUDA_ARCHS says what a build is for");
  }
  if (code != cudaSuccess) fail(ErrorKind::kInternal, code, cat("kernel ", kernel));
}

}  // namespace lm::cuda
