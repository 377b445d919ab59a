#include "decode/diffuse.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/random.h"

using namespace lm;
using namespace lm::decode;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr i32 kMask = 262;
constexpr f64 kNever = -std::numeric_limits<f64>::infinity();

/// Of 263 tokens, the last the mask; block 0: a model that sees whole texts.
model::Model diffusion_model(i64 block) {
  model::Model out = test::make_tiny_model(3, kMask + 1, 128);
  out.cfg.diffusion = model::DiffusionCfg{kMask, block};
  return out;
}

struct World {
  explicit World(i64 block = 0) : model(diffusion_model(block)) {
    test::write_tiny_tokenizer(dir.path().string());
    text::LoadOptions options;
    options.add_specials = false;
    tokenizer = text::load_tokenizer(dir.path().string(), options);
  }
  test::TempDir dir;
  model::Model model;
  std::unique_ptr<text::Tokenizer> tokenizer;

  std::vector<Diffused> run(const std::vector<DiffuseRequest>& requests, DiffuseOptions options,
                            i64 cache_tokens = 64 * 128) const {
    options.end_ids = {test::kTinyEos};
    model::EngineOptions sizes;
    sizes.max_rows = std::max(options.batch, options.chunk);
    sizes.max_logit_rows = 7;
    sizes.cache_tokens = cache_tokens;
    model::Engine engine(model, sizes);
    Diffuser diffuser(engine, *tokenizer, options);
    std::vector<Diffused> out;
    for (const DiffuseRequest& request : requests)
      diffuser.add(request);
    for (bool more = true; more;) {
      more = diffuser.step();
      while (std::optional<Diffused> done = diffuser.take())
        out.push_back(std::move(*done));
    }
    CHECK(diffuser.pending() == 0);
    CHECK(engine.cache().free_pages() == engine.cache().total_pages());
    return out;
  }
};

DiffuseRequest request(const std::string& id, i64 prompt, i64 length, i64 suffix = 0) {
  DiffuseRequest out;
  out.id = id;
  const RandomStream random(fnv1a64(id), RandomPurpose::kOther);
  for (i64 i = 0; i < prompt + suffix; ++i)
    (i < prompt ? out.prompt : out.suffix)
        .push_back(static_cast<i32>(random.below(static_cast<u64>(i), 256)));
  out.params.max_tokens = length;
  out.params.ignore_eos = true;
  return out;
}

DiffuseOptions options_of(DiffusionSampler sampler, i64 steps) {
  DiffuseOptions out;
  out.rule.sampler = sampler;
  out.rule.steps = steps;
  out.rule.threshold = 0.5;
  return out;
}

std::vector<std::vector<i32>> tokens_of(const std::vector<Diffused>& all) {
  std::vector<std::vector<i32>> out;
  for (const Diffused& one : all) {
    REQUIRE_FALSE(one.fault);
    for (const Completion& c : one.completions) {
      CHECK(c.finish_reason == "length");
      out.push_back(c.tokens);
    }
  }
  return out;
}

constexpr DiffusionSampler kSamplers[] = {DiffusionSampler::kAncestral, DiffusionSampler::kCached,
                                          DiffusionSampler::kConfidence, DiffusionSampler::kRandom,
                                          DiffusionSampler::kThreshold};

}  // namespace

TEST_CASE("diffusion: a text does not depend on batch, chunk, threads or neighbours", "[decode]") {
  for (const i64 block : {0, 8}) {
    const World world(block);
    std::vector<DiffuseRequest> requests;
    for (i64 i = 0; i < 6; ++i)
      requests.push_back(
          request(cat("r", i), 3 + 7 * i, 5 + 6 * i, block == 0 && i % 2 == 1 ? 4 : 0));
    requests[2].params.n = 3;
    requests[3].params.top_p = 0.8;
    requests[4].params.temperature = 0;
    for (const DiffusionSampler sampler : kSamplers) {
      DiffuseOptions options = options_of(sampler, 10);
      if (sampler == DiffusionSampler::kRandom) options.rule.guidance = 1.5;
      if (sampler == DiffusionSampler::kCached) options.rule.remask = 0.1;
      const std::vector<std::vector<i32>> expected = tokens_of(world.run(requests, options));
      REQUIRE(expected.size() == 8);
      CHECK(expected[2] != expected[3]);  // samples of one record
      for (const std::vector<i32>& tokens : expected)
        for (const i32 token : tokens)
          CHECK(token != kMask);
      options.batch = 1;
      options.chunk = 4;
      CHECK(tokens_of(world.run(requests, options, 256)) == expected);
      options.batch = 5;
      options.chunk = 90;
      set_threads(1);
      CHECK(tokens_of(world.run({requests.rbegin(), requests.rend()}, options)).back() ==
            expected[0]);
      set_threads(2);
    }
  }
}

TEST_CASE("diffusion: blocks that are kept are as those that are read again", "[decode]") {
  for (const i64 block : {1, 5, 16, 200}) {
    const World world(block);
    std::vector<DiffuseRequest> requests;
    for (const i64 prompt : {0, 1, 21, 32})
      requests.push_back(request(cat("p", prompt), prompt, 40));
    requests[1].params.n = 2;
    for (const f64 guidance : {0.0, 0.7}) {
      DiffuseOptions options = options_of(DiffusionSampler::kConfidence, 0);
      options.rule.guidance = guidance;
      const std::vector<std::vector<i32>> kept = tokens_of(world.run(requests, options));
      options.block_cache = false;
      CAPTURE(block, guidance);
      CHECK(tokens_of(world.run(requests, options)) == kept);
    }
    DiffuseOptions other = options_of(DiffusionSampler::kCached, 0);
    other.rule.block = block + 1;
    CHECK_THROWS_WITH(world.run(requests, other), ContainsSubstring("the model's have"));
  }
}

TEST_CASE("diffusion: one step takes what the model says of masks alone", "[decode]") {
  const World world;
  DiffuseRequest r = request("a", 4, 6, 3);
  r.params.temperature = 0;
  std::vector<i32> tokens = r.prompt;
  tokens.resize(10, kMask);
  tokens.insert(tokens.end(), r.suffix.begin(), r.suffix.end());
  model::Engine engine(world.model, {});
  std::vector<model::EvalRow> rows;
  const i32 seq = engine.create();
  for (const i32 token : tokens) {
    model::EvalRow row;
    row.seq = seq;
    row.token = token;
    row.see = model::EvalRow::See::kAll;
    row.want_logits = true;
    rows.push_back(row);
  }
  engine.eval(rows);
  std::vector<i32> likeliest;
  for (i64 i = 4; i < 10; ++i) {
    const std::span<const f32> logits = engine.logits(i).first(kMask);
    likeliest.push_back(
        static_cast<i32>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
  }
  for (const DiffusionSampler sampler :
       {DiffusionSampler::kConfidence, DiffusionSampler::kRandom}) {
    const std::vector<Diffused> out = world.run({r}, options_of(sampler, 1));
    CHECK(tokens_of(out)[0] == likeliest);
    CHECK(out[0].notes[0].passes == 1);
  }
  // What stands behind is seen.
  DiffuseRequest alone = r;
  alone.suffix.clear();
  CHECK(tokens_of(world.run({alone}, options_of(DiffusionSampler::kConfidence, 1)))[0] !=
        likeliest);
}

TEST_CASE("diffusion: guidance reads the text without what is given", "[decode]") {
  const World world;
  DiffuseOptions guided = options_of(DiffusionSampler::kConfidence, 5);
  DiffuseRequest r = request("a", 6, 12);
  r.params.temperature = 0;
  const std::vector<i32> plain = tokens_of(world.run({r}, guided))[0];
  guided.rule.guidance = 4;
  CHECK(tokens_of(world.run({r}, guided))[0] != plain);
  // Without anything given both branches are one.
  r.prompt.clear();
  const std::vector<i32> both = tokens_of(world.run({r}, guided))[0];
  guided.rule.guidance = 0;
  CHECK(tokens_of(world.run({r}, guided))[0] == both);
}

TEST_CASE("diffusion: texts end where an end stands", "[decode]") {
  const World world;
  DiffuseRequest r = request("a", 4, 10);
  r.params.ignore_eos = false;
  r.params.logit_bias = {{test::kTinyEos, 1000.0}};
  r.params.min_tokens = 3;
  const DiffuseOptions options = options_of(DiffusionSampler::kCached, 5);
  const Completion early = world.run({r}, options)[0].completions[0];
  CHECK(early.finish_reason == "stop");
  CHECK(isize(early.tokens) == 4);
  CHECK(early.tokens.back() == test::kTinyEos);
  r.params.logit_bias = {{test::kTinyEos, kNever}};
  const Completion full = world.run({r}, options)[0].completions[0];
  CHECK(full.finish_reason == "length");
  CHECK(isize(full.tokens) == 10);
  r.params.logit_bias = {{'x', 1000.0}};
  r.params.min_tokens = 0;
  r.params.stop = {"xxx"};
  const Completion stopped = world.run({r}, options)[0].completions[0];
  CHECK(stopped.finish_reason == "stop_string");
  CHECK(isize(stopped.tokens) == 3);
  r.params.stop.clear();
  r.params.max_tokens = 0;
  const Diffused none = world.run({r}, options)[0];
  CHECK(none.completions[0].finish_reason == "length");
  CHECK(none.notes[0].passes == 0);
}

TEST_CASE("diffusion: requests that cannot be", "[decode]") {
  const World world;
  const World blocks(8);
  const auto fault = [](const World& in, const DiffuseRequest& r, i64 steps = 4, i64 block = 0) {
    DiffuseOptions options = options_of(DiffusionSampler::kCached, steps);
    options.rule.block = block;
    const std::vector<Diffused> out = in.run({request("ok", 3, 4), r}, options);
    REQUIRE(out.size() == 2);
    CHECK_FALSE(out[0].fault);
    return out[1].fault ? cat(out[1].fault->code, ": ", out[1].fault->detail) : "";
  };
  CHECK(fault(world, request("a", 3, 8)).empty());
  CHECK_THAT(fault(world, request("a", 100, 30)), ContainsSubstring("context: the prompt has 100"));
  CHECK_THAT(fault(blocks, request("a", 3, 8, 2)), ContainsSubstring("suffix: "));
  CHECK_THAT(fault(world, request("a", 3, 8), 1, 4), ContainsSubstring("1 steps for 2 blocks"));
  DiffuseRequest r = request("a", 3, 8);
  r.prompt[1] = kMask;
  CHECK_THAT(fault(world, r), ContainsSubstring("token 262 is the model's mask"));
  r.prompt[1] = 999;
  CHECK_THAT(fault(world, r), ContainsSubstring("outside the model's vocabulary of 263"));
  r = request("a", 3, 8);
  r.params.presence_penalty = 1;
  CHECK_THAT(fault(world, r), ContainsSubstring("params.presence_penalty needs"));
  r = request("a", 3, 8);
  r.params.stop_ids = {999};
  CHECK_THAT(fault(world, r), ContainsSubstring("stop_ids names token 999"));
}

TEST_CASE("entropy of unigrams", "[decode]") {
  CHECK(unigram_entropy({}) == 0);
  const std::vector<i32> tokens = {1, 1, 2, 3};
  CHECK(unigram_entropy(tokens) == Approx(1.5 * std::log(2.0)));
}
