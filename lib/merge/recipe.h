#pragma once
// What is to be merged: mergekit's recipes (YAML) as they are, or the words of a command line. A
// recipe names models by path and says nothing about tensors; plan.h does that.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "merge/method.h"
#include "merge/values.h"
#include "tensor/tensor.h"

namespace lm::merge {

/// A model in the recipe, or in one slice of it.
struct RecipeModel {
  std::string path;
  i64 first = 0;  // layers [first, last) in a slice
  i64 last = 0;
  ParamSet params;
  std::string where;  // "file:line", or the operand
};

/// Layers of the output, made of as many layers of each source.
struct RecipeSlice {
  std::vector<RecipeModel> sources;
  ParamSet params;
  std::string where;
};

/// What a token's row is in models that lack it, or in all.
struct TokenOverride {
  enum class Kind : u8 { kRow, kZero };
  Kind kind = Kind::kRow;
  std::string model;      // of kRow: that model's row of the token, or of
  std::string token;      // this one, or of
  std::optional<i32> id;  // this id
  bool force = false;     // in models that have the token, too
  std::string where;
};

/// By which tokens rows of embeddings and heads are matched.
struct RecipeTokenizer {
  std::string source;  // "base", "union", a path, or empty: by number
  std::map<std::string, TokenOverride> tokens;
  i64 pad_to_multiple_of = 0;
};

struct Recipe {
  const Method* method = nullptr;
  std::string base;                 // path, or empty
  std::vector<RecipeModel> models;  // whole models; empty when there are slices
  std::vector<RecipeSlice> slices;
  ParamSet params;
  std::optional<DType> dtype;      // of the output, unless out_dtype is there
  std::optional<DType> out_dtype;  //
  RecipeTokenizer tokenizer;
  std::string chat_template;  // text or "auto", or empty
  std::string where;          // the file, or "command line"
  std::string text;           // the file's text, for the record
};

/// Reads a recipe. Throws Error{kConfig} with file and line for what is not YAML, an unknown key
/// (naming the nearest that is known), a value of the wrong kind, a method or parameter that does
/// not exist, both or neither of models and slices, numbers of models the method does not take.
Recipe parse_recipe(std::string_view yaml, const std::string& file);

/// One model on the command line: PATH, then any of :WEIGHT and :NAME=VALUE (a gradient as
/// VALUE,VALUE,...). Settings are read from the end, so that a path may hold colons. Throws
/// Error{kUsage} for a parameter that the method does not have and for one that is set twice.
RecipeModel parse_operand(const std::string& operand, const Method& method);
/// NAME=VALUE of the whole merge, into `params`. where: for messages, "--set". Throws alike.
void parse_setting(std::string_view text, const Method& method, const std::string& where,
                   ParamSet& params);

/// True for a listed model that is the base of a method whose base is none of the models merged.
bool is_separate_base(const Recipe& recipe, const RecipeModel& model);

/// Checks what both forms have in common: the base, the number of models. Throws Error{kConfig};
/// kUsage for a command line.
void check_recipe(const Recipe& recipe, ErrorKind kind);
/// Refuses settings that would change nothing: of a base that is not merged, and of parameters that
/// another one switches off. Not for recipes, which mergekit takes with them. Throws Error{kUsage}.
void check_settings_count(const Recipe& recipe);

/// "bfloat16", "bf16", "float32", ...; nothing for other words.
std::optional<DType> parse_dtype(std::string_view text);
/// As config.json spells it.
std::string_view torch_dtype(DType dtype);

}  // namespace lm::merge
