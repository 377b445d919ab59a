#include "decode/bound.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"
#include "decode/logprob.h"

using namespace lm;
using namespace lm::decode;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr i64 kPlaces = 4;
constexpr i64 kValues = 3;
constexpr i64 kTexts = 81;

i64 value_at(i64 text, i64 place) {
  for (; place > 0; --place)
    text /= kValues;
  return text % kValues;
}

/// Probabilities of all texts of four places of three values.
struct Source {
  std::vector<f64> p = std::vector<f64>(kTexts, 0);

  static Source random() {
    Source out;
    const RandomStream draws(11, RandomPurpose::kOther);
    f64 sum = 0;
    for (i64 t = 0; t < kTexts; ++t)
      sum += out.p[usize(t)] = std::pow(draws.uniform(static_cast<u64>(t)), 3);
    for (f64& one : out.p)
      one /= sum;
    return out;
  }
  static Source equal() {
    Source out;
    for (const i64 text : {0, 40, 80})
      out.p[usize(text)] = 1.0 / 3;
    return out;
  }
  /// Probability of what `fixed` has of the text.
  f64 of(i64 text, const std::vector<u8>& fixed) const {
    f64 sum = 0;
    for (i64 t = 0; t < kTexts; ++t) {
      bool same = true;
      for (i64 i = 0; i < kPlaces; ++i)
        same = same && (fixed[usize(i)] == 0 || value_at(t, i) == value_at(text, i));
      sum += same ? p[usize(t)] : 0;
    }
    return sum;
  }
  f64 entropy() const {
    f64 out = 0;
    for (const f64 one : p)
      out -= one > 0 ? one * std::log(one) : 0;
    return out;
  }
  /// -ln p of the counted places given those that are not hidden: each alone, or together.
  f64 loss(i64 text, const BoundProbe& probe, bool together) const {
    std::vector<u8> seen;
    for (const u8 hidden : probe.hidden)
      seen.push_back(hidden == 0 ? 1 : 0);
    const f64 given = of(text, seen);
    if (together) return std::log(given) - std::log(of(text, {1, 1, 1, 1}));
    f64 out = 0;
    for (i64 i = 0; i < kPlaces; ++i) {
      if (probe.counted[usize(i)] == 0) continue;
      std::vector<u8> more = seen;
      more[usize(i)] = 1;
      out += std::log(given) - std::log(of(text, more));
    }
    return out;
  }
  /// Mean over the source of mean estimates.
  f64 bound(const BoundRule& rule, bool together = false) const {
    f64 out = 0;
    for (i64 t = 0; t < kTexts; ++t) {
      if (p[usize(t)] == 0) continue;
      f64 nats = 0;
      for (const BoundProbe& probe : bound_probes(rule, mix64(static_cast<u64>(t)), kPlaces, 0, 1))
        nats += probe.weight * loss(t, probe, together);
      out += p[usize(t)] * nats / static_cast<f64>(rule.draws);
    }
    return out;
  }
  /// The integral over times of the loss over t, by all choices of what is hidden.
  f64 integral(bool together) const {
    f64 out = 0;
    for (i64 t = 0; t < kTexts; ++t) {
      if (p[usize(t)] == 0) continue;
      for (i64 set = 1; set < 16; ++set) {
        BoundProbe probe;
        i64 m = 0;
        for (i64 i = 0; i < kPlaces; ++i) {
          probe.hidden.push_back((set >> i & 1) != 0 ? 1 : 0);
          m += set >> i & 1;
        }
        probe.counted = probe.hidden;
        const f64 choices[] = {0, 4, 6, 4, 1};
        out += p[usize(t)] * loss(t, probe, together) / (static_cast<f64>(m) * choices[m]);
      }
    }
    return out;
  }
};

BoundRule rule_of(BoundRule::Kind kind, i64 draws = 1, i64 steps = 1) {
  return {kind, draws, steps};
}

constexpr i32 kMask = 262;

model::Model diffusion_model(i64 block) {
  model::Model out = test::make_tiny_model(3, kMask + 1, 128);
  out.cfg.diffusion = model::DiffusionCfg{kMask, block};
  return out;
}

std::vector<BoundScore> run(const model::Model& model, const std::vector<BoundRequest>& requests,
                            const BoundRule& rule, PassLimits limits = {16, 512}) {
  model::Engine engine(model, {.max_rows = 512, .max_logit_rows = 9, .cache_tokens = 2048});
  BoundScorer scorer(engine, rule, limits);
  for (const BoundRequest& request : requests)
    scorer.add(request);
  std::vector<BoundScore> out;
  for (bool more = true; more;) {
    more = scorer.step();
    while (std::optional<BoundScore> score = scorer.take())
      out.push_back(std::move(*score));
  }
  CHECK(scorer.pending() == 0);
  CHECK(engine.cache().free_pages() == engine.cache().total_pages());
  return out;
}

BoundRequest request(const std::string& id, i64 tokens, i64 first) {
  BoundRequest out;
  out.id = id;
  out.first = first;
  const RandomStream random(fnv1a64(id), RandomPurpose::kOther);
  for (i64 i = 0; i < tokens; ++i)
    out.tokens.push_back(static_cast<i32>(random.below(static_cast<u64>(i), 256)));
  return out;
}

}  // namespace

TEST_CASE("bounds: with exact marginals they are the source's entropy", "[decode]") {
  for (const Source& source : {Source::random(), Source::equal()}) {
    const f64 entropy = source.entropy();
    CHECK(std::abs(source.integral(false) - entropy) < 1e-9);
    CHECK(std::abs(source.bound(rule_of(BoundRule::Kind::kChain)) - entropy) < 1e-9);
    // Unbiased: each of the four counts is drawn as often, and of each many choices.
    const f64 drawn = source.bound(rule_of(BoundRule::Kind::kNelbo, 800));
    CHECK(std::abs(drawn - entropy) < 0.02);
    // One step draws places apart; many steps come to the source.
    const f64 one = source.bound(rule_of(BoundRule::Kind::kSteps, 20, 1));
    const f64 many = source.bound(rule_of(BoundRule::Kind::kSteps, 150, 100));
    CHECK(one > entropy + 0.02);
    CHECK(std::abs(many - entropy) < 0.06);
  }
}

TEST_CASE("bounds: with an exact joint the integral is below the entropy, so it is no bound",
          "[decode]") {
  const Source equal = Source::equal();
  CHECK(std::abs(equal.entropy() - 1.099) < 5e-4);
  CHECK(std::abs(equal.integral(false) - 1.099) < 5e-4);
  CHECK(std::abs(equal.integral(true) - 0.275) < 5e-4);
  CHECK(std::abs(equal.bound(rule_of(BoundRule::Kind::kNelbo, 800), true) - 0.275) < 0.02);
  const Source random = Source::random();
  CHECK(random.integral(true) < random.entropy() - 0.2);
}

TEST_CASE("bounds: probes", "[decode]") {
  const std::vector<BoundProbe> counts =
      bound_probes(rule_of(BoundRule::Kind::kNelbo, 10), 5, 10, 0, 1);
  std::vector<i64> sizes;
  for (const BoundProbe& probe : counts) {
    sizes.push_back(std::count(probe.hidden.begin(), probe.hidden.end(), u8{1}));
    CHECK(probe.weight == 10.0 / static_cast<f64>(sizes.back()));
    CHECK(probe.counted == probe.hidden);
  }
  std::sort(sizes.begin(), sizes.end());
  for (i64 i = 0; i < 10; ++i)
    CHECK(sizes[usize(i)] == i + 1);  // one of each
  // Every place is filled once by each draw of steps, in sight of those before.
  const std::vector<BoundProbe> steps =
      bound_probes(rule_of(BoundRule::Kind::kSteps, 2, 8), 5, 10, 0, 1);
  std::vector<std::vector<i64>> filled(2, std::vector<i64>(10, 0));
  for (const BoundProbe& probe : steps) {
    for (i64 i = 0; i < 10; ++i) {
      CHECK(probe.hidden[usize(i)] == (filled[usize(probe.draw)][usize(i)] == 0 ? 1 : 0));
      filled[usize(probe.draw)][usize(i)] += probe.counted[usize(i)];
    }
  }
  for (const std::vector<i64>& draw : filled)
    CHECK(draw == std::vector<i64>(10, 1));
}

TEST_CASE("bounds: a model's are those of its passes", "[decode]") {
  const model::Model model = diffusion_model(0);
  const BoundRequest r = request("a", 12, 5);
  // The chain, pass by pass.
  f64 expected = 0;
  for (i64 i = 5; i < 12; ++i) {
    model::Engine engine(model, {.cache_tokens = 256});
    std::vector<model::EvalRow> rows;
    const i32 seq = engine.create();
    for (i64 k = 0; k < 12; ++k) {
      model::EvalRow row;
      row.seq = seq;
      row.token = k < i ? r.tokens[usize(k)] : kMask;
      row.see = model::EvalRow::See::kAll;
      row.want_logits = k == i;
      rows.push_back(row);
    }
    engine.eval(rows);
    const std::span<const f32> logits = engine.logits(i).first(kMask);
    expected += normaliser(logits).log - static_cast<f64>(logits[usize(r.tokens[usize(i)])]);
  }
  const BoundScore chain = run(model, {r}, rule_of(BoundRule::Kind::kChain))[0];
  CHECK(std::abs(chain.nats - expected) < 1e-9);
  CHECK(chain.probes == 7);
  CHECK(chain.error == 0);
  const BoundScore nelbo = run(model, {r}, rule_of(BoundRule::Kind::kNelbo, 64))[0];
  CHECK(nelbo.error > 0);
  CHECK(nelbo.draws == 64);
  const BoundScore more = run(model, {r}, rule_of(BoundRule::Kind::kNelbo, 2048))[0];
  CHECK(std::abs(nelbo.nats - more.nats) < 4 * nelbo.error);
  CHECK(more.error < nelbo.error);
  CHECK(run(model, {request("none", 5, 5)}, rule_of(BoundRule::Kind::kNelbo, 4))[0].nats == 0);
}

TEST_CASE("bounds: a block of one place at a time is the chain", "[decode]") {
  const model::Model model = diffusion_model(1);
  const BoundRequest r = request("a", 20, 3);
  const f64 chain = run(model, {r}, rule_of(BoundRule::Kind::kChain))[0].nats;
  const BoundScore nelbo = run(model, {r}, rule_of(BoundRule::Kind::kNelbo, 3))[0];
  CHECK(std::abs(nelbo.nats - chain) < 1e-9);
  CHECK(nelbo.error < 1e-9);
  CHECK(std::abs(run(model, {r}, rule_of(BoundRule::Kind::kSteps, 3, 17))[0].nats - chain) < 1e-9);
}

TEST_CASE("bounds: a text's do not depend on batch, chunk or neighbours", "[decode]") {
  for (const i64 block : {0, 8}) {
    const model::Model model = diffusion_model(block);
    std::vector<BoundRequest> requests;
    for (i64 i = 0; i < 5; ++i)
      requests.push_back(request(cat("r", i), 4 + 9 * i, i % 2 == 0 ? 0 : 3 + 2 * i));
    for (const BoundRule& rule :
         {rule_of(BoundRule::Kind::kNelbo, 6), rule_of(BoundRule::Kind::kSteps, 2, 9),
          rule_of(BoundRule::Kind::kChain)}) {
      const std::vector<BoundScore> all = run(model, requests, rule);
      const std::vector<BoundScore> small = run(model, requests, rule, {1, 5});
      REQUIRE(all.size() == 5);
      for (std::size_t i = 0; i < 5; ++i) {
        CHECK_FALSE(all[i].fault);
        CHECK(all[i].nats > 0);
        CHECK(all[i].nats == small[i].nats);
        CHECK(all[i].error == small[i].error);
        CHECK(run(model, {requests[i]}, rule, {3, 40})[0].nats == all[i].nats);
      }
    }
  }
}

TEST_CASE("bounds: what cannot be", "[decode]") {
  const model::Model model = diffusion_model(8);
  const auto fault = [&](const BoundRequest& r, const BoundRule& rule) {
    const BoundScore out = run(model, {request("ok", 4, 0), r}, rule)[1];
    return out.fault ? out.fault->detail : "";
  };
  const BoundRule chain = rule_of(BoundRule::Kind::kChain);
  CHECK_THAT(fault(request("a", 200, 0), chain), ContainsSubstring("the model's context 128"));
  BoundRequest r = request("a", 9, 0);
  r.tokens[2] = kMask;
  CHECK_THAT(fault(r, chain), ContainsSubstring("the model's mask"));
  r.tokens[2] = 999;
  CHECK_THAT(fault(r, chain), ContainsSubstring("outside the model's vocabulary"));
  CHECK_THAT(fault(request("a", 9, 0), rule_of(BoundRule::Kind::kSteps, 1, 1)),
             ContainsSubstring("1 steps for 2 blocks"));
  for (const char* wrong : {"", "nelbo:0", "nelbo:x", "nelbo:1:2", "tstep", "tstep:0",
                            "tstep:1:2:3", "chain:1", "edlm", "tstep:99999999"})
    CHECK_THROWS_WITH(parse_bound(wrong), ContainsSubstring("expected nelbo"));
  CHECK(parse_bound("nelbo").draws == 128);
  CHECK(parse_bound("nelbo:7").draws == 7);
  CHECK(parse_bound("tstep:5").steps == 5);
  CHECK(parse_bound("tstep:5:3").draws == 3);
  CHECK(parse_bound("chain").kind == BoundRule::Kind::kChain);
}
