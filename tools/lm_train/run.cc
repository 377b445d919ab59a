// From a Setup to a run: resume, feed, finish.

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "cli/resources.h"
#include "core/clock.h"
#include "core/str.h"
#include "cpu/peak.h"
#include "ranks.h"
#include "resume.h"
#include "train.h"
#include "train/plan.h"

namespace lm::train_tool {

namespace {

using cli::Options;

constexpr i64 kUnlimited = std::numeric_limits<i64>::max();

void print(int fd, const std::string& text) {
  io::write_full(fd, text.data(), isize(text), fd == 1 ? "<stdout>" : "<stderr>");
}

void show_plan(cli::Tool& tool, Setup& setup, Ranks& ranks, i64 memory_bytes) {
  if (setup.run.steps == 0) settle_steps(tool, ranks, nullptr, setup);
  train::PlanInputs inputs;
  inputs.ranks = ranks.size();
  inputs.steps = setup.run.steps;
  if (setup.shards) {
    inputs.data_tokens = setup.shards->tokens();
    inputs.samples = setup.shards->samples_per_epoch();
    inputs.epochs =
        static_cast<f64>(setup.run.steps * setup.train.batch) / static_cast<f64>(inputs.samples);
  }
  if (setup.records) {
    inputs.data_tokens = setup.records->records().tokens();
    inputs.samples = setup.records->rows_of(setup.records->records().count());
    const i64 given = setup.records->records_of(setup.run.steps * setup.train.batch);
    inputs.epochs = static_cast<f64>(given) / static_cast<f64>(setup.records->records().count());
  }
  const bool cpu = setup.backend->device == Device{};
  inputs.memory_bytes = !cpu                         ? setup.backend->free_bytes()
                        : memory_bytes == kUnlimited ? 0
                                                     : memory_bytes;
  inputs.peak_flops = cpu ? cpu::calibrated_peak() : 0;
  ranks.comm().all_reduce({&inputs.peak_flops, 1});
  if (ranks.first()) print(1, train::plan_text(setup.cfg, setup.train, *setup.backend, inputs));
}

/// What a step leaves of the host's memory; throws where the step does not fit its device.
i64 host_memory_left(const Setup& setup, i64 memory_bytes, i64 ranks) {
  const Backend& backend = *setup.backend;
  if (backend.device == Device{})
    return train::check_memory(setup.cfg, setup.train, backend, memory_bytes, ranks);
  train::check_memory(setup.cfg, setup.train, backend, backend.free_bytes(), ranks);
  return memory_bytes - model::make_params(setup.cfg).set.slab_elements() * item_bytes(DType::kF32);
}

/// A flipped bit is found here, not learnt.
void verify_shards(const std::vector<text::ShardSet>& sets) {
  for (const text::ShardSet& set : sets)
    set.verify();
}

std::unique_ptr<train::Evaluator> make_evaluator(const cli::Tool& tool, const Setup& setup,
                                                 const Ranks& ranks, const model::Model& model,
                                                 const train::Trainer& trainer) {
  const Options& o = tool.options();
  const std::vector<std::string>& shards = o.list("eval-data");
  if (shards.empty()) return nullptr;
  std::unique_ptr<train::Evaluator> out = std::make_unique<train::Evaluator>(
      model, trainer.compute_weights(), trainer.backend(), shards, eval_options(tool, setup),
      setup.run.byte_table, ranks.comm(), tool.ctx());
  if (o.on("verify") && ranks.first_of_machine()) verify_shards(out->sets());
  for (i64 i = 0; i < isize(shards); ++i) {
    const text::TokenizerIdentity& held = out->sets()[usize(i)].tokenizer();
    if (setup.tokenizer && held.sha256 != setup.tokenizer->sha256)
      throw Error(ErrorKind::kData,
                  cat("--eval-data ", shards[usize(i)], ": made with tokenizer ", quote(held.name),
                      " (", held.vocab_size, " ids), but the run trains with ",
                      quote(setup.tokenizer->name), " (", setup.tokenizer->vocab_size, " ids)"));
    if (held.vocab_size > setup.cfg.vocab)
      throw Error(ErrorKind::kData,
                  cat("--eval-data ", shards[usize(i)], ": its tokenizer has ", held.vocab_size,
                      " ids, but the model has ", setup.cfg.vocab, " embedding rows"));
  }
  return out;
}

/// Options and data are the same for all ranks, whatever their machines' disks and environments
/// hold.
void check_same_everywhere(Ranks& ranks, const cli::Tool& tool, const Setup& setup) {
  if (ranks.size() == 1) return;
  const train::RunParams mine = rank_params(tool, setup);
  train::RunParams theirs;
  const i64 count = parse_int(ranks.from_first(cat(mine.size()))).value_or(0);
  for (i64 i = 0; i < count; ++i) {
    const auto& [name, value] =
        ranks.first() ? mine[usize(i)] : std::pair<std::string, std::string>();
    const std::string their_name = ranks.from_first(name);
    theirs.emplace_back(their_name, ranks.from_first(value));
  }
  ranks.together([&] {
    const std::string difference = train::first_difference(mine, theirs, "rank 0");
    if (!difference.empty())
      throw Error(ErrorKind::kUsage, difference,
                  "all ranks need the same options and the same files");
  });
}

/// Trains from where the run stands to its end.
void train_model(cli::Tool& tool, Ranks& ranks, Setup& setup, const train::RunFolder& folder,
                 const Resume& resume) {
  const Options& o = tool.options();
  const f64 start_s = monotonic_s();
  model::Model model = setup.initial ? std::move(*setup.initial)
                                     : model::new_model(setup.cfg, tool.seed(), ranks.size());
  // Tokenizer files come from where the options say: a checkpoint's folder may be retired
  // meanwhile.
  model.folder.clear();
  if (!ranks.first()) setup.train.dump_node.clear();
  std::optional<train::Trainer> trainer;
  std::unique_ptr<train::Evaluator> evaluator;
  ranks.together([&] {
    if (setup.shards && o.on("verify") && ranks.first_of_machine())
      verify_shards(setup.shards->sets());
    trainer.emplace(model, setup.train, ranks.comm(), tool.ctx(), *setup.backend);
    evaluator = make_evaluator(tool, setup, ranks, model, *trainer);
    if (!resume.state) return;
    if (ranks.first()) train::load_checkpoint(resume.from, *resume.state, *trainer, model);
    trainer->counters = resume.state->counters;
    tool.console().message(LogLevel::kInfo, cat("going on from ", resume.from));
  });
  trainer->share_state();
  const f64 own_peak = trainer->on_host() ? cpu::calibrated_peak() : 0;
  setup.run.peak_flops = own_peak;
  ranks.comm().all_reduce({&setup.run.peak_flops, 1});
  train::Run run(folder, *trainer, evaluator.get(), setup.run, resume.state, tool.ctx());
  const cli::StatusScope status = tool.set_status([&run] { return run.status(); });
  try {
    if (setup.records)
      feed_records(*setup.records, run, setup.train.batch);
    else if (setup.stream)
      feed_stream(tool, setup, run);
    else if (setup.by_documents)
      feed_documents(*setup.shards, setup, run);
    else
      feed_shards(*setup.shards, run, setup.train.batch);
    if (!run.finished())
      tool.console().message(LogLevel::kWarning,
                             cat("the stream ended after ", trainer->counters.step, " of ",
                                 setup.run.steps, " steps"));
    run.finish();
  } catch (...) {
    tool.console().stop_progress();
    add_metrics(tool, *trainer, run);
    throw;
  }
  tool.console().stop_progress();
  add_metrics(tool, *trainer, run);
  if (ranks.first()) tool.set_summary(summary(*trainer, run, folder, monotonic_s() - start_s));
  if (setup.train.profile && ranks.first())
    print(2, train::profile_text(trainer->executor().profile(), own_peak));
}

}  // namespace

i64 memory_limit(const cli::Tool& tool) {
  const cli::Resources resources =
      cli::read_resources("", [](const char* name) -> const char* { return std::getenv(name); });
  const i64 machine = resources.memory_bytes > 0 ? resources.memory_bytes : kUnlimited;
  return tool.options().explicitly("memory") ? std::min(machine, tool.ctx().memory->limit())
                                             : machine;
}

void add_counters(cli::Tool& tool, i64 ranks, const train::TrainCounters& counters) {
  tool.add_metric("ranks", cat(ranks));
  tool.add_metric("steps", cat(counters.step));
  tool.add_metric("tokens", cat(counters.tokens));
  tool.add_metric("skipped", cat(counters.skipped));
}

void add_metrics(cli::Tool& tool, const train::Trainer& trainer, const train::Run& run) {
  add_counters(tool, trainer.comm().size(), trainer.counters);
  if (run.last_loss()) {
    std::string loss;
    io::append_json_number(loss, *run.last_loss());
    tool.add_metric("loss", loss);
  }
  if (run.last_eval()) {
    std::string loss;
    io::append_json_number(loss, run.last_eval()->loss);
    tool.add_metric("eval_loss", loss);
  }
}

std::string summary(const train::Trainer& trainer, const train::Run& run,
                    const train::RunFolder& folder, f64 seconds) {
  const train::TrainCounters& counters = trainer.counters;
  std::string out =
      cat(counters.step, " steps, ", format_count(static_cast<f64>(counters.tokens)), " tokens");
  if (run.last_loss()) append(out, ", loss ", format_fixed(*run.last_loss(), 4));
  if (run.last_eval()) append(out, ", held-out loss ", format_fixed(run.last_eval()->loss, 4));
  return cat(out, ", ", format_duration(seconds), ": ", folder.path(), "/final");
}

void run(cli::Tool& tool) {
  const Options& o = tool.options();
  const bool looks = o.on("plan") || o.on("throughput");  // and trains nothing
  if (!looks && o.text("output") == "-")
    throw Error(ErrorKind::kUsage, "-o RUN is needed: the folder of the run");
  Ranks ranks(tool);
  ranks.run([&] {
    std::optional<Setup> setup;
    std::optional<train::RunFolder> folder;
    const auto open_folder = [&] {
      if (!folder && !looks) folder.emplace(o.text("output"), tool.output_options(), ranks.first());
    };
    const i64 memory_bytes = memory_limit(tool);
    ranks.together([&] {
      setup = make_setup(tool, ranks.size(), open_folder);
      if (o.on("plan")) return;
      const i64 left = host_memory_left(*setup, memory_bytes, ranks.size());
      setup->run.save_in_background =
          left >= train::checkpoint_copy_bytes(model::make_params(setup->cfg));
    });
    if (o.on("throughput")) return show_throughput(tool, ranks, *setup);
    if (o.on("plan")) return show_plan(tool, *setup, ranks, memory_bytes);
    check_same_everywhere(ranks, tool, *setup);
    ranks.together(open_folder);
    if (setup->run.steps == 0) settle_steps(tool, ranks, &*folder, *setup);
    const Resume resume = find_resume(tool, ranks, *folder, *setup);
    if (!resume.complete) return train_model(tool, ranks, *setup, *folder, resume);
    const std::string done = cat(folder->path(), ": complete already");
    tool.console().message(LogLevel::kInfo, done);
    add_counters(tool, ranks.size(), resume.state->counters);
    if (ranks.first()) tool.set_summary(done);
  });
}

}  // namespace lm::train_tool
