#pragma once
// What a record of score asks for: log-probabilities of its text, or of completions given a prompt
// or messages. Messages alone: the last one, the assistant's, given those before it.

#include <optional>
#include <string>
#include <vector>

#include <simdjson.h>

#include "chat.h"
#include "cli/tool.h"
#include "decode/prompt.h"
#include "io/json.h"

namespace lm::decode_tool {

struct ScoreFields {
  i64 text;
  i64 prompt;
  i64 completion;
  i64 completions;
  i64 choices;
  std::vector<i64> named;  // of --completion-field: they are the completions
};

/// Completions and what stands before them.
struct ScoreInput {
  decode::PromptText prompt;
  std::vector<std::string> texts;  // none: the record's text is scored
  std::vector<u8> cut;             // by text, 1: a completion that a limit of generate has ended
  bool listed = false;             // choices: the result is a list
};

class ScoreReader {
 public:
  /// first: number of the first path below among a reader's. taken: paths that have another meaning
  /// already. Messages are then not looked at.
  ScoreReader(cli::Tool& tool, const text::Tokenizer& tokenizer, const ScoreFields& fields,
              const std::vector<std::string>& taken, i64 first);

  const std::vector<std::string>& paths() const { return paths_; }
  /// Key of what shapes prompts beside the options, if anything does.
  std::optional<u64> key() const { return chat_.key(); }

  /// state: of the tokenizer.
  std::optional<Fault> read(io::JsonReader& json, text::EncodeState& state, ScoreInput& out);

 private:
  std::optional<Fault> read_messages(const io::JsonReader& json, text::EncodeState& state,
                                     ScoreInput& out);
  std::optional<Fault> split_last(const text::Value& messages, ScoreInput& out) const;

  ScoreFields fields_;
  std::vector<std::string> paths_;
  i64 messages_ = -1;
  i64 tools_ = -1;
  i64 documents_ = -1;
  Chat chat_;
  simdjson::dom::parser parser_;
};

}  // namespace lm::decode_tool
