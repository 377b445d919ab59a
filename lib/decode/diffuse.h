#pragma once
// Texts by models of masked diffusion, many at once: every sample is an Unmasking whose passes
// share the engine's. Models that see a whole text evaluate all of it at every pass; models of
// block diffusion see their block and those before, which are evaluated once and stay in the
// engine's memory: that changes no result. By the engine's contract N1 and the draws' what a record
// gets depends on (model, prompt, suffix, parameters, rule, seed, id) only: not on the batch,
// chunks, memory, threads or the other records. One thread drives it.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "decode/generate.h"
#include "decode/text_energy.h"
#include "decode/unmask.h"

namespace lm::decode {

struct DiffuseRequest {
  std::string id;           // keys the draws
  std::vector<i32> prompt;  // before what is generated; may be empty
  std::vector<i32> suffix;  // behind it; only where a model sees whole texts
  SampleParams params;      // max_tokens places are generated, whatever stands in them
};

struct DiffusionNote {
  i64 passes = 0;     // evaluations of the text, guidance's second one not counted
  i64 resampled = 0;  // steps at which one of several candidates was taken
  f64 effective = 0;  // sum over them of effective sample sizes
};

struct Diffused {
  /// By sample: tokens up to the first that ends the text, stop, stop_string, repetition, length or
  /// error.
  std::vector<Completion> completions;
  std::vector<DiffusionNote> notes;  // by sample
  std::optional<Fault> fault;        // then the rest is void
};

struct DiffuseOptions {
  i64 batch = 16;   // running samples
  i64 chunk = 512;  // rows of a pass, but for a longer text
  std::vector<i32> end_ids;
  DiffusionRule rule;
  bool block_cache = true;  // false: all blocks at every pass
  /// Of candidates, with rule.candidates > 1: this object's alone too.
  TextEnergy* energy = nullptr;
};

class Diffuser {
 public:
  /// Borrows both; the engine is this object's alone. Throws Error{kUsage} for a rule that the
  /// model cannot follow.
  Diffuser(model::Engine& engine, const text::Tokenizer& tokenizer, DiffuseOptions options);
  ~Diffuser();

  /// Queues a request. Faults show in its result: "context" (the text has more tokens than the
  /// model's context), "token", "suffix", "params".
  void add(DiffuseRequest request);
  /// Requests added and not taken.
  i64 pending() const { return isize(jobs_); }
  /// One forward pass and the draws it allows. False if nothing is left to do.
  bool step();
  /// The oldest request's result if it is complete.
  std::optional<Diffused> take();

  const GenerateStats& stats() const { return stats_; }

 private:
  struct Job;
  struct Sample;
  struct Row {  // what an evaluated row is for
    Sample* sample = nullptr;
    i64 wanted = -1;    // index of Unmasking::wanted(), -1: nobody asks for its logits
    bool free = false;  // of the text without what is given
  };

  std::optional<Fault> check(const DiffuseRequest& request) const;
  void admit();
  bool start(Job& job);
  std::vector<i64> block_ends(i64 begin, i64 end) const;
  i64 block() const;
  i64 lanes() const { return options_.rule.guidance != 0 ? 2 : 1; }
  i64 pass_end(const Sample& sample) const;
  bool plan();
  void plan_sample(Sample& sample);
  void evaluate();
  void take_logits(std::span<const i64> rows, std::span<const f32> logits);
  void resample();
  void settle();
  void write(Sample& sample) const;
  void retire();

  model::Engine& engine_;
  const text::Tokenizer& tokenizer_;
  DiffuseOptions options_;
  std::deque<std::unique_ptr<Job>> jobs_;  // in order of add()
  std::vector<std::unique_ptr<Sample>> running_;
  std::vector<model::EvalRow> rows_;
  std::vector<Row> plan_;
  std::vector<f32> free_;  // logits of a row whose partner comes with the next call
  i64 charged_pages_ = 0;
  GenerateStats stats_;
};

/// Entropy of how often each token occurs, in nats; 0 of none.
f64 unigram_entropy(std::span<const i32> tokens);

}  // namespace lm::decode
