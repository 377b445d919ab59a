// A whole small transformer, forward and backward, on the emulated device beside the CPU.

#include "catch.h"
#include "core/parallel.h"
#include "cpu/backend.h"
#include "cuda_backend.h"
#include "unit/ops/ref/cases.h"
#include "unit/ops/ref/tiny_model.h"

using namespace lm;
using namespace lm::test;

namespace {

// One step's loss, then all gradients, with everything bound in the backend's memory.
std::vector<f32> step(TinyModel& m, const Backend& backend) {
  std::vector<Storage> storages;
  const auto give = [&](const Tensor& host) {
    const i64 bytes = host.count() * item_bytes(host.dtype);
    storages.push_back(backend.allocate(bytes));
    Tensor t = make_tensor(storages.back().data(), host.shape, host.dtype, backend.device);
    backend.to_device(t.data, host.data, bytes);
    return t;
  };
  m.grads.zero();
  Executor exec(m.g, backend);
  exec.bind_params([&](i32 p) { return give(m.weights[p]); });
  std::vector<Tensor> grads(usize(m.params.size()));
  exec.bind_grads([&](i32 p) { return grads[usize(p)] = give(m.grads[p]); });
  exec.bind(m.tokens, give(m.token_data.view));
  exec.bind(m.targets, give(m.target_data.view));
  exec.bind(m.spans, give(m.span_data.view));
  exec.bind(m.positions, give(m.position_data.view));
  exec.bind(m.table, give(m.table_data.view));
  RunCtx ctx;
  ctx.seed = 5;
  ctx.step = 3;
  ctx.training = true;
  exec.run(ctx);
  std::vector<f32> out = {exec.scalar(m.loss)};
  for (const Tensor& g : grads) {
    std::vector<f32> part(usize(g.count()));
    backend.to_host(part.data(), g.data, g.count() * 4);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace

TEST_CASE("a training step on the emulated device agrees with the CPU's", "[cuda]") {
  set_threads(2);
  for (const f32 loss_scale : {1.0f, 0.5f}) {  // fused head gradient, recomputed head gradient
    TinyConfig cfg;
    cfg.dropout = 0.2f;
    cfg.loss_scale = loss_scale;
    cfg.policy = loss_scale == 1.0f ? Recompute::kNone : Recompute::kBlock;
    TinyModel m(cfg);
    m.init();
    m.fill_data();
    const std::vector<f32> cpu = step(m, cpu_backend());
    const std::vector<f32> device = step(m, cuda::cuda_backend());
    REQUIRE(device.size() == cpu.size());
    CHECK(nmse(device, Numbers(cpu.begin(), cpu.end())) <= 1e-10);
    CHECK(step(m, cuda::cuda_backend()) == device);
  }
}
