// Languages by CLD2, as Dolma asks it.

#include <array>
#include <cstdio>  // <cld2/public/compact_lang_det.h> uses FILE and does not say so
#include <limits>
#include <map>

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

#include "core/error.h"
#include "core/str.h"
#include "tag/language.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace CLD2 {
extern const uint32_t kDeltaOctaIndSize;  // of the tables that are linked
}

namespace lm::tag {

std::vector<TaggerDef> cld2_taggers();

namespace {

constexpr u32 kFullTable = 2000;  // it has 2143 entries; that of the small library 988

/// The languages that CLD2 can name, as types of a tagger.
struct Languages {
  Languages();
  std::vector<TagType> types;
  std::array<i64, CLD2::NUM_LANGUAGES> by_code{};  // place in types, -1 for "unknown"
  std::array<i64, CLD2::NUM_LANGUAGES> by_name{};
  i64 english = 0;
};

std::string first_letters(std::string_view name) {
  return ascii_lower(name.substr(0, 2));
}

Languages::Languages() {
  LM_CHECK(CLD2::kDeltaOctaIndSize >= kFullTable, "the full tables of CLD2 are linked");
  struct Meaning {
    std::string code;
    std::string name;
  };
  std::map<std::string, Meaning> all;
  const auto language = [](std::size_t i) { return static_cast<CLD2::Language>(i); };
  const auto code_of = [&](std::size_t i) {
    const std::string_view code = CLD2::LanguageCode(language(i));
    return ascii_lower(code.substr(0, code.find('-')));
  };
  const auto is_known = [&](std::size_t i) {
    return language(i) != CLD2::UNKNOWN_LANGUAGE && language(i) != CLD2::TG_UNKNOWN_LANGUAGE &&
           *CLD2::LanguageCode(language(i)) != '\0';
  };
  for (std::size_t i = 0; i < by_code.size(); ++i) {
    std::string& name = all[first_letters(CLD2::LanguageName(language(i)))].name;
    if (name.empty()) name = CLD2::LanguageName(language(i));
    if (!is_known(i)) continue;
    std::string& code = all[code_of(i)].code;
    if (code.empty()) code = CLD2::LanguageName(language(i));
  }
  std::map<std::string, i64> places;
  for (const auto& [type, meaning] : all) {
    places[type] = isize(types);
    if (meaning.code.empty()) {
      types.push_back({type, "share of languages whose name begins so, such as " + meaning.name,
                       Needs::kDolma});
    } else {
      types.push_back({type, "share of " + meaning.code,
                       meaning.name.empty() ? Needs::kCorrected : Needs::kNothing});
    }
  }
  for (std::size_t i = 0; i < by_code.size(); ++i) {
    by_code[i] = is_known(i) ? places.at(code_of(i)) : -1;
    by_name[i] = places.at(first_letters(CLD2::LanguageName(language(i))));
  }
  english = places.at("en");
}

const Languages& languages() {
  static const Languages all;
  return all;
}

/// What CLD2 takes for no text: controls but tab, newline, form feed and carriage return, and
/// noncharacters.
bool is_refused(char32_t cp) {
  if (cp < 0x20) return cp != '\t' && cp != '\n' && cp != '\f' && cp != '\r';
  return (cp >= 0x7F && cp <= 0x9F) || (cp >= 0xFDD0 && cp <= 0xFDEF) || (cp & 0xFFFE) == 0xFFFE;
}

class Cld2 : public LanguageIdentifier {
 public:
  explicit Cld2(bool dolma) : dolma_(dolma) {}

  std::optional<Fault> identify(std::string_view text, std::vector<LanguageScore>& out) override {
    out.clear();
    if (text.size() > usize(std::numeric_limits<int>::max()))
      return Fault{"too_long", "CLD2 takes at most 2 GiB of text"};
    Answer answer;
    if (!ask(text, answer)) {
      clean(text);
      if (!ask(cleaned_, answer)) return std::nullopt;
    }
    if (!answer.reliable) return std::nullopt;
    for (std::size_t i = 0; i < 3; ++i)
      add(answer.languages[i], answer.percents[i], out);
    return std::nullopt;
  }

  i64 english() const override { return languages().english; }

 private:
  struct Answer {
    CLD2::Language languages[3];
    int percents[3];
    bool reliable = false;
  };

  /// False if CLD2 refuses a character of the text. Tags and entities of HTML are no text to it.
  static bool ask(std::string_view text, Answer& answer) {
    const CLD2::CLDHints hints{nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    f64 scores[3];
    int text_bytes = 0;
    int valid_bytes = 0;
    const int size = static_cast<int>(text.size());
    CLD2::ExtDetectLanguageSummaryCheckUTF8(text.data(), size, false, &hints, 0, answer.languages,
                                            answer.percents, scores, nullptr, &text_bytes,
                                            &answer.reliable, &valid_bytes);
    return valid_bytes == size;
  }

  /// Makes cleaned_ of a text that was refused. The reference tries a transliteration to ASCII
  /// first, which hides the script from CLD2; then it deletes control characters, newlines too, so
  /// that words run together.
  void clean(std::string_view text) {
    cleaned_.clear();
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p < end) {
      const char* const begin = p;
      const char32_t cp = text::next_valid(p);
      if (dolma_ ? !text::is_control(cp) : !is_refused(cp)) {
        cleaned_.append(begin, p);
      } else if (!dolma_) {
        cleaned_ += ' ';
      }
    }
  }

  void add(CLD2::Language language, int percent, std::vector<LanguageScore>& out) const {
    const std::size_t number = static_cast<std::size_t>(language);
    const f64 score = percent / 100.0;
    if (dolma_) {
      // The reference takes the first letters of the language's name for its code (GERMAN: "ge"),
      // and "Unknown" for a language.
      out.push_back({languages().by_name[number], score});
      return;
    }
    const i64 place = languages().by_code[number];
    if (place < 0) return;
    for (LanguageScore& other : out) {
      if (other.language != place) continue;
      other.score += score;  // two scripts of one language
      return;
    }
    out.push_back({place, score});
  }

  bool dolma_;
  std::string cleaned_;
};

std::unique_ptr<LanguageIdentifier> make_cld2(const TagSettings& settings) {
  return std::make_unique<Cld2>(settings.dolma);
}

TaggerDef all(const char* name, const char* unit, LanguageForm form) {
  return {name,
          unit,
          "up to three languages, where CLD2 is sure",
          "CLD2; Dolma",
          languages().types,
          {},
          [form](const TagSettings& settings) { return all_languages(make_cld2(settings), form); }};
}

TaggerDef english(const char* name, EnglishForm form) {
  return {name,
          form.paragraphs ? "paragraph" : "document",
          "English, where CLD2 is sure",
          "CLD2; Dolma",
          english_types(form),
          {},
          [form](const TagSettings& settings) { return english_only(make_cld2(settings), form); }};
}

}  // namespace

std::vector<TaggerDef> cld2_taggers() {
  return {
      all("cld2_doc_v2", "document", {}),
      all("cld2_paragraph_v2", "paragraph", {.paragraphs = true}),
      english("cld2_en_doc_v2", {}),
      english("cld2_en_paragraph_v2", {.paragraphs = true}),
      english("cld2_en_paragraph_with_doc_score_v2", {.paragraphs = true, .document_score = true}),
  };
}

}  // namespace lm::tag
