#pragma once
// What a stream of records goes through: of the command line or of a recipe, made by the same
// function.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clean/chain.h"
#include "cli/tool.h"
#include "mix/best.h"
#include "mix/cut.h"
#include "mix/rules.h"
#include "mix/weights.h"

namespace lm::mix_tool {

/// Options of one stream: the command line's, and above them what a recipe says of the stream.
struct StreamOptions {
  cli::Options options;
  ErrorKind kind = ErrorKind::kUsage;
  /// By option: what messages about its values begin with, where they stand in a recipe.
  std::map<std::string, std::vector<std::string>> places = {};
  struct Replacement {
    mix::SpanReplacement spec;
    std::string where;
  };
  std::vector<Replacement> replacements = {};  // besides --cut

  std::string place(const std::string& option, std::size_t i = 0) const;
  std::vector<mix::PlacedText> placed(const std::string& option) const;
  /// {"name":value,...} of all that can change the output.
  std::string params_json() const;
};

/// Throws Error{kConfig} for options that need or exclude others, of which a recipe said some.
void check_together(const StreamOptions& stream);

/// What the options ask for, compiled. Read-only once made; shared by all workers.
struct Plan {
  /// Throws Error{stream.kind}.
  Plan(const StreamOptions& stream, u64 run_seed);

  mix::Names names;
  mix::RuleSet rules;
  mix::Cutter cutter;
  clean::ChainPlan cleaners;
  bool as_attributes = false;  // cleaners only measure
  std::optional<mix::Expression> sample;
  std::optional<mix::Weights> weights;  // or a budget: rates are known after a first reading
  std::optional<f64> budget;
  std::optional<mix::Expression> count;
  i64 best = 0;                       // records to keep of each group; 0: all
  std::optional<mix::Expression> by;  // the best are those of which it is greatest; none: drawn
  i64 group = -1;
  i64 window = 0;  // lines of an approximate shuffle; 0: none
  bool shuffle = false;
  u64 seed;
  i64 asked = 0;        // paths of names that rules, cuts and expressions ask for
  i64 named = 0;        // those and what is left out
  i64 attributes = -1;  // fields
  i64 id = -1;
  i64 source = -1;
  i64 provenance = -1;  // -1: not asked for
  i64 copy = -1;
  std::vector<i64> discard;
  bool drop_attributes = false;  // of texts that were changed
  bool unique_ids = false;
  i64 min_left = 0;
  i64 min_length = 0;
  std::vector<std::string> allowed;  // to be missing, whole names
  bool lax = false;

 private:
  void add_rules(const StreamOptions& stream);
  void add_draws(const StreamOptions& stream);
  void add_outputs(const StreamOptions& stream);
};

}  // namespace lm::mix_tool
