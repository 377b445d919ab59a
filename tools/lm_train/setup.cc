// From options to a Setup.

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "infill.h"
#include "model/device.h"
#include "model/layer.h"
#include "model/score_head.h"
#include "tokenizer.h"
#include "train.h"

namespace lm::train_tool {

namespace {

using cli::Options;

constexpr i64 kDefaultMicro = 8;

[[noreturn]] void usage(std::string message, std::string hint = {}) {
  throw Error(ErrorKind::kUsage, std::move(message), std::move(hint));
}

void set_batch(const Options& o, i64 ranks, train::TrainOptions& t) {
  const std::optional<i64> tokens = o.maybe_integer("batch-tokens");
  t.micro_batch = o.maybe_integer("micro-batch").value_or(kDefaultMicro);
  if (tokens) {
    const i64 together = t.micro_batch * ranks;
    const i64 unit = together * t.seq_len;
    t.batch = std::max<i64>(1, (*tokens + unit - 1) / unit) * together;
    return;
  }
  t.batch = o.maybe_integer("batch").value_or(t.micro_batch);
  if (t.batch % ranks != 0)
    usage(cat("--batch ", t.batch, " is not a multiple of the ", ranks, " ranks"));
  if (!o.given("micro-batch")) {
    t.micro_batch = std::min(t.batch / ranks, kDefaultMicro);
    while (t.batch / ranks % t.micro_batch != 0)
      --t.micro_batch;
  }
  if (t.batch / ranks % t.micro_batch != 0)
    usage(cat("--batch ", t.batch, " is not a multiple of --micro-batch ", t.micro_batch,
              ranks > 1 ? cat(" on ", ranks, " ranks") : std::string()));
}

/// 0: not known yet.
i64 step_count(const Options& o, Setup& setup) {
  if (o.given("compute-class")) return class_steps(o, setup);
  if (!o.given("steps") && !o.given("tokens") && !o.given("epochs")) {
    if (o.on("throughput")) return 0;
    usage("one of --steps, --tokens, --epochs and --compute-class says how long to train");
  }
  for (const char* name : {"steps", "tokens"})
    if (o.given(name)) return steps_for(name, static_cast<f64>(o.integer(name)), setup);
  return steps_for("epochs", o.real("epochs"), setup);
}

train::TrainOptions make_train(cli::Tool& tool, const model::ModelCfg& cfg, i64 ranks) {
  const Options& o = tool.options();
  train::TrainOptions t;
  t.seq_len = o.maybe_integer("seq-len").value_or(cfg.context);
  set_batch(o, ranks, t);
  t.objective = objective_options(o);
  t.objective.drawn = {cfg.embed, cfg.vocab, cfg.width};
  t.adamw = adamw_options(o);
  t.muon = o.text("optimizer") == "muon";
  t.muon_momentum = o.maybe_real("momentum").value_or(t.muon_momentum);
  if (t.muon && o.given("lora"))
    usage("--optimizer muon is for matrices of layers, which --lora leaves as they are");
  if (t.muon && ranks > 1)
    usage(cat("--optimizer muon is of one process, but ", ranks, " ranks were started"));
  t.clip = o.real("clip");
  t.dropout = static_cast<f32>(o.real("dropout"));
  set_expert_training(o, cfg, t);
  t.recompute = parse_checkpoint_policy(o.text("recompute"));
  t.seed = tool.seed();
  t.on_non_finite =
      o.text("on-nan") == "skip" ? train::OnNonFinite::kSkip : train::OnNonFinite::kStop;
  t.check_nan = o.text("check") == "nan";
  t.profile = o.on("profile");
  if (o.given("dump-node")) {
    t.dump_node = o.text("dump-node");
    t.dump_path = cat(o.text("output"), "/", t.dump_node, ".safetensors");
    std::replace(t.dump_path.begin() + isize(o.text("output")) + 1, t.dump_path.end(), '/', '_');
  }
  return t;
}

/// Several ranks have the CPU only: that is what "auto" means to them.
const Backend& choose_backend(const Options& o, i64 ranks) {
  const std::string& device = o.text("device");
  const bool wish = o.origin("device") == cli::Origin::kEnvironment;
  if (ranks > 1 && (device == "auto" || wish)) return model::backend_for("cpu");
  if (ranks > 1 && device != "cpu")
    throw Error(ErrorKind::kUnavailable,
                cat("--device ", device, ": ", ranks, " ranks train together on CPUs only"),
                "one process trains on one GPU; --device cpu for several ranks");
  return model::backend_for(device, wish);
}

}  // namespace

i64 steps_for(const std::string& option, f64 value, Setup& setup) {
  const train::TrainOptions& t = setup.train;
  if (option == "steps" || option == kClassSteps) return static_cast<i64>(value);
  const i64 per_step = t.batch * setup.objective->slot_tokens(t.seq_len);
  if (option == "tokens") return (static_cast<i64>(value) + per_step - 1) / per_step;
  if (setup.stream) usage("--epochs needs --data; a stream is read once");
  f64 samples = 0;
  if (setup.by_documents) {
    samples = value * static_cast<f64>(setup.shards->tokens()) / static_cast<f64>(t.seq_len);
  } else if (setup.records) {
    const f64 records = value * static_cast<f64>(setup.records->records().count());
    if (records > 1e12) usage("--epochs: too many records");
    samples = static_cast<f64>(setup.records->rows_of(std::llround(records)));
  } else {
    samples = value * static_cast<f64>(setup.shards->samples_per_epoch());
  }
  if (samples / static_cast<f64>(t.batch) > 1e15) usage("--epochs: too many steps");
  return std::max<i64>(1, static_cast<i64>(std::floor(samples / static_cast<f64>(t.batch))));
}

train::Schedule make_schedule(const Options& o, i64 steps) {
  train::Schedule s;
  s.kind = train::parse_schedule(o.text("schedule"));
  s.peak = o.real("lr");
  s.steps = steps;
  s.warmup = o.maybe_integer("warmup").value_or(default_warmup(steps));
  s.decay_share = o.real("decay-share");
  const f64 floor = s.kind == train::ScheduleKind::kCosine ? 0.1 : 0.0;
  s.floor = o.maybe_real("lr-floor").value_or(floor);
  return s;
}

void check_vocab(const std::string& what, i64 ids, const model::ModelCfg& cfg) {
  if (ids <= cfg.vocab) return;
  throw Error(ErrorKind::kData,
              cat(what, ": its tokenizer has ", ids, " ids, but the model has ", cfg.vocab,
                  " embedding rows"),
              cat("--vocab ", ids, " for a new model, or shards made with the model's tokenizer"));
}

train::RunOptions checkpoint_options(cli::Tool& tool) {
  const Options& o = tool.options();
  train::RunOptions run;
  run.save_every = o.integer("save-every");
  run.keep = o.integer("keep");
  run.keep_every = o.integer("keep-every");
  run.log_every = o.integer("log-every");
  run.metrics_path =
      o.given("metrics") ? o.text("metrics") : cat(o.text("output"), "/metrics.jsonl");
  if (o.given("metrics")) tool.claim_output(run.metrics_path);
  run.files.output = tool.output_options();
  return run;
}

train::AdamWOptions adamw_options(const Options& o) {
  return {o.real("beta1"), o.real("beta2"), o.real("eps"), o.real("weight-decay")};
}

train::EvalOptions eval_options(const cli::Tool& tool, const Setup& setup) {
  const Options& o = tool.options();
  train::EvalOptions out;
  out.seq_len = setup.train.seq_len;
  out.micro_batch = setup.train.micro_batch;
  out.doc_mask = setup.train.objective.doc_mask;
  out.max_tokens = o.integer("eval-tokens");
  if (objective_def(o).name == std::string_view("jrt"))
    out.prefix_len = setup.train.objective.jrt.prefix;
  out.embed_draws = o.maybe_integer("embed-draws").value_or(0);
  out.mask_draws = o.integer("eval-draws");
  out.seed = tool.seed();
  return out;
}

i64 default_warmup(i64 steps) {
  return steps / 50;
}

Setup make_setup(cli::Tool& tool, i64 ranks, const std::function<void()>& before_records) {
  const Options& o = tool.options();
  Setup setup;
  const train::ObjectiveDef& def = objective_def(o);
  const bool of_records = def.form != train::RecordForm::kDocuments;
  const bool shards = !o.list("data").empty();
  setup.stream = !shards && !of_records;
  setup.by_documents = o.text("order") == "documents";
  check_data(o, def);
  for (const char* const name : {"data", "eval-data"})
    for (const std::string& set : o.list(name))
      tool.add_input(text::shard_manifest(set));
  if (shards && !tool.files().empty())
    usage(cat("--data and the file ", quote(tool.files()[0]), " exclude each other"));
  if (!shards && ranks > 1)
    usage(cat("a stream of records has one reader, but ", ranks, " ranks were started"),
          "lm-tokenize pack makes shards for --data");
  setup.run = checkpoint_options(tool);
  setup.run.keep_best = o.on("keep-best");
  setup.run.eval_every = o.integer("eval-every");
  if (o.given("init-from")) {
    if (shape_given(o))
      usage("--init-from brings its own shape: leave the options of a new model out");
    load_initial(o, def, tool.seed(), ranks, setup);
  }
  std::vector<f64> weights;
  for (const std::string& text : o.list("weight")) {
    const std::optional<f64> value = parse_float(text);
    if (!value) usage(cat("--weight ", quote(text), " is not a number"));
    weights.push_back(*value);
  }
  // The shape needs the shards' tokenizer and the shards need the sequence length of the shape:
  // the vocabulary comes from the manifests, so they are opened with a length of one first.
  const auto open = [&](i64 seq_len, i64 streams) {
    setup.shards.emplace(o.list("data"), train::ShardSourceOptions{
                                             seq_len, tool.seed(), o.text("order") == "shuffle",
                                             o.on("doc-mask"), streams, weights});
  };
  if (shards) open(1, 0);
  const std::optional<text::TokenizerIdentity> sharded = shard_tokenizer(o, setup);
  std::string tokenizer;
  const std::optional<text::TokenizerIdentity> loaded =
      use_tokenizer(tool, sharded, setup.run, tokenizer);
  setup.tokenizer = sharded ? sharded : loaded;
  setup.tokenizer_path = tokenizer;
  if (!setup.initial) {
    setup.cfg = new_config(o, setup.tokenizer);
    if (def.scores) setup.cfg.scores = 1;
    if (const std::vector<std::string> labels = class_labels(o, def); !labels.empty())
      model::name_scores(setup.cfg, labels);
  }
  set_diffusion(o, def, tokenizer, tool.seed(), ranks, setup);
  if (sharded) check_vocab(text::shard_manifest(o.list("data")[0]), sharded->vocab_size, setup.cfg);
  if (loaded) check_vocab(loaded->name, loaded->vocab_size, setup.cfg);
  setup.backend = &choose_backend(o, ranks);
  setup.train = make_train(tool, setup.cfg, ranks);
  setup.train.activation = model::dtype_for(o.text("dtype"), *setup.backend);
  train::TokenLossOptions& loss = setup.train.objective.loss;
  const bool emo = loss.kind == train::TokenLossKind::kEmo;
  if ((def.scores || emo) && setup.train.activation != DType::kF32) {
    if (o.text("dtype") != "auto")
      usage(cat(emo ? "--loss emo is" : "scores are", " computed in f32: --dtype f32"));
    setup.train.activation = DType::kF32;
  }
  check_embeddings(o, def, setup);
  set_masked_options(o, def, setup);
  if (emo) loss.cost = read_cost(tool, setup.cfg.vocab);
  if (def.name == std::string_view("jrt"))
    setup.train.objective.jrt = jrt_options(o, tokenizer, setup.train.seq_len, setup.cfg.vocab);
  setup.objective = train::make_objective(setup.train.objective);
  train::graph_options(setup.cfg, setup.train);  // refuses sequences beyond learned positions
  // Rotary positions have no end, but config.json says one, which other programs keep to.
  if (setup.train.seq_len > setup.cfg.context)
    usage(cat("sequences of ", setup.train.seq_len, " tokens, but the model has ",
              setup.cfg.context, " positions"),
          cat("--seq-len ", setup.cfg.context, " or less"));
  if (o.given("infill")) setup.infilling = std::make_shared<Infilling>(o, tokenizer, tool.seed());
  const bool prefixes = o.on("prefix-mask") || def.name == std::string_view("prefix-lm");
  if (prefixes && !model::reads_prefixes(setup.cfg))
    model::require_whole_sight(setup.cfg, "prefixes that see all of themselves");
  if (shards) open(setup.train.seq_len, o.text("order") == "streams" ? setup.train.batch : 0);
  if (of_records) {
    before_records();
    setup.records = read_records(tool, tokenizer_path(o), setup);
  }
  setup.run.steps = step_count(o, setup);
  if (setup.run.steps > 0) set_steps(tool, setup.run.steps, setup);
  return setup;
}

void set_steps(const cli::Tool& tool, i64 steps, Setup& setup) {
  setup.run.steps = steps;
  setup.train.schedule = make_schedule(tool.options(), steps);
  if (setup.train.schedule.warmup > steps)
    usage(cat("--warmup ", setup.train.schedule.warmup, " is longer than the ", steps, " steps"));
  setup.run.params = run_params(tool, setup);
  setup.run.training_head = training_head(setup.run.params, setup);
}

}  // namespace lm::train_tool
