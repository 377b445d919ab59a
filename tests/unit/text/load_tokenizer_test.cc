// Whole tokenizers: files of every kind, folders, and the real ones against recorded reference ids.

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "io/file.h"
#include "text/piece_tokenizer.h"
#include "text/token_roles.h"
#include "text/tokenizer.h"
#include "text/tokenizer_files.h"
#include "text/utf8.h"

namespace {

using lm::i32;
using lm::i64;
using lm::u64;
namespace text = lm::text;
using Ids = std::vector<i32>;

Ids encode(const text::Tokenizer& tokenizer, const std::string& s,
           std::vector<std::pair<i64, i64>>* offsets = nullptr) {
  const std::unique_ptr<text::EncodeState> state = tokenizer.new_state();
  Ids ids;
  REQUIRE(tokenizer.encode(s, *state, ids, offsets));
  return ids;
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string base64(const std::string& bytes) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    lm::u32 bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<lm::u8>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out.push_back(i + k <= bytes.size() ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
  }
  return out;
}

/// All bytes, then "ab", "abc", and a token that no two tokens make.
std::string rank_file() {
  std::string out;
  for (int b = 0; b < 256; ++b)
    out += base64(std::string(1, static_cast<char>(b))) + " " + std::to_string(b) + "\n";
  return out + base64("bc") + " 256\n" + base64("ab") + " 257\n" + base64("abc") + " 258\n";
}

std::string error_of(const std::string& path, const text::LoadOptions& options = {}) {
  try {
    text::load_tokenizer(path, options);
  } catch (const lm::Error& error) {
    return error.message();
  }
  return "accepted";
}

std::vector<nlohmann::json> golden_rows(const std::string& name) {
  std::ifstream in(lm::test::golden_file("tokenizers/" + name + ".jsonl"));
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(in, line);)
    rows.push_back(nlohmann::json::parse(line));
  return rows;
}

void check_golden(const std::string& name, const text::Tokenizer& tokenizer) {
  const std::vector<nlohmann::json> rows = golden_rows(name);
  REQUIRE(rows.size() > 100);
  const auto state = tokenizer.new_state();
  for (const nlohmann::json& row : rows) {
    const std::string s = row["text"];
    const Ids want = row["ids"];
    Ids got;
    std::vector<std::pair<i64, i64>> offsets;
    tokenizer.encode(s, *state, got);
    if (got != want) FAIL(name << ": " << row.dump());
    got.clear();
    tokenizer.encode(s, *state, got, &offsets);
    REQUIRE(got == want);
    REQUIRE(offsets.size() == got.size());
    i64 at = 0;
    for (const auto& [begin, end] : offsets) {
      REQUIRE(begin <= end);
      REQUIRE(end <= lm::isize(s));
      REQUIRE(end >= at);
      at = end;
    }
    if (!s.empty()) REQUIRE(at == lm::isize(s));
    // The stream decoder agrees with the one-shot one.
    text::StreamDecoder stream(tokenizer, false);
    std::string joined;
    for (const i32 id : got)
      joined += stream.push(id);
    joined += stream.finish();
    REQUIRE(joined == tokenizer.decode(got, false));
    if (name != "qwen3") REQUIRE(joined == s);  // Qwen normalises
  }
}

}  // namespace

TEST_CASE("a folder that may not be looked into is a matter of permission", "[text]") {
  const lm::test::TempDir dir;
  const std::string folder = (dir.path() / "closed").string();
  std::filesystem::create_directory(folder);
  write(folder + "/tokenizer.json", "{}");
  // Nothing is closed to root: then the attempt is made as nobody.
  constexpr uid_t kNobody = 65534;
  const bool root = ::geteuid() == 0;
  ::chmod(dir.path().c_str(), 0755);
  for (const mode_t mode : {mode_t{0}, mode_t{0444}}) {  // neither list nor enter; list only
    ::chmod(folder.c_str(), mode);
    if (root) REQUIRE(::seteuid(kNobody) == 0);
    std::optional<lm::ErrorKind> kind;
    try {
      text::load_tokenizer(folder);
    } catch (const lm::Error& e) {
      kind = e.kind();
    }
    if (root) REQUIRE(::seteuid(0) == 0);
    CHECK(kind == lm::ErrorKind::kPermission);
  }
  ::chmod(folder.c_str(), 0755);
}

TEST_CASE("a rank file merges by the rank of the joined bytes", "[text]") {
  const lm::test::TempDir dir;
  const std::string path = dir.file("small.tiktoken");
  write(path, rank_file());
  text::LoadOptions options;
  options.pattern = "r50k";
  const auto tokenizer = text::load_tokenizer(path, options);
  CHECK(encode(*tokenizer, "abc") == Ids{258});        // a token as a whole
  CHECK(encode(*tokenizer, "abcd") == Ids{258, 'd'});  // bc has the lower rank; then a+bc = abc
  CHECK(encode(*tokenizer, "abd") == Ids{257, 'd'});
  CHECK(encode(*tokenizer, "<|endoftext|>") == Ids{50256});
  CHECK(tokenizer->eos() == 50256);
  CHECK(tokenizer->decode(Ids{258, 50256}, true) == "abc");
  CHECK(tokenizer->vocab_size() == 50257);
  CHECK(error_of(path).find("fit no known tokenizer") != std::string::npos);
  options.pattern = "weird";
  CHECK(error_of(path, options).find("weird") != std::string::npos);
}

TEST_CASE("wrong rank files name the line", "[text]") {
  const lm::test::TempDir dir;
  const std::string path = dir.file("bad.tiktoken");
  text::LoadOptions options;
  options.pattern = "cl100k";
  for (const std::string bad :
       {"YWI= x", "YW", "!!!! 300", "YWI= -4", "YWI= 99999999999", "YWI= 256", "YQ== 300"}) {
    write(path, rank_file() + bad + "\n");
    CHECK(error_of(path, options).find("bad.tiktoken:260") != std::string::npos);
  }
  // A rank on a special token's id.
  write(path, rank_file() + "YWJjZA== 100257\n");
  CHECK(error_of(path, options).find("100257") != std::string::npos);
}

TEST_CASE("files are known by content and errors name them", "[text]") {
  const lm::test::TempDir dir;
  CHECK_THROWS_AS(text::load_tokenizer(dir.file("absent.json")), lm::Error);
  CHECK(error_of(dir.path().string()).find("no tokenizer.json") != std::string::npos);
  const std::string path = dir.file("x.json");
  for (const std::string bad : {"", "plain words", "{", "{}", "{\"model\":3}",
                                "\x28\xB5\x2F\xFDgarbage", "\n\x05garbage"}) {
    write(path, bad);
    CHECK(error_of(path).find("x.json") != std::string::npos);
  }
  write(path, "{\"a\":0}");
  CHECK(error_of(path).find("merges.txt") != std::string::npos);
}

TEST_CASE("a GPT-2 pair and its roles load from a folder", "[text]") {
  const lm::test::TempDir dir;
  write(dir.file("vocab.json"),
        R"({"a":0,"b":1,"\u0120":2,"ab":3,"\u0120ab":4,"<|endoftext|>":5})");
  write(dir.file("merges.txt"), "#version: 0.2\na b\n\xC4\xA0 ab\n");
  write(
      dir.file("tokenizer_config.json"),
      R"({"pad_token":{"content":"<|endoftext|>"},"bos_token":null,"model_max_length":1000000000000000019884624838656})");
  const auto tokenizer = text::load_tokenizer(dir.path().string());
  CHECK(encode(*tokenizer, "ab ab") == Ids{3, 4});
  CHECK(tokenizer->decode(Ids{3, 4}, false) == "ab ab");
  CHECK(tokenizer->pad() == 5);
  CHECK(tokenizer->eos() == 5);
  CHECK(tokenizer->find("\xC4\xA0"
                        "ab") == 4);
  write(dir.file("merges.txt"), "a b\na a b\n");
  CHECK(error_of(dir.path().string()).find("merges.txt:2") != std::string::npos);
  write(dir.file("merges.txt"), "a b\n");
  write(dir.file("tokenizer_config.json"), R"({"pad_token":7})");
  CHECK(error_of(dir.path().string()).find("pad_token") != std::string::npos);
}

TEST_CASE("copies of a tokenizer's files load as the original does", "[text]") {
  const lm::test::TempDir dir;
  write(dir.file("my-vocab.json"), R"({"a":0,"b":1,"ab":2,"<|endoftext|>":3})");
  write(dir.file("merges.txt"), "#version: 0.2\na b\n");
  write(dir.file("special_tokens_map.json"), R"({"eos_token":"<|endoftext|>"})");
  write(dir.file("ranks.tiktoken"), rank_file());
  const auto copied = [&](const std::string& from) {
    const lm::test::TempDir copy;
    std::string names;
    for (const text::TokenizerFile& file : text::tokenizer_files(dir.file(from))) {
      write(copy.file(file.name), lm::io::read_file(file.path));
      names += file.name + " ";
    }
    const auto tokenizer = text::load_tokenizer(copy.path().string());
    CHECK(tokenizer->digest() == text::load_tokenizer(dir.file(from))->digest());
    CHECK(tokenizer->eos() == text::load_tokenizer(dir.file(from))->eos());
    return names;
  };
  CHECK(copied("my-vocab.json") == "vocab.json merges.txt special_tokens_map.json ");
  CHECK(text::tokenizer_files(dir.file("ranks.tiktoken"))[0].name == "ranks.tiktoken");
}

TEST_CASE("real tokenizers give the reference ids", "[text]") {
  const std::filesystem::path data = lm::test::data_dir() / "tokenizers";
  if (!std::filesystem::exists(data / "gpt2")) LM_SKIP("no tokenizers in the test data");
  text::LoadOptions options;
  options.add_specials = false;
  for (const std::string name : {"gpt2", "gpt35turbo", "llama3", "qwen3", "gpt4o", "gemma3"}) {
    if (!std::filesystem::exists(data / name)) continue;
    const auto tokenizer = text::load_tokenizer((data / name).string(), options);
    check_golden(name, *tokenizer);
    CHECK(tokenizer->eos().has_value());
    CHECK(tokenizer->digest().size() == 64);
    const auto* bpe = dynamic_cast<const text::BpeTokenizer*>(tokenizer.get());
    REQUIRE(bpe != nullptr);
    CHECK_FALSE(bpe->slow_patterns());
  }
}

TEST_CASE("the tiktoken form of cl100k gives tiktoken's ids", "[text]") {
  const std::filesystem::path data = lm::test::data_dir() / "tokenizers" / "gpt35turbo";
  if (!std::filesystem::exists(data)) LM_SKIP("no tokenizers in the test data");
  // The rank file, rebuilt from the vocabulary of the tokenizer.json.
  text::LoadOptions options;
  options.add_specials = false;
  const auto source = text::load_tokenizer(data.string(), options);
  std::string ranks;
  for (i32 id = 0; id < 100256; ++id)
    ranks += base64(source->token_bytes(id, true)) + " " + std::to_string(id) + "\n";
  const lm::test::TempDir dir;
  write(dir.file("cl100k_base.tiktoken"), ranks);
  check_golden("cl100k-tiktoken", *text::load_tokenizer(dir.file("cl100k_base.tiktoken"), options));
}

TEST_CASE("the GPT-2 pair equals its tokenizer.json, and a cache never shows", "[text]") {
  const std::filesystem::path data = lm::test::data_dir();
  if (!std::filesystem::exists(data / "gpt2-bpe")) LM_SKIP("no GPT-2 files in the test data");
  const auto pair = text::load_tokenizer((data / "gpt2-bpe").string());
  check_golden("gpt2", *pair);
  text::LoadOptions none;
  none.cache_bytes = 0;
  const auto uncached = text::load_tokenizer((data / "gpt2-bpe").string(), none);
  text::LoadOptions tiny;
  tiny.cache_bytes = 100'000;
  const auto forgetful = text::load_tokenizer((data / "gpt2-bpe").string(), tiny);
  const std::string s =
      lm::io::read_file((data / "tinyshakespeare/input.txt").string()).substr(0, 300000);
  const Ids want = encode(*uncached, s);
  CHECK(encode(*pair, s) == want);
  CHECK(encode(*forgetful, s) == want);
  CHECK(pair->decode(want, false) == s);
}

namespace {

/// A tokenizer.json of two byte-level tokens and these special ones, ids from 2.
std::string json_with_specials(const std::vector<std::string>& specials, bool special = true) {
  std::string added;
  for (std::size_t i = 0; i < specials.size(); ++i) {
    added += std::string(i > 0 ? "," : "") + R"({"id":)" + std::to_string(2 + i) +
             R"(,"content":")" + specials[i] + R"(","special":)" + (special ? "true" : "false") +
             "}";
  }
  return R"({"added_tokens":[)" + added +
         R"(],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},"decoder":{"type":"ByteLevel"},)"
         R"("model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}})";
}

}  // namespace

TEST_CASE("the names of specials give roles only where nothing else does", "[text]") {
  const lm::test::TempDir dir;
  const std::string path = dir.file("tokenizer.json");
  write(path, json_with_specials({"<|endoftext|>", "<s>", "<pad>", "<|im_end|>"}));
  const auto bare = text::load_tokenizer(path);
  CHECK(bare->eos() == 2);
  CHECK(bare->bos() == 3);
  CHECK(bare->pad() == 4);

  write(path, json_with_specials({"<|endoftext|>", "</s>", "<|im_end|>", "[SEP]"}));
  CHECK_FALSE(text::load_tokenizer(path)->eos());  // two candidates: no guess
  CHECK_FALSE(text::load_tokenizer(path)->bos());
  write(path, json_with_specials({"<eos>"}, false));
  CHECK_FALSE(text::load_tokenizer(path)->eos());  // an added word, not a special token

  // A configuration decides alone, also by saying nothing.
  write(path, json_with_specials({"<|endoftext|>", "<s>", "<pad>"}));
  write(dir.file("tokenizer_config.json"), R"({"bos_token":null,"eos_token":"<pad>"})");
  const auto configured = text::load_tokenizer(dir.path().string());
  CHECK_FALSE(configured->bos());
  CHECK(configured->eos() == 4);
  CHECK_FALSE(configured->pad());

  // Options decide over everything.
  text::LoadOptions options;
  options.bos_token = "a";
  options.eos_token = "<s>";
  CHECK(text::load_tokenizer(path, options)->bos() == 0);
  CHECK(text::load_tokenizer(path, options)->eos() == 3);
  options.eos_token = "<none>";
  CHECK(error_of(path, options).find("\"<none>\"") != std::string::npos);
}

TEST_CASE("written configuration files name the roles and escape their text", "[text]") {
  const std::vector<std::string> specials = {"<a\"b>", "</s>", "[PAD]", "<unk>"};
  CHECK(text::special_tokens_map_json(specials) ==
        "{\n \"eos_token\": \"</s>\",\n \"pad_token\": \"[PAD]\"\n}\n");
  CHECK(text::special_tokens_map_json({}) == "{\n}\n");
  CHECK(text::tokenizer_config_json({}).find("eos_token") == std::string::npos);
  const lm::test::TempDir dir;
  write(dir.file("tokenizer.json"), json_with_specials({"</s>", "[PAD]"}));
  write(dir.file("tokenizer_config.json"), text::tokenizer_config_json(specials));
  write(dir.file("special_tokens_map.json"), text::special_tokens_map_json(specials));
  const auto tokenizer = text::load_tokenizer(dir.path().string());
  CHECK_FALSE(tokenizer->bos());
  CHECK(tokenizer->eos() == 2);
  CHECK(tokenizer->pad() == 3);
}
