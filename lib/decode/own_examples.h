#pragma once
// A model's own right answers as examples of its manner: a prompt that shows some of them, to other
// questions than the one that is asked, makes the perplexity of a candidate answer say how natural
// the candidate is to this model. Source: the self-aligned perplexity of the work on choosing
// response-generation strategies; its pool is offset by an index, which does not keep the asked
// question out, and here the id does.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::decode {

/// Texts with places: {prompt}, {examples}; {prompt} and {answer}.
struct ExampleLayout {
  std::string whole =
      "Question: {prompt}\n\nThese questions were answered before. Answer in the same manner.\n\n"
      "{examples}Now answer the first question: {prompt}\nAnswer: ";
  std::string example = "Question: {prompt}\nAnswer: {answer}\n\n";
  /// Throws Error{kUsage} naming what lacks a place.
  void check() const;
};

class OwnExamples {
 public:
  /// One right answer; several of one question may be there.
  void add(std::string id, std::string prompt, std::string answer);
  i64 size() const { return isize(all_); }
  /// Up to `count` examples for a question, none of them its own and no two of one question: those
  /// that follow the question's place in the order of ids' digests, round and round. Depends on the
  /// set of examples and the question, not on any order.
  std::vector<i64> pick(std::string_view id, i64 count) const;
  /// The prompt that shows them, the first picked last: the oldest stands first.
  std::string prompt(const ExampleLayout& layout, std::string_view question,
                     std::span<const i64> picked) const;
  /// Digest of all examples, in whatever order they came.
  u64 digest() const;

 private:
  struct One {
    std::string id, prompt, answer;
  };
  std::vector<One> all_;
  std::multimap<u64, i64> places_;  // digest of id, prompt and answer -> index
};

}  // namespace lm::decode
