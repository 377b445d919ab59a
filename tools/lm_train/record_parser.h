#pragma once
// One record of an objective: its sequences of tokens with their targets, and its numbers.

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/json.h"
#include "text/tokenizer.h"
#include "train/objective_table.h"

namespace lm::train_tool {

/// What every record is read with.
struct RecordRules {
  train::RecordForm form = train::RecordForm::kCompletion;
  bool reference = false;
  std::string prompt, ids;               // names of fields
  std::vector<std::string> completions;  // one, or the chosen and the rejected, or one and a
                                         // mismatched one
  std::string margin, label, log_probabilities;  // margin: empty where there is none
  std::vector<std::string> labels;               // of classes
  i64 vocab = 0;
  i64 most = 0;            // tokens of a sequence
  bool on_prompt = false;  // prompt tokens are targets too
  bool truncate = false;
  bool prefix_mask = false;  // prompts see all of themselves
  const text::Tokenizer* tokenizer = nullptr;
  std::optional<i32> begin, end;

  /// Numbers of a record.
  i64 scalars() const;
};

struct Tokens {
  std::vector<i32> ids;
  std::vector<u8> loss;
  i64 prefix = 0;  // with prefix_mask
};

struct ParsedRecord {
  std::vector<Tokens> sequences;
  std::vector<f32> scalars;
};

/// One per worker: owns a JSON reader and the tokenizer's scratch.
class RecordParser {
 public:
  /// rules outlive this. truncated counts the sequences that were cut.
  RecordParser(const RecordRules& rules, std::atomic<i64>& truncated);
  io::JsonReader& json() { return json_; }
  std::optional<Fault> parse(io::JsonReader& json, ParsedRecord& out);

 private:
  std::optional<Fault> one_form(io::JsonReader& json) const;
  std::optional<Fault> text(io::JsonReader& json, Tokens& out);
  std::optional<Fault> completion(io::JsonReader& json, i64 c, Tokens& out);
  std::optional<Fault> from_text(io::JsonReader& json, i64 c, Tokens& out);
  std::optional<Fault> encode(i64 field, std::string_view text, std::vector<i32>& ids);
  std::optional<Fault> from_ids(io::JsonReader& json, i64 c, Tokens& out);
  std::optional<Fault> from_mask(io::JsonReader& json, Tokens& out);
  std::optional<Fault> finish(i64 field, i64 from, Tokens& out) const;
  std::optional<Fault> fit(const std::string& field, Tokens& out);
  std::optional<Fault> numbers(io::JsonReader& json, ParsedRecord& out);
  std::optional<Fault> label(io::JsonReader& json, f32& out) const;
  std::optional<Fault> label_of(io::JsonReader& json, f32& out) const;
  std::optional<Fault> reference(io::JsonReader& json, const ParsedRecord& record,
                                 std::span<f32> out) const;

  // Fields by number: the prompt and its ids, ids and mask of a record without parts, the
  // completions, their ids, then numbers.
  i64 text_of(i64 c) const { return kCompletions + c; }
  i64 ids_of(i64 c) const { return kCompletions + isize(rules_.completions) + c; }
  enum Field : i64 {
    kPrompt,
    kPromptIds,
    kIds,
    kMask,
    kLabelField,
    kMargin,
    kReference,
    kPrefixLength,
    kCompletions
  };

  const RecordRules& rules_;
  std::atomic<i64>& truncated_;
  io::JsonReader json_;
  std::unique_ptr<text::EncodeState> state_;
};

}  // namespace lm::train_tool
