#include "grammar/matcher.h"

#include <thread>

#include "catch.h"
#include "grammar/grammar.h"
#include "unit/grammar/slow_grammar.h"

namespace {

using namespace lm;
using namespace lm::grammar;

std::shared_ptr<const TokenTrie> trie_of(std::vector<std::string> texts) {
  return std::make_shared<const TokenTrie>(std::move(texts));
}

std::unique_ptr<Matcher> matcher_of(const Result<GrammarPtr>& grammar,
                                    std::shared_ptr<const TokenTrie> trie,
                                    std::vector<i32> ends = {},
                                    const MatcherOptions& options = {}) {
  if (!grammar) FAIL(grammar.fault().detail);
  Result<std::unique_ptr<Matcher>> made =
      Matcher::make(*grammar, std::move(trie), std::move(ends), options);
  if (!made) FAIL(made.fault().detail);
  return std::move(*made);
}

std::vector<u32> mask_of(Matcher& matcher, State s) {
  std::vector<u32> bits(usize(matcher.trie().words()), 0xFFFFFFFFu);
  const std::optional<Fault> fault = matcher.mask(s, bits);
  if (fault) FAIL(fault->detail);
  return bits;
}

std::vector<i32> allowed(Matcher& matcher, State s) {
  const std::vector<u32> bits = mask_of(matcher, s);
  std::vector<i32> out;
  for (i32 id = 0; id < matcher.trie().vocab(); ++id) {
    if (allows(bits, id)) out.push_back(id);
  }
  return out;
}

State after(Matcher& matcher, State s, std::string_view text) {
  return *matcher.accept_bytes(s, text);
}

}  // namespace

TEST_CASE("a mask is what trying every token would give, on random grammars", "[grammar]") {
  int compiled = 0;
  i64 prefixes = 0;
  for (u64 seed = 1; seed <= 900; ++seed) {
    const test::SlowGrammar slow = test::random_grammar(seed);
    const Result<GrammarPtr> grammar = compile_gbnf(slow.gbnf());
    if (!grammar) continue;
    ++compiled;
    std::vector<std::string> texts = test::random_vocabulary(seed);
    const i32 end = static_cast<i32>(texts.size());
    texts.push_back("");
    const std::unique_ptr<Matcher> matcher = matcher_of(grammar, trie_of(texts), {end});
    test::Dice dice(seed + 7);
    for (int walk = 0; walk < 3; ++walk) {
      std::string text;
      State state = matcher->start();
      for (int step = 0; step < 5; ++step) {
        ++prefixes;
        const std::vector<u32> mask = mask_of(*matcher, state);
        INFO("seed " << seed << " text '" << text << "'\n" << slow.gbnf());
        const bool whole = test::SlowMatch(slow, text).whole();
        REQUIRE(matcher->accepting(state) == whole);
        REQUIRE(allows(mask, end) == whole);
        std::vector<i32> next;
        for (i32 id = 0; id < end; ++id) {
          const std::string& token = texts[usize(id)];
          const bool want = !token.empty() && test::SlowMatch(slow, text + token).begun();
          if (allows(mask, id) != want) FAIL("token '" << token << "' should be " << want);
          REQUIRE((*matcher->accept(state, id) != kDead) == want);
          if (want) next.push_back(id);
        }
        if (next.empty()) break;
        const i32 chosen = next[usize(dice.below(static_cast<int>(next.size())))];
        text += texts[usize(chosen)];
        state = *matcher->accept(state, chosen);
      }
    }
  }
  // Most of the others recurse to the left or never end.
  CHECK(compiled > 400);
  CHECK(prefixes > 3000);
}

TEST_CASE("distance and forced text agree with a search over bytes", "[grammar]") {
  for (u64 seed = 1; seed <= 300; ++seed) {
    const test::SlowGrammar slow = test::random_grammar(seed);
    const Result<GrammarPtr> grammar = compile_gbnf(slow.gbnf());
    if (!grammar) continue;
    const std::unique_ptr<Matcher> matcher = matcher_of(grammar, trie_of({"a", "b", "c", "x"}));
    INFO("seed " << seed << "\n" << slow.gbnf());
    test::Dice dice(seed);
    std::string text;
    for (int step = 0; step < 4; ++step) {
      const State state = after(*matcher, matcher->start(), text);
      if (state == kDead) break;
      // Every text that goes on by up to four letters.
      constexpr int kFar = 4;
      std::vector<std::string> open{""};
      int nearest = kFar + 1;
      for (int depth = 0; depth <= kFar && nearest > kFar; ++depth) {
        std::vector<std::string> more;
        for (const std::string& rest : open) {
          if (test::SlowMatch(slow, text + rest).whole()) nearest = depth;
          for (const char c : std::string(test::kLetters)) {
            if (test::SlowMatch(slow, text + rest + c).begun()) more.push_back(rest + c);
          }
        }
        open = std::move(more);
        if (open.size() > 64) break;
      }
      const i32 distance = matcher->distance(state);
      if (nearest <= kFar) REQUIRE(distance == nearest);
      std::string forced;
      while (!test::SlowMatch(slow, text + forced).whole()) {
        std::string only;
        for (const char c : std::string(test::kLetters)) {
          if (test::SlowMatch(slow, text + forced + c).begun()) only += c;
        }
        if (only.size() != 1) break;
        forced += only;
      }
      const Result<Matcher::Forced> got = matcher->forced(state);
      REQUIRE(got);
      REQUIRE(got->text == forced);
      REQUIRE(got->after == after(*matcher, state, forced));
      // With closing tokens alone the text ends after at most `distance` of them.
      std::vector<u32> bits(1);
      State closing = state;
      for (i32 i = 0; i < distance; ++i) {
        if (matcher->accepting(closing)) break;
        REQUIRE(!matcher->closing_mask(closing, bits));
        REQUIRE(bits[0] != 0);
        closing = *matcher->accept(closing, __builtin_ctz(bits[0]));
      }
      REQUIRE(matcher->accepting(closing));
      text += test::kLetters[dice.below(4)];
    }
  }
}

TEST_CASE("equal tokens all count, special ones never, ends where the text may end", "[grammar]") {
  const auto trie = trie_of({"a", "b", "ab", "ab", "", "b", "</s>", ""});
  const std::unique_ptr<Matcher> m =
      matcher_of(compile_gbnf("root ::= \"a\" \"b\"*"), trie, {4, 7});
  CHECK(allowed(*m, m->start()) == std::vector<i32>{0, 2, 3});
  const State a = *m->accept(m->start(), 0);
  CHECK(allowed(*m, a) == std::vector<i32>{1, 4, 5, 7});
  CHECK(*m->accept(a, 4) == kDead);  // an end token leads nowhere
  CHECK(allowed(*m, kDead).empty());
  // An end token with bytes of its own is not taken as text.
  const std::unique_ptr<Matcher> own = matcher_of(compile_regex("a+"), trie_of({"a", "aa"}), {1});
  CHECK(allowed(*own, own->start()) == std::vector<i32>{0});
  CHECK(allowed(*own, *own->accept(own->start(), 0)) == std::vector<i32>{0, 1});
  CHECK(*own->accept(own->start(), 1) == kDead);
}

TEST_CASE("tokens may split characters", "[grammar]") {
  const auto trie = trie_of({"\xC3", "\xA9", "\xA4", "\xC3\xA9", "\xE2\x82", "\xAC", "e"});
  const std::unique_ptr<Matcher> m = matcher_of(compile_regex("[\xC3\xA9\xE2\x82\xAC]{2}"), trie);
  CHECK(allowed(*m, m->start()) == std::vector<i32>{0, 3, 4});
  const State lead = *m->accept(m->start(), 0);
  CHECK(allowed(*m, lead) == std::vector<i32>{1});
  CHECK(m->distance(lead) == 3);
  CHECK(allowed(*m, *m->accept(m->start(), 4)) == std::vector<i32>{5});
  const State one = *m->accept(lead, 1);
  CHECK(one == *m->accept(m->start(), 3));
}

TEST_CASE("old states stay valid while others go on", "[grammar]") {
  const auto trie = trie_of({"(", ")", "()", "))", "x"});
  const std::unique_ptr<Matcher> m =
      matcher_of(compile_gbnf("root ::= item+\nitem ::= \"(\" item* \")\" | \"x\""), trie);
  std::vector<State> states{m->start()};
  std::vector<std::vector<i32>> masks{allowed(*m, states[0])};
  for (int i = 0; i < 200; ++i) {
    states.push_back(*m->accept(states.back(), 0));
    masks.push_back(allowed(*m, states.back()));
  }
  for (std::size_t i = 0; i < states.size(); ++i) {
    CHECK(allowed(*m, states[i]) == masks[i]);
    CHECK(m->distance(states[i]) == (i == 0 ? 1 : static_cast<i32>(i)));
  }
  CHECK(masks[1] == std::vector<i32>{0, 1, 2, 4});
  CHECK(masks[2] == std::vector<i32>{0, 1, 2, 3, 4});
  // The same text is the same state, however it was reached.
  CHECK(after(*m, m->start(), "(((") == states[3]);
  CHECK(*m->accept(*m->accept(states[3], 2), 1) == states[2]);
}

TEST_CASE("a call at the end of a rule does not grow the stack", "[grammar]") {
  const std::unique_ptr<Matcher> m =
      matcher_of(compile_gbnf("root ::= \"a\" root | \"b\""), trie_of({"a", "b"}));
  const State once = after(*m, m->start(), "a");
  CHECK(after(*m, m->start(), std::string(10000, 'a')) == once);
  const i64 used = m->state_bytes_used();
  after(*m, once, std::string(100000, 'a'));
  CHECK(m->state_bytes_used() == used);
}

TEST_CASE("a spent budget is a fault that names it, and stays one", "[grammar]") {
  const Result<GrammarPtr> nested = compile_gbnf("root ::= \"(\" root \")\" | \"x\"");
  MatcherOptions options;
  options.state_bytes = 20000;
  const std::unique_ptr<Matcher> m = matcher_of(nested, trie_of({"(", ")", "x"}), {}, options);
  State state = m->start();
  std::optional<Fault> fault;
  i64 depth = 0;
  for (; depth < 100000 && !fault; ++depth) {
    const Result<State> next = m->accept(state, 0);
    if (next) {
      state = *next;
    } else {
      fault = next.fault();
    }
  }
  REQUIRE(fault);
  CHECK(fault->code == "budget");
  CHECK(fault->detail.find("19.5 KiB of grammar memory") != std::string::npos);
  CHECK(depth > 20);
  CHECK(!m->accept(state, 0));
  std::vector<u32> bits(1);
  CHECK(m->mask(state, bits).has_value());
  CHECK(m->state_bytes_used() < 40000);
  // What was known before still is.
  CHECK(*m->accept(m->start(), 0) == after(*m, m->start(), "("));
  options.state_bytes = 10;
  const auto none = Matcher::make(*nested, trie_of({"("}), {}, options);
  REQUIRE(!none);
  CHECK(none.fault().code == "budget");
  const Result<GrammarPtr> compiled = compile_regex("[a-z]{3}(foo|bar)*", {.bytes = 100});
  REQUIRE(!compiled);
  CHECK(compiled.fault().code == "budget");
}

TEST_CASE("masks that were dropped are made again", "[grammar]") {
  std::vector<std::string> texts;
  for (int b = 0; b < 128; ++b)
    texts.push_back(std::string(1, static_cast<char>(b)));
  for (int b = 0; b < 2000; ++b)
    texts.push_back("w" + std::to_string(b));
  MatcherOptions tight;
  tight.mask_bytes = 1;
  const Result<GrammarPtr> grammar = compile_regex("(w[0-9]{1,4}|\"[^\"]{0,6}\"){3}");
  const auto trie = trie_of(texts);
  const std::unique_ptr<Matcher> roomy = matcher_of(grammar, trie);
  const std::unique_ptr<Matcher> small = matcher_of(grammar, trie, {}, tight);
  const std::string text = "w12w9\"a b c";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string prefix = text.substr(0, length);
    const std::vector<u32> want = mask_of(*roomy, after(*roomy, roomy->start(), prefix));
    CHECK(mask_of(*small, after(*small, small->start(), prefix)) == want);
    CHECK(mask_of(*small, after(*small, small->start(), prefix)) == want);
  }
}

TEST_CASE("several threads may ask one matcher", "[grammar]") {
  const auto trie =
      trie_of({"{", "}", "[", "]", "\"", "a", "b", ": ", ", ", "1", "\"a\"", "[1", "]}"});
  const Result<GrammarPtr> grammar = compile_json();
  const std::unique_ptr<Matcher> shared = matcher_of(grammar, trie);
  std::vector<std::vector<std::vector<u32>>> masks(4);
  std::vector<std::thread> threads;
  const auto walk = [&](Matcher& m, u64 seed) {
    std::vector<std::vector<u32>> out;
    test::Dice dice(seed);
    State s = m.start();
    for (int i = 0; i < 300; ++i) {
      std::vector<u32> mask(1);
      if (m.mask(s, mask)) break;
      out.push_back(mask);
      const i32 id = dice.below(13);
      if (allows(mask, id)) s = *m.accept(s, id);
    }
    return out;
  };
  for (u64 t = 0; t < 4; ++t)
    threads.emplace_back([&, t] { masks[usize(static_cast<i64>(t))] = walk(*shared, t); });
  for (std::thread& thread : threads)
    thread.join();
  for (u64 t = 0; t < 4; ++t) {
    const std::unique_ptr<Matcher> alone = matcher_of(grammar, trie);
    CHECK(masks[usize(static_cast<i64>(t))] == walk(*alone, t));
  }
}

TEST_CASE("characters of strings are counted, tokens of many are not looked at one by one",
          "[grammar]") {
  // Tokens of every length up to 40 characters, of one, two and three bytes each.
  std::vector<std::string> texts{"\"", "\\", "\n", "\xC3"};
  for (int n = 1; n <= 40; ++n) {
    for (const std::string& c :
         {std::string("a"), std::string("\xC3\xA9"), std::string("\xE2\x82\xAC")}) {
      std::string text;
      for (int i = 0; i < n; ++i)
        text += c;
      texts.push_back(text);
      texts.push_back(text + "\"");
    }
  }
  const auto trie = trie_of(texts);
  for (const int limit : {0, 1, 5, 24, 25, 30, 100}) {
    const Result<GrammarPtr> grammar =
        compile_gbnf("root ::= s \",\" s\ns ::= \"\\\"\" [^\"\\\\\\n]{0," + std::to_string(limit) +
                     "} \"\\\"\"");
    const std::unique_ptr<Matcher> m = matcher_of(grammar, trie);
    for (const std::string& prefix :
         {std::string("\""), std::string("\"aa"), std::string("\"aaa\",\"a")}) {
      const State state = after(*m, m->start(), prefix);
      if (state == kDead) continue;
      const std::vector<u32> mask = mask_of(*m, state);
      for (i32 id = 0; id < trie->vocab(); ++id)
        REQUIRE(allows(mask, id) == (after(*m, state, texts[usize(id)]) != kDead));
    }
  }
}
