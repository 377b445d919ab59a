#pragma once
// Continuous batching: many records generate at once, each with its own parameters. Prompts are
// evaluated in chunks beside the tokens of running samples; the samples of a record fork its
// prompt's pages. What a record gets depends on (model, prompt, parameters, seed, id) only: not on
// the batch, chunks, memory, threads or the other records. One thread drives it.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "decode/choice_text.h"
#include "decode/constraint.h"
#include "decode/draft.h"
#include "decode/draft_budget.h"
#include "decode/draft_model.h"
#include "decode/logprob.h"
#include "decode/model_switch.h"
#include "decode/params.h"
#include "decode/prompt.h"
#include "decode/sampler.h"
#include "model/engine.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// What is one sample's own, where the samples of a request are not alike.
struct SampleVariant {
  f64 temperature = 1;   // instead of the parameters'
  i64 number = 0;        // the sample that its draws are made for
  bool measured = true;  // its likeliest tokens and spreads are noted, if the request says so
};

struct GenerateRequest {
  std::string id;  // keys the draws
  u64 seed = 0;
  std::vector<PromptRow> prompt;  // at least one
  i32 next = -1;                  // position behind it; -1: the one after its last row's
  i64 prefix = 0;                 // its first rows that see each other, in one pass of any size;
                                  // not beside a second model or prompt_logprobs; see prefixes
  SampleParams params;
  bool logprobs = false;  // of the drawn tokens, raw distribution
  i64 top_logprobs = 0;   // likeliest tokens to note at each position
  bool spreads = false;   // note how the raw distributions spread
  bool prompt_logprobs = false;
  bool processed = false;  // logprobs of the sampling distribution instead
  /// What the samples must obey beside params, shared by requests; each gets a clone.
  std::shared_ptr<const Constraint> constraint = nullptr;
  /// Alternatives are drawn instead of tokens (choose); each sample gets a clone.
  std::shared_ptr<const ChoiceText> choices = nullptr;
  /// A sample begins when the one before it has ended: what a constraint learns is not the batch's.
  bool serial = false;
  /// Weights of the model's adapters (Engine::adapt); empty: what the model says.
  std::vector<f32> adapters = {};
  /// By sample, params.n of them; empty: samples are alike and are numbered from 0.
  std::vector<SampleVariant> variants = {};
};

struct Completion {
  std::string text;
  std::vector<i32> tokens;    // an end token included
  std::vector<f32> logprobs;  // by token, when asked for
  std::vector<std::vector<TokenLogprob>> top;
  std::vector<Spread> spreads;  // by token, when asked for
  /// stop, stop_string, length, context, repetition, error, or what the request's constraint says.
  std::string finish_reason;
  std::optional<Fault> fault;  // of reason error: "logits" (not numbers), "no_token" (all banned)
  std::string note;            // of the request's constraint
  // Where two models write:
  std::vector<f32> entropies;  // by token, bits, of the model that made it
  std::vector<u8> large;       // by token, 1: the large one
  i64 switches = 0;
  i64 rows = 0;        // tokens that the generator's own model read behind the prompt
  i64 other_rows = 0;  // tokens that the other one read
};

struct Generated {
  std::vector<Completion> completions;  // by sample
  std::vector<f32> prompt_logprobs;     // of prompt tokens from the second on
  std::optional<Fault> fault;           // then the rest is void
};

struct GenerateStats {
  i64 steps = 0;        // forward calls
  i64 prompt_rows = 0;  // prompt tokens evaluated
  i64 decode_rows = 0;  // drawn tokens evaluated
  i64 drawn_tokens = 0;
  i64 draft_rows = 0;    // guessed tokens evaluated
  i64 draft_tokens = 0;  // of them those that were drawn
  i64 forced_rows = 0;   // of the guesses those that a constraint left no choice about
  f64 draft_s = 0;       // spent on guessing
  i64 other_steps = 0;   // forward calls of the other model
  i64 other_rows = 0;    // tokens it evaluated
  i64 busy_samples = 0;  // running samples, summed over steps
  i64 most_pages = 0;    // key-value pages in use at once
  f64 forward_s = 0;
  f64 prompt_s = 0;  // share of forward_s by rows
  f64 draw_s = 0;
};

struct GenerateOptions {
  i64 batch = 16;   // running samples
  i64 chunk = 512;  // rows of a step
  std::vector<i32> end_ids;
  /// Makes a sample's drafter, null: none. Changes how many passes are needed, not what comes out.
  /// Not used where the model's memory keeps all rows of a pass or none (SequenceCache::can_cut).
  std::function<std::unique_ptr<Drafter>(const DraftSubject&)> drafter = nullptr;
  i64 draft_rows = 16;  // guesses of a sample at a time, at most kMostDraft
  /// Of the guesses those are checked that are worth their rows (draft_budget.h); false: all.
  bool draft_auto = true;
  /// A second model with the same tokenizer, whose engine is this object's alone too: one of the
  /// two makes each token (model_switch.h). The generator's own is the one that makes the first.
  model::Engine* other = nullptr;
  SwitchOptions models = {};
  bool prefixes = true;  // models that read some have prompts as such, without prompt_logprobs
};

class Generator {
 public:
  /// Borrows both; the engine is this object's alone. Throws Error{kData} when the tokenizer can
  /// give ids that the model lacks.
  Generator(model::Engine& engine, const text::Tokenizer& tokenizer, GenerateOptions options);
  ~Generator();

  /// Queues a request. Faults show in its result: "context" (more tokens, or a position beyond, the
  /// model's context), "token" (an id outside the vocabulary), "params" (ids there).
  void add(GenerateRequest request);
  /// Requests added and not taken.
  i64 pending() const { return isize(jobs_); }
  /// One forward pass and the draws it allows. False if nothing is left to do.
  bool step();
  /// The oldest request's result if it is complete.
  std::optional<Generated> take();

  const GenerateStats& stats() const { return stats_; }

 private:
  struct Sample;
  struct Job;
  struct Row {  // what an evaluated row is for
    Job* job = nullptr;
    Sample* sample = nullptr;  // null: a row of the prompt
    i64 at = 0;                // index into the prompt
  };

  void check(Job& job) const;
  bool admit();
  bool start_sample(Job& job);
  void plan_rows();
  bool reads_prompts() const;
  void settle();
  void propose();
  model::EvalRow token_row(const Sample& sample, i64 token, i32 seq) const;
  void plan_sample(Sample& sample);
  void plan_choice(Sample& sample);
  void evaluate();
  void evaluate_other();
  void take_prompt_row(const Row& row, std::span<const f32> logits);
  void draw_all();
  void draw(Sample& sample);
  void draw_rows(Sample& sample);
  void choose(Sample& sample);
  void next_choice(Sample& sample);
  void commit(Sample& sample);
  void finish_sample(Sample& sample, const char* reason);
  bool end_text(Sample& sample);
  void end_tokens(Sample& sample);
  void retire();
  i64 sample_pages(const Job& job) const;
  i64 positions() const;
  i64 least_vocab() const;
  i64 longest(const Job& job) const;
  std::shared_ptr<const std::vector<u8>> breakers(const SampleParams& params);

  model::Engine& engine_;
  const text::Tokenizer& tokenizer_;
  GenerateOptions options_;
  std::deque<std::unique_ptr<Job>> jobs_;  // in order of add()
  std::vector<std::unique_ptr<Sample>> running_;
  std::vector<model::EvalRow> rows_;
  std::vector<Row> plan_;
  std::map<std::vector<std::string>, std::shared_ptr<const std::vector<u8>>> breakers_;
  std::vector<model::EvalRow> other_rows_;
  i64 charged_pages_ = 0;
  i64 other_pages_ = 0;  // charged in the other engine
  RowCost cost_;
  f64 pass_s_ = 0;        // of the last pass, until it is settled
  DraftPace pace_;        // of the run's guesses, with which samples begin
  DraftAccount account_;  // of what they have saved
  GenerateStats stats_;
};

/// Throws Error{kData} naming both numbers when the tokenizer's ids do not fit the model.
void check_vocab(const model::ModelCfg& cfg, const text::Tokenizer& tokenizer);

}  // namespace lm::decode
