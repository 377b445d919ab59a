#pragma once
// Samples files of earlier runs: as a source of answers, so that other filters and metrics are
// tried without the model; and in pairs, to say whether two runs differ by more than chance.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/context.h"
#include "eval/answers.h"
#include "eval/dataset.h"
#include "eval/metric.h"

namespace lm::eval {

/// samples_TASK.jsonl.zst in a folder.
std::string samples_path(const std::string& folder, const std::string& task);

class RecordedAnswers final : public AnswerSource {
 public:
  RecordedAnswers(std::string folder, const Context& ctx);
  /// Opens the task's samples. Throws what read_docs throws.
  void begin(const TaskSpec& task) override;
  /// Throw Error{kData} naming file and line when a sample answers something else, or is not there.
  std::vector<Likelihood> likelihoods(std::span<const LikelihoodRequest> requests) override;
  std::vector<std::vector<std::string>> texts(std::span<const TextRequest> requests,
                                              const Generation& how, i64 repeats) override;

 private:
  struct Line {
    i64 number = 0;  // in the file, from 1
    const text::Value* fields = nullptr;
  };
  [[noreturn]] void fail(const Line& line, const std::string& what) const;
  const Line& next();

  std::string folder_;
  const Context& ctx_;
  std::string file_;
  std::unique_ptr<DocSet> docs_;
  std::vector<Line> lines_;  // the first of each document
  std::size_t at_ = 0;
};

/// One metric of one task in two runs, or of two tasks of a run, over the documents that both have.
struct Comparison {
  std::string task, metric, filter;
  std::string base = {};  // the task that comes first, of two
  i64 n = 0;
  i64 only_a = 0, only_b = 0;  // documents of one run
  f64 a = 0, b = 0;
  f64 difference = 0;                  // b - a
  f64 low = 0, high = 0;               // its middle 95 %, paired bootstrap
  i64 wins = 0, losses = 0, ties = 0;  // documents where b's number is larger, smaller, equal;
                                       // of metrics that are means
  f64 p_value = 0;                     // two-sided, NaN where there is no test
  f64 p_holm = 0;                      // corrected for all comparisons (Holm 1979)
  std::string test;  // mcnemar_exact (all numbers 0 or 1), sign_flip (Fisher's randomisation), none
};

struct CompareOptions {
  i64 draws = 1000;
  i64 flips = 10000;  // of sign_flip; all 2^n where that is fewer
  u64 seed = 0;
};

/// Every metric that both folders have, tasks in alphabetic order. Throws Error{kNoInput} when
/// there is no common task and Error{kData} for documents of one number that differ.
std::vector<Comparison> compare_runs(const std::string& a, const std::string& b,
                                     const CompareOptions& options, const Context& ctx);
/// The same of tasks of one folder, which ask the same documents in other ways: each but the first
/// against the first. Throws as compare_runs does.
std::vector<Comparison> compare_tasks(const std::string& folder,
                                      const std::vector<std::string>& tasks,
                                      const CompareOptions& options, const Context& ctx);
std::string compare_json(const std::vector<Comparison>& comparisons);

/// Two-sided sign test: of `wins + losses` coin tosses as many or more on the larger side. 1 for
/// none.
f64 sign_test(i64 wins, i64 losses);
/// Two-sided p-value of the sum of differences under random signs: exact for up to 2^n <= flips,
/// else (1 + as extreme) / (1 + flips).
f64 sign_flip_test(std::span<const f64> differences, i64 flips, u64 seed);
/// Step-down correction; NaN stay.
std::vector<f64> holm(std::span<const f64> p_values);

}  // namespace lm::eval
