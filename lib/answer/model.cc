#include "answer/model.h"

#include <cmath>
#include <numeric>

#include "answer/request.h"
#include "core/hash.h"
#include "core/memory_hold.h"
#include "core/str.h"
#include "decode/grammar_constraint.h"

namespace lm::answer {

using decode::Completion;
using decode::PromptText;

struct ModelAnswerer::Job {
  Response response;
  bool done = false;
  decode::Languages::Matcher language;  // of its form, shared with its constraint
  decode::ScoreRequest scores;
  std::vector<i64> scored;  // continuations by branch
};

namespace {

std::optional<text::ChatTemplate> open_chat(const decode::Session& session,
                                            const ModelOptions& options) {
  const std::string folder = model::model_parts(session.options().folder).base;
  const text::ChatFiles files = text::read_chat_files(folder);
  const text::ChatFiles::Named* source = options.chat ? &*options.chat : files.find("default");
  if (source == nullptr && files.templates.empty()) return std::nullopt;
  if (source == nullptr)
    throw Error(ErrorKind::kUsage,
                cat(folder, ": the model has several chat templates and none is the default"));
  return text::ChatTemplate(*source, text::chat_vars(files, session.tokenizer()), std::nullopt);
}

Fault prompt_fault(const Fault& fault) {
  return {"prompt", fault.detail, fault.offset};
}

}  // namespace

ModelAnswerer::ModelAnswerer(std::unique_ptr<decode::Session> session, const ModelOptions& options)
    : session_(std::move(session)),
      encoder_(session_->tokenizer(), session_->begin()),
      chat_(open_chat(*session_, options)),
      languages_(session_->tokenizer(), session_->cfg().vocab, session_->generate_options().end_ids,
                 options.languages),
      memory_(options.languages.memory),
      generator_(session_->engine(), session_->tokenizer(), session_->generate_options()),
      scorer_(session_->engine(), session_->score_options()) {
  if (session_->options().special != text::SpecialPolicy::kParse)
    marks_.emplace(session_->tokenizer());
  key_ = xxh3_64(cat(hex64(session_->key()), "\n", chat_ ? hex64(chat_->key()) : "", "\n",
                     static_cast<i64>(options.languages.schema.space), "\n",
                     options.languages.schema.lenient));
}

ModelAnswerer::~ModelAnswerer() = default;

Result<PromptText> ModelAnswerer::prompt_of(const Request& request) {
  if (request.messages.empty() || !chat_) return PromptText(plain_prompt(request));
  text::ChatInput input;
  text::ValueList messages;
  for (const Message& message : request.messages)
    messages.emplace_back(text::ValueMap{{"role", message.role}, {"content", message.content}});
  input.messages = text::Value(std::move(messages));
  Result<std::string> text = chat_->render(input);
  if (!text) return text.fault();
  PromptText out;
  out.text = std::move(*text);
  out.whole = true;
  if (!marks_) return out;
  Result<text::ByteRanges> foreign = marks_->foreign(*chat_, input, out.text, encoder_.state());
  if (!foreign) return foreign.fault();
  if (session_->options().special == text::SpecialPolicy::kError &&
      marks_->touched(out.text, *foreign, encoder_.state()))
    return Fault{"special", "the messages contain a special token of the tokenizer", -1};
  out.literal = std::move(*foreign);
  return out;
}

std::optional<Fault> ModelAnswerer::begin(Request& request, Job& job) {
  // Until it is known whether a prompt fits the context: its text as the template has it, and of
  // four bytes of a text a token with its row, in vectors that grow by doubling.
  constexpr i64 kByteBytes = 2 + 2 * static_cast<i64>(sizeof(i32) + sizeof(decode::PromptRow)) / 4;
  MemoryHold reading(memory_);
  reading.add(kByteBytes * prompt_bytes(request), "the tokens of a prompt");
  const Result<PromptText> prompt = prompt_of(request);
  if (!prompt) return prompt_fault(prompt.fault());
  Result<std::vector<decode::PromptRow>> rows = encoder_.prompt(*prompt);
  if (!rows) return prompt_fault(rows.fault());
  if (rows->empty())
    return Fault{"prompt", "the prompt is empty and the model has no token that begins a text", -1};
  job.response.prompt_tokens = isize(*rows);
  if (!request.score.empty()) return plan_scores(request, *prompt, job);
  decode::GenerateRequest r;
  if (const std::optional<decode::Language> language = language_of(request.form)) {
    Result<decode::Languages::Matcher> made = languages_.get(*language);
    if (!made) return Fault{"grammar", made.fault().detail, -1};
    job.language = std::move(*made);
    r.constraint =
        std::make_shared<decode::GrammarConstraint>(job.language, true, &session_->tokenizer());
  }
  r.id = std::move(request.id);
  r.seed = request.seed;
  r.prompt = std::move(*rows);
  r.params = std::move(request.params);
  r.logprobs = true;
  generator_.add(std::move(r));
  generating_.push_back(&job);
  return std::nullopt;
}

std::optional<Fault> ModelAnswerer::plan_scores(const Request& request, const PromptText& prompt,
                                                Job& job) {
  std::vector<decode::ScoredTokens> parts;
  job.response.scores.assign(request.score.size(), 0);
  for (std::size_t i = 0; i < request.score.size(); ++i) {
    if (request.score[i].empty()) continue;  // certain
    Result<decode::ScoredTokens> part =
        encoder_.completion(prompt, request.score[i], decode::Boundary::kJoint);
    if (!part) return prompt_fault(part.fault());
    if (isize(part->tokens) > session_->engine().positions())
      return Fault{"context",
                   cat("prompt and continuation have ", part->tokens.size(),
                       " tokens, the model's context ", session_->engine().positions()),
                   -1};
    parts.push_back(std::move(*part));
    job.scored.push_back(static_cast<i64>(i));
  }
  job.done = parts.empty();
  if (job.done) return std::nullopt;
  std::vector<const decode::ScoredTokens*> texts;
  for (const decode::ScoredTokens& part : parts)
    texts.push_back(&part);
  job.scores = decode::score_together(texts);
  to_score_.push_back(&job);
  return std::nullopt;
}

void ModelAnswerer::add(Request request) {
  Job& job = *jobs_.emplace_back(std::make_unique<Job>());
  job.response.fault = begin(request, job);
  if (job.response.fault) job.done = true;
}

bool ModelAnswerer::step() {
  if (scorer_.pending() == 0 && generator_.pending() == 0) {
    for (; !to_score_.empty(); to_score_.pop_front()) {
      scorer_.add(std::move(to_score_.front()->scores));
      scoring_.push_back(to_score_.front());
    }
  }
  // One of the two has the engine, whose pages both would count as theirs.
  const bool scores = scorer_.pending() > 0;
  const bool worked = scores ? scorer_.step() : generator_.step();
  if (scores) {
    take_scores();
  } else {
    take_generated();
  }
  return worked || scorer_.pending() > 0 || !to_score_.empty();
}

void ModelAnswerer::take_scores() {
  while (std::optional<std::vector<decode::BranchScore>> result = scorer_.take()) {
    Job& job = *scoring_.front();
    scoring_.pop_front();
    job.done = true;
    for (std::size_t b = 0; b < result->size(); ++b) {
      const f64 sum = (*result)[b].sum;
      job.response.scores[usize(job.scored[b])] = sum;
      if (!std::isfinite(sum))
        job.response.fault = Fault{"logits", "the model's logits are not numbers", -1};
    }
  }
}

void ModelAnswerer::take_generated() {
  while (std::optional<decode::Generated> result = generator_.take()) {
    Job& job = *generating_.front();
    generating_.pop_front();
    job.done = true;
    Response& out = job.response;
    out.fault = result->fault;
    for (Completion& c : result->completions) {
      if (c.fault && !out.fault) out.fault = c.fault;
      if (job.language && !out.fault &&
          (c.finish_reason == "length" || c.finish_reason == "context")) {
        const Result<grammar::State> end =
            job.language->accept_bytes(job.language->start(), c.text);
        if (!end || !job.language->accepting(*end))
          out.fault =
              Fault{"budget", cat("no reply of the form fits ", c.tokens.size(), " tokens"), -1};
      }
      const f64 logprob =
          std::accumulate(c.logprobs.begin(), c.logprobs.end(), 0.0,
                          [](f64 sum, f32 one) { return sum + static_cast<f64>(one); });
      out.replies.push_back({std::move(c.text), c.finish_reason, isize(c.tokens), logprob});
    }
    if (out.fault) out.replies.clear();
    job.language.reset();
  }
}

std::optional<Response> ModelAnswerer::take() {
  if (jobs_.empty() || !jobs_.front()->done) return std::nullopt;
  Response out = std::move(jobs_.front()->response);
  jobs_.pop_front();
  return out;
}

i64 ModelAnswerer::count_tokens(const std::string& text) const {
  const Result<std::vector<i32>> ids = encoder_.piece(text);
  return ids ? isize(*ids) : 0;
}

}  // namespace lm::answer
