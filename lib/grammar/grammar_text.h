#pragma once
// Reading a grammar's text: blanks and comments, literal words, numbers, escapes of literals. What
// the notations have in common.

#include <optional>
#include <string>
#include <string_view>

#include "core/types.h"
#include "grammar/rule_names.h"

namespace lm::grammar {

class GrammarText {
 public:
  /// Complaints go through names, which outlives this. Refuses text that is not UTF-8.
  GrammarText(std::string_view text, const RuleNames& names);

  bool more() const { return at_ < isize(text_); }
  char here() const { return text_[usize(at_)]; }
  i64 at() const { return at_; }
  i64 line() const { return line_; }
  std::string_view rest() const { return text_.substr(usize(at_)); }
  bool next_is(std::string_view what) const { return rest().starts_with(what); }
  bool take(std::string_view what);
  /// Blanks, line ends and comments, which begin with one of two marks (the second may be empty).
  void blanks(std::string_view mark, std::string_view other_mark);
  /// A decimal number; values above `most` become most + 1.
  std::optional<i64> number(i64 most);
  /// Letters, digits and the further characters given.
  std::string_view word(std::string_view further);
  /// One character, or an escape: \n \r \t \xHH \uHHHH \UHHHHHHHH, and those of `plain` themselves.
  char32_t character(std::string_view plain);
  /// One character, a backslash too.
  char32_t character_as_is();
  /// Bounds of a repetition after they were read: refuses reversed and huge ones.
  void check_bounds(i64 low, std::optional<i64> high) const;
  /// Goes back to a place that at() and line() named.
  void back_to(i64 at, i64 line) {
    at_ = at;
    line_ = line;
  }
  /// For messages: the next character.
  std::string seen() const;
  /// Counts how deep groups are nested while it lives; refuses too many.
  class Nested {
   public:
    explicit Nested(GrammarText& text);
    ~Nested() { --text_->depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    GrammarText* text_;
  };

  static constexpr i64 kMostRepeats = 1000000;

 private:
  char32_t hex(i64 digits);

  std::string_view text_;
  const RuleNames* names_;
  i64 at_ = 0;
  i64 line_ = 1;
  int depth_ = 0;
};

}  // namespace lm::grammar
