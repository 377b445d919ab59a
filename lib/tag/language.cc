#include "tag/language.h"

#include "text/segment.h"
#include "text/spans.h"

namespace lm::tag {

namespace {

/// Calls visit(text, range) for the document or for its paragraphs that are not blank, until a
/// fault.
template <typename Visit>
std::optional<Fault> each_unit(Document& document, bool paragraphs, Visit&& visit) {
  if (!paragraphs) return visit(document.text(), Range{0, isize(document.text())});
  for (const Range part : document.paragraphs()) {
    const std::string_view text = document.slice(part);
    if (text::is_blank(text)) continue;
    if (std::optional<Fault> fault = visit(text, part)) return fault;
  }
  return std::nullopt;
}

class AllLanguages : public Tagger {
 public:
  AllLanguages(std::unique_ptr<LanguageIdentifier> identifier, LanguageForm form)
      : identifier_(std::move(identifier)), form_(form) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    return each_unit(document, form_.paragraphs, [&](std::string_view text, Range part) {
      std::optional<Fault> fault = identifier_->identify(text, scores_);
      if (fault) return fault;
      for (const LanguageScore& found : scores_) {
        f64 score = found.score;
        if (form_.hundredths) {
          if (!(score > 0.01)) continue;
          score = text::rounded(score, 2);
        }
        out.span(found.language, part.begin, part.end, score);
      }
      return fault;
    });
  }

 private:
  std::unique_ptr<LanguageIdentifier> identifier_;
  LanguageForm form_;
  std::vector<LanguageScore> scores_;
};

enum : i64 { kEnglish, kNotEnglish, kDocEnglish, kDocNotEnglish };

class EnglishOnly : public Tagger {
 public:
  EnglishOnly(std::unique_ptr<LanguageIdentifier> identifier, EnglishForm form)
      : identifier_(std::move(identifier)), form_(form) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    f64 sum = 0;
    std::optional<Fault> fault =
        each_unit(document, form_.paragraphs, [&](std::string_view text, Range part) {
          std::optional<Fault> bad = identifier_->identify(text, scores_);
          if (bad) return bad;
          bool none = true;
          for (const LanguageScore& found : scores_) {
            if (found.language != identifier_->english()) continue;
            emit(document, out, part, found.score, sum);
            none = false;
          }
          if (none) emit(document, out, part, 0, sum);
          return bad;
        });
    if (fault || !form_.document_score) return fault;
    const i64 chars = document.chars();
    const f64 english = chars == 0 ? 0 : sum / static_cast<f64>(chars);
    out.value(kDocEnglish, english);
    out.value(kDocNotEnglish, chars == 0 ? 0 : 1 - english);
    return fault;
  }

 private:
  void emit(Document& document, Emitter& out, Range part, f64 score, f64& sum) {
    out.span(kEnglish, part.begin, part.end, score);
    if (form_.negative) out.span(kNotEnglish, part.begin, part.end, 1 - score);
    sum += static_cast<f64>(document.chars_of(part)) * score;
  }

  std::unique_ptr<LanguageIdentifier> identifier_;
  EnglishForm form_;
  std::vector<LanguageScore> scores_;
};

}  // namespace

std::unique_ptr<Tagger> all_languages(std::unique_ptr<LanguageIdentifier> identifier,
                                      LanguageForm form) {
  return std::make_unique<AllLanguages>(std::move(identifier), form);
}

std::vector<TagType> english_types(const EnglishForm& form) {
  const std::string unit = form.paragraphs ? "a paragraph" : "the document";
  std::vector<TagType> types = {{"en", "how likely " + unit + " is English"}};
  if (form.negative) types.push_back({"not_en", "1 - en"});
  if (form.document_score) {
    types.push_back({"doc_en", "sum of en times characters of its paragraph / characters"});
    types.push_back({"doc_not_en", "1 - doc_en"});
  }
  return types;
}

std::unique_ptr<Tagger> english_only(std::unique_ptr<LanguageIdentifier> identifier,
                                     EnglishForm form) {
  return std::make_unique<EnglishOnly>(std::move(identifier), form);
}

}  // namespace lm::tag
