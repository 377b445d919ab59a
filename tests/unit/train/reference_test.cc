// Loss curves of PyTorch runs from the same weights and data (scripts/bench/train_reference and
// sft_reference).

#include <cmath>

#include <nlohmann/json.hpp>

#include "catch.h"
#include "cpu/backend.h"
#include "io/file.h"
#include "tiny.h"
#include "train/packed_source.h"

using namespace lm;

namespace {

u32 name_hash(std::string_view name) {
  u32 h = 2166136261u;
  for (const char c : name)
    h = (h ^ static_cast<u8>(c)) * 16777619u;
  return h;
}

/// A model folder whose tensors hold the reference's formula, loaded.
model::Model formula_model(const model::ModelCfg& cfg, const std::string& folder) {
  model::save_model(folder, model::new_model(cfg, 0), {});
  const std::string path = folder + "/model.safetensors";
  std::vector<OwnedTensor> owned;
  std::vector<SafeWrite> writes;
  {
    const SafeFile file(path);
    for (const SafeEntry& entry : file.entries()) {
      OwnedTensor& t = owned.emplace_back(entry.shape);
      std::string name = entry.name;
      if (name.starts_with("transformer.")) name.erase(0, 12);
      const bool one =
          name.find("norm") != std::string::npos || name.find("ln_") != std::string::npos;
      for (i64 i = 0; i < t.view.count(); ++i) {
        const u32 bits = test::mix(static_cast<u32>(i) * 2654435761u + name_hash(name));
        const f64 u = static_cast<f64>(bits) / 4294967296.0 - 0.5;
        t.view.f32_data()[i] = name.ends_with("bias") ? 0.0f
                               : one                  ? 1.0f
                                                      : static_cast<f32>(u * 0.05);
      }
      writes.push_back({entry.name, t.view});
    }
  }
  write_safetensors(path, writes);
  std::filesystem::remove(folder + "/manifest.json");
  return model::load_model(folder);
}

}  // namespace

TEST_CASE("200 steps follow PyTorch's loss curve within one percent", "[train]") {
  const nlohmann::json golden =
      nlohmann::json::parse(io::read_file(test::golden_file("train/curves.json")));
  const std::vector<i32> tokens = test::formula_tokens(200 * 8 * 32 + 1);
  for (const char* family : {"gpt2", "llama"}) {
    const test::TempDir dir;
    const LocalContext ctx;
    const std::unique_ptr<comm::Comm> comm = comm::self_comm();
    model::Model model = formula_model(test::tiny_config(family), dir.file("model"));
    train::Trainer trainer(model, test::tiny_options(), *comm, *ctx, cpu_backend());
    f64 worst = 0;
    for (i64 t = 0; t < 200; ++t) {
      const f64 loss = trainer.step(test::consecutive(tokens, t * 8, 8, 32)).loss;
      const f64 theirs = golden[family][usize(t)].get<f64>();
      worst = std::max(worst, std::abs(loss - theirs) / theirs);
    }
    INFO(family << ": largest relative difference " << worst);
    CHECK(worst < 0.01);
  }
}

TEST_CASE("50 steps of fine-tuning follow PyTorch's masked loss to 1e-4", "[train]") {
  const nlohmann::json golden =
      nlohmann::json::parse(io::read_file(test::golden_file("train/sft.json")));
  const std::vector<i32> tokens = test::formula_tokens(6000);
  train::RecordStore store;
  i64 at = 0;
  for (u32 r = 0; r < 300; ++r) {
    const i64 prompt = 2 + test::mix(r) % 6, completion = 1 + test::mix(r + 1000) % 5;
    std::vector<u8> loss(usize(prompt + completion), 1);
    std::fill_n(loss.begin(), prompt, u8{0});
    store.add(std::span(tokens).subspan(usize(at), loss.size()), loss);
    at += isize(loss);
  }
  train::PackedSource source(std::move(store), {.seq_len = 32, .shuffle = false});
  train::TrainOptions options = test::tiny_options(50);
  options.objective.name = "sft";
  options.batch = 4;
  options.micro_batch = 2;
  const test::TempDir dir;
  const LocalContext ctx;
  const std::unique_ptr<comm::Comm> comm = comm::self_comm();
  model::Model model = formula_model(test::tiny_config("llama"), dir.file("model"));
  train::Trainer trainer(model, options, *comm, *ctx, cpu_backend());
  f64 worst = 0;
  train::Examples batch;
  for (i64 t = 0; t < 50; ++t) {
    batch.clear();
    source.next(4, batch);
    const train::StepResult result = trainer.step(batch);
    CHECK(result.targets == golden["targets"][usize(t)].get<i64>());
    worst = std::max(worst, std::abs(result.loss - golden["losses"][usize(t)].get<f64>()));
  }
  INFO("largest difference " << worst << " nats");
  CHECK(worst < 1e-4);
}
