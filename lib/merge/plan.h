#pragma once
// From a recipe and the headers of its models to a list of output tensors, each with its inputs and
// resolved parameters, and to the output's config.json. No weight is read. Everything that makes a
// merge impossible is found here, before anything is written.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/context.h"
#include "merge/engine.h"
#include "merge/inputs.h"
#include "merge/name_filter.h"
#include "merge/recipe.h"
#include "merge/vocabulary.h"

namespace lm::merge {

enum class Missing : u8 {
  kError,
  kSkip,  // models without the tensor take no part in it
  kBase,  // the base's takes its place
  kZero,
};

struct PlanOptions {
  Missing missing = Missing::kError;
  bool embed_common = false;       // matrices of token rows of unequal size: what all have
  std::optional<DType> out_dtype;  // before the recipe's
  NameFilter names;                // of the output; others come from the base, or the first model
};

struct Plan {
  InputModels inputs;
  InputModels aux;    // further files of models
  i64 reference = 0;  // of inputs: whose config and tokenizer files the output gets
  std::unique_ptr<const Vocabulary> vocabulary;  // by which rows are matched; null: by number
  std::vector<PlannedTensor> tensors;            // by name
  std::string config_json;                       // of the output; empty if the reference has none
  std::vector<std::string> warnings;
  i64 bytes_in() const;
  i64 bytes_out() const;
};

/// Throws Error{kNoInput, kData, kConfig} as the parts do, above all kData for models of several
/// families, for a tensor that a model lacks, and for shapes that differ, naming both.
Plan make_plan(const Recipe& recipe, const PlanOptions& options, const Context& ctx);

/// How models are called in a text: by the path they were opened at, or by number, which is the
/// same wherever they are.
enum class ModelNames : u8 { kPaths, kNumbers };

/// One JSON object a tensor: what --dry-run prints.
std::string plan_json_lines(const Plan& plan, ModelNames names = ModelNames::kPaths);

/// The words of --missing.
std::optional<Missing> parse_missing(std::string_view text);

}  // namespace lm::merge
