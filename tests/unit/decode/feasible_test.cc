#include "decode/feasible.h"

#include <cmath>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "../../tiny_model.h"
#include "../accord/random_instances.h"
#include "accord/check.h"
#include "accord/extent.h"
#include "accord/solve.h"
#include "catch.h"
#include "core/parallel.h"
#include "decode/asap.h"
#include "decode/generate.h"
#include "io/file.h"

using namespace lm;
using namespace lm::decode;
using accord::Automaton;
using accord::Format;
using accord::Instance;
using accord::Problem;
using accord::test::kProblems;

namespace {

enum class Draw { kExact, kGcd, kAsap };

std::unique_ptr<Automaton> start(const Instance& instance, Format format) {
  Result<std::unique_ptr<Automaton>> made = accord::make_automaton(instance, format);
  REQUIRE(made);
  return std::move(*made);
}

Instance small_instance(Problem problem, i64 number, i64 most = 6) {
  Draws draws(17, "feasible", number);
  accord::Shape shape;
  shape.least = 2;
  shape.most = most;
  shape.capacity = 30;
  shape.machines = 3;
  return accord::draw_instance(problem, shape, draws);
}

/// A random model with a tokenizer of bytes and merges.
struct Bench {
  explicit Bench(u64 seed = 1) : model(test::make_tiny_model(seed, 262, 2048)) {
    test::write_tiny_tokenizer(dir.path().string());
    text::LoadOptions options;
    options.add_specials = false;
    tokenizer = text::load_tokenizer(dir.path().string(), options);
    spelling = std::make_shared<const Spelling>(*tokenizer, 262);
  }
  GenerateRequest request(const Instance& instance, Format format, Draw draw, i64 number) const {
    GenerateRequest r;
    r.id = cat("r", number);
    r.prompt = prompt_rows(std::vector<i32>{test::kTinyBos, 'a', static_cast<i32>(number % 200)});
    r.params.max_tokens = accord::most_bytes(instance, format) + 1;
    if (draw == Draw::kExact) {
      r.choices = std::make_shared<const FeasibleChoices>(spelling, start(instance, format));
      return r;
    }
    auto mask = std::make_unique<FeasibleConstraint>(spelling, start(instance, format),
                                                     model.cfg.end_ids, draw == Draw::kGcd);
    if (draw == Draw::kGcd) {
      r.constraint = std::move(mask);
    } else {
      r.constraint = std::make_shared<const AsapConstraint>(std::move(mask),
                                                            std::make_shared<PermittedMass>());
      r.serial = true;
    }
    return r;
  }
  std::vector<Generated> run(const std::vector<GenerateRequest>& requests, i64 batch = 16,
                             i64 chunk = 512, GenerateStats* stats = nullptr) const {
    model::EngineOptions options;
    options.max_rows = std::max(batch, chunk);
    options.cache_tokens = batch * 2048;
    model::Engine engine(model, options);
    Generator generator(engine, *tokenizer, {batch, chunk, model.cfg.end_ids});
    std::vector<Generated> out;
    for (const GenerateRequest& one : requests)
      generator.add(one);
    for (bool more = true; more;) {
      more = generator.step();
      while (std::optional<Generated> done = generator.take())
        out.push_back(std::move(*done));
    }
    CHECK(engine.cache().free_pages() == engine.cache().total_pages());
    if (stats != nullptr) *stats = generator.stats();
    return out;
  }

  test::TempDir dir;
  model::Model model;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::shared_ptr<const Spelling> spelling;
};

nlohmann::json note_of(const Completion& completion) {
  return nlohmann::json::parse(cat("{", completion.note, "}"));
}

void check_feasible(Draw draw, i64 count) {
  const Bench bench;
  for (const Problem problem : kProblems) {
    std::vector<Instance> instances;
    std::vector<GenerateRequest> requests;
    const auto format = [](i64 number) {
      return number % 2 == 0 ? Format::kAccord : Format::kLists;
    };
    for (i64 number = 0; number < count; ++number) {
      instances.push_back(small_instance(problem, number));
      requests.push_back(bench.request(instances.back(), format(number), draw, number));
      if (draw == Draw::kExact) requests.back().params.temperature = 300;  // for more than one step
    }
    const std::vector<Generated> results = bench.run(requests);
    REQUIRE(isize(results) == count);
    i64 feasible = 0, decisions = 0;
    std::set<std::string> texts;
    for (i64 number = 0; number < count; ++number) {
      REQUIRE_FALSE(results[usize(number)].fault);
      const Completion& c = results[usize(number)].completions[0];
      const Instance& instance = instances[usize(number)];
      CAPTURE(accord::instance_json(instance), c.text, c.finish_reason);
      CHECK(c.finish_reason == "complete");
      const accord::Verdict verdict = accord::check(instance, c.text, format(number));
      CAPTURE(verdict.reason);
      CHECK(verdict.feasible);
      feasible += verdict.feasible;
      // The writer of references says the same in the same words: arithmetic included.
      CHECK(accord::render(instance, verdict.solution, format(number)) == c.text);
      const nlohmann::json note = note_of(c);
      CHECK(note["feasible"] == true);
      CHECK(note["objective"] == verdict.objective);
      CHECK(note["objective"] == accord::objective_of(instance, verdict.solution));
      CHECK(note["solution"].dump() == accord::solution_json(verdict.solution));
      decisions += note["decisions"].get<i64>();
      texts.insert(c.text);
      CHECK(bench.tokenizer->decode(c.tokens, true) == c.text);
    }
    CHECK(feasible == count);
    CHECK(decisions > count);
    CHECK(isize(texts) > count / 2);
  }
}

/// ln of the probabilities of tokens behind others, by reading all of them anew.
f64 log_probability(model::Engine& engine, std::vector<i32> before, std::span<const i32> tokens) {
  f64 out = 0;
  for (const i32 token : tokens) {
    const i32 seq = engine.create();
    std::span<const f32> logits;
    for (const i32 one : before)
      logits = engine.step(seq, one);
    out += static_cast<f64>(logits[usize(token)]) - normaliser(logits).log;
    engine.release(seq);
    before.push_back(token);
  }
  return out;
}

std::vector<i32> spell(const Bench& bench, std::string_view before, std::string_view text) {
  const std::unique_ptr<text::EncodeState> state = bench.tokenizer->new_state();
  Result<std::vector<i32>> ids = bench.spelling->spell(before, text, *state);
  REQUIRE(ids);
  return *ids;
}

/// Probabilities of all texts, choice by choice, with a temperature and the k likeliest choices.
void enumerate(const Bench& bench, model::Engine& engine, const Automaton& walk,
               const std::vector<i32>& tokens, const std::string& text, f64 p, f64 temperature,
               i64 k, std::map<std::string, f64>& out) {
  if (walk.complete()) {
    out[text] += p;
    return;
  }
  const std::vector<i64> choices = walk.choices();
  std::vector<f64> weights;
  std::vector<std::vector<i32>> ids;
  for (const i64 choice : choices) {
    ids.push_back(spell(bench, text, walk.text(choice)));
    weights.push_back(log_probability(engine, tokens, ids.back()) / temperature);
  }
  std::vector<f64> sorted = weights;
  std::sort(sorted.rbegin(), sorted.rend());
  const f64 least = isize(sorted) > k ? sorted[usize(k - 1)] : sorted.back();
  f64 sum = 0;
  for (const f64 w : weights)
    if (w >= least) sum += std::exp(w - sorted[0]);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (weights[i] < least) continue;
    const std::unique_ptr<Automaton> next = walk.clone();
    next->accept(choices[i]);
    std::vector<i32> after = tokens;
    after.insert(after.end(), ids[i].begin(), ids[i].end());
    enumerate(bench, engine, *next, after, text + walk.text(choices[i]),
              p * std::exp(weights[i] - sorted[0]) / sum, temperature, k, out);
  }
}

}  // namespace

TEST_CASE("A random model's solutions by whole steps are all feasible", "[decode]") {
  check_feasible(Draw::kExact, 100);
}
TEST_CASE("A random model's solutions by masked tokens are all feasible", "[decode]") {
  check_feasible(Draw::kGcd, 100);
}
// The same a thousand times: test-decode '[feasible-1000]'.
TEST_CASE("A thousand solutions by whole steps", "[.][feasible-1000]") {
  check_feasible(Draw::kExact, 1000);
}
TEST_CASE("A thousand solutions by masked tokens", "[.][feasible-1000]") {
  check_feasible(Draw::kGcd, 1000);
}

TEST_CASE("Without either a random model solves nothing", "[decode]") {
  const Bench bench;
  std::vector<GenerateRequest> requests;
  for (i64 number = 0; number < 20; ++number) {
    requests.push_back(
        bench.request(small_instance(Problem::kTsp, number), Format::kLists, Draw::kGcd, number));
    requests.back().constraint = nullptr;
  }
  const std::vector<Generated> results = bench.run(requests);
  for (i64 number = 0; number < 20; ++number)
    CHECK_FALSE(accord::check(small_instance(Problem::kTsp, number),
                              results[usize(number)].completions[0].text)
                    .feasible);
}

TEST_CASE("Steps are drawn with the product of their tokens' probabilities", "[decode]") {
  const Bench bench(5);
  model::Engine engine(bench.model);
  const std::vector<std::pair<Instance, Format>> cases = {
      {accord::Knapsack{{{9, 2}, {20, 7}, {3, 3}}, 10}, Format::kLists},
      {accord::Tsp{{{0, 0}, {5, 1}, {2, 7}, {9, 9}}}, Format::kAccord},
  };
  for (const auto& [instance, format] : cases)
    for (const auto& [temperature, k] :
         std::vector<std::pair<f64, i64>>{{1.0, 100}, {40.0, 100}, {20.0, 2}}) {
      constexpr i64 kSamples = 3000;
      GenerateRequest r = bench.request(instance, format, Draw::kExact, 7);
      r.params.n = kSamples;
      r.params.temperature = temperature;
      r.params.top_k = k == 100 ? 0 : k;
      std::vector<i32> tokens = tokens_of(r.prompt);
      const std::unique_ptr<Automaton> walk = start(instance, format);
      const std::vector<i32> opening = spell(bench, "", walk->opening());
      tokens.insert(tokens.end(), opening.begin(), opening.end());
      std::map<std::string, f64> want;
      enumerate(bench, engine, *walk, tokens, walk->opening(), 1, temperature, k, want);
      f64 sum = 0;
      for (const auto& [text, p] : want)
        sum += p;
      CHECK(sum == Approx(1).epsilon(1e-9));
      CHECK(want.size() > 2);
      const Generated result = bench.run({r}, 64)[0];
      std::map<std::string, i64> got;
      for (const Completion& c : result.completions)
        ++got[c.text];
      f64 chi = 0, rest = 0;
      i64 cells = 0, others = kSamples;
      for (const auto& [text, p] : want) {
        const f64 expected = p * kSamples;
        if (expected < 5) continue;
        ++cells;
        rest += p;
        others -= got[text];
        chi += (static_cast<f64>(got[text]) - expected) * (static_cast<f64>(got[text]) - expected) /
               expected;
      }
      if (const f64 expected = (1 - rest) * kSamples; expected >= 5) {
        ++cells;
        chi += (static_cast<f64>(others) - expected) * (static_cast<f64>(others) - expected) /
               expected;
      } else {
        CHECK(others < 25);
      }
      for (const auto& [text, count] : got)
        CHECK(want.count(text) == 1);
      const f64 df = static_cast<f64>(std::max<i64>(1, cells - 1));
      const f64 critical = df * std::pow(1 - 2 / (9 * df) + 3.0902 * std::sqrt(2 / (9 * df)), 3);
      CAPTURE(temperature, k, cells);
      CHECK(chi < critical);
      // Greedy: the likeliest choice, each time.
      if (temperature != 1.0) continue;
      r.params.n = 1;
      r.params.temperature = 0;
      std::map<std::string, f64> best;
      enumerate(bench, engine, *walk, tokens, walk->opening(), 1, 1, 1, best);
      REQUIRE(best.size() == 1);
      CHECK(bench.run({r})[0].completions[0].text == best.begin()->first);
    }
}

TEST_CASE("Log-probabilities of steps' tokens are the model's, forced ones included", "[decode]") {
  const Bench bench(3);
  model::Engine engine(bench.model);
  for (const Problem problem : kProblems) {
    const Instance instance = small_instance(problem, 3, 4);
    GenerateRequest r = bench.request(instance, Format::kAccord, Draw::kExact, 3);
    const Generated plain = bench.run({r})[0];
    r.logprobs = true;
    const Generated told = bench.run({r})[0];
    const Completion& c = told.completions[0];
    CHECK(c.text == plain.completions[0].text);
    REQUIRE(c.logprobs.size() == c.tokens.size());
    std::vector<i32> before = tokens_of(r.prompt);
    const i32 seq = engine.create();
    std::span<const f32> logits;
    for (const i32 token : before)
      logits = engine.step(seq, token);
    for (std::size_t i = 0; i < c.tokens.size(); ++i) {
      const f64 want = static_cast<f64>(logits[usize(c.tokens[i])]) - normaliser(logits).log;
      CHECK(c.logprobs[i] == static_cast<f32>(want));
      logits = engine.step(seq, c.tokens[i]);
    }
    engine.release(seq);
  }
}

TEST_CASE("Solutions do not depend on batch, chunk, threads or neighbours", "[decode]") {
  const Bench bench;
  const auto make = [&] {  // anew: what samples of asap learn is their request's
    std::vector<GenerateRequest> requests;
    for (const Problem problem : kProblems)
      for (const Draw draw : {Draw::kExact, Draw::kGcd, Draw::kAsap}) {
        requests.push_back(
            bench.request(small_instance(problem, 9, 5), Format::kAccord, draw, isize(requests)));
        requests.back().params.n = 3;
        if (draw == Draw::kExact) requests.back().params.temperature = 5;
      }
    return requests;
  };
  const auto print = [](const Generated& g) {
    std::string out;
    for (const Completion& c : g.completions)
      append(out, c.finish_reason, c.text, c.note, "\n");
    return out;
  };
  std::vector<std::string> alone;
  for (const GenerateRequest& one : make())
    alone.push_back(print(bench.run({one}, 1, 7)[0]));
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    for (const i64 batch : {2, 16}) {
      const std::vector<Generated> together = bench.run(make(), batch, batch == 2 ? 9 : 512);
      for (std::size_t i = 0; i < alone.size(); ++i)
        CHECK(print(together[i]) == alone[i]);
    }
  }
  set_threads(1);
}

TEST_CASE("asap: feasible solutions, each ended by an end token", "[decode]") {
  const Bench bench;
  const Instance instance = accord::Knapsack{{{9, 2}, {20, 7}}, 8};
  GenerateRequest r = bench.request(instance, Format::kLists, Draw::kAsap, 1);
  r.params.n = 200;
  const Generated result = bench.run({r})[0];
  std::set<std::string> texts;
  for (const Completion& c : result.completions) {
    CHECK(c.finish_reason == "stop");
    CHECK(accord::check(instance, c.text).feasible);
    CHECK(note_of(c)["feasible"] == true);
    texts.insert(c.text);
  }
  // "[]", one item, the other: their true proportions are known when all have come.
  CHECK(texts.size() <= 3);
  CHECK(note_of(result.completions.back())["asap"]["root_mass"].get<f64>() > 0);
}

TEST_CASE("Routes with one assignment of customers to vehicles are found", "[decode]") {
  const Bench bench;
  std::vector<GenerateRequest> requests;
  std::vector<Instance> instances;
  for (i64 number = 0; number < 100; ++number) {
    // Pairs that fill a vehicle each, in powers so that no other packing does: d and C - d.
    accord::Vrp it;
    it.capacity = 100;
    it.vehicles = 3;
    it.demands = {0};
    for (const i64 d : {3, 9, 27}) {
      it.demands.push_back(d + number % 2);
      it.demands.push_back(100 - d - number % 2);
    }
    Draws draws(8, "vrp", number);
    draws.shuffle(std::span(it.demands).subspan(1));
    for (std::size_t i = 0; i < it.demands.size(); ++i)
      it.places.push_back({draws.below(50), static_cast<i64>(i)});
    i64 packings = 0;
    for (i64 code = 0; code < 729; ++code) {  // of vehicles to customers
      std::array<i64, 3> load{};
      for (i64 c = 1, rest = code; c <= 6; ++c, rest /= 3)
        load[usize(rest % 3)] += it.demands[usize(c)];
      packings += load == std::array<i64, 3>{100, 100, 100};
    }
    REQUIRE(packings == 6);  // one, whichever vehicle has which part
    instances.emplace_back(it);
    requests.push_back(bench.request(it, number % 3 == 0 ? Format::kAccord : Format::kLists,
                                     number % 2 == 0 ? Draw::kExact : Draw::kGcd, number));
  }
  const std::vector<Generated> results = bench.run(requests);
  for (std::size_t i = 0; i < results.size(); ++i)
    CHECK(accord::check(instances[i], results[i].completions[0].text).feasible);
}

TEST_CASE("A solution that the context or the limit has no room for", "[decode]") {
  const Bench bench;
  const Instance instance = small_instance(Problem::kTsp, 1, 6);
  GenerateRequest r = bench.request(instance, Format::kAccord, Draw::kExact, 1);
  r.params.max_tokens = 40;
  const Completion cut = bench.run({r})[0].completions[0];
  CHECK(cut.finish_reason == "length");
  CHECK(isize(cut.tokens) <= 40);
  CHECK(note_of(cut)["feasible"] == false);
  CHECK(note_of(cut)["solution"].is_null());
  r.params.max_tokens = 4000;
  r.prompt = prompt_rows(std::vector<i32>(2030, 'a'));
  const Completion full = bench.run({r})[0].completions[0];
  CHECK(full.finish_reason == "error");
  REQUIRE(full.fault);
  CHECK(full.fault->code == "context");
  r = bench.request(instance, Format::kAccord, Draw::kGcd, 1);
  r.params.max_tokens = 40;
  CHECK(bench.run({r})[0].completions[0].finish_reason == "length");
}

namespace {

/// A tokenizer of bytes and of whatever else is asked for, which it never makes itself.
class Pieces final : public text::Tokenizer {
 public:
  explicit Pieces(std::vector<std::string> more, int bytes = 256)
      : more_(std::move(more)), bytes_(bytes) {
    vocab_size_ = 256 + isize(more_);
  }
  std::unique_ptr<text::EncodeState> new_state() const override {
    return std::make_unique<text::EncodeState>();
  }
  bool encode(std::string_view text, text::EncodeState&, std::vector<i32>& ids,
              std::vector<std::pair<i64, i64>>* offsets) const override {
    for (const char c : text) {
      if (offsets != nullptr) offsets->emplace_back(isize(ids), isize(ids) + 1);
      ids.push_back(static_cast<u8>(c));
    }
    return true;
  }
  std::string decode(std::span<const i32> ids, bool) const override {
    std::string out;
    for (const i32 id : ids)
      out += token_bytes(id, false);
    return out;
  }
  std::string token_bytes(i32 id, bool) const override {
    if (id >= 256) return more_[usize(id - 256)];
    return id < bytes_ ? std::string(1, static_cast<char>(id)) : "";
  }
  std::optional<i32> find(std::string_view) const override { return std::nullopt; }
  bool is_special(i32) const override { return false; }
  bool has(i32) const override { return true; }

 private:
  std::vector<std::string> more_;
  int bytes_;
};

void all_texts(const Automaton& walk, const std::string& text, std::set<std::string>& out) {
  if (walk.complete()) out.insert(text);
  for (const i64 choice : walk.choices()) {
    const std::unique_ptr<Automaton> next = walk.clone();
    next->accept(choice);
    all_texts(*next, text + walk.text(choice), out);
  }
}

}  // namespace

TEST_CASE("The mask is what enumeration of all solutions allows, tokens across steps too",
          "[decode]") {
  for (const Problem problem : kProblems)
    for (i64 number = 0; number < 8; ++number) {
      const Format format = number % 2 == 0 ? Format::kAccord : Format::kLists;
      const Instance instance = small_instance(problem, number, problem == Problem::kJssp ? 2 : 4);
      std::set<std::string> texts;
      const std::unique_ptr<Automaton> walk = start(instance, format);
      all_texts(*walk, walk->opening(), texts);
      Draws draws(6, "mask", number);
      const std::vector<std::string> list(texts.begin(), texts.end());
      std::set<std::string> pieces;
      for (i64 i = 0; i < 60; ++i) {
        const std::string& text = list[usize(draws.below(isize(list)))];
        const i64 length = 2 + draws.below(30);
        pieces.insert(text.substr(usize(draws.below(isize(text))), usize(length)));
      }
      std::erase_if(pieces, [](const std::string& piece) { return piece.size() < 2; });
      const Pieces tokenizer({pieces.begin(), pieces.end()});
      const i32 end = static_cast<i32>(tokenizer.vocab_size());
      const auto spelling = std::make_shared<const Spelling>(tokenizer, end + 1);
      for (i64 walks = 0; walks < 3; ++walks) {
        std::unique_ptr<Constraint> mask = std::make_unique<FeasibleConstraint>(
            spelling, start(instance, format), std::vector<i32>{end});
        std::string text;
        for (;;) {
          TokenWeights x;
          x.assign(std::vector<f32>(usize(end + 1), 0));
          REQUIRE_FALSE(mask->mask(x, 1000));
          std::vector<i32> want;
          for (i32 id = 0; id < end; ++id) {
            const std::string with = text + tokenizer.token_bytes(id, false);
            const auto at = texts.lower_bound(with);
            if (at != texts.end() && at->starts_with(with)) want.push_back(id);
          }
          if (texts.count(text) == 1) want.push_back(end);
          REQUIRE(x.ids == want);
          const i32 token = want[usize(draws.below(isize(want)))];
          REQUIRE(token != end);
          text += tokenizer.token_bytes(token, false);
          if (walks == 2) mask = mask->clone();
          mask->accept(token);
          const std::optional<TextEnd> over = mask->end(text);
          CHECK(over.has_value() == (texts.count(text) == 1));
          if (over) break;
        }
        CHECK(accord::check(instance, text, format).feasible);
        CHECK(mask->note().find("\"feasible\":true") != std::string::npos);
      }
    }
}

TEST_CASE("Texts are spelt in tokens of their own bytes", "[decode]") {
  const Bench bench;
  const i32 the = 259;  // " the"
  CHECK(spell(bench, "x", " the") == std::vector<i32>{the});
  CHECK(spell(bench, "", "the") == std::vector<i32>{257});
  // One token over the boundary: the text alone.
  CHECK(spell(bench, "t", "he") == std::vector<i32>{'h', 'e'});
  const Pieces longest({"ab", "abc"});
  CHECK_FALSE(Spelling(longest, 258).check("abc["));
  const Pieces few({}, 'a');
  const std::optional<Fault> fault = Spelling(few, 256).check("Za");
  REQUIRE(fault);
  CHECK(fault->code == "tokenizer");
  CHECK(fault->detail.find("\"a\"") != std::string::npos);
}
