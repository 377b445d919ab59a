#include "ngram/scorer.h"

#include <cmath>

#include <zlib.h>

#include "catch.h"
#include "core/str.h"
#include "io/file.h"

using namespace lm;
using namespace lm::ngram;

namespace {

const LocalContext ctx(1);

// log10: a -0.5, b -1 (after a: -0.25), </s> -1 (after b: -0.1), <unk> -2; back-offs 0 but a
// -0.125.
const char kArpa[] =
    "\\data\\\nngram 1=5\nngram 2=2\n\n\\1-grams:\n-2\t<unk>\n-99\t<s>\n-1\t</s>\n-0.5\ta\t-0.125\n"
    "-1\tb\t0\n\n\\2-grams:\n-0.25\ta b\n-0.1\tb </s>\n\n\\end\\\n";
constexpr f64 kLn10 = 2.302585092994045684;

NgramScorer scorer_of(SentenceUnit unit, bool ccnet = false, bool round = false) {
  NgramScorer::Options options;
  options.form.unit = unit;
  options.form.ccnet = ccnet;
  options.round = round;
  return NgramScorer(Model::from_arpa(ctx, kArpa, "m"), "m", nullptr, options);
}

text::Score score_of(text::Scorer& scorer, std::string_view text) {
  text::Score score;
  scorer.score({&text, 1}, {&score, 1});
  return score;
}

}  // namespace

TEST_CASE("an n-gram scorer sums sentences and counts ends", "[ngram]") {
  NgramScorer line = scorer_of(SentenceUnit::kLine);
  const text::Score two = score_of(line, "a b\n\n  b\r\n");
  // "a b": -0.5 -0.25 -0.1; "b": -1 -0.1; blank lines are no sentence.
  CHECK(two.nll_nats == Approx(1.95 * kLn10).epsilon(1e-6));
  CHECK(two.tokens == 5);
  CHECK(two.oov == 0);
  CHECK(two.bytes == 10);
  CHECK(two.value == Approx(std::pow(10, 1.95 / 5)).epsilon(1e-6));
  CHECK(two.bits_per_byte() == Approx(1.95 * kLn10 / std::log(2.0) / 10).epsilon(1e-6));
  NgramScorer doc = scorer_of(SentenceUnit::kDoc);
  // One sentence "a b b": -0.5 -0.25 -1 -0.1.
  CHECK(score_of(doc, "a b\n\n  b\r\n").nll_nats == Approx(1.85 * kLn10).epsilon(1e-6));
  CHECK(score_of(doc, "a b\n\n  b\r\n").tokens == 4);
  CHECK(std::isnan(score_of(doc, "").value));
  CHECK(std::isnan(score_of(line, " \n\t").value));
  CHECK(score_of(line, " \n\t").tokens == 0);
}

TEST_CASE("a long text is scored in parts, as its cut form as a whole is", "[ngram]") {
  std::string text;
  for (i64 i = 0; isize(text) < 3 << 20; ++i)
    append(text, i % 3 == 0 ? "a" : i % 7 == 0 ? "c" : "b", i % 11 == 0 ? " \r\n" : " ");
  for (const SentenceUnit unit : {SentenceUnit::kLine, SentenceUnit::kDoc}) {
    const NgramScorer scorer = scorer_of(unit);
    CutText whole;
    scorer.cutter().cut(text, whole);
    const TextScore want = scorer.score_cut(whole);
    CutText cut;
    const TextScore sum = scorer.score_text(text, cut);
    CHECK(sum.nll_nats == want.nll_nats);
    CHECK(sum.nll_words_nats == want.nll_words_nats);
    CHECK(sum.words == want.words);
    CHECK(sum.sentences == want.sentences);
    CHECK(sum.oov == want.oov);
    CHECK(static_cast<i64>(cut.words.capacity()) < sum.words / 2);
  }
}

TEST_CASE("reserved words inside a text are unknown words", "[ngram]") {
  NgramScorer line = scorer_of(SentenceUnit::kLine);
  for (const char* word : {"<s>", "</s>", "<unk>", "zebra"}) {
    const text::Score score = score_of(line, word);
    CHECK(score.nll_nats == Approx(3 * kLn10).epsilon(1e-6));
    CHECK(score.oov == 1);
  }
}

TEST_CASE("scores per token sum to the score of the text", "[ngram]") {
  const NgramScorer line = scorer_of(SentenceUnit::kLine);
  CutText cut;
  line.cutter().cut("a b\nzebra", cut, true);
  CHECK(cut.words == std::vector<std::string_view>{"a", "b", "zebra"});
  CHECK(cut.ends == std::vector<i64>{2, 3});
  CHECK(cut.spans == std::vector<std::pair<i64, i64>>{{0, 1}, {2, 3}, {4, 9}});
  std::vector<f32> nats;
  const TextScore sum = line.score_cut(cut, &nats);
  REQUIRE(nats.size() == 5);
  CHECK(nats[1] == Approx(0.25 * kLn10).epsilon(1e-6));
  f64 total = 0;
  for (const f32 n : nats)
    total += static_cast<f64>(n);
  CHECK(total == Approx(sum.nll_nats).epsilon(1e-6));
}

TEST_CASE("CCNet scoring normalises, joins lines and rounds to one decimal", "[ngram]") {
  NgramScorer ccnet = scorer_of(SentenceUnit::kDoc, true, true);
  // "A\nB " becomes the one word "ab", unknown: -2 -1 over 2 tokens: 10^1.5 = 31.62.
  const text::Score score = score_of(ccnet, "A\nB ");
  CHECK(score.tokens == 2);
  CHECK(score.value == 31.6);
  NgramScorer line = scorer_of(SentenceUnit::kLine, true);
  CHECK(score_of(line, "A\nB ").oov == 0);
}

TEST_CASE("the deflate ratio separates repetition from noise and leaves short texts alone",
          "[ngram]") {
  ZlibScorer zlib;
  CHECK(std::isnan(score_of(zlib, std::string(199, 'a')).value));
  // deflate of one repeated byte: header 2, a block of a few bytes, checksum 4.
  const f64 low = score_of(zlib, std::string(10000, 'a')).value;
  CHECK(low < 0.01);
  std::string noise;
  u64 x = 1;
  for (int i = 0; i < 10000; ++i) {
    x = mix64(x + 0x9E3779B97F4A7C15ULL);
    noise.push_back(static_cast<char>(32 + x % 95));
  }
  const f64 high = score_of(zlib, noise).value;
  CHECK(high > 0.75);  // 95 of 256 values: log2(95) / 8 = 0.82
  CHECK(high < 0.9);
  CHECK(zlib.measure() == "ratio");
  // The size that zlib gives a buffer compressed at once.
  for (const std::string& text : {noise, std::string(300000, 'x') + noise + noise}) {
    std::vector<Bytef> packed(compressBound(text.size()));
    uLongf size = packed.size();
    REQUIRE(compress2(packed.data(), &size, reinterpret_cast<const Bytef*>(text.data()),
                      text.size(), 6) == Z_OK);
    CHECK(score_of(zlib, text).value == static_cast<f64>(size) / static_cast<f64>(text.size()));
  }
}

TEST_CASE("contrast is the difference of mean log-likelihoods", "[ngram]") {
  const std::string bad = std::string(kArpa).replace(std::string(kArpa).find("-0.5\ta"), 4, "-1.5");
  NgramScorer::Options options;
  ContrastScorer contrast(
      std::make_unique<NgramScorer>(Model::from_arpa(ctx, kArpa, "good"), "good", nullptr, options),
      std::make_unique<NgramScorer>(Model::from_arpa(ctx, bad, "bad"), "bad", nullptr, options));
  // Only the first word differs, by 1 in log10, over 3 tokens.
  CHECK(score_of(contrast, "a b").value == Approx(kLn10 / 3).epsilon(1e-6));
  CHECK(std::isnan(score_of(contrast, "").value));
  CHECK(contrast.concurrent());
}

TEST_CASE("pieces are spelt without blanks and in UTF-8", "[ngram]") {
  CHECK(spell_piece(" the") == "\xE2\x96\x81the");
  CHECK(spell_piece("\n\t") == "<0x0A><0x09>");
  CHECK(spell_piece(std::string_view("\0", 1)) == "<0x00>");
  CHECK(spell_piece("\xE4\xB8") == "<0xE4><0xB8>");
  CHECK(spell_piece("\xE4\xB8\xAD") == "\xE4\xB8\xAD");
  CHECK(spell_piece("") == "");
}

TEST_CASE("a text form survives being stored, and contradictions are refused", "[ngram]") {
  for (const TextForm& form :
       {TextForm{}, TextForm{SentenceUnit::kDoc, WordKind::kPieces, true, "ab12"},
        TextForm{SentenceUnit::kLine, WordKind::kIds, false, ""}}) {
    CHECK(*parse_form(form_text(form), "m") == form);
  }
  CHECK_FALSE(parse_form("", "m"));
  for (const char* text :
       {"unit=page", "words", "unit=line words=blanks colour=red", "tokenizer=", " "}) {
    CHECK_THROWS_AS(parse_form(text, "m"), Error);
  }
  const TextForm pieces{SentenceUnit::kDoc, WordKind::kPieces, false, "ab12"};
  TextForm asked = pieces;
  asked.unit = SentenceUnit::kLine;
  CHECK_NOTHROW(check_form(pieces, asked, "m"));
  asked.tokenizer = "cd34";
  CHECK_THROWS_AS(check_form(pieces, asked, "m"), Error);
  CHECK_THROWS_AS(check_form(pieces, TextForm{}, "m"), Error);
  asked = pieces;
  asked.ccnet = true;
  CHECK_THROWS_AS(check_form(pieces, asked, "m"), Error);
}

TEST_CASE("words of a SentencePiece model are its printed pieces", "[ngram]") {
  const std::filesystem::path path = lm::test::data_dir() / "sentencepiece/test_model.model";
  if (lm::test::data_dir().empty() || !std::filesystem::exists(path)) LM_SKIP("no test data");
  const std::unique_ptr<text::Tokenizer> tokenizer = load_cutter_tokenizer(path.string());
  const TextCutter cutter({SentenceUnit::kLine, WordKind::kPieces, false, tokenizer->digest()},
                          tokenizer.get());
  CutText cut;
  cutter.cut("Hello world.\n\n\xE4\xB8\xAD x", cut);
  REQUIRE(cut.ends.size() == 2);
  std::string joined;
  for (i64 i = 0; i < cut.ends[0]; ++i)
    joined += cut.words[usize(i)];
  CHECK(joined == "\xE2\x96\x81Hello\xE2\x96\x81world.");
  // The character the model does not know is spelt as itself.
  CHECK(std::find(cut.words.begin(), cut.words.end(), "\xE4\xB8\xAD") != cut.words.end());
  const std::vector<std::string_view> words = cut.words;
  CutText again;
  cutter.cut("Hello world.\n\n\xE4\xB8\xAD x", again, true);
  CHECK(std::vector<std::string>(words.begin(), words.end()) ==
        std::vector<std::string>(again.words.begin(), again.words.end()));
  CHECK(again.spans.size() == words.size());
}
