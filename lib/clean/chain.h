#pragma once
// Cleaners in a row: each sees the text as the one before it has left it. Thread rule: a ChainPlan
// is read-only once filled; a Chain is a worker's own.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clean/catalogue.h"
#include "clean/cleaner.h"
#include "clean/origins.h"
#include "text/spans.h"

namespace lm::clean {

class ChainPlan {
 public:
  /// Appends a cleaner. Throws as parse_cleaner() does.
  void add(std::string_view spec, const std::string& where, ErrorKind kind = ErrorKind::kUsage);
  i64 size() const { return isize(steps_); }
  const std::string& spec(i64 step) const { return steps_[usize(step)].spec; }
  const CleanerDef& def(i64 step) const { return *steps_[usize(step)].def; }
  /// Every attribute that a measured text can get, each once.
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  friend class Chain;
  struct Step {
    std::string spec;
    const CleanerDef* def;
    OptionValues values;
    std::vector<i64> keys;  // of the types, then of the reasons, into keys_
  };
  i64 key(std::string name);

  std::vector<Step> steps_;
  std::vector<std::string> keys_;
};

/// What one cleaner did. Documents that an earlier one dropped it has not seen.
struct StepCounts {
  i64 documents = 0;
  i64 changed = 0;
  i64 dropped = 0;
  i64 lines = 0;  // looked at, by cleaners of lines
  i64 lines_removed = 0;
  i64 chars_removed = 0;
  i64 chars_added = 0;         // by replacements
  std::vector<i64> edits;      // by type
  std::vector<i64> by_reason;  // documents dropped
  void add(const StepCounts& other);
};

class Chain {
 public:
  enum class Outcome { kSame, kChanged, kDropped };

  explicit Chain(const ChainPlan& plan);
  /// text: well-formed UTF-8 of less than 4 GiB that outlives the next calls of measured(). What is
  /// counted depends on the texts only. O(cleaners n) for cleaners that look at a text once.
  Outcome run(std::string_view text);
  /// The text after a run that changed it.
  const std::string& text() const { return text_; }
  /// Appends the attributes that say what the last run did, as a JSON object with all of
  /// ChainPlan::keys(): spans of what went or was replaced and, for the reason of a drop, one of
  /// the whole text; nothing is said of the edits of the cleaner that drops. Cutting the spans out
  /// of the text gives text() where edits only take away.
  void append_attributes(std::string& out);
  const std::vector<StepCounts>& counts() const { return counts_; }

 private:
  bool step(std::size_t i, std::string_view text);
  void apply(std::string_view text, const std::vector<Edit>& edits);
  void count(const std::vector<Edit>& edits, StepCounts& counts);

  struct Mark {
    tag::Range bytes;
    i64 key;
  };
  const ChainPlan& plan_;
  std::vector<std::unique_ptr<Cleaner>> cleaners_;
  std::vector<StepCounts> counts_;
  tag::Document document_;
  Findings findings_;
  Origins origins_;
  std::string_view original_;
  std::string text_;
  std::string next_;
  std::vector<Mark> marks_;  // of the original text
  i64 drop_key_ = -1;
  std::vector<std::vector<text::ScoredSpan>> spans_;  // by key
};

}  // namespace lm::clean
