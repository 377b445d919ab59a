#include "answer/model.h"

#include <cmath>
#include <fstream>

#include <unistd.h>

#include "../../tiny_model.h"
#include "answers.h"
#include "decode/grammar_constraint.h"

namespace lm::answer {
namespace {

using test::answers;
using test::ask;
using test::texts;

/// A model folder for the time of a test.
class Folder {
 public:
  Folder()
      : path_((std::filesystem::temp_directory_path() / cat("lm-answer-", getpid())).string()) {
    std::filesystem::remove_all(path_);
    test::write_tiny_folder(path_, 1, 262, 128);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::unique_ptr<decode::Session> open(const Folder& folder, i64 batch = 16, i64 chunk = 512) {
  decode::SessionOptions options;
  options.folder = folder.path();
  options.batch = batch;
  options.chunk = chunk;
  options.cache_bytes = i64{8} << 20;
  return std::make_unique<decode::Session>(options);
}

std::vector<Request> some_requests() {
  std::vector<Request> out;
  for (i64 i = 0; i < 6; ++i) {
    Request& r = out.emplace_back(ask(cat("r", i), cat("the end of ", i), 1 + i % 3));
    r.params.max_tokens = 12 + i;
    r.seed = 5;
    if (i % 2 == 1) r.params.stop = {"e"};
    if (i == 2) r.form = {Form::Kind::kRegex, "(in|the)( [a-z]{1,3}){0,4}"};
    if (i == 3) r.form = {Form::Kind::kChoices, R"(["yes","no","not yet"])"};
    if (i == 4)
      r.form = {Form::Kind::kSchema, R"({"type":"array","items":{"type":"boolean"},"maxItems":2})"};
    if (i == 5) r.params.temperature = 0;
  }
  return out;
}

/// The request as lm-decode generate puts it to a generator.
decode::Generated generated(decode::Session& session, const Request& request) {
  decode::Languages languages(session.tokenizer(), session.cfg().vocab,
                              session.generate_options().end_ids, {});
  decode::PromptEncoder encoder(session.tokenizer(), session.begin());
  decode::GenerateRequest r;
  r.id = request.id;
  r.seed = request.seed;
  r.prompt = *encoder.prompt(decode::PromptText(request.prompt));
  r.params = request.params;
  r.logprobs = true;
  using Kind = decode::Language::Kind;
  const std::map<Form::Kind, Kind> kinds = {{Form::Kind::kRegex, Kind::kRegex},
                                            {Form::Kind::kChoices, Kind::kChoices},
                                            {Form::Kind::kSchema, Kind::kSchema}};
  if (request.form.kind != Form::Kind::kFree)
    r.constraint = std::make_shared<decode::GrammarConstraint>(
        *languages.get({kinds.at(request.form.kind), request.form.text}), true,
        &session.tokenizer());
  decode::Generator generator(session.engine(), session.tokenizer(), session.generate_options());
  generator.add(std::move(r));
  while (generator.step()) {
  }
  return *generator.take();
}

}  // namespace

TEST_CASE("a model answers what its generator writes, in any company", "[answer]") {
  const Folder folder;
  const std::vector<Request> requests = some_requests();
  std::unique_ptr<decode::Session> session = open(folder);
  std::vector<decode::Generated> want;
  for (const Request& request : requests)
    want.push_back(generated(*session, request));
  for (const auto& [batch, chunk, queue] :
       {std::tuple<i64, i64, i64>{16, 512, 1000}, {1, 7, 1}, {3, 16, 2}}) {
    ModelAnswerer model(open(folder, batch, chunk), {});
    std::vector<Request> mixed;
    for (const Request& request : requests) {  // scores in between
      mixed.push_back(request);
      mixed.push_back(ask("s", "the"));
      mixed.back().score = {" end", " in the"};
    }
    const std::vector<Response> got = answers(model, mixed, queue);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const Response& own = got[2 * i];
      CAPTURE(i, batch);
      REQUIRE(!own.fault);
      REQUIRE(own.replies.size() == want[i].completions.size());
      for (std::size_t s = 0; s < own.replies.size(); ++s) {
        const decode::Completion& completion = want[i].completions[s];
        CHECK(own.replies[s].text == completion.text);
        CHECK(own.replies[s].finish_reason == completion.finish_reason);
        CHECK(own.replies[s].tokens == isize(completion.tokens));
        f64 sum = 0;
        for (const f32 one : completion.logprobs)
          sum += static_cast<f64>(one);
        CHECK(own.replies[s].logprob == sum);
      }
      CHECK(got[2 * i + 1].scores == got[1].scores);
    }
  }
}

TEST_CASE("scores are log-probabilities of continuations", "[answer]") {
  const Folder folder;
  ModelAnswerer model(open(folder), {});
  // All next bytes and tokens together have probability 1.
  Request request = ask("a", "x");
  for (i32 id = 0; id < 128; ++id)
    request.score.emplace_back(1, static_cast<char>(id));
  const Response got = test::answer_to(model, request);
  REQUIRE(!got.fault);
  f64 sum = 0;
  for (const f64 nats : got.scores) {
    CHECK(nats < 0);
    sum += std::exp(nats);
  }
  CHECK(sum < 1);
  CHECK(sum > 0.01);
  CHECK(got.prompt_tokens == 2);
  // A branch alone is a branch among others; the empty one is certain.
  Request alone = ask("a", "x");
  alone.score = {"b", ""};
  const Response pair = test::answer_to(model, alone);
  CHECK(pair.scores[0] == got.scores['b']);
  CHECK(pair.scores[1] == 0);
  // A chain of tokens.
  Request chain = ask("a", "x");
  chain.score = {"bc"};
  Request then = ask("a", "xb");
  then.score = {"c"};
  CHECK(test::answer_to(model, chain).scores[0] ==
        Approx(got.scores['b'] + test::answer_to(model, then).scores[0]).epsilon(1e-5));
}

TEST_CASE("what cannot be answered is a fault of its request alone", "[answer]") {
  const Folder folder;
  ModelAnswerer model(open(folder), {});
  std::string longer;
  for (i64 i = 0; i < 200; ++i)
    longer += "x";
  Request context = ask("a", longer);
  Request scored = ask("a", "x");
  scored.score = {longer};
  Request grammar = ask("a", "x");
  grammar.form = {Form::Kind::kRegex, "("};
  Request budget = ask("a", "x");
  budget.params.max_tokens = 3;
  budget.form = {Form::Kind::kRegex, "[a-z]{9}"};
  Request params = ask("a", "x");
  params.params.stop_ids = {100000};
  const std::vector<Response> got =
      answers(model, {ask("a", "the"), context, scored, grammar, budget, params, ask("a", "the")});
  CHECK(texts(got[1]) == "fault context");
  CHECK(texts(got[2]) == "fault context");
  CHECK(texts(got[3]) == "fault grammar");
  CHECK(texts(got[4]) == "fault budget");
  CHECK(texts(got[5]) == "fault params");
  CHECK(!got[0].fault);
  CHECK(texts(got[0]) == texts(got[6]));
  Request fits = budget;
  fits.params.max_tokens = 9;
  const Response whole = test::answer_to(model, fits);
  CHECK(texts(whole).size() == 9);
}

TEST_CASE("messages go through the folder's template, else they are plain text", "[answer]") {
  const Folder folder;
  Request chat = ask("a", "");
  chat.params.max_tokens = 8;
  chat.messages = {{"system", "short"}, {"user", "the end"}};
  Request plain = ask("a", "system: short\nuser: the end\nassistant:");
  plain.params.max_tokens = 8;
  u64 key = 0;
  {
    ModelAnswerer model(open(folder), {});
    CHECK(texts(test::answer_to(model, chat)) == texts(test::answer_to(model, plain)));
    CHECK(model.count_tokens("the end") == isize(std::string("the end")) - 2);
    key = model.key();
  }
  std::ofstream(folder.path() + "/chat_template.jinja")
      << "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";
  ModelAnswerer model(open(folder), {});
  CHECK(model.key() != key);
  plain.prompt = "[system]short[user]the end";
  // The template says itself what a text begins with, so this prompt is one begin token shorter.
  const Response through = test::answer_to(model, chat);
  const Response direct = test::answer_to(model, plain);
  CHECK(through.prompt_tokens == direct.prompt_tokens - 1);
}

}  // namespace lm::answer
