// Lengths of documents and paragraphs, as Dolma counts them.

#include "tag/tagger.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> length_taggers();

namespace {

/// What one tagger counts of a whole document.
using Count = i64 (*)(Document&);

class OneValue : public Tagger {
 public:
  explicit OneValue(Count count) : count_(count) {}
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    out.value(0, static_cast<f64>(count_(document)));
    return std::nullopt;
  }

 private:
  Count count_;
};

/// Matches of \w+|[^\w\s]+, with the white space of Unicode (1C to 1F are none).
i64 count_pieces(std::string_view text) {
  enum class Kind { kSpace, kWord, kOther };
  const auto kind_of = [](char32_t cp) {
    return text::is_white_space(cp) ? Kind::kSpace : text::is_word(cp) ? Kind::kWord : Kind::kOther;
  };
  i64 pieces = 0;
  Kind last = Kind::kSpace;
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const Kind kind = kind_of(text::next_valid(p));
    pieces += kind != Kind::kSpace && kind != last;
    last = kind;
  }
  return pieces;
}

/// Paragraphs that are not blank, each with a count, and the document.
class Paragraphs : public Tagger {
 public:
  /// pieces: counts words and marks, else code points.
  Paragraphs(const TagSettings& settings, bool pieces) : dolma_(settings.dolma), pieces_(pieces) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    i64 sum = 0;
    for (const Range paragraph : document.paragraphs()) {
      const std::string_view text = document.slice(paragraph);
      if (text::is_blank(text)) continue;
      // D-07: the reference counts the gaps, which are one more.
      const i64 count =
          pieces_ ? count_pieces(text) + (dolma_ ? 1 : 0) : document.chars_of(paragraph);
      sum += count;
      out.span(0, paragraph.begin, paragraph.end, static_cast<f64>(count));
    }
    out.value(1, static_cast<f64>(pieces_ ? sum : document.chars()));
    return std::nullopt;
  }

 private:
  bool dolma_;
  bool pieces_;
};

TaggerDef one(const char* name, const char* summary, TagType type, Count count) {
  return {name, "document", summary, "Dolma", {std::move(type)}, {}, [count](const TagSettings&) {
            return std::make_unique<OneValue>(count);
          }};
}

TaggerDef by_paragraph(const char* name, const char* summary, bool pieces) {
  const std::string what = pieces ? "words and runs of marks" : "code points";
  return {
      name,
      "paragraph",
      summary,
      "Dolma",
      {{"paragraph", what + " of a paragraph that is not blank"}, {"document", what + " in all"}},
      {},
      [pieces](const TagSettings& settings) {
        return std::make_unique<Paragraphs>(settings, pieces);
      }};
}

}  // namespace

std::vector<TaggerDef> length_taggers() {
  TaggerDef pieces = one("whitespace_tokenizer_v1", "words and runs of marks",
                         {"length", "words and runs of marks"},
                         [](Document& d) { return count_pieces(d.text()); });
  pieces.make = [](const TagSettings& settings) {
    // D-07: the reference counts the gaps, which are one more.
    return settings.dolma
               ? std::make_unique<OneValue>([](Document& d) { return count_pieces(d.text()) + 1; })
               : std::make_unique<OneValue>([](Document& d) { return count_pieces(d.text()); });
  };
  return {
      one("bytes_length_v1", "size", {"bytes", "bytes of the text in UTF-8"},
          [](Document& d) { return isize(d.text()); }),
      one("doc_count_v1", "1, to be summed", {"docs", "1"}, [](Document&) { return i64{1}; }),
      one("char_length_v1", "characters", {"length", "code points"},
          [](Document& d) { return d.chars(); }),
      one("char_length_strip_ws_v1", "characters between white space at both ends",
          {"length_no_ws", "code points of the stripped text"},
          [](Document& d) { return text::count_code_points(text::strip(d.text())); }),
      by_paragraph("char_length_with_paragraphs_v1", "characters of paragraphs", false),
      std::move(pieces),
      by_paragraph("whitespace_tokenizer_with_paragraphs_v1",
                   "words and runs of marks of paragraphs", true),
  };
}

}  // namespace lm::tag
