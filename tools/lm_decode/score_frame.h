#pragma once
// What the modes of score share: which fields of a record they read, and the line they write.

#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "decode/prompt.h"
#include "decode/session.h"
#include "io/held.h"
#include "score_input.h"

namespace lm::decode_tool {

/// Work of one record of score.
struct ScoreHeld : io::HeldWork {
  bool listed = false;  // the result is a list
};

class ScoreFrame {
 public:
  enum Field : i64 {
    kId,
    kText,
    kPrompt,
    kCompletion,
    kCompletions,
    kChoices,
    kResult,
    kResults,
    kBest,
    kModel,
    kLm,
    kOwn  // the mode's own fields, then those of --completion-field, those of messages
  };

  /// result, results: names of the field for one text and of that for a list. own: further paths.
  ScoreFrame(cli::Tool& tool, decode::Session& session, std::string result, std::string results,
             const std::vector<std::string>& own);

  std::vector<std::string> paths() const;
  /// Of what shapes prompts beside the options, if anything does.
  std::optional<u64> key() const { return input_.key(); }

  /// Sets the work's id and whether it is a list. state: of the tokenizer.
  std::optional<Fault> read(io::Record& record, text::EncodeState& state, ScoreHeld& work,
                            ScoreInput& out);
  /// Appends the finished line. result: the one value, or those of a list, whose best is named.
  void write(io::JsonReader& json, const ScoreHeld& work, const std::string& result,
             const std::string& best, std::string& out) const;

 private:
  std::vector<i64> named() const;

  cli::Tool& tool_;
  std::string result_;
  std::string results_;
  std::vector<std::string> own_;
  std::vector<std::string> paths_;
  std::string model_;  // as JSON
  std::string dtype_;  // the same, a member; empty for f32
  ScoreReader input_;
};

}  // namespace lm::decode_tool
