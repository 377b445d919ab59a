#include "model/checkpoint.h"

#include <cstring>
#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"
#include "model/mapping.h"
#include "model/shape.h"
#include "stored_weights.h"
#include "tensor/safetensors.h"

using namespace lm;
using namespace lm::model;

namespace {

namespace fs = std::filesystem;

const char* const kShapes[] = {
    "family=gpt2,layers=2,width=12,heads=3,vocab=20,context=8",
    "family=gpt2,layers=1,width=8,heads=2,vocab=20,context=8,tied=false,ffn=20",
    "family=llama,layers=2,width=12,heads=6,kv_heads=2,head_dim=4,ffn=10,vocab=20,context=8",
    "family=llama,layers=1,width=8,heads=2,vocab=20,context=8,tied=true,bias=true",
};

Model make(const std::string& shape, u64 seed = 5) {
  return new_model(make_config(parse_shape(shape)), seed);
}

bool same_weights(const Model& a, const Model& b) {
  return a.weights.elements() == b.weights.elements() &&
         std::memcmp(a.weights.data(), b.weights.data(), usize(4 * a.weights.elements())) == 0;
}

std::string message_of(const std::function<void()>& call, ErrorKind kind) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.message();
  }
  return "no error";
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// The model's tensors as they would be written, for tests that change some.
struct Stored : test::StoredWeights {
  explicit Stored(const Model& m) : StoredWeights(m.cfg, m.params->set, m.weights) {}
  void save(const std::string& folder) {
    write_safetensors((fs::path(folder) / "model.safetensors").string(), tensors);
  }
  SafeWrite& operator[](const std::string& name) {
    for (SafeWrite& one : tensors)
      if (one.name == name) return one;
    throw std::runtime_error("no tensor " + name);
  }
};

}  // namespace

TEST_CASE("write, read, write of a model folder gives equal bytes", "[model]") {
  for (const char* const shape : kShapes) {
    for (const DType dtype : {DType::kF32, DType::kBf16, DType::kF16}) {
      CAPTURE(shape, dtype_name(dtype));
      test::TempDir dir;
      const Model model = make(shape);
      SaveOptions options;
      options.dtype = dtype;
      save_model(dir.file("a"), model, options);
      const Model read = load_model(dir.file("a"));
      CHECK(read.stored == dtype);
      if (dtype == DType::kF32) CHECK(same_weights(model, read));
      save_model(dir.file("b"), read, options);
      for (const char* const name :
           {"config.json", "generation_config.json", "model.safetensors", "manifest.json"}) {
        CAPTURE(name);
        CHECK(io::read_file(dir.file(std::string("a/") + name)) ==
              io::read_file(dir.file(std::string("b/") + name)));
      }
      CHECK(model_digest(dir.file("a")) == model_digest(dir.file("b")));
      CHECK(verify_folder(dir.file("a")).empty());
    }
  }
}

TEST_CASE("checkpoint tensors hold the rows and orientation their names promise", "[model]") {
  const Model gpt2 = make(kShapes[0]);
  const std::vector<TensorMap> maps = tensor_maps(gpt2.cfg, gpt2.params->set);
  CHECK(isize(maps) == gpt2.params->set.size());
  test::TempDir dir;
  save_model(dir.file("m"), gpt2, {});
  const SafeFile file(dir.file("m/model.safetensors"));
  // c_attn is stored [in, out]: element (c, r) is our (r, c).
  const SafeEntry* c_attn = file.find("h.1.attn.c_attn.weight");
  REQUIRE(c_attn != nullptr);
  CHECK(c_attn->shape == Shape{12, 36});
  const Tensor qkv = gpt2.weights[gpt2.params->set.find("blocks.1.attn.qkv.weight")];
  const f32* stored = entry_tensor(*c_attn).f32_data();
  CHECK(stored[3 * 36 + 20] == qkv.f32_data()[20 * 12 + 3]);
  CHECK(file.find("lm_head.weight") == nullptr);

  const Model llama = make(kShapes[2]);
  save_model(dir.file("l"), llama, {});
  const SafeFile other(dir.file("l/model.safetensors"));
  // heads 6, kv heads 2, head size 4: q has 24 rows, k rows 24..31, v rows 32..39.
  const SafeEntry* k = other.find("model.layers.0.self_attn.k_proj.weight");
  const SafeEntry* up = other.find("model.layers.1.mlp.up_proj.weight");
  REQUIRE(k != nullptr);
  REQUIRE(up != nullptr);
  CHECK(k->shape == Shape{8, 12});
  CHECK(up->shape == Shape{10, 12});
  const Tensor stacked = llama.weights[llama.params->set.find("blocks.0.attn.qkv.weight")];
  CHECK(stacked.shape == Shape{40, 12});
  CHECK(std::memcmp(k->data, stacked.f32_data() + 24 * 12, 8 * 12 * 4) == 0);
  const Tensor gate_up = llama.weights[llama.params->set.find("blocks.1.mlp.gate_up.weight")];
  CHECK(std::memcmp(up->data, gate_up.f32_data() + 10 * 12, 10 * 12 * 4) == 0);
  CHECK(other.find("lm_head.weight") != nullptr);
}

TEST_CASE("shards with an index load like one file", "[model]") {
  test::TempDir dir;
  const Model model = make(kShapes[2]);
  SaveOptions options;
  options.max_shard_bytes = 2000;
  save_model(dir.file("m"), model, options);
  CHECK(fs::exists(dir.file("m/model.safetensors.index.json")));
  CHECK_FALSE(fs::exists(dir.file("m/model.safetensors")));
  CHECK(same_weights(load_model(dir.file("m")), model));
  CHECK(verify_folder(dir.file("m")).empty());
}

TEST_CASE("a family prefix, mask buffers and a repeated tied head are accepted", "[model]") {
  test::TempDir dir;
  const Model model = make(kShapes[0]);
  save_model(dir.file("m"), model, {});
  Stored stored(model);
  for (SafeWrite& one : stored.tensors)
    one.name = "transformer." + one.name;
  const OwnedTensor mask({1, 1, 8, 8}, DType::kU8);
  const OwnedTensor scalar(Shape{});
  stored.tensors.push_back({"transformer.h.0.attn.bias", mask.view});
  stored.tensors.push_back({"h.1.attn.masked_bias", scalar.view});
  stored.tensors.push_back({"lm_head.weight", model.weights[0]});
  stored.save(dir.file("m"));
  CHECK(same_weights(load_model(dir.file("m")), model));

  const Model llama = make(kShapes[3]);
  save_model(dir.file("l"), llama, {});
  Stored bare(llama);
  for (SafeWrite& one : bare.tensors)
    one.name = one.name.substr(std::strlen("model."));
  bare.save(dir.file("l"));
  CHECK(same_weights(load_model(dir.file("l")), llama));
}

TEST_CASE("a checkpoint that does not fit its config is refused with file, tensor and shapes",
          "[model]") {
  test::TempDir dir;
  const std::string folder = dir.file("m");
  const std::string file = folder + "/model.safetensors";
  const Model model = make(kShapes[0]);
  save_model(folder, model, {});
  const auto refusal = [&](Stored& stored) {
    stored.save(folder);
    return message_of([&] { load_model(folder); }, ErrorKind::kData);
  };
  {
    Stored stored(model);
    stored["h.1.mlp.c_fc.bias"].name = "h.1.mlp.c_fc.b1as";
    CHECK(refusal(stored) == file + ": unexpected tensor \"h.1.mlp.c_fc.b1as\" of shape [48]");
  }
  {
    Stored stored(model);
    std::erase_if(stored.tensors, [](const SafeWrite& w) { return w.name == "ln_f.bias"; });
    CHECK(refusal(stored) == file + ": tensor \"ln_f.bias\" is missing, expected shape [12]");
  }
  {
    Stored stored(model);
    stored["wte.weight"].tensor = slice(stored["wte.weight"].tensor, 0, 19);
    CHECK(refusal(stored) ==
          file + ": tensor \"wte.weight\" has shape [19, 12], expected [20, 12]");
  }
  {
    Stored stored(model);
    const OwnedTensor ids({12}, DType::kI32);
    stored["ln_f.bias"].tensor = ids.view;
    CHECK(refusal(stored) ==
          file + ": tensor \"ln_f.bias\" is of type i32, expected f32, bf16, f16 or f64");
  }
  {
    Stored stored(model);
    stored.tensors.push_back({"transformer.ln_f.bias", stored["ln_f.bias"].tensor});
    CHECK_THAT(refusal(stored), Catch::Matchers::ContainsSubstring("with and without the prefix"));
  }
}

TEST_CASE("absent files of a folder are named", "[model]") {
  test::TempDir dir;
  CHECK_THAT(message_of([&] { load_model(dir.file("none")); }, ErrorKind::kNoInput),
             Catch::Matchers::ContainsSubstring("none/config.json"));
  save_model(dir.file("m"), make(kShapes[0]), {});
  fs::remove(dir.file("m/model.safetensors"));
  CHECK_THAT(message_of([&] { load_model(dir.file("m")); }, ErrorKind::kNoInput),
             Catch::Matchers::ContainsSubstring("m"));
}

TEST_CASE("end ids of generation_config.json join those of config.json", "[model]") {
  test::TempDir dir;
  Model model = make(kShapes[0]);
  model.cfg.eos = {9};
  model.generation_json = R"({"eos_token_id": [4, 9, 11], "temperature": 0.6})";
  save_model(dir.file("m"), model, {});
  CHECK(load_config(dir.file("m")).end_ids == std::vector<i32>{4, 9, 11});
  CHECK(load_config(dir.file("m")).eos == std::vector<i32>{9});
  save_model(dir.file("n"), load_model(dir.file("m")), {});
  CHECK(io::read_file(dir.file("n/config.json")) == io::read_file(dir.file("m/config.json")));
  CHECK(load_model(dir.file("m")).generation_json == model.generation_json);
  write_text(dir.file("m/generation_config.json"), R"({"eos_token_id": "x"})");
  CHECK_THAT(message_of([&] { load_config(dir.file("m")); }, ErrorKind::kData),
             Catch::Matchers::ContainsSubstring("generation_config.json: key \"eos_token_id\""));
}

TEST_CASE("tokenizer files travel with the model", "[model]") {
  test::TempDir dir;
  save_model(dir.file("a"), make(kShapes[0]), {});
  write_text(dir.file("a/tokenizer.json"), "{\"tokens\": 1}");
  write_text(dir.file("a/merges.txt"), "a b\n");
  write_text(dir.file("a/notes.txt"), "not a tokenizer file");
  save_model(dir.file("b"), load_model(dir.file("a")), {});
  CHECK(io::read_file(dir.file("b/tokenizer.json")) == "{\"tokens\": 1}");
  CHECK(fs::exists(dir.file("b/merges.txt")));
  CHECK_FALSE(fs::exists(dir.file("b/notes.txt")));
}

TEST_CASE("a manifest takes what is known of written files, and reads the others", "[model]") {
  test::TempDir dir;
  fs::create_directories(dir.file("m"));
  write_text(dir.file("m/a"), "one");
  write_text(dir.file("m/b"), "two");
  const std::vector<WrittenFile> known = {{"b", 7, 0x1234}};
  write_manifest(dir.file("m"), known);
  const io::Json files = io::Json::parse(io::read_file(dir.file("m/manifest.json")))["files"];
  CHECK(files["a"]["bytes"] == 3);
  CHECK(files["a"]["xxh3"] == hex64(xxh3_64("one")));
  CHECK(files["b"]["bytes"] == 7);
  CHECK(files["b"]["xxh3"] == hex64(0x1234));
}

TEST_CASE("a damaged folder fails verification, a foreign folder is never replaced", "[model]") {
  test::TempDir dir;
  const Model model = make(kShapes[0]);
  save_model(dir.file("m"), model, {});
  std::string bytes = io::read_file(dir.file("m/model.safetensors"));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_text(dir.file("m/model.safetensors"), bytes);
  CHECK(verify_folder(dir.file("m")) == "model.safetensors does not have the recorded digest");
  bytes.pop_back();
  write_text(dir.file("m/model.safetensors"), bytes);
  CHECK(verify_folder(dir.file("m")) ==
        cat("model.safetensors has ", bytes.size(), " bytes, expected ", bytes.size() + 1));
  fs::remove(dir.file("m/model.safetensors"));
  CHECK(verify_folder(dir.file("m")) == "model.safetensors is missing");
  save_model(dir.file("m"), model, {});  // a model folder may be replaced
  CHECK(verify_folder(dir.file("m")).empty());
  fs::remove(dir.file("m/manifest.json"));
  CHECK(verify_folder(dir.file("m")).empty());

  fs::create_directory(dir.file("papers"));
  write_text(dir.file("papers/thesis.txt"), "precious");
  CHECK_THAT(
      message_of([&] { save_model(dir.file("papers"), model, {}); }, ErrorKind::kCannotCreate),
      Catch::Matchers::ContainsSubstring("and no model"));
  write_text(dir.file("file"), "x");
  CHECK_THAT(message_of([&] { save_model(dir.file("file"), model, {}); }, ErrorKind::kCannotCreate),
             Catch::Matchers::ContainsSubstring("is not a folder"));
  CHECK(io::read_file(dir.file("papers/thesis.txt")) == "precious");
  // Nothing temporary is left behind.
  for (const fs::directory_entry& entry : fs::directory_iterator(dir.path()))
    CHECK(entry.path().filename().string()[0] != '.');
}

TEST_CASE("weights are stored as floating point of 16 or 32 bits only", "[model]") {
  test::TempDir dir;
  SaveOptions options;
  options.dtype = DType::kI32;
  CHECK_THAT(
      message_of([&] { save_model(dir.file("m"), make(kShapes[0]), options); }, ErrorKind::kUsage),
      Catch::Matchers::ContainsSubstring("i32"));
  CHECK_FALSE(fs::exists(dir.file("m")));
}

TEST_CASE("initial weights depend on seed and name only, with the stated spread", "[model]") {
  const ModelCfg cfg = make_config(parse_shape("gpt2-mini"));
  const ModelParams params = make_params(cfg);
  ParamSlab one(params.set);
  ParamSlab two(params.set, 7);  // other padding
  set_threads(1);
  init_params(params, 3, one);
  set_threads(7);
  init_params(params, 3, two);
  set_threads(2);
  CHECK(std::memcmp(one.data(), two.data(), usize(4 * params.set.list().back().offset)) == 0);
  // A deeper model shares the parameters it has in common, projections to the stream aside.
  ModelCfg deeper = cfg;
  deeper.layers.push_back(cfg.layers[0]);
  const ModelParams more = make_params(deeper);
  ParamSlab three(more.set);
  init_params(more, 3, three);
  const i32 here = params.set.find("norm.weight");
  CHECK(one[here].f32_data()[0] == 1.0f);
  const char* const qkv = "blocks.3.attn.qkv.weight";
  CHECK(std::memcmp(one[params.set.find(qkv)].data, three[more.set.find(qkv)].data,
                    256 * 768 * 4) == 0);
  const auto spread = [&](const char* name) {
    const Tensor t = one[params.set.find(name)];
    f64 squares = 0;
    for (i64 i = 0; i < t.count(); ++i)
      squares += static_cast<f64>(t.f32_data()[i]) * static_cast<f64>(t.f32_data()[i]);
    return std::sqrt(squares / static_cast<f64>(t.count()));
  };
  // Four standard errors of the standard deviation: 4 / sqrt(2 n), n >= 65,536: 1.1 %.
  CHECK(std::abs(spread("embed.weight") / 0.02 - 1) < 0.011);
  CHECK(std::abs(spread("blocks.2.mlp.down.weight") / (0.02 / std::sqrt(8.0)) - 1) < 0.011);
  CHECK(spread("blocks.2.mlp.down.bias") == 0.0);
  CHECK(params.set[params.set.find("embed.weight")].decay);
  CHECK_FALSE(params.set[here].decay);
}
