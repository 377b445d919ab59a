#include "merge/plan.h"

#include "fixture.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;
using lm::test::Numbers;
using lm::test::TestTensor;

namespace {

// Element values say where they come from: model, layer.
std::vector<TestTensor> layered(i64 layers, f64 model) {
  std::vector<TestTensor> tensors = {
      {"model.embed_tokens.weight", DType::kF32, {2, 2}, Numbers(4, model)},
      {"model.norm.weight", DType::kF32, {2}, Numbers(2, model)},
      {"lm_head.weight", DType::kF32, {2, 2}, Numbers(4, model)}};
  for (i64 layer = 0; layer < layers; ++layer) {
    tensors.push_back({cat("model.layers.", layer, ".mlp.weight"),
                       DType::kF32,
                       {2},
                       Numbers(2, model + static_cast<f64>(layer))});
    tensors.push_back({cat("model.layers.", layer, ".attn.weight"),
                       DType::kF32,
                       {1},
                       Numbers(1, model + static_cast<f64>(layer))});
  }
  return tensors;
}

std::string config(i64 layers) {
  std::string types;
  for (i64 layer = 0; layer < layers; ++layer)
    append(types, layer > 0 ? "," : "", "\"type", layer, "\"");
  return cat(R"({"model_type":"llama","num_hidden_layers":)", layers,
             R"(,"eos_token_id":[1,2,3],"vocab_size":2,"torch_dtype":"float32","layer_types":[)",
             types, "]}");
}

f64 first_of(const merge::MemorySink& sink, const std::string& name) {
  const auto at = sink.tensors().find(name);
  REQUIRE(at != sink.tensors().end());
  return test::numbers(at->second.dtype, at->second.bytes)[0];
}

}  // namespace

TEST_CASE("layers of one model are put together, renumbered", "[merge]") {
  const test::TempDir dir;
  const std::string a = test::write_model(dir, "a", layered(3, 0), config(3));
  const merge::Recipe recipe = merge::parse_recipe(
      cat("merge_method: passthrough\nslices:\n  - sources: [{model: ", a,
          ", layer_range: [0, 2]}]\n", "  - sources: [{model: ", a, ", layer_range: [1, 3]}]\n"),
      "r.yaml");
  LocalContext ctx;
  merge::Plan plan = merge::make_plan(recipe, {}, *ctx);
  CHECK_THAT(plan.config_json, ContainsSubstring("\"num_hidden_layers\": 4"));
  const std::string flat = [&] {
    std::string out;
    for (const char c : plan.config_json)
      if (c != ' ' && c != '\n') out.push_back(c);
    return out;
  }();
  CHECK_THAT(flat, ContainsSubstring(R"("layer_types":["type0","type1","type1","type2"])"));
  CHECK_THAT(flat, ContainsSubstring(R"("eos_token_id":[1,2,3])"));
  merge::MemorySink sink;
  merge::run(plan.tensors, sink, {}, *ctx);
  CHECK(sink.tensors().size() == 3 + 2 * 4);
  for (const auto& [layer, from] : {std::pair{0, 0}, {1, 1}, {2, 1}, {3, 2}})
    CHECK(first_of(sink, cat("model.layers.", layer, ".mlp.weight")) == from);
  const merge::Recipe beyond =
      merge::parse_recipe(cat("merge_method: passthrough\nslices:\n  - sources: [{model: ", a,
                              ", layer_range: [0, 4]}]\n"),
                          "r.yaml");
  CHECK_THROWS_WITH(merge::make_plan(beyond, {}, *ctx), ContainsSubstring("which has 3 layers"));
}

TEST_CASE("gradients run over the layers of a slice, embeddings at its begin, heads at its end",
          "[merge]") {
  const test::TempDir dir;
  const std::string a = test::write_model(dir, "a", layered(5, 0), config(5));
  std::vector<TestTensor> ones = layered(5, 0);
  for (TestTensor& tensor : ones)
    for (f64& value : tensor.values)
      value += 1;
  const std::string b = test::write_model(dir, "b", ones, config(5));
  const auto run = [&](const std::string& parameters) {
    return test::merged_yaml(cat("merge_method: linear\nmodels:\n  - {model: ", a,
                                 ", parameters: {weight: 1}}\n  - {model: ", b, ", parameters: ",
                                 parameters, "}\nparameters: {normalize: false}\n"));
  };
  const merge::MemorySink sink = run("{weight: [0, 0.5, 1]}");
  for (i64 layer = 0; layer < 5; ++layer) {
    const f64 l = static_cast<f64>(layer);
    CHECK(first_of(sink, cat("model.layers.", layer, ".mlp.weight")) == l + l / 4 * (l + 1));
  }
  CHECK(first_of(sink, "model.embed_tokens.weight") == 0);
  CHECK(first_of(sink, "lm_head.weight") == 1);
  CHECK(first_of(sink, "model.norm.weight") == 1);
  const merge::MemorySink filtered =
      run("{weight: [{filter: attn, value: 2}, {filter: layers.3, value: 3}, {value: 0}]}");
  CHECK(first_of(filtered, "model.layers.3.attn.weight") == 3 + 2 * 4);
  CHECK(first_of(filtered, "model.layers.3.mlp.weight") == 3 + 3 * 4);
  CHECK(first_of(filtered, "model.layers.2.mlp.weight") == 2);
}

TEST_CASE("the setting nearest to the source counts", "[merge]") {
  const test::TempDir dir;
  const std::string a = test::write_model(dir, "a", layered(2, 1), config(2));
  const auto scale = [&](const std::string& source, const std::string& slice,
                         const std::string& global) {
    const merge::MemorySink sink =
        test::merged_yaml(cat("merge_method: passthrough\nslices: [{sources: [{model: ", a,
                              ", layer_range: [0, 2]", source, "}]", slice, "}]\n", global));
    return first_of(sink, "model.layers.0.mlp.weight");
  };
  const std::string two = ", parameters: {scale: 2}";
  const std::string three = ", parameters: {scale: 3}";
  CHECK(scale(two, three, "parameters: {scale: 4}\n") == 2);
  CHECK(scale("", three, "parameters: {scale: 4}\n") == 3);
  CHECK(scale("", "", "parameters: {scale: 4}\n") == 4);
  CHECK(scale("", "", "") == 1);
  CHECK(scale(", parameters: {scale: [{filter: attn, value: 9}]}", three, "") == 3);
}

TEST_CASE("the type of the output: option, recipe, base", "[merge]") {
  const test::TempDir dir;
  const std::string a = test::write_model(dir, "a", layered(1, 1), config(1));
  const std::string text =
      cat("merge_method: linear\nmodels: [{model: ", a, "}]\nparameters: {weight: 1}\n");
  LocalContext ctx;
  const auto dtype = [&](const std::string& more, std::optional<DType> option) {
    merge::PlanOptions options;
    options.out_dtype = option;
    const merge::Plan plan = merge::make_plan(merge::parse_recipe(text + more, "r"), options, *ctx);
    return cat(dtype_name(plan.tensors[0].dtype), " ",
               plan.config_json.substr(plan.config_json.find("torch_dtype") + 15, 7));
  };
  CHECK(dtype("", std::nullopt) == "f32 float32");
  CHECK(dtype("dtype: bfloat16\n", std::nullopt) == "bf16 bfloat1");
  CHECK(dtype("dtype: bfloat16\nout_dtype: float16\n", std::nullopt) == "f16 float16");
  CHECK(dtype("dtype: bfloat16\nout_dtype: float16\n", DType::kF32) == "f32 float32");
}

TEST_CASE("tensors that are not chosen are the base's", "[merge]") {
  const test::TempDir dir;
  const std::string a = test::write_model(dir, "a", layered(2, 1), config(2));
  const std::string b = test::write_model(dir, "b", layered(2, 11), config(2));
  merge::PlanOptions options;
  options.names = merge::NameFilter("mlp", R"(layers\.1\.)");
  const merge::MemorySink sink =
      test::merged_yaml(cat("merge_method: linear\nbase_model: ", b, "\nmodels: [", a, ", ", b,
                            "]\nparameters: {weight: 1}\n"),
                        options);
  CHECK(first_of(sink, "model.layers.0.mlp.weight") == 6);
  CHECK(first_of(sink, "model.layers.1.mlp.weight") == 12);
  CHECK(first_of(sink, "model.norm.weight") == 11);
  CHECK(sink.tensors().size() == 7);
}

TEST_CASE("names are chosen by patterns that match somewhere", "[merge]") {
  const std::string name = "model.layers.1.mlp.weight";
  CHECK(merge::NameFilter().chooses(name));
  CHECK(merge::NameFilter("", "").chooses(name));
  CHECK(merge::NameFilter("mlp", "").chooses(name));
  CHECK(merge::NameFilter("^model.*weight$", "").chooses(name));
  CHECK_FALSE(merge::NameFilter("^mlp", "").chooses(name));
  CHECK_FALSE(merge::NameFilter("", "mlp").chooses(name));
  CHECK_FALSE(merge::NameFilter("mlp", R"(layers\.1\.)").chooses(name));
  CHECK(merge::NameFilter("mlp", R"(layers\.2\.)").chooses(name));
  CHECK_THROWS_WITH(merge::NameFilter("(", ""), ContainsSubstring("--include: "));
  CHECK_THROWS_WITH(merge::NameFilter("", "("), ContainsSubstring("--exclude: "));
}

TEST_CASE("required weights are asked for, not assumed, in a recipe", "[merge]") {
  const test::TempDir dir;
  const std::string a = test::write_model(dir, "a", layered(1, 1), config(1));
  CHECK_THROWS_WITH(test::merged_yaml(cat("merge_method: linear\nmodels:\n  - model: ", a, "\n")),
                    ContainsSubstring("r.yaml:3: linear needs weight"));
  CHECK_THROWS_WITH(
      test::merged_yaml(cat("merge_method: linear\nmodels: [", a, "]\nparameters: {weight: 0}\n")),
      ContainsSubstring("every model has weight 0"));
  CHECK_THROWS_WITH(test::merged_yaml(cat("merge_method: linear\nmodels: [{model: ", a,
                                          ", parameters: {weight: 1}}, {model: ", a,
                                          ", parameters: {weight: -1}}]\n")),
                    ContainsSubstring("add up to 0"));
}
