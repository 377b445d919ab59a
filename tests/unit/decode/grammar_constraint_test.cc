#include "decode/grammar_constraint.h"

#include <algorithm>
#include <limits>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/parallel.h"
#include "decode/asap.h"
#include "decode/draft_ngram.h"
#include "decode/generate.h"
#include "grammar/grammar.h"

using namespace lm;
using namespace lm::decode;

namespace {

struct Fixture {
  Fixture() {
    test::write_tiny_tokenizer(dir.path().string());
    text::LoadOptions options;
    options.add_specials = false;
    tokenizer = text::load_tokenizer(dir.path().string(), options);
    trie = std::make_shared<grammar::TokenTrie>(*tokenizer, model.cfg.vocab);
  }
  std::shared_ptr<grammar::Matcher> matcher(const grammar::GrammarPtr& grammar) const {
    Result<std::unique_ptr<grammar::Matcher>> made =
        grammar::Matcher::make(grammar, trie, model.cfg.end_ids);
    REQUIRE(made);
    return std::move(*made);
  }
  std::shared_ptr<grammar::Matcher> pattern(std::string_view text) const {
    const Result<grammar::GrammarPtr> grammar = grammar::compile_regex(text);
    REQUIRE(grammar);
    return matcher(*grammar);
  }
  std::vector<Completion> run(GenerateRequest r, i64 batch = 16, bool drafts = false,
                              GenerateStats* stats = nullptr) const {
    model::Engine engine(model);
    GenerateOptions options{batch, 512, model.cfg.end_ids};
    if (drafts) options.drafter = [](const DraftSubject&) { return std::make_unique<NgramTree>(); };
    options.draft_auto = false;
    Generator generator(engine, *tokenizer, options);
    generator.add(std::move(r));
    while (generator.step()) {
    }
    std::optional<Generated> out = generator.take();
    REQUIRE(out);
    REQUIRE(!out->fault);
    if (stats != nullptr) *stats = generator.stats();
    return out->completions;
  }
  test::TempDir dir;
  model::Model model = test::make_tiny_model(1, 262, 256);
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::shared_ptr<grammar::TokenTrie> trie;
};

GenerateRequest request(std::shared_ptr<grammar::Matcher> matcher, i64 tokens, i64 n = 8) {
  GenerateRequest r;
  r.id = "r";
  r.prompt = {test::kTinyBos, 'a', 'b'};
  r.params.n = n;
  r.params.max_tokens = tokens;
  r.constraint = std::make_shared<GrammarConstraint>(std::move(matcher));
  return r;
}

}  // namespace

TEST_CASE("texts of a language are of the language, with any sampler, draft and batch",
          "[decode]") {
  const Fixture fixture;
  const auto matcher = fixture.pattern("[a-c]{2,5}(-the){0,3}[0-9]");
  for (int way = 0; way < 4; ++way) {
    GenerateRequest r = request(matcher, 40);
    if (way == 1) r.params.temperature = 0;
    if (way == 2) r.params.top_p = 0.7;
    if (way == 3) r.params.repetition_penalty = 1.5;
    const std::vector<Completion> expected = fixture.run(r);
    for (const Completion& c : expected) {
      CAPTURE(c.text);
      CHECK(c.finish_reason == "grammar");
      CHECK(*matcher->closed(*matcher->accept_bytes(matcher->start(), c.text)));
    }
    for (const i64 batch : {1, 3}) {
      for (const bool drafts : {false, true}) {
        const std::vector<Completion> again = fixture.run(r, batch, drafts);
        for (std::size_t i = 0; i < again.size(); ++i) {
          CHECK(again[i].text == expected[i].text);
          CHECK(again[i].tokens == expected[i].tokens);
        }
      }
    }
  }
}

TEST_CASE("a text that may go on ends with an end token, or in time", "[decode]") {
  const Fixture fixture;
  const Result<grammar::GrammarPtr> any = grammar::compile_json();
  REQUIRE(any);
  const auto json = fixture.matcher(*any);
  i64 forced = 0;
  i64 stopped = 0;
  for (const i64 tokens : {1, 2, 3, 5, 8, 13, 30, 60}) {
    for (const Completion& c : fixture.run(request(json, tokens, 16))) {
      CAPTURE(tokens, c.text, c.finish_reason);
      const grammar::State after = *json->accept_bytes(json->start(), c.text);
      CHECK(json->accepting(after));
      CHECK(isize(c.tokens) <= tokens);
      forced += c.finish_reason == "forced_close" ? 1 : 0;
      stopped += c.finish_reason == "stop" ? 1 : 0;
    }
  }
  CHECK(forced > 20);
  CHECK(stopped > 5);
  // Also where truncations leave few tokens, all of which would make the text too long.
  for (const i64 tokens : {4, 9, 17}) {
    GenerateRequest r = request(json, tokens, 16);
    r.params.top_k = 1;
    r.params.temperature = 0.5;
    r.params.repetition_penalty = 1.3;
    for (const Completion& c : fixture.run(r)) {
      CAPTURE(tokens, c.text);
      CHECK(!c.fault);
      CHECK(json->accepting(*json->accept_bytes(json->start(), c.text)));
    }
  }
  // End tokens end texts of a language whatever else they may do.
  GenerateRequest on = request(fixture.pattern("a{3,}"), 40, 16);
  on.params.ignore_eos = true;
  on.params.logit_bias = {{test::kTinyEos, 9}};
  for (const Completion& c : fixture.run(on)) {
    CHECK(c.finish_reason == "stop");
    CHECK(c.text == std::string(c.text.size(), 'a'));
    CHECK(c.text.size() >= 3);
  }
  // Too few tokens for any text: it stays open, and says so.
  const auto word = fixture.pattern("abcdefgh");
  const Completion open = fixture.run(request(word, 3, 1))[0];
  CHECK(open.text == "abc");
  CHECK(open.finish_reason == "length");
}

TEST_CASE("a budget of states that is spent ends a text with an error", "[decode]") {
  const Fixture fixture;
  const Result<grammar::GrammarPtr> any = grammar::compile_json();
  grammar::MatcherOptions few;
  few.state_bytes = 40 << 10;
  Result<std::unique_ptr<grammar::Matcher>> made =
      grammar::Matcher::make(*any, fixture.trie, fixture.model.cfg.end_ids, few);
  if (!made) {
    CHECK(made.fault().code == "budget");
    return;
  }
  i64 faults = 0;
  for (const Completion& c : fixture.run(request(std::move(*made), 200, 16)))
    faults += c.fault && c.fault->code == "budget" ? 1 : 0;
  CHECK(faults > 0);
}

TEST_CASE("samples that learn from each other end with end tokens", "[decode]") {
  const Fixture fixture;
  const auto matcher = fixture.pattern("(ab|the){1,3}");
  GenerateRequest r = request(matcher, 30, 12);
  r.serial = true;
  const auto constraint = [&] {
    return std::make_shared<AsapConstraint>(std::make_unique<GrammarConstraint>(matcher, false),
                                            std::make_shared<PermittedMass>());
  };
  r.constraint = constraint();
  const std::vector<Completion> expected = fixture.run(r);
  for (const Completion& c : expected) {
    CHECK(c.finish_reason == "stop");
    CHECK(matcher->accepting(*matcher->accept_bytes(matcher->start(), c.text)));
    CHECK(c.note.starts_with("\"asap\":{\"root_mass\":"));
  }
  for (const i64 batch : {1, 5}) {
    r.constraint = constraint();
    const std::vector<Completion> again = fixture.run(r, batch);
    for (std::size_t i = 0; i < again.size(); ++i) {
      CHECK(again[i].tokens == expected[i].tokens);
      CHECK(again[i].note == expected[i].note);
    }
  }
}

TEST_CASE("text without a choice has the tokenizer's tokens and few passes", "[decode]") {
  const Fixture fixture;
  const auto matcher = fixture.pattern("the (thin|tin) in the thing: [ab]{3} in the end");
  GenerateRequest r = request(matcher, 80, 3);
  const auto constraint = [&](const text::Tokenizer* tokenizer) {
    return std::make_shared<GrammarConstraint>(matcher, true, tokenizer);
  };
  r.logprobs = true;
  r.constraint = constraint(fixture.tokenizer.get());
  GenerateStats stats;
  const std::vector<Completion> expected = fixture.run(r, 16, false, &stats);
  CHECK(stats.forced_rows > 0);
  CHECK(stats.steps < isize(expected[0].tokens));
  const std::unique_ptr<text::EncodeState> state = fixture.tokenizer->new_state();
  for (const Completion& c : expected) {
    CHECK(c.finish_reason == "grammar");
    CHECK(*matcher->closed(*matcher->accept_bytes(matcher->start(), c.text)));
    std::vector<i32> ids;
    fixture.tokenizer->encode("the ", *state, ids);
    CHECK(std::equal(ids.begin(), ids.begin() + 1, c.tokens.begin()));
    ids.clear();
    fixture.tokenizer->encode(" in the end", *state, ids);
    CHECK(std::equal(ids.rbegin(), ids.rend(), c.tokens.rbegin()));
    CHECK(c.logprobs.size() == c.tokens.size());  // the model's own
    CHECK(*std::min_element(c.logprobs.begin(), c.logprobs.end()) < -0.1f);
  }
  for (const i64 batch : {1, 2}) {
    for (const bool drafts : {false, true}) {
      const std::vector<Completion> again = fixture.run(r, batch, drafts);
      for (std::size_t i = 0; i < again.size(); ++i) {
        CHECK(again[i].tokens == expected[i].tokens);
        CHECK(again[i].logprobs == expected[i].logprobs);
      }
    }
  }
  // A token that is banned: the text comes in others.
  r.params.logit_bias = {{257, -std::numeric_limits<f64>::infinity()}};  // "the"
  for (const Completion& c : fixture.run(r)) {
    CHECK(c.finish_reason == "grammar");
    CHECK(std::find(c.tokens.begin(), c.tokens.end(), 257) == c.tokens.end());
  }
}
