#pragma once
// A resumable checkpoint: the model's folder, or that of the adapters that are trained, plus
// training.json and state/ (moments by parameter name, state.json). Weights are f32, so a resumed
// run continues with the same bits.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/checkpoint.h"
#include "train/run_folder.h"
#include "train/trainer.h"

namespace lm::train {

/// What shapes a run, as name and value text: a resumed run must have the same. Ordered.
using RunParams = std::vector<std::pair<std::string, std::string>>;

/// Where the data stood; the union of what the sources keep (data.h).
struct DataState {
  i64 samples = 0;
  std::vector<i64> by_set;
  i64 documents = 0;
  i64 offset = 0;
  i64 bytes = 0;  // of the documents taken from the stream so far, with their line ends; for people
};

struct HeldOutLoss {
  f64 loss = 0;  // may be infinite or NaN where it is not the best
  i64 step = 0;
};

struct TrainState {
  TrainCounters counters;
  u64 seed = 0;
  i64 world_size = 1;
  DataState data;
  std::optional<f64> loss;          // of the last step
  std::optional<HeldOutLoss> eval;  // the last one
  std::optional<HeldOutLoss> best;
  RunParams params;
};

struct StateFiles {
  std::vector<std::pair<std::string, std::string>> tokenizer;  // names and contents
  std::string training_json;                                   // training.json's text
  io::OutputOptions output;
};

/// Writes step folder `state.counters.step` of the run; m and v are AdamW's moments. Throws
/// Error{kIo} (disk full), kCannotCreate; the run's other checkpoints stay as they are.
void save_checkpoint(const RunFolder& run, const model::Model& model, const ParamSlab& m,
                     const ParamSlab& v, const TrainState& state, const StateFiles& files);

/// The text of state/state.json of a step folder. Throws Error{kNoInput, kIo}.
std::string read_state_text(const std::string& folder);
/// What such a text says. Throws Error{kData} naming file and key.
TrainState parse_state(const std::string& text, const std::string& folder);
/// Both.
TrainState read_state(const std::string& folder);

/// Reads weights and moments of a step folder into a trainer whose model has the same shape, and
/// sets its counters. Throws Error{kData} naming what is missing or differs.
void load_checkpoint(const std::string& folder, const TrainState& state, Trainer& trainer,
                     model::Model& model);

/// The first difference between two lists, as "--lr is 0.001, the checkpoint has 0.0006" where
/// owner, who has theirs, is "the checkpoint"; empty if equal.
std::string first_difference(const RunParams& mine, const RunParams& theirs,
                             const std::string& owner = "the checkpoint");

}  // namespace lm::train
