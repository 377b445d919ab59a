#pragma once
// Asking answerers in tests.

#include <string>
#include <vector>

#include "answer/answer.h"
#include "catch.h"
#include "core/str.h"

namespace lm::test {

inline answer::Request ask(std::string id, std::string prompt, i64 n = 1) {
  answer::Request out;
  out.id = std::move(id);
  out.prompt = std::move(prompt);
  out.params.n = n;
  return out;
}

/// All responses, with at most `queue` requests in work.
inline std::vector<answer::Response> answers(answer::Answerer& answerer,
                                             const std::vector<answer::Request>& requests,
                                             i64 queue = 1000) {
  std::vector<answer::Response> out;
  std::size_t added = 0;
  while (out.size() < requests.size()) {
    for (; added < requests.size() && answerer.pending() < queue; ++added)
      answerer.add(requests[added]);
    answerer.step();
    while (std::optional<answer::Response> one = answerer.take())
      out.push_back(std::move(*one));
  }
  REQUIRE(answerer.pending() == 0);
  REQUIRE(!answerer.take());
  return out;
}
inline answer::Response answer_to(answer::Answerer& answerer, answer::Request request) {
  return answers(answerer, {std::move(request)})[0];
}

/// Texts joined by "|", or "fault CODE".
inline std::string texts(const answer::Response& response) {
  if (response.fault) return "fault " + response.fault->code;
  std::string out;
  for (const answer::Reply& reply : response.replies)
    append(out, &reply == response.replies.data() ? "" : "|", reply.text);
  return out;
}

}  // namespace lm::test
