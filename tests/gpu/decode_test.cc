// Decoding on a real device: paged attention and the inference engine, by the cases of the block
// emulator; and the speed of one sequence. Without a device the tests say so and are skipped.

#include <algorithm>
#include <iostream>
#include <memory>

#include "catch.h"
#include "core/clock.h"
#include "core/parallel.h"
#include "core/random.h"
#include "cuda_backend.h"
#include "gpu/device.h"
#include "model/engine.h"
#include "model/shape.h"
#include "unit/cuda/engine_cases.h"
#include "unit/cuda/paged_cases.h"

using namespace lm;
using namespace lm::test;

namespace {

// A model with cheap weights: every number of a matrix would be drawn for nothing.
model::Model quick_model(const char* shape) {
  model::Model out;
  out.cfg = model::make_config(model::parse_shape(shape));
  out.params = std::make_unique<const model::ModelParams>(model::make_params(out.cfg));
  out.weights = ParamSlab(out.params->set);
  const RandomStream random(1, RandomPurpose::kOther);
  f32* const w = out.weights.data();
  const i64 n = out.weights.elements();
  constexpr i64 kDrawn = 1 << 20;
  for (i64 i = 0; i < std::min(n, kDrawn); ++i)
    w[i] = 0.04f * static_cast<f32>(random.uniform(static_cast<u64>(i)) - 0.5);
  for (i64 i = kDrawn; i < n; i += kDrawn)
    std::copy_n(w, std::min(kDrawn, n - i), w + i);
  return out;
}

// Tokens a second of one sequence, greedily, with a cache of `prompt` tokens.
void time_decoding(const char* name, const char* shape, i64 prompt) {
  constexpr i64 kSteps = 128;
  const model::Model m = quick_model(shape);
  model::EngineOptions options;
  options.cache_tokens = m.cfg.context;
  options.activation = DType::kBf16;
  model::Engine engine(m, options, cuda::cuda_backend());
  const i32 seq = engine.create();
  std::vector<i32> tokens(usize(prompt), 5);
  engine.prefill(seq, tokens);
  const auto step = [&] {
    const std::span<const f32> logits = engine.step(seq, tokens.back());
    tokens.back() =
        static_cast<i32>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  };
  for (int i = 0; i < 8; ++i)
    step();
  const f64 start = monotonic_s();
  for (i64 i = 0; i < kSteps; ++i)
    step();
  const f64 wall_s = (monotonic_s() - start) / kSteps;
  // An untied embedding table is looked up, not read.
  const i64 read = m.weights.elements() - (m.cfg.tied ? 0 : m.cfg.vocab * m.cfg.width);
  std::cout << "{\"case\":\"decode " << name << "\",\"parameters\":" << m.weights.elements()
            << ",\"prompt\":" << prompt << ",\"wall_s\":" << wall_s
            << ",\"tokens_per_s\":" << 1 / wall_s
            << ",\"gb_per_s\":" << 2e-9 * static_cast<f64>(read) / wall_s << "}\n";
}

}  // namespace

TEST_CASE("paged attention on the device agrees with the reference", "[gpu][decode]") {
  if (!device_present()) LM_SKIP("no CUDA device");
  check_paged_values(cuda::cuda_backend());
  check_paged_bits(cuda::cuda_backend());
}

TEST_CASE("the engine on the device decodes as the CPU does", "[gpu][decode]") {
  if (!device_present()) LM_SKIP("no CUDA device");
  check_engine_values(cuda::cuda_backend());
  check_engine_bits(cuda::cuda_backend());
  check_engine_bf16(cuda::cuda_backend());
}

TEST_CASE("paged attention under the memory checker", "[.][gpu][sanitize]") {
  if (!device_present()) LM_SKIP("no CUDA device");
  check_paged_small(cuda::cuda_backend());
}

TEST_CASE("figures of decoding", "[.][gpu][figures][decode]") {
  if (!device_present()) LM_SKIP("no CUDA device");
  time_decoding("1.1B bf16",
                "family=llama,layers=22,width=2048,heads=32,kv_heads=4,ffn=5632,vocab=32000,"
                "context=2048",
                256);
  time_decoding("124M bf16", "family=gpt2,layers=12,width=768,heads=12,vocab=50304,context=1024",
                256);
}
