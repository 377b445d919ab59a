#include "ablate/merged_model.h"

#include <algorithm>

#include "../merge/fixture.h"
#include "tests_of_ablate.h"
#include "tiny_model.h"

using namespace lm;

namespace {

// A tiny model as another family stores it, for what is stored in parts or transposed.
std::string tiny_folder(const test::TempDir& dir, const std::string& name, u64 seed,
                        DType dtype = DType::kF32, const std::string& shape = "") {
  model::Model made = shape.empty()
                          ? test::make_tiny_model(seed)
                          : model::new_model(model::make_config(model::parse_shape(shape)), seed);
  model::SaveOptions options;
  options.dtype = dtype;
  model::save_model(dir.file(name), made, options);
  return dir.file(name);
}

std::vector<f32> weights_of(const model::Model& model) {
  std::vector<f32> out;
  for (const ParamInfo& param : model.params->set.list()) {
    const f32* const at = model.weights.data() + param.offset;
    out.insert(out.end(), at, at + param.count);
  }
  return out;
}

}  // namespace

TEST_CASE("a model in memory holds the mean that linear writes", "[ablate]") {
  const test::TempDir dir;
  for (const auto& [dtype, shape] :
       {std::pair<DType, std::string>{DType::kF32, ""},
        {DType::kBf16, ""},
        {DType::kF32, "family=gpt2,layers=2,width=16,heads=4,vocab=40,context=16"}}) {
    const std::string tag = cat(dtype_name(dtype), shape.size());
    std::vector<std::string> folders;
    for (u64 seed = 1; seed <= 3; ++seed)
      folders.push_back(tiny_folder(dir, cat("m", tag, seed), seed, dtype, shape));
    LocalContext local(2);
    merge::Recipe recipe;
    recipe.method = merge::find_method("linear");
    recipe.where = "test";
    const std::vector<f64> weights = {3, 1, 2};
    for (std::size_t i = 0; i < folders.size(); ++i)
      recipe.models.push_back(
          merge::parse_operand(cat(folders[i], ":", weights[i]), *recipe.method));
    merge::Plan plan = merge::make_plan(recipe, {}, *local);
    merge::merge_into_folder(plan, recipe, dir.file("merged" + tag), {}, {}, *local);
    ablate::MergedModel merged(folders[0], *local);
    CHECK(merged.mean_of(folders, weights) > 0);
    CHECK(weights_of(merged.model()) == weights_of(model::load_model(dir.file("merged" + tag))));
    // And it can be filled anew.
    merged.mean_of({folders[1]}, {1});
    CHECK(weights_of(merged.model()) == weights_of(model::load_model(folders[1])));
  }
}

TEST_CASE("the order of units does not change a bit of their mean", "[ablate]") {
  const test::TempDir dir;
  std::vector<std::size_t> order = {0, 1, 2, 3};
  std::vector<std::string> folders;
  const std::vector<f64> weights = {100, 103, 99, 103};
  for (u64 seed = 1; seed <= 4; ++seed)
    folders.push_back(tiny_folder(dir, cat("m", seed), seed));
  LocalContext local(2);
  ablate::MergedModel merged(folders[0], *local);
  merged.mean_of(folders, weights);
  const std::vector<f32> first = weights_of(merged.model());
  while (std::next_permutation(order.begin(), order.end())) {
    std::vector<std::string> names;
    std::vector<f64> shares;
    for (const std::size_t i : order) {
      names.push_back(folders[i]);
      shares.push_back(weights[i]);
    }
    merged.mean_of(names, shares);
    REQUIRE(weights_of(merged.model()) == first);
  }
}

TEST_CASE("the mean of models after one step is the model after one step on all", "[ablate]") {
  // L_u(x) = |x - c_u|^2 / 2: a step of rate r from x leads to x - r (x - c_u). The mean over units
  // is the step along the mean gradient.
  const test::Numbers start = test::normal(500, 1);
  constexpr f64 kRate = 0.3;
  test::VectorMerge mean{.method = "linear", .shape = {}, .base = {}, .models = {}};
  mean.dtype = DType::kF32;
  test::Numbers sequential = start;
  for (u64 unit = 0; unit < 3; ++unit) {
    const test::Numbers centre = test::normal(500, 10 + unit);
    test::Numbers stepped = start;
    for (std::size_t i = 0; i < start.size(); ++i) {
      stepped[i] -= kRate * (start[i] - centre[i]);
      sequential[i] -= kRate * (start[i] - centre[i]) / 3;
    }
    mean.models.push_back(stepped);
  }
  test::check_close(mean(), sequential, 1e-6);
}

TEST_CASE("a model of another shape is refused by the tensor's name", "[ablate]") {
  const test::TempDir dir;
  const std::string a = tiny_folder(dir, "a", 1);
  const std::string b = dir.file("b");
  model::save_model(b, test::make_tiny_model(1, 262, 64, 32), {});
  LocalContext local(1);
  ablate::MergedModel merged(a, *local);
  const std::string refusal = test::refusal_of([&] { merged.mean_of({b}, {1}); });
  CHECK(refusal.find("has shape") != std::string::npos);
}
