// WordPiece tokenizers: the model, BERT's normalizer, vocab.txt. Expected ids were made by the
// Hugging Face engine 0.23 with the same vocabulary; scripts/bench/parity_embed compares every
// character.

#include "text/word_piece.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/error.h"
#include "text/bert_chars.h"
#include "text/normalizer.h"
#include "text/tokenizer.h"
#include "tiny_word_pieces.h"

using namespace lm;
using Ids = std::vector<i32>;
using nlohmann::json;

namespace {

json tokenizer_json(const std::string& normalizer =
                        R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,)"
                        R"("strip_accents":null,"lowercase":true})") {
  json vocab = json::object();
  i64 id = 0;
  const std::string pieces = test::tiny_word_pieces();
  for (const std::string_view token : split(pieces, '\n'))
    if (!token.empty()) vocab[std::string(token)] = id++;
  json added = json::array();
  for (const char* name : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})
    added.push_back({{"id", vocab[name]},
                     {"content", name},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  json out = json::parse(R"({"version":"1.0","truncation":{"max_length":128},"padding":null,
    "pre_tokenizer":{"type":"BertPreTokenizer"},
    "post_processor":{"type":"TemplateProcessing",
      "single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
                {"SpecialToken":{"id":"[SEP]","type_id":0}}],"pair":[],
      "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]},
                        "[SEP]":{"id":"[SEP]","ids":[3],"tokens":["[SEP]"]}}},
    "decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
    "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
             "max_input_chars_per_word":12}})");
  out["normalizer"] = json::parse(normalizer);
  out["added_tokens"] = added;
  out["model"]["vocab"] = vocab;
  return out;
}

std::unique_ptr<text::Tokenizer> load(const test::TempDir& dir, const json& file) {
  std::ofstream(dir.file("tokenizer.json")) << file.dump();
  return text::load_tokenizer(dir.file("tokenizer.json"));
}

Ids encode(const text::Tokenizer& tokenizer, std::string_view text,
           std::vector<std::pair<i64, i64>>* offsets = nullptr) {
  Ids ids;
  const std::unique_ptr<text::EncodeState> state = tokenizer.new_state();
  CHECK(tokenizer.encode(text, *state, ids, offsets));
  return ids;
}

std::string refusal(const std::string& path) {
  try {
    text::load_tokenizer(path);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kData);
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a word is cut from its front into the longest tokens", "[text]") {
  text::Vocab vocab;
  i64 id = 0;
  for (const char* token : {"[UNK]", "un", "unx", "##able", "##a", "##b", "\xC3\xA9", "##\xC3\xA9"})
    vocab.add(token, id++);
  text::WordPieceOptions options;
  options.max_word_chars = 8;
  const text::WordPieceModel model(std::move(vocab), options);
  text::WordPieceScratch scratch(0);
  const auto ids = [&](std::string_view word) {
    Ids out = {77};
    model.encode(word, scratch, out);
    return Ids(out.begin() + 1, out.end());
  };
  CHECK(ids("unable") == Ids{1, 3});
  CHECK(ids("unab") == Ids{1, 4, 5});
  CHECK(ids("unxab") == Ids{2, 4, 5});  // greedy: "unx" before "un"
  CHECK(ids("unxy") == Ids{0});         // no way on: the whole word is unknown
  CHECK(ids("able") == Ids{0});         // only as a continuation
  CHECK(ids("\xC3\xA9\xC3\xA9") == Ids{6, 7});
  CHECK(ids("un\xC3\xA8") == Ids{0});  // never inside a character
  CHECK(ids("unababab") == Ids{1, 4, 5, 4, 5, 4, 5});
  CHECK(ids("unabababa") == Ids{0});  // nine characters
  CHECK(ids("").empty());
  std::vector<std::pair<i64, i64>> offsets;
  model.locate("unable", Ids{1, 3}, 10, offsets);
  model.locate("zzz", Ids{0}, 20, offsets);
  CHECK(offsets == std::vector<std::pair<i64, i64>>{{10, 12}, {12, 16}, {20, 23}});
}

TEST_CASE("a tokenizer.json of BERT encodes and decodes as the reference does", "[text]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = load(dir, tokenizer_json());
  CHECK(tokenizer->kind() == "wordpiece");
  CHECK(tokenizer->vocab_size() == 67);
  CHECK(tokenizer->unk() == 1);
  CHECK(std::vector<i32>(tokenizer->before().begin(), tokenizer->before().end()) == Ids{2});
  CHECK(std::vector<i32>(tokenizer->after().begin(), tokenizer->after().end()) == Ids{3});
  // Ids: a..z 5..30, ##a..##z 31..56, the 57 in 58 un 59 ##able 60 ##ing 61 . 62 , 63 ! 64
  // zhong 65.
  CHECK(encode(*tokenizer, "") == Ids{2, 3});
  CHECK(encode(*tokenizer, "The unable, in\tging!") == Ids{2, 57, 59, 60, 63, 58, 11, 61, 64, 3});
  CHECK(encode(*tokenizer, "\xC3\x89t\xC3\xA9") == Ids{2, 9, 50, 35, 3});  // accents go
  CHECK(encode(*tokenizer, "e\xCC\x81") == Ids{2, 9, 3});                  // so do these
  CHECK(encode(*tokenizer,
               "a\xE4\xB8\xAD"
               "b") == Ids{2, 5, 65, 6, 3});  // ideographs stand alone
  CHECK(encode(*tokenizer,
               "a\xE2\x80\x8B"
               "b\x01"
               "c") == Ids{2, 5, 32, 33, 3});  // controls go
  CHECK(encode(*tokenizer,
               "a\xC2\xA0"
               "b") == Ids{2, 5, 6, 3});  // white space
  CHECK(encode(*tokenizer, "\xE6\x96\x87 [MASK] z9") == Ids{2, 1, 4, 1, 3});
  CHECK(encode(*tokenizer, "[mask]") == Ids{2, 1, 17, 31, 49, 41, 1, 3});
  CHECK(encode(*tokenizer, "abcdefghijkl") ==
        Ids{2, 5, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 3});
  CHECK(encode(*tokenizer, "abcdefghijklm") == Ids{2, 1, 3});

  std::vector<std::pair<i64, i64>> offsets;
  encode(*tokenizer, "\xC3\x89t. [SEP]x", &offsets);
  CHECK(offsets == std::vector<std::pair<i64, i64>>{
                       {0, 0}, {0, 2}, {2, 3}, {3, 4}, {5, 10}, {10, 11}, {11, 11}});
  CHECK(tokenizer->decode(Ids{2, 57, 59, 60, 63, 58, 11, 61, 64, 3}, true) ==
        "the unable, in ging!");
  CHECK(tokenizer->decode(Ids{2, 5, 3}, false) == "[CLS] a [SEP]");
}

TEST_CASE("BERT's normalizer does what its settings say", "[text]") {
  const test::TempDir dir;
  const auto ids = [&](const std::string& settings, std::string_view text) {
    return encode(*load(dir, tokenizer_json(cat("{\"type\":\"BertNormalizer\",", settings, "}"))),
                  text);
  };
  const std::string cased =
      R"("clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":false)";
  CHECK(ids(cased, "a\xC3\xA9 A") == Ids{2, 1, 1, 3});  // neither accents nor case go
  CHECK(ids(cased, "\xC3\xA9") == Ids{2, 66, 3});
  CHECK(ids(R"("clean_text":true,"handle_chinese_chars":false,"strip_accents":true,)"
            R"("lowercase":false)",
            "a\xE4\xB8\xAD \xC3\xA9") == Ids{2, 1, 9, 3});
  CHECK(ids(R"("clean_text":false,"handle_chinese_chars":true,"strip_accents":null,)"
            R"("lowercase":true)",
            "a\x01"
            "b") == Ids{2, 1, 3});
}

TEST_CASE("BERT's character classes are those of an older Unicode", "[text]") {
  CHECK(text::is_bert_accent(0x301));
  CHECK_FALSE(text::is_bert_accent(0x8E1));  // a mark since Unicode 9
  CHECK(text::is_bert_accent(0x1734));       // spacing since Unicode 14
  CHECK_FALSE(text::is_bert_accent('a'));
  CHECK(text::is_bert_control(0));
  CHECK(text::is_bert_control(0xFFFD));
  CHECK(text::is_bert_control(0xE000));
  CHECK(text::is_bert_control(0x200B));
  CHECK_FALSE(text::is_bert_control(0x8E2));
  CHECK_FALSE(text::is_bert_control('\n'));
  CHECK(text::is_bert_punctuation('$'));
  CHECK(text::is_bert_punctuation(0x3001));
  CHECK(text::is_bert_punctuation(0x166D));       // a symbol since Unicode 12
  CHECK_FALSE(text::is_bert_punctuation(0xC84));  // since Unicode 11
  CHECK_FALSE(text::is_bert_punctuation('a'));
  CHECK(text::is_bert_space('\r'));
  CHECK_FALSE(text::is_bert_space(0x0B));
  CHECK(text::is_bert_space(0x3000));
  CHECK(text::is_bert_ideograph(0x2B81F));
  CHECK_FALSE(text::is_bert_ideograph(0x2B820));
  CHECK_FALSE(text::is_bert_ideograph(0x3042));
}

TEST_CASE("a vocab.txt alone gives the tokens of its tokenizer.json", "[text]") {
  const test::TempDir dir;
  const test::TempDir txt;
  json file = tokenizer_json();
  file["model"]["max_input_chars_per_word"] = 100;
  const std::unique_ptr<text::Tokenizer> expected = load(dir, file);
  for (const bool returns : {false, true}) {
    std::string lines = test::tiny_word_pieces();
    for (std::size_t at = 0; returns && (at = lines.find('\n', at)) != std::string::npos; at += 2)
      lines.insert(at, 1, '\r');
    std::ofstream(txt.file("vocab.txt")) << lines;
    const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(txt.path().string());
    for (const char* text : {"", "The unable [SEP], in\tging!", "\xC3\x89t\xC3\xA9 \xE4\xB8\xADx",
                             "zzz9 [unk] [UNK]"}) {
      CHECK(encode(*tokenizer, text) == encode(*expected, text));
      const Ids ids = encode(*expected, text);
      CHECK(tokenizer->decode(ids, true) == expected->decode(ids, true));
    }
    CHECK(tokenizer->pad() == 0);
  }
  std::ofstream(txt.file("tokenizer_config.json"))
      << R"({"do_lower_case":false,"cls_token":{"content":"[MASK]"},"model_max_length":1e30})";
  CHECK(encode(*text::load_tokenizer(txt.file("vocab.txt")), "A a") == Ids{4, 1, 5, 3});
  const std::vector<text::TokenizerFile> files = text::tokenizer_files(txt.path().string());
  REQUIRE(files.size() == 2);
  CHECK(files[0].name == "vocab.txt");
}

TEST_CASE("WordPiece files that lack something are refused by name", "[text]") {
  using Catch::Matchers::ContainsSubstring;
  const test::TempDir dir;
  const auto lacking = [&](const std::string& lines) {
    std::ofstream(dir.file("vocab.txt")) << lines;
    return refusal(dir.file("vocab.txt"));
  };
  CHECK_THAT(lacking("[PAD]\n[UNK]\n[SEP]\na\n"),
             ContainsSubstring("vocab.txt: has no token \"[CLS]\""));
  CHECK_THAT(lacking("a\nb\n"), ContainsSubstring("is no tokenizer file"));
  CHECK_THAT(lacking("[UNK]\n\n[CLS]\n"), ContainsSubstring("vocab.txt:2: an empty line"));
  CHECK_THAT(lacking("[UNK]\n[CLS]\n[SEP]\na\na\n"), ContainsSubstring("token \"a\" has two ids"));
  std::filesystem::remove(dir.file("vocab.txt"));
  const auto json_refusal = [&](const json& file) {
    std::ofstream(dir.file("t.json")) << file.dump();
    return refusal(dir.file("t.json"));
  };
  json file = tokenizer_json();
  file["model"]["unk_token"] = "[NONE]";
  CHECK_THAT(json_refusal(file), ContainsSubstring("\"[NONE]\" is not in the vocabulary"));
  file = tokenizer_json();
  file["model"]["max_input_chars_per_word"] = 0;
  CHECK_THAT(json_refusal(file), ContainsSubstring("max_input_chars_per_word"));
  file = tokenizer_json();
  file["model"].erase("unk_token");
  CHECK_THAT(json_refusal(file), ContainsSubstring("unk_token"));
  file = tokenizer_json();
  file["normalizer"]["new_option"] = true;
  CHECK_THAT(json_refusal(file), ContainsSubstring("new_option"));
}
