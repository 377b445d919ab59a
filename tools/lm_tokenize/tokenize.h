#pragma once
// The verbs of lm-tokenize. Each reads its options from the tool and runs to the end.

#include <memory>
#include <optional>
#include <vector>

#include "cli/tool.h"
#include "text/tokenizer.h"

namespace lm::tokenize_tool {

/// The verbs and their options.
std::vector<cli::Verb> verbs();
/// Those of train (flags_train.cc).
std::vector<cli::Flag> train_flags();

/// Loads -m with the options for specials, and puts its digest into the stream's parameters.
std::unique_ptr<text::Tokenizer> load_model(cli::Tool& tool);

/// What is put around every document.
struct Around {
  std::optional<i32> bos, eos;
};
/// --bos and --eos as given; pack, whose documents stand side by side, has EOS by default where the
/// tokenizer has one, and BOS in the rows of bos-bestfit. The ids go into the stream's parameters.
/// Throws Error{kUsage} when a token is asked for that the tokenizer does not have.
Around around_of(cli::Tool& tool, const text::Tokenizer& tokenizer);

/// The ids of one record: its text encoded, or its ids field as it is when --from-ids is given.
class RecordTokens {
 public:
  RecordTokens(const cli::Tool& tool, const text::Tokenizer& tokenizer);
  static std::vector<std::string> paths(const cli::Tool& tool);
  /// Appends the ids; path 0 of paths() is the text or ids field.
  std::optional<Fault> read(io::JsonReader& json, std::vector<i32>& ids,
                            std::vector<std::pair<i64, i64>>* offsets = nullptr);
  i64 specials_in_text() const { return state_->specials_in_text; }

 private:
  const text::Tokenizer& tokenizer_;
  std::unique_ptr<text::EncodeState> state_;
  bool from_ids_;
  bool strip_;
};

void run_encode(cli::Tool& tool);
void run_decode(cli::Tool& tool);
void run_train(cli::Tool& tool);
void run_pack(cli::Tool& tool);

}  // namespace lm::tokenize_tool
