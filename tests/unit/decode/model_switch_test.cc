#include "decode/model_switch.h"

#include <cmath>
#include <limits>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "decode/generate.h"

using namespace lm;
using namespace lm::decode;

namespace {

constexpr f64 kInfinity = std::numeric_limits<f64>::infinity();

/// Which model makes each of the tokens whose distributions have these entropies.
std::string walk(const SwitchOptions& options, const std::vector<f64>& entropies) {
  ModelSwitch models(options, {1, 2}, 0);
  std::string out;
  for (std::size_t i = 0; i < entropies.size(); ++i) {
    out += models.large() ? 'L' : 's';
    models.note(entropies[i], static_cast<i64>(i));
  }
  return out;
}

struct Pair {
  Pair() {
    test::write_tiny_tokenizer(dir.path().string());
    text::LoadOptions options;
    options.add_specials = false;
    tokenizer = text::load_tokenizer(dir.path().string(), options);
  }
  test::TempDir dir;
  std::unique_ptr<text::Tokenizer> tokenizer;
  model::Model small = test::make_tiny_model(1);
  model::Model large = test::make_tiny_model(2, 262, 64, 24);
};

std::vector<GenerateRequest> requests() {
  std::vector<GenerateRequest> out;
  for (i32 i = 0; i < 6; ++i) {
    GenerateRequest r;
    r.id = cat("r", i);
    r.prompt = {test::kTinyBos, 'a' + i, 'b', 'c', 'a' + i % 2};
    r.params.max_tokens = 30 + i * 6;  // the last ones reach the context
    r.params.n = 1 + i % 3;
    r.params.temperature = i % 2 == 0 ? 0 : 0.8;
    r.logprobs = true;
    if (i == 4) r.params.top_k = 5;
    out.push_back(r);
  }
  return out;
}

std::vector<Generated> run(const Pair& pair, const SwitchOptions& options,
                           const std::vector<GenerateRequest>& all, i64 batch = 16,
                           i64 chunk = 512) {
  model::EngineOptions size;
  size.max_rows = std::max(batch, chunk);
  size.cache_tokens = 8 * 96;
  model::Engine small(pair.small, size);
  model::Engine large(pair.large, size);
  GenerateOptions how{batch, chunk, pair.small.cfg.end_ids};
  how.other = options.start_large ? &small : &large;
  how.models = options;
  Generator generator(options.start_large ? large : small, *pair.tokenizer, how);
  for (const GenerateRequest& request : all)
    generator.add(request);
  std::vector<Generated> out;
  for (bool more = true; more;) {
    more = generator.step();
    while (std::optional<Generated> done = generator.take())
      out.push_back(std::move(*done));
  }
  CHECK(small.cache().free_pages() == small.cache().total_pages());
  CHECK(large.cache().free_pages() == large.cache().total_pages());
  return out;
}

std::vector<Generated> alone(const Pair& pair, const model::Model& model,
                             const std::vector<GenerateRequest>& all) {
  model::Engine engine(model);
  Generator generator(engine, *pair.tokenizer, {16, 512, model.cfg.end_ids});
  for (const GenerateRequest& request : all)
    generator.add(request);
  std::vector<Generated> out;
  for (bool more = true; more;) {
    more = generator.step();
    while (std::optional<Generated> done = generator.take())
      out.push_back(std::move(*done));
  }
  return out;
}

/// Every token from a fresh reading of all before it.
Completion slow(const Pair& pair, const SwitchOptions& options, const GenerateRequest& r,
                i64 sample) {
  Sampler sampler(r.params, pair.small.cfg.end_ids, nullptr);
  DrawPoint at;
  at.key = draw_key(r.seed, r.id);
  at.sample = sample;
  ModelSwitch models(options, at.key, sample);
  std::vector<i32> tokens = tokens_of(r.prompt);
  Completion out;
  while (isize(out.tokens) < r.params.max_tokens && isize(tokens) < 64) {
    model::Engine engine(models.large() ? pair.large : pair.small);
    const std::span<const f32> logits = engine.prefill(engine.create(), tokens);
    at.position = isize(tokens);
    const i32 token = *sampler.draw(logits, {tokens, isize(r.prompt)}, at);
    out.large.push_back(models.large() ? 1 : 0);
    out.entropies.push_back(static_cast<f32>(entropy_bits(logits)));
    models.note(entropy_bits(logits), at.position);
    tokens.push_back(token);
    out.tokens.push_back(token);
    if (token == test::kTinyEos) break;
  }
  out.switches = models.counts().switches;
  return out;
}

}  // namespace

TEST_CASE("entropies are in bits", "[decode]") {
  CHECK(entropy_bits(std::vector<f32>(8, 3.5f)) == Approx(3).epsilon(1e-9));
  const f32 banned = -std::numeric_limits<f32>::infinity();
  CHECK(entropy_bits(std::vector<f32>{banned, 2, banned}) == 0);
  CHECK(entropy_bits(std::vector<f32>{0, 1000, 0}) == 0);
  const f64 p = 1 / (1 + std::exp(-1.0));
  CHECK(entropy_bits(std::vector<f32>{1, 2}) ==
        Approx(-p * std::log2(p) - (1 - p) * std::log2(1 - p)).epsilon(1e-6));
}

TEST_CASE("the large model writes while the mean entropy is above the threshold", "[decode]") {
  SwitchOptions options;
  options.window = 1;
  options.dwell = 1;
  CHECK(walk(options, {0, 2, 2, 0, 1, 1.5, 0}) == "ssLLssL");  // 1 is not above 1
  options.window = 2;
  CHECK(walk(options, {0, 2, 3, 0, 0, 0}) == "sssLLs");
  options.dwell = 3;
  CHECK(walk(options, {9, 9, 9, 0, 0, 0, 9, 0}) == "sssLLLss");
  options.start_large = true;
  CHECK(walk(options, {0, 0, 0, 0, 9, 9, 9, 9}) == "LLLsssLL");
  options = {};
  options.window = 3;
  options.dwell = 1;
  CHECK(walk(options, {5, 0, 0, 0, 0}) == "sLLLs");  // 5, 2.5, 1.7, 0
  options.reset = true;
  CHECK(walk(options, {5, 0, 0, 0, 0}) == "sLsss");
  options = {};
  options.threshold = kInfinity;
  CHECK(walk(options, std::vector<f64>(30, 9)) == std::string(30, 's'));
  options.threshold = -1;
  options.start_large = true;
  CHECK(walk(options, std::vector<f64>(30, 0)) == std::string(30, 'L'));
}

TEST_CASE("controls switch by chance or once", "[decode]") {
  SwitchOptions options;
  options.rule = SwitchOptions::Rule::kFirst;
  options.first = 3;
  CHECK(walk(options, {0, 9, 0, 9, 9, 9}) == "LLLsss");
  options.first = 0;
  CHECK(walk(options, {9, 9}) == "ss");
  options.rule = SwitchOptions::Rule::kRandom;
  options.dwell = 1;
  for (const f64 share : {0.0, 0.3, 0.8, 1.0}) {
    options.share = share;
    const std::string models = walk(options, std::vector<f64>(4000, 1));
    const f64 large = static_cast<f64>(std::count(models.begin(), models.end(), 'L')) / 4000;
    CHECK(large == Approx(share).margin(0.03));
  }
  options.share = 0.5;
  CHECK(walk(options, std::vector<f64>(99, 1)) == walk(options, std::vector<f64>(99, 7)));
}

TEST_CASE("a text by two models is what fresh readings give", "[decode]") {
  const Pair pair;
  const std::vector<GenerateRequest> all = requests();
  i64 switched = 0;
  for (const auto& [threshold, dwell, start] :
       {std::tuple<f64, i64, bool>{2.0, 1, false}, {2.5, 4, true}, {3.0, 2, false}}) {
    SwitchOptions options;
    options.threshold = threshold;
    options.dwell = dwell;
    options.start_large = start;
    options.window = 3;
    const std::vector<Generated> expected = run(pair, options, all);
    REQUIRE(expected.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (i64 sample = 0; sample < all[i].params.n; ++sample) {
        const Completion& got = expected[i].completions[usize(sample)];
        const Completion want = slow(pair, options, all[i], sample);
        CAPTURE(threshold, i, sample);
        REQUIRE(got.tokens == want.tokens);
        REQUIRE(got.large == want.large);
        REQUIRE(got.entropies == want.entropies);
        REQUIRE(got.switches == want.switches);
        switched += got.switches;
      }
    }
    for (const auto& [batch, chunk, threads] :
         {std::tuple<i64, i64, int>{1, 64, 1}, {4, 9, 2}, {16, 512, 2}}) {
      set_threads(threads);
      const std::vector<Generated> again = run(pair, options, all, batch, chunk);
      for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t s = 0; s < again[i].completions.size(); ++s) {
          REQUIRE(again[i].completions[s].tokens == expected[i].completions[s].tokens);
          REQUIRE(again[i].completions[s].logprobs == expected[i].completions[s].logprobs);
          REQUIRE(again[i].completions[s].large == expected[i].completions[s].large);
        }
      }
    }
    set_threads(1);
  }
  CHECK(switched > 20);
}

TEST_CASE("thresholds beyond all entropies leave the text to one model", "[decode]") {
  const Pair pair;
  const std::vector<GenerateRequest> all = requests();
  for (const bool large : {false, true}) {
    SwitchOptions options;
    options.start_large = large;
    options.threshold = large ? -1 : kInfinity;
    options.dwell = 1;
    const std::vector<Generated> got = run(pair, options, all);
    const std::vector<Generated> expected = alone(pair, large ? pair.large : pair.small, all);
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (std::size_t s = 0; s < got[i].completions.size(); ++s) {
        const Completion& one = got[i].completions[s];
        CHECK(one.tokens == expected[i].completions[s].tokens);
        CHECK(one.logprobs == expected[i].completions[s].logprobs);
        CHECK(one.finish_reason == expected[i].completions[s].finish_reason);
        CHECK(one.switches == 0);
        CHECK(one.other_rows == 0);
        CHECK(one.rows == isize(one.tokens) - 1);
      }
    }
  }
}
