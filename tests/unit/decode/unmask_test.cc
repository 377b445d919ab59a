#include "decode/unmask.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "catch.h"
#include "core/hash.h"
#include "core/str.h"

using namespace lm;
using namespace lm::decode;

namespace {

/// A model that is a table: log-weights of the tokens at a place of a text.
using Table = std::function<std::vector<f32>(const std::vector<i32>& tokens, i64 place)>;

Unmasking::Text masks_of(i64 places, i32 mask, i64 block = 0) {
  Unmasking::Text out;
  out.tokens.assign(usize(places), mask);
  out.end = places;
  out.mask = mask;
  for (i64 at = block > 0 ? block : places; at < places; at += block)
    out.ends.push_back(at);
  out.ends.push_back(places);
  return out;
}

struct Filled {
  std::vector<i32> tokens;
  std::vector<std::vector<i32>> before;  // each pass
};

Filled fill(const DiffusionRule& rule, const Unmasking::Text& text, const Table& table,
            const std::string& id = "a", SampleParams params = {}, i64 number = 0) {
  Unmasking one(rule, params, {}, text, draw_key(7, id), number);
  Filled out;
  UnmaskScratch scratch;
  while (one.next()) {
    out.before.push_back(one.tokens());
    for (i64 i = 0; i < isize(one.wanted()); ++i)
      one.take(i, table(one.tokens(), one.wanted()[usize(i)]), {}, scratch);
    REQUIRE_FALSE(one.settle());
  }
  out.tokens = one.tokens();
  return out;
}

DiffusionRule rule_of(DiffusionSampler sampler, i64 steps) {
  DiffusionRule out;
  out.sampler = sampler;
  out.steps = steps;
  return out;
}

i64 masks_in(const std::vector<i32>& tokens, i32 mask) {
  return std::count(tokens.begin(), tokens.end(), mask);
}

/// Two places of two tokens, and the mask 2: the exact conditionals of a joint distribution.
constexpr f64 kJoint[2][2] = {{0.4, 0.05}, {0.25, 0.3}};
constexpr i32 kMask = 2;

f64 conditional(const std::vector<i32>& tokens, i64 place, i32 token) {
  f64 own = 0;
  f64 all = 0;
  for (i32 a = 0; a < 2; ++a) {
    for (i32 b = 0; b < 2; ++b) {
      const i32 pair[2] = {a, b};
      const i64 other = 1 - place;
      if (tokens[usize(other)] != kMask && tokens[usize(other)] != pair[other]) continue;
      all += kJoint[a][b];
      if (pair[place] == token) own += kJoint[a][b];
    }
  }
  return own / all;
}

std::vector<f32> pair_table(const std::vector<i32>& tokens, i64 place) {
  return {static_cast<f32>(std::log(conditional(tokens, place, 0))),
          static_cast<f32>(std::log(conditional(tokens, place, 1))), 3.0f};
}

/// The law of the ancestral sampler by going through everything that can happen.
void enumerate(const ReverseSteps& steps, i64 step, const std::vector<i32>& tokens, f64 weight,
               std::map<std::vector<i32>, f64>& law) {
  const bool done = masks_in(tokens, kMask) == 0;
  if (done || step > steps.count()) {
    law[tokens] += weight;
    return;
  }
  const f64 goes = step == steps.count() ? 1 : 1 - steps.stays(step);
  // Each place: stays a mask (2), or becomes 0 or 1 given the text before the step.
  for (i32 a = 0; a < 3; ++a) {
    for (i32 b = 0; b < 3; ++b) {
      const i32 to[2] = {a, b};
      f64 w = weight;
      for (i64 place = 0; place < 2; ++place) {
        if (tokens[usize(place)] != kMask)
          w *= to[place] == tokens[usize(place)] ? 1 : 0;
        else
          w *= to[place] == kMask ? 1 - goes : goes * conditional(tokens, place, to[place]);
      }
      if (w > 0) enumerate(steps, step + 1, {a, b}, w, law);
    }
  }
}

f64 chi_square(const std::map<std::vector<i32>, i64>& counts,
               const std::map<std::vector<i32>, f64>& law, i64 total) {
  f64 out = 0;
  for (const auto& [tokens, p] : law) {
    const auto at = counts.find(tokens);
    const f64 seen = at == counts.end() ? 0 : static_cast<f64>(at->second);
    const f64 expected = p * static_cast<f64>(total);
    out += (seen - expected) * (seen - expected) / expected;
  }
  return out;
}

/// At p = 0.001 (Wilson and Hilferty).
f64 critical(f64 df) {
  return df * std::pow(1 - 2 / (9 * df) + 3.0902 * std::sqrt(2 / (9 * df)), 3);
}

}  // namespace

TEST_CASE("diffusion: the share of masks falls evenly, masked again or not", "[decode]") {
  const Table flat = [](const std::vector<i32>&, i64) { return std::vector<f32>{0, 0, 0, 0}; };
  for (const f64 remask : {0.0, 0.1, 1.0}) {
    DiffusionRule rule = rule_of(DiffusionSampler::kAncestral, 10);
    rule.remask = remask;
    const ReverseSteps steps(10, remask);
    std::vector<f64> masks(11, 0);
    constexpr i64 kPlaces = 100, kTexts = 200;
    for (i64 n = 0; n < kTexts; ++n) {
      const Filled one = fill(rule, masks_of(kPlaces, 3), flat, cat("t", n));
      REQUIRE(isize(one.before) >= 10);
      CHECK(masks_in(one.tokens, 3) == 0);
      for (i64 i = 0; i < 10; ++i)
        masks[usize(i)] += static_cast<f64>(masks_in(one.before[usize(i)], 3));
    }
    for (i64 i = 0; i < 10; ++i) {
      CAPTURE(remask, i);
      const f64 t = steps.time(i);
      const f64 deviation = std::sqrt(t * (1 - t) / (kPlaces * kTexts));
      CHECK(std::abs(masks[usize(i)] / (kPlaces * kTexts) - t) <= 4 * deviation);
      CHECK(steps.stays(i) >= 0);
      CHECK(steps.stays(i) * t + steps.masks(i) * (1 - t) ==
            Approx(steps.time(i + 1)).margin(1e-12));
    }
  }
}

TEST_CASE("diffusion: cached leaves out passes, not draws", "[decode]") {
  for (const f64 remask : {0.0, 0.05}) {
    for (i64 n = 0; n < 50; ++n) {
      DiffusionRule rule = rule_of(DiffusionSampler::kAncestral, 64);
      rule.remask = remask;
      // What stands at a place depends on what is there already.
      const Table table = [](const std::vector<i32>& tokens, i64 place) {
        std::vector<f32> out;
        for (u64 v = 0; v < 5; ++v) {
          u64 h = v * 31 + static_cast<u64>(place);
          for (const i32 token : tokens)
            h = mix64(h * 7 + static_cast<u64>(token));
          out.push_back(static_cast<f32>(h % 100) / 25);
        }
        return out;
      };
      const Filled slow = fill(rule, masks_of(8, 4), table, cat(n), {}, n % 3);
      rule.sampler = DiffusionSampler::kCached;
      const Filled fast = fill(rule, masks_of(8, 4), table, cat(n), {}, n % 3);
      CHECK(slow.tokens == fast.tokens);
      if (remask == 0) CHECK(isize(fast.before) <= 8);
      CHECK(fast.before.size() < slow.before.size());
    }
  }
}

TEST_CASE("diffusion: two places of two tokens have the law of the ancestral sampler", "[decode]") {
  constexpr i64 kTexts = 20000;
  std::map<i64, std::map<std::vector<i32>, f64>> laws;
  for (const i64 steps : {1, 2, 5, 50})
    enumerate(ReverseSteps(steps, 0), 0, {kMask, kMask}, 1, laws[steps]);
  for (const DiffusionSampler sampler : {DiffusionSampler::kAncestral, DiffusionSampler::kCached}) {
    for (const i64 steps : {1, 2, 5, 50}) {
      std::map<std::vector<i32>, i64> counts;
      DiffusionRule rule = rule_of(sampler, steps);
      rule.final_draw = true;
      for (i64 n = 0; n < kTexts; ++n)
        ++counts[fill(rule, masks_of(2, kMask), pair_table, cat("l", n)).tokens];
      CAPTURE(steps);
      CHECK(chi_square(counts, laws[steps], kTexts) < critical(3));
      // Another number of steps has another law.
      CHECK(chi_square(counts, laws[steps == 50 ? 1 : 50], kTexts) >
            (steps == 5 ? 0 : critical(3)));
    }
  }
  // With exact conditionals many steps draw from the source.
  for (const auto& [tokens, p] : laws[50])
    CHECK(std::abs(p - kJoint[tokens[0]][tokens[1]]) < 0.01);
}

TEST_CASE("diffusion: confident places come first, the remainder in the first steps", "[decode]") {
  CHECK(filled_at(10, 4, 0) == 3);
  CHECK(filled_at(10, 4, 3) == 2);
  CHECK(filled_at(2, 4, 2) == 0);
  SampleParams greedy;
  greedy.temperature = 0;
  // The later a place, the surer; places 0 and 1 are equally sure.
  const Table table = [](const std::vector<i32>&, i64 place) {
    return std::vector<f32>{static_cast<f32>(std::max<i64>(1, place)), 0, 9};
  };
  const Filled one =
      fill(rule_of(DiffusionSampler::kConfidence, 4), masks_of(10, 2), table, "a", greedy);
  const std::vector<std::string> expected = {"2222222222", "2222222000", "2222000000",
                                             "2200000000"};
  for (i64 i = 0; i < 4; ++i) {
    std::string seen;
    for (const i32 token : one.before[usize(i)])
      append(seen, token);
    CHECK(seen == expected[usize(i)]);
  }
  CHECK(isize(one.before) == 4);
  CHECK(one.tokens == std::vector<i32>(10, 0));
  const Filled each =
      fill(rule_of(DiffusionSampler::kConfidence, 0), masks_of(10, 2), table, "a", greedy);
  REQUIRE(isize(each.before) == 10);
  CHECK(each.before[9][0] == 0);  // of equals the first place
  CHECK(each.before[9][1] == 2);
}

TEST_CASE("diffusion: all confident places are filled, at least one", "[decode]") {
  DiffusionRule rule = rule_of(DiffusionSampler::kThreshold, 0);
  rule.threshold = 0.9;
  SampleParams greedy;
  greedy.temperature = 0;
  const Table table = [](const std::vector<i32>&, i64 place) {
    return std::vector<f32>{place < 3 ? 3.0f : 1.0f, 0, 9};  // 0.953 and 0.731
  };
  const Filled one = fill(rule, masks_of(5, 2), table, "a", greedy);
  REQUIRE(isize(one.before) == 3);
  CHECK(one.before[1] == std::vector<i32>{0, 0, 0, 2, 2});
  CHECK(one.before[2] == std::vector<i32>{0, 0, 0, 0, 2});
}

TEST_CASE("diffusion: random places, as many a step", "[decode]") {
  const Table flat = [](const std::vector<i32>&, i64) { return std::vector<f32>{0, 0, 0}; };
  std::vector<i64> first(6, 0);
  for (i64 n = 0; n < 600; ++n) {
    const Filled one = fill(rule_of(DiffusionSampler::kRandom, 4), masks_of(6, 2), flat, cat(n));
    REQUIRE(isize(one.before) == 4);
    CHECK(masks_in(one.before[1], 2) == 4);
    CHECK(masks_in(one.before[2], 2) == 2);
    CHECK(masks_in(one.before[3], 2) == 1);
    for (i64 i = 0; i < 6; ++i)
      first[usize(i)] += one.before[1][usize(i)] != 2 ? 1 : 0;
  }
  for (const i64 count : first)
    CHECK(std::abs(static_cast<f64>(count) - 200) < 4 * std::sqrt(600 * 2.0 / 9));
}

TEST_CASE("diffusion: a block is full before the next begins", "[decode]") {
  const Table flat = [](const std::vector<i32>&, i64) { return std::vector<f32>{0, 1, 0}; };
  for (const DiffusionSampler sampler :
       {DiffusionSampler::kAncestral, DiffusionSampler::kCached, DiffusionSampler::kConfidence,
        DiffusionSampler::kRandom, DiffusionSampler::kThreshold}) {
    DiffusionRule rule = rule_of(sampler, 9);
    rule.threshold = 0.99;
    const Filled one = fill(rule, masks_of(10, 2, 4), flat);
    for (const std::vector<i32>& before : one.before)
      for (i64 i = 4; i < 10; ++i)
        if (before[usize(i)] != 2)
          CHECK(masks_in({before.begin(), before.begin() + i / 4 * 4}, 2) == 0);
    CHECK(masks_in(one.tokens, 2) == 0);
    if (sampler == DiffusionSampler::kConfidence) CHECK(isize(one.before) == 8);  // 3 + 3 + 2
  }
}

TEST_CASE("diffusion: what is given stays, the mask is never drawn", "[decode]") {
  const Table mask_wins = [](const std::vector<i32>&, i64) { return std::vector<f32>{0, 0, 50}; };
  for (const DiffusionSampler sampler :
       {DiffusionSampler::kAncestral, DiffusionSampler::kCached, DiffusionSampler::kConfidence,
        DiffusionSampler::kRandom, DiffusionSampler::kThreshold}) {
    for (i64 n = 0; n < 50; ++n) {
      Unmasking::Text text;
      text.tokens = {0, 1, 2, 2, 2, 1, 0};
      text.begin = 2;
      text.end = 5;
      text.ends = {5};
      text.mask = 2;
      DiffusionRule rule = rule_of(sampler, 3);
      if (sampler == DiffusionSampler::kCached) rule.remask = 0.5;
      const Filled one = fill(rule, text, mask_wins, cat(n));
      CHECK(masks_in(one.tokens, 2) == 0);
      for (const std::vector<i32>& before : one.before) {
        CHECK(std::vector<i32>(before.begin(), before.begin() + 2) == std::vector<i32>{0, 1});
        CHECK(std::vector<i32>(before.begin() + 5, before.end()) == std::vector<i32>{1, 0});
      }
    }
  }
}

TEST_CASE("diffusion: guidance, biases and ends", "[decode]") {
  SampleParams greedy;
  greedy.temperature = 0;
  const auto drawn = [&](const DiffusionRule& rule, const SampleParams& params,
                         const std::vector<f32>& with, const std::vector<f32>& without) {
    Unmasking one(rule, params, {1}, masks_of(1, 3), draw_key(1, "a"), 0);
    UnmaskScratch scratch;
    REQUIRE(one.next());
    one.take(0, with, without, scratch);
    const std::optional<Fault> fault = one.settle();
    return fault ? fault->code : cat(one.tokens()[0]);
  };
  DiffusionRule rule = rule_of(DiffusionSampler::kConfidence, 1);
  const f32 nan = std::numeric_limits<f32>::quiet_NaN();
  const f32 never = -std::numeric_limits<f32>::infinity();
  CHECK(drawn(rule, greedy, {1, 2, 1.5f, 9}, {}) == "1");
  rule.guidance = 1;  // 2c - u
  CHECK(drawn(rule, greedy, {1, 2, 1.5f, 9}, {0, 3, 1.5f, 9}) == "0");
  CHECK(drawn(rule, greedy, {1, 2, 1.5f, 9}, {never, 3, 1.5f, 9}) == "2");
  rule.guidance = 0;
  SampleParams banned = greedy;
  banned.logit_bias = {{1, -std::numeric_limits<f64>::infinity()}};
  CHECK(drawn(rule, banned, {1, 2, 1.5f, 9}, {}) == "2");
  SampleParams longer = greedy;
  longer.min_tokens = 1;  // 1 ends texts
  CHECK(drawn(rule, longer, {1, 2, 1.5f, 9}, {}) == "2");
  CHECK(drawn(rule, greedy, {1, nan, 1.5f, 9}, {}) == "logits");
  CHECK(drawn(rule, greedy, {never, never, never, 9}, {}) == "no_token");
}

TEST_CASE("diffusion: penalties need what was written before", "[decode]") {
  CHECK(left_to_right_param({}).empty());
  SampleParams p;
  p.dry_multiplier = 1;
  CHECK(left_to_right_param(p) == "dry_multiplier");
  p = {};
  p.repetition_penalty = 1.1;
  CHECK(left_to_right_param(p) == "repetition_penalty");
}

TEST_CASE("diffusion: draws in float64 keep a long tail that a race in float32 loses", "[decode]") {
  // One token has nearly all; 50,000 others share a thousandth. In float32 the smallest number of
  // an exponential race is 2^-24, so what is less likely than that hardly ever wins.
  constexpr i32 kVocab = 50001;
  constexpr f64 kEach = 2e-8;
  constexpr i64 kDraws = 8000;
  std::vector<i32> ids(kVocab);
  std::vector<f64> weights(kVocab, std::log(kEach));
  for (i32 i = 0; i < kVocab; ++i)
    ids[usize(i)] = i;
  weights[0] = std::log(1 - kEach * (kVocab - 1));
  i64 wide = 0;
  i64 narrow = 0;
  for (i64 n = 0; n < kDraws; ++n) {
    const DrawPoint at{draw_key(5, "r"), n, 0, DrawStream::kDiffusionToken};
    wide += draw_token(at, ids, weights) != 0 ? 1 : 0;
    u64 state = mix64(static_cast<u64>(n) + 1);
    const auto race = [&](u32 bits, f64 p) {
      const f32 u = static_cast<f32>(bits >> 8) * 0x1p-24f;
      return static_cast<f32>(p) / (1e-10f - std::log(u + 1e-10f));
    };
    const f32 head = race(static_cast<u32>(state), std::exp(weights[0]));
    bool beaten = false;
    for (i32 i = 1; i < kVocab; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const u32 bits = static_cast<u32>(state >> 32);
      if (bits >> 16 == 0xFFFF) beaten = beaten || race(bits, kEach) > head;  // others cannot win
    }
    narrow += beaten ? 1 : 0;
  }
  const auto entropy = [](i64 wins) {
    const f64 q = std::max(1e-9, static_cast<f64>(wins) / kDraws);
    return -(1 - q) * std::log(1 - q) - q * std::log(q / (kVocab - 1));
  };
  CHECK(std::abs(static_cast<f64>(wide) - 8) < 3.5 * std::sqrt(8));
  CHECK(narrow < wide / 2);
  CHECK(entropy(narrow) < 0.6 * entropy(wide));
}
