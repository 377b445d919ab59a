// Words by the boundaries of UAX 29, as Dolma counts them with uniseg.

#include "tag/tagger.h"
#include "text/segment.h"
#include "text/word_break.h"

namespace lm::tag {

std::vector<TaggerDef> segment_taggers();

namespace {

/// Segments of the stripped text, those of white space too.
class DocumentSegments : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::string_view text = text::strip(document.text());
    out.value(0, static_cast<f64>(text::count_word_segments(text, true)));
    return std::nullopt;
  }
};

enum Type : i64 { kParagraph, kNegative, kDocument, kNegativeDocument };

/// Segments of paragraphs that are not white space. The negative values are there for filters that
/// know lower bounds only.
class ParagraphSegments : public Tagger {
 public:
  ParagraphSegments(bool with_empty, bool with_document)
      : with_empty_(with_empty), with_document_(with_document) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    i64 sum = 0;
    for (const Range paragraph : document.paragraphs()) {
      const std::string_view text = text::strip(document.slice(paragraph));
      if (text.empty() && !with_empty_) continue;
      const i64 count = text::count_word_segments(text, false);
      sum += count;
      out.span(kParagraph, paragraph.begin, paragraph.end, static_cast<f64>(count));
      out.span(kNegative, paragraph.begin, paragraph.end, static_cast<f64>(-count));
    }
    if (with_document_) {
      out.value(kDocument, static_cast<f64>(sum));
      out.value(kNegativeDocument, static_cast<f64>(-sum));
    }
    return std::nullopt;
  }

 private:
  bool with_empty_;
  bool with_document_;
};

TaggerDef by_paragraph(const char* name, const char* summary, bool with_empty, bool with_document) {
  std::vector<TagType> types = {{"paragraph", "words and marks of a paragraph"},
                                {"negative_paragraph", "the same, times -1"}};
  if (with_document) {
    types.push_back({"document", "words and marks of all paragraphs"});
    types.push_back({"negative_document", "the same, times -1"});
  }
  return {name,
          "paragraph",
          summary,
          "Dolma; UAX 29",
          std::move(types),
          {},
          [with_empty, with_document](const TagSettings&) {
            return std::make_unique<ParagraphSegments>(with_empty, with_document);
          }};
}

}  // namespace

std::vector<TaggerDef> segment_taggers() {
  return {
      {"uniseg_length_v1",
       "document",
       "words, marks and white space between Unicode's word boundaries",
       "Dolma; UAX 29",
       {{"length", "segments of the stripped text, white space included"}},
       {},
       [](const TagSettings&) { return std::make_unique<DocumentSegments>(); }},
      by_paragraph("uniseg_length_paragraphs_v1", "words and marks of paragraphs", false, false),
      by_paragraph("uniseg_length_paragraphs_with_empty_v1",
                   "words and marks of paragraphs, blank ones too", true, false),
      by_paragraph("uniseg_length_paragraphs_with_doc_length_v1",
                   "words and marks of paragraphs and of the document", false, true),
  };
}

}  // namespace lm::tag
