// Behaviours of tokenizer.json components. Expected pieces and ids were read off the Hugging Face
// tokenizers 0.23 engine for the same files unless a comment says otherwise.

#include <fstream>

#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "text/tokenizer.h"
#include "text/tokenizer_files.h"
#include "text/utf8.h"

namespace {

using lm::i32;
using lm::i64;
using lm::u64;
using nlohmann::json;
namespace text = lm::text;
using Ids = std::vector<i32>;
using Strings = std::vector<std::string>;
using Offsets = std::vector<std::pair<i64, i64>>;

json base_file() {
  return json::parse(R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
    "normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,
    "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,
    "end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
    "vocab":{"a":0,"b":1,"c":2,"ab":3,"bc":4,"abc":5},"merges":["a b","b c","ab c"]}})");
}

json with(const std::string& part, const std::string& value) {
  json file = base_file();
  file[part] = json::parse(value);
  return file;
}

json with_model(const std::string& changes) {
  json file = base_file();
  file["model"].update(json::parse(changes));
  return file;
}

text::TokenizerParts parts_of(const std::string& file) {
  const std::string name = "t.json";
  const lm::io::JsonDocument document(file);
  return text::parse_tokenizer_json(document.root(name), file, name);
}

std::unique_ptr<text::Tokenizer> make(const json& file, const text::LoadOptions& options = {}) {
  return std::make_unique<text::BpeTokenizer>(parts_of(file.dump()), options);
}

Ids encode(const text::Tokenizer& tokenizer, const std::string& s, Offsets* offsets = nullptr) {
  const std::unique_ptr<text::EncodeState> state = tokenizer.new_state();
  Ids ids;
  REQUIRE(tokenizer.encode(s, *state, ids, offsets));
  return ids;
}

Strings pieces(const std::string& component, const std::string& s) {
  const std::string source = json{{"x", json::parse(component)}}.dump();
  simdjson::dom::parser parser;
  text::PreTokenizer pre;
  bool byte_level = false;
  text::parse_pre_tokenizer(text::JsonNode(parser.parse(source), "t").at("x"), pre, byte_level);
  text::PartList list;
  pre.run(s, true, true, list);
  Strings out;
  for (const text::Part& part : list.parts) {
    out.emplace_back(part.text);
    // Every part knows where its bytes came from, in order and within the text.
    for (i64 k = 0; k < lm::isize(part.text); ++k) {
      REQUIRE(list.origin(part, k) <= list.origin(part, k + 1));
      REQUIRE(list.origin(part, k + 1) <= lm::isize(s));
    }
  }
  return out;
}

std::string split_component(const std::string& behavior, bool invert) {
  return R"({"type":"Split","pattern":{"String":"-"},"behavior":")" + behavior + R"(","invert":)" +
         (invert ? "true}" : "false}");
}

std::string complaint(const std::string& file) {
  try {
    text::BpeTokenizer(parts_of(file), {});
  } catch (const lm::Error& error) {
    CHECK(error.kind() == lm::ErrorKind::kData);
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("split behaviours cut as the reference does", "[text]") {
  const std::string s = "--a-bc--d-";
  CHECK(pieces(split_component("Removed", false), s) == Strings{"a", "bc", "d"});
  CHECK(pieces(split_component("Removed", true), s) == Strings{"-", "-", "-", "-", "-", "-"});
  const Strings isolated = {"-", "-", "a", "-", "bc", "-", "-", "d", "-"};
  CHECK(pieces(split_component("Isolated", false), s) == isolated);
  CHECK(pieces(split_component("Isolated", true), s) == isolated);
  CHECK(pieces(split_component("MergedWithPrevious", false), s) ==
        Strings{"-", "-", "a-", "bc-", "-", "d-"});
  CHECK(pieces(split_component("MergedWithPrevious", true), s) ==
        Strings{"-", "-a", "-bc", "-", "-d", "-"});
  CHECK(pieces(split_component("MergedWithNext", false), s) ==
        Strings{"-", "-a", "-bc", "-", "-d", "-"});
  CHECK(pieces(split_component("MergedWithNext", true), s) ==
        Strings{"-", "-", "a-", "bc-", "-", "d-"});
  CHECK(pieces(split_component("Contiguous", false), s) ==
        Strings{"--", "a", "-", "bc", "--", "d", "-"});
}

TEST_CASE("named pre-tokenizers cut as the reference does", "[text]") {
  const std::string s =
      " a1\xC2\xB2"
      "34-b, c";  // superscript two is a number, not a word character
  CHECK(pieces(R"({"type":"Digits","individual_digits":false})", s) == Strings{" a",
                                                                               "1\xC2\xB2"
                                                                               "34",
                                                                               "-b, c"});
  CHECK(pieces(R"({"type":"Digits","individual_digits":true})", s) ==
        Strings{" a", "1", "\xC2\xB2", "3", "4", "-b, c"});
  CHECK(pieces(R"({"type":"Whitespace"})", s) ==
        Strings{"a1", "\xC2\xB2", "34", "-", "b", ",", "c"});
  CHECK(pieces(R"({"type":"WhitespaceSplit"})", s) == Strings{"a1\xC2\xB2"
                                                              "34-b,",
                                                              "c"});
  CHECK(pieces(R"({"type":"BertPreTokenizer"})", s) == Strings{"a1\xC2\xB2"
                                                               "34",
                                                               "-", "b", ",", "c"});
  CHECK(pieces(R"({"type":"Punctuation","behavior":"Isolated"})", s) == Strings{" a1\xC2\xB2"
                                                                                "34",
                                                                                "-", "b", ",",
                                                                                " c"});
  CHECK(pieces(R"({"type":"CharDelimiterSplit","delimiter":"-"})", s) == Strings{" a1\xC2\xB2"
                                                                                 "34",
                                                                                 "b, c"});
  const std::string bar = "\xE2\x96\x81";
  const std::string metaspace = R"({"type":"Metaspace","replacement":"\u2581","prepend_scheme":)";
  CHECK(pieces(metaspace + R"("always","split":true})", "a  b") ==
        Strings{bar + "a", bar, bar + "b"});
  CHECK(pieces(metaspace + R"("never","split":false})", " a b") == Strings{bar + "a" + bar + "b"});
  CHECK(pieces(R"({"type":"Sequence","pretokenizers":[{"type":"Digits","individual_digits":true},
                   {"type":"ByteLevel","add_prefix_space":true,"use_regex":true,"trim_offsets":true}]})",
               "ab1 2c") == Strings{" ab", " 1", " ", " 2", " c"});
}

TEST_CASE("anchors of a file's pattern stand at lines", "[text]") {
  CHECK(pieces(
            R"({"type":"Split","pattern":{"Regex":"\\s|b$"},"behavior":"Isolated","invert":false})",
            "ab\nab") == Strings{"a", "b", "\n", "a", "b"});
}

TEST_CASE("added tokens honour every flag", "[text]") {
  json file = with("normalizer", R"({"type":"Lowercase"})");
  file["added_tokens"] = json::parse(R"([
    {"id":6,"content":"<x>","single_word":false,"lstrip":true,"rstrip":true,"normalized":false,"special":true},
    {"id":7,"content":"W","single_word":true,"lstrip":false,"rstrip":false,"normalized":false,"special":false},
    {"id":8,"content":"Ab","single_word":false,"lstrip":false,"rstrip":false,"normalized":true,"special":false},
    {"id":9,"content":"<x><x>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":false},
    {"id":10,"content":"\u00e9","single_word":true,"lstrip":false,"rstrip":false,"normalized":true,"special":false}])");
  const auto tokenizer = make(file);
  Offsets offsets;
  CHECK(encode(*tokenizer, "a <x> b", &offsets) == Ids{0, 6, 1});
  CHECK(offsets == Offsets{{0, 1}, {1, 6}, {6, 7}});
  CHECK(encode(*tokenizer, "a  <x>  <x>c") == Ids{0, 6, 6, 2});
  CHECK(encode(*tokenizer, "aW W, WW W") == Ids{0, 7, 7});
  CHECK(encode(*tokenizer, "abAB aB Ab") == Ids{8, 8, 8, 8});
  CHECK(encode(*tokenizer, "<x><x><x>") == Ids{9, 6});
  CHECK(encode(*tokenizer, "\xC3\x89 \xC3\xA9 a\xC3\x89 ") == Ids{10, 10, 0});
  CHECK(encode(*tokenizer, "W_ _W W\xC2\xB2 W\xCC\x81 W-W") == Ids{7, 7, 7});
  CHECK(tokenizer->is_special(6));
  CHECK_FALSE(tokenizer->is_special(7));
  CHECK(tokenizer->find("<x>") == 6);
  CHECK(tokenizer->vocab_size() == 11);
  text::LoadOptions as_text;
  as_text.special = text::SpecialPolicy::kText;
  // The blanks and brackets vanish (no token, no unk), so a and b meet and merge.
  CHECK(encode(*make(file, as_text), "a <x> b") == Ids{3});
  CHECK(encode(*make(file, as_text), "<x><x><x>") == Ids{9});
  text::LoadOptions refuse;
  refuse.special = text::SpecialPolicy::kError;
  const auto strict = make(file, refuse);
  const auto state = strict->new_state();
  Ids ids = {99};
  Offsets kept = {{5, 6}};
  CHECK_FALSE(strict->encode("a<x>", *state, ids, &kept));
  CHECK(ids == Ids{99});
  CHECK(kept == Offsets{{5, 6}});
  CHECK(state->specials_in_text == 1);
  CHECK(strict->encode("aW", *state, ids, &kept));
}

TEST_CASE("model settings act as in the reference", "[text]") {
  // The last of two merges of one pair sets its rank.
  CHECK(encode(*make(with_model(R"({"merges":["a b","b c","a b"]})")), "abc") == Ids{0, 4});
  CHECK(encode(*make(with_model(R"({"merges":[["a","b"],["ab","c"]]})")), "abc") == Ids{5});
  CHECK(encode(*make(with_model(R"({"unk_token":"a","fuse_unk":true})")), "xxbxx") == Ids{3, 0});
  CHECK(encode(*make(with_model(R"({"byte_fallback":true,"unk_token":"c","fuse_unk":true,
      "vocab":{"a":0,"b":1,"c":2,"ab":3,"<0x78>":7},"merges":["a b"]})")),
               "xyyxab") == Ids{7, 7, 2, 3});
  const auto prefixed = make(with_model(R"({"continuing_subword_prefix":"##",
      "vocab":{"a":0,"##b":1,"##c":2,"ab":3,"##bc":4,"abc":5},"merges":["##b ##c","a ##bc"]})"));
  CHECK(encode(*prefixed, "abc") == Ids{5});
  CHECK(encode(*prefixed, "ab") == Ids{0, 1});
  const auto suffixed = make(with_model(R"({"end_of_word_suffix":"</w>",
      "vocab":{"a":0,"b</w>":1,"b":2,"ab</w>":3},"merges":["a b</w>"]})"));
  CHECK(encode(*suffixed, "aab") == Ids{0, 3});
  CHECK(encode(*suffixed, "ba") == Ids{2});
}

TEST_CASE("merges may come in any order of their results", "[text]") {
  // Results: the next id, the same id again, an earlier one, one that is neither.
  const std::unique_ptr<text::Tokenizer> t = make(with_model(
      R"({"vocab":{"a":0,"b":1,"c":2,"ab":3,"bc":4,"abc":5,"ca":6,"cab":7,"aa":8},
          "merges":["a b","b c","ab c","a bc","a a","c a","ca b","c ab"]})"));
  CHECK(encode(*t, "abc") == Ids{5});
  CHECK(encode(*t, "bc") == Ids{4});
  CHECK(encode(*t, "aaca") == Ids{8, 6});
  CHECK(encode(*t, "cab") == Ids{7});
  CHECK(encode(*t, "ccaab") == Ids{2, 6, 3});
}

TEST_CASE("normalizers rewrite in order and offsets lead back to the source", "[text]") {
  const json file = with("normalizer", R"({"type":"Sequence","normalizers":[{"type":"Lowercase"},
    {"type":"Replace","pattern":{"Regex":"b+"},"content":"c"},{"type":"Strip","strip_left":true,"strip_right":false},
    {"type":"Prepend","prepend":"a"}]})");
  Offsets offsets;
  // "  ABBc" -> "aacc": the first a is the prepended one.
  CHECK(encode(*make(file), "  ABBc", &offsets) == Ids{0, 0, 2, 2});
  CHECK(offsets == Offsets{{2, 2}, {2, 3}, {3, 5}, {5, 6}});
  const json accents =
      with("normalizer",
           R"({"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"}]})");
  offsets.clear();
  CHECK(encode(*make(accents),
               "\xC3\xA1"
               "b",
               &offsets) == Ids{3});
  CHECK(offsets == Offsets{{0, 3}});
}

TEST_CASE("decoders reduce to bytes per token", "[text]") {
  CHECK(make(base_file())->decode(Ids{0, 3, 2}, false) == "a ab c");
  const json chain =
      with("decoder", R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"a"},
    "content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]})");
  CHECK(make(chain)->decode(Ids{0, 0, 1, 0}, false) == " b ");
  CHECK(make(chain)->strips_leading_space());
  const json meta =
      with("decoder",
           R"({"type":"Metaspace","replacement":"a","prepend_scheme":"always","split":true})");
  CHECK(make(meta)->decode(Ids{3, 3}, false) == "b b");
  CHECK_THROWS_AS(make(meta)->decode(Ids{77}, false), lm::Error);
  CHECK_THROWS_AS(make(meta)->decode(Ids{-1}, false), lm::Error);
}

TEST_CASE("templates add their tokens around every text, the empty one too", "[text]") {
  const json file = with("post_processor", R"({"type":"TemplateProcessing",
    "single":[{"SpecialToken":{"id":"c","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"b","type_id":0}}],
    "pair":[],"special_tokens":{"c":{"id":"c","ids":[2],"tokens":["c"]},"b":{"id":"b","ids":[1],"tokens":["b"]}}})");
  CHECK(encode(*make(file), "a") == Ids{2, 0, 1});
  CHECK(encode(*make(file), "") == Ids{2, 1});
  text::LoadOptions plain;
  plain.add_specials = false;
  CHECK(encode(*make(file, plain), "").empty());
  const json roberta = with(
      "post_processor",
      R"({"type":"RobertaProcessing","sep":["b",1],"cls":["c",2],"trim_offsets":true,"add_prefix_space":false})");
  CHECK(encode(*make(roberta), "a") == Ids{2, 0, 1});
}

TEST_CASE("what is not understood is refused by name", "[text]") {
  using Catch::Matchers::ContainsSubstring;
  CHECK_THAT(complaint(with("normalizer", R"({"type":"Magic"})").dump()),
             ContainsSubstring("t.json.normalizer") && ContainsSubstring("Magic"));
  CHECK_THAT(complaint(with("pre_tokenizer", R"({"type":"UnicodeScripts"})").dump()),
             ContainsSubstring("UnicodeScripts"));
  CHECK_THAT(complaint(with("pre_tokenizer", R"({"type":"Digits","new_option":1})").dump()),
             ContainsSubstring("new_option"));
  CHECK_THAT(complaint(with("pre_tokenizer", split_component("Sideways", false)).dump()),
             ContainsSubstring("Sideways"));
  CHECK_THAT(complaint(with("decoder", R"({"type":"CTC"})").dump()), ContainsSubstring("CTC"));
  CHECK_THAT(complaint(with("post_processor", R"({"type":"Other"})").dump()),
             ContainsSubstring("Other"));
  CHECK_THAT(complaint(with_model(R"({"type":"WordLevel"})").dump()),
             ContainsSubstring("WordLevel"));
  CHECK_THAT(complaint(with_model(R"({"dropout":0.1})").dump()), ContainsSubstring("dropout"));
  CHECK_THAT(complaint(with("surprise", "1").dump()), ContainsSubstring("surprise"));
  CHECK_THAT(
      complaint(
          with("pre_tokenizer",
               R"({"type":"Split","pattern":{"Regex":"(a"},"behavior":"Removed","invert":false})")
              .dump()),
      ContainsSubstring("pre_tokenizer.pattern"));
}

TEST_CASE("hostile files give an error, never a crash", "[text]") {
  CHECK(complaint(with_model(R"({"vocab":{"a":0,"b":0}})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"vocab":{"a":-1}})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"vocab":{"a":4000000000}})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"vocab":{"a":99999999}})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"vocab":{"a":"x"}})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"vocab":[]})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"merges":["a z"]})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"merges":["c a"]})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"merges":["ab"]})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"merges":["a b c"]})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"merges":[["a"]]})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"merges":[[1,2]]})").dump()) != "accepted");
  CHECK(complaint(with_model(R"({"unk_token":"nope"})").dump()) != "accepted");
  const char* added =
      R"([{"id":%,"content":"q","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}])";
  for (const char* id : {"-1", "9000000000", "1e3", "\"6\"", "null", "4194304"}) {
    std::string list = added;
    list.replace(list.find('%'), 1, id);
    CHECK(complaint(with("added_tokens", list).dump()) != "accepted");
  }
  // An added token that the vocabulary knows under another id.
  CHECK(complaint(with("added_tokens", R"([{"id":9,"content":"ab"}])").dump()) != "accepted");
  // And one that takes the id of another vocabulary entry.
  CHECK(complaint(with("added_tokens", R"([{"id":3,"content":"zz"}])").dump()) != "accepted");
  std::string deep;
  for (int i = 0; i < 5000; ++i)
    deep += R"({"type":"Sequence","normalizers":[)";
  CHECK(complaint(R"({"normalizer":)" + deep) != "accepted");
  json nested = json::parse(R"({"type":"NFC"})");
  for (int i = 0; i < 100; ++i)
    nested = json{{"type", "Sequence"}, {"normalizers", json::array({nested})}};
  CHECK(complaint(with("normalizer", nested.dump()).dump()) != "accepted");
  CHECK(complaint("") != "accepted");
  CHECK(complaint("[]") != "accepted");
  CHECK(complaint("{}") != "accepted");
  // Every truncation, and every one-byte damage, is an error or a working tokenizer.
  const std::string whole =
      with("decoder",
           R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})")
          .dump();
  for (std::size_t n = 0; n < whole.size(); ++n)
    CHECK(complaint(whole.substr(0, n)) != "accepted");
  const lm::RandomStream random(11, lm::RandomPurpose::kOther);
  u64 draw = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = whole;
    const u64 at = random.below(draw++, damaged.size());
    damaged[at] = static_cast<char>(random.below(draw++, 256));
    complaint(damaged);
  }
}

TEST_CASE("pieces of a stream join to the decoding of the whole", "[text]") {
  // A byte-level model of all bytes: random ids give every kind of broken UTF-8.
  json file =
      with("decoder",
           R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})");
  file["pre_tokenizer"] = json::parse(
      R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true})");
  json vocab = json::object();
  for (int b = 0; b < 256; ++b)
    vocab[text::to_byte_level(std::string(1, static_cast<char>(b)))] = b;
  file["model"]["vocab"] = vocab;
  file["model"]["merges"] = json::array();
  file["added_tokens"] = json::parse(R"([{"id":256,"content":"<s>","special":true}])");
  const auto tokenizer = make(file);
  const lm::RandomStream random(21, lm::RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 3000; ++round) {
    Ids ids;
    const u64 n = random.below(draw++, 30);
    for (u64 i = 0; i < n; ++i) {
      const u64 r = random.below(draw++, 10);
      ids.push_back(static_cast<i32>(r == 0  ? 256
                                     : r < 3 ? random.below(draw++, 128)
                                             : 128 + random.below(draw++, 128)));
    }
    for (const bool skip : {false, true}) {
      text::StreamDecoder stream(*tokenizer, skip);
      std::string joined;
      for (const i32 id : ids) {
        const std::string piece = stream.push(id);
        REQUIRE(text::is_valid_utf8(piece));
        joined += piece;
      }
      joined += stream.finish();
      REQUIRE(joined == tokenizer->decode(ids, skip));
    }
  }
  // Text in, text out.
  const std::string s = "\xE6\x97\xA5 a\xC3\xA9\n<s>";
  CHECK(tokenizer->decode(encode(*tokenizer, s), false) == s);
  CHECK(tokenizer->decode(encode(*tokenizer, s), true) == "\xE6\x97\xA5 a\xC3\xA9\n");
}
