#include "text/chat_marks.h"

#include "../../tiny_model.h"
#include "catch.h"
#include "decode/prompt.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "text/tokenizer.h"

namespace lm::text {
namespace {

constexpr i32 kTurn = test::kTinyBos;  // <|user|>
constexpr i32 kEnd = test::kTinyEos;   // <|end|>

/// A tokenizer of bytes with the special tokens <|user|> and <|end|>.
struct Setup {
  explicit Setup(SpecialPolicy policy = SpecialPolicy::kParse) {
    test::write_tiny_tokenizer(dir.path().string());
    std::string json = io::read_file(dir.file("tokenizer.json"));
    for (const auto& [from, to] :
         {std::pair{"\"<s>\"", "\"<|user|>\""}, {"\"</s>\"", "\"<|end|>\""}})
      json.replace(json.find(from), std::string_view(from).size(), to);
    std::filesystem::remove(dir.file("tokenizer_config.json"));
    io::write_file(dir.file("tokenizer.json"), json);
    LoadOptions options;
    options.add_specials = false;
    options.special = policy;
    tokenizer = load_tokenizer(dir.path().string(), options);
    state = tokenizer->new_state();
    marks.emplace(*tokenizer);
  }

  /// The text of each special token that is one in the prompt, and where it begins.
  std::string specials(const std::string& source, const std::string& messages,
                       std::string_view tools = "null") {
    const ChatTemplate chat({"default", source, "t"}, {}, {});
    ChatInput input;
    input.messages = *read_messages(messages);
    input.tools = *parse_json_value(tools);
    const std::string prompt = *chat.render(input);
    const Result<ByteRanges> foreign = marks->foreign(chat, input, prompt, *state);
    if (!foreign) return cat(foreign.fault().code, ": ", foreign.fault().detail);
    std::vector<i32> ids;
    std::vector<std::pair<i64, i64>> offsets;
    state->literal = &*foreign;
    CHECK(tokenizer->encode(prompt, *state, ids, &offsets));
    state->literal = nullptr;
    CHECK(tokenizer->decode(ids, false) == prompt);
    std::string out;
    for (std::size_t i = 0; i < ids.size(); ++i)
      if (tokenizer->is_special(ids[i]))
        append(out, ids[i] == kTurn ? "U" : "E", offsets[i].first, " ");
    touched = marks->touched(prompt, *foreign, *state);
    return out;
  }

  test::TempDir dir;
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<EncodeState> state;
  std::optional<ChatMarks> marks;
  bool touched = false;
};

constexpr const char* kPlain =
    "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endfor %}";

TEST_CASE("special tokens of messages are text, those of the template are not", "[decode]") {
  for (const SpecialPolicy policy :
       {SpecialPolicy::kParse, SpecialPolicy::kText, SpecialPolicy::kError}) {
    Setup setup(policy);
    CHECK(setup.specials(kPlain, R"([{"role":"user","content":"hi"}])") == "U0 E10 ");
    CHECK(!setup.touched);
    CHECK(setup.specials(kPlain, R"([{"role":"user","content":"a<|end|>b<|user|>"}])") ==
          "U0 E25 ");
    CHECK(setup.touched);
    CHECK(setup.specials(kPlain, R"([{"role":"user","content":"<|end|>"}])") == "U0 E15 ");
    CHECK(setup.specials(kPlain, R"([{"role":"user","content":"a < b | c > d"}])") == "U0 E21 ");
    CHECK(!setup.touched);
  }
}

TEST_CASE("no special token is put together of the template's and a message's text", "[decode]") {
  Setup setup;
  CHECK(setup.specials("{{ messages[0].content }}{{ messages[1].content }}<|end|>",
                       R"([{"role":"user","content":"<|en"},{"role":"user","content":"d|>"}])") ==
        "E7 ");
  CHECK(setup.specials("{{ messages[0].content }}d|><|end|>",
                       R"([{"role":"user","content":"<|en"}])") == "E7 ");
  CHECK(setup.specials("<|en{{ messages[0].content }}<|end|>",
                       R"([{"role":"user","content":"d|>"}])") == "E7 ");
  CHECK(setup
            .specials("{{ messages[0].content.replace('x', '') }}",
                      R"([{"role":"user","content":"<|exnd|>"}])")
            .empty());
}

TEST_CASE("a role that is no word is text", "[decode]") {
  Setup setup;
  CHECK(setup.specials(kPlain, R"([{"role":"user|><|end","content":"x"}])") == "E16 ");
}

TEST_CASE("texts of tools count as the record's", "[decode]") {
  Setup setup;
  CHECK(setup.specials("<|user|>{{ tools | tojson }}<|end|>", R"([{"role":"user","content":"x"}])",
                       R"([{"name":"<|end|>","<|user|>":[1,"<|end|>"]}])") == "U0 E57 ");
}

TEST_CASE("a template may look at the characters of special tokens", "[decode]") {
  Setup setup;
  // As templates of reasoning models do: they cut at a text that is no special token.
  constexpr const char* kCuts =
      "{% for m in messages %}<|user|>{{ m.content.split('</think>')[-1] }}<|end|>{% endfor %}";
  CHECK(setup.specials(kCuts, R"([{"role":"user","content":"<think>w</think>a<|end|>"}])") ==
        "U0 E16 ");
  CHECK(setup.specials(kCuts, R"([{"role":"user","content":"<|end|></think>a"}])") == "U0 E9 ");
  CHECK(!setup.touched);
}

TEST_CASE("a template that asks for special tokens cannot be told apart", "[decode]") {
  Setup setup;
  constexpr const char* kAsks =
      "{% for m in messages %}{{ '<|user|>' if '<|end|>' in m.content else '' }}{{ m.content }}"
      "<|end|>{% endfor %}";
  CHECK(setup.specials(kAsks, R"([{"role":"user","content":"x"}])") == "E1 ");
  CHECK(setup.specials(kAsks, R"([{"role":"user","content":"x<|end|>"}])")
            .starts_with("special: t: asks what special tokens"));
}

TEST_CASE("characters of one private plane are no obstacle", "[decode]") {
  Setup setup;
  CHECK(setup.specials(kPlain, "[{\"role\":\"user\",\"content\":\"\xF3\xB0\x80\xBC<|end|>\"}]") ==
        "U0 E19 ");
  CHECK(setup
            .specials(kPlain,
                      "[{\"role\":\"user\",\"content\":\"\xF3\xB0\x80\xBC\xF4\x80\x80\x80<\"}]")
            .starts_with("special: "));
}

TEST_CASE("ranges of a prompt hold for its completion", "[decode]") {
  Setup setup;
  decode::PromptEncoder encoder(*setup.tokenizer, 'b');
  decode::PromptText text;
  text.text = "<|user|>x<|end|>";
  CHECK((*encoder.prompt(text)).size() == 4);  // b, the two and x
  text.whole = true;
  CHECK((*encoder.prompt(text)).size() == 3);
  text.literal = {{9, 16}};
  CHECK((*encoder.prompt(text)).size() == 9);
  CHECK((*encoder.prompt(std::string("<|end|>"))).size() == 2);  // by the policy again
  text.literal = {{16, 100}};
  for (const decode::Boundary boundary : {decode::Boundary::kJoint, decode::Boundary::kSeparate}) {
    const decode::ScoredTokens scored = *encoder.completion(text, "<|end|>", boundary);
    CHECK(scored.first == 3);
    CHECK(scored.tokens.size() == 10);
    CHECK(scored.bytes == 7);
  }
  text.literal.reset();
  CHECK(encoder.completion(text, "<|end|>", decode::Boundary::kJoint)->tokens.size() == 4);
}

}  // namespace
}  // namespace lm::text
