#include "decode/constraint.h"

#include <set>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/parallel.h"
#include "decode/generate.h"
#include "unit/model/stiff_cache.h"

using namespace lm;
using namespace lm::decode;

namespace {

/// Token t may follow if t mod 3 is the number of tokens before it plus their sum, mod 3; the text
/// ends behind the first token above 250, which is cut from it. What may come next depends on all
/// that came before: a token that was accepted and not drawn would show at once.
class Walk final : public Constraint {
 public:
  explicit Walk(std::set<std::vector<i32>>* seen) : seen_(seen) {}
  std::optional<Fault> mask(TokenWeights& x, i64) const override {
    TokenWeights kept;
    for (std::size_t i = 0; i < x.ids.size(); ++i) {
      if (x.ids[i] % 3 != next_) continue;
      kept.ids.push_back(x.ids[i]);
      kept.w.push_back(x.w[i]);
    }
    x = kept;
    return std::nullopt;
  }
  void accept(i32 token) override {
    path_.push_back(token);
    next_ = (next_ + 1 + token) % 3;
  }
  std::optional<TextEnd> end(std::string_view text) override {
    if (path_.empty() || path_.back() <= 250) return std::nullopt;
    if (seen_ != nullptr) seen_->insert(path_);
    return TextEnd{"walked", std::max<i64>(0, isize(text) - 1)};
  }
  std::unique_ptr<Constraint> clone() const override { return std::make_unique<Walk>(*this); }

 private:
  std::set<std::vector<i32>>* seen_;
  std::vector<i32> path_;
  i32 next_ = 0;
};

struct Run {
  std::vector<Generated> results;
  GenerateStats stats;
};

class Fixture {
 public:
  Fixture() {
    test::write_tiny_tokenizer(dir_.path().string());
    text::LoadOptions options;
    options.add_specials = false;
    tokenizer_ = text::load_tokenizer(dir_.path().string(), options);
  }
  /// With drafts all guesses are checked, or those that the clock finds worth their rows.
  Run run(const std::vector<GenerateRequest>& requests, i64 batch, bool drafts, bool stiff = false,
          bool clocked = false) const {
    model::EngineOptions size;
    size.cache_tokens = 17 * 96;
    if (stiff) size.make_cache = test::StiffCache::make;
    model::Engine engine(model_, size);
    GenerateOptions options{batch, 64, model_.cfg.end_ids};
    options.draft_auto = clocked;
    if (drafts)
      options.drafter = [](const DraftSubject&) { return std::make_unique<PromptLookup>(); };
    Generator generator(engine, *tokenizer_, options);
    for (const GenerateRequest& request : requests)
      generator.add(request);
    Run out;
    for (bool more = true; more;) {
      more = generator.step();
      while (std::optional<Generated> done = generator.take())
        out.results.push_back(std::move(*done));
    }
    out.stats = generator.stats();
    return out;
  }

 private:
  test::TempDir dir_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  model::Model model_ = test::make_tiny_model();
};

/// Prompts and biases that make texts repeat themselves, so that drafts are right at times.
std::vector<GenerateRequest> requests(std::set<std::vector<i32>>* seen = nullptr) {
  std::vector<GenerateRequest> out;
  const std::shared_ptr<const Constraint> walk = std::make_shared<Walk>(seen);
  for (i64 i = 0; i < 12; ++i) {
    GenerateRequest r;
    r.id = cat("r", i);
    r.prompt = {test::kTinyBos, static_cast<i32>('a' + i % 3), 'b', 'c', 'a', 'b'};
    r.params.max_tokens = i % 5 == 0 ? 4 : 40;
    r.params.n = 1 + i % 3;
    r.params.ignore_eos = true;
    r.params.logit_bias = {{'a', 5}, {'b', 5}, {'c', 5}, {252, 4}};
    if (i % 2 == 0) r.params.temperature = 0.5;
    if (i % 4 == 1) r.params.stop = {"bca"};
    if (i % 4 == 2) r.params.loop_size = 3;
    r.logprobs = true;
    r.constraint = walk;
    out.push_back(std::move(r));
  }
  return out;
}

void check_same(const Run& a, const Run& b) {
  REQUIRE(a.results.size() == b.results.size());
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    for (std::size_t s = 0; s < a.results[i].completions.size(); ++s) {
      const Completion& x = a.results[i].completions[s];
      const Completion& y = b.results[i].completions[s];
      REQUIRE(x.tokens == y.tokens);
      REQUIRE(x.text == y.text);
      REQUIRE(x.logprobs == y.logprobs);
      REQUIRE(x.finish_reason == y.finish_reason);
    }
  }
}

}  // namespace

TEST_CASE("every sample obeys a constraint that it alone advances, drafted or not", "[decode]") {
  const Fixture fixture;
  const std::vector<GenerateRequest> all = requests();
  const Run plain = fixture.run(all, 16, false);
  std::set<std::string> reasons;
  for (const Generated& g : plain.results) {
    for (const Completion& c : g.completions) {
      i32 next = 0;
      for (const i32 token : c.tokens) {
        REQUIRE(token % 3 == next);
        next = (next + 1 + token) % 3;
      }
      reasons.insert(c.finish_reason);
      CHECK((c.finish_reason == "walked") == (c.tokens.back() > 250));
    }
  }
  CHECK(reasons.count("walked") == 1);
  CHECK(reasons.count("length") == 1);
  for (const int threads : {1, 2}) {
    set_threads(threads);
    for (const i64 batch : {1, 3, 16}) {
      CAPTURE(threads, batch);
      const Run drafted = fixture.run(all, batch, true);
      check_same(drafted, plain);
      CHECK(drafted.stats.draft_tokens > 0);
      CHECK(drafted.stats.draft_rows > drafted.stats.draft_tokens);
      check_same(fixture.run(all, batch, true, false, true), plain);
    }
  }
  set_threads(2);
}

TEST_CASE("a constraint hears the tokens of its own text and no others", "[decode]") {
  const Fixture fixture;
  std::set<std::vector<i32>> seen;
  set_threads(1);
  const Run drafted = fixture.run(requests(&seen), 4, true);
  set_threads(2);
  std::set<std::vector<i32>> ended;
  for (const Generated& g : drafted.results)
    for (const Completion& c : g.completions)
      if (c.finish_reason == "walked") ended.insert(c.tokens);
  CHECK(seen == ended);
}

TEST_CASE("a constraint may leave no token, and cuts the text where it says", "[decode]") {
  const Fixture fixture;
  class None final : public Constraint {
   public:
    std::optional<Fault> mask(TokenWeights& x, i64) const override {
      x = {};
      return std::nullopt;
    }
    void accept(i32) override {}
    std::optional<TextEnd> end(std::string_view) override { return std::nullopt; }
    std::unique_ptr<Constraint> clone() const override { return std::make_unique<None>(); }
  };
  GenerateRequest r = requests()[0];
  r.constraint = std::make_shared<None>();
  const Completion none = fixture.run({r}, 1, false).results[0].completions[0];
  CHECK(none.finish_reason == "error");
  REQUIRE(none.fault);
  CHECK(none.fault->code == "no_token");

  class Third final : public Constraint {  // keeps two bytes of three tokens
   public:
    std::optional<Fault> mask(TokenWeights& x, i64) const override {
      x.ids = {'x'};
      x.w = {0};
      return std::nullopt;
    }
    void accept(i32) override { ++count_; }
    std::optional<TextEnd> end(std::string_view) override {
      if (count_ < 3) return std::nullopt;
      return TextEnd{"third", 2};
    }
    std::unique_ptr<Constraint> clone() const override { return std::make_unique<Third>(*this); }

   private:
    i64 count_ = 0;
  };
  r.constraint = std::make_shared<Third>();
  const Completion third = fixture.run({r}, 1, false).results[0].completions[0];
  CHECK(third.text == "xx");
  CHECK(third.tokens == std::vector<i32>{'x', 'x', 'x'});
  CHECK(third.finish_reason == "third");
}

TEST_CASE("the mass that a mask takes is the difference of the log sums", "[decode]") {
  TokenWeights x;
  REQUIRE(x.assign(std::vector<f32>{0, 1, 2, -3, 0.5f, 1}));
  std::vector<f64> p;
  x.softmax(p);
  const f64 before = x.log_sum();
  Walk(nullptr).mask(x, 1);  // ids 0 and 3 stay
  CHECK(x.ids == std::vector<i32>{0, 3});
  CHECK(1 - std::exp(x.log_sum() - before) == Approx(p[1] + p[2] + p[4] + p[5]));
}

TEST_CASE("a memory that keeps all rows of a pass or none gives the same texts without drafts",
          "[decode]") {
  const Fixture fixture;
  const std::vector<GenerateRequest> all = requests();
  const Run plain = fixture.run(all, 4, false);
  const Run stiff = fixture.run(all, 4, true, true);
  check_same(stiff, plain);
  CHECK(stiff.stats.draft_rows == 0);
  CHECK(stiff.stats.steps == plain.stats.steps);
}
