#include "decode/languages.h"

#include <set>

#include <malloc.h>

#include "catch.h"
#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"

namespace lm::decode {
namespace {

constexpr i32 kEnd = 0;

/// A vocabulary of words, numbers, marks and bytes; id 0 ends texts.
std::vector<std::string> vocabulary(i64 size) {
  std::vector<std::string> out{""};
  for (int byte = 0; byte < 256; ++byte)
    out.emplace_back(1, static_cast<char>(byte));
  for (const char* const mark :
       {"\": ", "\", \"", "{\"", "\"}", ", ", "[]", "},", "true", "false", "null"})
    out.emplace_back(mark);
  const RandomStream draws(7, RandomPurpose::kOther);
  std::set<std::string> known;
  for (u64 k = 0; isize(out) < size; ++k) {
    std::string word = k % 3 == 0 ? " " : "";
    for (u64 i = 0; i < 2 + draws.below(100 * k, 9); ++i)
      word += static_cast<char>(k % 17 == 0 ? '0' + draws.below(100 * k + i + 1, 10)
                                            : 'a' + draws.below(100 * k + i + 1, 26));
    if (known.insert(word).second) out.push_back(word);
  }
  return out;
}

/// Objects of many fields, in lists, with patterns, numbers and alternatives.
std::string schema(i64 number, i64 fields) {
  std::string properties;
  std::string required;
  for (i64 i = 0; i < fields; ++i) {
    const std::string name = cat("field", number, "of", i);
    const char* const kinds[] = {
        R"({"type":"string","maxLength":40})",
        R"({"type":"integer","minimum":-17,"maximum":90210})",
        R"({"type":"string","pattern":"^[a-z]{2,9}(-[0-9]{1,4})?$"})",
        R"({"type":"array","items":{"type":"object","properties":{"a":{"type":"number"},"b":{"enum":["x","y",null]}},"required":["a"],"additionalProperties":false},"maxItems":7})",
        R"({"anyOf":[{"type":"boolean"},{"type":"string","minLength":3}]})"};
    append(properties, i > 0 ? "," : "", "\"", name, "\":", kinds[i % 5]);
    if (i % 2 == 0) append(required, required.empty() ? "" : ",", "\"", name, "\"");
  }
  return cat("{\"type\":\"object\",\"properties\":{", properties, "},\"required\":[", required,
             "],\"additionalProperties\":false}");
}

/// A random text of the language, token by token; returns how many tokens it took.
i64 walk(grammar::Matcher& matcher, u64 seed, i64 most) {
  const RandomStream draws(seed, RandomPurpose::kOther);
  std::vector<u32> mask(usize(matcher.trie().words()));
  grammar::State state = matcher.start();
  for (i64 i = 0; i < most; ++i) {
    const std::optional<Fault> fault = matcher.mask(state, mask);  // may throw, which is asked for
    REQUIRE(!fault);
    std::vector<i32> allowed;
    for (i32 id = 0; id < matcher.trie().vocab(); ++id)
      if (grammar::allows(mask, id)) allowed.push_back(id);
    REQUIRE(!allowed.empty());
    const i32 token = allowed[draws.below(static_cast<u64>(i), allowed.size())];
    if (token == kEnd) return i;
    const Result<grammar::State> after = matcher.accept(state, token);
    REQUIRE(after);
    state = *after;
  }
  return most;
}

/// Bytes that the program has from the heap; 0 where that is not known (sanitizers).
i64 heap_bytes() {
  malloc_trim(0);
  const struct mallinfo2 info = mallinfo2();
  return static_cast<i64>(info.uordblks + info.hblkhd);
}

}  // namespace

TEST_CASE("what languages take of the heap is charged", "[languages]") {
  if (heap_bytes() == 0) return;
  std::vector<std::string> texts = vocabulary(50000);
  MemoryBudget memory(i64{4} << 30);
  LanguagesOptions options;
  options.memory = &memory;
  const i64 before = heap_bytes();
  {
    Languages languages(std::move(texts), {kEnd}, options);
    for (i64 number = 0; number < 6; ++number) {
      const Result<Languages::Matcher> made =
          languages.get({Language::Kind::kSchema, schema(number, 40 + 60 * number)});
      REQUIRE(made);
      for (u64 seed = 0; seed < 4; ++seed)
        CHECK(walk(**made, seed, 150) > 0);
      const i64 heap = heap_bytes() - before;
      CAPTURE(number, heap, memory.used());
      // The vocabulary's texts were there before; blocks have heads.
      CHECK(heap <= memory.used() + (i64{1} << 20));
      CHECK(memory.used() <= 6 * (heap + (i64{2} << 20)));
    }
  }
  CHECK(memory.used() == 0);
}

TEST_CASE("compiling is charged as it grows, and bounded by what a language may take",
          "[languages]") {
  std::string choices;
  for (i64 i = 0; i < 4000; ++i)
    append(choices, i == 0 ? "[" : ",", "\"", hex64(mix64(static_cast<u64>(i))), "\"");
  choices += "]";
  const Language language{Language::Kind::kChoices, choices};
  const auto fault = [&](i64 limit, i64 state_bytes) -> std::string {
    MemoryBudget memory(limit);
    LanguagesOptions options;
    options.memory = &memory;
    options.state_bytes = state_bytes;
    Languages languages(vocabulary(300), {kEnd}, options);
    const Result<Languages::Matcher> made = languages.get(language);
    return made ? "" : made.fault().code;
  };
  CHECK(fault(i64{1} << 30, i64{256} << 20).empty());
  CHECK(fault(i64{1} << 30, i64{1} << 20) == "budget");
  CHECK(fault(i64{4} << 20, i64{256} << 20) == "budget");  // a quarter of it
  // A small one needs no more of the budget than it takes.
  MemoryBudget memory(i64{8} << 20);
  MemoryCharge most(memory, i64{6} << 20, "others");
  LanguagesOptions options;
  options.memory = &memory;
  Languages languages(vocabulary(300), {kEnd}, options);
  CHECK(languages.get({Language::Kind::kRegex, "a+"}));
}

TEST_CASE("languages that nobody uses give way, and what is used ends the run", "[languages]") {
  const std::vector<std::string> texts = vocabulary(5000);
  const auto languages_of = [&](MemoryBudget& memory, i64 kept) {
    LanguagesOptions options;
    options.memory = &memory;
    options.kept = kept;
    return std::make_unique<Languages>(texts, std::vector<i32>{kEnd}, options);
  };
  const auto language = [&](i64 number) {
    return Language{Language::Kind::kSchema, schema(number, 30)};
  };
  // What one takes, the vocabulary with it.
  i64 one = 0;
  {
    MemoryBudget memory(i64{1} << 30);
    const std::unique_ptr<Languages> languages = languages_of(memory, 16);
    const Result<Languages::Matcher> made = languages->get(language(0));
    REQUIRE(made);
    walk(**made, 1, 100);
    one = memory.used();
  }
  // 16 one after the other, in the memory of five with what compiling takes.
  MemoryBudget memory(5 * one);
  const std::unique_ptr<Languages> languages = languages_of(memory, 16);
  for (i64 number = 0; number < 16; ++number) {
    const Result<Languages::Matcher> made = languages->get(language(number));
    REQUIRE(made);
    walk(**made, 1, 100);
    CHECK(memory.used() <= memory.limit());
  }
  // All at once do not fit.
  std::vector<Languages::Matcher> held;
  const auto hold_all = [&] {
    for (i64 number = 0; number < 40; ++number) {
      const Result<Languages::Matcher> made = languages->get(language(number));
      REQUIRE(made);
      walk(**made, 1, 100);
      held.push_back(*made);
    }
  };
  CHECK_THROWS_AS(hold_all(), Error);
  CHECK(!held.empty());
  CHECK(memory.used() <= memory.limit());
}

TEST_CASE("memory changes no mask", "[languages]") {
  const std::vector<std::string> texts = vocabulary(3000);
  MemoryBudget small(i64{12} << 20);
  LanguagesOptions options;
  options.memory = &small;
  Languages tight(texts, {kEnd}, options);
  Languages free(texts, {kEnd}, {});
  const Language language{Language::Kind::kSchema, schema(1, 20)};
  const Result<Languages::Matcher> a = tight.get(language);
  const Result<Languages::Matcher> b = free.get(language);
  REQUIRE(a);
  REQUIRE(b);
  for (u64 seed = 0; seed < 8; ++seed)
    CHECK(walk(**a, seed, 120) == walk(**b, seed, 120));
}

TEST_CASE("languages of records: one field at most, a constraint by its type", "[languages]") {
  const auto read = [](const std::string& record) {
    io::JsonReader json({kLanguageFields[0], kLanguageFields[1], kLanguageFields[2],
                         kLanguageFields[3], kLanguageFields[4]});
    std::string line = record;
    line.resize(line.size() + io::kJsonPadding);
    REQUIRE(!json.parse(std::string_view(line).substr(0, record.size())));
    const Result<std::optional<Language>> out = language_of(json, {0, 1, 2, 3, 4});
    if (!out) return cat("fault ", out.fault().code);
    return !*out ? std::string("none") : cat(static_cast<int>((*out)->kind), " ", (*out)->text);
  };
  CHECK(read(R"({"a":1})") == "none");
  CHECK(read(R"({"constraint":null})") == "none");
  CHECK(read(R"({"regex":"a+"})") == "2 a+");
  CHECK(read(R"({"constraint":{"type":"regex","value":"a+"}})") == "2 a+");
  CHECK(read(R"({"grammar":"root ::= \"a\""})") == "0 root ::= \"a\"");
  CHECK(read(R"({"constraint":{"type":"grammar","value":"root ::= \"a\""}})") ==
        "0 root ::= \"a\"");
  CHECK(read(R"({"schema":{"const": 1}})") == "3 {\"const\": 1}");
  CHECK(read(R"({"schema":"{\"const\": 1}"})") == "3 {\"const\": 1}");
  CHECK(read(R"({"constraint":{"type":"json_schema","value":{"b":1,"a":2}}})") ==
        "3 {\"b\":1,\"a\":2}");
  CHECK(read(R"({"choices":["a","b"]})") == "5 [\"a\",\"b\"]");
  CHECK(read(R"({"constraint":{"type":"choices","value":["a","b"]}})") == "5 [\"a\",\"b\"]");
  CHECK(read(R"({"regex":"a","choices":["b"]})") == "fault grammar");
  CHECK(read(R"({"regex":"a","constraint":{"type":"regex","value":"a"}})") == "fault grammar");
  CHECK(read(R"({"constraint":"a"})") == "fault grammar");
  CHECK(read(R"({"constraint":{"type":"regex"}})") == "fault grammar");
  CHECK(read(R"({"constraint":{"type":"regex","value":1}})") == "fault grammar");
  CHECK(read(R"({"constraint":{"type":"words","value":"a"}})") == "fault grammar");
  CHECK(read(R"({"constraint":{"type":"regex","value":"a","more":1}})") == "fault grammar");
  CHECK(read(R"({"regex":1})") == "fault type");
}

}  // namespace lm::decode
