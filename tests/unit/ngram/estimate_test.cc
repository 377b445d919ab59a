#include "catch.h"
#include "core/parallel.h"
#include "ngram/model.h"
#include "oracle.h"

using namespace lm;
using namespace lm::ngram;
using lm::test::Grams;
using lm::test::Oracle;
using lm::test::Words;

namespace {

constexpr std::array<f64, 3> kFallback{0.5, 1.0, 1.5};

std::vector<i64> padded(std::vector<i64> prune, int order) {
  prune.resize(usize(order), prune.empty() ? 0 : prune.back());
  return prune;
}

void check_equal(const std::vector<std::string>& lines, const EstimateOptions& options,
                 std::size_t block_lines = 50) {
  LocalContext ctx(1);
  NgramCounter counter(ctx, {options.order, false});
  counter.add_text(lm::test::source_of(lines, block_lines));
  lm::test::CollectSink sink;
  estimate(ctx, options, counter, sink);
  Oracle oracle{options.order,
                padded(options.prune, options.order),
                options.interpolate_unigrams,
                {},
                {},
                {},
                {}};
  if (options.vocab_limit) {
    oracle.allowed = {options.vocab_limit->begin(), options.vocab_limit->end()};
  }
  const Grams want = oracle.run(lines, options.discount_fallback ? &kFallback : nullptr);
  REQUIRE(sink.ended);
  REQUIRE(sink.grams.size() == want.size());
  i64 total = 0;
  for (const i64 count : sink.counts_)
    total += count;
  CHECK(total == static_cast<i64>(want.size()));
  for (const auto& [g, values] : want) {
    INFO(join(g, " "));
    REQUIRE(sink.grams.contains(g));
    const lm::test::Values& got = sink.grams.at(g);
    if (std::isfinite(values.log10_p)) {
      REQUIRE(std::fabs(got.log10_p - values.log10_p) < 1e-9);
    } else {
      REQUIRE(got.log10_p == values.log10_p);
    }
    REQUIRE(std::fabs(got.log10_b - values.log10_b) < 1e-9);
  }
}

}  // namespace

TEST_CASE("estimates equal the formulas on random texts for orders 1 to 6", "[ngram]") {
  for (int order = 1; order <= 6; ++order) {
    EstimateOptions options;
    options.order = order;
    options.discount_fallback = kFallback;
    check_equal(lm::test::random_lines(static_cast<u64>(order), 400, 60), options);
  }
}

TEST_CASE("estimates equal the formulas with closed-form discounts, pruning and no interpolation",
          "[ngram]") {
  const std::vector<std::string> lines = lm::test::random_lines(9, 900, 300);
  EstimateOptions options;
  options.order = 3;
  check_equal(lines, options, 7);
  options.prune = {0, 0, 1};
  check_equal(lines, options);
  options.prune = {0, 1, 2};
  check_equal(lines, options);
  options.prune = {1};
  check_equal(lines, options);
  options.prune.clear();
  options.interpolate_unigrams = false;
  check_equal(lines, options);
}

TEST_CASE("a vocabulary limit prunes every n-gram with another word", "[ngram]") {
  EstimateOptions options;
  options.order = 3;
  options.vocab_limit = std::vector<std::string>{"w1", "w2", "w3", "w5", "w8", "never-seen"};
  options.discount_fallback = kFallback;
  check_equal(lm::test::random_lines(11, 500, 80), options);
}

TEST_CASE("a two-sentence text gives the hand-computed bigram values", "[ngram]") {
  // Text "a b" / "a": bigrams <s>a 2, ab 1, b</s> 1, a</s> 1. Adjusted unigrams: a 1 (after <s>),
  // b 1, </s> 2, S = 4. Fallback discounts .5 1 1.5: g() = (.5 * 2 + 1) / 4 = .5; |V'| = 4 (a b
  // </s> <unk>), share .125. p(a) = .5/4 + .125 = .25, p(</s>) = 1/4 + .125 = .375. S(a) = 2, g(a)
  // = (.5 + .5) / 2 = .5; p(b|a) = .5/2 + .5 * .25 = .375.
  EstimateOptions options;
  options.order = 2;
  options.discount_fallback = kFallback;
  LocalContext ctx(1);
  const std::vector<std::string> lines{"a b", "a"};
  NgramCounter counter(ctx, {2, false});
  counter.add_text(lm::test::source_of(lines));
  lm::test::CollectSink sink;
  const EstimateReport report = estimate(ctx, options, counter, sink);
  CHECK(report.fallback_orders == std::vector<int>{1, 2});
  CHECK(std::pow(10, sink.grams.at({"a"}).log10_p) == Approx(0.25));
  CHECK(std::pow(10, sink.grams.at({"</s>"}).log10_p) == Approx(0.375));
  CHECK(std::pow(10, sink.grams.at({"<unk>"}).log10_p) == Approx(0.125));
  CHECK(std::pow(10, sink.grams.at({"a"}).log10_b) == Approx(0.5));
  CHECK(std::pow(10, sink.grams.at({"a", "b"}).log10_p) == Approx(0.375));
  CHECK(sink.grams.at({"</s>"}).log10_b == 0);
  CHECK(sink.grams.at({"<s>"}).log10_p == 0);
}

TEST_CASE("the ARPA bytes do not depend on threads, memory or block size", "[ngram]") {
  const std::vector<std::string> lines = lm::test::random_lines(3, 12000, 3000);
  EstimateOptions options;
  options.order = 4;
  options.discount_fallback = kFallback;
  std::string first;
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    for (const i64 memory : {i64{1} << 30, i64{1} << 20}) {
      LocalContext ctx(threads, memory);
      NgramCounter counter(ctx, {4, false});
      counter.add_text(lm::test::source_of(lines, usize(37 * threads)));
      CHECK((counter.spilled_bytes() > 0) == (memory == i64{1} << 20));
      std::string arpa;
      ArpaWriter writer([&arpa](std::string_view bytes) { arpa.append(bytes); });
      estimate(ctx, options, counter, writer);
      if (first.empty()) first = arpa;
      CHECK((arpa == first));
    }
  }
  set_threads(2);
}

TEST_CASE("budget charges are returned when training ends", "[ngram]") {
  LocalContext ctx(1, i64{1} << 26);
  EstimateOptions options;
  options.order = 3;
  options.discount_fallback = kFallback;
  lm::test::train_arpa(ctx, lm::test::random_lines(5, 300, 50), options);
  CHECK(ctx->memory->used() == 0);
}

TEST_CASE("KenLM parity changes only the counts of the last open n-grams", "[ngram]") {
  // Bigrams in suffix order end with "b c" twice after different words: the last word seen is c.
  // Text "b c" / "b c": last stream entry is "b c" with raw 2; a(c) = 1 but lmplz counts 2.
  LocalContext ctx(1);
  const std::vector<std::string> lines{"b c", "b c"};
  LevelStats plain, parity;
  for (const bool compat : {false, true}) {
    NgramCounter counter(ctx, {2, false});
    counter.add_text(lm::test::source_of(lines));
    EstimateOptions options;
    options.order = 2;
    options.discount_fallback = kFallback;
    options.compat_kenlm = compat;
    lm::test::CollectSink sink;
    (compat ? parity : plain) = estimate(ctx, options, counter, sink).stats[0];
  }
  CHECK(plain.with_count == std::array<i64, 5>{2, 3, 0, 0, 0});   // <unk> <s>; </s> b c
  CHECK(parity.with_count == std::array<i64, 5>{2, 2, 1, 0, 0});  // c with its raw count 2
}

TEST_CASE("bad training input is refused with a reason and a hint", "[ngram]") {
  LocalContext ctx(1);
  EstimateOptions options;
  options.order = 3;
  const auto train = [&](const std::vector<std::string>& lines) {
    return lm::test::train_arpa(ctx, lines, options);
  };
  try {
    train({"a b c"});
    FAIL("tiny text has no closed-form discounts");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kData);
    CHECK_THAT(error.hint(), Catch::Matchers::ContainsSubstring("--discount-fallback"));
  }
  try {
    train({"a b", "", "c <unk> d"});
    FAIL("a reserved word is refused");
  } catch (const Error& error) {
    CHECK_THAT(error.message(), Catch::Matchers::ContainsSubstring("line 3"));
  }
  CHECK_THROWS_AS(train({}), Error);
  options.prune = {0, 2, 1};
  CHECK_THROWS_AS(check_options(options), Error);
  options.prune = {0, 0, 0, 1};
  CHECK_THROWS_AS(check_options(options), Error);
  options.prune = {-1};
  CHECK_THROWS_AS(check_options(options), Error);
  options.prune.clear();
  options.discount_fallback = std::array<f64, 3>{0.5, 2.5, 1};
  CHECK_THROWS_AS(check_options(options), Error);
  CHECK_THROWS_AS(NgramCounter(ctx, {0, false}), Error);
  CHECK_THROWS_AS(NgramCounter(ctx, {11, false}), Error);
  NgramCounter lenient(ctx, {2, true});
  const std::vector<std::string> symbols{"<s> a </s>"};
  lenient.add_text(lm::test::source_of(symbols));
  CHECK(lenient.words() == 1);
}

TEST_CASE("a sentence larger than a run and a last line without newline are counted", "[ngram]") {
  LocalContext ctx(1, i64{3} << 20);
  std::string line;
  for (int i = 0; i < 50000; ++i)
    append(line, "x", i % 100, " ");
  NgramCounter counter(ctx, {3, false});
  bool given = false;
  counter.add_text([&](std::string& block) {
    block = cat("x1 x2\n", line);
    return !std::exchange(given, true);
  });
  CHECK(counter.sentences() == 2);
  CHECK(counter.words() == 50002);
  std::unique_ptr<GramStream> grams = counter.finish();
  Gram gram;
  u64 total = 0;
  while (grams->next(gram))
    total += gram.count;
  CHECK(total == 50002 + 2);
}
