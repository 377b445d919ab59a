// From a Setup to a run: resume, feed, finish.

#include <algorithm>
#include <any>
#include <cstdlib>
#include <limits>

#include "cli/resources.h"
#include "core/str.h"
#include "train.h"
#include "train/peak.h"
#include "train/plan.h"

namespace lm::train_tool {

namespace {

using cli::Options;

constexpr i64 kUnlimited = std::numeric_limits<i64>::max();

void print(int fd, const std::string& text) {
  io::write_full(fd, text.data(), isize(text), fd == 1 ? "<stdout>" : "<stderr>");
}

/// What the machine grants, or --memory where it was given.
i64 memory_limit(const cli::Tool& tool) {
  const cli::Resources resources =
      cli::read_resources("", [](const char* name) -> const char* { return std::getenv(name); });
  const i64 machine = resources.memory_bytes > 0 ? resources.memory_bytes : kUnlimited;
  return tool.options().explicitly("memory") ? std::min(machine, tool.ctx().memory->limit())
                                             : machine;
}

void show_plan(const Setup& setup, i64 memory_bytes) {
  train::PlanInputs inputs;
  inputs.steps = setup.run.steps;
  if (setup.shards) {
    inputs.data_tokens = setup.shards->tokens();
    inputs.samples = setup.shards->samples_per_epoch();
  }
  inputs.memory_bytes = memory_bytes == kUnlimited ? 0 : memory_bytes;
  inputs.peak_flops = train::calibrated_peak();
  print(1, train::plan_text(setup.cfg, setup.train, inputs));
}

/// The step folder to go on from, empty for a new run.
std::string resume_folder(const Options& o, const train::RunFolder& folder, Log& log) {
  const std::string& how = o.text("resume");
  if (how != "auto" && how != "no") {
    const std::string wrong = model::verify_folder(how);
    if (!wrong.empty()) throw Error(ErrorKind::kData, cat(how, ": ", wrong));
    return how;
  }
  const bool some = !folder.steps().empty();
  if (how == "no") {
    if (some)
      throw Error(ErrorKind::kCannotCreate, cat(folder.path(), ": has checkpoints already"),
                  "--resume auto goes on from the newest; or name another folder with -o");
    return {};
  }
  if (!some) return {};
  return folder.step_path(*folder.newest_good(log));
}

train::TrainState checked_state(const std::string& from, const Setup& setup) {
  train::TrainState state = train::read_state(from);
  const std::string difference = train::first_difference(setup.run.params, state.params);
  if (!difference.empty())
    throw Error(ErrorKind::kUsage, cat(from, ": made with other parameters: ", difference),
                "use the same options, or another -o RUN with --init-from for a new run");
  return state;
}

train::DataState shard_state(const train::ShardSource& source) {
  train::DataState data;
  data.samples = source.position().samples;
  data.by_set = source.position().by_set;
  return data;
}

void feed_shards(train::ShardSource& source, train::Run& run, i64 batch_size) {
  source.seek({run.data().samples, run.data().by_set});
  train::SequenceBatch batch;
  while (!run.finished()) {
    batch.clear();
    source.next(batch_size, batch);
    run.take(batch, shard_state(source));
  }
}

/// A document of the stream: its ids, and its bytes with the line end.
struct Document {
  std::vector<i32> ids;
  i64 bytes = 0;
};

/// Runs the stages. With a stop asked for, an input that gives no more, or that is cut because the
/// program before was stopped too, is as good a place to save as any.
void run_until_stop(cli::Tool& tool, train::Run& run, const std::vector<io::BatchStage>& stages) {
  try {
    tool.records_only().run(stages);
  } catch (const Error& e) {
    const bool input = e.kind() == ErrorKind::kData || e.kind() == ErrorKind::kTemporary;
    if (!input || !tool.ctx().stop->requested()) throw;
  }
  if (tool.ctx().stop->requested() && !run.finished()) run.stop();
}

/// Training happens in the serial stage of the record pipeline: the next batches are read and
/// parsed meanwhile.
void feed_stream(cli::Tool& tool, const Setup& setup, train::Run& run) {
  const i64 vocab = setup.cfg.vocab;
  const i64 batch_size = setup.train.batch;
  train::StreamPacker packer(setup.train.seq_len, setup.train.doc_mask,
                             {run.data().documents, run.data().offset});
  using Documents = std::vector<Document>;
  io::WorkerPool<io::JsonReader> readers([&] {
    return std::make_unique<io::JsonReader>(
        std::vector<std::string>{tool.options().text("ids-field")});
  });
  io::InputStream& input = tool.input();
  io::RecordRun& records = tool.records_only();
  i64 bytes = 0;
  i64 tokens = 0;
  const auto parse = [&](io::Batch& batch) {
    Documents documents;
    readers.with([&](io::JsonReader& json) {
      records.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
        Document document{.ids = {}, .bytes = isize(record.line) + 1};
        if (std::optional<Fault> fault = record.json.integers(0, vocab, document.ids)) return fault;
        documents.push_back(std::move(document));
        return std::nullopt;
      });
    });
    batch.user = std::move(documents);
  };
  const auto train = [&](io::Batch& batch) {
    if (run.finished() || input.behind_stop(batch)) return;
    train::SequenceBatch sequences;
    for (const Document& document : std::any_cast<const Documents&>(batch.user)) {
      packer.push(document.ids);
      bytes += document.bytes;
      tokens += isize(document.ids);
      while (packer.ready() >= batch_size && !run.finished()) {
        sequences.clear();
        packer.take(batch_size, sequences);
        train::DataState data;
        data.documents = packer.position().documents;
        data.offset = packer.position().offset;
        data.bytes = bytes;
        run.take(sequences, data);
      }
      if (run.finished()) return input.stop(batch);
    }
  };
  if (run.finished()) return;
  run_until_stop(tool, run, {{StageMode::kParallel, parse}, {StageMode::kSerial, train}});
  if (run.step() == 0)
    throw Error(ErrorKind::kData,
                cat("the stream holds ", tokens, " tokens, expected at least ",
                    batch_size * setup.train.seq_len + 1, " (", batch_size, " sequences of ",
                    setup.train.seq_len, " and the last target)"));
}

void add_metrics(cli::Tool& tool, const train::Trainer& trainer, const train::Run& run) {
  tool.add_metric("steps", cat(trainer.counters.step));
  tool.add_metric("tokens", cat(trainer.counters.tokens));
  tool.add_metric("skipped", cat(trainer.counters.skipped));
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

/// A flipped bit is found here, not learnt.
void verify_shards(const std::vector<text::ShardSet>& sets) {
  for (const text::ShardSet& set : sets)
    set.verify();
}

std::unique_ptr<train::Evaluator> make_evaluator(const cli::Tool& tool, const Setup& setup,
                                                 const model::Model& model) {
  const std::vector<std::string>& shards = tool.options().list("eval-data");
  if (shards.empty()) return nullptr;
  const train::EvalOptions options{setup.train.seq_len, setup.train.micro_batch,
                                   setup.train.doc_mask, tool.options().integer("eval-tokens")};
  std::unique_ptr<train::Evaluator> out =
      std::make_unique<train::Evaluator>(model, shards, options, setup.run.byte_table, tool.ctx());
  if (tool.options().on("verify")) verify_shards(out->sets());
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

}  // namespace

void run(cli::Tool& tool) {
  const Options& o = tool.options();
  if (!o.on("plan") && o.text("output") == "-")
    throw Error(ErrorKind::kUsage, "-o RUN is needed: the folder of the run");
  Setup setup = make_setup(tool);
  const i64 memory_bytes = memory_limit(tool);
  if (o.on("plan")) return show_plan(setup, memory_bytes);
  train::check_memory(setup.cfg, setup.train, memory_bytes);

  const train::RunFolder folder(o.text("output"), tool.output_options());
  const std::string from = resume_folder(o, folder, tool.console());
  std::optional<train::TrainState> state;
  if (!from.empty()) state = checked_state(from, setup);
  if (state && state->counters.step >= setup.run.steps &&
      io::path_exists(folder.path() + "/final")) {
    tool.console().message(LogLevel::kInfo, cat(folder.path(), ": complete already"));
    return;
  }
  if (setup.shards && o.on("verify")) verify_shards(setup.shards->sets());
  model::Model model =
      setup.initial ? std::move(*setup.initial) : model::new_model(setup.cfg, tool.seed());
  // Tokenizer files come from where the options say: a checkpoint's folder may be retired
  // meanwhile.
  model.folder.clear();
  const std::unique_ptr<comm::Comm> comm = comm::self_comm();
  train::Trainer trainer(model, setup.train, *comm, tool.ctx());
  const std::unique_ptr<train::Evaluator> evaluator = make_evaluator(tool, setup, model);
  if (state) {
    train::load_checkpoint(from, *state, trainer, model);
    tool.console().message(LogLevel::kInfo, cat("going on from ", from));
  }
  setup.run.peak_flops = train::calibrated_peak();
  train::Run run(folder, trainer, evaluator.get(), setup.run, state, tool.ctx());
  const cli::StatusScope status = tool.set_status([&run] { return run.status(); });
  try {
    if (setup.stream)
      feed_stream(tool, setup, run);
    else
      feed_shards(*setup.shards, run, setup.train.batch);
    if (!run.finished())
      tool.console().message(
          LogLevel::kWarning,
          cat("the stream ended after ", trainer.counters.step, " of ", setup.run.steps, " steps"));
    run.finish();
  } catch (...) {
    tool.console().stop_progress();
    add_metrics(tool, trainer, run);
    throw;
  }
  tool.console().stop_progress();
  add_metrics(tool, trainer, run);
  if (setup.train.profile) {
    print(2, train::profile_text(trainer.executor().profile(), setup.run.peak_flops,
                                 setup.train.micro_batch));
  }
}

}  // namespace lm::train_tool
