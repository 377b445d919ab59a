// Models run from their files: the same logits as from memory, in the file's type, without a second
// copy; and the identity of a folder.

#include "model/mapped_weights.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "engine_rows.h"
#include "io/file.h"
#include "model/checkpoint.h"
#include "model/engine.h"
#include "stored_weights.h"

using namespace lm;
using namespace lm::model;

namespace {

namespace fs = std::filesystem;

const char* const kShapes[] = {
    "family=gpt2,layers=2,width=12,heads=3,vocab=50,context=40",
    "family=llama,layers=2,width=24,heads=6,kv_heads=2,head_dim=4,ffn=10,vocab=50,context=40",
    "family=llama,layers=1,width=16,heads=2,vocab=50,context=40,tied=true,bias=true",
    "family=llama,layers=1,width=64,heads=2,ffn=128,vocab=50,context=40",  // parts of whole panels
    "family=mixtral,layers=1,width=24,heads=2,ffn=20,vocab=50,context=40,moe=n=3",
};

std::vector<f32> logits_of(const ModelRef& model) {
  Engine engine(model);
  const i32 seq = engine.create();
  const std::vector<i32> tokens = test::random_tokens(30, 4);
  engine.eval(test::chain(seq, tokens));
  std::vector<f32> out;
  for (i64 i = 0; i < isize(tokens); ++i)
    out.insert(out.end(), engine.logits(i).begin(), engine.logits(i).end());
  engine.commit(seq);
  const std::span<const f32> next = engine.step(seq, 7);
  out.insert(out.end(), next.begin(), next.end());
  return out;
}

void save_as(const std::string& folder, const Model& model, DType dtype) {
  SaveOptions options;
  options.dtype = dtype;
  save_model(folder, model, options);
}

/// One byte of a file, in place; size and name stay.
void flip_byte(const std::string& path, i64 at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(byte);
}

}  // namespace

TEST_CASE("a mapped model has the bits of the same numbers in memory", "[model]") {
  for (const char* const shape : kShapes) {
    for (const DType dtype : {DType::kF32, DType::kBf16, DType::kF16}) {
      CAPTURE(shape, dtype_name(dtype));
      const test::TempDir dir;
      save_as(dir.file("m"), test::scaled_model(shape, 8), dtype);
      const Model widened = load_model(dir.file("m"));
      const MappedModel mapped = map_model(dir.file("m"));
      const std::vector<f32> expected = logits_of(widened);
      CHECK(logits_of(mapped) == expected);
      CHECK(logits_of(mapped) == expected);  // what the first engine let go comes back
      for (i32 i = 0; i < mapped.params->set.size(); ++i) {
        const bool matrix = mapped.params->set[i].shape.rank == 2;
        CHECK(mapped.weights->dtype(i) == (matrix ? dtype : DType::kF32));
      }
    }
  }
}

TEST_CASE("a parameter stored in several types is assembled as f32", "[model]") {
  const test::TempDir dir;
  const Model model = test::scaled_model(kShapes[1], 8);
  save_model(dir.file("m"), model, {});
  // Keys in bf16 beside f32 queries.
  test::StoredWeights stored(model.cfg, model.params->set, model.weights);
  std::vector<OwnedTensor> copies;
  for (SafeWrite& one : stored.tensors) {
    if (one.name.find("k_proj.weight") == std::string::npos) continue;
    copies.emplace_back(one.tensor.shape, DType::kBf16);
    copy_convert(one.tensor, copies.back().view);
    one.tensor = copies.back().view;
  }
  write_safetensors(dir.file("m/model.safetensors"), stored.tensors);
  const Model widened = load_model(dir.file("m"));
  const MappedModel mapped = map_model(dir.file("m"));
  CHECK(mapped.weights->dtype(mapped.params->set.find("blocks.0.attn.qkv.weight")) == DType::kF32);
  CHECK(logits_of(mapped) == logits_of(widened));
}

TEST_CASE("held parameters have the numbers that loading gives", "[model]") {
  const test::TempDir dir;
  save_model(dir.file("m"), test::scaled_model(kShapes[0], 8), {});
  const Model model = load_model(dir.file("m"));
  const MappedModel mapped = map_model(dir.file("m"));
  for (i32 i = 0; i < model.params->set.size(); ++i) {
    for (int again = 0; again < 2; ++again) {
      mapped.weights->hold(i);
      mapped.weights->hold(i);
      const Tensor a = model.weights[i];
      const Tensor b = (*mapped.weights)[i];
      CAPTURE(model.params->set[i].name);
      CHECK(a.shape == b.shape);
      CHECK(std::memcmp(a.data, b.data, usize(a.count() * 4)) == 0);
      mapped.weights->drop(i);
    }
  }
}

TEST_CASE("the identity of a model changes with every byte that matters", "[model]") {
  const test::TempDir dir;
  const std::string folder = dir.file("m");
  save_model(folder, test::scaled_model(kShapes[1], 8), {});
  const std::string recorded = model_digest(folder);
  CHECK(recorded.size() == std::string("xxh3:").size() + 32);

  // The files read give what the manifest records.
  fs::rename(folder + "/manifest.json", dir.file("manifest"));
  CHECK(model_digest(folder) == recorded);
  fs::rename(dir.file("manifest"), folder + "/manifest.json");
  fs::copy(folder, dir.file("copy"));
  CHECK(model_digest(dir.file("copy")) == recorded);

  // A weight changed after the manifest was written, then without a manifest.
  const std::string weights = folder + "/model.safetensors";
  const i64 last = static_cast<i64>(fs::file_size(weights)) - 2;
  flip_byte(weights, last);
  fs::last_write_time(weights,  // as a copy that keeps times
                      fs::last_write_time(folder + "/manifest.json") - std::chrono::hours(1));
  const std::string changed = model_digest(folder);
  CHECK(changed != recorded);
  fs::remove(folder + "/manifest.json");
  CHECK(model_digest(folder) == changed);
  flip_byte(weights, last);
  CHECK(model_digest(folder) == recorded);

  std::ofstream(folder + "/config.json", std::ios::app) << "\n";
  CHECK(model_digest(folder) != recorded);
  // A manifest that is not what it should be is no reason to stop, and none to believe it.
  const std::string read = model_digest(folder);
  CHECK(read != recorded);
  for (const char* const text :
       {"", "{", "[]", "{\"files\":[]}", "{\"files\":{\"model.safetensors\":1}}",
        "{\"files\":{\"model.safetensors\":{\"bytes\":\"x\",\"xxh3\":\"y\"}}}",
        "{\"files\":{\"model.safetensors\":{\"bytes\":1,\"xxh3\":2}}}", "\xff\xfe"}) {
    CAPTURE(text);
    std::ofstream(folder + "/manifest.json") << text;
    CHECK(model_digest(folder) == read);
  }
}

TEST_CASE("an engine's memory is known before it is made", "[model]") {
  const test::TempDir dir;
  const Model model = test::scaled_model(kShapes[1], 8);
  save_model(dir.file("f32"), model, {});
  save_as(dir.file("bf16"), model, DType::kBf16);
  EngineOptions options;
  options.positions = 40;
  const i64 wide = Engine::host_bytes(map_model(dir.file("f32")), options);
  const i64 half = Engine::host_bytes(map_model(dir.file("bf16")), options);
  i64 matrices = 0;  // but the embedding, which is read where it is mapped
  i64 largest = 0;   // may be assembled while it is packed
  for (const ParamInfo& info : model.params->set.list())
    if (info.shape.rank == 2 && info.name != "embed.weight") {
      matrices += info.count;
      largest = std::max(largest, info.count);
    }
  CHECK(wide - half == 2 * (matrices + largest));
  CHECK(wide > 4 * matrices);
}
