#include "decode/neural_scorer.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/parallel.h"
#include "io/file.h"
#include "model/llama2c.h"

using namespace lm;
using namespace lm::decode;

namespace {

/// Bytes of the keys and values of 96 tokens of the tiny model: a context and what a fork needs.
constexpr i64 kLeast = i64{96} * 2 * 2 * 8 * 4;

/// Both kinds of options in one list.
struct Form {
  i64 window = 0, stride = 0, max_tokens = 0, probes = 1;
  bool begin = true;
  text::SpecialPolicy special = text::SpecialPolicy::kParse;
  i64 batch = 16, chunk = 512, cache_bytes = i64{1} << 30;

  NeuralScorerOptions scorer() const {
    NeuralScorerOptions out;
    out.window = window;
    out.stride = stride;
    out.max_tokens = max_tokens;
    out.probes = probes;
    return out;
  }
  SessionOptions session(const std::string& folder) const {
    SessionOptions out;
    out.folder = folder;
    out.begin = begin;
    out.special = special;
    out.batch = batch;
    out.chunk = chunk;
    out.cache_bytes = cache_bytes;
    return out;
  }
};

std::vector<text::Score> score_all(const std::string& folder,
                                   const std::vector<std::string_view>& texts,
                                   const Form& options = {}) {
  NeuralScorer scorer(options.session(folder), options.scorer());
  std::vector<text::Score> out(texts.size());
  scorer.score(texts, out);
  return out;
}

/// Log-likelihood of a token list by windows, one after the other.
f64 slow_sum(const std::string& folder, const std::vector<i32>& tokens, i64 window, i64 stride) {
  const model::Model model = model::load_model(folder);
  model::Engine engine(model, {.cache_tokens = 96});
  TokenScorer scorer(engine, {.batch = 1, .chunk = 9});
  f64 sum = 0;
  for (ScoreRequest& request : cut_windows(tokens, {window, stride})) {
    scorer.add(std::move(request));
    while (scorer.step()) {
    }
    sum += (*scorer.take())[0].sum;
  }
  return sum;
}

std::vector<i32> with_begin(std::vector<i32> tokens) {
  tokens.insert(tokens.begin(), test::kTinyBos);
  return tokens;
}

std::string message_of(const std::string& folder, const Form& options) {
  try {
    const NeuralScorer scorer(options.session(folder), options.scorer());
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

class Folder {
 public:
  explicit Folder(i64 vocab = 262) : path_(dir_.file("m")) {
    test::write_tiny_folder(path_, 1, vocab);
  }
  const std::string& path() const { return path_; }

 private:
  test::TempDir dir_;
  std::string path_;
};

}  // namespace

TEST_CASE("a model folder scores texts for selection", "[decode]") {
  const Folder folder;
  const std::string long_text(300, 'q');  // several windows of 64
  const std::vector<std::string_view> texts = {"in the end", "", long_text, "in the end"};
  const std::vector<text::Score> all = score_all(folder.path(), texts);
  CHECK(all[0].tokens == 6);  // in, " the", " ", e, n, d
  CHECK(all[0].bytes == 10);
  CHECK(all[0].nll_nats ==
        -slow_sum(folder.path(), with_begin({258, 259, ' ', 'e', 'n', 'd'}), 64, 32));
  CHECK(all[0].value == std::exp(all[0].nll_nats / 6));
  CHECK(std::isnan(all[1].value));
  CHECK(std::isnan(all[1].nll_nats));
  CHECK(all[1].tokens == 0);
  CHECK(all[2].tokens == 300);
  CHECK(all[2].nll_nats ==
        -slow_sum(folder.path(), with_begin(std::vector<i32>(300, 'q')), 64, 32));
  CHECK(all[3].nll_nats == all[0].nll_nats);
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    for (const Form& options :
         {Form{.batch = 1, .chunk = 5}, Form{.batch = 64, .chunk = 512, .cache_bytes = kLeast}}) {
      const std::vector<text::Score> again = score_all(folder.path(), texts, options);
      for (const std::size_t i : {0u, 2u, 3u})
        CHECK(again[i].nll_nats == all[i].nll_nats);
    }
  }
  set_threads(2);
}

TEST_CASE("the digest names what shapes scores and nothing else", "[decode]") {
  const Folder folder;
  const auto digest = [&](const Form& options) {
    return NeuralScorer(options.session(folder.path()), options.scorer()).digest();
  };
  const std::string plain = digest({});
  CHECK(digest({.window = 64, .stride = 32, .batch = 1, .chunk = 5, .cache_bytes = kLeast}) ==
        plain);
  CHECK(digest({.window = 32}) != plain);
  CHECK(digest({.stride = 8}) != plain);
  CHECK(digest({.max_tokens = 9}) != plain);
  CHECK(digest({.begin = false}) != plain);
  CHECK(digest({.special = text::SpecialPolicy::kText}) != plain);
}

TEST_CASE("the begin token gives the first token a probability", "[decode]") {
  const Folder folder;
  const text::Score bare = score_all(folder.path(), {"abc"}, {.begin = false})[0];
  CHECK(bare.tokens == 2);
  CHECK(bare.bytes == 2);
  CHECK(bare.nll_nats == -slow_sum(folder.path(), {'a', 'b', 'c'}, 64, 32));
  CHECK(std::isnan(score_all(folder.path(), {"a"}, {.begin = false})[0].value));
}

TEST_CASE("specials spelt in a text are specials or text", "[decode]") {
  const Folder folder;
  const text::Score parsed = score_all(folder.path(), {"a</s>b"})[0];
  CHECK(parsed.tokens == 3);
  CHECK(parsed.bytes == 2);
  const text::Score text =
      score_all(folder.path(), {"a</s>b"}, {.special = text::SpecialPolicy::kText})[0];
  CHECK(text.tokens == 6);
  CHECK(text.bytes == 6);
}

TEST_CASE("long texts are scored on their head, or on stretches of them", "[decode]") {
  const Folder folder;
  std::string text;
  std::vector<i32> tokens;
  for (int i = 0; i < 200; ++i) {
    text += static_cast<char>('A' + i % 7);  // no merges: a token a byte
    tokens.push_back('A' + i % 7);
  }
  const auto part = [&](i64 begin, i64 n) {
    return std::vector<i32>(tokens.begin() + begin, tokens.begin() + begin + n);
  };
  const text::Score head = score_all(folder.path(), {text}, {.max_tokens = 90})[0];
  CHECK(head.tokens == 90);
  CHECK(head.bytes == 90);
  CHECK(head.nll_nats == -slow_sum(folder.path(), with_begin(part(0, 90)), 64, 32));
  // Three of 30 from 0, 85 and 170; the first token of the later two has nothing before it.
  const text::Score three = score_all(folder.path(), {text}, {.max_tokens = 90, .probes = 3})[0];
  CHECK(three.tokens == 88);
  CHECK(three.bytes == 88);
  const f64 want = slow_sum(folder.path(), with_begin(part(0, 30)), 64, 32) +
                   slow_sum(folder.path(), part(85, 30), 64, 32) +
                   slow_sum(folder.path(), part(170, 30), 64, 32);
  CHECK(three.nll_nats == -want);
  const text::Score whole = score_all(folder.path(), {text}, {.max_tokens = 200, .probes = 3})[0];
  CHECK(whole.nll_nats == score_all(folder.path(), {text})[0].nll_nats);
}

TEST_CASE("a scorer says what does not fit", "[decode]") {
  const Folder folder;
  CHECK(message_of(folder.path(), {.window = 65}) ==
        folder.path() + ": a window of 65 tokens is more than the model's context of 64");
  CHECK(message_of(folder.path(), {.window = 16, .stride = 17}) ==
        folder.path() + ": a stride of 17 tokens is more than the window of 16");
  const Folder small(200);
  CHECK(message_of(small.path(), {}) ==
        small.path() + ": the tokenizer has 262 ids, the model's vocabulary has 200");
  CHECK_THROWS_AS(NeuralScorer(Form{}.session(folder.path() + "/absent")), Error);
}

TEST_CASE("the stories model scores as recorded", "[decode]") {
  const std::filesystem::path data = test::data_dir();
  if (data.empty()) LM_SKIP("no test data");
  const test::TempDir dir;
  const std::string folder = dir.file("stories");
  model::convert_llama2c((data / "stories260k/stories260K.bin").string(),
                         (data / "stories260k/tok512.bin").string(), folder);
  const nlohmann::json expected =
      nlohmann::json::parse(io::read_file((data / "stories260k/expected_scores.json").string()));
  NeuralScorer scorer(Form{}.session(folder));
  REQUIRE(expected["items"].size() == 4);
  for (const nlohmann::json& item : expected["items"]) {
    const std::string text = item["text"];
    const std::string_view view = text;
    text::Score score;
    scorer.score({&view, 1}, {&score, 1});
    CHECK(score.tokens == item["n_scored"].get<i64>());
    CHECK(score.nll_nats == Approx(item["sum_nll"].get<f64>()).epsilon(2e-6));
    CHECK(score.bytes == isize(text));
  }
}
