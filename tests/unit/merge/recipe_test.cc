#include "merge/recipe.h"

#include "fixture.h"
#include "merge/layers.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;

namespace {

f64 value(const merge::ParamSet& params, const merge::Method& method, const std::string& name,
          const std::string& tensor, f64 t) {
  return *merge::value_at(*merge::find_settings(params, name), *method.find(name), tensor, t);
}

void check_refused(const std::string& yaml, const std::string& why) {
  INFO(yaml);
  CHECK_THROWS_WITH(merge::parse_recipe(yaml, "r.yaml"), ContainsSubstring(why));
}

}  // namespace

TEST_CASE("a recipe is read with its settings, gradients and filters", "[merge]") {
  const merge::Recipe recipe = merge::parse_recipe(R"(
# a recipe as they are published
models:
  - model: base/model
  - model: org/math
    parameters:
      density: [1, 0.7, 0.1]  # gradient
      weight: 1.0
  - model: org/code
    parameters:
      density: 0.33
      weight:
        - filter: mlp
          value: 0.5
        - value: 0
merge_method: ties
base_model: base/model
parameters:
  normalize: true
  int8_mask: true
dtype: float16
out_dtype: bfloat16
tokenizer_source: base
)",
                                                   "r.yaml");
  CHECK(recipe.method->name == "ties");
  CHECK(recipe.base == "base/model");
  REQUIRE(recipe.models.size() == 3);
  CHECK(recipe.models[2].path == "org/code");
  CHECK(*recipe.dtype == DType::kF16);
  CHECK(*recipe.out_dtype == DType::kBf16);
  CHECK(recipe.tokenizer.source == "base");
  const merge::Method& ties = *recipe.method;
  CHECK(value(recipe.models[1].params, ties, "density", "x", 0) == 1);
  CHECK(value(recipe.models[1].params, ties, "density", "x", 0.5) == 0.7);
  CHECK(std::fabs(value(recipe.models[1].params, ties, "density", "x", 0.25) - 0.85) < 1e-12);
  CHECK(value(recipe.models[1].params, ties, "density", "x", 1) == 0.1);
  CHECK(value(recipe.models[2].params, ties, "weight", "model.layers.1.mlp.w", 0) == 0.5);
  CHECK(value(recipe.models[2].params, ties, "weight", "model.layers.1.attn.w", 0) == 0);
  CHECK(value(recipe.params, ties, "normalize", "x", 0) == 1);
}

TEST_CASE("words of other recipes have their meaning", "[merge]") {
  const merge::Recipe dare = merge::parse_recipe(
      "merge_method: dare_ties\nbase_model: b\nmodels: [b, {model: a}]\nparameters: {weight: 1, "
      "rescale: true}\n",
      "r");
  CHECK(value(dare.params, *dare.method, "rescale", "x", 0) == 2);  // l1
  const merge::Recipe none = merge::parse_recipe(
      "merge_method: dare_ties\nbase_model: b\nmodels: [a]\nparameters: {weight: 1, rescale: "
      "false}\n",
      "r");
  CHECK(value(none.params, *none.method, "rescale", "x", 0) == 0);
  const merge::Recipe rows = merge::parse_recipe(
      "merge_method: nuslerp\nmodels: [a, b]\nparameters: {weight: 1, nuslerp_flatten: false, "
      "nuslerp_row_wise: true}\n",
      "r");
  CHECK(rows.params.count("flatten") == 1);
  CHECK(rows.params.count("row_wise") == 1);
}

TEST_CASE("bad recipes are refused by line, with what is known", "[merge]") {
  check_refused("", "r.yaml: the recipe is not a map");
  check_refused("[1, 2]", "not a map");
  check_refused("a: [1\nb: }", "not YAML");
  check_refused("models: [a]\n", "no merge_method");
  check_refused("merge_method: linaer\nmodels: [a]\n", "r.yaml:1: unknown merge_method \"linaer\"");
  check_refused("merge_method: linear\nmodles: [a]\n", "r.yaml:2: unknown key \"modles\"");
  check_refused("merge_method: linear\nmodels: [a]\nmodels: [b]\n", "\"models\" stands twice");
  check_refused("merge_method: linear\n", "neither models nor slices");
  check_refused(
      "merge_method: linear\nmodels: [a]\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}]\n",
      "both models and slices");
  check_refused("merge_method: linear\nmodels: {a: 1}\n", "models is not a list");
  check_refused("merge_method: linear\nmodels: []\n", "models is an empty list");
  check_refused("merge_method: linear\nmodels:\n  - {model: a, parameters:\n      {wieght: 1}}\n",
                "r.yaml:4: linear has no parameter \"wieght\"");
  check_refused("merge_method: linear\nmodels:\n  - {model: a, parameters: {weight: much}}\n",
                "weight is \"much\", expected a number");
  check_refused("merge_method: linear\nmodels:\n  - {model: a, parameters: {normalize: true}}\n",
                "normalize belongs to the whole merge");
  check_refused("merge_method: linear\nmodels:\n  - {mdoel: a}\n",
                "unknown key \"mdoel\" in a model");
  check_refused("merge_method: linear\nmodels:\n  - {parameters: {weight: 1}}\n",
                "no model is named here");
  check_refused("merge_method: linear\nmodels: [a]\nparameters: {weight: []}\n",
                "weight is an empty list");
  check_refused("merge_method: linear\nmodels: [a]\nparameters: {weight: [{filter: x}]}\n",
                "has no value");
  check_refused(
      "merge_method: linear\nmodels: [a]\nparameters: {weight: [{fliter: x, value: 1}]}\n",
      "unknown key \"fliter\"");
  check_refused(
      "merge_method: ties\nbase_model: b\nmodels: [a, c]\nparameters: {weight: 1, density: 1.5}\n",
      "density is \"1.5\", expected a number from 0 to 1");
  check_refused("merge_method: dare_ties\nbase_model: b\nmodels: [a]\nparameters: {rescale: l3}\n",
                "expected one of: none inverse l1");
  check_refused("merge_method: ties\nmodels: [a, c]\n", "ties needs a base model");
  check_refused("merge_method: ties\nbase_model: b\nmodels: [a, b]\n",
                "ties needs 2 models beside the base, there is 1");
  check_refused("merge_method: slerp\nbase_model: a\nmodels: [a, b, c]\n",
                "slerp takes 2 models, there are 3");
  check_refused("merge_method: slerp\nbase_model: a\nmodels: [a]\n",
                "slerp needs 2 models, there is 1");
  check_refused(
      "merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [2, 1]}]}]\n",
      "0 <= FIRST < END");
  check_refused("merge_method: passthrough\nslices: [{sources: [{model: a}]}]\n", "no layer_range");
  check_refused(
      "merge_method: slerp\nbase_model: a\nslices: [{sources: [{model: a, layer_range: [0, 2]}, "
      "{model: b, layer_range: [0, 3]}]}]\n",
      "3 layers beside one of 2");
  check_refused("merge_method: linear\nmodels: [a]\ndtype: int8\n", "dtype is \"int8\"");
  check_refused("merge_method: linear\nmodels: [a]\ndtype: [x]\n", "dtype is not a word");
  check_refused("merge_method: linear\nmodels: [{model: {model: {path: a}, lorra: b}}]\n",
                "unknown key \"lorra\" in model");
  check_refused("merge_method: karcher\nmodels: [a, b]\nparameters: {max_iter: 1.5}\n",
                "max_iter is \"1.5\", expected a whole number");
}

TEST_CASE("operands hold weights and settings after the path", "[merge]") {
  const merge::Method& ties = *merge::find_method("ties");
  const merge::RecipeModel plain = merge::parse_operand("dir/a", ties);
  CHECK(plain.path == "dir/a");
  CHECK(plain.params.empty());
  const merge::RecipeModel full = merge::parse_operand("C:/a:b:0.5:density=.7,.2", ties);
  CHECK(full.path == "C:/a:b");
  CHECK(full.params.find("weight")->second[0].values[0] == "0.5");
  CHECK(full.params.find("density")->second[0].values == std::vector<std::string>{".7", ".2"});
  CHECK_THROWS_WITH(merge::parse_operand("a:densty=1", ties),
                    ContainsSubstring("no parameter \"densty\""));
  CHECK_THROWS_WITH(merge::parse_operand("a:lambda=1", ties),
                    ContainsSubstring("lambda belongs to the whole merge"));
  CHECK_THROWS_WITH(merge::parse_operand("a:density=2", ties),
                    ContainsSubstring("density is \"2\""));
  CHECK_THROWS_WITH(merge::parse_operand("a:0.5:weight=0.3", ties),
                    ContainsSubstring("weight is set twice"));
  merge::ParamSet set;
  CHECK_THROWS_WITH(merge::parse_setting("t", ties, "--set", set),
                    ContainsSubstring("not NAME=VALUE"));
  merge::parse_setting("lambda=2", ties, "--set", set);
  CHECK_THROWS_WITH(merge::parse_setting("lambda=2", ties, "--set", set),
                    ContainsSubstring("lambda is set twice"));
}

TEST_CASE("settings that would change nothing are refused", "[merge]") {
  merge::Recipe recipe;
  recipe.method = merge::find_method("ties");
  recipe.base = "base";
  recipe.where = "--method ties";
  const auto model = [&](const char* words) {
    recipe.models.push_back(merge::parse_operand(words, *recipe.method));
  };
  model("a:0.5");
  model("base");
  merge::check_settings_count(recipe);
  model("base:0.5");
  CHECK_THROWS_WITH(merge::check_settings_count(recipe),
                    ContainsSubstring("base:0.5: the base is not merged, its weight"));
  recipe.method = merge::find_method("linear");  // of which the base is one of the models
  merge::check_settings_count(recipe);
  recipe.method = merge::find_method("nuslerp");
  recipe.models.clear();
  merge::parse_setting("row_wise=true", *recipe.method, "--set", recipe.params);
  CHECK_THROWS_WITH(merge::check_settings_count(recipe),
                    ContainsSubstring("row_wise needs flatten=false"));
  merge::parse_setting("flatten=false", *recipe.method, "--set", recipe.params);
  merge::check_settings_count(recipe);
}

TEST_CASE("layers are found in the names of the families", "[merge]") {
  CHECK(*merge::layer_of("model.layers.12.self_attn.q_proj.weight") == 12);
  CHECK(*merge::layer_of("transformer.h.3.attn.c_attn.weight") == 3);
  CHECK(*merge::layer_of("transformer.blocks.7.norm_1.weight") == 7);
  CHECK(*merge::layer_of("h.0.ln_1.bias") == 0);
  CHECK(*merge::layer_of("bert.encoder.layer.4.output.weight") == 4);
  CHECK(*merge::layer_of("model.layers.3.mlp.experts.5.w1.weight") == 3);
  CHECK_FALSE(merge::layer_of("model.norm.weight"));
  CHECK_FALSE(merge::layer_of("layers.x.3"));
  CHECK(merge::with_layer("model.layers.12.mlp.weight", 3) == "model.layers.3.mlp.weight");
  for (const char* const name : {"model.embed_tokens.weight", "wte.weight",
                                 "transformer.wpe.weight", "gpt_neox.embed_in.weight"})
    CHECK(merge::before_layers(name));
  for (const char* const name :
       {"lm_head.weight", "model.norm.weight", "ln_f.bias", "embed_out.weight"})
    CHECK_FALSE(merge::before_layers(name));
  CHECK(merge::has_token_rows("lm_head.weight"));
  CHECK_FALSE(merge::has_token_rows("transformer.wpe.weight"));
}
