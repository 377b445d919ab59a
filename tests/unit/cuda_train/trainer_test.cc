// A trainer on the emulated device beside the CPU's.

#include <cmath>

#include "catch.h"
#include "core/parallel.h"
#include "cuda_backend.h"
#include "emulator.h"
#include "unit/train/tiny.h"

using namespace lm;
using namespace lm::test;

namespace {

constexpr i64 kSteps = 4;

train::TrainOptions small_options(DType activation) {
  train::TrainOptions options = tiny_options(kSteps);
  options.seq_len = 16;
  options.micro_batch = 2;
  options.batch = 4;
  options.activation = activation;
  return options;
}

struct Trained {
  std::vector<f64> losses;
  ParamSlab weights, m, v;
};

Trained train_on(const std::string& family, DType activation, const Backend& backend,
                 const model::EmbedCfg& embed = {}) {
  const LocalContext ctx;
  const std::unique_ptr<comm::Comm> comm = comm::self_comm();
  model::ModelCfg cfg = tiny_config(family, 16);
  cfg.embed = embed;
  train::TrainOptions options = small_options(activation);
  options.objective.drawn = {embed, cfg.vocab, cfg.width};
  model::Model model = model::new_model(cfg, 1);
  train::Trainer trainer(model, options, *comm, *ctx, backend);
  const std::vector<i32> tokens = formula_tokens(4 * kSteps * 16 + 1);
  Trained out;
  for (i64 step = 0; step < kSteps; ++step) {
    const train::StepResult result = trainer.step(consecutive(tokens, 4 * step, 4, 16));
    out.losses.push_back(result.loss);
  }
  for (ParamSlab* slab : {&out.weights, &out.m, &out.v})
    *slab = ParamSlab(model.params->set);
  trainer.fetch(out.weights, out.m, out.v);
  return out;
}

void check_near(const Trained& a, const Trained& b, f64 tolerance) {
  for (std::size_t i = 0; i < a.losses.size(); ++i)
    CHECK(std::abs(a.losses[i] - b.losses[i]) <= tolerance * b.losses[i]);
}

}  // namespace

TEST_CASE("a trainer on the emulated device follows the CPU's in f32", "[cuda]") {
  set_threads(2);
  for (const char* family : {"gpt2", "llama", "qwen3"}) {
    INFO(family);
    const Trained cpu = train_on(family, DType::kF32, cpu_backend());
    const Trained device = train_on(family, DType::kF32, cuda::cuda_backend());
    check_near(device, cpu, 1e-5);
    const Trained again = train_on(family, DType::kF32, cuda::cuda_backend());
    CHECK(again.losses == device.losses);
    CHECK(same_bits(again.weights, device.weights));
    CHECK(same_bits(again.m, device.m));
    CHECK(same_bits(again.v, device.v));
  }
}

TEST_CASE("drawn embeddings train on the emulated device as on the CPU", "[cuda]") {
  set_threads(2);
  for (const char* how : {"gaussian", "semi:0.5"}) {
    INFO(how);
    const model::EmbedCfg embed = model::parse_embed(how);
    const Trained cpu = train_on("llama", DType::kF32, cpu_backend(), embed);
    const Trained device = train_on("llama", DType::kF32, cuda::cuda_backend(), embed);
    check_near(device, cpu, 1e-5);
    const Trained again = train_on("llama", DType::kF32, cuda::cuda_backend(), embed);
    CHECK(again.losses == device.losses);
    CHECK(same_bits(again.weights, device.weights));
  }
}

TEST_CASE("bf16 activations over f32 weights stay near f32", "[cuda]") {
  set_threads(2);
  for (const char* family : {"gpt2", "llama", "qwen3"}) {
    INFO(family);
    const Trained exact = train_on(family, DType::kF32, cpu_backend());
    const Trained device = train_on(family, DType::kBf16, cuda::cuda_backend());
    check_near(device, exact, 5e-3);
    CHECK(device.losses != exact.losses);
    const Trained again = train_on(family, DType::kBf16, cuda::cuda_backend());
    CHECK(again.losses == device.losses);
    CHECK(same_bits(again.weights, device.weights));
    CHECK(same_bits(again.m, device.m));
    CHECK(same_bits(again.v, device.v));
  }
}

TEST_CASE("a full device names the micro-batch and what needs less", "[cuda]") {
  const LocalContext ctx;
  const std::unique_ptr<comm::Comm> comm = comm::self_comm();
  model::Model model = model::new_model(tiny_config("llama", 16), 1);
  train::TrainOptions options = small_options(DType::kF32);
  options.batch = options.micro_batch = 512;  // activations outgrow weights
  struct Restore {
    i64 before = emu::largest_allocation;
    ~Restore() { emu::largest_allocation = before; }
  } const restore;
  emu::largest_allocation = 4 * model.weights.bytes();
  try {
    const train::Trainer trainer(model, options, *comm, *ctx, cuda::cuda_backend());
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kOs);
    CHECK(e.message().starts_with("activations of a micro-batch of 512 x 16 tokens: asked for "));
    CHECK(e.hint().starts_with("a smaller --micro-batch"));
  }
}
