#pragma once
// lm-uq sample and perturb: parts of a record as JSON.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ask.h"
#include "io/json.h"
#include "measure.h"

namespace lm::uq_tool {

/// The value of greedy; its measures. top: likeliest tokens to write of those that were noted.
std::string greedy_json(const Question& q, const AnswerMeasures& measures,
                        const GreedyMeasures& own, i64 top);
/// The value of samples, each with its measures.
std::string samples_json(std::span<const decode::Completion> completions,
                         std::span<const AnswerMeasures> measures);
/// A list of numbers.
std::string numbers_json(std::span<const f32> values);
/// Rounding may lift a probability above one: not what is written.
std::string probability_json(f64 p);

/// A record's rewordings, cut so that each takes its answers and keeps every other byte.
class Rewordings {
 public:
  /// Fault "type" unless raw, well-formed JSON, is a list of objects with a prompt.
  std::optional<Fault> read(std::string_view raw);
  const std::vector<std::string>& prompts() const { return prompts_; }
  /// The list with the value of samples for each, and of emb where there is one.
  std::string with(const std::vector<std::string>& samples,
                   const std::vector<std::vector<f32>>& embs);
  /// The entries of other kinds, as they stand.
  std::vector<std::string> without(std::string_view kind);

 private:
  io::JsonReader json_{{"prompt", "samples", "kind", "emb"}};
  std::string text_;  // the list, padded
  std::vector<std::string_view> entries_;
  std::vector<std::string> prompts_;
};

}  // namespace lm::uq_tool
