#pragma once
// The attributes in which a score is stored: lm_ppl__NAME__MEASURE and companions, each a document
// span [[0,code points,value]] or, for a text without a score, an empty list. One definition for
// every program that writes them; whoever selects reads them back with read_document_span().
//   ppl:      ppl, or ppl_char or ppl_byte, nll (nats), tokens, oov, bpb (bits per byte)
//   contrast: contrast, tokens
//   ratio:    ratio

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "io/json.h"
#include "text/scorer.h"

namespace lm::text {

class ScoreFields {
 public:
  /// more: further companions the caller sets itself, such as "ppl_no_end". Throws Error{kUsage}
  /// for a name with other characters than A-Z a-z 0-9 _.
  ScoreFields(const std::string& text_path, const std::string& name, std::string_view measure,
              const std::vector<std::string>& more = {});
  /// What a JsonReader must read: the text first, then attributes and the stored fields.
  const std::vector<std::string>& paths() const { return paths_; }
  /// Index of a companion ("nll") in paths(). Throws Error{kInternal} for names that are not there.
  i64 index(std::string_view companion) const;
  /// Fault "type" if attributes is there and no object.
  std::optional<Fault> check(const io::JsonReader& json) const;
  /// Sets every companion that follows from the score; length in code points.
  void set(io::RecordEdit& edit, const Score& score, i64 length) const;

 private:
  std::vector<std::string> paths_;
  std::vector<std::string> companions_;
  std::size_t own_ = 0;  // companions that set() knows
};

/// [[0,length,value]], or [] when the value is not finite.
std::string document_span(i64 length, f64 value);
/// The score of a list with one span, or a bare number; NaN for a missing or null field, an empty
/// list, or a null score. Fault "type" for anything else.
Result<f64> read_document_span(const io::JsonReader& json, i64 field);

/// The file name of a path without its last suffix, with _ for everything outside A-Z a-z 0-9 _.
std::string score_name(std::string_view path);

}  // namespace lm::text
