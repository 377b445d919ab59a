// Real vocabularies: tries, masks at every prefix of documents, forced text.

#include "catch.h"
#include "core/str.h"
#include "grammar/forced.h"
#include "grammar/grammar.h"
#include "unit/grammar/slow_grammar.h"

namespace {

using namespace lm;
using namespace lm::grammar;

std::unique_ptr<text::Tokenizer> load(const std::string& name) {
  const std::filesystem::path file = test::data_dir() / "tokenizers" / name / "tokenizer.json.zst";
  if (!std::filesystem::exists(file)) return nullptr;
  text::LoadOptions options;
  options.add_specials = false;
  return text::load_tokenizer(file.string(), options);
}

constexpr const char* kSchema = R"({"type":"object","properties":{
  "name":{"type":"string"},"code":{"type":"string","pattern":"^[A-Z]{2}-[0-9]+$"},
  "note":{"type":"string","maxLength":30},"age":{"type":"integer","minimum":0,"maximum":150},
  "tags":{"type":"array","items":{"enum":["red","green","blue"]}},"more":{}},
  "required":["name","age"],"additionalProperties":false})";

}  // namespace

TEST_CASE("masks of real vocabularies are what trying every token gives", "[grammar]") {
  for (const std::string& name :
       {std::string("gpt2"), std::string("llama3"), std::string("gemma3")}) {
    const std::unique_ptr<text::Tokenizer> tokenizer = load(name);
    if (!tokenizer) LM_SKIP("no tokenizer data");
    const i64 vocab = tokenizer->vocab_size() + 50;  // as models pad it
    const auto trie = std::make_shared<const TokenTrie>(*tokenizer, vocab);
    const i32 end = static_cast<i32>(vocab - 1);
    const Result<GrammarPtr> grammar = compile_json_schema(io::Json::parse(kSchema));
    if (!grammar) FAIL(grammar.fault().detail);
    const Result<std::unique_ptr<Matcher>> made = Matcher::make(*grammar, trie, {end});
    REQUIRE(made);
    Matcher& m = **made;
    std::vector<u32> mask(usize(trie->words()));
    // One document, and prefixes of it that stand in every kind of place.
    const std::string text =
        "{\"name\": \"J\\u00f6rg \xC3\xA9\xE2\x82\xAC\", \"code\": \"AB-12\", \"note\": \"see "
        "below, twenty-five\", "
        "\"age\": 42, \"tags\": [\"red\", \"blue\"], \"more\": {\"x\": [1.5e3, null, \"\\n\"]}}";
    test::Dice dice(1);
    for (i64 length = 0; length <= isize(text); length += 1 + dice.below(name == "gpt2" ? 4 : 12)) {
      const State s = *m.accept_bytes(m.start(), text.substr(0, usize(length)));
      REQUIRE(s != kDead);
      REQUIRE(!m.mask(s, mask));
      for (i32 id = 0; id < vocab; ++id) {
        const std::string_view bytes = trie->text(id);
        const bool want =
            id == end ? m.accepting(s) : !bytes.empty() && *m.accept_bytes(s, bytes) != kDead;
        if (allows(mask, id) != want)
          FAIL(name << " at '" << text.substr(0, usize(length)) << "': token " << id << " '"
                    << bytes << "' should be " << want);
      }
    }
    const State s = *m.accept_bytes(m.start(), text);
    CHECK(m.accepting(s));
  }
}

TEST_CASE("the trie holds each token's bytes, and no special token", "[grammar]") {
  const std::unique_ptr<text::Tokenizer> tokenizer = load("llama3");
  if (!tokenizer) LM_SKIP("no tokenizer data");
  const TokenTrie trie(*tokenizer, tokenizer->vocab_size());
  std::vector<int> seen(usize(trie.vocab()), 0);
  for (int part = 0; part < kTrieParts; ++part) {
    std::string path;
    for (const TrieNode& node : trie.nodes(part)) {
      path.resize(node.depth);
      path += static_cast<char>(node.byte);
      trie.each_token(node, [&](i32 id) {
        ++seen[usize(id)];
        if (trie.text(id) != path) FAIL(id);
      });
    }
  }
  i64 special = 0;
  for (i32 id = 0; id < trie.vocab(); ++id) {
    special += tokenizer->is_special(id);
    REQUIRE(seen[usize(id)] == (trie.text(id).empty() ? 0 : 1));
    REQUIRE(trie.text(id).empty() ==
            (tokenizer->is_special(id) || tokenizer->token_bytes(id).empty()));
  }
  CHECK(special == 256);
  const i64 the = trie.find(kPlain, " the");
  REQUIRE(the >= 0);
  CHECK(trie.nodes(kPlain)[usize(the)].token == *tokenizer->find("\xC4\xA0the"));
  CHECK(trie.find(kPlain, "no such token at all") < 0);
  CHECK(trie.find(kOdd, "\n") >= 0);
}

TEST_CASE("forced text is cut as the tokenizer cuts, up to where a longer token may stand",
          "[grammar]") {
  const std::unique_ptr<text::Tokenizer> tokenizer = load("llama3");
  if (!tokenizer) LM_SKIP("no tokenizer data");
  const auto trie = std::make_shared<const TokenTrie>(*tokenizer, tokenizer->vocab_size());
  const std::unique_ptr<text::EncodeState> scratch = tokenizer->new_state();
  const auto forced = [&](const char* schema, const std::string& before) {
    const Result<GrammarPtr> grammar = compile_json_schema(io::Json::parse(schema));
    REQUIRE(grammar);
    const Result<std::unique_ptr<Matcher>> made = Matcher::make(*grammar, trie, {});
    REQUIRE(made);
    Matcher& m = **made;
    const State s = *m.accept_bytes(m.start(), before);
    const Result<ForcedTokens> out = forced_tokens(*tokenizer, *scratch, m, s, before);
    REQUIRE(out);
    std::string text;
    for (const i32 id : out->ids)
      text += trie->text(id);
    REQUIRE(out->after == *m.accept_bytes(s, text));
    // As the tokenizer cuts the text as a whole.
    std::vector<i32> whole;
    tokenizer->encode(before + text, *scratch, whole);
    std::vector<i32> tail(whole.end() - isize(out->ids), whole.end());
    CHECK(tail == out->ids);
    return text;
  };
  constexpr const char* kFree =
      R"({"type":"object","properties":{"first_name":{"type":"string"}},"required":["first_name"],"additionalProperties":false})";
  // The opening quote of the value is left to the model: `"A` and ` "` with letters are tokens.
  const std::string open = forced(kFree, "");
  CHECK(open.starts_with("{\"first_name\""));
  CHECK(std::string("{\"first_name\": \"").starts_with(open));
  CHECK(open != "{\"first_name\": \"");
  constexpr const char* kConstant = R"({"const":{"status":"all systems nominal"}})";
  CHECK(forced(kConstant, "") == "{\"status\": \"all systems nominal\"}");
  // Where the text so far ends inside a token, nothing can be appended.
  CHECK(forced(kConstant, "{\"status\": \"all sys").empty());
  CHECK(forced(kFree, "{\"first_name\": \"A").empty());
}
