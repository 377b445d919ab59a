#pragma once
// Spans cut out of a text or replaced. Deletions that overlap are merged into their union; of
// replacements the first stays and those that begin inside what is gone already are skipped and
// counted. Offsets are code points. Thread rule: a Cutter is read-only once filled; a CutWork is a
// worker's own.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "mix/values.h"

namespace lm::mix {

/// What happens to a span that ends behind the text.
enum class BadSpans { kError, kClip, kDrop };

struct CutCounts {
  i64 documents = 0;  // with at least one edit
  i64 spans = 0;      // of a score in the range
  i64 chars = 0;      // removed, each counted for the first rule that takes it
  i64 skipped = 0;    // replacements inside what was gone
  i64 bad = 0;        // spans behind the text, clipped or dropped
  void add(const CutCounts& other);
};

/// KEY[>=MIN][<MAX][:REPLACEMENT]. KEY as attribute_name() has it. An empty replacement deletes;
/// {} stands for the span's text; "$PATH" is the value of a field, "$$" begins a text with "$".
struct CutRule {
  i64 attribute = -1;  // the spans are an attribute's, or
  i64 spans = -1;      // another field's, or
  i64 selector = -1;   // what a selector leads to
  f64 min = 0;
  f64 max = 0;
  bool deletes = true;
  i64 field = -1;                    // of $PATH
  i64 value = -1;                    // the selector of a computed replacement
  std::vector<std::string> literal;  // the text between {}s, at least one
};

/// A rule as other mixers write it: a selector that leads to a list of spans, or to spans; the
/// replacement as above, where "$" and a dot begin a jq filter.
struct SpanReplacement {
  std::string span;
  Syntax syntax = Syntax::kJsonPath;
  std::optional<f64> min = {};
  std::optional<f64> max = {};
  std::string replacement = {};
};

/// Buffers that are kept from record to record.
struct CutWork {
  struct Edit {
    i64 begin;
    i64 end;
    i64 rule;
  };
  std::vector<Edit> edits;
  std::string out;  // the new text
  std::vector<CutCounts> counts;
  std::vector<CutCounts> now;           // of the record at hand
  std::vector<text::ScoredSpan> spans;  // that are no attribute's
};

class Cutter {
 public:
  explicit Cutter(BadSpans bad) : bad_(bad) {}
  /// Throws Error{kind} "WHERE: ..." for what has not the form.
  void add(std::string_view spec, Names& names, const std::string& where,
           ErrorKind kind = ErrorKind::kUsage);
  void add(const SpanReplacement& spec, Names& names, const std::string& where, ErrorKind kind);
  i64 size() const { return isize(rules_); }
  const std::string& spec(i64 rule) const { return specs_[usize(rule)]; }
  CutWork make_work() const {
    return {
        {}, {}, std::vector<CutCounts>(rules_.size()), std::vector<CutCounts>(rules_.size()), {}};
  }

  /// The open record's text with all rules applied into work.out; false where nothing applies, and
  /// then work.out is not set. Faults: type and range of spans, missing and type of $PATH and of
  /// the text. A record with a fault is not counted. O(text + spans log spans).
  Result<bool> cut(Values& values, CutWork& work) const;

 private:
  static void set_replacement(CutRule& rule, std::string_view text, Names& names,
                              const std::string& where, ErrorKind kind);
  std::optional<Fault> collect(Values& values, CutWork& work) const;
  std::optional<Fault> replacement(const CutRule& rule, Values& values, std::string_view original,
                                   std::string& out) const;

  BadSpans bad_;
  std::vector<CutRule> rules_;
  std::vector<std::string> specs_;
};

}  // namespace lm::mix
