#include "answer/ngram.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include <unistd.h>

#include "answers.h"
#include "core/context.h"

namespace lm::answer {
namespace {

using test::answer_to;
using test::ask;
using test::texts;

// A bigram model of "a b", "a c c", "b": probabilities that sum to one behind every word.
constexpr const char* kArpa = R"(\data\
ngram 1=6
ngram 2=6

\1-grams:
-99	<s>	-0.30103
-1.0	<unk>
-0.69897	</s>
-0.69897	a	-0.30103
-0.69897	b	-0.30103
-0.522879	c	-0.30103

\2-grams:
-0.30103	<s> a
-0.69897	<s> b
-0.39794	a b
-0.69897	a c
-0.221849	b </s>
-0.30103	c c

\end\
)";

class Model {
 public:
  Model() : path_((std::filesystem::temp_directory_path() / cat("lm-ngram-", getpid())).string()) {
    std::ofstream(path_) << kArpa;
    answerer_.emplace(*ctx_, NgramOptions{path_, "", {}});
  }
  ~Model() { std::filesystem::remove(path_); }
  NgramAnswerer& operator*() { return *answerer_; }
  const std::string& path() const { return path_; }

 private:
  LocalContext ctx_;
  std::string path_;
  std::optional<NgramAnswerer> answerer_;
};

f64 score(NgramAnswerer& model, const std::string& prompt, const std::string& text) {
  Request request = ask("x", prompt);
  request.score = {text};
  const Response out = answer_to(model, request);
  REQUIRE(!out.fault);
  return out.scores[0];
}

constexpr f64 kLn10 = 2.302585092994046;

}  // namespace

TEST_CASE("an n-gram model scores words behind the prompt's", "[answer]") {
  Model model;
  // p(b | a) = 10^-0.39794; p(c | b) = backoff(b) p(c) = 10^(-0.30103 - 0.522879).
  CHECK(score(*model, "a", "b") == Approx(-0.39794 * kLn10));
  CHECK(score(*model, "a ", " b") == Approx(-0.39794 * kLn10));
  CHECK(score(*model, "a", "b c") == Approx((-0.39794 - 0.30103 - 0.522879) * kLn10));
  CHECK(score(*model, "", "a") == Approx(-0.30103 * kLn10));
  CHECK(score(*model, "c\n", "a") == Approx(-0.30103 * kLn10));
  // A line break ends the sentence: p(</s> | b), then p(a | <s>).
  CHECK(score(*model, "b", "\na") == Approx((-0.221849 - 0.30103) * kLn10));
  CHECK(score(*model, "a", "zzz") == Approx((-0.30103 - 1.0) * kLn10));
  CHECK(score(*model, "a", "") == 0);
  CHECK((*model).count_tokens("a zzz  b") == 3);
}

TEST_CASE("an n-gram model draws words by their probabilities", "[answer]") {
  Model model;
  Request request = ask("x", "a", 20000);
  request.params.max_tokens = 1;
  const Response got = answer_to(*model, request);
  REQUIRE(!got.fault);
  // Behind a: b 0.4, c 0.2, and 10^-0.30103 times p(w) for a and </s>, 0.2 each; of these alone,
  // unknown words are not written.
  const f64 backed = std::pow(10, -0.30103) * std::pow(10, -0.69897);
  const f64 all = std::pow(10, -0.39794) + std::pow(10, -0.69897) + 2 * backed;
  const std::map<std::string, f64> p = {{"b", std::pow(10, -0.39794) / all},
                                        {"c", std::pow(10, -0.69897) / all},
                                        {"a", backed / all},
                                        {"", backed / all}};
  std::map<std::string, i64> seen;
  for (const Reply& reply : got.replies)
    ++seen[reply.text];
  f64 chi = 0;
  f64 flat = 0;
  for (const auto& [text, chance] : p) {
    const f64 count = static_cast<f64>(seen[text]);
    chi += (count - 20000 * chance) * (count - 20000 * chance) / (20000 * chance);
    flat += (count - 5000) * (count - 5000) / 5000;
  }
  CHECK(seen.size() == 4);
  CHECK(chi < 16.3);  // 3 degrees of freedom, 0.1 %
  CHECK(flat > 500);
  CHECK(got.replies[0].finish_reason == (got.replies[0].text.empty() ? "stop" : "length"));
}

TEST_CASE("samplers, stops and forms hold for words", "[answer]") {
  Model model;
  const auto with = [](i64 most, f64 temperature = 0) {
    Request out = ask("x", "");
    out.params.max_tokens = most;
    out.params.temperature = temperature;
    return out;
  };
  // Greedy: a (0.5), b (0.4), </s> (0.6).
  const Response greedy = answer_to(*model, with(9));
  CHECK(texts(greedy) == "a b");
  CHECK(greedy.replies[0].finish_reason == "stop");
  CHECK(greedy.replies[0].tokens == 3);
  CHECK(greedy.replies[0].logprob == Approx((-0.30103 - 0.39794 - 0.221849) * kLn10));
  Request stop = with(9);
  stop.params.stop = {" b"};
  CHECK(texts(answer_to(*model, stop)) == "a");
  Request endless = with(6);
  endless.params.ignore_eos = true;
  const Response six = answer_to(*model, endless);
  CHECK(six.replies[0].tokens == 6);
  CHECK(six.replies[0].finish_reason == "length");
  Request form = with(6, 1);
  form.params.n = 50;
  form.form = {Form::Kind::kRegex, "(c c|b)( a)*"};
  const Response formed = answer_to(*model, form);
  REQUIRE(!formed.fault);
  std::map<std::string, i64> seen;
  for (const Reply& reply : formed.replies)
    ++seen[reply.text.substr(0, reply.text.find(" a"))];
  CHECK(seen["b"] + seen["c c"] == 50);
  CHECK(seen["b"] > 0);
  CHECK(seen["c c"] > 0);
  form.form = {Form::Kind::kChoices, R"(["a b c","c"])"};
  for (const Reply& reply : answer_to(*model, form).replies)
    CHECK((reply.text == "a b c" || reply.text == "c"));
  form.form = {Form::Kind::kChoices, R"(["zzz"])"};
  CHECK(answer_to(*model, form).fault);
  form.form = {Form::Kind::kRegex, "a( a){9}"};
  CHECK(texts(answer_to(*model, form)) == "fault budget");
  Request bias = with(2);
  bias.params.logit_bias = {{1000, 1}};
  CHECK(texts(answer_to(*model, bias)) == "fault params");
}

TEST_CASE("samples of an n-gram model do not depend on what else is asked", "[answer]") {
  Model model;
  std::vector<Request> requests;
  for (i64 i = 0; i < 30; ++i)
    requests.push_back(ask(cat("r", i), i % 2 == 0 ? "a" : "c", 3));
  const std::vector<Response> all = test::answers(*model, requests);
  const std::vector<Response> few = test::answers(*model, requests, 2);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    CHECK(texts(all[i]) == texts(few[i]));
    CHECK(texts(all[i]) == texts(answer_to(*model, requests[i])));
  }
}

}  // namespace lm::answer
