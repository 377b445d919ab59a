#pragma once
// Taggers that name languages, whatever identifies them: variants by unit, and of English alone.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "tag/tagger.h"

namespace lm::tag {

struct LanguageScore {
  i64 language = 0;  // number
  f64 score = 0;
};

/// Names the languages of a text. One per worker.
class LanguageIdentifier {
 public:
  virtual ~LanguageIdentifier() = default;
  /// Replaces out by the languages of a text, most likely first.
  virtual std::optional<Fault> identify(std::string_view text, std::vector<LanguageScore>& out) = 0;
  /// Number of English.
  virtual i64 english() const = 0;
};

using MakeIdentifier = std::function<std::unique_ptr<LanguageIdentifier>(const TagSettings&)>;

/// How scores of all languages become spans; the types of such a tagger are the languages, by
/// number.
struct LanguageForm {
  bool paragraphs = false;  // that are not blank; else the document
  bool hundredths = false;  // only scores above 0.01, rounded to two decimals
};
std::unique_ptr<Tagger> all_languages(std::unique_ptr<LanguageIdentifier> identifier,
                                      LanguageForm form);

/// A tagger of English.
struct EnglishForm {
  bool paragraphs = false;
  bool negative = true;         // not_en = 1 - en
  bool document_score = false;  // doc_en, the mean of the paragraphs by length, and doc_not_en
};
std::vector<TagType> english_types(const EnglishForm& form);
std::unique_ptr<Tagger> english_only(std::unique_ptr<LanguageIdentifier> identifier,
                                     EnglishForm form);

}  // namespace lm::tag
