#include "train/objective_table.h"

#include <array>

#include "core/error.h"
#include "train/objective_drawn.h"

namespace lm::train {

namespace {

constexpr std::array<ObjectiveDef, 21> kObjectives = {{
    {.name = "next-token", .make = make_next_token},
    {.name = "prefix-lm", .make = make_prefix_lm},
    {.name = "jrt", .make = make_jrt},
    {.name = "sft", .form = RecordForm::kCompletion, .make = make_sft},
    {.name = "mdlm", .masked = true, .make = make_masked},
    {.name = "llada", .masked = true, .make = make_masked},
    {.name = "llada-sft", .form = RecordForm::kCompletion, .masked = true, .make = make_masked},
    {.name = "bd3", .masked = true, .make = make_masked},
    {.name = "reward",
     .form = RecordForm::kPair,
     .scores = true,
     .lambda = 0.01,
     .make = make_reward},
    {.name = "dpo", .form = RecordForm::kPair, .reference = true, .beta = 0.1, .make = make_dpo},
    {.name = "ipo", .form = RecordForm::kPair, .reference = true, .beta = 0.1, .make = make_ipo},
    {.name = "hinge",
     .form = RecordForm::kPair,
     .reference = true,
     .beta = 0.1,
     .make = make_hinge},
    {.name = "simpo", .form = RecordForm::kPair, .beta = 2, .gamma = 1, .make = make_simpo},
    {.name = "orpo", .form = RecordForm::kPair, .lambda = 0.1, .make = make_orpo},
    {.name = "kto",
     .form = RecordForm::kLabelled,
     .reference = true,
     .beta = 0.1,
     .make = make_kto},
    {.name = "unlikelihood", .form = RecordForm::kLabelled, .make = make_unlikelihood},
    {.name = "ppo", .form = RecordForm::kRollout, .make = make_policy},
    {.name = "reinforce", .form = RecordForm::kRollout, .make = make_policy},
    {.name = "rloo", .form = RecordForm::kRollout, .make = make_policy},
    {.name = "grpo", .form = RecordForm::kRollout, .make = make_policy},
    {.name = "classify", .form = RecordForm::kClass, .scores = true, .make = make_classify},
}};

std::unique_ptr<Objective> language_model(const ObjectiveOptions& options, bool documents,
                                          bool draw_prefixes = false) {
  NextToken::Options out;
  out.draw_prefixes = draw_prefixes;
  out.documents = documents;
  out.z_loss = options.z_loss;
  out.label_smoothing = options.label_smoothing;
  out.loss = options.loss;
  if (options.drawn.embed.drawn()) return std::make_unique<DrawnNextToken>(options.drawn, out);
  return std::make_unique<NextToken>(out);
}

std::vector<std::string> names_of(bool policies) {
  std::vector<std::string> out;
  for (const ObjectiveDef& def : kObjectives)
    if ((def.form == RecordForm::kRollout) == policies) out.emplace_back(def.name);
  return out;
}

}  // namespace

std::span<const ObjectiveDef> objectives() {
  return kObjectives;
}

const ObjectiveDef* find_objective(std::string_view name) {
  for (const ObjectiveDef& def : kObjectives)
    if (name == def.name) return &def;
  return nullptr;
}

std::vector<std::string> objective_names() {
  return names_of(false);
}

std::vector<std::string> policy_names() {
  return names_of(true);
}

std::unique_ptr<Objective> make_objective(const ObjectiveOptions& options) {
  const ObjectiveDef* def = find_objective(options.name);
  LM_CHECK(def != nullptr, "an objective of the table");
  return def->make(options);
}

std::unique_ptr<Objective> make_next_token(const ObjectiveOptions& options) {
  return language_model(options, options.doc_mask);
}

std::unique_ptr<Objective> make_prefix_lm(const ObjectiveOptions& options) {
  return language_model(options, options.doc_mask, true);
}

std::unique_ptr<Objective> make_sft(const ObjectiveOptions& options) {
  return language_model(options, true);
}

}  // namespace lm::train
