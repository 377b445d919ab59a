// Models that read prefixes: prompts are read as a whole, whatever is beside them.

#include <algorithm>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/parallel.h"
#include "decode/generate.h"
#include "decode/score.h"
#include "unit/model/engine_rows.h"

using namespace lm;
using namespace lm::decode;

namespace {

const char* const kShape =
    "family=based,layers=3,width=24,heads=3,ffn=40,vocab=320,context=96,mixers=pla:4@0,window:9@1,"
    "conv:3@2";

std::vector<i32> tokens_of_seed(i64 n, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<i32> out;
  for (i64 i = 0; i < n; ++i)
    out.push_back(static_cast<i32>(random.below(static_cast<u64>(i), 260)));
  return out;
}

std::vector<std::vector<BranchScore>> scores(const model::Model& model,
                                             const std::vector<ScoreRequest>& requests,
                                             ScoreOptions options = {}) {
  model::EngineOptions sizes;
  sizes.max_rows = options.chunk;
  sizes.max_logit_rows = 16;
  sizes.cache_tokens = 40 * 96;
  model::Engine engine(model, sizes);
  TokenScorer scorer(engine, options);
  for (const ScoreRequest& request : requests)
    scorer.add(request);
  std::vector<std::vector<BranchScore>> out;
  for (bool more = true; more;) {
    more = scorer.step();
    while (std::optional<std::vector<BranchScore>> done = scorer.take())
      out.push_back(std::move(*done));
  }
  CHECK(engine.cache().free_pages() == engine.cache().total_pages());
  return out;
}

std::vector<Generated> written(const model::Model& model, const text::Tokenizer& tokenizer,
                               const std::vector<GenerateRequest>& requests,
                               const GenerateOptions& options) {
  model::EngineOptions sizes;
  sizes.max_rows = std::max(options.batch, options.chunk);
  sizes.cache_tokens = 60 * 96;
  model::Engine engine(model, sizes);
  Generator generator(engine, tokenizer, options);
  for (const GenerateRequest& request : requests)
    generator.add(request);
  std::vector<Generated> out;
  for (bool more = true; more;) {
    more = generator.step();
    while (std::optional<Generated> done = generator.take())
      out.push_back(std::move(*done));
  }
  return out;
}

}  // namespace

TEST_CASE("a completion is scored as it was written, behind a prompt read as a whole", "[decode]") {
  const model::Model model = test::scaled_model(kShape, 6.0f);
  const test::TempDir dir;
  test::write_tiny_tokenizer(dir.path().string());
  text::LoadOptions load;
  load.add_specials = false;
  const std::unique_ptr<text::Tokenizer> tokenizer =
      text::load_tokenizer(dir.path().string(), load);
  std::vector<GenerateRequest> requests;
  for (i64 i = 0; i < 9; ++i) {
    GenerateRequest r;
    r.id = cat("r", i);
    r.prompt = prompt_rows(tokens_of_seed(1 + 7 * i, static_cast<u64>(i)));
    r.params.max_tokens = 8;
    r.params.n = 1 + i % 3;
    r.params.ignore_eos = true;
    r.logprobs = true;
    requests.push_back(std::move(r));
  }
  GenerateOptions options;
  options.batch = 16;
  const std::vector<Generated> expected = written(model, *tokenizer, requests, options);
  REQUIRE(expected.size() == 9);
  for (const auto& [batch, chunk, threads] :
       std::vector<std::tuple<i64, i64, int>>{{1, 4, 1}, {3, 11, 7}, {16, 512, 2}}) {
    set_threads(threads);
    options.batch = batch;
    options.chunk = chunk;
    const std::vector<Generated> got = written(model, *tokenizer, requests, options);
    for (std::size_t r = 0; r < 9; ++r)
      for (std::size_t s = 0; s < got[r].completions.size(); ++s) {
        CHECK(got[r].completions[s].tokens == expected[r].completions[s].tokens);
        CHECK(got[r].completions[s].logprobs == expected[r].completions[s].logprobs);
      }
  }
  set_threads(1);
  std::vector<ScoreRequest> asked;
  for (std::size_t r = 0; r < 9; ++r) {
    ScoreRequest request;
    request.prefix = requests[r].prompt;
    request.given = true;
    for (const Completion& one : expected[r].completions)
      request.branches.emplace_back().rows = prompt_rows(one.tokens);
    asked.push_back(request);
  }
  const auto check = [&](const std::vector<std::vector<BranchScore>>& all, bool same) {
    for (std::size_t r = 0; r < 9; ++r)
      for (std::size_t s = 0; s < all[r].size(); ++s)
        CHECK((all[r][s].logprobs == expected[r].completions[s].logprobs) == same);
  };
  check(scores(model, asked), true);
  check(scores(model, asked, {.batch = 2, .chunk = 5}), true);
  // Only some of the prompt is shared: every branch reads its own.
  for (ScoreRequest& request : asked) {
    if (isize(request.prefix) < 2) continue;
    const auto from = request.prefix.end() - 1;
    for (ScoreRequest::Branch& branch : request.branches) {
      branch.rows.insert(branch.rows.begin(), from, request.prefix.end());
      branch.first = 1;
    }
    request.prefix.erase(from);
  }
  check(scores(model, asked, {.batch = 3, .chunk = 40}), true);
  check(scores(model, asked, {.prefixes = false}), false);
  for (ScoreRequest& request : asked)
    request.given = false;
  check(scores(model, asked), false);
}
