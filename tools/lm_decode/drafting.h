#pragma once
// --draft and what belongs to it: guesses that save passes and change no text.

#include <memory>
#include <vector>

#include "cli/tool.h"
#include "decode/draft_source.h"
#include "decode/session.h"
#include "models.h"

namespace lm::decode_tool {

std::vector<cli::Flag> draft_flags();

/// What these options ask for, ready to be used by one generator.
class Drafting {
 public:
  /// Reads --draft-file. Throws what DraftTexts::load throws.
  Drafting(cli::Tool& tool, const Models& models);

  void set(decode::GenerateOptions& out) const;
  /// Writes --draft-file anew, if there is one.
  void save(cli::Tool& tool) const;

 private:
  std::string kind_;
  std::string file_;
  u64 tokenizer_ = 0;
  i64 rows_ = 0;
  bool checked_ = true;  // guesses have to be worth their rows
  std::shared_ptr<decode::DraftSource> source_;
  std::shared_ptr<decode::Session> model_;
  std::shared_ptr<const decode::TokenNgrams> ngrams_;
};

}  // namespace lm::decode_tool
