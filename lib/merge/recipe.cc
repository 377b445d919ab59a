// What recipes and command lines have in common, and the words of the latter.

#include "merge/recipe.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/str.h"

namespace lm::merge {

namespace {

struct TypeName {
  std::string_view name;  // config.json's, too
  std::string_view short_name;
  DType dtype;
};
constexpr std::array<TypeName, 4> kTypes = {{{"float32", "f32", DType::kF32},
                                             {"bfloat16", "bf16", DType::kBf16},
                                             {"float16", "f16", DType::kF16},
                                             {"float64", "f64", DType::kF64}}};

const ParamDef& need_param(const Method& method, std::string_view name, const std::string& where) {
  if (const ParamDef* const def = method.find(name)) return *def;
  std::vector<std::string> names;
  for (const ParamDef& def : method.params)
    names.emplace_back(def.name);
  const std::string near = nearest_name(name, names);
  throw Error(ErrorKind::kUsage, cat(where, ": ", method.name, " has no parameter ", quote(name)),
              near.empty() ? cat(method.name, " has: ", join(names, ", "))
                           : cat("did you mean ", near, "?"));
}

void set_param(std::string_view name, std::string_view value, const Method& method,
               const std::string& where, ParamSet& params) {
  const ParamDef& def = need_param(method, name, where);
  if (find_settings(params, def.name) != nullptr)
    throw Error(ErrorKind::kUsage, cat(where, ": ", def.name, " is set twice"));
  Setting setting;
  setting.where = where;
  if (def.kind == ParamKind::kPath) {
    setting.values.emplace_back(value);
  } else {
    for (const std::string_view one : split(value, ',')) {
      setting.values.emplace_back(one);
      try {
        parse_value(setting.values.back(), def, where);
      } catch (const Error& e) {
        throw Error(ErrorKind::kUsage, e.message(), e.hint());
      }
    }
  }
  params[std::string(def.name)] = {std::move(setting)};
}

}  // namespace

std::optional<DType> parse_dtype(std::string_view text) {
  for (const TypeName& one : kTypes) {
    if (text == one.name || text == one.short_name) return one.dtype;
  }
  return std::nullopt;
}

std::string_view torch_dtype(DType dtype) {
  for (const TypeName& one : kTypes) {
    if (one.dtype == dtype) return one.name;
  }
  return {};
}

RecipeModel parse_operand(const std::string& operand, const Method& method) {
  RecipeModel model;
  model.where = operand;
  std::string_view rest = operand;
  for (;;) {
    const std::size_t colon = rest.rfind(':');
    if (colon == std::string_view::npos || colon == 0) break;
    const std::string_view part = rest.substr(colon + 1);
    const std::size_t equals = part.find('=');
    const bool named = equals != std::string_view::npos && equals > 0 &&
                       part.substr(0, equals).find('/') == std::string_view::npos;
    if (!named && !parse_float(part)) break;
    const std::string_view name = named ? part.substr(0, equals) : std::string_view("weight");
    const std::string_view value = named ? part.substr(equals + 1) : part;
    const ParamDef& def = need_param(method, name, operand);
    if (!def.per_model) {
      throw Error(ErrorKind::kUsage, cat(operand, ": ", def.name, " belongs to the whole merge"),
                  cat("--set ", def.name, "=", value));
    }
    set_param(name, value, method, operand, model.params);
    rest = rest.substr(0, colon);
  }
  model.path = std::string(rest);
  return model;
}

void parse_setting(std::string_view text, const Method& method, const std::string& where,
                   ParamSet& params) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    throw Error(ErrorKind::kUsage, cat(where, ": ", quote(text), " is not NAME=VALUE"));
  set_param(text.substr(0, equals), text.substr(equals + 1), method, where, params);
}

bool is_separate_base(const Recipe& recipe, const RecipeModel& model) {
  const BaseUse use = recipe.method->base;
  return !recipe.base.empty() && model.path == recipe.base &&
         (use == BaseUse::kRequired || use == BaseUse::kOptional);
}

void check_settings_count(const Recipe& recipe) {
  for (const RecipeModel& model : recipe.models) {
    if (!model.params.empty() && is_separate_base(recipe, model))
      throw Error(ErrorKind::kUsage, cat(model.where, ": the base is not merged, its ",
                                         model.params.begin()->first, " counts for nothing"));
  }
  for (const ParamDef& def : recipe.method->params) {
    if (def.unless.empty() || find_settings(recipe.params, def.name) == nullptr) continue;
    const ParamDef& other = *recipe.method->find(def.unless);
    const std::vector<Setting>* const given = find_settings(recipe.params, other.name);
    if (given != nullptr && parse_value(given->front().values[0], other, "--set") == 0) continue;
    throw Error(ErrorKind::kUsage,
                cat(recipe.where, ": ", def.name, " needs ", other.name, "=false"));
  }
}

void check_recipe(const Recipe& recipe, ErrorKind kind) {
  const Method& method = *recipe.method;
  const auto refuse = [&](const std::string& where, const std::string& what) {
    throw Error(kind, cat(where, ": ", method.name, " ", what));
  };
  const bool needs = method.base == BaseUse::kRequired || method.base == BaseUse::kFirst;
  if (needs && recipe.base.empty()) {
    throw Error(kind, cat(recipe.where, ": ", method.name, " needs a base model"),
                kind == ErrorKind::kUsage ? "--base FOLDER" : "base_model: FOLDER");
  }
  const auto check_count = [&](const std::vector<RecipeModel>& models, const std::string& where) {
    const bool base_apart = method.base == BaseUse::kRequired || method.base == BaseUse::kOptional;
    i64 count = 0;
    bool base_listed = false;
    for (const RecipeModel& model : models) {
      base_listed = base_listed || (!recipe.base.empty() && model.path == recipe.base);
      count += is_separate_base(recipe, model) ? 0 : 1;
    }
    // slerp: the base is the first of the two, listed or not.
    if (method.base == BaseUse::kFirst && !base_listed) ++count;
    const std::string beside = base_apart && !recipe.base.empty() ? " beside the base" : "";
    if (count < method.min_models)
      refuse(where, cat("needs ", method.min_models, method.min_models == 1 ? " model" : " models",
                        beside, ", there ", count == 1 ? "is " : "are ", count));
    if (count > method.max_models)
      refuse(where, cat("takes ", method.max_models, method.max_models == 1 ? " model" : " models",
                        beside, ", there are ", count));
  };
  if (recipe.slices.empty()) return check_count(recipe.models, recipe.where);
  for (const RecipeSlice& slice : recipe.slices)
    check_count(slice.sources, slice.where);
}

}  // namespace lm::merge
