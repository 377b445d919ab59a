#include "transform/surprisal.h"

#include "catch.h"
#include "tiny_tokenizer.h"

namespace lm::transform {

namespace {

std::string shown(const Result<std::vector<Surprisal>>& read) {
  if (!read) return read.fault().code;
  std::string out;
  for (const Surprisal& one : *read)
    append(out, one.begin, ":", one.nats, " ");
  return out;
}

}  // namespace

TEST_CASE("spans of surprisals are in characters, their places in bytes", "[transform]") {
  const std::string text = "caf\xC3\xA9 au";
  const auto read = [&](std::string_view raw) {
    return shown(read_surprisals(raw, text, nullptr, "s"));
  };
  CHECK(read("[[0,4,1.5],[5,7,2],[7,7,9]]") == "0:1.5 6:2 ");  // the end of a sentence is none
  CHECK(read("[]").empty());
  CHECK(read("[[0,4,1.5],[3,3,0],[2,4,1]]") == "range");
  CHECK(read("[[0,99,1]]") == "range");
  CHECK(read("[[0,4]]") == "type");
  CHECK(read("[[0,4,\"x\"]]") == "type");
  CHECK(read("7") == "type");
  CHECK(read("{\"token_ids\":[1],\"logprobs\":[-1]}") == "type");  // without a tokenizer
}

TEST_CASE("tokens of surprisals are laid on the text by their tokenizer", "[transform]") {
  const test::TempDir folder;
  test::write_tiny_tokenizer(folder.path().string());
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(folder.path().string());
  const auto read = [&](std::string_view raw) {
    return shown(read_surprisals(raw, "a the", tokenizer.get(), "s"));
  };
  // 97 is "a", 259 is " the", 261 the end, which is no text.
  CHECK(read("{\"token_ids\":[97,259,261],\"logprobs\":[-1,-2.5,-3]}") == "0:1 1:2.5 ");
  // The first token may have no probability.
  CHECK(read("{\"token_ids\":[259],\"logprobs\":[-2.5]}") == "1:2.5 ");
  CHECK(read("{\"token_ids\":[98,259],\"logprobs\":[-1,-2]}") == "range");
  CHECK(read("{\"token_ids\":[97,259,97],\"logprobs\":[-1,-2,-3]}") == "range");
  CHECK(read("{\"token_ids\":[97],\"logprobs\":[-1,-2]}") == "type");
  CHECK(read("{\"token_ids\":[99999],\"logprobs\":[-1]}") == "type");
  CHECK(read("{\"token_ids\":[-1],\"logprobs\":[-1]}") == "type");
  CHECK(read("{\"token_ids\":[97],\"logprobs\":[null]}") == "type");
  CHECK(read("{\"token_ids\":7,\"logprobs\":[]}") == "type");
  CHECK(read("{}") == "type");
}

}  // namespace lm::transform
