#pragma once
// The objectives by name: what each reads and how it is made. One file has each:
// objective_NAME.cc.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/objective.h"
#include "train/objective_drawn.h"
#include "train/objective_jrt.h"
#include "train/objective_masked.h"
#include "train/token_loss.h"

namespace lm::train {

/// What an objective reads: documents (shards or a stream), or records that are kept in memory.
enum class RecordForm : u8 {
  kDocuments,
  kCompletion,  // a prompt and its completion, or tokens with a mask
  kPair,        // a prompt, a chosen and a rejected completion
  kLabelled,    // a prompt, a completion, whether it is a good one
  kRollout,     // completions that the model itself wrote, with their rewards (lib/align)
  kClass,       // a text and which of several kinds it is of
};

/// Of all objectives; each reads its own.
struct ObjectiveOptions {
  std::string name = "next-token";
  bool doc_mask = false;       // of next-token, prefix-lm, mdlm, llada and bd3
  TokenLossOptions loss = {};  // of next-token and sft
  DrawnOptions drawn = {};     // the model's; where they are drawn, of next-token and sft
  MaskedOptions masked = {};   // of mdlm, llada, llada-sft and bd3
  JrtOptions jrt = {};         // of jrt
  f32 z_loss = 0;
  f32 label_smoothing =
      0;                // of token losses; of dpo, the share of pairs that are the wrong way round
  bool robust = false;  // dpo: unbiased under that share
  f64 beta = 0.1;
  f64 gamma = 0;      // simpo: the margin that is asked for
  f64 lambda = 0;     // orpo: weight of the odds; reward: of the centring
  f64 desirable = 1;  // kto: weights of the two labels
  f64 undesirable = 1;
  bool others = false;     // kto: records hold a mismatched completion too
  f64 alpha = 1;           // unlikelihood: weight of the bad completions
  f64 clip = 0.2;          // of policies: how far ratios and values count
  f64 value_weight = 0.1;  // ppo: of the value's loss
  f64 kl = 0;              // grpo: weight of the divergence from the reference
};

/// A row of the table.
struct ObjectiveDef {
  const char* name = nullptr;
  RecordForm form = RecordForm::kDocuments;
  bool reference = false;  // records hold log-probabilities of a reference model
  bool masked = false;     // of masked diffusion: rows see what is behind them
  bool scores = false;     // the model has a head for scores in the place of the next token's
  f64 beta = 0, gamma = 0, lambda = 0;  // by default; 0: the objective has none
  std::unique_ptr<Objective> (*make)(const ObjectiveOptions& options) = nullptr;
};

std::span<const ObjectiveDef> objectives();
/// Null: there is none.
const ObjectiveDef* find_objective(std::string_view name);
/// Of those that learn from documents or records.
std::vector<std::string> objective_names();
/// Of those that learn from what the model writes.
std::vector<std::string> policy_names();

/// The objective that options name (LM_CHECK).
std::unique_ptr<Objective> make_objective(const ObjectiveOptions& options);

// Of the table.
std::unique_ptr<Objective> make_next_token(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_prefix_lm(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_jrt(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_sft(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_reward(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_dpo(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_ipo(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_hinge(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_simpo(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_orpo(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_kto(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_unlikelihood(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_policy(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_masked(const ObjectiveOptions& options);
std::unique_ptr<Objective> make_classify(const ObjectiveOptions& options);

}  // namespace lm::train
