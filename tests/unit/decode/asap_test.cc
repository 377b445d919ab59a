#include "decode/asap.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "decode/generate.h"
#include "decode/sampler.h"
#include "io/file.h"

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

/// What is drawn next, by the trie: the probability of every permitted text. Leaves its trace.
std::map<Text, f64> drawn_next(const Toy& toy, PermittedMass& mass) {
  std::map<Text, f64> out;
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
    mass.weigh(node, away, masked);
    std::vector<f64> share;
    masked.softmax(share);
    for (std::size_t i = 0; i < masked.ids.size(); ++i) {
      const i32 token = masked.ids[i];
      if (token == toy.end) {
        out[text] = p * share[i];
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

/// KL of what is drawn to the true conditional.
f64 divergence(const Toy& toy, const std::map<Text, f64>& drawn) {
  f64 out = 0;
  for (const auto& [text, p] : drawn)
    out += p * std::log(p * toy.total() / toy.probability(text));
  return out;
}

/// Half the sum of differences from the true conditional.
f64 variation(const Toy& toy, const std::map<Text, f64>& drawn) {
  f64 out = 0;
  for (const auto& [text, p] : drawn)
    out += std::abs(p - toy.probability(text) / toy.total()) / 2;
  return out;
}

/// A constraint and what it has learned of so many samples.
struct Learned {
  explicit Learned(const Toy& of) : toy(of), constraint(std::make_unique<Among>(of), mass) {}
  std::map<Text, f64> next() const { return drawn_next(toy, *mass->copy()); }
  f64 look() const { return divergence(toy, next()); }
  void draw(i64 upto) {
    for (; drawn < upto; ++drawn)
      sample(toy, constraint, 1, drawn);
  }
  const Toy& toy;
  std::shared_ptr<PermittedMass> mass = std::make_shared<PermittedMass>();
  AsapConstraint constraint;
  i64 drawn = 0;
};

/// Well-formed brackets of at most six tokens under a model that opens too many of them: most
/// beginnings that it likes can no longer be closed. Tokens [ ] a, and the end.
Toy brackets() {
  Toy toy;
  toy.end = 3;
  toy.longest = 7;
  toy.next = [](const Text& text) -> std::vector<f64> {
    const i64 open =
        std::count(text.begin(), text.end(), 0) - std::count(text.begin(), text.end(), 1);
    if (open > 0) return {0.55, 0.15, 0.25, 0.05};
    return {0.6, 0.05, 0.05, 0.3};
  };
  const std::function<void(const Text&, i64)> grow = [&](const Text& text, i64 open) {
    if (open == 0) toy.permitted.insert(text);
    if (isize(text) == 6) return;
    for (i32 token = 0; token < 3; ++token) {
      const i64 now = open + (token == 0 ? 1 : token == 1 ? -1 : 0);
      if (now < 0 || now > 6 - isize(text) - 1 || (token == 2 && open == 0)) continue;
      Text next = text;
      next.push_back(token);
      grow(next, now);
    }
  };
  grow({}, 0);
  return toy;
}

/// A few names, as the values of an enumeration: the one whose beginning is likeliest has the
/// least likely end.
Toy names() {
  Toy toy;
  toy.end = 4;
  toy.longest = 6;
  toy.next = [](const Text& text) -> std::vector<f64> {
    if (text.empty()) return {0.7, 0.2, 0.05, 0.03, 0.02};
    if (text[0] == 0) return {0.01, 0.02, 0.02, 0.9, 0.05};
    return {0.2, 0.2, 0.2, 0.2, 0.2};
  };
  toy.permitted = {{0, 1, 2}, {0, 1, 1, 0}, {1}, {1, 2}, {1, 2, 3, 0}, {2, 2}};
  return toy;
}

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

TEST_CASE("the distance to the true conditional falls below a hundredth, by masking it stays",
          "[decode]") {
  struct Case {
    Toy toy;
    f64 masking;                             // its distance
    std::vector<std::pair<i64, f64>> after;  // samples, and the distance that is then not reached
  };
  const std::vector<Case> cases = {{binary(), 0.5442, {{10, 0.3}, {50, 0.05}, {200, 0.01}}},
                                   {brackets(), 0.3, {{50, 0.3}, {500, 0.05}, {3000, 0.01}}},
                                   {names(), 0.5, {{10, 0.3}, {50, 0.05}, {200, 0.01}}}};
  for (const Case& one : cases) {
    Learned learned(one.toy);
    f64 last = variation(one.toy, learned.next());
    CHECK(last > one.masking);
    f64 bound = 1;
    for (const auto& [samples, limit] : one.after) {
      while (learned.drawn < samples) {
        learned.draw(learned.drawn + 1);
        REQUIRE(learned.mass->distance() <= bound + 1e-12);
        bound = learned.mass->distance();
      }
      const f64 now = variation(one.toy, learned.next());
      CAPTURE(samples, now, bound);
      CHECK(now <= last);
      CHECK(now < limit);
      CHECK(now <= bound + 1e-6);  // what is reported of it
      CHECK(learned.mass->found() <= one.toy.total() + 1e-6);
      CHECK(learned.mass->mass() >= one.toy.total() - 1e-6);
      // Masking learns nothing: as many samples as one likes, the same table.
      Among masking(one.toy);
      for (i64 i = 0; i < samples; ++i)
        sample(one.toy, masking, 1, i);
      PermittedMass nothing;
      CHECK(variation(one.toy, drawn_next(one.toy, nothing)) > one.masking);
      last = now;
    }
  }
}

TEST_CASE("what samples learn is charged as it grows", "[decode]") {
  const Toy toy = brackets();
  MemoryBudget memory(i64{1} << 20);
  {
    const std::shared_ptr<PermittedMass> mass = std::make_shared<PermittedMass>(&memory);
    AsapConstraint constraint(std::make_unique<Among>(toy), mass);
    for (i64 i = 0; i < 300; ++i)
      sample(toy, constraint, 1, i);
    CHECK(memory.used() == mass->bytes());
    const std::shared_ptr<PermittedMass> twice = mass->copy();
    CHECK(memory.used() == 2 * mass->bytes());
    KeptMasses kept(&memory);
    kept.add(1, twice);
    kept.add(1, mass);  // knows nothing that the other does not
    CHECK(kept.bytes() == mass->bytes());
  }
  CHECK(memory.used() == 0);
  MemoryBudget little(4000);
  AsapConstraint constraint(std::make_unique<Among>(toy), std::make_shared<PermittedMass>(&little));
  const auto draw = [&] {
    for (i64 i = 0; i < 300; ++i)
      sample(toy, constraint, 1, i);
  };
  CHECK_THROWS_AS(draw(), Error);
}

TEST_CASE("what was learned goes from one run to the next", "[decode]") {
  const test::TempDir dir;
  const std::string path = (dir.path() / "learned").string();
  const Toy toy = brackets();
  Learned one(toy);
  one.draw(300);
  KeptMasses kept;
  kept.add(7, one.mass);
  kept.save(path, 5);
  KeptMasses read;
  read.load(path, 5);
  const std::shared_ptr<PermittedMass> again = read.get(7);
  CHECK(again->nodes() == one.mass->nodes());
  CHECK(again->mass() == one.mass->mass());
  CHECK(again->found() == Approx(one.mass->found()).epsilon(1e-12));
  CHECK(drawn_next(toy, *again->copy()) == one.next());
  CHECK(read.get(8)->nodes() == 1);
  CHECK_THROWS_AS(read.load(path, 6), Error);
  // Two that learned apart know together what both know, in any order, and no more.
  AsapConstraint other(std::make_unique<Among>(toy), std::make_shared<PermittedMass>());
  std::vector<std::shared_ptr<PermittedMass>> parts;
  for (const u64 seed : {2u, 3u}) {
    parts.push_back(std::make_shared<PermittedMass>());
    AsapConstraint part(std::make_unique<Among>(toy), parts.back());
    for (i64 i = 0; i < 100; ++i)
      sample(toy, part, seed, i);
  }
  const std::shared_ptr<PermittedMass> forth = parts[0]->copy();
  forth->add(*parts[1]);
  const std::shared_ptr<PermittedMass> back = parts[1]->copy();
  back->add(*parts[0]);
  CHECK(forth->nodes() == back->nodes());
  CHECK(forth->mass() == Approx(back->mass()).epsilon(1e-12));
  CHECK(forth->found() == Approx(back->found()).epsilon(1e-12));
  for (const std::shared_ptr<PermittedMass>& part : parts) {
    CHECK(forth->mass() <= part->mass());
    CHECK(forth->found() >= part->found() - 1e-12);
    CHECK(forth->distance() <= part->distance() + 1e-12);
  }
  CHECK(forth->mass() >= toy.total() - 1e-6);
  CHECK(variation(toy, drawn_next(toy, *forth->copy())) <= forth->distance() + 1e-6);
  const std::shared_ptr<PermittedMass> twice = forth->copy();
  twice->add(*forth);
  CHECK(twice->nodes() == forth->nodes());
  CHECK(twice->mass() == Approx(forth->mass()).epsilon(1e-12));
  // Damage is found, by the digest or by what cannot be.
  const std::string whole = io::read_file(path);
  for (std::size_t at = 0; at < whole.size(); at += 17) {
    std::string torn = whole;
    torn[at] = static_cast<char>(torn[at] ^ 16);
    std::ofstream(path, std::ios::binary) << torn;
    CHECK_THROWS_AS(KeptMasses().load(path, 5), Error);
    std::string hostile = torn.substr(0, torn.size() - 8);
    const u64 digest = xxh3_64(hostile);
    for (int i = 0; i < 8; ++i)
      hostile += static_cast<char>(digest >> (8 * i) & 255);
    std::ofstream(path, std::ios::binary) << hostile;
    try {
      KeptMasses().load(path, 5);  // another number that may be
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kData);
    }
  }
}

TEST_CASE("samples before those that are written leave their draws alone", "[decode]") {
  GenerateRequest request;
  request.params.n = 2;
  request.params.temperature = 1;
  add_warmup(request, 3);
  CHECK(request.params.n == 5);
  REQUIRE(request.variants.size() == 5);
  CHECK(request.variants[3].number == 0);
  CHECK(request.variants[4].number == 1);
  CHECK(request.variants[4].measured);
  std::set<i64> numbers;
  for (const SampleVariant& one : request.variants)
    numbers.insert(one.number);
  CHECK(numbers.size() == 5);
  CHECK(*numbers.rbegin() < i64{1} << 32);  // what a draw tells apart
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
