#include "ngram/model.h"

#include "catch.h"
#include "core/parallel.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "ngram/image_writer.h"
#include "oracle.h"

using namespace lm;
using namespace lm::ngram;

namespace {

const LocalContext ctx(1);

std::string trained(int order, std::vector<i64> prune = {}, u64 seed = 21) {
  EstimateOptions options;
  options.order = order;
  options.prune = std::move(prune);
  options.discount_fallback = std::array<f64, 3>{0.5, 1, 1.5};
  return lm::test::train_arpa(ctx, lm::test::random_lines(seed, 600, 50), options);
}

/// The definition of back-off queries over a map of the file's own numbers.
f64 slow_log10(const std::map<lm::test::Words, std::pair<f64, f64>>& grams, lm::test::Words words) {
  f64 backoffs = 0;
  for (;;) {
    const auto found = grams.find(words);
    if (found != grams.end()) return found->second.first + backoffs;
    const auto context = grams.find({words.begin(), words.end() - 1});
    if (context != grams.end()) backoffs += context->second.second;
    words.erase(words.begin());
  }
}

std::map<lm::test::Words, std::pair<f64, f64>> grams_of(const std::string& arpa) {
  std::map<lm::test::Words, std::pair<f64, f64>> out;
  ArpaReader reader(arpa, "test");
  reader.read([&out](const ArpaGram& gram) {
    out[{gram.words.begin(), gram.words.end()}] = {gram.log10_p, gram.log10_b};
  });
  return out;
}

std::string message_of(const std::string& arpa) {
  try {
    Model::from_arpa(ctx, arpa, "m.arpa");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kData);
    return error.message();
  }
  return "accepted";
}

const char kSmall[] =
    "\\data\\\nngram 1=4\nngram 2=2\n\n\\1-grams:\n-1\t<unk>\n-99\t<s>\t-0.5\n-1\t</s>\n"
    "-0.5\ta\t-0.25\n\n\\2-grams:\n-0.1\t<s> a\n-0.2\ta </s>\n\n\\end\\\n";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("probabilities sum to one over the vocabulary in every context", "[ngram]") {
  for (const std::vector<i64>& prune : {std::vector<i64>{}, std::vector<i64>{0, 1, 2}}) {
    const Model model = Model::from_arpa(ctx, trained(4, prune), "t");
    const std::vector<std::string> lines = lm::test::random_lines(77, 60, 70);  // unseen words too
    for (const std::string& line : lines) {
      State state = model.begin_sentence();
      for (const std::string& word : lm::test::Oracle::words_of(line)) {
        f64 sum = 0;
        for (i64 id = 0; id < model.vocab_size(); ++id) {
          State ignored;
          if (id != kBos)
            sum += std::pow(10, model.score_word(state, static_cast<u32>(id), ignored));
        }
        REQUIRE(std::fabs(sum - 1) < 1e-5);
        model.score_word(state, model.find(word), state);
      }
    }
  }
}

TEST_CASE("queries equal the definition, in batches, by words and from either format", "[ngram]") {
  const lm::test::TempDir dir;
  for (const int order : {1, 2, 3, 5}) {
    const std::string arpa =
        trained(order, order > 2 ? std::vector<i64>{0, 0, 1} : std::vector<i64>{});
    const auto grams = grams_of(arpa);
    const Model text = Model::from_arpa(ctx, arpa, "t");
    write_image(text.view(), dir.file("m.lmng"));
    const Model image = Model::load(ctx, dir.file("m.lmng"));
    CHECK(image.counts() == text.counts());
    CHECK(image.word(kEos) == "</s>");
    for (const std::string& line : lm::test::random_lines(78, 200, 60)) {
      lm::test::Words words = lm::test::Oracle::words_of(line);
      std::vector<u32> ids;
      for (const std::string& word : words)
        ids.push_back(image.find(word));
      std::vector<f32> batch(ids.size()), again(ids.size());
      text.score(ids, batch);
      image.score(ids, again);
      CHECK(batch == again);
      lm::test::Words history{"<s>"};
      State state = text.begin_sentence();
      f64 sum = 0;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        history.push_back(ids[i] == kUnk ? "<unk>" : words[i]);
        const std::size_t first = history.size() > usize(order) ? history.size() - usize(order) : 0;
        const f64 want =
            slow_log10(grams, {history.begin() + static_cast<i64>(first), history.end()});
        const f32 got = text.score_word(state, ids[i], state);
        REQUIRE(std::fabs(want - static_cast<f64>(got)) < 1e-5);
        REQUIRE(batch[i] == static_cast<f32>(static_cast<f64>(got) * 2.302585092994045684));
        sum += static_cast<f64>(got);
      }
      const f32 end = text.score_word(state, kEos, state);
      const TextScore score = text.score_sentence(line);
      CHECK(score.nll_words_nats == Approx(-sum * std::log(10.0)).epsilon(1e-12));
      CHECK(score.nll_nats ==
            Approx(-(sum + static_cast<f64>(end)) * std::log(10.0)).epsilon(1e-12));
      CHECK(score.words == isize(words));
      for (const std::size_t size : {1, 2, 5}) {  // in parts: the same to the bit
        Model::Sentence parts(image);
        for (std::size_t at = 0; at < ids.size(); at += size)
          parts.add(std::span(ids).subspan(at, std::min(size, ids.size() - at)));
        REQUIRE(parts.words() == score.words);
        const TextScore joined = parts.end();
        REQUIRE(joined.nll_nats == score.nll_nats);
        REQUIRE(joined.nll_words_nats == score.nll_words_nats);
        REQUIRE(joined.oov == score.oov);
      }
    }
  }
}

TEST_CASE("training straight into an image equals reading the ARPA file", "[ngram]") {
  EstimateOptions options;
  options.order = 3;
  options.discount_fallback = std::array<f64, 3>{0.5, 1, 1.5};
  options.vocab_limit = std::vector<std::string>{"w1", "w2", "w3", "w4", "w9"};
  const std::vector<std::string> lines = lm::test::random_lines(21, 600, 50);
  NgramCounter counter(ctx, {3, false});
  counter.add_text(lm::test::source_of(lines));
  const lm::test::TempDir dir;
  io::AtomicFile file(dir.file("m"), {false, true});
  FileTarget target(file);
  ImageWriter writer(ctx, target);
  estimate(ctx, options, counter, writer);
  CHECK(writer.closing_grams() == 0);
  file.commit();
  const Model direct = Model::load(ctx, dir.file("m"));
  const Model read = Model::from_arpa(ctx, lm::test::train_arpa(ctx, lines, options), "t");
  CHECK(direct.counts() == read.counts());
  CHECK(direct.find("w7") == kUnk);
  for (const std::string& line : lines) {
    REQUIRE(direct.score_sentence(line).nll_nats == read.score_sentence(line).nll_nats);
    REQUIRE(direct.score_sentence(line).oov == read.score_sentence(line).oov);
  }
}

TEST_CASE("a hand-written model scores a sentence as computed by hand", "[ngram]") {
  // log10: p(a|<s>) = -0.1, p(</s>|a) = -0.2. "a b": p(<unk>|a) = -0.25 - 1, then p(</s>) = -1
  // (<unk> has no back-off).
  const Model model = Model::from_arpa(ctx, kSmall, "small");
  const f64 ln10 = std::log(10.0);
  CHECK(model.score_sentence("a").nll_nats == Approx(0.3 * ln10));
  const TextScore score = model.score_sentence(" a\tb");
  CHECK(score.nll_nats == Approx((0.1 + 1.25 + 1) * ln10));
  CHECK(score.oov == 1);
  CHECK(score.words == 2);
  CHECK(score.ppl() == Approx(std::pow(10.0, 2.35 / 3)));
  CHECK(score.ppl_words() == Approx(std::pow(10.0, 1.35 / 2)));
  CHECK(model.score_lines("a\n\n a b\n").sentences == 2);
  CHECK(std::isnan(TextScore{}.ppl()));
}

TEST_CASE("n-grams whose suffix or context the file leaves out are still found", "[ngram]") {
  // Trigram a b c without bigrams b c and a b: the file's value must win over backing off.
  const Model model = Model::from_arpa(
      ctx,
      "\\data\\\nngram 1=6\nngram 2=1\nngram 3=1\n\n\\1-grams:\n-1 <unk>\n-99 <s> -0.5\n-1 </s>\n"
      "-0.5 a -0.25\n-0.6 b -0.125\n-0.7 c\n\n\\2-grams:\n-0.1 <s> a -0.3\n\n\\3-grams:\n-0.05 a b "
      "c\n\n"
      "\\end\\\n",
      "open");
  const std::vector<u32> ids{model.find("a"), model.find("b"), model.find("c")};
  std::vector<f32> out(3);
  model.score(ids, out, false);
  const f64 ln10 = std::log(10.0);
  CHECK(static_cast<f64>(out[0]) == Approx(-0.5 * ln10));
  CHECK(static_cast<f64>(out[1]) == Approx((-0.25 - 0.6) * ln10));
  CHECK(static_cast<f64>(out[2]) == Approx(-0.05 * ln10));
}

TEST_CASE("malformed ARPA files are refused with file and line", "[ngram]") {
  using Catch::Matchers::ContainsSubstring;
  const std::string good = kSmall;
  REQUIRE(message_of(good) == "accepted");
  CHECK(message_of(replaced(good, "\n", "\r\n")) == "accepted");
  CHECK_THAT(message_of("hello\n"), ContainsSubstring("m.arpa:1"));
  CHECK_THAT(message_of(""), ContainsSubstring("m.arpa:0"));
  CHECK_THAT(message_of(replaced(good, "ngram 2=2", "ngram 3=2")), ContainsSubstring("m.arpa:3"));
  CHECK_THAT(message_of(replaced(good, "ngram 2=2", "ngram 2=3")), ContainsSubstring("promises 3"));
  CHECK_THAT(message_of(replaced(good, "ngram 2=2", "ngram 2=1")), ContainsSubstring("m.arpa:13"));
  CHECK_THAT(message_of(replaced(good, "\\2-grams", "\\3-grams")), ContainsSubstring("m.arpa:11"));
  CHECK_THAT(message_of(replaced(good, "-0.1\t<s> a", "nan\t<s> a")),
             ContainsSubstring("m.arpa:12"));
  CHECK_THAT(message_of(replaced(good, "-0.1\t<s> a", "0.1\t<s> a")), ContainsSubstring("above 0"));
  CHECK_THAT(message_of(replaced(good, "-0.1\t<s> a", "-0.1\t<s>")), ContainsSubstring("too few"));
  CHECK_THAT(message_of(replaced(good, "-0.1\t<s> a", "-0.1\t<s> a b c")),
             ContainsSubstring("too many"));
  CHECK_THAT(message_of(replaced(good, "-0.1\t<s> a", "-0.1\t<s> z")),
             ContainsSubstring("no unigram"));
  CHECK_THAT(message_of(replaced(good, "-0.1\t<s> a", "-0.1\ta </s>")),
             ContainsSubstring("repeated"));
  CHECK_THAT(message_of(replaced(good, "-0.1\t<s> a", "-0.1\t<s> a\t-1")),
             ContainsSubstring("back-off"));
  CHECK_THAT(message_of(replaced(good, "-99\t<s>", "-99\tx")), ContainsSubstring("no unigram <s>"));
  CHECK_THAT(message_of(replaced(good, "ngram 1=4", "ngram 1=99999999999999999999")),
             ContainsSubstring("m.arpa:2"));
  for (std::size_t cut = 0; cut + 6 < good.size(); ++cut) {
    REQUIRE(message_of(good.substr(0, cut)) != "accepted");
  }
}

TEST_CASE("a damaged image is refused, and harmless when it is not checked", "[ngram]") {
  const lm::test::TempDir dir;
  const Model model = Model::from_arpa(ctx, trained(3), "t");
  write_image(model.view(), dir.file("m"));
  const std::string good = io::read_file(dir.file("m"));
  const RandomStream draw(5, RandomPurpose::kOther);
  for (u64 trial = 0; trial < 120; ++trial) {
    std::string bad = good;
    if (trial % 3 == 0) {
      bad.resize(draw.below(trial, good.size()));
    } else {
      bad[draw.below(trial, trial % 3 == 1 ? 224 : good.size())] ^= 0x10;
    }
    io::write_file(dir.file("bad"), bad, {false, true});
    INFO(trial);
    CHECK_THROWS_AS(Model::load(ctx, dir.file("bad")), Error);
    try {
      const Model unchecked = Model::load(ctx, dir.file("bad"), {false});
      static_cast<void>(unchecked.score_lines("w1 w2 w3 w4\nw5 x"));
    } catch (const Error&) {
    }
  }
  CHECK_THROWS_AS(Model::load(ctx, dir.file("absent")), Error);
}
