#pragma once
// What a model sees of a text: its tokens, where each stands and what is hidden from it; the token
// that begins a text, the boundary between a prompt and what follows it, how many bytes of a text
// its scored tokens stand for.

#include <algorithm>
#include <concepts>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "model/engine.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// A token as the model shall see it. A plain text is rows made of tokens alone.
struct PromptRow {
  PromptRow() = default;
  PromptRow(i32 id) : token(id) {}  // NOLINT: a token is a row

  i32 token = 0;
  i32 position = -1;   // -1: the one after the row before; of the first 0
  i32 hole_begin = 0;  // rows [hole_begin, hole_end) of the sequence are hidden from this one,
  i32 hole_end = 0;    // which stands behind them
  auto operator<=>(const PromptRow&) const = default;  // NOLINT: no pointer, clang-tidy 14
};
std::vector<PromptRow> prompt_rows(std::span<const i32> tokens);
std::vector<i32> tokens_of(std::span<const PromptRow> rows);
/// Sets the positions that are -1, of a part of a sequence with `before` rows before it, whose next
/// position is `next`. Returns the next one behind the part. LM_CHECKs the holes.
i32 set_positions(std::span<PromptRow> rows, i64 before, i32 next);

/// `count` rows that end as these do and are these again and again, the first time from somewhere
/// within; a begin token stands first and once. No fewer than there are.
std::vector<PromptRow> repeated(std::span<const PromptRow> rows, std::optional<i32> begin,
                                i64 count);

/// The row of a sequence that evaluates it, without results.
model::EvalRow eval_row(i32 seq, const PromptRow& row);

/// What a model's sequences begin with: the tokenizer's own, else the configuration's.
std::optional<i32> begin_token(const model::ModelCfg& cfg, const text::Tokenizer& tokenizer);

/// What completions end with: the tokenizer's own (null: there is none), else the configuration's.
std::optional<i32> end_token(const model::ModelCfg& cfg, const text::Tokenizer* tokenizer);

/// How a prompt and a completion are tokenised: together, with the prompt's trailing blanks moved
/// to the completion (the rule of evaluation harnesses), or apart.
enum class Boundary : u8 { kJoint, kSeparate };

/// Whether every row stands behind the one before and sees all of them.
inline bool in_order(std::span<const PromptRow> rows) {
  return std::all_of(rows.begin(), rows.end(), [](const PromptRow& row) {
    return row.position < 0 && row.hole_begin == row.hole_end;
  });
}

/// Tokens of which those from `first` on are scored, but for `heads`; bytes is what they stand for,
/// chars the code points that begin there.
struct ScoredTokens {
  std::vector<i32> tokens;
  i64 first = 0;
  i64 bytes = 0;
  i64 chars = 0;
  std::vector<i64> heads;  // ascending: where windows that do not overlap begin, from the second on

  i64 scored() const { return std::max<i64>(0, isize(tokens) - first - isize(heads)); }
};

/// A prompt's text, with what is known of it beside.
struct PromptText {
  PromptText() = default;
  template <std::convertible_to<std::string_view> Text>
  PromptText(const Text& plain) : text(std::string_view(plain)) {}  // NOLINT: a text is a prompt

  std::string text;
  /// The text says itself what it begins with, as chat templates do: nothing is put before it.
  bool whole = false;
  /// Where special tokens are text (EncodeState::literal); nothing: as the tokenizer was loaded.
  std::optional<std::vector<std::pair<i64, i64>>> literal;
};

/// Not thread-safe: owns the tokenizer's scratch.
class PromptEncoder {
 public:
  /// begin: put before every text, or nothing. Borrows the tokenizer, which adds no specials
  /// itself.
  PromptEncoder(const text::Tokenizer& tokenizer, std::optional<i32> begin);

  /// Faults: "special" (a special token stands in the text and the tokenizer refuses it),
  /// "tokenizer" (it gives up on the text). Text is valid UTF-8. A text of more than `most` rows
  /// gives most + 1.
  Result<std::vector<PromptRow>> prompt(const PromptText& text,
                                        i64 most = std::numeric_limits<i32>::max());
  /// What prompt() takes at most while it runs, in bytes: a text of tokens of one byte each, whose
  /// list doubles as it grows, its normalised form, and rows.
  static i64 prompt_bytes(i64 text_bytes, i64 most);
  /// Rows that the last text of prompt() has.
  i64 prompt_rows() const { return prompt_rows_; }
  /// A part of a prompt, tokenised alone, with nothing before it.
  Result<std::vector<i32>> piece(std::string_view text);
  std::optional<i32> begin() const { return begin_; }
  /// All of a text is scored, except its first token where nothing begins it. Specials count 0
  /// bytes. apart: the length of windows that do not overlap, whose first tokens have nothing
  /// before them and are not scored; 0: windows overlap.
  Result<ScoredTokens> text(std::string_view text, i64 apart = 0);
  /// A text of more than `most` tokens is represented by `parts` equal stretches of most / parts
  /// tokens, from its head evenly to its end; other texts are one stretch. A later stretch stands
  /// alone: nothing is before its first token, which is not scored.
  Result<std::vector<ScoredTokens>> stretches(std::string_view text, i64 most, i64 parts,
                                              i64 apart = 0);
  /// The completion is scored given the prompt, its first `most` tokens if it has more. Ranges of
  /// the prompt that reach beyond it are the completion's.
  Result<ScoredTokens> completion(const PromptText& prompt, std::string_view completion,
                                  Boundary boundary, i64 most = std::numeric_limits<i64>::max());

  /// Bytes of the tokens of one text, nothing before it. Faults as prompt(). For cuts at tokens.
  Result<std::vector<std::pair<i64, i64>>> offsets(std::string_view text);
  text::EncodeState& state() { return *state_; }

 private:
  std::optional<Fault> encode(std::string_view text);
  std::optional<Fault> encode_ids(std::string_view text);                     // without offsets
  std::optional<Fault> encode(std::string_view text, std::vector<i32>& ids);  // appended to ids
  i64 special_bytes(i64 from, i64 to) const;
  i64 special_chars(std::string_view text, i64 from, i64 to) const;
  ScoredTokens stretch(std::string_view text, i64 begin, i64 end, i64 apart) const;

  const text::Tokenizer& tokenizer_;
  std::optional<i32> begin_;
  std::unique_ptr<text::EncodeState> state_;
  std::vector<std::pair<i64, i64>> offsets_;  // of the last encode
  std::vector<i32> ids_;                      // of the last encode
  i64 prompt_rows_ = 0;
};

}  // namespace lm::decode
