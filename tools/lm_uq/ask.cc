#include "ask.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "decode/prompt.h"

namespace lm::uq_tool {

using decode::Generated;
using decode::GenerateRequest;

namespace {

// Draws of one id: sample i of block b is numbered b * kBlock + i.
constexpr i64 kBlock = i64{1} << 20;
constexpr i64 kPromptBlock = 0;    // a rewording's block is its place, from 1
constexpr i64 kVotesBlock = 4095;  // the last that fits 32 bits

std::string filled(std::string_view pattern, std::string_view prompt, std::string_view answer) {
  std::string out;
  while (!pattern.empty()) {
    if (pattern.starts_with("{prompt}")) {
      out += prompt;
      pattern.remove_prefix(8);
    } else if (pattern.starts_with("{answer}")) {
      out += answer;
      pattern.remove_prefix(8);
    } else {
      out += pattern[0];
      pattern.remove_prefix(1);
    }
  }
  return out;
}

std::optional<Fault> fault_of(const Generated& generated) {
  if (generated.fault) return generated.fault;
  for (const decode::Completion& completion : generated.completions) {
    if (completion.fault) return completion.fault;
  }
  return std::nullopt;
}

// A request that draws nothing: the log-probabilities of its tokens from the second on.
GenerateRequest probabilities(const std::string& id, std::vector<decode::PromptRow> rows) {
  GenerateRequest out;
  out.id = id;
  out.prompt = std::move(rows);
  out.params.max_tokens = 0;
  out.prompt_logprobs = true;
  return out;
}

}  // namespace

std::optional<Fault> Question::fault() const {
  if (std::optional<Fault> fault = fault_of(answers)) return fault;
  for (i64 j = 0; j < isize(wordings); ++j) {
    std::optional<Fault> fault = fault_of(wordings[usize(j)]);
    if (!fault) continue;
    fault->detail = cat("rewording ", j + 1, ": ", fault->detail);
    return fault;
  }
  return std::nullopt;
}

Asker::Asker(decode::Session& session, AskOptions options)
    : session_(session),
      options_(std::move(options)),
      encoder_(session.tokenizer(), session.begin()),
      follow_encoder_(session.tokenizer(), session.begin()),
      generator_(session.engine(), session.tokenizer(), session.generate_options()) {}

std::optional<Fault> Asker::rows_of(std::string_view text, std::vector<decode::PromptRow>& rows) {
  Result<std::vector<decode::PromptRow>> prompt = encoder_.prompt(text);
  if (!prompt) return prompt.fault();
  if (prompt->empty())
    return Fault{"prompt", "the prompt is empty and the model has no token that begins a text", -1};
  rows = std::move(*prompt);
  return std::nullopt;
}

/// `count` samples at every temperature, which share their draws.
GenerateRequest Asker::sampled(const std::string& id, i64 count, i64 block) const {
  GenerateRequest out;
  out.id = id;
  out.params = options_.params;
  out.logprobs = true;
  for (const f64 temperature : options_.temperatures) {
    for (i64 i = 0; i < count; ++i)
      out.variants.push_back({temperature, block * kBlock + i, false});
  }
  out.params.n = isize(out.variants);
  return out;
}

std::optional<Fault> Asker::plan(std::string id, std::string_view prompt,
                                 const std::vector<std::string>& wordings, Question& out) {
  if (isize(wordings) >= kVotesBlock)
    return Fault{"range", cat("has ", wordings.size(), " rewordings, at most ", kVotesBlock - 1),
                 -1};
  out.id = std::move(id);
  out.prompt = prompt;
  out.ask = sampled(out.id, options_.samples, kPromptBlock);
  out.ask.variants.insert(out.ask.variants.begin(), decode::SampleVariant{.temperature = 0});
  ++out.ask.params.n;
  out.ask.top_logprobs = options_.top;
  out.ask.spreads = true;
  if (std::optional<Fault> fault = rows_of(prompt, out.ask.prompt)) return fault;
  for (i64 j = 0; j < isize(wordings); ++j) {
    GenerateRequest& request =
        out.ask_wordings.emplace_back(sampled(out.id, options_.answers, j + 1));
    if (std::optional<Fault> fault = rows_of(wordings[usize(j)], request.prompt)) {
      fault->detail = cat("rewording ", j + 1, ": ", fault->detail);
      return fault;
    }
  }
  return std::nullopt;
}

void Asker::ask(Question& question, Part part, i64 at, GenerateRequest request) {
  ++question.open;
  asked_.push_back({&question, part, at, std::max<i64>(1, request.params.n)});
  samples_ += asked_.back().samples;
  generator_.add(std::move(request));
}

void Asker::add(Question& question) {
  ++questions_;
  waiting_.push_back(&question);
}

/// The generator answers in the order of asking: with no more questions than fill its batch, what
/// is asked about an answer soon has its turn, and questions are complete one by one.
void Asker::feed() {
  while (!waiting_.empty() && samples_ < 2 * session_.options().batch) {
    Question& question = *waiting_.front();
    waiting_.pop_front();
    question.asked = true;
    question.wordings.resize(question.ask_wordings.size());
    ask(question, Part::kAnswers, 0, std::move(question.ask));
    for (i64 j = 0; j < isize(question.ask_wordings); ++j)
      ask(question, Part::kWording, j, std::move(question.ask_wordings[usize(j)]));
  }
}

bool Asker::step() {
  feed();
  const bool worked = generator_.step();
  bool received = false;
  while (std::optional<Generated> result = generator_.take()) {
    const Asked asked = asked_.front();
    asked_.pop_front();
    samples_ -= asked.samples;
    receive(asked, std::move(*result));
    received = true;
  }
  return worked || received;
}

bool Asker::take(const Question& question) {
  if (!question.asked || question.open > 0) return false;
  --questions_;
  return true;
}

void Asker::receive(const Asked& asked, Generated result) {
  Question& q = *asked.question;
  --q.open;
  switch (asked.part) {
    case Part::kAnswers:
      q.answers = std::move(result);
      if (!fault_of(q.answers)) follow(q);
      break;
    case Part::kWording:
      q.wordings[usize(asked.at)] = std::move(result);
      break;
    case Part::kWithoutPrompt:
      // Where nothing begins a text its first token has no probability.
      if (!session_.begin()) result.prompt_logprobs.insert(result.prompt_logprobs.begin(), 0);
      q.without_prompt = std::move(result.prompt_logprobs);
      break;
    case Part::kTruth: {
      q.cut_off = q.cut_off || result.fault;
      if (result.fault) break;
      f64 sum = 0;  // prompt_logprobs[i] is of token i + 1
      for (i64 i = asked.at - 1; i < isize(result.prompt_logprobs); ++i)
        sum += static_cast<f64>(result.prompt_logprobs[usize(i)]);
      q.truth = std::exp(sum);
      break;
    }
    case Part::kVotes:
      q.cut_off = q.cut_off || fault_of(result);
      if (!fault_of(result)) q.votes = std::move(result);
      break;
  }
}

/// What is asked about the likeliest answer.
void Asker::follow(Question& q) {
  const std::vector<i32>& tokens = q.likeliest().tokens;
  if (options_.without_prompt && !tokens.empty()) {
    std::vector<decode::PromptRow> rows = decode::prompt_rows(tokens);
    if (session_.begin()) rows.insert(rows.begin(), decode::PromptRow(*session_.begin()));
    ask(q, Part::kWithoutPrompt, 0, probabilities(q.id, std::move(rows)));
  }
  if (options_.truth || options_.votes > 0) follow_truth(q);
}

void Asker::follow_truth(Question& q) {
  const std::string text = filled(options_.truth_prompt, q.prompt, q.likeliest().text);
  const Result<decode::ScoredTokens> scored =
      follow_encoder_.completion(text, " True", decode::Boundary::kJoint);
  if (!scored || scored->first == 0) {
    q.cut_off = true;
    return;
  }
  const std::span<const i32> tokens = scored->tokens;
  if (options_.truth)
    ask(q, Part::kTruth, scored->first, probabilities(q.id, decode::prompt_rows(tokens)));
  if (options_.votes == 0) return;
  GenerateRequest votes = sampled(q.id, options_.votes, kVotesBlock);
  votes.logprobs = false;
  votes.prompt = decode::prompt_rows(tokens.first(usize(scored->first)));
  votes.params.max_tokens = isize(tokens) - scored->first;
  ask(q, Part::kVotes, 0, std::move(votes));
}

}  // namespace lm::uq_tool
