#include "align/rewards.h"

#include "../../tiny_model.h"
#include "catch.h"
#include "io/file.h"
#include "model/score_head.h"

using namespace lm;
using align::CommandReward;
using align::Prompt;
using align::Rollout;

namespace {

std::vector<Prompt> prompts() {
  return {{"a", {1}, R"({"id":"a","prompt":"x","gold":7})"},
          {"b", {1}, R"({"id":"b","prompt":"y","completion":"old","truncated":1})"}};
}

std::vector<Rollout> rollouts() {
  std::vector<Rollout> out(3);
  for (Rollout& one : out)
    one.tokens = {10, 11};
  out[0].text = "say \"hi\"";
  out[1].prompt = out[2].prompt = 1;
  out[1].text = "longer text";
  out[2].truncated = true;
  return out;
}

std::vector<f64> rewards(const std::string& command, i64 timeout_s = 20) {
  CommandReward source(command, timeout_s);
  std::vector<Rollout> all = rollouts();
  source.score(prompts(), all);
  source.finish();
  std::vector<f64> out;
  for (const Rollout& one : all)
    out.push_back(one.reward);
  return out;
}

std::string failure(const std::string& command, i64 timeout_s = 20) {
  try {
    rewards(command, timeout_s);
  } catch (const Error& e) {
    return e.message();
  }
  return "none";
}

using Catch::Matchers::ContainsSubstring;

}  // namespace

TEST_CASE("a command answers every completion in order", "[align]") {
  CHECK(rewards("n=0; while read -r l; do n=$((n + 1)); echo $n; done") ==
        std::vector<f64>{1, 2, 3});
  CHECK(rewards("while read -r l; do echo '{\"id\":1,\"reward\":-2.5}'; done") ==
        std::vector<f64>{-2.5, -2.5, -2.5});
  // It sees the record with the completion in its place, and whether that came to an end.
  const test::TempDir dir;
  const std::string seen = dir.file("seen");
  rewards(cat("while read -r l; do printf '%s\\n' \"$l\" >> ", seen, "; echo 0; done"));
  CHECK(io::read_file(seen) ==
        "{\"id\":\"a\",\"prompt\":\"x\",\"gold\":7,\"completion\":\"say \\\"hi\\\"\","
        "\"truncated\":false}\n"
        "{\"id\":\"b\",\"prompt\":\"y\",\"completion\":\"longer text\",\"truncated\":false}\n"
        "{\"id\":\"b\",\"prompt\":\"y\",\"completion\":\"\",\"truncated\":true}\n");
}

TEST_CASE("a command that gives no rewards is refused by name and record", "[align]") {
  CHECK_THAT(failure("while read -r l; do echo good; done"),
             ContainsSubstring("record \"a\"") && ContainsSubstring("\"good\"") &&
                 ContainsSubstring("expected a number"));
  CHECK_THAT(failure("while read -r l; do echo NaN; done"), ContainsSubstring("expected a number"));
  CHECK_THAT(failure("while read -r l; do echo '{\"score\":1}'; done"),
             ContainsSubstring("expected a number"));
  CHECK_THAT(failure("while read -r l; do echo '{\"reward\":null}'; done"),
             ContainsSubstring("expected a number"));
  CHECK_THAT(failure("read -r l; echo 1"),
             ContainsSubstring("record \"b\"") && ContainsSubstring("ended with status 0"));
  CHECK_THAT(failure("exit 3"), ContainsSubstring("ended with status 3"));
  CHECK_THAT(failure("while read -r l; do printf '1\\n2\\n'; done"),
             ContainsSubstring("record \"b\"") && ContainsSubstring("more than one line"));
  // What comes too late to be seen before the next line is asked for is seen at the end.
  CHECK_THAT(failure("read -r l; echo 1; read -r l; echo 2; read -r l; echo 3; sleep 0.1; echo 4"),
             ContainsSubstring("more than one line"));
  CHECK_THAT(failure("read -r l; sleep 100", 1), ContainsSubstring("record \"a\""));
}

TEST_CASE("a reward is the head's product with the last token's state", "[align]") {
  const test::TempDir dir;
  test::write_tiny_folder(dir.file("lm"));
  model::Model scored = model::with_score_head(model::load_model(dir.file("lm")), 7);
  model::SaveOptions save;
  save.tokenizer_folder = dir.file("lm");
  model::save_model(dir.file("rm"), scored, save);
  decode::SessionOptions options;
  options.folder = dir.file("rm");
  options.logits = false;
  options.batch = 2;
  options.chunk = 8;
  decode::Session session(options);
  align::ModelReward source(session);
  std::vector<Prompt> all = {{"a", {256, 65, 66}, ""}, {"b", std::vector<i32>(30, 70), ""}};
  std::vector<Rollout> some(3);
  some[0].tokens = {70, 71};
  some[1].tokens = {72};
  some[2].tokens = {73, 74, 75};
  some[2].prompt = 1;
  source.score(all, some);
  // One by one, in an engine of their own.
  for (Rollout& one : some) {
    model::EngineOptions size;
    size.max_logit_rows = 0;
    model::Engine engine(scored, size);
    std::vector<i32> tokens = all[usize(one.prompt)].tokens;
    tokens.insert(tokens.end(), one.tokens.begin(), one.tokens.end());
    std::vector<model::EvalRow> rows;
    const i32 seq = engine.create();
    for (const i32 token : tokens)
      rows.push_back({.seq = seq, .token = token, .want_hidden = true});
    engine.eval(rows);
    const std::vector<f32> head = model::score_head(scored);
    f64 sum = 0;
    for (std::size_t i = 0; i < head.size(); ++i)
      sum += static_cast<f64>(head[i]) * static_cast<f64>(engine.hidden(isize(rows) - 1)[i]);
    CHECK(one.reward == sum);
  }
  std::vector<Rollout> longer(1);
  longer[0].tokens.assign(100, 70);
  CHECK_THROWS_WITH(source.score(all, longer),
                    ContainsSubstring("record \"a\"") && ContainsSubstring("context"));
  CHECK_THROWS_WITH(model::require_score_head(model::load_config(dir.file("lm")), "lm"),
                    ContainsSubstring("expected a model with a head of one score"));
}
