// Importance resampling of whole texts.

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/random.h"
#include "core/str.h"
#include "decode/diffuse.h"

using namespace lm;
using namespace lm::decode;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr i32 kMask = 2;
using Counts = std::map<std::vector<i32>, i64>;
/// Of a candidate's tokens, given the sum of the logs that they were drawn with.
using Energy = std::function<f64(std::span<const i32> tokens, f64 log_proposal)>;

/// What a left-to-right model says of two tokens: equal ones are nine times as likely.
f64 log_source(std::span<const i32> tokens) {
  return std::log(tokens[0] == tokens[1] ? 0.45 : 0.05);
}

/// Texts of two places in one step; tokens are equally likely.
Counts draw(i64 k, i64 texts, const Energy& energy, f64 window_end = 0.4, i64 steps = 1) {
  DiffusionRule rule;
  rule.steps = steps;
  rule.final_draw = true;
  rule.candidates = k;
  rule.window_end = window_end;
  Counts out;
  UnmaskScratch scratch;
  const std::vector<f32> logits = {0, 0, 5};
  for (i64 n = 0; n < texts; ++n) {
    Unmasking one(rule, {}, {}, {{kMask, kMask}, 0, 2, {2}, kMask}, draw_key(3, cat(n)), 0);
    scratch.owner = nullptr;
    while (one.next()) {
      for (i64 i = 0; i < isize(one.wanted()); ++i)
        one.take(i, logits, {}, scratch);
      if (one.candidates() > 1) {
        std::vector<f64> energies;
        for (i64 j = 0; j < one.candidates(); ++j) {
          std::vector<i32> tokens = one.tokens();
          f64 sum = 0;
          for (std::size_t i = 0; i < one.wanted().size(); ++i) {
            tokens[usize(one.wanted()[i])] = one.candidate(j)[i];
            sum += one.log_proposal(j)[i];
          }
          energies.push_back(energy(tokens, sum));
        }
        one.resample(energies);
      }
      REQUIRE_FALSE(one.settle());
    }
    ++out[one.tokens()];
  }
  return out;
}

const Energy kSource = [](std::span<const i32> tokens, f64 log_proposal) {
  return log_proposal - log_source(tokens);
};

/// Probability of one of the two likely texts when one of k equally likely draws is taken by its
/// weight.
f64 taken(i64 k, f64 likely, f64 unlikely) {
  f64 out = 0;
  for (i64 g = 0; g <= k; ++g) {
    f64 p = std::pow(0.5, k);
    for (i64 i = 1; i <= g; ++i)
      p *= static_cast<f64>(k - g + i) / static_cast<f64>(i);
    const f64 good = static_cast<f64>(g) * likely;
    out += p * good / (good + static_cast<f64>(k - g) * unlikely);
  }
  return out / 2;
}

f64 share(const Counts& counts, const std::vector<i32>& tokens, i64 all) {
  const auto at = counts.find(tokens);
  return at == counts.end() ? 0 : static_cast<f64>(at->second) / static_cast<f64>(all);
}

constexpr i32 kTinyMask = 262;

struct World {
  World() {
    model = test::make_tiny_model(3, kTinyMask + 1, 128);
    model.cfg.diffusion = model::DiffusionCfg{kTinyMask, 0};
    judge = test::make_tiny_model(5, 262, 128);
    test::write_tiny_tokenizer(dir.path().string());
    text::LoadOptions options;
    options.add_specials = false;
    tokenizer = text::load_tokenizer(dir.path().string(), options);
  }
  test::TempDir dir;
  model::Model model, judge;
  std::unique_ptr<text::Tokenizer> tokenizer;

  std::vector<std::vector<i32>> run(const std::vector<DiffuseRequest>& requests, i64 k, i64 batch,
                                    i64 chunk, bool carry_over = true) const {
    model::Engine engine(model, {.max_rows = 512, .cache_tokens = 4096});
    model::Engine left_to_right(judge, {.max_rows = 512, .cache_tokens = 4096});
    TextEnergy energy(left_to_right, {batch, chunk}, test::kTinyBos, carry_over);
    DiffuseOptions options;
    options.batch = batch;
    options.chunk = chunk;
    options.rule.steps = 4;
    options.rule.candidates = k;
    options.rule.window_end = 0;
    options.energy = &energy;
    Diffuser diffuser(engine, *tokenizer, options);
    for (const DiffuseRequest& request : requests)
      diffuser.add(request);
    std::vector<std::vector<i32>> out;
    for (bool more = true; more;) {
      more = diffuser.step();
      while (const std::optional<Diffused> done = diffuser.take()) {
        REQUIRE_FALSE(done->fault);
        CHECK((k == 1) == (done->notes[0].resampled == 0));
        for (const Completion& c : done->completions)
          out.push_back(c.tokens);
      }
    }
    return out;
  }
};

std::vector<DiffuseRequest> some_requests() {
  std::vector<DiffuseRequest> out;
  for (i64 r = 0; r < 5; ++r) {
    DiffuseRequest& one = out.emplace_back();
    one.id = cat("r", r);
    const RandomStream random(static_cast<u64>(r), RandomPurpose::kOther);
    for (i64 i = 0; i < 3 * r; ++i)
      one.prompt.push_back(static_cast<i32>(random.below(static_cast<u64>(i), 256)));
    if (r % 2 == 1) one.suffix = {116, 104, 101};
    one.params.max_tokens = 4 + 3 * r;
    one.params.n = 1 + r % 2;
    one.params.ignore_eos = true;
  }
  return out;
}

}  // namespace

TEST_CASE("edlm: two tokens become as likely together as the table says", "[decode]") {
  constexpr i64 kTexts = 20000;
  const std::map<i64, f64> published = {{2, 0.35}, {4, 0.415}, {8, 0.44}, {16, 0.445}};
  for (const auto& [k, likely] : published) {
    CAPTURE(k);
    const f64 expected = taken(k, 0.45, 0.05);
    CHECK(std::abs(expected - likely) < 0.004);
    const Counts right = draw(k, kTexts, kSource);
    const Counts swapped = draw(k, kTexts, [](std::span<const i32> tokens, f64 log_proposal) {
      return log_source(tokens) - log_proposal;
    });
    for (const auto& tokens : {std::vector<i32>{0, 0}, std::vector<i32>{1, 1},
                               std::vector<i32>{0, 1}, std::vector<i32>{1, 0}}) {
      const f64 p = tokens[0] == tokens[1] ? expected : 0.5 - expected;
      const f64 deviation = std::sqrt(p * (1 - p) / kTexts);
      CHECK(std::abs(share(right, tokens, kTexts) - p) < 3 * deviation);
      CHECK(std::abs(share(swapped, tokens, kTexts) - p) > 3 * deviation);
    }
  }
}

TEST_CASE("edlm: one candidate is none, a constant changes nothing", "[decode]") {
  const Counts plain = draw(1, 500, nullptr);
  CHECK(draw(
            8, 500, [](std::span<const i32>, f64) { return 0.0; }, 2) == plain);  // no window
  const Counts right = draw(8, 500, kSource);
  CHECK(right != plain);
  CHECK(draw(8, 500, [](std::span<const i32> tokens, f64 q) { return kSource(tokens, q) + 64; }) ==
        right);
}

TEST_CASE("edlm: an energy of nothing keeps the law", "[decode]") {
  constexpr i64 kTexts = 20000;
  const Counts counts = draw(
      4, kTexts, [](std::span<const i32>, f64) { return 1.5; }, 0, 3);
  f64 chi = 0;
  for (const auto& tokens : {std::vector<i32>{0, 0}, std::vector<i32>{1, 1}, std::vector<i32>{0, 1},
                             std::vector<i32>{1, 0}}) {
    const f64 off = share(counts, tokens, kTexts) - 0.25;
    chi += off * off / 0.25 * kTexts;
  }
  CHECK(chi < 16.27);  // 3 degrees of freedom, p = 0.001
}

TEST_CASE("edlm: the more candidates, the closer one step is to the model", "[decode]") {
  constexpr i64 kTexts = 20000;
  f64 before = 1;
  for (const i64 k : {1, 2, 4, 16, 64}) {
    const Counts counts = draw(k, kTexts, kSource);
    f64 distance = 0;
    for (i32 a = 0; a < 2; ++a)
      for (i32 b = 0; b < 2; ++b)
        distance +=
            std::abs(share(counts, {a, b}, kTexts) - std::exp(log_source(std::vector<i32>{a, b}))) /
            2;
    CAPTURE(k);
    CHECK(distance < before);
    before = distance;
  }
  CHECK(before < 0.02);
}

TEST_CASE("edlm: effective sample size, impossible candidates", "[decode]") {
  DiffusionRule rule;
  rule.steps = 1;
  rule.candidates = 4;
  UnmaskScratch scratch;
  const auto after = [&](const std::vector<f64>& energies) {
    Unmasking one(rule, {}, {}, {{kMask}, 0, 1, {1}, kMask}, draw_key(3, "a"), 0);
    scratch.owner = nullptr;
    REQUIRE(one.next());
    one.take(0, std::vector<f32>{0, 0, 5}, {}, scratch);
    one.resample(energies);
    CHECK(one.resampled() == 1);
    return one.effective();
  };
  const f64 never = std::numeric_limits<f64>::infinity();
  CHECK(std::abs(after({1, 1, 1, 1}) - 4) < 1e-12);
  CHECK(std::abs(after({1, never, 1, never}) - 2) < 1e-12);
  CHECK(std::abs(after({0, 100, 100, 100}) - 1) < 1e-12);
  CHECK(after({never, never, never, never}) == 1);
}

TEST_CASE("edlm: the energy is what the model says of what was drawn", "[decode]") {
  const World world;
  model::Engine engine(world.judge, {.cache_tokens = 2048});
  const auto logprob = [&](const std::vector<i32>& tokens, i64 place) {
    const i32 seq = engine.create();
    const std::span<const f32> logits = engine.prefill(seq, std::span(tokens).first(usize(place)));
    const f64 out = static_cast<f64>(logits[usize(tokens[usize(place)])]) - normaliser(logits).log;
    engine.release(seq);
    return out;
  };
  const std::vector<i32> text = {7, 262, 9, 262, 11};
  const std::vector<i64> places = {1, 3};
  const std::vector<std::vector<i32>> values = {{20, 30}, {21, 262}, {40, 50}};
  const std::vector<f64> logs = {-1.25, -2.5};
  for (const bool carry_over : {true, false}) {
    for (const bool begun : {true, false}) {
      model::Engine own(world.judge, {.cache_tokens = 2048});
      TextEnergy energy(own, {16, 4}, begun ? std::optional<i32>(test::kTinyBos) : std::nullopt,
                        carry_over);
      energy.add({text, places, 5, {values[0], values[1], values[2]}, {logs, logs, logs}});
      const std::vector<std::vector<f64>> out = energy.run();
      REQUIRE(out.size() == 1);
      CHECK(std::isinf(out[0][1]));  // a token that this model lacks
      for (const i64 j : {0, 2}) {
        std::vector<i32> whole = text;
        whole[1] = values[usize(j)][0];
        whole[3] = values[usize(j)][1];
        if (begun) whole.insert(whole.begin(), test::kTinyBos);
        const i64 shift = begun ? 1 : 0;
        f64 sum = logprob(whole, 1 + shift) + logprob(whole, 3 + shift);
        if (!carry_over) sum += logprob(whole, 2 + shift) + logprob(whole, 4 + shift);
        CHECK(std::abs(out[0][usize(j)] - (-3.75 - sum)) < 1e-4);
      }
    }
  }
  // Without anything before it the first token counts in neither sum.
  TextEnergy headless(engine, {16, 64}, std::nullopt, true);
  const std::vector<i32> masked = {262, 8};
  const std::vector<i64> first = {0};
  const std::vector<i32> value = {5};
  const std::vector<f64> log = {-3};
  headless.add({masked, first, 2, {value}, {log}});
  CHECK(headless.run()[0][0] == 0);
}

TEST_CASE("edlm: a record's candidates are its own", "[decode]") {
  const World world;
  const std::vector<DiffuseRequest> requests = some_requests();
  for (const bool carry_over : {true, false}) {
    const std::vector<std::vector<i32>> together = world.run(requests, 4, 16, 512, carry_over);
    CHECK(world.run(requests, 4, 1, 3, carry_over) == together);
    CHECK(world.run({requests[2]}, 4, 16, 512, carry_over)[0] == together[3]);
    CHECK(world.run(requests, 1, 16, 512) != together);
  }
}

TEST_CASE("edlm: two models need the same tokens, but for the mask", "[decode]") {
  const World world;
  const test::TempDir other;
  test::write_tiny_tokenizer(other.path().string(), {"<mask>", "<more>"});
  text::LoadOptions options;
  options.add_specials = false;
  const std::unique_ptr<text::Tokenizer> with =
      text::load_tokenizer(other.path().string(), options);
  CHECK_THROWS_WITH(check_same_tokens(*world.tokenizer, *with, 262),
                    ContainsSubstring("token 263 is \"\", expected \"<more>\""));
  CHECK_THROWS_WITH(check_same_tokens(*world.tokenizer, *with, 263),
                    ContainsSubstring("token 262"));
  const test::TempDir third;
  test::write_tiny_tokenizer(third.path().string(), {"<mask>"});
  CHECK_NOTHROW(check_same_tokens(*world.tokenizer,
                                  *text::load_tokenizer(third.path().string(), options), 262));
}
