#include "model/llama2c.h"

#include <cmath>
#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "model/engine.h"
#include "model/family.h"
#include "text/tokenizer.h"

using namespace lm;
using namespace lm::model;

namespace {

std::string i32_bytes(std::initializer_list<i32> values) {
  std::string out;
  for (const i32 value : values)
    out.append(reinterpret_cast<const char*>(&value), 4);
  return out;
}

f64 nll(std::span<const f32> logits, i32 token) {
  f64 top = -1e300;
  for (const f32 x : logits)
    top = std::max(top, static_cast<f64>(x));
  f64 sum = 0;
  for (const f32 x : logits)
    sum += std::exp(static_cast<f64>(x) - top);
  return top + std::log(sum) - static_cast<f64>(logits[usize(token)]);
}

i32 argmax(std::span<const f32> logits) {
  return static_cast<i32>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

std::string greedy(const Model& model, const text::Tokenizer& tokenizer, i64 steps) {
  Engine engine(model);
  const i32 seq = engine.create();
  std::vector<i32> ids;
  i32 token = *model.cfg.bos;
  for (i64 i = 0; i < steps; ++i) {
    token = argmax(engine.step(seq, token));
    if (token == *model.cfg.bos) break;
    ids.push_back(token);
  }
  return tokenizer.decode(ids, true);
}

void check_greedy(const std::string& name, const std::string& weights) {
  const std::filesystem::path data = test::data_dir() / name;
  test::TempDir dir;
  convert_llama2c((data / weights).string(), (data / "tok512.bin").string(), dir.file("m"));
  const Model model = load_model(dir.file("m"));
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(dir.file("m"));
  CHECK(tokenizer->vocab_size() == 512);
  const Json expected = parse_object(io::read_file((data / "expected_greedy.json").string()), name);
  CHECK(greedy(model, *tokenizer, expected["steps"]) == expected["text"]);
}

}  // namespace

TEST_CASE("real llama2.c models write the recorded greedy texts", "[model]") {
  if (test::data_dir().empty()) LM_SKIP("no test data");
  check_greedy("stories260k", "stories260K.bin");
  check_greedy("aidreams260k", "aidreams260K.bin");
}

TEST_CASE("a real llama2.c model scores and splits sentences as recorded", "[model]") {
  if (test::data_dir().empty()) LM_SKIP("no test data");
  const std::filesystem::path data = test::data_dir() / "stories260k";
  test::TempDir dir;
  convert_llama2c((data / "stories260K.bin").string(), (data / "tok512.bin").string(),
                  dir.file("m"));
  CHECK(verify_folder(dir.file("m")).empty());
  const Model model = load_model(dir.file("m"));
  CHECK(describe(model.cfg) ==
        "llama, 5 layers, width 64, 8/4 heads of 8, ffn 172, vocabulary 512");
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(dir.file("m"));
  const std::unique_ptr<text::EncodeState> state = tokenizer->new_state();
  const Json expected =
      parse_object(io::read_file((data / "expected_scores.json").string()), "expected_scores.json");
  Engine engine(model);
  for (const Json& item : expected["items"]) {
    const std::string sentence = item["text"];
    CAPTURE(sentence);
    std::vector<i32> ids;
    REQUIRE(tokenizer->encode(sentence, *state, ids));
    const std::vector<i32> recorded = item["ids"];
    if (ids.empty() || ids.front() != 1) ids.insert(ids.begin(), 1);
    REQUIRE(ids == recorded);
    const i32 seq = engine.create();
    f64 sum = 0;
    for (u64 i = 0; i + 1 < ids.size(); ++i)
      sum += nll(engine.step(seq, ids[i]), ids[i + 1]);
    // Recorded to 5 decimals from a double-precision pass; ours computes in single.
    CHECK(sum == Approx(item["sum_nll"].get<f64>()).epsilon(2e-5));
    engine.release(seq);
  }
}

TEST_CASE("a llama2.c file is read row by row, pairs of rotary rows undone", "[model]") {
  // width 4, ffn 2, 1 layer, 1 head of 4, vocabulary -3 (own head), context 2.
  test::TempDir dir;
  std::string bytes = i32_bytes({4, 2, 1, 1, 1, -3, 2});
  // embed 12, norm 4, wq 16, wk 16, wv 16, wo 16, norm 4, w1 8, w2 8, w3 8, norm 4, tables 8, head
  // 12
  const i64 floats = 12 + 4 + 64 + 4 + 24 + 4 + 8 + 12;
  for (i64 i = 0; i < floats; ++i) {
    const f32 value = static_cast<f32>(i);
    bytes.append(reinterpret_cast<const char*>(&value), 4);
  }
  std::ofstream(dir.file("w.bin"), std::ios::binary) << bytes;
  const Model model = read_llama2c(dir.file("w.bin"));
  const auto first_of_row = [&](const char* name, i64 row) {
    const Tensor t = model.weights[model.params->set.find(name)];
    return t.f32_data()[row * t.ld];
  };
  // wq starts at 16: file rows 0,1,2,3 begin with 16,20,24,28; half order is rows 0,2,1,3.
  CHECK(first_of_row("blocks.0.attn.qkv.weight", 0) == 16.0f);
  CHECK(first_of_row("blocks.0.attn.qkv.weight", 1) == 24.0f);
  CHECK(first_of_row("blocks.0.attn.qkv.weight", 2) == 20.0f);
  CHECK(first_of_row("blocks.0.attn.qkv.weight", 3) == 28.0f);
  CHECK(first_of_row("blocks.0.attn.qkv.weight", 5) == 40.0f);  // wk from 32: its row 2
  CHECK(first_of_row("blocks.0.attn.qkv.weight", 9) == 52.0f);  // wv from 48, order kept
  CHECK(first_of_row("blocks.0.attn.out.weight", 0) == 64.0f);
  CHECK(first_of_row("blocks.0.mlp.gate_up.weight", 0) == 84.0f);   // w1
  CHECK(first_of_row("blocks.0.mlp.gate_up.weight", 2) == 100.0f);  // w3
  CHECK(first_of_row("blocks.0.mlp.down.weight", 1) == 94.0f);      // w2 from 92, rows of 2
  CHECK(first_of_row("norm.weight", 0) == 108.0f);
  CHECK(first_of_row("head.weight", 0) == 120.0f);  // after 8 table entries

  std::ofstream(dir.file("short.bin"), std::ios::binary) << bytes.substr(0, bytes.size() - 1);
  std::ofstream(dir.file("odd.bin"), std::ios::binary) << i32_bytes({4, 2, 1, 3, 1, 3, 2});
  std::ofstream(dir.file("cut.bin"), std::ios::binary) << "\x04";
  for (const char* const name : {"short.bin", "odd.bin", "cut.bin"}) {
    CAPTURE(name);
    try {
      read_llama2c(dir.file(name));
      FAIL_CHECK("accepted");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kData);
      CHECK_THAT(error.message(), Catch::Matchers::StartsWith(dir.file(name)));
    }
  }
}

TEST_CASE("a cut or overlong llama2.c tokenizer is refused", "[model]") {
  std::string one = i32_bytes({3});
  for (const char* const piece : {"<unk>", "<s>", "</s>", "<0x41>", " a"}) {
    one += i32_bytes({0, static_cast<i32>(std::string(piece).size())}) + piece;
  }
  CHECK_FALSE(sentencepiece_from_llama2c(one, 5, "t").empty());
  CHECK_THROWS_WITH(sentencepiece_from_llama2c(one, 4, "t"),
                    "t: holds more than the model's 4 pieces");
  CHECK_THROWS_WITH(sentencepiece_from_llama2c(one, 6, "t"),
                    cat("t: ends early, at byte ", one.size()));
  const std::string huge = i32_bytes({3, 0, 0x7fffffff});
  CHECK_THROWS_WITH(sentencepiece_from_llama2c(huge, 1, "t"), "t: ends early, at byte 12");
  const std::string negative = i32_bytes({3, 0, -1});
  CHECK_THROWS_WITH(sentencepiece_from_llama2c(negative, 1, "t"), "t: ends early, at byte 12");
}
