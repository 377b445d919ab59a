#pragma once
// What a record of generate asks to be continued: its prompt (a text, or a list of texts and sets
// of texts), its tokens, its messages, or its context and question, exactly one of them. With
// --prompt-field only that field and tokens are looked at: others may hold anything.

#include <optional>
#include <string>
#include <vector>

#include "chat.h"
#include "cli/tool.h"
#include "decode/jrt.h"
#include "decode/prompt.h"
#include "io/json.h"

namespace lm::decode_tool {

/// What prompts are made with: a whole session has it, and a folder whose weights are not opened.
struct PromptModel {
  const text::Tokenizer& tokenizer;
  std::optional<i32> begin;
  i64 vocab = 0;
  i64 positions = 0;      // at most
  bool all = false;       // prompts may be longer
  bool in_order = false;  // the model reads tokens one after the other: no sets
  bool empty = false;     // a prompt may have no tokens
};

struct ReadPrompt {
  std::vector<decode::PromptRow> rows;
  i32 next = -1;           // position behind them, -1: the one after the last
  std::string text;        // what was tokenised, or what tokens say; with --echo
  bool messages = false;   // it was made of messages
  bool document = false;   // it was made of a document and a question
  bool truncated = false;  // the document was cut
};

class Prompts {
 public:
  /// first: number of the first path below among a reader's. Throws what Chat throws, and
  /// Error{kUsage} for options that contradict each other.
  Prompts(cli::Tool& tool, const PromptModel& model, i64 first);

  /// Fields that are read.
  const std::vector<std::string>& paths() const { return paths_; }
  i64 messages_field() const { return at_.messages; }
  i64 prompt_field(i64 id) const { return at_.prompt >= 0 ? at_.prompt : id; }
  bool has_forms() const { return at_.messages >= 0; }

  /// max_tokens: what the prompt leaves room for. id: as the field of the id, which may be the
  /// prompt. Faults of the record.
  std::optional<Fault> read(io::JsonReader& json, i64 id, i64 max_tokens, ReadPrompt& out);

  /// Text of ids; those that only the model's padded vocabulary has give none.
  std::string text_of(std::vector<i32> tokens) const;

  /// 64-bit keys of what shapes prompts beside the options.
  std::vector<u64> keys() const;

 private:
  struct Fields {
    i64 prompt = -1;
    i64 tokens = -1;
    i64 messages = -1;
    i64 tools = -1;
    i64 documents = -1;
    i64 context = -1;
    i64 question = -1;
    i64 kind = -1;
    i64 intro = -1;
    i64 cloze = -1;
  };

  void pause(ReadPrompt& out) const;
  std::optional<Fault> read_sets(io::JsonReader& json, ReadPrompt& out);
  std::optional<Fault> read_messages(io::JsonReader& json, ReadPrompt& out);
  std::optional<Fault> read_document(io::JsonReader& json, i64 max_tokens, ReadPrompt& out);
  std::optional<Fault> fit(const decode::JrtInput& input, i64 room, ReadPrompt& out);
  std::optional<Fault> encode(decode::PromptText text, ReadPrompt& out);
  std::optional<MemoryCharge> charge(i64 text_bytes) const;

  const cli::Options& options_;
  i32 pause_ = -1;  // --pause-token
  MemoryBudget& memory_;
  PromptModel model_;
  i64 most_;  // rows of a prompt
  Fields at_;
  std::vector<std::string> paths_;
  decode::PromptEncoder encoder_;
  Chat chat_;
  decode::JrtPrompt jrt_;
  u64 jrt_key_ = 0;  // of a template file
};

/// tools or documents of a record: a list, or None where it has none. Fault "messages".
Result<text::Value> read_list(const io::JsonReader& json, i64 field);

}  // namespace lm::decode_tool
