// Text overlaps: numbers worked out by hand, slow definitions, texts in other scripts.

#include "text/overlap.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "catch.h"
#include "core/random.h"

namespace {

using lm::f64;
using lm::i32;
using lm::i64;
using lm::usize;
namespace text = lm::text;

using Words = std::vector<i32>;

Words words(text::WordIds& ids, std::string_view t) {
  Words out;
  ids.add_words(t, out);
  return out;
}

i64 slow_subsequence(const Words& a, const Words& b) {
  std::vector<std::vector<i64>> best(a.size() + 1, std::vector<i64>(b.size() + 1, 0));
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j)
      best[i][j] =
          a[i - 1] == b[j - 1] ? best[i - 1][j - 1] + 1 : std::max(best[i - 1][j], best[i][j - 1]);
  }
  return best[a.size()][b.size()];
}

i64 slow_shared(const Words& a, const Words& b, i64 n) {
  std::map<Words, i64> count;
  const auto grams = [n](const Words& w) {
    std::vector<Words> out;
    for (i64 i = 0; i + n <= lm::isize(w); ++i)
      out.emplace_back(w.begin() + i, w.begin() + i + n);
    return out;
  };
  for (const Words& gram : grams(a))
    ++count[gram];
  i64 shared = 0;
  for (const Words& gram : grams(b)) {
    if (count[gram]-- > 0) ++shared;
  }
  return shared;
}

Words random_words(lm::u64 seed, i64 most, lm::u64 vocabulary) {
  const lm::RandomStream random(seed, lm::RandomPurpose::kOther);
  Words out(random.below(0, static_cast<lm::u64>(most + 1)));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<i32>(random.below(i + 1, vocabulary));
  return out;
}

}  // namespace

TEST_CASE("words are runs of letters, marks and numbers, ideographs stand alone", "[text]") {
  CHECK(text::overlap_words("The cat's 3.5 hats") ==
        std::vector<std::string>{"the", "cat", "s", "3", "5", "hats"});
  CHECK(text::overlap_words("\xC3\x89t\xC3\xA9, \xE6\x9D\xB1\xE4\xBA\xAC x") ==
        std::vector<std::string>{"\xC3\xA9t\xC3\xA9", "\xE6\x9D\xB1", "\xE4\xBA\xAC", "x"});
  CHECK(text::overlap_words(" --- ").empty());
  CHECK(text::overlap_words("a\xFF"
                            "b") == std::vector<std::string>{"a", "b"});
}

TEST_CASE("answers are compared without case, punctuation and articles", "[text]") {
  CHECK(text::answer_key(" The  U.S.A., an  answer! ") == "usa answer");
  CHECK(text::answer_key("$5+3") == "53");
  CHECK(text::answer_key("a") == "");
  CHECK(text::answer_key("\xC2\xBF\xC3\x89l?") == "\xC3\xA9l");
}

TEST_CASE("the last number has one spelling", "[text]") {
  CHECK(text::last_number("first 3, then 1,234.50 apples.") == "1234.5");
  CHECK(text::last_number("x = -007") == "-7");
  CHECK(text::last_number("pages 3-5") == "5");
  CHECK(text::last_number("0.0") == "0");
  CHECK(text::last_number("-0.0") == "0");
  CHECK(text::last_number("about .25") == "0.25");
  CHECK(text::last_number("1,23,45") == "45");
  CHECK(text::last_number("12.") == "12");
  CHECK(text::last_number("none").empty());
}

TEST_CASE("overlaps of two sentences are those worked out by hand", "[text]") {
  text::WordIds ids;
  const Words a = words(ids, "the cat sat on the mat");
  const Words b = words(ids, "the cat lay on a mat");
  CHECK(text::jaccard(a, b) == Approx(4.0 / 7));
  // Clipped matches the, cat, on, mat of six and six.
  CHECK(text::rouge_n(a, b, 1).f1 == Approx(4.0 / 6));
  // Of five bigrams each, "the cat" is shared.
  CHECK(text::rouge_n(a, b, 2).f1 == Approx(1.0 / 5));
  CHECK(text::rouge_l(a, b).f1 == Approx(4.0 / 6));
  CHECK(text::bleu(text::bleu_counts(a, b), 2) == Approx(std::sqrt(4.0 / 6 * 1 / 5)));
  CHECK(text::bleu(text::bleu_counts(a, b), 4) == 0);
  CHECK(text::bleu(text::bleu_counts(a, a)) == Approx(1));
  // A hypothesis of four words against six: brevity exp(1 - 6/4).
  const Words shorter(b.begin(), b.begin() + 4);
  CHECK(text::bleu(text::bleu_counts(shorter, b), 2) == Approx(std::exp(-.5)));
}

TEST_CASE("overlaps of empty and single words", "[text]") {
  const Words none;
  const Words one = {1};
  const Words other = {2};
  CHECK(text::jaccard(none, none) == 1);
  CHECK(text::rouge_n(none, none, 1).f1 == 1);
  CHECK(text::rouge_l(none, one).f1 == 0);
  CHECK(text::rouge_n(one, other, 2).f1 == 0);
  CHECK(text::bleu_similarity(none, none) == 1);
  CHECK(text::bleu_similarity(one, none) == 0);
  CHECK(text::bleu_similarity(one, one) == 1);
  CHECK(text::bleu_similarity(one, other) == 0);
}

TEST_CASE("overlaps equal their definitions on random words", "[text]") {
  for (lm::u64 seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const Words a = random_words(2 * seed, 150, 5);
    const Words b = random_words(2 * seed + 1, 150, 5);
    CHECK(text::common_subsequence(a, b) == slow_subsequence(a, b));
    const text::BleuCounts counts = text::bleu_counts(a, b);
    for (i64 n = 1; n <= 4; ++n)
      CHECK(counts.matches[usize(n - 1)] == slow_shared(a, b, n));
    CHECK(text::rouge_n(a, b, 2).f1 == text::rouge_n(b, a, 2).f1);
    CHECK(text::bleu_similarity(a, b) == text::bleu_similarity(b, a));
  }
}

TEST_CASE("character n-grams give chrF", "[text]") {
  // Against "abcd", "abce" shares 3 of 4 characters, 2 of 3 pairs, 1 of 2 triples, no quadruple.
  const text::ChrfCounts counts = text::chrf_counts("ab ce", "a bcd");
  CHECK(counts.matches[0] == 3);
  CHECK(counts.matches[1] == 2);
  CHECK(counts.matches[2] == 1);
  CHECK(counts.matches[3] == 0);
  CHECK(counts.totals[4] == 0);
  CHECK(text::chrf(counts) == Approx((3.0 / 4 + 2.0 / 3 + 1.0 / 2) / 4));
  CHECK(text::chrf(text::chrf_counts("same", "same")) == Approx(1));
  CHECK(text::chrf(text::chrf_counts("", "x")) == 0);
  text::ChrfCounts sum = counts;
  sum.add(counts);
  CHECK(text::chrf(sum) == Approx(text::chrf(counts)));
}

TEST_CASE("counts of two pairs add to a corpus", "[text]") {
  text::BleuCounts sum = text::bleu_counts(Words{1, 2, 3}, Words{1, 2, 4});
  sum.add(text::bleu_counts(Words{5, 6}, Words{5, 6, 7}));
  // Unigrams 4 of 5, bigrams 2 of 3, lengths 5 against 6.
  CHECK(text::bleu(sum, 2) == Approx(std::exp(1 - 6.0 / 5) * std::sqrt(4.0 / 5 * 2 / 3)));
}
