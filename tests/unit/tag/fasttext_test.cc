#include <cmath>

#include "classify/classifier.h"
#include "core/error.h"
#include "core/str.h"
#include "tag/define.h"
#include "tagging.h"
#include "text/spans.h"
#include "unit/classify/models.h"

using namespace lm;
using namespace lm::tag;

namespace {

/// A model in a file, and what it says of a line.
class Trained {
 public:
  explicit Trained(const classify::Samples& samples) : path(dir_.file("model.bin")) {
    classify::TrainOptions options = classify::tiny_options();
    options.epochs = 400;
    options.min_subword = 1;
    options.max_subword = 3;
    classify::write_bytes(path, classify::train_model(samples, options));
  }
  std::map<std::string, f64> says(const std::string& line) const {
    classify::Predictor predictor(std::make_shared<const classify::Classifier>(path));
    std::map<std::string, f64> out;
    for (const classify::Guess& guess : predictor.predict(line))
      out[std::string(classify::label_name(predictor.model().labels()[usize(guess.label)]))] =
          guess.probability;
    return out;
  }

 private:
  const test::TempDir dir_;

 public:
  const std::string path;
};

Trained languages() {
  return Trained({{"en", "the house is on the hill"},
                  {"de", "das haus steht auf dem berg"},
                  {"en", "this and that"},
                  {"de", "dieses und jenes"},
                  {"en", "what is it"},
                  {"de", "was ist es"}});
}

std::map<std::string, Spans> run(const std::string& tagger, const std::string& text,
                                 const Trained& model, const TagSettings& settings = {}) {
  return found(tagger, text, settings, "", model.path);
}

}  // namespace

TEST_CASE("languages of documents: lower case, newlines as blanks, every label", "[tag]") {
  const Trained model = languages();
  const std::map<std::string, f64> line = model.says("the house und \xC3\xA4hnliches");
  const std::string text = "\n The HOUSE\nund \xC3\x84hnliches \n";
  const std::map<std::string, Spans> got = run("ft_lang_id_doc_v1", text, model);
  CHECK(got == std::map<std::string, Spans>{{"de", {{0, 27, line.at("de")}}},
                                            {"en", {{0, 27, line.at("en")}}}});
  CHECK(value(run("ft_lang_id_en_doc_v2", text, model), "not_en") == 1 - line.at("en"));
  CHECK(run("ft_lang_id_en_only_v2", text, model).size() == 1);
  CHECK(value(run("ft_lang_id_doc_v1", "", model), "en") == model.says("").at("en"));
}

TEST_CASE("scores above a hundredth, with two decimals", "[tag]") {
  const Trained model = languages();
  const std::string text = "the house is on the hill";
  const std::map<std::string, f64> line = model.says(text);
  REQUIRE(line.at("de") < 0.01);
  const std::map<std::string, Spans> got = run("ft_lang_id_1e2", text, model);
  CHECK(value(got, "en") == text::rounded(line.at("en"), 2));
  CHECK(got.count("de") == 0);
}

TEST_CASE("English of paragraphs, those that are not blank, and of the document", "[tag]") {
  const Trained model = languages();
  const f64 one = model.says("what is it").at("en");
  const f64 two = model.says("was ist es").at("en");
  const std::map<std::string, Spans> got =
      run("ft_lang_id_en_paragraph_with_doc_score_v2", "What is it\n \nWas ist es", model);
  CHECK(got.at("en") == Spans{{0, 11, one}, {13, 23, two}});
  CHECK(got.at("not_en") == Spans{{0, 11, 1 - one}, {13, 23, 1 - two}});
  CHECK(value(got, "doc_en") == (11 * one + 10 * two) / 23);
  CHECK(value(got, "doc_not_en") == 1 - (11 * one + 10 * two) / 23);
  const std::map<std::string, Spans> none =
      run("ft_lang_id_en_paragraph_with_doc_score_v2", "", model);
  CHECK(none == std::map<std::string, Spans>{{"doc_en", {{0, 0, 0}}}, {"doc_not_en", {{0, 0, 0}}}});
  CHECK(run("ft_lang_id_paragraph_v1", "What is it\n\n", model).at("de").size() == 1);
}

TEST_CASE("toxicity keeps the labels as they are", "[tag]") {
  const Trained model({{"toxic", "you fool"}, {"non_toxic", "you friend"}});
  const std::map<std::string, Spans> got =
      run("jigsaw_hatespeech_document_v2", "\xC2\xA0You\nfool\xC2\xA0", model);
  const std::map<std::string, f64> line = model.says("You fool");
  CHECK(value(got, "__label__toxic") == line.at("toxic"));
  CHECK(value(got, "__label__non_toxic") == line.at("non_toxic"));
}

TEST_CASE("toxicity of sentences", "[tag]") {
  const Trained model({{"nsfw", "naked truth"}, {"non_nsfw", "plain truth"}});
  const std::map<std::string, Spans> got =
      run("jigsaw_nsfw_sencence_v2", "Plain truth.  Naked truth.", model);
  CHECK(got.at("__label__nsfw") == Spans{{0, 12, model.says("Plain truth.").at("nsfw")},
                                         {14, 26, model.says("Naked truth.").at("nsfw")}});
}

TEST_CASE("quality is one score between two labels", "[tag]") {
  const Trained model({{"hq", "a fine answer"}, {"cc", "buy now cheap"}});
  const f64 good = model.says("a fine answer").at("hq");
  CHECK(value(run("dclm-oh-eli5",
                  " a\xE2\x80\xA8"
                  "fine\r\nanswer\n",
                  model),
              "score") == good);
  CHECK(value(run("dclm-oh-eli5", "buy now", model), "score") ==
        1 - model.says("buy now").at("cc"));
  const std::map<std::string, f64> line = model.says("a fine answer");
  const std::map<std::string, Spans> all = run("dolma17-quality",
                                               "\xE3\x80\x80"
                                               "a fine\xC2\xA0"
                                               "answer ",
                                               model);
  CHECK(value(all, "hq") == line.at("hq"));
  CHECK(value(all, "cc") == line.at("cc"));
  // D-33: the reference fails on a text without words.
  CHECK(value(run("dolma17-quality", " ", model), "hq") == model.says("").at("hq"));
}

TEST_CASE("a model without the label that a tagger is about is refused", "[tag]") {
  const Trained model({{"hq", "a fine answer"}, {"cc", "buy now cheap"}});
  try {
    run("ft_lang_id_en_doc_v2", "x", model);
    FAIL("there is no en");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kData);
    CHECK(error.message() == model.path + ": the model has no label \"en\"");
    CHECK(error.hint().starts_with("it has 2: "));
  }
}

TEST_CASE("code and prose by line", "[tag]") {
  const Trained model({{"code", "if (x) { return y; }"},
                       {"prose", "this is a sentence of words"},
                       {"code", "for (;;) { x++; }"},
                       {"prose", "words make sentences too"}});
  const std::string text =
      "This is a sentence of words.\n\n  if (x) { return y; }\n}\nfor (;;) { x++; }\nwords too";
  const std::map<std::string, Spans> got = run("code_composition", text, model);
  CHECK(value(got, "boundaries") == 2 - 0);
  CHECK(value(got, "code") == 2);
  CHECK(value(got, "code_pct") == 0.4);
  CHECK(value(got, "prose") == 2);
  CHECK(value(got, "other") == 1);
  CHECK(value(got, "other_pct") == 0.2);
  CHECK(value(got, "other_entropy") == 0);
  f64 bits = 0;
  for (const char* line : {"if (x) { return y; }", "for (;;) { x++; }"})
    for (const auto& [label, p] : model.says(line))
      bits -= p * std::log2(p);
  CHECK(value(got, "code_entropy") == Approx(bits / 2));
  CHECK(run("code_composition", "", model) ==
        std::map<std::string, Spans>{{"boundaries", {{0, 0, 0}}}});
}

TEST_CASE("labels whose first letters the reference eats (D-11)", "[tag]") {
  const Trained model({{"blank", "nothing to see"}, {"code", "if (x) { return y; }"}});
  CHECK(value(run("code_composition", "nothing to see", model), "blank_pct") == 1);
  TagSettings dolma;
  dolma.dolma = true;
  const std::map<std::string, Spans> got = run("code_composition", "nothing to see", model, dolma);
  CHECK(value(got, "nk_pct") == 1);
  CHECK(got.count("blank_pct") == 0);
}

TEST_CASE("a tagger of a user's model, by unit", "[tag]") {
  const Trained model({{"good", "fine words"}, {"bad", "poor words"}});
  TagFiles files;
  const std::string text = "Fine words\n\npoor words\n";
  const std::map<std::string, Spans> lines =
      found(defined_tagger("q@line=fasttext:" + model.path, files), text);
  CHECK(lines.at("good") == Spans{{0, 10, model.says("Fine words").at("good")},
                                  {12, 22, model.says("poor words").at("good")}});
  const std::map<std::string, Spans> parts =
      found(defined_tagger("q@paragraph=fasttext:" + model.path, files), text);
  CHECK(parts.at("bad") == Spans{{0, 11, model.says("Fine words").at("bad")},
                                 {12, 23, model.says("poor words").at("bad")}});
  CHECK(value(found(defined_tagger("q=fasttext:" + model.path, files), text), "good") ==
        model.says("Fine words poor words").at("good"));
}

TEST_CASE("labels that would be one attribute are refused", "[tag]") {
  const Trained model({{"a-b", "fine words"}, {"a_b", "poor words"}});
  TagFiles files;
  CHECK_THROWS_AS(defined_tagger("q=fasttext:" + model.path, files), Error);
}
