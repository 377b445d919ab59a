// Taggers by fastText models: languages, toxicity, quality, and those a user makes of a model.

#include "core/str.h"
#include "tag/labels.h"
#include "tag/language.h"
#include "text/segment.h"
#include "text/sentences.h"

namespace lm::tag {

std::vector<TaggerDef> fasttext_taggers();
TaggerDef label_tagger(const std::string& unit, const std::string& path, TagFiles& files);

namespace {

constexpr const char* kLanguageFile = "lid176";

class FastTextLanguages : public LanguageIdentifier {
 public:
  FastTextLanguages(Model model, i64 english) : predictor_(std::move(model)), english_(english) {}

  std::optional<Fault> identify(std::string_view text, std::vector<LanguageScore>& out) override {
    out.clear();
    const std::string_view line = as_line(text, LineForm::kLower, scratch_);
    for (const classify::Guess& guess : predictor_.predict(line))
      out.push_back({guess.label, guess.probability});
    return std::nullopt;
  }

  i64 english() const override { return english_; }

 private:
  classify::Predictor predictor_;
  i64 english_;
  std::string scratch_;
};

TaggerDef languages(const char* name, LanguageForm form) {
  TaggerDef def;
  def.name = name;
  def.unit = form.paragraphs ? "paragraph" : "document";
  def.summary = form.hundredths ? "languages of more than 0.01" : "every language of a model";
  def.source = "fastText; Dolma";
  def.file = kLanguageFile;
  def.types_of_file = true;
  def.bind = [form](TaggerDef& own, const std::string& path, TagFiles& files) {
    const Model model = read_model(path, files);
    own.types = label_types(*model, true, "how likely this language is", path);
    own.make = [model, form](const TagSettings&) {
      return all_languages(std::make_unique<FastTextLanguages>(model, -1), form);
    };
  };
  return def;
}

TaggerDef english(const char* name, EnglishForm form) {
  TaggerDef def;
  def.name = name;
  def.unit = form.paragraphs ? "paragraph" : "document";
  def.summary = "English";
  def.source = "fastText; Dolma";
  def.types = english_types(form);
  def.file = kLanguageFile;
  def.bind = [form](TaggerDef& own, const std::string& path, TagFiles& files) {
    const Model model = read_model(path, files);
    const i64 number = needed_label(*model, "en", path);
    own.make = [model, form, number](const TagSettings&) {
      return english_only(std::make_unique<FastTextLanguages>(model, number), form);
    };
  };
  return def;
}

/// Every label of a model for each unit of a document.
class Labels : public Tagger {
 public:
  Labels(Model model, LineForm form, std::string unit)
      : predictor_(std::move(model)), form_(form), unit_(std::move(unit)) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    if (unit_ == "document") {
      add(document, {0, isize(document.text())}, out);
      return std::nullopt;
    }
    if (unit_ == "sentence") {
      add_sentences(document, out);
      return std::nullopt;
    }
    for (const Range part : unit_ == "line" ? document.lines_n() : document.paragraphs())
      if (!text::is_blank(document.slice(part))) add(document, part, out);
    return std::nullopt;
  }

 private:
  void add_sentences(Document& document, Emitter& out) {
    text::sentences(document.text(), sentences_);
    for (const std::string_view sentence : sentences_) {
      const std::string_view inner = text::strip(sentence);
      if (inner.empty()) continue;
      const i64 begin = inner.data() - document.text().data();
      add(document, {begin, begin + isize(inner)}, out);
    }
  }

  void add(Document& document, Range part, Emitter& out) {
    const std::string_view line = as_line(document.slice(part), form_, scratch_);
    for (const classify::Guess& guess : predictor_.predict(line))
      out.span(guess.label, part.begin, part.end, guess.probability);
  }

  classify::Predictor predictor_;
  LineForm form_;
  std::string unit_;
  std::string scratch_;
  std::vector<std::string_view> sentences_;
};

struct LabelForm {
  const char* name;
  const char* unit;
  const char* file;
  const char* summary;
  LineForm line;
  bool named;  // types without the labels' prefix
};

TaggerDef labels(const LabelForm& form) {
  TaggerDef def;
  def.name = form.name;
  def.unit = form.unit;
  def.summary = form.summary;
  def.source = "fastText; Dolma";
  def.file = form.file;
  def.types_of_file = true;
  def.bind = [form](TaggerDef& own, const std::string& path, TagFiles& files) {
    const Model model = read_model(path, files);
    own.types = label_types(*model, form.named, "probability of the label", path);
    own.make = [model, line = form.line, unit = own.unit](const TagSettings&) {
      return std::make_unique<Labels>(model, line, unit);
    };
  };
  return def;
}

/// One score between the labels cc and hq.
class Quality : public Tagger {
 public:
  Quality(Model model, i64 low) : predictor_(std::move(model)), low_(low) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::string_view line = as_line(document.text(), LineForm::kLines, scratch_);
    const std::span<const classify::Guess> guesses = predictor_.predict(line);
    if (guesses.empty()) return std::nullopt;
    const classify::Guess& best = guesses[0];
    out.value(0, best.label == low_ ? 1 - best.probability : best.probability);
    return std::nullopt;
  }

 private:
  classify::Predictor predictor_;
  i64 low_;
  std::string scratch_;
};

TaggerDef quality() {
  TaggerDef def;
  def.name = "dclm-oh-eli5";
  def.unit = "document";
  def.summary = "quality as DCLM has it";
  def.source = "Li et al. 2024 (DCLM); Dolma";
  def.types = {{"score", "probability of hq against cc"}};
  def.file = "dclm-oh-eli5";
  def.bind = [](TaggerDef& own, const std::string& path, TagFiles& files) {
    const Model model = read_model(path, files);
    const i64 low = needed_label(*model, "cc", path);
    needed_label(*model, "hq", path);
    own.make = [model, low](const TagSettings&) { return std::make_unique<Quality>(model, low); };
  };
  return def;
}

}  // namespace

TaggerDef label_tagger(const std::string& unit, const std::string& path, TagFiles& files) {
  TaggerDef def;
  const Model model = read_model(path, files);
  def.summary = "labels of a fastText model";
  def.types = label_types(*model, true, cat("probability of the label for a ", unit), path);
  def.make = [model, unit](const TagSettings&) {
    return std::make_unique<Labels>(model, LineForm::kStripped, unit);
  };
  return def;
}

std::vector<TaggerDef> fasttext_taggers() {
  return {
      languages("ft_lang_id_doc_v1", {}),
      languages("ft_lang_id_paragraph_v1", {.paragraphs = true}),
      languages("ft_lang_id_1e2", {.hundredths = true}),
      english("ft_lang_id_en_doc_v2", {}),
      english("ft_lang_id_en_only_v2", {.negative = false}),
      english("ft_lang_id_en_paragraph_v2", {.paragraphs = true}),
      english("ft_lang_id_en_paragraph_with_doc_score_v2",
              {.paragraphs = true, .document_score = true}),
      labels({"jigsaw_hatespeech_document_v2", "document", "jigsaw-hatespeech",
              "hate speech in the document", LineForm::kStripped, false}),
      labels({"jigsaw_hatespeech_sentence_v2", "sentence", "jigsaw-hatespeech",
              "hate speech in sentences", LineForm::kStripped, false}),
      labels({"jigsaw_nsfw_document_v1", "document", "jigsaw-nsfw",
              "matter not safe for work in the document", LineForm::kStripped, false}),
      labels({"jigsaw_nsfw_sencence_v2", "sentence", "jigsaw-nsfw",
              "matter not safe for work in sentences; the name is spelt as in the reference",
              LineForm::kStripped, false}),
      labels({"jigsaw_nsfw_sentence_v2", "sentence", "jigsaw-nsfw",
              "the same under its proper name", LineForm::kStripped, false}),
      labels({"dolma17-quality", "document", "dolma17-quality", "kinds of text, as Dolma 1.7 has",
              LineForm::kWords, true}),
      quality(),
  };
}

}  // namespace lm::tag
