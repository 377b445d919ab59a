#include "train/run.h"

#include <csignal>
#include <fstream>

#include <sys/resource.h>

#include "catch.h"
#include "cpu/backend.h"
#include "io/file.h"
#include "tiny.h"

using namespace lm;
namespace fs = std::filesystem;

namespace {

struct Job {
  std::string folder, shards;
  i64 steps = 12;
  i64 save_every = 4;
  i64 stop_after = -1;    // ask for a stop when so many steps are done
  i64 stop_in_eval = -1;  // or in the evaluation after that step
  i64 keep = 0;
  i64 keep_every = 0;
  std::string eval = "";
  bool keep_best = false;
  bool background = false;
  std::string family = "llama";
  std::string base = "";  // with adapters beside this model
};

train::RunParams params_of(const Job& job) {
  return {{"steps", cat(job.steps)}};
}

/// One process's worth of a run: resumes if the folder has a checkpoint. False if it was stopped.
bool work(const Job& job) {
  LocalContext ctx;
  LocalContext step_ctx;  // of the steps alone, so that a stop can come after one
  const train::RunFolder folder(job.folder, {.sync = false});
  const std::optional<i64> from = folder.newest_good(*ctx->log);
  train::TrainOptions options = test::tiny_options(job.steps);
  options.dropout = 0.1f;
  options.micro_batch = 2;
  options.batch = 4;
  const std::unique_ptr<comm::Comm> comm = comm::self_comm();
  model::LoraCfg lora;
  lora.rank = 4;
  lora.dropout = 0.1;
  lora.base = job.base;
  model::Model model = job.base.empty() ? model::new_model(test::tiny_config(job.family), 1)
                                        : model::load_with_lora(job.base, lora, 1);
  train::Trainer trainer(model, options, *comm, *step_ctx, cpu_backend());
  std::optional<train::TrainState> state;
  if (from) {
    state = train::read_state(folder.step_path(*from));
    REQUIRE(train::first_difference(params_of(job), state->params).empty());
    train::load_checkpoint(folder.step_path(*from), *state, trainer, model);
  }
  train::ShardSource source({job.shards}, {.seq_len = 32, .seed = 9, .weights = {}});
  train::RunOptions run_options;
  run_options.steps = job.steps;
  run_options.save_every = job.save_every;
  run_options.keep = job.keep;
  run_options.keep_every = job.keep_every;
  run_options.keep_best = job.keep_best;
  run_options.save_in_background = job.background;
  run_options.eval_every = job.eval.empty() ? 0 : 2;
  run_options.metrics_path = job.folder + "/metrics.jsonl";
  run_options.params = params_of(job);
  run_options.training_head = "{\"tool\":\"test\"";
  run_options.files.output.sync = false;
  std::unique_ptr<train::Evaluator> evaluator;
  if (!job.eval.empty())
    evaluator = std::make_unique<train::Evaluator>(
        model, model.weights, cpu_backend(), std::vector<std::string>{job.eval},
        train::EvalOptions{.seq_len = 32}, std::vector<i32>{}, *comm, *ctx);
  train::Run run(folder, trainer, evaluator.get(), run_options, state, *ctx);
  source.seek({run.data().samples, {}});
  train::Examples batch;
  try {
    while (!run.finished()) {
      batch.clear();
      source.next(options.batch, batch);
      train::DataState after;
      after.samples = source.position().samples;
      if (trainer.counters.step == job.stop_after) step_ctx.stop().request();
      if (trainer.counters.step + 1 == job.stop_in_eval) ctx.stop().request();
      run.take(batch, after);
    }
    run.finish();
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kTemporary) throw;
    return false;
  }
  return true;
}

std::string bytes(const std::string& path) {
  return io::read_file(path);
}

i64 count_lines(const std::string& path) {
  const std::string text = io::read_file(path);
  return std::count(text.begin(), text.end(), '\n');
}

}  // namespace

TEST_CASE("stopped and resumed runs end with the bytes of an undisturbed one", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("data"), {900, 400});
  Job whole{.folder = dir.file("whole"), .shards = dir.file("data")};
  whole.family = GENERATE("llama", "qwen3", "qlstm");
  REQUIRE(work(whole));
  for (const i64 at : {0, 3, 4, 11}) {
    Job cut = whole;
    cut.folder = dir.file(cat("cut", at));
    cut.stop_after = at;
    REQUIRE_FALSE(work(cut));
    cut.stop_after = -1;
    REQUIRE(work(cut));
    for (const char* name :
         {"model.safetensors", "config.json", "state/state.json", "training.json",
          "state/optimizer-00001-of-00001.safetensors", "manifest.json"})
      CHECK(bytes(cat(whole.folder, "/final/", name)) == bytes(cat(cut.folder, "/final/", name)));
    CHECK(count_lines(cut.folder + "/metrics.jsonl") == 12);
    CHECK(trim(bytes(cut.folder + "/latest")) == "step-00000012");
  }
  CHECK(model::load_model(whole.folder + "/final").cfg.width == 32);
}

TEST_CASE("runs of adapters resume to the same bytes and write nothing of the base", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("data"), {900, 400});
  for (const char* const family : {"llama", "gpt2"}) {
    const std::string base = dir.file(cat("base-", family));
    model::save_model(base, model::new_model(test::tiny_config(family), 1), {});
    Job whole{.folder = dir.file(cat("whole-", family)), .shards = dir.file("data")};
    whole.base = base;
    whole.save_every = 1;
    REQUIRE(work(whole));
    Job cut = whole;
    cut.folder = dir.file(cat("cut-", family));
    cut.background = true;
    cut.stop_after = 5;
    REQUIRE_FALSE(work(cut));
    cut.stop_after = -1;
    REQUIRE(work(cut));
    for (const char* name : {"adapter_model.safetensors", "adapter_config.json", "state/state.json",
                             "state/optimizer-00001-of-00001.safetensors", "manifest.json"})
      CHECK(bytes(cat(whole.folder, "/final/", name)) == bytes(cat(cut.folder, "/final/", name)));
    CHECK_FALSE(io::path_exists(whole.folder + "/final/model.safetensors"));
    CHECK_FALSE(io::path_exists(whole.folder + "/final/config.json"));
    CHECK(model::map_model(base + "+" + whole.folder + "/final").adapters->count() == 1);
    CHECK(model::map_model(whole.folder + "/final").adapters->columns() == 4);  // it names its base
    CHECK_THROWS_WITH(model::map_model(whole.folder),
                      Catch::Matchers::ContainsSubstring("the folder of a training run"));
  }
}

TEST_CASE("an evaluation that a stop cut short is made up for", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("data"), {900, 400});
  test::write_shards(dir.file("eval"), {100});
  for (const bool keep_best : {false, true}) {
    Job whole{.folder = dir.file(cat("whole", keep_best)), .shards = dir.file("data")};
    whole.save_every = 3;
    whole.eval = dir.file("eval");
    whole.keep_best = keep_best;
    REQUIRE(work(whole));
    for (const i64 at : {2, 6, 12}) {
      Job cut = whole;
      cut.folder = dir.file(cat("cut", keep_best, at));
      cut.stop_in_eval = at;
      REQUIRE_FALSE(work(cut));
      cut.stop_in_eval = -1;
      REQUIRE(work(cut));
      for (const char* name : {"/final/manifest.json", "/step-00000009/manifest.json"})
        CHECK(bytes(whole.folder + name) == bytes(cut.folder + name));
      if (keep_best) CHECK(bytes(whole.folder + "/best") == bytes(cut.folder + "/best"));
      CHECK(count_lines(cut.folder + "/metrics.jsonl") == 12 + 6);
    }
  }
}

TEST_CASE("a held-out loss that is no number is kept and is not the best", "[train]") {
  const test::TempDir dir;
  LocalContext ctx;
  const train::RunFolder folder(dir.file("run"), {.sync = false});
  const std::unique_ptr<comm::Comm> comm = comm::self_comm();
  model::Model model = model::new_model(test::tiny_config("gpt2"), 1);
  train::Trainer trainer(model, test::tiny_options(4), *comm, *ctx, cpu_backend());
  train::TrainState state;
  state.eval = train::HeldOutLoss{std::numeric_limits<f64>::infinity(), 3};
  state.best = train::HeldOutLoss{2.5, 2};
  train::save_checkpoint(folder, model, trainer.optimizer().m(), trainer.optimizer().v(), state,
                         {.tokenizer = {}, .training_json = "{}", .output = {}});
  const train::TrainState read = train::read_state(folder.step_path(0));
  REQUIRE(read.eval);
  CHECK(read.eval->step == 3);
  CHECK_FALSE(std::isfinite(read.eval->loss));
  REQUIRE(read.best);
  CHECK(read.best->loss == 2.5);
}

TEST_CASE("a damaged newest checkpoint falls back to the one before", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("data"), {900, 400});
  Job whole{.folder = dir.file("whole"), .shards = dir.file("data")};
  REQUIRE(work(whole));
  for (const char* victim : {"model.safetensors", "state/state.json", "manifest.json"}) {
    Job hurt = whole;
    hurt.folder = dir.file("hurt");
    fs::remove_all(hurt.folder);
    hurt.stop_after = 10;
    REQUIRE_FALSE(work(hurt));
    const std::string path = hurt.folder + "/step-00000010/" + victim;
    if (std::string(victim) == "manifest.json")
      fs::remove(path);
    else
      fs::resize_file(path, fs::file_size(path) - 1);
    const LocalContext ctx;
    CHECK(train::RunFolder(hurt.folder, {}).newest_good(*ctx->log) == 8);
    hurt.stop_after = -1;
    REQUIRE(work(hurt));
    CHECK(bytes(whole.folder + "/final/model.safetensors") ==
          bytes(hurt.folder + "/final/model.safetensors"));
  }
}

TEST_CASE("old checkpoints go, those asked for stay, the best is named", "[train]") {
  const i64 keep = GENERATE(1, 2);
  const test::TempDir dir;
  test::write_shards(dir.file("data"), {900, 400});
  test::write_shards(dir.file("eval"), {100});
  Job job{.folder = dir.file("run"), .shards = dir.file("data")};
  job.save_every = 1;
  job.keep = keep;
  job.background = keep == 2;
  job.keep_every = 5;
  job.eval = dir.file("eval");
  job.keep_best = true;
  REQUIRE(work(job));
  std::vector<i64> steps = train::RunFolder(job.folder, {}).steps();
  const std::string best = std::string(trim(bytes(job.folder + "/best")));
  CHECK(fs::exists(job.folder + "/" + best + "/model.safetensors"));
  const i64 best_step = *parse_int(best.substr(5).substr(best.substr(5).find_first_not_of('0')));
  std::erase(steps, best_step);
  std::vector<i64> expected = {5, 10, 11, 12};
  if (keep == 1) std::erase(expected, 11);
  std::erase(expected, best_step);
  CHECK(steps == expected);
  for (const fs::directory_entry& entry : fs::directory_iterator(job.folder))
    CHECK(entry.path().filename().string().find(".lm-") == std::string::npos);
}

TEST_CASE("checkpoints written in the background are those written at once", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("data"), {900, 400});
  test::write_shards(dir.file("eval"), {100});
  Job at_once{.folder = dir.file("at-once"), .shards = dir.file("data")};
  at_once.save_every = 1;
  at_once.eval = dir.file("eval");
  at_once.keep_best = true;
  REQUIRE(work(at_once));
  Job behind = at_once;
  behind.folder = dir.file("behind");
  behind.background = true;
  behind.stop_after = 7;
  REQUIRE_FALSE(work(behind));
  CHECK(trim(bytes(behind.folder + "/latest")) == "step-00000007");
  behind.stop_after = -1;
  REQUIRE(work(behind));
  const std::vector<i64> steps = train::RunFolder(behind.folder, {}).steps();
  CHECK(steps.size() == 12);
  for (const i64 step : steps) {
    const std::string manifest =
        train::RunFolder(at_once.folder, {}).step_path(step).substr(at_once.folder.size()) +
        "/manifest.json";
    CHECK(bytes(at_once.folder + manifest) == bytes(behind.folder + manifest));
  }
  for (const char* name : {"/best", "/latest"})
    CHECK(bytes(at_once.folder + name) == bytes(behind.folder + name));
}

TEST_CASE("leftovers of a killed run are removed and a second process is refused", "[train]") {
  const test::TempDir dir;
  const std::string path = dir.file("run");
  fs::create_directories(path + "/.step-00000004.lm-99-abc/state");
  const train::RunFolder folder(path, {});
  CHECK_FALSE(fs::exists(path + "/.step-00000004.lm-99-abc"));
  CHECK_THROWS_WITH(train::RunFolder(path, {}),
                    Catch::Matchers::ContainsSubstring("another process"));
  const LocalContext ctx;
  CHECK_FALSE(folder.newest_good(*ctx->log).has_value());
  fs::create_directories(path + "/step-00000004");
  CHECK_THROWS_AS(folder.newest_good(*ctx->log), Error);
}

TEST_CASE("a folder with other things than a run is refused and stays as it was", "[train]") {
  const test::TempDir dir;
  const std::string path = dir.file("notes");
  fs::create_directories(path);
  io::write_file(path + "/todo.txt", "mine", {.sync = false});
  CHECK_THROWS_WITH(train::RunFolder(path, {}),
                    Catch::Matchers::ContainsSubstring("holds \"todo.txt\" and no run"));
  CHECK(std::distance(fs::directory_iterator(path), fs::directory_iterator()) == 1);
  fs::create_directories(path + "/step-00000003");
  CHECK_NOTHROW(train::RunFolder(path, {}));
}

TEST_CASE("a full disk during a checkpoint leaves the previous one", "[train]") {
  const test::TempDir dir;
  test::write_shards(dir.file("data"), {900, 400});
  Job job{.folder = dir.file("run"), .shards = dir.file("data")};
  job.background = GENERATE(false, true);
  job.stop_after = 4;
  REQUIRE_FALSE(work(job));
  job.stop_after = -1;
  const std::string before = bytes(job.folder + "/step-00000004/model.safetensors");
  // Files may not grow beyond 20 KB: the weights do not fit, as on a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
  const rlimit small{20000, old.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
  std::optional<ErrorKind> kind;
  try {
    work(job);
  } catch (const Error& e) {
    kind = e.kind();
  }
  REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
  REQUIRE(kind);
  CHECK(*kind == ErrorKind::kIo);
  CHECK(bytes(job.folder + "/step-00000004/model.safetensors") == before);
  CHECK(train::RunFolder(job.folder, {}).steps() == std::vector<i64>{4});
  CHECK(trim(bytes(job.folder + "/latest")) == "step-00000004");
  CHECK(work(job));
}

TEST_CASE("the first differing parameter is named", "[train]") {
  CHECK(train::first_difference({{"lr", "1"}, {"clip", "1"}}, {{"lr", "1"}, {"clip", "2"}}) ==
        "--clip is 1, the checkpoint has 2");
  CHECK(train::first_difference({{"lr", "1"}}, {{"lr", "1"}, {"warmup", "3"}}) ==
        "--warmup is unset, the checkpoint has 3");
  CHECK(train::first_difference({{"lr", "1"}}, {{"lr", "1"}}).empty());
}

TEST_CASE("metrics lose the lines beyond the checkpoint and a cut one", "[train]") {
  const test::TempDir dir;
  const std::string path = dir.file("m.jsonl");
  std::ofstream(path)
      << "{\"step\":1,\"loss\":2}\n{\"step\":2}\n{\"step\":2,\"eval_loss\":1}\n{\"step\":3}\n{\"st";
  {
    train::MetricsLog log(path, 2, {});
    log.append("{\"step\":3,\"new\":1}");
  }
  CHECK(bytes(path) ==
        "{\"step\":1,\"loss\":2}\n{\"step\":2}\n{\"step\":2,\"eval_loss\":1}\n{\"step\":3,\"new\":"
        "1}\n");
  train::MetricsLog(path, 0, {});
  CHECK(bytes(path).empty());
}
