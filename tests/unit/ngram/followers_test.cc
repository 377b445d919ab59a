#include "ngram/followers.h"

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "ngram/estimate.h"
#include "oracle.h"

using namespace lm;
using namespace lm::ngram;

namespace {

const LocalContext ctx(1);

Model trained(int order, u64 seed, i64 lines, u64 words, std::vector<i64> prune = {}) {
  EstimateOptions options;
  options.order = order;
  options.prune = std::move(prune);
  options.discount_fallback = std::array<f64, 3>{0.5, 1, 1.5};
  return Model::from_arpa(
      ctx, lm::test::train_arpa(ctx, lm::test::random_lines(seed, lines, words), options), "t");
}

/// Words that stand behind exactly the last `size` words of a state, asked one by one.
std::vector<std::pair<f32, u32>> asked(const Model& model, State state, int size) {
  state.length = size;
  std::vector<std::pair<f32, u32>> out;
  for (u32 word = kEos + 1; word < static_cast<u32>(model.vocab_size()); ++word) {
    State next;
    int matched = 0;
    const f32 p = model.score_word(state, word, next, &matched);
    if (matched == size + 1) out.emplace_back(p, word);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  return out;
}

}  // namespace

TEST_CASE("what follows a context is what the model gives when it is asked word by word",
          "[ngram]") {
  for (const int order : {1, 2, 4}) {
    for (const i64 words : {8, 60}) {
      const Model model = trained(order, 7, 300, static_cast<u64>(words),
                                  order > 2 ? std::vector<i64>{0, 0, 1} : std::vector<i64>{});
      const Followers followers(ctx, model, "t");
      const RandomStream random(3, RandomPurpose::kOther);
      State state = model.begin_sentence();
      i64 seen = 0;
      for (u64 i = 0; i < 200; ++i) {
        for (int size = 0; size <= state.length; ++size) {
          std::vector<std::pair<f32, u32>> expected = asked(model, state, size);
          if (isize(expected) > Followers::kMost) expected.resize(usize(Followers::kMost));
          std::vector<std::pair<f32, u32>> got;
          for (const Followers::Follower& one : followers.after(state, size))
            got.emplace_back(one.log10_p, one.word);
          REQUIRE(got == expected);
          seen += size > 0 ? isize(got) : 0;
        }
        const u32 word =
            static_cast<u32>(3 + random.below(i, static_cast<u64>(model.vocab_size() - 3)));
        model.score_word(state, word, state);
      }
      CHECK((seen > 0) == (order > 1));
      State unknown;
      unknown.length = 1;
      unknown.words[0] = 1000000;
      CHECK(followers.after(unknown, 1).empty());
    }
  }
}

TEST_CASE("followers of all lengths have the model's probabilities", "[ngram]") {
  const Model model = trained(3, 11, 200, 9);  // fewer words than a context keeps
  const Followers followers(ctx, model, "t");
  State state = model.begin_sentence();
  const RandomStream random(5, RandomPurpose::kOther);
  for (u64 i = 0; i < 100; ++i) {
    for (const f64 least : {0.0, 0.05, 0.3}) {
      std::vector<std::pair<f32, u32>> got;
      followers.after(state, least, got);
      CHECK(std::is_sorted(got.begin(), got.end(),
                           [](const auto& a, const auto& b) { return a.first > b.first; }));
      std::vector<u32> words;
      for (const auto& [p, word] : got) {
        State next;
        CHECK(static_cast<f64>(p) ==
              Approx(std::pow(10, static_cast<f64>(model.score_word(state, word, next))))
                  .epsilon(1e-5));
        words.push_back(word);
      }
      std::sort(words.begin(), words.end());
      std::vector<u32> expected;
      for (u32 word = kEos + 1; word < static_cast<u32>(model.vocab_size()); ++word) {
        State next;
        const f64 p = std::pow(10, static_cast<f64>(model.score_word(state, word, next)));
        if (p >= least) expected.push_back(word);
      }
      CHECK(words == expected);
    }
    model.score_word(state, static_cast<u32>(3 + random.below(i, 9)), state);
  }
}
