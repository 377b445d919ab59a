#pragma once
// The chat template of a run, as --chat, --chat-var, --date and --special say. A template is parsed
// when the first record with messages comes: others do not need it to be understood.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cli/tool.h"
#include "decode/prompt.h"
#include "text/chat_marks.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace lm::decode_tool {

class Chat {
 public:
  /// Throws Error{kUsage} for a --chat that is neither a name nor a file, and for a wrong --date or
  /// --chat-var; Error{kData} for files of the model folder that cannot be read.
  Chat(cli::Tool& tool, const text::Tokenizer& tokenizer);

  /// The prompt of a record's messages. With --special other than parse, special tokens are the
  /// template's alone. Throws Error{kUsage} where there is no template, Error{kData} for one that
  /// is not understood. Faults of ChatTemplate and ChatMarks; "special" with --special error.
  Result<decode::PromptText> prompt(const text::ChatInput& input, text::EncodeState& state);

  /// Fault "special" with --special error where text has special tokens that touch these ranges.
  std::optional<Fault> refusal(const std::string& text, const text::ByteRanges& ranges,
                               text::EncodeState& state) const;

  /// 64 bits of what may shape prompts; nothing if there is no template.
  std::optional<u64> key() const { return key_; }

 private:
  const text::ChatTemplate& template_of(const text::ChatInput& input);
  const text::ChatFiles::Named& source_of(bool tools) const;
  void add_vars(const text::Tokenizer& tokenizer);

  const cli::Options& options_;
  std::string folder_;
  text::ChatFiles files_;
  text::ValueMap vars_;
  std::optional<text::Date> today_;
  std::optional<u64> key_;
  std::map<std::string, text::ChatTemplate> templates_;  // by the name of their source
  text::SpecialPolicy special_;
  std::optional<text::ChatMarks> marks_;
};

}  // namespace lm::decode_tool
