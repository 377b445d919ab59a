#pragma once
// From a document to what a model is asked: rendered parts, few-shot examples, requests. The rules
// are those of lm-evaluation-harness, except that few-shot examples are drawn by a counter-based
// generator keyed by (seed, task, document), so that a document's prompt depends on no other
// document, limit or order.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eval/dataset.h"
#include "eval/task.h"
#include "text/template.h"

namespace lm::eval {

/// The log-likelihood of continuation behind context; an empty context is the model's begin token.
/// rolling: context is empty and continuation a text of any length, in windows.
struct LikelihoodRequest {
  std::string context;
  std::string continuation;
  bool rolling = false;
  bool whole = false;  // a context that is too long is refused, not cut
};

/// What is asked about one document.
struct DocRequests {
  std::vector<LikelihoodRequest> likelihoods;  // choices, then with unconditional ones again
  std::string prompt;                          // of generate_until
  std::optional<decode::Language> form;        // what its answer must be
  // What the answers are compared with.
  text::Value target;                // as doc_to_target gives it, or doc_to_text of several inputs
  std::vector<std::string> choices;  // of multiple_choice, or if the task has doc_to_choice
};

class Prompts {
 public:
  /// docs: what is evaluated; shots: what few-shot examples are drawn from (may be the same).
  /// Both outlive this. unconditional: choices are asked for without their context too. Throws
  /// Error{kConfig} when there are too few examples.
  Prompts(const TaskSpec& task, const std::vector<Doc>& docs, const std::vector<Doc>& shots,
          bool same_split, u64 seed, bool unconditional);
  Prompts(const TaskSpec& task, const std::vector<Doc>& docs, std::vector<Doc>&& shots,
          bool same_split, u64 seed, bool unconditional) = delete;
  ~Prompts();
  Prompts(const Prompts&) = delete;
  Prompts& operator=(const Prompts&) = delete;

  /// Throws Error{kData} naming task file, key and document when a part does not render or is of
  /// the wrong type. Thread-safe.
  DocRequests requests(i64 doc) const;
  /// Numbers of the examples before a document, in order.
  std::vector<i64> examples(i64 doc) const;

 private:
  struct Parts;
  std::string context(i64 doc) const;

  const TaskSpec& task_;
  const std::vector<Doc>& docs_;
  const std::vector<Doc>& shots_;
  bool same_split_;
  u64 seed_;
  bool unconditional_;
  bool several_inputs_ = false;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace lm::eval
