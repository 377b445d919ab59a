#pragma once
// What answers go through before they are compared: the filters of lm-evaluation-harness for
// texts. A pipe takes the answers to one document (one per repeat) and leaves one.

#include <memory>
#include <string>
#include <vector>

#include "eval/task.h"

namespace lm::eval {

/// Throws Error{kConfig} for functions and arguments that are not understood, and for a pipe that
/// leaves several answers.
void check_filter(const FilterPipe& pipe, OutputType type, i64 repeats);

class AnswerFilter {
 public:
  virtual ~AnswerFilter() = default;
  /// answers: at least one; doc: the document's fields. Throws Error{kData} when a pattern gives up
  /// or the document lacks what the filter needs.
  virtual std::vector<std::string> apply(std::vector<std::string> answers,
                                         const text::Value& doc) const = 0;
};

/// The steps of a checked pipe. Thread-safe.
class FilterChain {
 public:
  explicit FilterChain(const FilterPipe& pipe);
  std::string apply(std::vector<std::string> answers, const text::Value& doc) const;

 private:
  std::vector<std::unique_ptr<AnswerFilter>> steps_;
};

}  // namespace lm::eval
