#pragma once
// Who answers a task's requests. The order of requests, their number at a time and the source's own
// batches change no answer.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/prompts.h"

namespace lm::eval {

struct Likelihood {
  f64 logprob = 0;  // nats
  bool greedy = false;
};

struct TextRequest {
  std::string id;  // keys the draws: of the task and the document
  std::string prompt;
  std::optional<decode::Language> form = std::nullopt;  // what the texts must be
  bool whole = false;        // a prompt that is too long is refused, not cut
  std::string place = {};    // for messages: "task "t", document 2, d.jsonl:3"
  std::string form_at = {};  // and where the task says what texts must be: "t.yaml:7: value"
};

class AnswerSource {
 public:
  virtual ~AnswerSource() = default;
  /// The requests from here on are this task's, all of its documents in order.
  virtual void begin(const TaskSpec&) {}
  /// One per request. Throws Error{kData} for a request that cannot be answered.
  virtual std::vector<Likelihood> likelihoods(std::span<const LikelihoodRequest> requests) = 0;
  /// `repeats` texts per request, request by request.
  virtual std::vector<std::vector<std::string>> texts(std::span<const TextRequest> requests,
                                                      const Generation& how, i64 repeats) = 0;
};

}  // namespace lm::eval
