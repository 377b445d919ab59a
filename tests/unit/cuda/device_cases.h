#pragma once
// The operator case table on a backend with its own memory: the emulated device in test-cuda, a
// real one in test-gpu.

#include "graph/exec.h"
#include "unit/ops/ref/cases.h"

namespace lm::test {

/// A graph bound to copies of its data in the backend's memory, and run once.
class DeviceRun {
 public:
  DeviceRun(CaseGraph& c, const Backend& backend, ExecOptions options = {},
            const RunCtx& ctx = RunCtx{});
  /// A kept value or a parameter gradient, contiguous on the host, as 4-byte words.
  std::vector<u32> bits(Value v) const;
  std::vector<f32> floats(Value v) const;

 private:
  Tensor give(const Shape& shape, DType dtype, const void* data);
  const Backend& backend_;
  std::vector<Storage> storages_;
  std::unique_ptr<Executor> exec_;
};

/// For every case whose name contains `filter` and none of `without`: outputs against the
/// double-precision reference in guarded buffers; gradients against those of the CPU backend (which
/// its own tests check against finite differences); equal bits at a second run and without in-place
/// buffers.
using Words = std::vector<std::string_view>;
void check_outputs(const Backend& backend, std::string_view filter, const Words& without = {});
void check_gradients(const Backend& backend, std::string_view filter, const Words& without = {});
void check_repetition(const Backend& backend, std::string_view filter, const Words& without = {});

}  // namespace lm::test
