// Three real vocabularies, 300 schemas and 100 grammars: at random places of random documents each
// token is tried.

#include "catch.h"
#include "core/str.h"
#include "grammar/grammar.h"
#include "grammar/matcher.h"
#include "unit/grammar/random_schema.h"
#include "unit/grammar/slow_grammar.h"

namespace {

using namespace lm;
using namespace lm::grammar;

struct Language {
  std::string source;
  GrammarPtr grammar;
};

std::vector<Language> languages() {
  std::vector<Language> out;
  i64 refused = 0;
  for (u64 seed = 1; out.size() < 300; ++seed) {
    const io::Json schema = test::RandomSchema(seed).make();
    const Result<GrammarPtr> made = compile_json_schema(schema);
    if (made) {
      out.push_back({schema.dump(), *made});
      continue;
    }
    ++refused;
    INFO(schema.dump());
    REQUIRE(made.fault().detail == "schema # matches no finite text");
  }
  CHECK(refused < 30);
  for (u64 seed = 1; out.size() < 400; ++seed) {
    const std::string source = test::random_grammar(seed).gbnf();
    const Result<GrammarPtr> made = compile_gbnf(source);
    if (made) out.push_back({source, *made});
  }
  return out;
}

}  // namespace

TEST_CASE("masks of 300 schemas and 100 grammars are what trying every token gives", "[grammar]") {
  const std::vector<Language> all = languages();
  std::vector<i32> next;
  for (const char* const name : {"gpt2", "llama3", "gemma3"}) {
    const std::filesystem::path file =
        test::data_dir() / "tokenizers" / name / "tokenizer.json.zst";
    if (!std::filesystem::exists(file)) LM_SKIP("no tokenizer data");
    text::LoadOptions load;
    load.add_specials = false;
    const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(file.string(), load);
    const i32 end = static_cast<i32>(tokenizer->vocab_size());
    const auto trie = std::make_shared<const TokenTrie>(*tokenizer, end + 1);
    std::vector<u32> mask(usize(trie->words()));
    std::vector<u32> closing(usize(trie->words()));
    for (std::size_t l = 0; l < all.size(); ++l) {
      Result<std::unique_ptr<Matcher>> made = Matcher::make(all[l].grammar, trie, {end});
      REQUIRE(made);
      Matcher& m = **made;
      test::Dice dice(l * 3 + static_cast<u64>(end));
      State s = m.start();
      std::string text;
      for (int steps = dice.below(14); steps > 0; --steps) {
        REQUIRE(!(dice.one_in(3) ? m.closing_mask(s, mask) : m.mask(s, mask)));
        next.clear();
        for (i32 id = 0; id < end; ++id)
          if (allows(mask, id)) next.push_back(id);
        if (next.empty()) break;
        const i32 id = next[usize(dice.below(static_cast<int>(next.size())))];
        text += trie->text(id);
        s = *m.accept(s, id);
      }
      REQUIRE(!m.mask(s, mask));
      REQUIRE(!m.closing_mask(s, closing));
      INFO(name << " " << all[l].source << " at '" << text << "'");
      REQUIRE(allows(mask, end) == m.accepting(s));
      REQUIRE(allows(closing, end) == m.accepting(s));
      for (i32 id = 0; id < end; ++id) {
        const std::string_view bytes = trie->text(id);
        const State after = bytes.empty() ? kDead : *m.accept_bytes(s, bytes);
        if (allows(mask, id) != (after != kDead)) FAIL("token " << id << " '" << bytes << "'");
        const bool nearer = after != kDead && !m.accepting(s) && m.distance(after) < m.distance(s);
        if (allows(closing, id) != nearer) FAIL("closing token " << id << " '" << bytes << "'");
      }
    }
  }
}
