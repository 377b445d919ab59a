// The same bytes whatever the machine does, and refusals that name what is wrong.

#include "fixture.h"
#include "merge/diff.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;
using lm::test::Numbers;
using lm::test::TestTensor;

namespace {

std::vector<TestTensor> model_tensors(u64 seed, DType dtype) {
  return {{"model.embed_tokens.weight", dtype, {33, 1000}, test::normal(33000, seed)},
          {"model.layers.0.mlp.weight", dtype, {700, 301}, test::normal(700 * 301, seed + 1000)},
          {"model.layers.1.mlp.weight", dtype, {2, 90001}, test::normal(180002, seed + 2000)},
          {"model.norm.weight", dtype, {1000}, test::normal(1000, seed + 3000)},
          {"model.none", dtype, {0, 4}, {}},
          {"model.one", dtype, Shape{}, {1.5}},
          {"model.ids", DType::kI32, {5}, {1, 2, 3, 4, 5}}};
}

std::string all_bytes(const merge::MemorySink& sink) {
  std::string out;
  for (const auto& [name, stored] : sink.tensors())
    append(out, name, to_string(stored.shape), stored.bytes);
  return out;
}

std::string recipe_of(const merge::Method& method, const std::vector<std::string>& paths) {
  std::string text = cat("merge_method: ", method.name, "\n");
  const bool one = method.max_models == 1;
  const bool two = method.max_models == 2;
  const bool base = method.base != merge::BaseUse::kNone;
  if (base) append(text, "base_model: ", paths[0], "\n");
  text += "models:\n";
  const std::size_t first = base ? 1 : 0;
  const std::size_t most = one ? 1 : method.base == merge::BaseUse::kFirst ? 1 : two ? 2 : 3;
  for (std::size_t i = first; i < first + most; ++i)
    append(text, "  - model: ", paths[i], "\n");
  text += "parameters:\n";
  for (const merge::ParamDef& def : method.params) {
    if (def.name == "weight") text += "  weight: 0.4\n";
    if (def.name == "t") text += "  t: 0.3\n";
    if (def.name == "density") text += "  density: 0.6\n";
    if (def.name == "scale") text += "  scale: 0.5\n";
    if (def.name == "flatten") text += "  flatten: false\n";
    if (def.name == "select_topk") text += "  select_topk: 0.5\n";
    if (def.name == "fisher") append(text, "  fisher: ", paths[0], "\n");
    if (def.name == "decay") text += "  decay: 0.5\n";
  }
  return text;
}

}  // namespace

TEST_CASE("every method gives the same bytes for any threads, tiles and shards", "[merge]") {
  for (const DType dtype : {DType::kBf16, DType::kF32}) {
    const test::TempDir dir;
    std::vector<std::string> whole;
    std::vector<std::string> sharded;
    for (u64 m = 0; m < 4; ++m) {
      const std::vector<TestTensor> tensors = model_tensors(m + 1, dtype);
      whole.push_back(test::write_model(dir, cat("w", m), tensors));
      sharded.push_back(test::write_model(dir, cat("s", m), tensors, {}, 300000));
    }
    for (const merge::Method& method : merge::methods()) {
      if (method.name == "regmean") continue;  // reference_test.cc
      INFO(method.name);
      std::string want;
      for (const int threads : {1, 2, 8}) {
        for (const i64 tile : {i64{1} << 16, i64{8} << 20}) {
          for (const std::vector<std::string>* const paths : {&whole, &sharded}) {
            set_threads(threads);
            LocalContext local(threads);
            Context ctx = *local;
            ctx.seed = 5;
            const merge::Recipe recipe = merge::parse_recipe(recipe_of(method, *paths), "r.yaml");
            const merge::MemorySink sink = test::merged(recipe, ctx, {}, {.tile_bytes = tile});
            const std::string got = all_bytes(sink);
            if (want.empty()) want = got;
            CHECK(got == want);
          }
        }
      }
      set_threads(1);
      CHECK(want.size() > 100000);
    }
  }
}

TEST_CASE("digests of what was read do not depend on how it was read", "[merge]") {
  const test::TempDir dir;
  const std::vector<TestTensor> tensors = model_tensors(1, DType::kBf16);
  const std::string a = test::write_model(dir, "a", tensors);
  const std::string b = test::write_model(dir, "b", tensors, {}, 300000);
  std::vector<TestTensor> changed = tensors;
  changed[3].values[999] += 1;
  const std::string c = test::write_model(dir, "c", changed);
  std::vector<merge::ReadDigest> digests;
  for (const std::string method : {"passthrough", "linear", "model_stock", "arcee_fusion"}) {
    for (const std::string& model : {a, b}) {
      merge::Recipe recipe;
      recipe.method = merge::find_method(method);
      recipe.where = "test";
      if (recipe.method->base == merge::BaseUse::kRequired) recipe.base = c;
      recipe.models = {merge::parse_operand(model, *recipe.method)};
      if (recipe.method->max_models > 1)
        recipe.models.push_back(merge::parse_operand(c, *recipe.method));
      if (recipe.base == c) recipe.models.resize(1);
      if (method == "model_stock")
        recipe.models.push_back(merge::parse_operand(dir.file("d"), *recipe.method));
      if (method == "model_stock") test::write_model(dir, "d", model_tensors(9, DType::kBf16));
      for (merge::RecipeModel& one : recipe.models)
        if (recipe.method->find("weight")) one.params["weight"] = {{"", {"1"}, ""}};
      LocalContext ctx;
      merge::Plan plan = merge::make_plan(recipe, {}, *ctx);
      merge::MemorySink sink;
      const merge::EngineReport report = merge::run(plan.tensors, sink, {}, *ctx);
      for (const auto& [number, read] : report.read) {
        if (plan.inputs[number].path == model) digests.push_back(read);
      }
    }
  }
  REQUIRE(digests.size() == 8);
  for (const merge::ReadDigest& one : digests) {
    CHECK(one.lo == digests[0].lo);
    CHECK(one.hi == digests[0].hi);
    CHECK(one.tensors == 7);
  }
}

TEST_CASE("what cannot be merged is refused by file, tensor and reason", "[merge]") {
  const test::TempDir dir;
  const auto one = [&](const char* name, const std::vector<TestTensor>& tensors,
                       const std::string& config = {}) {
    return test::write_model(dir, name, tensors, config);
  };
  const auto linear = [](const std::string& a, const std::string& b) {
    return cat("merge_method: linear\nmodels: [{model: ", a, "}, {model: ", b,
               "}]\nparameters: {weight: 1}\n");
  };
  const std::string a = one("a",
                            {{"model.embed_tokens.weight", DType::kF32, {3, 2}, Numbers(6, 1.0)},
                             {"n", DType::kI32, {1}, {7}}},
                            R"({"model_type":"llama","vocab_size":3})");
  SECTION("a tensor is missing") {
    const std::string b = one("b", {{"n", DType::kI32, {1}, {7}}});
    CHECK_THROWS_WITH(test::merged_yaml(linear(a, b)),
                      ContainsSubstring("b: tensor \"model.embed_tokens.weight\" is missing"));
    merge::PlanOptions options;
    options.missing = merge::Missing::kSkip;
    CHECK(test::merged_yaml(linear(a, b), options)
              .tensors()
              .find("model.embed_tokens.weight")
              ->second.bytes == test::stored({"", DType::kF32, {}, Numbers(6, 1.0)}));
    options.missing = merge::Missing::kZero;
    CHECK(test::merged_yaml(linear(a, b), options)
              .tensors()
              .find("model.embed_tokens.weight")
              ->second.bytes == test::stored({"", DType::kF32, {}, Numbers(6, 0.5)}));
  }
  SECTION("shapes differ") {
    const std::string b =
        one("b", {{"model.embed_tokens.weight", DType::kF32, {4, 3}, Numbers(12, 3.0)},
                  {"n", DType::kI32, {1}, {7}}});
    CHECK_THROWS_WITH(test::merged_yaml(linear(a, b)),
                      ContainsSubstring("is [4, 3], but ") && ContainsSubstring("has [3, 2]"));
    merge::PlanOptions options;
    options.embed_common = true;
    const merge::MemorySink sink = test::merged_yaml(linear(b, a), options);
    CHECK(to_string(sink.tensors().find("model.embed_tokens.weight")->second.shape) == "[3, 2]");
    CHECK(sink.tensors().find("model.embed_tokens.weight")->second.bytes ==
          test::stored({"", DType::kF32, {}, Numbers(6, 2.0)}));
    const std::string c = one("c", {{"model.norm.weight", DType::kF32, {2}, {1, 2}}});
    const std::string d = one("d", {{"model.norm.weight", DType::kF32, {3}, {1, 2, 3}}});
    CHECK_THROWS_WITH(test::merged_yaml(linear(c, d), options), ContainsSubstring("is [3], but "));
  }
  SECTION("integers differ") {
    const std::string b =
        one("b", {{"model.embed_tokens.weight", DType::kF32, {3, 2}, Numbers(6, 1.0)},
                  {"n", DType::kI32, {1}, {8}}});
    CHECK_THROWS_WITH(test::merged_yaml(linear(a, b)),
                      ContainsSubstring("tensor \"n\" differs from ") && ContainsSubstring("i32"));
  }
  SECTION("an integer beside a number") {
    const std::string b =
        one("b", {{"model.embed_tokens.weight", DType::kF32, {3, 2}, Numbers(6, 1.0)},
                  {"n", DType::kF32, {1}, {8}}});
    CHECK_THROWS_WITH(test::merged_yaml(linear(a, b)),
                      ContainsSubstring("is of type f32, but another model has i32"));
  }
  SECTION("families differ") {
    const std::string b = one("b", {{"n", DType::kI32, {1}, {7}}}, R"({"model_type":"gpt2"})");
    CHECK_THROWS_WITH(
        test::merged_yaml(linear(a, b)),
        ContainsSubstring("a model of type gpt2, but ") && ContainsSubstring("is of type llama"));
  }
  SECTION("a result beyond its type") {
    const std::string b = one("b", {{"x", DType::kF32, {2}, {1, 70000}}});
    const std::string c = one("c", {{"x", DType::kF32, {2}, {1, 70000}}});
    merge::PlanOptions options;
    options.out_dtype = DType::kF16;
    CHECK_THROWS_WITH(
        test::merged_yaml(linear(b, c), options),
        ContainsSubstring("tensor \"x\": a merged element") && ContainsSubstring("range of f16"));
  }
}

TEST_CASE("a tied head is the embedding of the model that does not store it", "[merge]") {
  const test::TempDir dir;
  const TestTensor embed{"model.embed_tokens.weight", DType::kF32, {2, 2}, {1, 2, 3, 4}};
  const TestTensor head{"lm_head.weight", DType::kF32, {2, 2}, {5, 6, 7, 8}};
  const std::string tied =
      test::write_model(dir, "t", {embed}, R"({"model_type":"llama","tie_word_embeddings":true})");
  const std::string untied = test::write_model(
      dir, "u", {embed, head}, R"({"model_type":"llama","tie_word_embeddings":false})");
  const merge::Recipe recipe =
      merge::parse_recipe(cat("merge_method: linear\nmodels: [{model: ", tied,
                              "}, {model: ", untied, "}]\nparameters: {weight: 1}\n"),
                          "r.yaml");
  LocalContext ctx;
  merge::Plan plan = merge::make_plan(recipe, {}, *ctx);
  CHECK_THAT(plan.config_json, ContainsSubstring("\"tie_word_embeddings\": false"));
  merge::MemorySink sink;
  merge::run(plan.tensors, sink, {}, *ctx);
  CHECK(sink.tensors().find("lm_head.weight")->second.bytes ==
        test::stored({"", DType::kF32, {}, {3, 4, 5, 6}}));
}

TEST_CASE("a difference is measured tensor by tensor", "[merge]") {
  const test::TempDir dir;
  const std::string a = test::write_model(dir, "a",
                                          {{"x", DType::kF32, {4}, {3, 4, 0, 0}},
                                           {"y", DType::kF32, {1}, {1}},
                                           {"z", DType::kF32, {2}, {1, 2}},
                                           {"same", DType::kBf16, {2}, {1, -0.0}}});
  const std::string b = test::write_model(dir, "b",
                                          {{"x", DType::kBf16, {4}, {3, 0, 0, -4}},
                                           {"w", DType::kF32, {1}, {1}},
                                           {"z", DType::kF32, {1, 2}, {1, 2}},
                                           {"same", DType::kBf16, {2}, {1, -0.0}}});
  merge::InputModels models;
  const i64 first = models.open(a);
  const i64 second = models.open(b);
  std::map<std::string, merge::TensorDiff> found;
  const merge::DiffTotals totals =
      merge::diff(models[first], models[second], *LocalContext(),
                  [&](const merge::TensorDiff& one) { found[one.name] = one; });
  const merge::TensorDiff& x = found["x"];
  CHECK(x.state == merge::DiffState::kDiffers);
  CHECK(x.a_norm == 5);
  CHECK(x.b_norm == 5);
  CHECK(x.distance == std::sqrt(32.0));
  CHECK(x.cosine == 9.0 / 25);
  CHECK(x.same_sign == 0.5);
  CHECK(x.changed == 0.5);
  CHECK(x.max_abs == 4);
  CHECK(found["y"].state == merge::DiffState::kOnlyA);
  CHECK(found["w"].state == merge::DiffState::kOnlyB);
  CHECK(found["z"].state == merge::DiffState::kShape);
  CHECK(found["same"].state == merge::DiffState::kEqual);
  CHECK(totals.tensors == 5);
  CHECK(totals.equal == 1);
  CHECK(totals.missing == 2);
  CHECK_FALSE(totals.same());
}
