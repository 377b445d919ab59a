#pragma once
// The parts of lm-train: the option table (flags*.cc), the processes of a run (ranks.cc), from
// options to a model (shape.cc), to its training options (setup.cc), to an objective
// (objective.cc), adapters (lora.cc), experts (experts.cc), drawn embeddings (embeddings.cc),
// masked diffusion (diffusion.cc), tokenizers (tokenizer.cc), what identifies a run (params.cc) and
// its continuation (extend.cc, resume.cc), records in memory (records.cc), read by
// record_parser.cc, embeddings of a cost (cost.cc), sequences for it (feed.cc), all of it together
// (run.cc).

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "graph/backend.h"
#include "model/checkpoint.h"
#include "model/shape.h"
#include "train/data.h"
#include "train/document_source.h"
#include "train/packed_source.h"
#include "train/run.h"

namespace lm::train_tool {

class Ranks;

/// The options of the program.
std::vector<cli::Flag> all_flags();

void run(cli::Tool& tool);

/// Everything the options and the data's manifests say, before any weight exists.
class Infilling;
struct Setup {
  bool stream = false;        // documents come as records, once
  bool by_documents = false;  // --order documents
  std::unique_ptr<train::Objective> objective;
  std::optional<train::PackedSource> records;  // of objectives that take some
  std::optional<train::ShardSource> shards;
  std::shared_ptr<Infilling> infilling;              // --infill
  std::optional<model::Model> initial;               // --init-from
  std::optional<text::TokenizerIdentity> tokenizer;  // of the shards, else of --tokenizer
  std::string tokenizer_path;                        // where it lies; empty: not found
  model::ModelCfg cfg;
  const Backend* backend = nullptr;
  train::TrainOptions train;
  train::RunOptions run;
};

/// Reads options, opens shards, decides shape and steps, for one of `ranks` processes. The records
/// of an objective are read here, after before_records, when everything else was accepted.
/// Throws Error naming options and files.
Setup make_setup(cli::Tool& tool, i64 ranks, const std::function<void()>& before_records);

/// Decides steps and schedule, and what identifies the run.
void set_steps(const cli::Tool& tool, i64 steps, Setup& setup);

/// The name under which a run of a compute class keeps its steps.
inline constexpr std::string_view kClassSteps = "class-steps";
/// Steps of --compute-class at --ref-throughput; 0: to be measured. Throws Error{kUsage}.
i64 class_steps(const cli::Options& o, const Setup& setup);

/// What --lora says, with the folder of --init-from as the base. Throws Error{kUsage} naming the
/// setting.
model::LoraCfg lora_settings(const cli::Options& o);

/// The names of --labels, none for other objectives than classify. Throws Error{kUsage}.
std::vector<std::string> class_labels(const cli::Options& o, const train::ObjectiveDef& def);

/// The objective of the options.
const train::ObjectiveDef& objective_def(const cli::Options& o);
/// Its numbers. Throws Error{kUsage} for those that do not fit.
train::ObjectiveOptions objective_options(const cli::Options& o);
/// Those of --objective jrt, for sequences of that length. Throws Error{kUsage}.
train::JrtOptions jrt_options(const cli::Options& o, const std::string& tokenizer, i64 seq_len,
                              i64 vocab);
/// Throws Error{kUsage} for shards where the objective takes records.
void check_data(const cli::Options& o, const train::ObjectiveDef& def);
/// Whether options say what a new model shall be like.
bool shape_given(const cli::Options& o);
/// What they say. Throws Error{kUsage} for what does not fit, or is missing.
model::ModelCfg new_config(const cli::Options& o,
                           const std::optional<text::TokenizerIdentity>& tok);
/// Reads the model that training starts from, with the head that the objective needs.
void load_initial(const cli::Options& o, const train::ObjectiveDef& def, u64 seed, i64 ranks,
                  Setup& setup);

/// --moe of a new model, with what --moe-bias-update needs; empty: nothing was said.
std::string expert_settings(const cli::Options& o, const model::ModelShape& shape);
/// What --moe-* say of training. Throws Error{kUsage} for a model without experts, or biases.
void set_expert_training(const cli::Options& o, const model::ModelCfg& cfg, train::TrainOptions& t);

/// --embed of a new model. Throws Error{kUsage} for a family with learned positions.
void set_embeddings(const cli::Options& o, model::ModelCfg& cfg);
/// Throws Error{kUsage} for options that do not go with drawn embeddings, which are computed in
/// f32.
void check_embeddings(const cli::Options& o, const train::ObjectiveDef& def, Setup& setup);

/// Of an objective of masked diffusion: finds its mask token, in the tokenizer at `tokenizer_path`
/// (empty: none) or as a new row of the model, and makes the model, new or read, one of masked
/// diffusion. Throws Error{kUsage} naming the option, or a layer that sees only what is before.
void set_diffusion(const cli::Options& o, const train::ObjectiveDef& def,
                   const std::string& tokenizer_path, u64 seed, i64 ranks, Setup& setup);
/// The numbers of such an objective. Throws Error{kUsage}.
void set_masked_options(const cli::Options& o, const train::ObjectiveDef& def, Setup& setup);
/// ... that identify a run.
void add_diffusion(const cli::Options& o, const Setup& setup, train::RunParams& params);

/// The embeddings of --emo-cost, `vocab` rows; null: the head's. Throws Error{kUsage, kData,
/// kNoInput} naming option and path.
std::shared_ptr<const train::CostTable> read_cost(cli::Tool& tool, i64 vocab);

/// The records of the objective, read to their end and tokenised (an empty path: records bring
/// ids). Throws Error{kData} without any, Error{kOs} beyond --memory, kTemporary for a stop.
train::PackedSource read_records(cli::Tool& tool, const std::string& tokenizer_path,
                                 const Setup& setup);

/// What the machine grants, or --memory where it was given.
i64 memory_limit(const cli::Tool& tool);
/// Of a run at any place, also one that had ended before this one looked.
void add_counters(cli::Tool& tool, i64 ranks, const train::TrainCounters& counters);
void add_metrics(cli::Tool& tool, const train::Trainer& trainer, const train::Run& run);
/// The line that stays on a terminal.
std::string summary(const train::Trainer& trainer, const train::Run& run,
                    const train::RunFolder& folder, f64 seconds);

/// Steps until the run is finished, with rows of the records from where the run stands.
void feed_records(train::PackedSource& source, train::Run& run, i64 batch_size);
/// The same with sequences of the shards.
void feed_shards(train::ShardSource& source, train::Run& run, i64 batch_size);
/// The same with whole documents of the shards (--order documents).
void feed_documents(const train::ShardSource& shards, const Setup& setup, train::Run& run);
/// The same with the tool's records, each read once and in order; what the run has seen already is
/// dropped. Returns when the run is finished or the stream ends. Throws Error{kData} for a stream
/// too short for one step, CommonError{kTemporary} after saving for a stop request.
void feed_stream(cli::Tool& tool, const Setup& setup, train::Run& run);

/// The options that can change what comes out, as they are set.
train::RunParams given_params(const cli::Options& o);
/// What must agree between a run and its continuation: options that shape weights, and digests.
train::RunParams run_params(const cli::Tool& tool, const Setup& setup);
/// How --eval-data is measured.
train::EvalOptions eval_options(const cli::Tool& tool, const Setup& setup);
/// Steps that --steps, --tokens or --epochs of a value come to.
i64 steps_for(const std::string& option, f64 value, Setup& setup);
train::Schedule make_schedule(const cli::Options& o, i64 steps);
train::AdamWOptions adamw_options(const cli::Options& o);
/// When checkpoints and metrics are written, and where.
train::RunOptions checkpoint_options(cli::Tool& tool);
/// Throws Error{kData} where a tokenizer of so many ids, which `what` names, has more than the
/// model.
void check_vocab(const std::string& what, i64 ids, const model::ModelCfg& cfg);
/// Warm-up of a run of so many steps where none is given.
i64 default_warmup(i64 steps);
/// With --extend: takes over the warm-up of the run whose checkpoint `from` is, where none is
/// given, since its default depends on the number of steps.
void adopt_warmup(const cli::Options& o, const std::string& from, const train::TrainState& state,
                  Setup& setup);
/// Whether the run of checkpoint `from` gets more steps than it was made for. Throws Error{kUsage}
/// where it is another run, or its schedule has no continuation, or --extend is missing.
bool check_same_run(const cli::Options& o, const std::string& from, const train::TrainState& state,
                    Setup& setup);
/// The step folder that an extension goes on from: the newest one whose steps are those of the
/// longer run; with a warning the newest of all where that is gone.
std::string extension_start(cli::Tool& tool, const train::RunFolder& folder,
                            const std::string& newest, const train::TrainState& state,
                            Setup& setup);
/// What must agree between the ranks of a run: that, the options of this program, held-out shards.
train::RunParams rank_params(const cli::Tool& tool, const Setup& setup);
/// The beginning of training.json: params and data, as an object that is left open.
std::string training_head(const train::RunParams& params, const Setup& setup);

}  // namespace lm::train_tool
