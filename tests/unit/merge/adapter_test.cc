#include "fixture.h"
#include "merge/inputs.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;
using lm::test::Numbers;
using lm::test::TestTensor;

namespace {

constexpr const char* kPrefix = "base_model.model.";

// A folder as PEFT saves it.
std::string write_adapter(const test::TempDir& dir, const std::string& name,
                          const std::vector<TestTensor>& tensors, const std::string& config) {
  const std::string folder = dir.file(name);
  std::filesystem::create_directories(folder);
  SafeWriter writer = SafeWriter::to_file(folder + "/adapter_model.safetensors");
  for (const TestTensor& one : tensors)
    writer.declare(one.name, one.dtype, one.shape);
  writer.begin();
  for (const i64 number : writer.order())
    writer.write_bytes(tensors[usize(number)].name, test::stored(tensors[usize(number)]));
  writer.commit();
  io::write_file(folder + "/adapter_config.json", config);
  return folder;
}

std::string settings(const std::string& more = {}) {
  return R"({"peft_type":"LORA","r":2,"lora_alpha":8,"target_modules":["q"])" + more + "}";
}

TestTensor factor(const std::string& name, const Shape& shape, u64 seed,
                  DType dtype = DType::kF32) {
  return {kPrefix + name, dtype, shape, test::rounded(dtype, test::normal(shape.count(), seed))};
}

// base + scale B A, element by element; transposed: base is [in, out].
Numbers adapted(const TestTensor& base, const TestTensor& a, const TestTensor& b, f64 scale,
                bool transposed) {
  Numbers out = base.values;
  const i64 rank = a.shape[0];
  const i64 in = a.shape[1];
  for (i64 i = 0; i < base.shape[0]; ++i) {
    for (i64 j = 0; j < base.shape[1]; ++j) {
      f64 sum = 0;
      for (i64 k = 0; k < rank; ++k) {
        const i64 row = transposed ? j : i;
        const i64 col = transposed ? i : j;
        sum += b.values[usize(row * rank + k)] * a.values[usize(k * in + col)];
      }
      out[usize(i * base.shape[1] + j)] += scale * sum;
    }
  }
  return out;
}

TestTensor weight(const std::string& name, const Shape& shape, u64 seed,
                  DType dtype = DType::kF32) {
  return {name, dtype, shape, test::rounded(dtype, test::normal(shape.count(), seed))};
}

Numbers merged_tensor(const std::string& model, const std::string& name, i64 tile = 1 << 20) {
  const merge::MemorySink sink = test::merged_yaml(
      cat("merge_method: passthrough\nmodels: [\"", model, "\"]\n"), {}, {.tile_bytes = tile});
  const auto at = sink.tensors().find(name);
  REQUIRE(at != sink.tensors().end());
  return test::numbers(at->second.dtype, at->second.bytes);
}

std::string refusal(const std::string& model) {
  try {
    merge::InputModels().open(model);
  } catch (const Error& e) {
    return cat(e.message(), "\n", e.hint());
  }
  return {};
}

}  // namespace

TEST_CASE("an adapter's product is added to its base, whatever the tiles", "[merge]") {
  const test::TempDir dir;
  const DType dtype = GENERATE(DType::kF32, DType::kBf16);
  const TestTensor q = weight("model.layers.0.q.weight", {37, 5001}, 1, dtype);
  const TestTensor norm = weight("model.norm.weight", {7}, 2, dtype);
  const std::string base = test::write_model(dir, "base", {q, norm});
  const TestTensor a = factor("model.layers.0.q.lora_A.weight", {2, 5001}, 3);
  const TestTensor b = factor("model.layers.0.q.lora_B.weight", {37, 2}, 4, DType::kBf16);
  const std::string plain = write_adapter(dir, "plain", {a, b}, settings());
  const std::string root = write_adapter(dir, "root", {a, b}, settings(R"(,"use_rslora":true)"));
  const std::string pattern = write_adapter(
      dir, "pattern", {a, b}, settings(R"(,"alpha_pattern":{"layers.0.q":3,"layers.1.q":5})"));
  for (const auto& [adapter, scale] :
       {std::pair{plain, 4.0}, {root, 8 / std::sqrt(2.0)}, {pattern, 1.5}}) {
    const Numbers want = test::rounded(dtype, adapted(q, a, b, scale, false));
    const Numbers got = merged_tensor(cat(base, "+", adapter), q.name);
    // One rounding, after sums in f32 for 16-bit weights.
    test::check_close(got, want, dtype == DType::kF32 ? 1e-7 : 8e-3);
    CHECK(got == merged_tensor(cat(base, "+", adapter), q.name, 1 << 16));
    CHECK(merged_tensor(cat(base, "+", adapter), norm.name) == norm.values);
  }
}

TEST_CASE("embeddings and layers stored as [in, out] take the transposed product", "[merge]") {
  const test::TempDir dir;
  const TestTensor conv = weight("h.0.c_attn.weight", {5, 9}, 1);
  const TestTensor wte = weight("wte.weight", {11, 5}, 2);
  const TestTensor head = weight("lm_head.weight", {11, 5}, 3);
  const std::string base = test::write_model(dir, "base", {conv, wte, head});
  const TestTensor ca = factor("transformer.h.0.c_attn.lora_A.weight", {2, 5}, 4);
  const TestTensor cb = factor("transformer.h.0.c_attn.lora_B.weight", {9, 2}, 5);
  const TestTensor ea = factor("transformer.wte.lora_embedding_A", {2, 11}, 6);
  const TestTensor eb = factor("transformer.wte.lora_embedding_B", {5, 2}, 7);
  const TestTensor ha = factor("lm_head.lora_A.weight", {2, 5}, 8);
  const TestTensor hb = factor("lm_head.lora_B.weight", {11, 2}, 9);
  const std::string model = cat(base, "+",
                                write_adapter(dir, "adapter", {ca, cb, ea, eb, ha, hb},
                                              settings(R"(,"fan_in_fan_out":true)")));
  test::check_close(merged_tensor(model, conv.name), adapted(conv, ca, cb, 4, true), 1e-6);
  test::check_close(merged_tensor(model, wte.name), adapted(wte, ea, eb, 4, true), 1e-6);
  test::check_close(merged_tensor(model, head.name), adapted(head, ha, hb, 4, false), 1e-6);
}

TEST_CASE("modules that were saved whole replace the base's", "[merge]") {
  const test::TempDir dir;
  const std::string config = R"({"tie_word_embeddings":true})";
  const std::string base =
      test::write_model(dir, "base", {weight("model.embed_tokens.weight", {4, 2}, 1)}, config);
  const TestTensor head = factor("lm_head.weight", {4, 2}, 2);
  const TestTensor old = factor("model.embed_tokens.modules_to_save.default.weight", {4, 2}, 3);
  const std::string model = cat(base, "+", write_adapter(dir, "adapter", {head, old}, settings()));
  CHECK(merged_tensor(model, "lm_head.weight") == head.values);
  CHECK(merged_tensor(model, "model.embed_tokens.weight") == old.values);
}

TEST_CASE("an adapter alone goes on the base of the recipe, or on the one it names", "[merge]") {
  const test::TempDir dir;
  const TestTensor q = weight("q.weight", {3, 4}, 1);
  const std::string base = test::write_model(dir, "ba+se", {q});
  const TestTensor a = factor("q.lora_A.weight", {2, 4}, 2);
  const TestTensor b = factor("q.lora_B.weight", {3, 2}, 3);
  const Numbers want = adapted(q, a, b, 4, false);
  const std::string named = write_adapter(
      dir, "named", {a, b}, settings(cat(R"(,"base_model_name_or_path":")", base, "\"")));
  test::check_close(merged_tensor(named, q.name), want, 1e-6);
  const std::string lone =
      write_adapter(dir, "lone", {a, b}, settings(R"(,"base_model_name_or_path":"org/base")"));
  CHECK_THAT(refusal(lone), ContainsSubstring("org/base"));
  const merge::MemorySink sink =
      test::merged_yaml(cat("merge_method: task_arithmetic\nbase_model: ", base,
                            "\nmodels: [{model: ", lone, ", parameters: {weight: 0.5}}]\n"));
  Numbers half = want;
  for (std::size_t i = 0; i < half.size(); ++i)
    half[i] = (half[i] + q.values[i]) / 2;
  test::check_close(test::numbers(DType::kF32, sink.tensors().find(q.name)->second.bytes), half,
                    1e-6);
  // mergekit's long form
  const merge::Recipe recipe = merge::parse_recipe(
      cat("merge_method: passthrough\nmodels:\n  - model: {model: {path: ", base, "}, lora: ", lone,
          "}\n"),
      "r.yaml");
  CHECK(recipe.models[0].path == cat(base, "+", lone));
  merge::InputModels models;
  CHECK(models[models.open(recipe.models[0].path)].label() == "ba+se+lone");
}

TEST_CASE("adapters that do not fit are refused", "[merge]") {
  const test::TempDir dir;
  const std::string base = test::write_model(
      dir, "base", {weight("q.weight", {3, 4}, 1), {"n.weight", DType::kI32, {3, 4}, Numbers(12)}});
  const TestTensor a = factor("q.lora_A.weight", {2, 4}, 2);
  const TestTensor b = factor("q.lora_B.weight", {3, 2}, 3);
  int number = 0;
  const auto refused = [&](const std::vector<TestTensor>& tensors, const std::string& config) {
    return refusal(cat(base, "+", write_adapter(dir, cat("x", number++), tensors, config)));
  };
  CHECK_THAT(refused({a, b}, settings()), Catch::Matchers::Equals(""));
  CHECK_THAT(refused({a}, settings()), ContainsSubstring("stands alone, expected factor B too"));
  CHECK_THAT(refused({}, settings()), ContainsSubstring("holds no tensors"));
  CHECK_THAT(refused({a, b}, R"({"r":3,"lora_alpha":1})"), ContainsSubstring("says rank 3"));
  CHECK_THAT(refused({a, b}, R"({"lora_alpha":1})"), ContainsSubstring("\"r\""));
  CHECK_THAT(refused({a, b}, settings(R"(,"use_dora":true)")), ContainsSubstring("DoRA"));
  CHECK_THAT(refused({a, b}, R"({"peft_type":"IA3"})"), ContainsSubstring("LORA"));
  CHECK_THAT(refused({a, factor("q.lora_B.weight", {5, 2}, 1)}, settings()),
             ContainsSubstring("change of shape [5, 4]"));
  CHECK_THAT(refused({factor("k.lora_A.weight", {2, 4}, 1), factor("k.lora_B.weight", {3, 2}, 1)},
                     settings()),
             ContainsSubstring("does not store"));
  CHECK_THAT(refused({factor("n.lora_A.weight", {2, 4}, 1), factor("n.lora_B.weight", {3, 2}, 1)},
                     settings()),
             ContainsSubstring("whose type is i32"));
  CHECK_THAT(refused({a, b, factor("q.lora_magnitude_vector", {3}, 1)}, settings()),
             ContainsSubstring("neither a factor"));
  CHECK_THAT(refused({a, b}, settings(R"(,"rank_pattern":{"q":0})")),
             ContainsSubstring("rank_pattern"));
  CHECK_THAT(refusal(cat(base, "+", dir.file("none"))), ContainsSubstring("no such adapter"));
}
