#pragma once
// What a model is asked about one question: the likeliest answer and samples at every temperature
// from one evaluation of the prompt, answers to each rewording, then, about the likeliest answer,
// how probable it is without the prompt and whether the model holds it true. Many questions are in
// work at once. Draws depend on (seed, id, wording, sample): not on the other questions, on how
// many samples there are or on the other temperatures.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decode/generate.h"
#include "decode/session.h"
#include "io/held.h"

namespace lm::uq_tool {

struct AskOptions {
  i64 samples = 10;  // at each temperature
  i64 answers = 5;   // to each rewording, at each temperature
  std::vector<f64> temperatures;
  decode::SampleParams params;  // with the seed; not its n and temperature
  i64 top = 0;                  // likeliest tokens to note
  bool without_prompt = true;
  bool truth = false;  // P(True)
  i64 votes = 0;       // sampled ones on the truth, at each temperature
  std::string truth_prompt;
};

/// A question and what came back. Generated::completions are by temperature, then sample.
struct Question : io::HeldWork {
  std::string prompt;
  decode::GenerateRequest ask;
  std::vector<decode::GenerateRequest> ask_wordings;
  i64 open = 0;        // requests that are not answered
  bool asked = false;  // all requests of the beginning are with the generator

  decode::Generated answers;  // the likeliest first
  std::vector<decode::Generated> wordings;
  std::optional<std::vector<f32>> without_prompt;  // log-probabilities; of the first token 0 where
                                                   // nothing begins a text
  std::optional<f64> truth;
  std::optional<decode::Generated> votes;
  bool cut_off = false;  // what was asked about the answer did not fit the model

  const decode::Completion& likeliest() const { return answers.completions[0]; }
  /// Of the answers, or of an answer's sample.
  std::optional<Fault> fault() const;
};

class Asker {
 public:
  Asker(decode::Session& session, AskOptions options);

  /// Fills a question. Faults "prompt", "range" (too many wordings) and those of the tokenizer.
  /// The only member that another thread may call.
  std::optional<Fault> plan(std::string id, std::string_view prompt,
                            const std::vector<std::string>& wordings, Question& out);
  /// Borrows the question until it is complete.
  void add(Question& question);
  i64 pending() const { return questions_; }
  /// One forward pass. False if nothing is left to do.
  bool step();
  /// True once everything that was asked is answered; the oldest question first.
  bool take(const Question& question);

  const AskOptions& options() const { return options_; }
  const decode::GenerateStats& stats() const { return generator_.stats(); }

 private:
  enum class Part : u8 { kAnswers, kWording, kWithoutPrompt, kTruth, kVotes };
  struct Asked {
    Question* question = nullptr;
    Part part = Part::kAnswers;
    i64 at = 0;  // the wording, or where the judgement's tokens begin
    i64 samples = 0;
  };
  void feed();
  void ask(Question& question, Part part, i64 at, decode::GenerateRequest request);
  void receive(const Asked& asked, decode::Generated result);
  void follow(Question& question);
  void follow_truth(Question& question);
  std::optional<Fault> rows_of(std::string_view text, std::vector<decode::PromptRow>& rows);
  decode::GenerateRequest sampled(const std::string& id, i64 count, i64 block) const;

  decode::Session& session_;
  AskOptions options_;
  decode::PromptEncoder encoder_;         // of plan()
  decode::PromptEncoder follow_encoder_;  // of step()
  decode::Generator generator_;
  std::deque<Question*> waiting_;  // whose requests are not with the generator yet
  std::deque<Asked> asked_;        // in the order of the generator's requests
  i64 samples_ = 0;                // of these
  i64 questions_ = 0;
};

}  // namespace lm::uq_tool
