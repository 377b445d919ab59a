#pragma once
// Prompts of a document and a question, the document read more than once (JRT-Prompt). Models with
// a state of fixed size know on the second reading what to keep. The published prompts also put the
// question first; here either is had without the other.
// Source: Arora et al. 2024, Just read twice; the prompts of its six evaluation tasks.

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/types.h"
#include "text/template.h"

namespace lm::decode {

/// What a record gives. Texts are valid UTF-8.
struct JrtInput {
  std::string context;
  std::string question;
  /// How they are written:
  ///   plain (or empty)      D Q                  as they are
  ///   attribute fda swde    D. K:                K the attribute asked for, its first letter
  ///   large;
  ///                                              before the document "Information about K."
  ///   answer nq triviaqa drop   D. Q
  ///   cloze squad           the cloze text alone, which holds the document; before it D and Q
  /// D. has no end that repeats the question, no points and blanks at its ends, and one point. swde
  /// ends D where "Summary of information above..." begins; triviaqa leaves [PAR] [DOC] [TLE] out.
  std::string kind;
  std::optional<std::string> intro;  // the question as it stands before the document, if otherwise
  std::optional<std::string> cloze;  // of kind cloze
};

class JrtPrompt {
 public:
  /// order: letters C (document) and Q (question), "CQ" to "QCCQ". A C or Q behind a C or Q of its
  /// own kind, or behind a closing Q, begins a new reading behind `separator`; others stand behind
  /// a blank. Throws Error{kUsage} for other letters and more than 64.
  JrtPrompt(std::string order, std::string separator);
  /// A template of the user's over context, question, intro, kind, cloze, separator, times.
  JrtPrompt(std::string_view source, std::string name, std::string separator, i64 times);

  /// The prompt with the first `keep` bytes of the document (at a character); all of it by default.
  /// Faults: "jrt" (an unknown kind, a cloze without its text), "template".
  Result<std::string> render(const JrtInput& input, i64 keep = -1) const;
  /// The record's document as its kind writes it, without its point: what may be cut.
  static Result<std::string> document(const JrtInput& input);

 private:
  std::string order_;
  std::string separator_;
  i64 times_ = 1;
  std::optional<text::Template> template_;
};

/// The order of a mode, with the document `times` times where it repeats it: off CQ, repeat CCQ,
/// question QCQ, both QCCQ.
std::string jrt_order(std::string_view mode, i64 times);

}  // namespace lm::decode
