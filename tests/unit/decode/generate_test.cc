#include "decode/generate.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include <nlohmann/json.hpp>

#include "../../tiny_model.h"
#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "io/file.h"
#include "model/llama2c.h"

using namespace lm;
using namespace lm::decode;

namespace {

std::unique_ptr<text::Tokenizer> tiny_tokenizer(const test::TempDir& dir) {
  test::write_tiny_tokenizer(dir.path().string());
  text::LoadOptions options;
  options.add_specials = false;
  return text::load_tokenizer(dir.path().string(), options);
}

struct Setup {
  i64 batch = 16;
  i64 chunk = 512;
  i64 cache_tokens = 17 * 96;
  std::function<std::unique_ptr<Drafter>(const DraftSubject&)> drafter = nullptr;
};

/// Runs requests and gives their results in order.
std::vector<Generated> run(const model::Model& model, const text::Tokenizer& tokenizer,
                           const std::vector<GenerateRequest>& requests, const Setup& setup = {},
                           GenerateStats* stats = nullptr) {
  model::EngineOptions engine_options;
  engine_options.max_rows = std::max(setup.batch, setup.chunk);
  engine_options.cache_tokens = setup.cache_tokens;
  model::Engine engine(model, engine_options);
  GenerateOptions options{setup.batch, setup.chunk, model.cfg.end_ids};
  options.drafter = setup.drafter;
  Generator generator(engine, tokenizer, options);
  std::vector<Generated> out;
  for (const GenerateRequest& request : requests)
    generator.add(request);
  for (bool more = true; more;) {
    more = generator.step();
    while (std::optional<Generated> done = generator.take())
      out.push_back(std::move(*done));
  }
  CHECK(generator.pending() == 0);
  CHECK(engine.cache().free_pages() == engine.cache().total_pages());
  if (stats != nullptr) *stats = generator.stats();
  return out;
}

GenerateRequest request(const std::string& id, const std::vector<i32>& prompt) {
  GenerateRequest r;
  r.id = id;
  r.prompt = prompt_rows(prompt);
  r.params.max_tokens = 20;
  return r;
}

/// Requests with all kinds of parameters.
std::vector<GenerateRequest> mixed(i64 count) {
  const RandomStream random(21, RandomPurpose::kOther);
  std::vector<GenerateRequest> out;
  for (i64 i = 0; i < count; ++i) {
    std::vector<i32> prompt = {test::kTinyBos};
    for (i64 k = 0; k < 3 + i * 5 % 40; ++k)
      prompt.push_back(static_cast<i32>(random.below(static_cast<u64>(i * 100 + k), 260)));
    GenerateRequest r = request(cat("r", i), std::move(prompt));
    r.params.n = 1 + i % 4;
    r.params.max_tokens = i % 7 == 0 ? 100 : 3 + i % 25;
    r.params.temperature = i % 3 == 0 ? 0.0 : 0.5 + 0.1 * static_cast<f64>(i % 9);
    r.params.typical = i % 2 == 0 ? 1 : 0.8;
    r.params.repetition_penalty = i % 5 == 0 ? 1.3 : 1;
    r.params.dry_multiplier = i % 4 == 0 ? 0.5 : 0;
    r.params.top_k = i % 6 == 0 ? 20 : 0;
    r.logprobs = i % 2 == 0;
    r.top_logprobs = i % 3;
    r.prompt_logprobs = i % 5 == 0;
    r.processed = i % 4 == 0;
    out.push_back(std::move(r));
  }
  return out;
}

/// Everything of a result as text, numbers by their bits.
std::string print(const Generated& g) {
  std::string out = g.fault ? cat("fault ", g.fault->code, " ", g.fault->detail) : "";
  const auto bits = [](f32 number) {
    u32 u = 0;
    std::memcpy(&u, &number, sizeof u);
    return cat(u, ",");
  };
  for (const f32 p : g.prompt_logprobs)
    out += bits(p);
  for (const Completion& c : g.completions) {
    append(out, "|", c.finish_reason, ":", c.text, ":");
    for (const i32 token : c.tokens)
      append(out, token, " ");
    for (const f32 p : c.logprobs)
      out += bits(p);
    for (const std::vector<TokenLogprob>& row : c.top)
      for (const auto& [id, p] : row)
        append(out, id, "=", bits(p));
  }
  return out;
}

}  // namespace

TEST_CASE("results do not depend on batch, chunk, cache, threads or neighbours", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  const std::vector<GenerateRequest> requests = mixed(40);
  std::vector<std::string> expected;
  for (const GenerateRequest& one : requests)  // each alone
    expected.push_back(print(run(model, *tokenizer, {one})[0]));
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    for (const Setup& setup :
         {Setup{1, 7, 96}, Setup{4, 512, 400}, Setup{16, 7, 1632}, Setup{64, 512, 6240}}) {
      CAPTURE(threads, setup.batch, setup.chunk, setup.cache_tokens);
      const std::vector<Generated> got = run(model, *tokenizer, requests, setup);
      REQUIRE(got.size() == requests.size());
      for (std::size_t i = 0; i < got.size(); ++i)
        REQUIRE(print(got[i]) == expected[i]);
    }
  }
  set_threads(2);
  std::vector<GenerateRequest> reversed(requests.rbegin(), requests.rend());
  const std::vector<Generated> got = run(model, *tokenizer, reversed);
  for (std::size_t i = 0; i < got.size(); ++i)
    REQUIRE(print(got[i]) == expected[expected.size() - 1 - i]);
}

TEST_CASE("many samples share one evaluation of their prompt", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  GenerateRequest r = request("many", {test::kTinyBos, 5, 6, 7, 8});
  r.params.n = 64;
  GenerateStats stats;
  const std::vector<Generated> got = run(model, *tokenizer, {r}, {}, &stats);
  CHECK(stats.prompt_rows == 5);
  REQUIRE(got[0].completions.size() == 64);
  std::map<std::vector<i32>, i64> different;
  for (const Completion& c : got[0].completions)
    ++different[c.tokens];
  CHECK(different.size() > 60);
}

TEST_CASE("seed and id change what is drawn, and nothing else does", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  const GenerateRequest a = request("a", {test::kTinyBos, 1});
  GenerateRequest b = a;
  b.id = "b";
  GenerateRequest c = a;
  c.seed = 1;
  GenerateRequest d = a;
  d.params.seed = 1;
  const std::vector<Generated> got = run(model, *tokenizer, {a, b, c, d, a});
  CHECK(got[0].completions[0].tokens != got[1].completions[0].tokens);
  CHECK(got[0].completions[0].tokens != got[2].completions[0].tokens);
  CHECK(got[2].completions[0].tokens == got[3].completions[0].tokens);
  CHECK(got[0].completions[0].tokens == got[4].completions[0].tokens);
}

TEST_CASE("every finish reason is reached", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  const i32 x = 'x';
  const auto forced = [&](i32 token) {  // always this token
    GenerateRequest r = request("f", {test::kTinyBos, 1});
    r.params.logit_bias = {{token, 1e6}};
    return r;
  };
  std::vector<GenerateRequest> requests = {
      forced(test::kTinyEos), forced(x), forced(x), forced(x), forced(x), forced(x), forced(x),
      forced(test::kTinyEos)};
  requests[1].params.stop_ids = {x};
  requests[2].params.stop = {"xxx"};  // over three tokens
  requests[3].params.max_tokens = 4;
  requests[4].params.max_tokens = 1000;
  requests[5].params.loop_size = 3;
  requests[5].params.loop_count = 6;
  requests[6].params.max_tokens = 0;
  requests[7].params.ignore_eos = true;
  const std::vector<Generated> got = run(model, *tokenizer, requests);
  const auto check = [&](std::size_t i, const char* reason, const std::string& text,
                         std::size_t tokens) {
    CAPTURE(i);
    const Completion& c = got[i].completions[0];
    CHECK(c.finish_reason == reason);
    CHECK(c.text == text);
    CHECK(c.tokens.size() == tokens);
  };
  check(0, "stop", "", 1);
  check(1, "stop", "", 1);
  check(2, "stop_string", "", 3);
  check(3, "length", "xxxx", 4);
  check(4, "context", std::string(62, 'x'), 62);  // 2 + 62 = 64
  check(5, "repetition", "xxxxxx", 6);
  check(6, "length", "", 0);
  check(7, "length", "", 20);
}

TEST_CASE("prompts at and over the context", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  const std::vector<Generated> got =
      run(model, *tokenizer,
          {request("a", std::vector<i32>(63, 1)), request("b", std::vector<i32>(64, 1)),
           request("c", std::vector<i32>(65, 1)), request("d", {300})});
  CHECK(got[0].completions[0].tokens.size() == 1);
  CHECK(got[0].completions[0].finish_reason == "context");
  CHECK(got[1].completions[0].tokens.empty());
  CHECK(got[1].completions[0].finish_reason == "context");
  REQUIRE(got[2].fault);
  CHECK(got[2].fault->code == "context");
  CHECK(got[2].fault->detail == "the prompt has 65 tokens, the model's context 64");
  REQUIRE(got[3].fault);
  CHECK(got[3].fault->code == "token");
}

TEST_CASE("a text is what decoding all tokens adds to the prompt's", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  std::vector<GenerateRequest> requests;
  for (i64 i = 0; i < 60; ++i)
    requests.push_back(request(cat(i), {test::kTinyBos, static_cast<i32>(i)}));
  const std::vector<Generated> got = run(model, *tokenizer, requests);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::vector<i32> prompt = tokens_of(requests[i].prompt);
    std::vector<i32> all = prompt;
    all.insert(all.end(), got[i].completions[0].tokens.begin(), got[i].completions[0].tokens.end());
    REQUIRE(cat(tokenizer->decode(prompt, true), got[i].completions[0].text) ==
            tokenizer->decode(all, true));
  }
}

TEST_CASE("a prompt that ends inside a character gives none of it to the text", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  // Ids below 256 are bytes; a bias forces the continuation byte by byte.
  struct Case {
    std::vector<i32> prompt;
    i32 next;
    i64 max_tokens;
    std::string stop;
    std::string text;
    std::string reason;
  };
  const std::string broken = "\xef\xbf\xbd";
  const std::vector<Case> cases = {
      {{0x61, 0xc3}, 0x78, 0, "", "", "length"},            // nothing follows
      {{0x61, 0xe2, 0x82}, 0x78, 0, broken, "", "length"},  // what stands for it is no stop string
      {{0x61, 0xc3}, 0x78, 2, "", "xx", "length"},  // not completed: the prompt's own affair
      {{0x61, 0xe2, 0x82}, 0x78, 2, "", "xx", "length"},
      {{0x61, 0xe2, 0x82}, 0x78, 2, broken, "xx", "length"},
      {{0x61, 0xe2}, 0x82, 1, "", "", "length"},          // one replacement stands for both bytes
      {{0x61, 0xc3}, 0xa9, 1, "", "\xc3\xa9", "length"},  // completed: the text begins with it
      {{0x61, 0xc3}, 0xa9, 3, "\xc3\xa9", "", "stop_string"},
      {{0x61, 0xe2, 0x82}, 0xac, 2, "", "\xe2\x82\xac" + broken, "length"},
      {{0x61}, 0xe2, 1, "", broken, "length"},  // the output's own broken character
      {{0x61}, 0xe2, 1, broken, "", "stop_string"},
  };
  for (const Case& c : cases) {
    GenerateRequest r = request("r", c.prompt);
    r.params.max_tokens = c.max_tokens;
    r.params.logit_bias = {{c.next, 1e6}};
    if (!c.stop.empty()) r.params.stop = {c.stop};
    r.params.n = 2;
    const std::vector<Generated> out = run(model, *tokenizer, {r});
    for (const Completion& completion : out[0].completions) {
      CAPTURE(c.prompt, c.next, c.max_tokens);
      CHECK(completion.text == c.text);
      CHECK(completion.finish_reason == c.reason);
    }
  }
}

TEST_CASE("first tokens of many samples follow the model's distribution", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  GenerateRequest r = request("chi", {test::kTinyBos, 'a'});
  r.params.n = 4000;
  r.params.max_tokens = 1;
  r.params.top_k = 12;
  r.params.temperature = 1.5;
  const std::vector<Generated> got = run(model, *tokenizer, {r});
  model::Engine engine(model, {.cache_tokens = 96});
  TokenWeights x;
  REQUIRE(x.assign(engine.prefill(engine.create(), tokens_of(r.prompt))));
  for (f64& w : x.w)
    w /= 1.5;
  keep_top_k(x, 12, 1);
  std::vector<f64> p;
  x.softmax(p);
  std::map<i32, f64> seen;
  for (const Completion& c : got[0].completions)
    seen[c.tokens[0]] += 1;
  f64 chi = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const f64 expected = 4000 * p[i];
    REQUIRE(expected >= 5);
    chi += (seen[x.ids[i]] - expected) * (seen[x.ids[i]] - expected) / expected;
  }
  CHECK(chi < 31.3);  // 11 degrees of freedom, p = 0.001
}

TEST_CASE("a tokenizer with more ids than the model is refused", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model(1, 200);
  model::Engine engine(model, {.cache_tokens = 96});
  CHECK_THROWS_WITH(Generator(engine, *tokenizer, {}),
                    "the tokenizer has 262 ids, the model's vocabulary has 200");
}

TEST_CASE("tokens that only the model's padded vocabulary has give no text", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model(1, 300);
  GenerateRequest r = request("padded", {test::kTinyBos, 299, 97});
  r.params.max_tokens = 3;
  r.params.logit_bias = {{280, 1e6}};
  r.params.dry_multiplier = 1;
  const std::vector<Generated> got = run(model, *tokenizer, {r});
  REQUIRE_FALSE(got[0].fault);
  CHECK(got[0].completions[0].tokens == std::vector<i32>{280, 280, 280});
  CHECK(got[0].completions[0].text.empty());
}

TEST_CASE("a sample that cannot go on says why", "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  GenerateRequest r = request("banned", {test::kTinyBos});
  for (i32 id = 0; id < 262; ++id)
    r.params.logit_bias.emplace_back(id, -std::numeric_limits<f64>::infinity());
  const std::vector<Generated> got = run(model, *tokenizer, {r});
  CHECK(got[0].completions[0].finish_reason == "error");
  REQUIRE(got[0].completions[0].fault);
  CHECK(got[0].completions[0].fault->code == "no_token");
}

TEST_CASE("greedy text of the story model is the recorded one", "[decode]") {
  const std::filesystem::path data = test::data_dir();
  if (data.empty()) LM_SKIP("no test data");
  const test::TempDir dir;
  const std::string folder = dir.file("stories");
  model::convert_llama2c((data / "stories260k/stories260K.bin").string(),
                         (data / "stories260k/tok512.bin").string(), folder);
  const model::Model model = model::load_model(folder);
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(folder);
  GenerateRequest r = request("story", {1});
  r.params.temperature = 0;
  r.params.max_tokens = 200;
  const std::vector<Generated> got = run(model, *tokenizer, {r}, {4, 64, 1100});
  const nlohmann::json expected =
      nlohmann::json::parse(io::read_file((data / "stories260k/expected_greedy.json").string()));
  CHECK(got[0].completions[0].text == expected["text"].get<std::string>());
}

TEST_CASE("samples at several temperatures share a prompt and are as if asked for alone",
          "[decode]") {
  const test::TempDir dir;
  const std::unique_ptr<text::Tokenizer> tokenizer = tiny_tokenizer(dir);
  const model::Model model = test::make_tiny_model();
  GenerateRequest all = request("q", {97, 98, 99});
  all.logprobs = true;
  all.top_logprobs = 3;
  all.spreads = true;
  all.variants = {{0, 0, true}, {0.7, 0, false}, {0.7, 1, false}, {1.5, 0, false}};
  all.params.n = 4;
  GenerateRequest greedy = all;
  greedy.variants = {};
  greedy.params.n = 1;
  greedy.params.temperature = 0;
  GenerateRequest cool = greedy;
  cool.params.temperature = 0.7;
  cool.params.n = 2;
  GenerateRequest warm = greedy;
  warm.params.temperature = 1.5;
  GenerateStats stats;
  const std::vector<Completion> got = run(model, *tokenizer, {all}, {}, &stats)[0].completions;
  CHECK(stats.prompt_rows == 3);
  const std::vector<Generated> alone = run(model, *tokenizer, {greedy, cool, warm});
  const std::vector<Completion> want = {alone[0].completions[0], alone[1].completions[0],
                                        alone[1].completions[1], alone[2].completions[0]};
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    CHECK(got[i].tokens == want[i].tokens);
    CHECK(got[i].logprobs == want[i].logprobs);
    CHECK(got[i].top == (i == 0 ? want[i].top : std::vector<std::vector<TokenLogprob>>()));
    CHECK(got[i].spreads.size() == (i == 0 ? got[i].tokens.size() : 0));
  }
  CHECK(got[1].tokens != got[3].tokens);
}

TEST_CASE("the spread of a distribution is that of its definition", "[decode]") {
  const RandomStream random(5, RandomPurpose::kOther);
  std::vector<f32> logits;
  for (u64 i = 0; i < 50; ++i)
    logits.push_back(static_cast<f32>(4 * random.normal(i)));
  const f64 log_sum = normaliser(logits).log;
  f64 entropy = 0;
  f64 mean = 0;
  f64 half_sum = 0;
  for (const f32 logit : logits) {
    const f64 logp = static_cast<f64>(logit) - log_sum;
    entropy -= std::exp(logp) * logp;
    mean += logp / 50;
    half_sum += std::exp(static_cast<f64>(logit) / 2);
  }
  f64 mass = 0;
  for (const f32 logit : logits)
    mass += std::sqrt(std::exp(static_cast<f64>(logit) / 2) / half_sum);
  Spread got = spread(logits, log_sum);
  CHECK(got.entropy == Approx(entropy));
  CHECK(got.mean_logp == Approx(mean));
  CHECK(got.sqrt_mass == Approx(mass));
  // an impossible token adds nothing but to the mean
  logits.push_back(-std::numeric_limits<f32>::infinity());
  got = spread(logits, log_sum);
  CHECK(got.entropy == Approx(entropy));
  CHECK(got.sqrt_mass == Approx(mass));
  CHECK(got.mean_logp == -std::numeric_limits<f64>::infinity());
}
