#pragma once
// Sentences of several languages with the number of the pair they belong to. Texts wait in a
// temporary file; what is kept in memory (ids, places) is charged.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/context.h"
#include "core/result.h"
#include "io/file.h"

namespace lm::embed {

class ParallelTexts {
 public:
  explicit ParallelTexts(const Context& ctx);
  ~ParallelTexts();
  ParallelTexts(const ParallelTexts&) = delete;
  ParallelTexts& operator=(const ParallelTexts&) = delete;

  /// pair: what sentences that are translations of each other share. Fault "duplicate" if the
  /// language has a sentence of that pair.
  std::optional<Fault> add(std::string_view lang, std::string_view pair, std::string_view text);

  struct Sentence {
    i64 pair = 0;
    i64 offset = 0;
    i64 size = 0;
  };
  /// By name.
  std::vector<std::string> languages() const;
  /// In order of the input; empty for a language that is not there.
  const std::vector<Sentence>& sentences(const std::string& lang) const;
  std::string text(const Sentence& sentence) const;

 private:
  struct Language {
    std::vector<Sentence> sentences;
    std::vector<bool> has;  // by pair
  };
  void charge(i64 bytes);

  const Context& ctx_;
  io::TempFile file_;
  std::map<std::string, Language, std::less<>> languages_;
  std::unordered_map<std::string, i64> pairs_;  // looked up, never iterated
  i64 charged_ = 0;
};

}  // namespace lm::embed
