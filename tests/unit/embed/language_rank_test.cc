// L1 to L6 of the ranker, and its statistics against the definitions.

#include "embed/language_rank.h"

#include <cmath>
#include <numeric>

#include "catch.h"
#include "core/context.h"
#include "core/random.h"
#include "embed/parallel_texts.h"
#include "stat/rank.h"

using namespace lm;
using namespace lm::embed;

namespace {

constexpr SentenceShape kShape = {2, 5, true};

/// Vectors of sentence i of a language: a common part, one of the pair, one of the language.
std::vector<f32> sentence(i64 pair, u64 lang, f64 noise) {
  const RandomStream shared(static_cast<u64>(pair), RandomPurpose::kOther, 1);
  const RandomStream own(static_cast<u64>(pair), RandomPurpose::kOther, 10 + lang);
  std::vector<f32> out;
  for (u64 c = 0; c < 20; ++c)
    out.push_back(static_cast<f32>(1.0 + shared.normal(c) + noise * own.normal(c)));
  return out;
}

f64 cosine(const std::vector<f32>& a, const std::vector<f32>& b, i64 at) {
  f64 ab = 0, aa = 0, bb = 0;
  for (std::size_t c = usize(at); c < usize(at + 5); ++c) {
    ab += static_cast<f64>(a[c]) * static_cast<f64>(b[c]);
    aa += static_cast<f64>(a[c]) * static_cast<f64>(a[c]);
    bb += static_cast<f64>(b[c]) * static_cast<f64>(b[c]);
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace

TEST_CASE("mexa counts pairs that are nearest in row and column, strictly", "[embed]") {
  CHECK(mexa(std::vector<f64>{.9, .2, .3, .8}, 2) == 1);
  // Row 1 fails on .95, column 2 on the same entry.
  CHECK(mexa(std::vector<f64>{.9, .95, .3, .8}, 2) == 0);
  CHECK(mexa(std::vector<f64>{.9, .9, .3, .8}, 2) == 0);  // equal is not nearer
  CHECK(mexa(std::vector<f64>{.9, .1, .3, .2, .8, .7, .1, .1, .75}, 3) == 1);
  CHECK(mexa(std::vector<f64>{.5}, 1) == 1);
  CHECK(std::isnan(mexa({}, 0)));
}

TEST_CASE("a language's statistics equal their definitions", "[embed]") {
  constexpr i64 kPairs = 23;
  const LocalContext ctx;
  PivotVectors pivot(kShape, *ctx->memory);
  for (i64 i = kPairs; i-- > 0;)  // any order
    pivot.add(i, sentence(i, 0, 0.5));
  LanguageScorer scorer(pivot, 0);
  CHECK_FALSE(scorer.add(99, sentence(99, 1, 0.5)));  // the pivot lacks it
  for (i64 i = 0; i < kPairs; ++i)
    CHECK(scorer.add(i, sentence(i, 1, 0.5)));
  CHECK(scorer.pairs() == kPairs);
  const std::vector<LayerScore> scores = scorer.scores();
  REQUIRE(scores.size() == 2);
  for (i64 layer = 0; layer < 2; ++layer) {
    f64 paired = 0, apart = 0, own = 0;
    std::vector<f64> matrix;
    for (i64 i = 0; i < kPairs; ++i) {
      for (i64 j = 0; j < kPairs; ++j) {
        const std::vector<f32> e = sentence(i, 0, 0.5);
        const std::vector<f32> x = sentence(j, 1, 0.5);
        const f64 c = cosine(e, x, 5 * layer);
        (i == j ? paired : apart) += c;
        if (i != j) own += cosine(sentence(i, 1, 0.5), x, 5 * layer);
        matrix.push_back(cosine(e, x, 10 + 5 * layer));  // the second block
      }
    }
    const f64 others = kPairs * (kPairs - 1);
    const LayerScore& got = scores[usize(layer)];
    CHECK(got.cos == Approx(paired / kPairs).epsilon(1e-6));
    CHECK(got.corrected == Approx(paired / kPairs - apart / others).epsilon(1e-5));
    CHECK(got.anisotropy == Approx(own / others).epsilon(1e-5));
    CHECK(got.mexa == mexa(matrix, kPairs));
  }
}

TEST_CASE("identical files have cosine 1 and mexa 1, at any length of the vectors", "[embed]") {
  const LocalContext ctx;
  PivotVectors pivot(kShape, *ctx->memory);
  for (i64 i = 0; i < 40; ++i)
    pivot.add(i, sentence(i, 0, 0.3));
  LanguageScorer same(pivot, 0);
  LanguageScorer scaled(pivot, 0);
  LanguageScorer few(pivot, 10);
  for (i64 i = 0; i < 40; ++i) {
    same.add(i, sentence(i, 0, 0.3));
    few.add(i, sentence(i, 0, 0.3));
    std::vector<f32> longer = sentence(i, 0, 0.3);
    for (f32& x : longer)
      x *= static_cast<f32>(1 << (i % 7));  // exact
    scaled.add(i, longer);
  }
  CHECK(few.mexa_pairs() == 10);
  for (i64 layer = 0; layer < 2; ++layer) {
    const LayerScore a = same.scores()[usize(layer)];
    const LayerScore b = scaled.scores()[usize(layer)];
    CHECK(a.cos == Approx(1).epsilon(1e-6));
    CHECK(a.mexa == 1);
    CHECK(b.cos == Approx(a.cos).epsilon(1e-9));
    CHECK(b.corrected == Approx(a.corrected).epsilon(1e-9));
    CHECK(b.anisotropy == Approx(a.anisotropy).epsilon(1e-9));
    CHECK(b.mexa == a.mexa);
    CHECK(a.corrected == Approx(1 - a.anisotropy).epsilon(1e-6));
  }
}

TEST_CASE("permuted lines lose the corrected amount alone, and mexa", "[embed]") {
  constexpr i64 kPairs = 60;
  const LocalContext ctx;
  PivotVectors pivot(kShape, *ctx->memory);
  for (i64 i = 0; i < kPairs; ++i)
    pivot.add(i, sentence(i, 0, 0.2));
  LanguageScorer straight(pivot, 0);
  // Over all rotations every sentence meets every other once: the mean of cos falls by exactly the
  // corrected score of the aligned files.
  f64 cos = 0, nearest = 0;
  for (i64 i = 0; i < kPairs; ++i)
    straight.add(i, sentence(i, 1, 0.2));
  for (i64 shift = 1; shift < kPairs; ++shift) {
    LanguageScorer turned(pivot, 0);
    for (i64 i = 0; i < kPairs; ++i)
      turned.add(i, sentence((i + shift) % kPairs, 1, 0.2));
    cos += turned.scores()[0].cos / (kPairs - 1);
    nearest += turned.scores()[0].mexa / (kPairs - 1);
    CHECK(turned.scores()[0].anisotropy == Approx(straight.scores()[0].anisotropy).epsilon(1e-6));
  }
  const LayerScore good = straight.scores()[0];
  CHECK(good.cos - cos == Approx(good.corrected).epsilon(1e-6));
  CHECK(good.mexa > 0.5);
  CHECK(nearest < 2.0 / kPairs);
}

TEST_CASE("a language of one pair, or of none, has what is defined", "[embed]") {
  const LocalContext ctx;
  PivotVectors pivot(kShape, *ctx->memory);
  pivot.add(4, sentence(4, 0, 0.5));
  LanguageScorer none(pivot, 0);
  CHECK(std::isnan(none.scores()[0].cos));
  CHECK(std::isnan(none.scores()[0].mexa));
  LanguageScorer one(pivot, 0);
  one.add(4, std::vector<f32>(20, 0.0f));  // a zero vector is like nothing
  CHECK(one.scores()[0].cos == 0);
  CHECK(std::isnan(one.scores()[0].corrected));
  CHECK(std::isnan(one.scores()[0].anisotropy));
}

TEST_CASE("shares correlate by mid-ranks where they are equal", "[embed]") {
  // Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: r = 4.5 / sqrt(4.5 * 5).
  const std::vector<f64> scores = {.1, .2, .2, .3};
  const std::vector<f64> shares = {-3, -2, -1, 0};
  CHECK(stat::spearman(stat::Ranking(scores), stat::Ranking(shares)) ==
        Approx(4.5 / std::sqrt(4.5 * 5)));
}

TEST_CASE("sentences are kept by language and pair", "[embed]") {
  const LocalContext ctx;
  ParallelTexts texts(ctx);
  CHECK_FALSE(texts.add("eng", "1", "one"));
  CHECK_FALSE(texts.add("deu", "2", "zwei"));
  CHECK_FALSE(texts.add("deu", "1", ""));
  CHECK(texts.add("deu", "2", "noch")->code == "duplicate");
  CHECK(texts.languages() == std::vector<std::string>{"deu", "eng"});
  REQUIRE(texts.sentences("deu").size() == 2);
  CHECK(texts.text(texts.sentences("deu")[0]) == "zwei");
  CHECK(texts.sentences("deu")[1].pair == texts.sentences("eng")[0].pair);
  CHECK(texts.text(texts.sentences("deu")[1]).empty());
  CHECK(texts.sentences("fra").empty());
}
