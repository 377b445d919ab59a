#include "decode/score.h"

#include <cmath>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "decode/prompt.h"

using namespace lm;
using namespace lm::decode;

namespace {

std::vector<i32> random_tokens(i64 n, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<i32> out;
  for (i64 i = 0; i < n; ++i)
    out.push_back(static_cast<i32>(random.below(static_cast<u64>(i), 260)));
  return out;
}

/// One token after the other, in a fresh engine: log p of tokens [first, end).
std::vector<f32> slow_scores(const model::Model& model, const std::vector<i32>& tokens, i64 first) {
  model::Engine engine(model, {.cache_tokens = 96});
  const i32 seq = engine.create();
  std::vector<f32> out;
  for (i64 i = 0; i + 1 < isize(tokens); ++i) {
    const std::span<const f32> logits = engine.step(seq, tokens[usize(i)]);
    if (i + 1 < first) continue;
    f64 sum = 0;
    f64 top = static_cast<f64>(*std::max_element(logits.begin(), logits.end()));
    for (const f32 logit : logits)
      sum += std::exp(static_cast<f64>(logit) - top);
    out.push_back(static_cast<f32>(static_cast<f64>(logits[usize(tokens[usize(i + 1)])]) -
                                   (top + std::log(sum))));
  }
  return out;
}

std::vector<std::vector<BranchScore>> run(const model::Model& model,
                                          const std::vector<ScoreRequest>& requests,
                                          ScoreOptions options, i64 cache = 17 * 96) {
  model::EngineOptions engine_options;
  engine_options.max_rows = options.chunk;
  engine_options.max_logit_rows = std::min<i64>(options.chunk, 16);
  engine_options.cache_tokens = cache;
  model::Engine engine(model, engine_options);
  TokenScorer scorer(engine, options);
  for (const ScoreRequest& request : requests)
    scorer.add(request);
  std::vector<std::vector<BranchScore>> out;
  for (bool more = true; more;) {
    more = scorer.step();
    while (std::optional<std::vector<BranchScore>> done = scorer.take())
      out.push_back(std::move(*done));
  }
  CHECK(scorer.pending() == 0);
  CHECK(engine.cache().free_pages() == engine.cache().total_pages());
  return out;
}

}  // namespace

TEST_CASE("branches behind a shared prefix score as each would alone, in any batch", "[decode]") {
  const model::Model model = test::make_tiny_model();
  std::vector<ScoreRequest> requests;
  std::vector<std::vector<std::vector<f32>>> expected;
  for (u64 r = 0; r < 12; ++r) {
    ScoreRequest request;
    request.prefix = prompt_rows(random_tokens(static_cast<i64>(r * 3 % 30), 10 + r));
    std::vector<std::vector<f32>> want;
    for (u64 b = 0; b < 1 + r % 4; ++b) {
      ScoreRequest::Branch branch;
      branch.rows =
          prompt_rows(random_tokens(static_cast<i64>((r + b * 7) % 20), 100 + 10 * r + b));
      branch.first = static_cast<i64>(r % 3 == 2 ? 2 : 0);
      std::vector<i32> whole = tokens_of(request.prefix);
      const std::vector<i32> own = tokens_of(branch.rows);
      whole.insert(whole.end(), own.begin(), own.end());
      want.push_back(slow_scores(model, whole, isize(request.prefix) + branch.first));
      if (isize(branch.rows) <= branch.first) want.back().clear();
      request.branches.push_back(std::move(branch));
    }
    requests.push_back(std::move(request));
    expected.push_back(std::move(want));
  }
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    for (const ScoreOptions& options :
         {ScoreOptions{1, 7}, ScoreOptions{16, 512}, ScoreOptions{3, 50}}) {
      CAPTURE(threads, options.batch, options.chunk);
      // With room for one branch, for some, and for all of the batch.
      for (const i64 cache : {96, 128, 17 * 96}) {
        const std::vector<std::vector<BranchScore>> got = run(model, requests, options, cache);
        REQUIRE(got.size() == requests.size());
        for (std::size_t r = 0; r < got.size(); ++r) {
          CAPTURE(cache, r);
          for (std::size_t b = 0; b < got[r].size(); ++b)
            REQUIRE(got[r][b].logprobs == expected[r][b]);
        }
      }
    }
  }
  set_threads(2);
}

TEST_CASE("windows score every token but the first once", "[decode]") {
  for (const i64 n : {0, 1, 2, 9, 10, 11, 16, 57}) {
    const std::vector<i32> tokens = random_tokens(n, 3);
    for (const i64 stride : {1, 5, 9}) {
      CAPTURE(n, stride);
      std::vector<i32> scored;
      for (const ScoreRequest& window : cut_windows(tokens, {10, stride})) {
        REQUIRE(window.branches.size() == 1);
        const ScoreRequest::Branch& branch = window.branches[0];
        REQUIRE(isize(branch.rows) <= 10);
        for (i64 i = branch.first; i < isize(branch.rows); ++i)
          scored.push_back(branch.rows[usize(i)].token);
      }
      REQUIRE(scored == std::vector<i32>(tokens.begin() + std::min<i64>(1, n), tokens.end()));
    }
  }
}

TEST_CASE("windows without overlap score all but their first tokens", "[decode]") {
  const model::Model model = test::make_tiny_model();
  for (const i64 n : {0, 1, 2, 9, 10, 11, 12, 30, 57}) {
    CAPTURE(n);
    const std::vector<i32> tokens = random_tokens(n, 3);
    std::vector<f32> want;  // every ten tokens are a text of their own
    for (i64 begin = 0; begin < n; begin += 10) {
      const std::vector<i32> own(tokens.begin() + begin, tokens.begin() + std::min(n, begin + 10));
      const std::vector<f32> part = slow_scores(model, own, 1);
      want.insert(want.end(), part.begin(), part.end());
    }
    std::vector<f32> got;
    for (const std::vector<BranchScore>& window :
         run(model, cut_windows(tokens, {10, 10}), {4, 16}))
      got.insert(got.end(), window[0].logprobs.begin(), window[0].logprobs.end());
    REQUIRE(got == want);
  }
  CHECK_THROWS_AS(cut_windows(random_tokens(20, 3), {10, 11}), Error);
}

TEST_CASE("the first tokens of windows without overlap count no bytes", "[decode]") {
  const test::TempDir dir;
  test::write_tiny_tokenizer(dir.path().string());
  text::LoadOptions options;
  options.add_specials = false;
  const std::unique_ptr<text::Tokenizer> tokenizer =
      text::load_tokenizer(dir.path().string(), options);
  PromptEncoder with(*tokenizer, test::kTinyBos);
  PromptEncoder without(*tokenizer, std::nullopt);
  // <s> a b | the</s> c | d: windows of three tokens
  const ScoredTokens begun = *with.text("abthe</s>cd", 3);
  CHECK(begun.tokens.size() == 7);
  CHECK(begun.heads == std::vector<i64>{3, 6});  // "the", "d"
  CHECK(begun.scored() == 4);
  CHECK(begun.bytes == 3);  // a b c
  // a b the | </s> c d
  const ScoredTokens bare = *without.text("abthe</s>cd", 3);
  CHECK(bare.heads == std::vector<i64>{3});
  CHECK(bare.scored() == 4);
  CHECK(bare.bytes == 6);  // b the c d
  CHECK(without.text("ab", 3)->heads.empty());
  CHECK(with.text("", 2)->scored() == 0);
  const std::vector<ScoredTokens> parts = *with.stretches("abcdefghijkl", 8, 2, 3);
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].heads == std::vector<i64>{3});  // <s>ab cd
  CHECK(parts[0].bytes == 3);
  CHECK(parts[1].heads == std::vector<i64>{3});  // ijk l
  CHECK(parts[1].bytes == 2);
}

TEST_CASE("bytes are those of the scored tokens, specials count none", "[decode]") {
  const test::TempDir dir;
  test::write_tiny_tokenizer(dir.path().string());
  text::LoadOptions options;
  options.add_specials = false;
  const std::unique_ptr<text::Tokenizer> tokenizer =
      text::load_tokenizer(dir.path().string(), options);
  PromptEncoder with(*tokenizer, test::kTinyBos);
  CHECK(with.text("abc")->bytes == 3);
  CHECK(with.text("abc")->tokens.size() == 4);
  CHECK(with.text("abc")->first == 1);
  CHECK(with.text("ab</s>c")->bytes == 3);
  CHECK(with.text("")->bytes == 0);
  PromptEncoder without(*tokenizer, std::nullopt);
  CHECK(without.text("abc")->bytes == 2);  // a has no probability
  CHECK(without.text("the")->bytes == 0);  // one token
  CHECK(without.text("")->bytes == 0);
  CHECK(without.text("a\xC3\xA9")->bytes == 2);
}

TEST_CASE("the joint boundary moves blanks to the completion", "[decode]") {
  const test::TempDir dir;
  test::write_tiny_tokenizer(dir.path().string());
  text::LoadOptions options;
  options.add_specials = false;
  const std::unique_ptr<text::Tokenizer> tokenizer =
      text::load_tokenizer(dir.path().string(), options);
  PromptEncoder encoder(*tokenizer, test::kTinyBos);
  const ScoredTokens joint = *encoder.completion("in ", "the", Boundary::kJoint);
  CHECK(joint.tokens == std::vector<i32>{test::kTinyBos, 258, 259});  // "in", " the"
  CHECK(joint.first == 2);
  CHECK(joint.bytes == 4);
  const ScoredTokens apart = *encoder.completion("in ", "the", Boundary::kSeparate);
  CHECK(apart.tokens == std::vector<i32>{test::kTinyBos, 258, ' ', 257});
  CHECK(apart.first == 3);
  CHECK(apart.bytes == 3);
  PromptEncoder bare(*tokenizer, std::nullopt);
  const ScoredTokens first = *bare.completion("", "ab", Boundary::kJoint);
  CHECK(first.first == 1);
  CHECK(first.bytes == 1);
}

TEST_CASE("windows of a text behind a prompt are those of the whole", "[decode]") {
  for (const i64 n : {1, 2, 9, 10, 11, 12, 30, 57}) {
    const std::vector<i32> tokens = random_tokens(n, 3);
    for (const i64 stride : {1, 5, 9}) {
      for (i64 first = 0; first <= n; ++first) {
        CAPTURE(n, stride, first);
        const std::vector<ScoreRequest> all = cut_windows(tokens, {10, stride});
        WindowCutter cutter(tokens, {10, stride}, first);
        std::vector<i32> scored;
        i64 windows = 0;
        while (std::optional<ScoreRequest> window = cutter.next()) {
          const ScoreRequest::Branch& branch = window->branches[0];
          const bool one_of_them = std::any_of(
              all.begin(), all.end(),
              [&](const ScoreRequest& other) { return other.branches[0].rows == branch.rows; });
          REQUIRE(one_of_them);
          for (i64 i = branch.first; i < isize(branch.rows); ++i)
            scored.push_back(branch.rows[usize(i)].token);
          ++windows;
        }
        REQUIRE(scored == std::vector<i32>(tokens.begin() + std::min(std::max<i64>(1, first), n),
                                           tokens.end()));
        REQUIRE(windows <= isize(all));
      }
    }
  }
}
