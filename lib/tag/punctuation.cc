// Paragraphs that say nothing in letters or digits, as Dolma finds them.

#include <algorithm>

#include "tag/tagger.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> punctuation_taggers();

namespace {

constexpr u32 kSymbols =
    text::category_bit(text::Category::kSm) | text::category_bit(text::Category::kSc) |
    text::category_bit(text::Category::kSk) | text::category_bit(text::Category::kSo);

/// Punctuation in the wide sense of POSIX (symbols too, unless alphabetic), white space, emoji.
bool is_mark(char32_t cp) {
  return text::is_punctuation(cp) || text::is_white_space(cp) ||
         (text::in_categories(cp, kSymbols) && !text::is_alphabetic(cp)) ||
         (cp >= 0x1F300 && cp <= 0x1F64F) || (cp >= 0x1F680 && cp <= 0x1F6FF) ||
         (cp >= 0x2600 && cp <= 0x27BF);
}

bool is_all_marks(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end)
    if (!is_mark(text::next_valid(p))) return false;
  return true;
}

class NotAlphanum : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    for (const Range paragraph : document.paragraphs()) {
      const std::string_view text = document.slice(paragraph);
      if (is_all_marks(text) && !text::is_blank(text)) out.span(0, paragraph.begin, paragraph.end);
    }
    if (out.spans(0).empty()) out.value(0, 0);
    return std::nullopt;
  }
};

}  // namespace

std::vector<TaggerDef> punctuation_taggers() {
  return {{"not_alphanum_paragraph_v1",
           "paragraph",
           "paragraphs of marks alone",
           "Dolma",
           {{"all_punct",
             "1 for a paragraph of punctuation, symbols and emoji; 0 for a document "
             "without one"}},
           {},
           [](const TagSettings&) { return std::make_unique<NotAlphanum>(); }}};
}

}  // namespace lm::tag
