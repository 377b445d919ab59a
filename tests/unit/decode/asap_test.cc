#include "decode/asap.h"

#include <cmath>
#include <functional>
#include <set>

#include "catch.h"
#include "core/hash.h"
#include "core/random.h"
#include "decode/sampler.h"

using namespace lm;
using namespace lm::decode;

namespace {

using Text = std::vector<i32>;

/// A model over a few tokens, whose last ends a text, and the texts that are permitted (without the
/// end).
struct Toy {
  std::function<std::vector<f64>(const Text&)> next;
  std::set<Text> permitted;
  i32 end = 0;
  i64 longest = 0;  // tokens at most, the end included

  f64 probability(const Text& text) const {  // of the text and its end
    f64 out = 1;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      const std::vector<f64> p = next(Text(text.begin(), text.begin() + static_cast<i64>(i)));
      out *= p[usize(i < text.size() ? text[i] : end)];
    }
    return out;
  }
  /// The permitted share of the model's mass behind a beginning.
  f64 exact(const Text& begin) const {
    f64 all = 0;
    f64 here = 1;
    for (std::size_t i = 0; i < begin.size(); ++i)
      here *= next(Text(begin.begin(), begin.begin() + static_cast<i64>(i)))[usize(begin[i])];
    for (const Text& text : permitted)
      if (text.size() >= begin.size() && std::equal(begin.begin(), begin.end(), text.begin()))
        all += probability(text);
    return all / here;
  }
  f64 total() const { return exact({}); }
};

/// Lets only beginnings of permitted texts pass.
class Among final : public Constraint {
 public:
  Among(const Toy& toy) : toy_(toy) {}  // NOLINT: a toy is a constraint
  std::optional<Fault> mask(TokenWeights& x, i64) const override {
    TokenWeights kept;
    for (std::size_t i = 0; i < x.ids.size(); ++i) {
      if (!allows(x.ids[i])) continue;
      kept.ids.push_back(x.ids[i]);
      kept.w.push_back(x.w[i]);
    }
    x = kept;
    return std::nullopt;
  }
  void accept(i32 token) override { text_.push_back(token); }
  std::optional<TextEnd> end(std::string_view) override { return std::nullopt; }
  std::unique_ptr<Constraint> clone() const override { return std::make_unique<Among>(*this); }

 private:
  bool allows(i32 token) const {
    if (token == toy_.end) return toy_.permitted.count(text_) > 0;
    Text next = text_;
    next.push_back(token);
    return std::any_of(toy_.permitted.begin(), toy_.permitted.end(), [&](const Text& one) {
      return one.size() >= next.size() && std::equal(next.begin(), next.end(), one.begin());
    });
  }
  const Toy& toy_;
  Text text_;
};

struct Draw {
  Text text;
  bool ended = false;
};

Draw sample(const Toy& toy, Constraint& constraint, u64 seed, i64 number) {
  Sampler sampler({}, {toy.end}, nullptr);
  std::vector<std::unique_ptr<Constraint>> constraints;
  constraints.push_back(constraint.clone());
  Draw out;
  DrawPoint at;
  at.key = draw_key(seed, "toy");
  at.sample = number;
  while (isize(out.text) < toy.longest) {
    std::vector<f32> logits;
    for (const f64 p : toy.next(out.text))
      logits.push_back(static_cast<f32>(std::log(p)));
    at.position = isize(out.text);
    const Result<i32> token = sampler.draw(logits, {out.text, 0}, at, constraints, 9);
    REQUIRE(token);
    if (*token == toy.end) {
      out.ended = true;
      break;
    }
    constraints[0]->accept(*token);
    out.text.push_back(*token);
  }
  constraints[0]->finish(out.ended ? std::optional<i32>(toy.end) : std::nullopt);
  return out;
}

/// 00000, or 1 and four binary digits; 0 1 X and the end.
Toy binary() {
  Toy toy;
  toy.end = 3;
  toy.longest = 6;
  toy.next = [](const Text& text) -> std::vector<f64> {
    if (text.empty()) return {0.55, 0.30, 0.10, 0.05};
    if (text.size() < 5) return {0.45, 0.45, 0.06, 0.04};
    return {0.03, 0.03, 0.04, 0.9};
  };
  toy.permitted.insert({0, 0, 0, 0, 0});
  for (i32 i = 0; i < 16; ++i)
    toy.permitted.insert({1, i >> 3 & 1, i >> 2 & 1, i >> 1 & 1, i & 1});
  return toy;
}

/// KL of what is drawn now, by the trie, to the true conditional.
f64 divergence(const Toy& toy, PermittedMass& mass) {
  f64 out = 0;
  const std::function<void(const Text&, i32, f64)> walk = [&](const Text& text, i32 node, f64 p) {
    TokenWeights x;
    std::vector<f32> logits;
    for (const f64 one : toy.next(text))
      logits.push_back(static_cast<f32>(std::log(one)));
    x.assign(logits);
    Among inner(toy);
    for (const i32 token : text)
      inner.accept(token);
    const f64 before = x.log_sum();
    TokenWeights masked = x;
    inner.mask(masked, 9);
    const f64 away = 1 - std::exp(masked.log_sum() - before);
    if (node >= 0) mass.weigh(node, away, masked);
    std::vector<f64> share;
    masked.softmax(share);
    for (std::size_t i = 0; i < masked.ids.size(); ++i) {
      const i32 token = masked.ids[i];
      if (token == toy.end) {
        const f64 q = toy.probability(text) / toy.total();
        out += p * share[i] * std::log(p * share[i] / q);
        continue;
      }
      Text next = text;
      next.push_back(token);
      const f64 own = std::exp(x.w[usize(token)] - before);
      walk(next, mass.step(node, token, own), p * share[i]);
    }
  };
  walk({}, PermittedMass::kRoot, 1);
  return out;
}

/// A trie that has learned the same, for looking at it without a trace.
struct Learned {
  explicit Learned(const Toy& of) : toy(of), constraint(std::make_unique<Among>(of), mass) {}
  f64 look() const {
    const std::shared_ptr<PermittedMass> copy = std::make_shared<PermittedMass>();
    AsapConstraint again(std::make_unique<Among>(toy), copy);
    for (i64 i = 0; i < drawn; ++i)
      sample(toy, again, 1, i);
    return divergence(toy, *copy);
  }
  void draw(i64 upto) {
    for (; drawn < upto; ++drawn)
      sample(toy, constraint, 1, drawn);
  }
  const Toy& toy;
  std::shared_ptr<PermittedMass> mass = std::make_shared<PermittedMass>();
  AsapConstraint constraint;
  i64 drawn = 0;
};

}  // namespace

TEST_CASE("samples of a constraint come to their true proportions", "[decode]") {
  const Toy toy = binary();
  CHECK(toy.total() == Approx(0.19744509375).epsilon(1e-12));
  Learned learned(toy);
  // Masking alone prefers 00000: 0.55 of 0.85, where 0.55 of 5.35 is right.
  CHECK(learned.look() == Approx(0.861055).margin(1e-5));
  learned.draw(10);
  CHECK(learned.look() < 0.2);
  learned.draw(20);
  CHECK(learned.look() < 0.05);
  learned.draw(2000);
  CHECK(std::abs(learned.mass->mass() - toy.total()) < 1e-6);
  CHECK(learned.look() < 1e-6);

  // 20,000 samples of the 17 texts, chi-square with 16 degrees of freedom, 0.1 %.
  std::map<Text, i64> counts;
  for (i64 i = 0; i < 20000; ++i) {
    const Draw drawn = sample(toy, learned.constraint, 7, i);
    REQUIRE(drawn.ended);
    ++counts[drawn.text];
  }
  f64 chi = 0;
  for (const Text& text : toy.permitted) {
    const f64 expected = 20000 * toy.probability(text) / toy.total();
    const f64 d = static_cast<f64>(counts[text]) - expected;
    chi += d * d / expected;
  }
  CHECK(chi < 39.25);
  // The same count for masking alone, which must fail.
  Among masking(toy);
  std::map<Text, i64> greedy;
  for (i64 i = 0; i < 20000; ++i)
    ++greedy[sample(toy, masking, 7, i).text];
  f64 wrong = 0;
  for (const Text& text : toy.permitted) {
    const f64 expected = 20000 * toy.probability(text) / toy.total();
    const f64 d = static_cast<f64>(greedy[text]) - expected;
    wrong += d * d / expected;
  }
  CHECK(wrong > 1000);
}

TEST_CASE("what is held of the mass falls and stays above the truth", "[decode]") {
  for (u64 seed = 0; seed < 200; ++seed) {
    const RandomStream random(seed, RandomPurpose::kOther);
    u64 draw = 0;
    const i32 tokens = static_cast<i32>(2 + random.below(draw++, 3));
    Toy toy;
    toy.end = tokens;
    toy.longest = static_cast<i64>(2 + random.below(draw++, 3));
    toy.next = [seed, tokens](const Text& text) {
      u64 key = seed;
      for (const i32 token : text)
        key = mix64(key + 77 + static_cast<u64>(token));
      std::vector<f64> p;
      f64 sum = 0;
      for (i32 i = 0; i <= tokens; ++i) {
        p.push_back(0.05 +
                    static_cast<f64>(mix64(key + static_cast<u64>(i) * 31) >> 40) / (1 << 24));
        sum += p.back();
      }
      for (f64& one : p)
        one /= sum;
      return p;
    };
    for (u64 i = 0, n = 1 + random.below(draw++, 6); i < n; ++i) {
      Text text;
      for (u64 j = 0, size = random.below(draw++, static_cast<u64>(toy.longest)); j < size; ++j)
        text.push_back(static_cast<i32>(random.below(draw++, static_cast<u64>(tokens))));
      toy.permitted.insert(text);
    }
    const std::shared_ptr<PermittedMass> mass = std::make_shared<PermittedMass>();
    AsapConstraint constraint(std::make_unique<Among>(toy), mass);
    std::map<Text, f64> held;
    std::map<Text, i32> node = {{{}, PermittedMass::kRoot}};
    for (i64 i = 0; i < 60; ++i) {
      const Draw drawn = sample(toy, constraint, seed, i);
      REQUIRE(toy.permitted.count(drawn.text) == 1);
      Text begin;
      for (std::size_t n = 0; n <= drawn.text.size(); ++n) {
        if (n > 0) {
          const i32 parent = node[begin];
          begin.push_back(drawn.text[n - 1]);
          node[begin] = mass->step(parent, drawn.text[n - 1], -1);  // it is there already
        }
        const f64 c = mass->mass(node[begin]);
        CAPTURE(seed, i, n);
        REQUIRE(c >= toy.exact(begin) - 1e-6);
        if (held.count(begin) > 0) REQUIRE(c <= held[begin]);
        held[begin] = c;
      }
    }
    // Each beginning's own formula, from what its children hold.
    REQUIRE(mass->nodes() <= 60 * (toy.longest + 1) + 1);
  }
}

TEST_CASE("texts that run out of tokens are not permitted", "[decode]") {
  Toy toy = binary();
  toy.longest = 4;  // no text can end
  for (const bool unbounded : {false, true}) {
    const std::shared_ptr<PermittedMass> mass = std::make_shared<PermittedMass>();
    AsapConstraint constraint(std::make_unique<Among>(toy), mass, unbounded);
    CHECK(!sample(toy, constraint, 1, 0).ended);
    CHECK((mass->mass() < 0.8) == !unbounded);
    CHECK(constraint.note().starts_with("\"asap\":{\"root_mass\":"));
  }
}
