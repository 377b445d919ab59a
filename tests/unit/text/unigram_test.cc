// Unigram tokenizers of tokenizer.json and SentencePiece's normalisation table. Expected ids and
// ranges were made by the Hugging Face engine 0.23.3 with the same file; scripts/bench/
// parity_tokenizers compares real ones.

#include "text/unigram.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>

#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "io/json.h"
#include "text/charsmap.h"
#include "text/tokenizer.h"

using namespace lm;
using Ids = std::vector<i32>;
using Ranges = std::vector<std::pair<i64, i64>>;
using nlohmann::json;
using text::Span;

namespace {

/// "A" becomes "a", "e" with U+0301 the letter U+00E9: a double array of one block. A unit is
/// label, leaf bit 8, offset << 10; from unit i byte b leads to i ^ offset ^ b.
std::string tiny_table() {
  std::array<u32, 256> units{};
  units[0x41] = 0x41 | 1 << 8 | (0x41 ^ 1) << 10;
  units[1] = u32{1} << 31;
  units[0x65] = 0x65;
  units[0x65 ^ 0xCC] = 0xCC;
  units[0x65 ^ 0xCC ^ 0x81] = 0x81 | 1 << 8 | (0x65 ^ 0xCC ^ 0x81 ^ 2) << 10;
  units[2] = u32{1} << 31 | 2;
  std::string out(4 + sizeof units, '\0');
  const u32 bytes = sizeof units;
  std::memcpy(out.data(), &bytes, 4);
  std::memcpy(out.data() + 4, units.data(), sizeof units);
  return out + std::string("a\0\xC3\xA9\0", 5);
}

json tokenizer_json(bool byte_fallback) {
  json out = json::parse(R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
    "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},
      {"type":"Metaspace","replacement":"\u2581","prepend_scheme":"always","split":true}]},
    "post_processor":{"type":"TemplateProcessing","pair":[],
      "single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
                {"SpecialToken":{"id":"</s>","type_id":0}}],
      "special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]},
                        "</s>":{"id":"</s>","ids":[2],"tokens":["</s>"]}}},
    "decoder":{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"always","split":true},
    "model":{"type":"Unigram","unk_id":0,
      "vocab":[["<unk>",0.0],["<s>",0.0],["</s>",0.0],["\u2581",-2.0],["a",-1.0],["b",-2.0],
               ["ab",-2.5],["abc",-10.0],["c",-3.0],["\u00e9",-4.0],["d",-1.0],["dd",-2.0],
               ["\u2581a",-1.5],["<0x78>",-6.0],["<0x79>",-6.0]]}})");
  out["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", io::base64(tiny_table())}};
  out["model"]["byte_fallback"] = byte_fallback;
  i64 id = 0;
  for (const char* name : {"<unk>", "<s>", "</s>"})
    out["added_tokens"].push_back({{"id", id++},
                                   {"content", name},
                                   {"single_word", false},
                                   {"lstrip", false},
                                   {"rstrip", false},
                                   {"normalized", false},
                                   {"special", true}});
  return out;
}

std::unique_ptr<text::Tokenizer> load(const test::TempDir& dir, const json& file) {
  std::ofstream(dir.file("tokenizer.json")) << file.dump();
  return text::load_tokenizer(dir.file("tokenizer.json"));
}

}  // namespace

TEST_CASE("unigram ids, ranges and texts are those of the engine", "[text]") {
  struct Case {
    const char* text;
    Ids ids;
    Ranges ranges;  // empty: not compared, the engine's are of characters
    const char* decoded;
  };
  // "dd" and twice "d" are equally likely: the way that was found first stays.
  const std::vector<Case> cases = {
      {"ab abc",
       {1, 12, 5, 12, 5, 8, 2},
       {{0, 0}, {0, 1}, {1, 2}, {3, 4}, {4, 5}, {5, 6}, {6, 6}},
       "ab abc"},
      {"A", {1, 12, 2}, {{0, 0}, {0, 1}, {1, 1}}, "a"},
      {"Ae\xCC\x81"
       "A\xCC\x81",
       {1, 12, 9, 4, 2},
       {},
       "a\xC3\xA9"
       "a"},
      {"dd ddd", {1, 3, 11, 3, 10, 11, 2}, {}, "dd ddd"},
      {"xyxy", {1, 3, 0, 2}, {{0, 0}, {0, 0}, {0, 4}, {4, 4}}, ""},
      {"axb", {1, 12, 0, 5, 2}, {{0, 0}, {0, 1}, {1, 2}, {2, 3}, {3, 3}}, "ab"},
      {"xz a", {1, 3, 0, 12, 2}, {}, " a"},
      {"<s>a</s>b", {1, 1, 12, 2, 3, 5, 2}, {}, "a b"},
      {"  ab  ", {1, 12, 5, 2}, {}, "ab"},
      {"", {1, 2}, {{0, 0}, {0, 0}}, ""},
      {"\xC3\xA9 e\xCC\x81 e\xCC\x81\xCC\x81",
       {1, 3, 9, 3, 9, 3, 9, 2},
       {},
       "\xC3\xA9 \xC3\xA9 \xC3\xA9"},
      {"A\xCC\x81\xCC\x82 A\r\nb", {1, 12, 12, 3, 5, 2}, {}, "a a b"},
      {"\xD8\x80"
       "A b",
       {1, 3, 0, 4, 3, 5, 2},
       {},
       "a b"},
  };
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = load(dir, tokenizer_json(false));
  CHECK(tokenizer->kind() == "unigram");
  CHECK(tokenizer->vocab_size() == 15);
  for (const Case& each : cases) {
    CAPTURE(each.text);
    const std::unique_ptr<text::EncodeState> state = tokenizer->new_state();
    Ids ids;
    Ids again;
    Ranges ranges;
    CHECK(tokenizer->encode(each.text, *state, ids, nullptr));
    CHECK(tokenizer->encode(each.text, *state, again, &ranges));
    CHECK(ids == each.ids);
    CHECK(again == ids);
    CHECK(ranges.size() == ids.size());
    if (!each.ranges.empty()) CHECK(ranges == each.ranges);
    CHECK(tokenizer->decode(ids, true) == each.decoded);
  }
}

TEST_CASE("unknown text becomes bytes where all of them are pieces", "[text]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = load(dir, tokenizer_json(true));
  const auto ids_of = [&](const char* text) {
    const std::unique_ptr<text::EncodeState> state = tokenizer->new_state();
    Ids ids;
    CHECK(tokenizer->encode(text, *state, ids, nullptr));
    return ids;
  };
  CHECK(ids_of("xyxy") == Ids{1, 3, 13, 14, 13, 14, 2});
  CHECK(ids_of("axb") == Ids{1, 12, 13, 5, 2});
  CHECK(ids_of("xz a") == Ids{1, 3, 0, 12, 2});  // z has none
}

namespace {

/// The best way to cut a word, by the definition: a score for every place, kept.
std::vector<Span> slow_best_way(const std::vector<std::string>& pieces,
                                const std::vector<f64>& scores, std::string_view word) {
  constexpr f64 kUnknown = -20;  // ten less than the smallest score
  struct Place {
    f64 score = -1e300;
    i64 begin = -1;
    bool unknown = false;
  };
  std::vector<Place> places(word.size() + 1);
  places[0].score = 0;
  for (std::size_t at = 0; at < word.size(); ++at) {
    const auto reach = [&](std::size_t size, f64 score, bool unknown) {
      Place& place = places[at + size];
      if (places[at].score + score > place.score)
        place = {places[at].score + score, static_cast<i64>(at), unknown};
    };
    bool covered = false;
    std::vector<std::size_t> by_size(pieces.size());
    std::iota(by_size.begin(), by_size.end(), 0);
    std::stable_sort(by_size.begin(), by_size.end(),
                     [&](auto a, auto b) { return pieces[a].size() < pieces[b].size(); });
    for (const std::size_t i : by_size) {
      if (pieces[i].empty() || word.substr(at, pieces[i].size()) != pieces[i]) continue;
      reach(pieces[i].size(), scores[i], i == 0);
      covered = covered || pieces[i].size() == 1;
    }
    if (!covered) reach(1, kUnknown, true);
  }
  std::vector<Span> out;
  bool before = false;
  for (i64 end = isize(word); end > 0; end = places[usize(end)].begin) {
    const Place& place = places[usize(end)];
    if (before && place.unknown)
      out.back().begin = place.begin;
    else
      out.push_back({place.begin, end});
    before = place.unknown;
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

TEST_CASE("a long word is cut as if all of it were kept", "[text]") {
  const std::vector<std::string> pieces = {"<unk>", "a",  "b",     "ab",     "ba",   "aab",
                                           "c",     "cc", "ccccc", "abcabc", "bbbb", "dab"};
  const std::vector<f64> scores = {-5, -2, -2.5, -3.5, -3, -6, -1, -2.25, -4.5, -7, -10, -4};
  text::Vocab vocab;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    vocab.add(pieces[i], static_cast<i64>(i));
  const text::UnigramModel model(vocab, {.scores = scores, .unk = 0});
  text::UnigramScratch scratch(0);
  // Letters in runs: places that no piece crosses lie near each other, far from each other, or
  // nowhere; "x" is unknown, in runs longer than what is settled at once.
  for (const auto& [alphabet, run] : std::initializer_list<std::pair<std::string, u32>>{
           {"abcdx", 3}, {"abcdx", 6000}, {"x", 30000}, {"c", 30000}, {"ab", 1}, {"xabd", 1}}) {
    std::mt19937 draw(u32(alphabet.size()) * 31 + run);
    std::string word;
    while (word.size() < 30000)
      word.append(1 + draw() % run, alphabet[draw() % alphabet.size()]);
    std::vector<i32> ids, expected;
    std::vector<std::pair<i64, i64>> ranges, expected_ranges;
    for (const Span& piece : slow_best_way(pieces, scores, word)) {
      const i32 id = vocab.find(word.substr(usize(piece.begin), usize(piece.end - piece.begin)));
      expected.push_back(std::max(id, 0));
      expected_ranges.emplace_back(7 + piece.begin, 7 + piece.end);
    }
    model.encode(word, scratch, ids);
    model.locate(word, ids, 7, ranges);
    INFO(alphabet << " in runs of " << run);
    CHECK((ids == expected));
    CHECK((ranges == expected_ranges));
  }
}

TEST_CASE("unigram files that cannot be meant are refused", "[text]") {
  const test::TempDir dir;
  const auto refusal = [&](const std::function<void(json&)>& change) -> std::string {
    json file = tokenizer_json(false);
    change(file);
    try {
      const std::unique_ptr<text::Tokenizer> tokenizer = load(dir, file);
      const std::unique_ptr<text::EncodeState> state = tokenizer->new_state();
      Ids ids;
      tokenizer->encode("xx", *state, ids, nullptr);
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kData);
      return e.message();
    }
    return "accepted";
  };
  using Catch::Matchers::ContainsSubstring;
  CHECK(refusal([](json&) {}) == "accepted");
  CHECK_THAT(refusal([](json& f) { f["model"]["unk_id"] = 15; }), ContainsSubstring("unk_id"));
  CHECK_THAT(refusal([](json& f) { f["model"]["unk_id"] = nullptr; }),
             ContainsSubstring("no unknown token"));
  CHECK_THAT(refusal([](json& f) { f["model"]["vocab"][4] = {"a"}; }),
             ContainsSubstring("[piece, score]"));
  CHECK_THAT(refusal([](json& f) { f["model"]["vocab"][4][0] = "b"; }),
             ContainsSubstring("two ids"));
  CHECK_THAT(refusal([](json& f) { f["model"]["vocab"] = json::array(); }),
             ContainsSubstring("vocab"));
  CHECK_THAT(refusal([](json& f) { f["model"]["extra"] = 1; }), ContainsSubstring("extra"));
  CHECK_THAT(refusal([](json& f) { f["normalizer"]["precompiled_charsmap"] = "?"; }),
             ContainsSubstring("base64"));
  CHECK_THAT(refusal([](json& f) { f["normalizer"]["precompiled_charsmap"] = "AAAA"; }),
             ContainsSubstring("normalisation table"));
}

TEST_CASE("a normalisation table gives what its shortest key stands for", "[text]") {
  const text::Charsmap map(tiny_table(), "t");
  CHECK(map.find("A") == "a");
  CHECK(map.find("Ax") == "a");
  CHECK(map.find("e\xCC\x81") == "\xC3\xA9");
  CHECK_FALSE(map.find("e"));
  CHECK_FALSE(map.find("("));
  CHECK_FALSE(map.find(""));
  CHECK_FALSE(text::Charsmap("", "t").find("A"));
  std::string outside = tiny_table();
  outside[4 + 4 * 0x41 + 1] = '\x7F';
  CHECK_THROWS_AS(text::Charsmap(outside, "t"), Error);
  std::string inside_a_character = tiny_table();
  inside_a_character[4 + 4 * 2] = 3;
  CHECK_THROWS_AS(text::Charsmap(inside_a_character, "t"), Error);
  CHECK_THROWS_AS(text::Charsmap(tiny_table().substr(0, 600), "t"), Error);
}

TEST_CASE("grapheme clusters", "[text]") {
  const auto first = [](std::string_view text) { return text::cluster_end(text, 0); };
  CHECK(first("ab") == 1);
  CHECK(first("\r\nx") == 2);
  CHECK(first("\n\r") == 1);
  CHECK(first("e\xCC\x81\xCC\x82x") == 5);                     // two marks
  CHECK(first("a\xE2\x80\x8D") == 4);                          // a joiner
  CHECK(first("a\xE2\x80\x8B") == 1);                          // a zero-width space is a control
  CHECK(first("\xD8\x80x\xCC\x81") == 5);                      // a prepended sign
  CHECK(first("\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8x") == 9);  // Hangul
  CHECK(first("\xEA\xB0\x81\xE1\x86\xA8") == 6);               // a syllable with a tail, one more
  CHECK(first("\xE0\xB8\x81\xE0\xB8\xB3") == 6);               // Thai AM
}
