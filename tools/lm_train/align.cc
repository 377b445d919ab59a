// align: from options to a policy, its rewards and a run.

#include "align.h"

#include <algorithm>
#include <optional>

#include "align/aligner.h"
#include "align_prompts.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/str.h"
#include "decode/engine_options.h"
#include "model/device.h"
#include "model/score_head.h"
#include "resume.h"
#include "tokenizer.h"
#include "train.h"
#include "train/plan.h"

namespace lm::train_tool {

namespace {

using align::Prompt;
using cli::Options;

constexpr i64 kSequences = 64;  // of an engine at once
constexpr i64 kChunk = 512;

[[noreturn]] void usage(std::string message, std::string hint = {}) {
  throw Error(ErrorKind::kUsage, std::move(message), std::move(hint));
}

/// What a run is made of before it has weights to train.
struct Work {
  Setup setup;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::vector<Prompt> prompts;
  align::AlignOptions align;
  i64 max_tokens = 0;
};

void check_options(const Options& o, i64 ranks) {
  if (o.text("output") == "-") usage("-o RUN is needed: the folder of the run");
  if (!o.given("init-from")) usage("--init-from FOLDER is needed: the policy to begin with");
  if (!o.given("reward-model") && !o.given("reward-command"))
    usage("--reward-model FOLDER or --reward-command COMMAND is needed: where rewards come from");
  if (!o.given("steps")) usage("--steps says how long to train");
  if (ranks > 1) usage(cat("align is of one process, but ", ranks, " ranks were started"));
}

align::AlignOptions align_options(const Options& o, u64 seed) {
  align::AlignOptions out;
  out.method = o.text("method");
  out.prompts = o.integer("batch");
  out.samples = o.integer("samples");
  out.epochs = o.maybe_integer("epochs-per-batch").value_or(out.method == "ppo" ? 4 : 1);
  out.minibatches = o.integer("minibatches");
  out.kl = o.real("kl");
  out.lambda = o.real("gae-lambda");
  out.truncation_penalty = o.real("truncation-penalty");
  out.seed = seed;
  if ((out.method == "rloo" || out.method == "grpo") && out.samples < 2)
    usage(cat("--method ", out.method, " compares completions of a prompt: --samples 2 or more"));
  if (out.rollouts() % out.minibatches != 0)
    usage(cat("--minibatches ", out.minibatches, " does not divide the ", out.rollouts(),
              " completions of a step (--batch times --samples)"));
  return out;
}

train::TrainOptions train_options(const Options& o, const Work& work) {
  i64 longest = 0;
  for (const Prompt& prompt : work.prompts)
    longest = std::max(longest, isize(prompt.tokens));
  train::TrainOptions t;
  t.seq_len = std::min(work.setup.cfg.context, longest + work.max_tokens);
  t.objective.name = work.align.method;
  t.objective.clip = o.real("clip-ratio");
  t.objective.value_weight = o.real("value-weight");
  t.objective.kl = work.align.kl;
  const i64 size = work.align.update_size();
  t.micro_batch = std::min(o.maybe_integer("micro-batch").value_or(8), size);
  t.batch = (size + t.micro_batch - 1) / t.micro_batch * t.micro_batch;
  t.adamw = adamw_options(o);
  t.clip = o.real("clip");
  t.recompute = parse_checkpoint_policy(o.text("recompute"));
  t.seed = work.align.seed;
  t.on_non_finite =
      o.text("on-nan") == "skip" ? train::OnNonFinite::kSkip : train::OnNonFinite::kStop;
  return t;
}

/// What must agree between a run and its continuation.
train::RunParams align_params(const Options& o, const Work& work) {
  train::RunParams params = given_params(o);
  params.emplace_back("seed", cat(work.align.seed));
  params.emplace_back("epochs-per-batch", cat(work.align.epochs));
  u64 digest = 0;
  for (const Prompt& prompt : work.prompts) {
    const std::string_view ids(reinterpret_cast<const char*>(prompt.tokens.data()),
                               prompt.tokens.size() * sizeof(i32));
    digest = xxh3_64(cat(digest, "\n", ids, "\n", prompt.record));
  }
  params.emplace_back("data", hex64(digest));
  params.emplace_back("init-from", model::model_digest(o.text("init-from")));
  if (o.given("reward-model"))
    params.emplace_back("reward-model", model::model_digest(o.text("reward-model")));
  return params;
}

Work make_work(cli::Tool& tool, const std::function<void()>& before_prompts) {
  const Options& o = tool.options();
  Work work;
  Setup& setup = work.setup;
  work.align = align_options(o, tool.seed());
  work.max_tokens = o.integer("max-tokens");
  setup.run = checkpoint_options(tool);
  setup.run.steps = o.integer("steps");
  load_initial(o, *train::find_objective(work.align.method), tool.seed(), 1, setup);
  if (work.align.method == "ppo") {
    setup.initial = model::with_value_head(std::move(*setup.initial));
    setup.cfg = setup.initial->cfg;
  }
  const std::string path = tokenizer_path(o);
  if (path.empty())
    throw Error(ErrorKind::kUsage, cat(o.text("init-from"), ": has no tokenizer"),
                "--tokenizer FILE names it");
  std::string loaded;
  setup.tokenizer = use_tokenizer(tool, std::nullopt, setup.run, loaded);
  check_vocab(setup.tokenizer->name, setup.tokenizer->vocab_size, setup.cfg);
  text::LoadOptions load;
  load.add_specials = false;
  work.tokenizer = text::load_tokenizer(path, load);
  if (o.given("reward-model")) {
    const std::string& folder = o.text("reward-model");
    model::require_score_head(model::load_config(folder), folder);
  }
  before_prompts();
  work.prompts = read_prompts(tool, *work.tokenizer, setup.cfg);
  setup.backend = &model::backend_for("cpu");
  setup.train = train_options(o, work);
  setup.objective = train::make_objective(setup.train.objective);
  setup.train.schedule = make_schedule(o, setup.run.steps);
  if (setup.train.schedule.warmup > setup.run.steps)
    usage(cat("--warmup ", setup.train.schedule.warmup, " is longer than the ", setup.run.steps,
              " steps"));
  setup.run.params = align_params(o, work);
  setup.run.training_head = training_head(setup.run.params, setup);
  return work;
}

/// Everything beside the trainer, within what it leaves of the memory.
struct Around {
  Around(cli::Tool& tool, const Work& work, const model::Model& policy, i64 memory_bytes)
      : budget(memory_bytes),
        reference(model::load_model(tool.options().text("init-from"))),
        charge(budget, reference.weights.bytes(), "the policy's beginning") {
    const Options& o = tool.options();
    const i64 batch = std::min(kSequences, work.align.rollouts());
    if (o.given("reward-model")) {
      decode::SessionOptions how;
      how.folder = o.text("reward-model");
      how.batch = batch;
      how.chunk = kChunk;
      how.memory = &budget;
      how.later = 1;
      how.logits = false;
      judge = std::make_unique<decode::Session>(how);
      if (judge->tokenizer().digest() != work.tokenizer->digest())
        throw Error(ErrorKind::kData,
                    cat(how.folder, ": its tokenizer is not that of ", o.text("init-from")),
                    "a reward model reads the policy's tokens");
      rewards = std::make_unique<align::ModelReward>(*judge);
    } else {
      rewards = std::make_unique<align::CommandReward>(o.text("reward-command"),
                                                       o.integer("reward-timeout"));
    }
    model::EngineOptions size = decode::engine_options(policy.cfg, batch, kChunk, 0);
    const i64 fixed = model::Engine::host_bytes(policy, size);
    engine_charge.emplace(budget, fixed, "the policy's engine");
    size =
        decode::engine_options(policy.cfg, batch, kChunk, decode::cache_share(budget.available()));
    engine = std::make_unique<model::Engine>(policy, size);
    align::RollOptions roll;
    roll.samples = work.align.samples;
    roll.max_tokens = work.max_tokens;
    roll.seed = work.align.seed;
    roll.size = {batch, kChunk};
    roller.emplace(*engine, *work.tokenizer, roll);
  }
  MemoryBudget budget;
  model::Model reference;
  MemoryCharge charge;
  std::optional<MemoryCharge> engine_charge;
  std::unique_ptr<decode::Session> judge;
  std::unique_ptr<align::RewardSource> rewards;
  std::unique_ptr<model::Engine> engine;
  std::optional<align::Roller> roller;
};

void train_policy(cli::Tool& tool, Ranks& ranks, Work& work, const train::RunFolder& folder,
                  const Resume& resume, i64 memory_bytes) {
  const f64 start_s = monotonic_s();
  Setup& setup = work.setup;
  const i64 left = train::check_memory(setup.cfg, setup.train, *setup.backend, memory_bytes);
  model::Model policy = std::move(*setup.initial);
  policy.folder.clear();
  train::Trainer trainer(policy, setup.train, ranks.comm(), tool.ctx(), *setup.backend);
  if (resume.state) {
    train::load_checkpoint(resume.from, *resume.state, trainer, policy);
    tool.console().message(LogLevel::kInfo, cat("going on from ", resume.from));
  }
  Around around(tool, work, policy, left);
  align::Aligner aligner(trainer, around.reference, *around.roller, *around.rewards, work.prompts,
                         work.align, tool.ctx());
  const MemoryCharge measures(around.budget, aligner.slab_bytes(), "measuring completions");
  train::Run run(folder, trainer, nullptr, setup.run, resume.state, tool.ctx());
  const cli::StatusScope status = tool.set_status([&run] { return run.status(); });
  try {
    while (!run.finished()) {
      const i64 position = run.data().samples;
      train::DataState after;
      after.samples = position + work.align.prompts;
      run.take([&] { return aligner.step(position); }, after);
    }
    around.rewards->finish();
    run.finish();
  } catch (...) {
    tool.console().stop_progress();
    add_metrics(tool, trainer, run);
    throw;
  }
  tool.console().stop_progress();
  add_metrics(tool, trainer, run);
  tool.set_summary(summary(trainer, run, folder, monotonic_s() - start_s));
}

}  // namespace

void run_align(cli::Tool& tool) {
  Ranks ranks(tool);
  ranks.run([&] {
    std::optional<Work> work;
    std::optional<train::RunFolder> folder;
    ranks.together([&] {
      check_options(tool.options(), ranks.size());
      work = make_work(tool, [&] {
        folder.emplace(tool.options().text("output"), tool.output_options(), true);
      });
    });
    const Resume resume = find_resume(tool, ranks, *folder, work->setup);
    if (!resume.complete)
      return train_policy(tool, ranks, *work, *folder, resume, memory_limit(tool));
    const std::string done = cat(folder->path(), ": complete already");
    tool.console().message(LogLevel::kInfo, done);
    add_counters(tool, ranks.size(), resume.state->counters);
    tool.set_summary(done);
  });
}

}  // namespace lm::train_tool
