#include "model/device.h"

#include "core/error.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "cuda_backend.h"

namespace lm::model {

const Backend& backend_for(std::string_view device, bool wish) {
  if (device == "cpu") return cpu_backend();
  const bool choose = device == "auto";
  i64 index = 0;
  if (device.starts_with("cuda:")) {
    index = parse_int(device.substr(5)).value_or(-1);
  } else if (!choose && device != "cuda") {
    index = -1;
  }
  if (index < 0 || index > 4095) {
    throw Error(ErrorKind::kUsage,
                cat("--device: ", quote(device), " is not auto, cpu or cuda[:I]"));
  }
  if (!choose && !wish) return cuda::cuda_backend(static_cast<int>(index));
  if (cuda::available().devices <= index) return cpu_backend();
  try {
    return cuda::cuda_backend(static_cast<int>(index));
  } catch (const Error& e) {  // busy, too old, or a library is missing
    if (e.kind() != ErrorKind::kUnavailable) throw;
    return cpu_backend();
  }
}

DType dtype_for(std::string_view dtype, const Backend& backend) {
  const bool cpu = backend.device == Device{};
  if (dtype == "auto") return cpu ? DType::kF32 : DType::kBf16;
  if (dtype == "f32") return DType::kF32;
  if (dtype != "bf16")
    throw Error(ErrorKind::kUsage, cat("--dtype: ", quote(dtype), " is not auto, f32 or bf16"));
  if (cpu)
    throw Error(ErrorKind::kUnavailable, "--dtype bf16: the CPU computes in f32",
                "--device cuda has bf16");
  return DType::kBf16;
}

Compute compute_for(std::string_view device, std::string_view dtype, bool wish) {
  const Backend& backend = backend_for(device, wish);
  return {&backend, dtype_for(dtype, backend)};
}

}  // namespace lm::model
