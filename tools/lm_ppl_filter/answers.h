#pragma once
// lm-ppl-filter responses: answers by several strategies to the same questions, what a model makes
// of them, and the strategies ranked by it.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "core/types.h"
#include "stat/bootstrap.h"
#include "text/scorer.h"

namespace lm::filter_tool {

struct Candidate {
  i64 question = 0;
  i64 strategy = 0;
  i64 record = 0;  // its place among the good records
  std::string prompt, answer;
  std::optional<f64> reward;
  text::Score given, shown, alone;  // behind the question; with examples; without either
};

/// Names in order of first appearance.
class Names {
 public:
  i64 number(const std::string& name) {
    const auto [at, added] = numbers_.emplace(name, isize(all_));
    if (added) all_.push_back(name);
    return at->second;
  }
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
  std::map<std::string, i64> numbers_;
};

/// What strategies are ranked by.
struct Metric {
  const char* name;
  bool given, shown, alone, reward;  // what it needs
  bool highest;
  f64 (*value)(const Candidate&);
};

/// --metric, or its default. Throws Error{kUsage} for other names.
std::vector<const Metric*> metrics_of(const cli::Options& options);

struct AnswerSet {
  Names questions, strategies;
  std::vector<Candidate> all;
  i64 incomplete = 0;  // questions that some strategy has no answer to, left out
  i64 shortened = 0;   // prompts with fewer examples than asked for

  /// Of each of so many records whether it is the best answer to its question, by a finite value;
  /// of equal ones the one of fewer tokens, then by the strategy's name.
  std::vector<bool> best_answers(const Metric& metric, i64 records) const;

  /// Throws Error{kData} for a metric that no question has of every strategy.
  void check_common(std::span<const Metric* const> metrics) const;
  /// All rankings: as one JSON object, or as lines for people.
  std::string json(std::span<const Metric* const> metrics,
                   const stat::BootstrapOptions& options) const;
  std::string table(std::span<const Metric* const> metrics,
                    const stat::BootstrapOptions& options) const;
};

}  // namespace lm::filter_tool
