#pragma once
// Messages to a prompt, as chat models were trained on it: the template of a model folder, one of
// our own (chat_builtin.h) or a file, rendered as transformers 5 renders it. What it makes of a
// record is a function of the record, the template and what is set here alone: there is no clock.
// A message's fields that are null are not there; reasoning_content, thinking and reasoning stand
// for each other, as in transformers. const methods may run concurrently.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "text/chat_date.h"
#include "text/chat_files.h"
#include "text/template.h"
#include "text/tokenizer.h"
#include "text/value.h"

namespace lm::text {

/// What a record gives to a template.
struct ChatInput {
  Value messages;             // a list
  Value tools = Value();      // None where it has none
  Value documents = Value();  // the same
  bool generation = true;     // the prompt asks for an answer
  bool continued = false;     // the prompt ends where the last message does, not behind its turn
};

class ChatTemplate {
 public:
  /// vars: names that the template sees beside its input, special tokens above all. today: what
  /// strftime_now tells; without one the function is not there, so that templates which ask for it
  /// take what they have instead. Throws Error{kData} as Template does.
  ChatTemplate(const ChatFiles::Named& source, ValueMap vars, std::optional<Date> today);

  /// The prompt. Fault "template": what the template cannot do with the messages, or says of them.
  Result<std::string> render(const ChatInput& input) const;

  /// 64 bits of what shapes prompts here.
  u64 key() const { return key_; }
  const std::string& where() const { return where_; }

 private:
  std::string where_;
  bool has_content_;
  ValueMap vars_;
  Template template_;
  u64 key_ = 0;
};

/// What templates call the special tokens: as a folder's files have them, or, where those name
/// none, the tokenizer's own by their roles. As in transformers: what files leave out has no text.
ValueMap chat_vars(const ChatFiles& files, const Tokenizer& tokenizer);

/// A record's messages as templates get them: a list of objects with a role, no fields of null.
/// Fault "messages".
Result<Value> read_messages(std::string_view json);

/// The text of the last message: its content, or the last of its parts that has a text. Nothing if
/// it has none.
std::optional<std::string> last_text(const Value& messages);

}  // namespace lm::text
