#include "text/sentencepiece.h"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/str.h"
#include "io/file.h"
#include "text/sentencepiece_model.h"

namespace lm::text {
namespace {

using Offsets = std::vector<std::pair<i64, i64>>;

DocumentSource from_list(const std::vector<std::string>& documents) {
  return [&documents, at = std::size_t{0}](std::string_view& out) mutable {
    if (at == documents.size()) return false;
    out = documents[at++];
    return true;
  };
}

// Words over a small alphabet: the corpus of every training test here.
std::vector<std::string> small_corpus(u64 seed, i64 lines) {
  const RandomStream draws(seed, RandomPurpose::kOther);
  u64 next = 0;
  std::vector<std::string> documents;
  for (i64 line = 0; line < lines; ++line) {
    std::string text;
    for (u64 word = 0; word < 3 + draws.below(next, 8); ++word) {
      if (word > 0) text.push_back(' ');
      const u64 length = 1 + draws.below(++next, 5);
      for (u64 i = 0; i < length; ++i)
        text.push_back("abcdefgh12"[draws.below(++next, 10)]);
    }
    documents.push_back(text);
  }
  return documents;
}

std::unique_ptr<Tokenizer> small_model(SentencePieceOptions options) {
  const std::vector<std::string> corpus = small_corpus(1, 400);
  const LocalContext ctx;
  return sentencepiece_from_bytes(train_sentencepiece(from_list(corpus), options, ctx), "small");
}

SentencePieceOptions small_options() {
  SentencePieceOptions options;
  options.vocab_size = 60;
  return options;
}

void append_varint(std::string& out, u64 value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::string field(int number, const std::string& payload) {
  std::string out;
  append_varint(out, static_cast<u64>(number) << 3 | 2);
  append_varint(out, payload.size());
  return out + payload;
}

std::string piece(const std::string& text, int type) {
  std::string body = field(1, text);
  body += std::string("\x15\0\0\0\0\x18", 6);  // score 0, then the type
  body.push_back(static_cast<char>(type));
  return field(1, body);
}

}  // namespace

TEST_CASE("recorded ids of the English model equal spm_encode 0.1.97", "[text]") {
  const std::filesystem::path data = test::data_dir();
  if (!std::filesystem::exists(data / "sentencepiece/test_model.model")) LM_SKIP("no test data");
  LoadOptions as_text;  // as spm_encode has control pieces
  as_text.special = SpecialPolicy::kText;
  const auto tokenizer =
      load_sentencepiece((data / "sentencepiece/test_model.model").string(), as_text);
  const auto state = tokenizer->new_state();
  CHECK(tokenizer->vocab_size() == 1000);
  CHECK(tokenizer->kind() == "sentencepiece-unigram");
  CHECK(tokenizer->unk() == 0);
  CHECK(tokenizer->bos() == 1);
  CHECK(tokenizer->eos() == 2);
  CHECK_FALSE(tokenizer->pad());
  // printf 'LINE\n' | spm_encode --model=test_model.model --output_format=id
  const std::vector<std::pair<std::string, std::vector<i32>>> recorded = {
      {"I saw a girl with a telescope.", {9, 459, 11, 939, 44, 11, 4, 142, 82, 8, 28, 21, 132, 6}},
      {"  Hello,   world!  ", {151, 88, 21, 5, 887, 147}},
      {"Full-width \xEF\xBC\xA1\xEF\xBC\xA2\xEF\xBC\xA3 \xC2\xBD \xC3\xA9",
       {280, 53, 88, 35, 63, 140, 95, 104, 540, 381, 4, 357, 0, 596, 4, 0}},
      {"", {}},
      {"Botchan <s> </s> \xE6\x97\xA5\xE6\x9C\xAC xyz123",
       {296, 227, 92, 84, 4, 0, 8, 0, 4, 0, 8, 0, 4, 0, 4, 297, 34, 997, 357, 596, 0}}};
  for (const auto& [text, expected] : recorded) {
    std::vector<i32> ids;
    CHECK(tokenizer->encode(text, *state, ids));
    CHECK(ids == expected);
    std::vector<i32> again;
    Offsets offsets;
    CHECK(tokenizer->encode(text, *state, again, &offsets));
    CHECK(again == expected);
    REQUIRE(offsets.size() == expected.size());
    i64 end = 0;  // ranges follow each other and never leave the text
    for (const auto& [from, to] : offsets) {
      CHECK(from >= end);
      CHECK(to >= from);
      CHECK(to <= isize(text));
      end = to;
    }
  }
}

TEST_CASE("decode of the Japanese model equals spm_decode and keeps control pieces on request",
          "[text]") {
  const std::filesystem::path data = test::data_dir();
  if (!std::filesystem::exists(data / "sentencepiece/test_ja_model.model")) LM_SKIP("no test data");
  const auto tokenizer = load_sentencepiece((data / "sentencepiece/test_ja_model.model").string());
  const auto state = tokenizer->new_state();
  std::vector<i32> ids;
  const std::string text =
      "\xE5\x90\xBE\xE8\xBC\xA9\xE3\x81\xAF\xE7\x8C\xAB\xE3\x81\xA7\xE3\x81\x82\xE3\x82\x8B\xE3\x80"
      "\x82\xE5\x90\x8D\xE5\x89\x8D\xE3\x81\xAF\xE3\x81\xBE\xE3\x81\xA0\xE7\x84\xA1\xE3\x81\x84\xE3"
      "\x80\x82";
  CHECK(tokenizer->encode(text, *state, ids));
  CHECK(ids == std::vector<i32>{6, 3973, 6019, 9, 6022, 24, 5, 1606, 9, 2206, 2441, 5});
  CHECK(tokenizer->decode(ids, true) == text);
  ids.insert(ids.begin(), *tokenizer->bos());
  ids.push_back(*tokenizer->eos());
  CHECK(tokenizer->decode(ids, true) == text);
  CHECK(tokenizer->decode(ids, false) == "<s> " + text + "</s>");  // the dummy blank shows
}

TEST_CASE("token bytes follow the piece type", "[text]") {
  SentencePieceOptions options = small_options();
  options.vocab_size = 330;
  options.byte_fallback = true;
  options.model_type = "bpe";
  options.user_defined_symbols = {"<D>", "x,y"};
  const auto tokenizer = small_model(options);
  CHECK(tokenizer->kind() == "sentencepiece-bpe");
  CHECK(tokenizer->token_bytes(*tokenizer->bos()).empty());
  CHECK(tokenizer->token_bytes(*tokenizer->bos(), true) == "<s>");
  CHECK(tokenizer->token_bytes(*tokenizer->find("<0x0A>")) == "\n");
  CHECK(tokenizer->token_bytes(*tokenizer->find("<0xE3>")) == "\xE3");
  CHECK(tokenizer->token_bytes(*tokenizer->find("\xE2\x96\x81")) == " ");
  CHECK(tokenizer->token_bytes(*tokenizer->find("<D>")) == "<D>");
  CHECK(tokenizer->find("x,y"));
  CHECK_FALSE(tokenizer->find("no such piece"));
  CHECK(tokenizer->is_special(*tokenizer->bos()));
  CHECK_FALSE(tokenizer->is_special(*tokenizer->find("<D>")));
  CHECK_THROWS_AS(tokenizer->token_bytes(330), Error);
  CHECK_THROWS_AS(tokenizer->decode(std::vector<i32>{-1}, true), Error);
}

TEST_CASE("byte fallback round-trips and gives each byte the whole character's range", "[text]") {
  SentencePieceOptions options = small_options();
  options.vocab_size = 330;
  options.byte_fallback = true;
  options.model_type = "bpe";
  const auto tokenizer = small_model(options);
  const auto state = tokenizer->new_state();
  std::vector<i32> ids;
  Offsets offsets;
  const std::string text = "ab \xE2\x82\xAC 1";  // the euro sign is not in the corpus: 3 bytes
  CHECK(tokenizer->encode(text, *state, ids, &offsets));
  CHECK(tokenizer->decode(ids, true) == text);
  i64 whole = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    whole += tokenizer->token_bytes(ids[i]).front() < 0 && offsets[i] == std::pair<i64, i64>(3, 6);
  }
  CHECK(whole == 3);
}

TEST_CASE("decoding piece by piece equals decoding at once", "[text]") {
  for (const bool fallback : {false, true}) {
    SentencePieceOptions options = small_options();
    options.vocab_size = fallback ? 330 : 60;
    options.byte_fallback = fallback;
    options.model_type = "bpe";
    const auto tokenizer = small_model(options);
    const auto state = tokenizer->new_state();
    for (const std::string text : {"ab cd 12", " ab", "\xE2\x82\xAC x", "", "h\xF0\x9F\x98\x80"}) {
      std::vector<i32> ids = {*tokenizer->bos()};
      tokenizer->encode(text, *state, ids);
      ids.push_back(*tokenizer->eos());
      for (const bool skip : {false, true}) {
        StreamDecoder stream(*tokenizer, skip);
        std::string pieces;
        for (const i32 id : ids)
          pieces += stream.push(id);
        CHECK(pieces + stream.finish() == tokenizer->decode(ids, skip));
      }
    }
  }
}

TEST_CASE("control strings become their ids, stay text or are refused, as asked", "[text]") {
  const std::vector<std::string> corpus = small_corpus(1, 400);
  const LocalContext ctx;
  const std::string model = train_sentencepiece(from_list(corpus), small_options(), ctx);
  using Offsets = std::vector<std::pair<i64, i64>>;
  struct Encoded {
    bool taken;
    std::vector<i32> ids;
    Offsets offsets;
    i64 specials;
  };
  const auto encode = [&](SpecialPolicy policy, std::string_view text) {
    LoadOptions options;
    options.special = policy;
    const auto tokenizer = sentencepiece_from_bytes(model, "small", options);
    const auto state = tokenizer->new_state();
    Encoded out{};
    out.taken = tokenizer->encode(text, *state, out.ids, &out.offsets);
    std::vector<i32> again;
    CHECK(tokenizer->encode(text, *tokenizer->new_state(), again) == out.taken);
    if (out.taken) CHECK(again == out.ids);
    out.specials = state->specials_in_text;
    return out;
  };
  const auto tokenizer = sentencepiece_from_bytes(model, "small");
  const i32 bos = *tokenizer->bos();
  const i32 eos = *tokenizer->eos();

  // Each side of a control piece is a text of its own: with its own blank in front.
  const Encoded parsed = encode(SpecialPolicy::kParse, "ab<s></s>cd e</s>");
  const Encoded left = encode(SpecialPolicy::kText, "ab");
  const Encoded right = encode(SpecialPolicy::kText, "cd e");
  std::vector<i32> want = left.ids;
  want.insert(want.end(), {bos, eos});
  want.insert(want.end(), right.ids.begin(), right.ids.end());
  want.push_back(eos);
  CHECK(parsed.ids == want);
  CHECK(parsed.specials == 3);
  Offsets places = left.offsets;
  places.insert(places.end(), {{2, 5}, {5, 9}});
  for (const auto& [begin, end] : right.offsets)
    places.emplace_back(begin + 9, end + 9);
  places.emplace_back(13, 17);
  CHECK(parsed.offsets == places);
  CHECK(encode(SpecialPolicy::kParse, "<s>").ids == std::vector<i32>{bos});

  const Encoded literal = encode(SpecialPolicy::kText, "ab <s> ab</s>");
  CHECK(std::count(literal.ids.begin(), literal.ids.end(), bos) == 0);
  CHECK(std::count(literal.ids.begin(), literal.ids.end(), eos) == 0);
  CHECK(literal.specials == 0);

  CHECK_FALSE(encode(SpecialPolicy::kError, "ab <s>").taken);
  CHECK(encode(SpecialPolicy::kError, "ab s").ids == encode(SpecialPolicy::kText, "ab s").ids);
}

TEST_CASE("a failed training gives the library's reason without its source lines", "[text]") {
  const std::vector<std::string> corpus = small_corpus(1, 20);
  const LocalContext ctx;
  SentencePieceOptions options;
  options.vocab_size = 5000;
  std::string message;
  try {
    train_sentencepiece(from_list(corpus), options, ctx);
  } catch (const Error& e) {
    message = e.message();
  }
  CHECK(message.starts_with("SentencePiece training failed: Vocabulary size too high (5000)"));
  CHECK(message.find(".cc") == std::string::npos);
}

TEST_CASE("every truncation and many mutations of a model are refused or load, never crash",
          "[text]") {
  const std::vector<std::string> corpus = small_corpus(2, 300);
  const LocalContext ctx;
  const std::string good = train_sentencepiece(from_list(corpus), small_options(), ctx);
  CHECK_NOTHROW(sentencepiece_from_bytes(good, "good"));
  i64 refused = 0;
  const i64 pieces_end = 700;  // cuts among the pieces, then a sample of the rest
  for (i64 size = 0; size < isize(good); size += size < pieces_end ? 1 : 9973) {
    try {
      sentencepiece_from_bytes(good.substr(0, usize(size)), "cut");
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kData);
      CHECK(e.message().starts_with("cut: "));
      ++refused;
    }
  }
  CHECK(refused > 600);
  const RandomStream draws(7, RandomPurpose::kOther);
  for (u64 round = 0; round < 300; ++round) {
    std::string bad = good;
    // Half of the changes hit the pieces, half the table that drives the library's array walk.
    const u64 span = round % 2 == 0 ? 900 : bad.size();
    for (u64 i = 0; i < 8; ++i) {
      bad[draws.below(round * 16 + 2 * i, span)] =
          static_cast<char>(draws.bits(round * 16 + 2 * i + 1));
    }
    try {
      const auto tokenizer = sentencepiece_from_bytes(bad, "mutated");
      std::vector<i32> ids;
      tokenizer->encode("abc \xEF\xBD\xB1\xEF\xBE\x9E \xC2\xBD gh", *tokenizer->new_state(), ids);
    } catch (const Error& e) {
      CHECK(e.message().starts_with("mutated: "));
    }
  }
}

TEST_CASE("models that would hurt the library are named with what is wrong", "[text]") {
  const auto message = [](const std::string& bytes) -> std::string {
    try {
      read_sentencepiece_model(bytes, "m");
    } catch (const Error& e) {
      return e.message();
    }
    return "accepted";
  };
  using Catch::Matchers::ContainsSubstring;
  const std::string unk = piece("<unk>", 2);
  CHECK(message(unk + piece("a", 1)) == "accepted");
  CHECK_THAT(message(""), ContainsSubstring("empty"));
  CHECK_THAT(message("{\"version\": 1}"), ContainsSubstring("not a SentencePiece model"));
  CHECK_THAT(message(piece("a", 1)), ContainsSubstring("0 unknown pieces"));
  CHECK_THAT(message(unk + piece("a", 1) + piece("a", 1)), ContainsSubstring("occurs twice"));
  CHECK_THAT(message(unk + piece("", 1)), ContainsSubstring("is empty"));
  CHECK_THAT(message(unk + piece(std::string("a\0b", 3), 4)), ContainsSubstring("NUL"));
  CHECK_THAT(message(unk + piece("a", 7)), ContainsSubstring("piece type 7"));
  // A table of one block whose root (unit 0) points to block 4: offset 1024 << 10, no leaf.
  std::string map("\x00\x04\x00\x00", 4);
  map += std::string(1024, '\0') + std::string("x\0", 2);
  CHECK(message(unk + field(3, field(2, map))) == "accepted");
  map[4 + 2] = 0x10;
  CHECK_THAT(message(unk + field(3, field(2, map))), ContainsSubstring("points to 1024 of 256"));
  // A leaf at the root whose value lies behind the two bytes of replacements.
  map[4 + 2] = 0;
  map[4] = 2;
  map[5] = 1;
  CHECK_THAT(message(unk + field(3, field(2, map))), ContainsSubstring("replacement 258 of 2"));
}

TEST_CASE("training gives the same bytes twice and for any thread count", "[text]") {
  const std::vector<std::string> corpus = small_corpus(3, 500);
  for (const std::string type : {"unigram", "bpe"}) {
    SentencePieceOptions options = small_options();
    options.model_type = type;
    options.input_sentence_size = 200;  // so that sampling and shuffling take part
    std::vector<std::string> models;
    for (const int threads : {1, 2, 7, 1}) {
      set_threads(threads);
      models.push_back(train_sentencepiece(from_list(corpus), options, LocalContext(threads)));
    }
    set_threads(1);
    for (const std::string& model : models)
      CHECK(model == models.front());
  }
}

TEST_CASE("sentences the library would drop in silence are counted", "[text]") {
  std::vector<std::string> corpus = small_corpus(4, 300);
  corpus.push_back(std::string(50, 'a') + "\nabc def\r\n\n" + std::string(41, 'b'));
  corpus.push_back("bad \xE2\x96\x85 sentence");
  SentencePieceOptions options = small_options();
  options.vocab_size = 30;
  options.max_sentence_length = 40;
  i64 fits = 0;  // the sentences of the random part within the limit
  i64 long_ones = 0;
  for (std::size_t i = 0; i < 300; ++i)
    (isize(corpus[i]) <= 40 ? fits : long_ones) += 1;
  SentencePieceReport report;
  train_sentencepiece(from_list(corpus), options, LocalContext(), &report);
  CHECK(report.documents == 302);
  CHECK(report.sentences == fits + 1);  // and "abc def"
  CHECK(report.too_long == long_ones + 2);
  CHECK(report.reserved == 1);
}

TEST_CASE("a sample of the sentences costs what the sample holds", "[text]") {
  // 6 MB of text under a budget of 16 MiB: at three bytes a byte it does not fit, 500 sentences do.
  std::string document;
  for (const std::string& line : small_corpus(4, 300'000))
    append(document, line, "\n");
  REQUIRE(document.size() > 6'000'000);
  SentencePieceOptions options = small_options();
  options.model_type = "bpe";
  options.input_sentence_size = 500;
  for (const bool shuffle : {true, false}) {
    options.shuffle_input_sentence = shuffle;
    const LocalContext small(1, i64{16} << 20);
    CHECK(!train_sentencepiece(from_list({document}), options, small).empty());
    CHECK(small->memory->used() == 0);
  }
  options.input_sentence_size = 0;
  const LocalContext small(1, i64{16} << 20);
  CHECK_THROWS_AS(train_sentencepiece(from_list({document}), options, small), Error);
}

TEST_CASE("the languini preset has the ids, symbols and round trip it promises", "[text]") {
  const auto tokenizer = small_model(sentencepiece_preset("languini", 330));
  CHECK(tokenizer->pad() == 0);
  CHECK(tokenizer->unk() == 1);
  CHECK_FALSE(tokenizer->bos());
  CHECK_FALSE(tokenizer->eos());
  CHECK_FALSE(tokenizer->strips_leading_space());
  const std::string text = "  ab  12\t\xE3\x81\x82<D>\n c ";
  std::vector<i32> ids;
  const auto state = tokenizer->new_state();
  CHECK(tokenizer->encode(text, *state, ids));
  CHECK(tokenizer->decode(ids, true) == text);
  CHECK(std::count(ids.begin(), ids.end(), *tokenizer->find("<D>")) == 1);
  CHECK_THROWS_AS(sentencepiece_preset("nanny", 100), Error);
}

TEST_CASE("impossible training requests are errors, not aborts", "[text]") {
  const LocalContext ctx;
  const auto kind_of = [&](const std::vector<std::string>& corpus,
                           const SentencePieceOptions& options, const Context& context) {
    try {
      train_sentencepiece(from_list(corpus), options, context);
    } catch (const Error& e) {
      return e.kind();
    }
    return ErrorKind::kInternal;
  };
  const std::vector<std::string> corpus = small_corpus(5, 50);
  SentencePieceOptions options = small_options();
  CHECK(kind_of({}, options, ctx) == ErrorKind::kData);
  CHECK(kind_of({"   ", "\xE3\x80\x80", "\xE2\x80\x8B"}, options, ctx) == ErrorKind::kData);
  options.vocab_size = 5000;  // more than the corpus can fill
  CHECK(kind_of(corpus, options, ctx) == ErrorKind::kData);
  options.vocab_size = 3;  // unk, bos and eos already fill it
  CHECK(kind_of(corpus, options, ctx) == ErrorKind::kUsage);
  options = small_options();
  options.model_type = "wordpiece";
  CHECK(kind_of(corpus, options, ctx) == ErrorKind::kUsage);
  options = small_options();
  options.character_coverage = 2;
  CHECK(kind_of(corpus, options, ctx) == ErrorKind::kUsage);
  CHECK(kind_of(corpus, small_options(), LocalContext(1, (1 << 20) - 1)) == ErrorKind::kOs);
}

TEST_CASE("loading and training print nothing", "[text]") {
  const test::TempDir dir;
  const int saved = dup(2);
  FILE* const sink = fopen(dir.file("stderr").c_str(), "w");
  REQUIRE(sink != nullptr);
  dup2(fileno(sink), 2);
  std::vector<std::string> corpus = small_corpus(6, 300);
  corpus.push_back(std::string(5000, 'x'));  // the library would warn about it
  SentencePieceOptions options = small_options();
  const auto tokenizer = sentencepiece_from_bytes(
      train_sentencepiece(from_list(corpus), options, LocalContext()), "quiet");
  std::vector<i32> ids;
  tokenizer->encode("abc unseen", *tokenizer->new_state(), ids);
  dup2(saved, 2);
  close(saved);
  fclose(sink);
  CHECK(io::read_file(dir.file("stderr")).empty());
}

TEST_CASE("an error of the document source passes through training", "[text]") {
  const DocumentSource failing = [count = 0](std::string_view& out) mutable {
    if (++count > 3) throw Error(ErrorKind::kIo, "disk on fire");
    out = "some text here";
    return true;
  };
  CHECK_THROWS_WITH(train_sentencepiece(failing, small_options(), LocalContext()), "disk on fire");
}

}  // namespace lm::text
