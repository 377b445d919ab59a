// Recipes in YAML, with mergekit's keys.

#include <algorithm>
#include <initializer_list>

#include <yaml-cpp/yaml.h>

#include "core/error.h"
#include "core/str.h"
#include "merge/recipe.h"

namespace lm::merge {

namespace {

constexpr ParamDef kForce{.name = "force", .kind = ParamKind::kSwitch};

/// Reads one document and knows where everything stands.
class RecipeReader {
 public:
  explicit RecipeReader(const std::string& file) : file_(file) {}

  Recipe read(std::string_view text);

 private:
  using Node = YAML::Node;

  std::string where(const Node& node) const {
    const YAML::Mark mark = node.Mark();
    return mark.is_null() ? file_ : cat(file_, ":", mark.line + 1);
  }
  [[noreturn]] void refuse(const Node& node, const std::string& what,
                           const std::string& hint = {}) const {
    throw Error(ErrorKind::kConfig, cat(where(node), ": ", what), hint);
  }
  void check_keys(const Node& map, std::string_view what,
                  std::initializer_list<std::string_view> known) const;
  std::string text(const Node& node, std::string_view key) const;
  std::optional<DType> dtype(const Node& map, const char* key) const;
  void read_params(const Node& map, ParamSet& params, bool of_model) const;
  std::vector<Setting> read_settings(const Node& node, const ParamDef& def) const;
  Setting read_setting(const Node& node, const ParamDef& def) const;
  std::string read_scalar(const Node& node, const ParamDef& def) const;
  std::string read_path(const Node& node, std::string_view key) const;
  RecipeModel read_model(const Node& node, bool in_slice) const;
  RecipeSlice read_slice(const Node& node) const;
  TokenOverride read_token(const Node& node) const;
  RecipeTokenizer read_tokenizer(const Node& root) const;

  const std::string& file_;
  const Method* method_ = nullptr;
};

void RecipeReader::check_keys(const Node& map, std::string_view what,
                              std::initializer_list<std::string_view> known) const {
  if (!map.IsMap()) refuse(map, cat(what, " is not a map of keys"));
  std::vector<std::string> seen;
  for (const auto& item : map) {
    if (!item.first.IsScalar()) refuse(item.first, cat("a key of ", what, " is not a word"));
    const std::string key = item.first.Scalar();
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      refuse(item.first, cat("key ", quote(key), " stands twice in ", what));
    seen.push_back(key);
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::vector<std::string> names(known.begin(), known.end());
    const std::string near = nearest_name(key, names, 3);
    refuse(item.first, cat("unknown key ", quote(key), " in ", what),
           near.empty() ? cat("known keys: ", join(names, ", ")) : cat("did you mean ", near, "?"));
  }
}

std::string RecipeReader::text(const Node& node, std::string_view key) const {
  if (!node.IsScalar()) refuse(node, cat(key, " is not a word"));
  return node.Scalar();
}

std::optional<DType> RecipeReader::dtype(const Node& map, const char* key) const {
  const Node node = map[key];
  if (!node || node.IsNull()) return std::nullopt;
  const std::optional<DType> found = parse_dtype(text(node, key));
  if (!found) {
    refuse(node, cat(key, " is ", quote(node.Scalar()),
                     ", expected float32, bfloat16, float16 or float64"));
  }
  return found;
}

std::string RecipeReader::read_scalar(const Node& node, const ParamDef& def) const {
  const std::string value = text(node, def.name);
  if (def.kind != ParamKind::kPath) parse_value(value, def, where(node));
  return value;
}

// A value or a gradient.
Setting RecipeReader::read_setting(const Node& node, const ParamDef& def) const {
  Setting setting;
  setting.where = where(node);
  if (node.IsSequence()) {
    if (def.kind == ParamKind::kPath) refuse(node, cat(def.name, " is one path, not a list"));
    for (const Node& one : node)
      setting.values.push_back(read_scalar(one, def));
    if (setting.values.empty()) refuse(node, cat(def.name, " is an empty list"));
  } else {
    setting.values.push_back(read_scalar(node, def));
  }
  return setting;
}

std::vector<Setting> RecipeReader::read_settings(const Node& node, const ParamDef& def) const {
  const bool filtered = node.IsMap() || (node.IsSequence() && node.size() > 0 && node[0].IsMap());
  if (!filtered) return {read_setting(node, def)};
  std::vector<Setting> settings;
  const auto read_one = [&](const Node& one) {
    check_keys(one, cat("an entry of ", def.name), {"filter", "value"});
    if (!one["value"]) refuse(one, cat("an entry of ", def.name, " has no value"));
    settings.push_back(read_setting(one["value"], def));
    const Node filter = one["filter"];
    if (filter && !filter.IsNull()) settings.back().filter = text(filter, "filter");
  };
  if (node.IsMap()) {
    read_one(node);
  } else {
    for (const Node& one : node)
      read_one(one);
  }
  return settings;
}

void RecipeReader::read_params(const Node& map, ParamSet& params, bool of_model) const {
  if (!map || map.IsNull()) return;
  if (!map.IsMap()) refuse(map, "parameters is not a map of keys");
  std::vector<std::string> known;
  for (const ParamDef& def : method_->params)
    known.emplace_back(def.name);
  for (const auto& item : map) {
    const std::string key = text(item.first, "a parameter's name");
    const ParamDef* const def = method_->find(key);
    if (def == nullptr) {
      const std::string near = nearest_name(key, known, 3);
      refuse(item.first, cat(method_->name, " has no parameter ", quote(key)),
             near.empty()
                 ? cat(method_->name, known.empty() ? " has none" : " has: ", join(known, ", "))
                 : cat("did you mean ", near, "?"));
    }
    if (of_model && !def->per_model) {
      refuse(item.first, cat(def->name, " belongs to the whole merge, not to a model"),
             "move it to the outer parameters, or to those of a slice");
    }
    if (!params.emplace(def->name, read_settings(item.second, *def)).second)
      refuse(item.first, cat("parameter ", def->name, " stands twice"));
  }
}

// A path, or mergekit's long form: a map with a path, or with a model and an adapter.
std::string RecipeReader::read_path(const Node& node, std::string_view key) const {
  if (!node.IsMap()) return text(node, key);
  if (node["path"]) {
    check_keys(node, key, {"path"});
    return text(node["path"], "path");
  }
  check_keys(node, key, {"model", "lora"});
  if (!node["model"]) refuse(node, cat(key, " has neither path nor model"));
  const std::string path = read_path(node["model"], "model");
  const Node lora = node["lora"];
  return lora && !lora.IsNull() ? cat(path, "+", read_path(lora, "lora")) : path;
}

RecipeModel RecipeReader::read_model(const Node& node, bool in_slice) const {
  RecipeModel model;
  model.where = where(node);
  if (node.IsScalar() && !in_slice) {
    model.path = node.Scalar();
    return model;
  }
  if (in_slice) {
    check_keys(node, "a source", {"model", "layer_range", "parameters"});
  } else {
    check_keys(node, "a model", {"model", "parameters"});
  }
  const Node path = node["model"];
  if (!path) refuse(node, "no model is named here");
  model.path = read_path(path, "model");
  read_params(node["parameters"], model.params, true);
  if (!in_slice) return model;
  const Node range = node["layer_range"];
  if (!range) refuse(node, "a source of a slice has no layer_range", "layer_range: [0, 16]");
  if (!range.IsSequence() || range.size() != 2)
    refuse(range, "layer_range is not a pair such as [0, 16]");
  const std::optional<i64> first = parse_int(text(range[0], "layer_range"));
  const std::optional<i64> last = parse_int(text(range[1], "layer_range"));
  if (!first || !last || *first < 0 || *last <= *first)
    refuse(range, "layer_range is not [FIRST, END] with 0 <= FIRST < END");
  model.first = *first;
  model.last = *last;
  return model;
}

RecipeSlice RecipeReader::read_slice(const Node& node) const {
  RecipeSlice slice;
  slice.where = where(node);
  check_keys(node, "a slice", {"sources", "parameters"});
  const Node sources = node["sources"];
  if (!sources || !sources.IsSequence() || sources.size() == 0)
    refuse(node, "a slice has no list of sources");
  for (const Node& source : sources) {
    slice.sources.push_back(read_model(source, true));
    const RecipeModel& one = slice.sources.back();
    const RecipeModel& first = slice.sources.front();
    if (one.last - one.first != first.last - first.first) {
      refuse(source, cat("a source of ", one.last - one.first, " layers beside one of ",
                         first.last - first.first));
    }
  }
  read_params(node["parameters"], slice.params, false);
  return slice;
}

TokenOverride RecipeReader::read_token(const Node& node) const {
  check_keys(node, "a token", {"source", "force"});
  TokenOverride out;
  out.where = where(node);
  const Node source = node["source"];
  if (!source) refuse(node, "a token has no source");
  if (const Node force = node["force"])
    out.force = parse_value(text(force, "force"), kForce, where(force)) != 0;
  if (!source.IsMap() || !source["kind"]) {
    out.model = read_path(source, "source");
    return out;
  }
  const Node kind = source["kind"];
  check_keys(source, "a token's source", {"kind", "model", "token", "token_id"});
  if (text(kind, "kind") == "zero") {
    out.kind = TokenOverride::Kind::kZero;
    return out;
  }
  if (kind.Scalar() != "model_token") refuse(kind, "kind is neither zero nor model_token");
  const Node token = source["token"];
  const Node id = source["token_id"];
  if (!source["model"] || bool(token) == bool(id))
    refuse(source, "a model_token has a model and either token or token_id");
  out.model = read_path(source["model"], "model");
  if (token) {
    out.token = text(token, "token");
  } else {
    const std::optional<i64> number = parse_int(text(id, "token_id"));
    if (!number || *number < 0 || *number > INT32_MAX) refuse(id, "token_id is not an id");
    out.id = static_cast<i32>(*number);
  }
  return out;
}

RecipeTokenizer RecipeReader::read_tokenizer(const Node& root) const {
  RecipeTokenizer out;
  const Node plain = root["tokenizer_source"];
  const Node full = root["tokenizer"];
  if (plain && full) refuse(full, "both tokenizer and tokenizer_source are given");
  if (plain && !plain.IsNull()) out.source = read_path(plain, "tokenizer_source");
  if (!full || full.IsNull()) return out;
  check_keys(full, "tokenizer", {"source", "tokens", "pad_to_multiple_of"});
  out.source = full["source"] ? read_path(full["source"], "source") : "union";
  if (const Node pad = full["pad_to_multiple_of"]; pad && !pad.IsNull()) {
    const std::optional<i64> multiple = parse_int(text(pad, "pad_to_multiple_of"));
    if (!multiple || *multiple < 1 || *multiple > 1 << 20)
      refuse(pad, "pad_to_multiple_of is not a number from 1 to 1048576");
    out.pad_to_multiple_of = *multiple;
  }
  const Node tokens = full["tokens"];
  if (!tokens || tokens.IsNull()) return out;
  if (!tokens.IsMap()) refuse(tokens, "tokens is not a map from tokens to their sources");
  for (const auto& item : tokens)
    out.tokens[text(item.first, "a token")] = read_token(item.second);
  return out;
}

Recipe RecipeReader::read(std::string_view yaml) {
  Node root;
  try {
    root = YAML::Load(std::string(yaml));
  } catch (const YAML::Exception& e) {
    throw Error(ErrorKind::kConfig, cat(file_, e.mark.is_null() ? "" : cat(":", e.mark.line + 1),
                                        ": not YAML: ", quote(e.msg, 120)));
  }
  check_keys(root, "the recipe",
             {"merge_method", "base_model", "models", "slices", "parameters", "dtype", "out_dtype",
              "tokenizer_source", "tokenizer", "chat_template"});
  Recipe recipe;
  recipe.where = file_;
  recipe.text = std::string(yaml);
  const Node method = root["merge_method"];
  if (!method) refuse(root, "no merge_method");
  method_ = recipe.method = find_method(text(method, "merge_method"));
  if (method_ == nullptr) {
    std::vector<std::string> names;
    for (const Method& one : methods())
      names.emplace_back(one.name);
    const std::string near = nearest_name(method.Scalar(), names, 3);
    refuse(method, cat("unknown merge_method ", quote(method.Scalar())),
           near.empty() ? cat("known: ", join(names, ", ")) : cat("did you mean ", near, "?"));
  }
  if (const Node base = root["base_model"]; base && !base.IsNull())
    recipe.base = read_path(base, "base_model");
  const Node models = root["models"];
  const Node slices = root["slices"];
  if (bool(models) == bool(slices))
    refuse(root, models ? "both models and slices are given" : "neither models nor slices");
  const Node list = models ? models : slices;
  if (!list.IsSequence()) refuse(list, cat(models ? "models" : "slices", " is not a list"));
  if (list.size() == 0)
    refuse(list, cat(models ? "models" : "slices", " is an empty list, expected at least one"));
  for (const Node& one : list) {
    if (models) {
      recipe.models.push_back(read_model(one, false));
    } else {
      recipe.slices.push_back(read_slice(one));
    }
  }
  read_params(root["parameters"], recipe.params, false);
  recipe.dtype = dtype(root, "dtype");
  recipe.out_dtype = dtype(root, "out_dtype");
  recipe.tokenizer = read_tokenizer(root);
  if (const Node chat = root["chat_template"]; chat && !chat.IsNull())
    recipe.chat_template = text(chat, "chat_template");
  check_recipe(recipe, ErrorKind::kConfig);
  return recipe;
}

}  // namespace

Recipe parse_recipe(std::string_view yaml, const std::string& file) {
  try {
    return RecipeReader(file).read(yaml);
  } catch (const YAML::Exception& e) {  // what its lazy accessors say
    throw Error(ErrorKind::kConfig, cat(file, e.mark.is_null() ? "" : cat(":", e.mark.line + 1),
                                        ": ", quote(e.msg, 120)));
  }
}

}  // namespace lm::merge
