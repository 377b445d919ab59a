#include "cpu/backend.h"

#include <array>
#include <cstring>

#include "core/parallel.h"
#include "cpu/pointwise.h"
#include "cpu/table.h"

namespace lm {

namespace {

using namespace cpu;

constexpr KernelTable kKernels =
    kernel_table({LM_KERNELS(LM_KERNEL_ENTRY) LM_HOST_KERNELS(LM_KERNEL_ENTRY)},
                 {{Op::kScatterAddRows, space_scatter},
                  {Op::kReduce, space_reduce},
                  {Op::kNormGrad, space_norm_grad},
                  {Op::kQkNormGrad, space_qk_norm_grad},
                  {Op::kAttentionGrad, space_attention_grad},
                  {Op::kEmbeddingGrad, space_scatter},
                  {Op::kScanGrad, space_recurrent_grad},
                  {Op::kLstmGrad, space_recurrent_grad},
                  {Op::kConvGrad, space_recurrent_grad},
                  {Op::kLinearAttentionGrad, space_recurrent_grad},
                  {Op::kLinearCe, space_linear_ce},
                  {Op::kLinearCeGrad, space_linear_ce_grad},
                  {Op::kLinearLogprob, space_linear_logprob}});

class CpuBackend : public Backend {
 public:
  CpuBackend() : Backend("cpu", Device{}, kKernels) {}
  Storage allocate(i64 bytes) const override { return Storage::cpu(bytes); }
  void zero(void* dst, i64 bytes) const override {
    u8* to = static_cast<u8*>(dst);
    parallel_for(bytes, 1 << 18,
                 [to](i64 begin, i64 end) { std::memset(to + begin, 0, usize(end - begin)); });
  }
  void copy(void* dst, const void* src, i64 bytes) const override {
    if (bytes > 0) std::memcpy(dst, src, usize(bytes));
  }
  void to_device(void* dst, const void* src, i64 bytes) const override { copy(dst, src, bytes); }
  void to_host(void* dst, const void* src, i64 bytes) const override { copy(dst, src, bytes); }
  void synchronize() const override {}
  std::unique_ptr<BackendState> make_state() const override { return make_weight_cache(); }
  void adamw(const AdamWStep& step, i64 n, const f32* grad, f32* w, f32* m, f32* v,
             u16* w16) const override {
    cpu::adamw(n, step, grad, w, m, v);
    if (w16 != nullptr) cpu::f32_to_bf16(n, w, w16);
  }
  f64 sum_squares(i64 n, const f32* x) const override { return cpu::sum_squares(n, x); }
  void round_to_bf16(i64 n, const f32* x, u16* y) const override { cpu::f32_to_bf16(n, x, y); }
};

}  // namespace

const Backend& cpu_backend() {
  static const CpuBackend backend;
  return backend;
}

}  // namespace lm
