#include "decode/generate.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "core/clock.h"
#include "core/parallel.h"
#include "core/str.h"
#include "decode/engine_options.h"
#include "decode/generate_sample.h"
#include "decode/stop.h"
#include "model/layer.h"

namespace lm::decode {

using model::EvalRow;

namespace {

/// The same two numbers under the distribution that was drawn from.
void note_processed(const TokenWeights& x, const GenerateRequest& request, bool measured, i32 token,
                    Completion& out) {
  f32 own = 0;
  // Beside the largest: weights may be far from zero, where f32 is coarse.
  const f64 largest = x.max();
  std::vector<f32> w;
  for (const f64 weight : x.w)
    w.push_back(static_cast<f32>(weight - largest));
  const f64 log_sum = normaliser(w).log;
  if (const i64 at = x.find(token); at >= 0)
    own = static_cast<f32>(static_cast<f64>(w[usize(at)]) - log_sum);
  if (request.logprobs) out.logprobs.push_back(own);
  if (!measured || request.top_logprobs == 0) return;
  std::vector<TokenLogprob> top = top_logprobs(w, log_sum, request.top_logprobs);
  for (TokenLogprob& entry : top)
    entry.first = x.ids[usize(entry.first)];
  out.top.push_back(std::move(top));
}

void note_raw(std::span<const f32> logits, const GenerateRequest& request, bool measured, i32 token,
              Completion& out) {
  const f64 log_sum = normaliser(logits).log;
  if (request.logprobs)
    out.logprobs.push_back(static_cast<f32>(static_cast<f64>(logits[usize(token)]) - log_sum));
  if (measured && request.top_logprobs > 0)
    out.top.push_back(top_logprobs(logits, log_sum, request.top_logprobs));
  if (measured && request.spreads) out.spreads.push_back(spread(logits, log_sum));
}

bool contains(const std::vector<i32>& ids, i32 id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

void check_vocab(const model::ModelCfg& cfg, const text::Tokenizer& tokenizer) {
  if (tokenizer.vocab_size() <= cfg.vocab) return;
  throw Error(ErrorKind::kData,
              cat("the tokenizer has ", tokenizer.vocab_size(), " ids, the model's vocabulary has ",
                  cfg.vocab),
              "they belong to different models");
}

Generator::Generator(model::Engine& engine, const text::Tokenizer& tokenizer,
                     GenerateOptions options)
    : engine_(engine),
      tokenizer_(tokenizer),
      options_(std::move(options)),
      cost_([&engine](i64 rows) { return engine.pass_rows(rows); }) {
  check_vocab(engine.cfg(), tokenizer);
  if (options_.other != nullptr) {
    LM_CHECK(!options_.drafter, "two models draft nothing");
    check_vocab(options_.other->cfg(), tokenizer);
  }
  LM_CHECK(options_.batch > 0 && options_.chunk > 0, "a step needs rows");
  if (!engine.cache().can_cut()) options_.drafter = nullptr;
}

Generator::~Generator() = default;

namespace {

/// Whether the model has the prompt as its prefix.
bool has_prefix(const model::Engine& engine, const GenerateOptions& options,
                const GenerateRequest& request) {
  return model::reads_prefixes(engine.cfg()) && options.prefixes && !request.prompt_logprobs;
}

}  // namespace

/// Pages of a sample beside its prompt's.
i64 Generator::sample_pages(const Job& job) const {
  return engine_.cache().pages_of(longest(job), isize(job.request.prompt));
}

void Generator::add(GenerateRequest request) {
  std::unique_ptr<Job> job = std::make_unique<Job>();
  LM_CHECK(!request.choices || options_.other == nullptr, "two models draw tokens");
  LM_CHECK(request.prefix == 0 || (request.prefix <= isize(request.prompt) &&
                                   options_.other == nullptr && !request.prompt_logprobs),
           "one model reads a prefix, whose tokens are no targets");
  LM_CHECK(request.variants.empty() || isize(request.variants) == request.params.n,
           "every sample has its variant");
  if (request.prefix == 0 && has_prefix(engine_, options_, request))
    request.prefix = isize(request.prompt);
  job->key = draw_key(request.params.seed.value_or(request.seed), request.id);
  job->request = std::move(request);
  job->next_position = set_positions(job->request.prompt, 0, 0);
  if (job->request.next >= 0) job->next_position = job->request.next;
  job->constraints = text_constraints(job->request.params, job->request.constraint.get());
  jobs_.push_back(std::move(job));
}

/// Sets a fault, and completes the job with it.
void Generator::check(Job& job) const {
  const GenerateRequest& r = job.request;
  const i64 vocab = least_vocab();
  std::optional<Fault>& fault = job.result.fault;
  LM_CHECK(!r.prompt.empty(), "a prompt has a token");
  if (isize(r.prompt) > positions())
    fault = Fault{
        "context",
        cat("the prompt has ", r.prompt.size(), " tokens, the model's context ", positions()), -1};
  for (const PromptRow& row : r.prompt) {
    if (row.position >= positions() && !fault)
      fault = Fault{
          "context",
          cat("the prompt has position ", row.position, ", the model's context ", positions()), -1};
    if (row.token < 0 || row.token >= vocab)
      fault = Fault{"token",
                    cat("token ", row.token, " is outside the model's vocabulary of ", vocab), -1};
  }
  for (const auto& [id, bias] : r.params.logit_bias)
    if (id >= vocab)
      fault =
          Fault{"params", cat("logit_bias names token ", id, ", the vocabulary has ", vocab), -1};
  for (const i32 id : r.params.stop_ids)
    if (id >= vocab)
      fault = Fault{"params", cat("stop_ids names token ", id, ", the vocabulary has ", vocab), -1};
  if (fault) job.state = Job::State::kComplete;
}

i64 Generator::least_vocab() const {
  const i64 own = engine_.cfg().vocab;
  return options_.other == nullptr ? own : std::min(own, options_.other->cfg().vocab);
}

/// Of every model.
i64 Generator::positions() const {
  const i64 own = engine_.positions();
  return options_.other == nullptr ? own : std::min(own, options_.other->positions());
}

/// Tokens of a sample at most: neither they nor their positions leave the context.
i64 Generator::longest(const Job& job) const {
  const i64 prompt = isize(job.request.prompt);
  const i64 room = positions() - std::max(prompt, job.next_position);
  return prompt + std::min(job.request.params.max_tokens, room);
}

std::shared_ptr<const std::vector<u8>> Generator::breakers(const SampleParams& params) {
  if (params.dry_multiplier <= 0) return nullptr;
  std::shared_ptr<const std::vector<u8>>& entry = breakers_[params.dry_breakers];
  if (!entry)
    entry = std::make_shared<const std::vector<u8>>(
        breaker_tokens(tokenizer_, engine_.cfg().vocab, params.dry_breakers));
  return entry;
}

/// The next sample of a job whose prompt is evaluated; false when slots or pages lack.
bool Generator::start_sample(Job& job) {
  const GenerateRequest& r = job.request;
  const i64 prompt = isize(r.prompt);
  const i64 charge = sample_pages(job);
  const bool first = job.started == 0;  // its pages were set aside with the prompt
  if (isize(running_) >= options_.batch) return false;
  if (!first && charged_pages_ + charge > engine_.cache().total_pages()) return false;
  i64 other_charge = 0;
  if (options_.other != nullptr) {
    const model::SequenceCache& cache = options_.other->cache();
    other_charge = cache.pages_of(longest(job));
    check_room(cache, other_charge, longest(job));
    if (other_pages_ + other_charge > cache.total_pages()) return false;
  }
  std::vector<i32> ends = r.params.stop_ids;
  if (!r.params.ignore_eos)
    ends.insert(ends.end(), options_.end_ids.begin(), options_.end_ids.end());
  SampleVariant own{r.params.temperature, job.started, true};
  if (!r.variants.empty()) own = r.variants[usize(job.started)];
  SampleParams params = r.params;
  params.temperature = own.temperature;
  std::unique_ptr<Sample> s = std::make_unique<Sample>(
      job, job.started++, Sampler(params, ends, breakers(params), job.request.processed),
      tokenizer_);
  s->number = own.number;
  s->measured = own.measured;
  s->ends = std::move(ends);
  for (const std::unique_ptr<Constraint>& constraint : job.constraints)
    s->constraints.push_back(constraint->clone());
  s->tokens = tokens_of(r.prompt);
  s->begin(tokenizer_, s->tokens);
  if (options_.drafter)
    s->drafter = options_.drafter({job.key, s->number, params, s->ends, isize(r.prompt)});
  s->pace = pace_.successor();
  if (options_.other != nullptr) s->models.emplace(options_.models, job.key, s->number);
  s->cached = prompt;
  s->charge = charge;
  if (!first) charged_pages_ += charge;
  s->other_charge = other_charge;
  other_pages_ += other_charge;
  if (job.started == r.params.n) {
    s->seq = job.seq;
    job.seq = -1;
  } else {
    s->seq = engine_.fork(job.seq);
  }
  s->logits = job.first;
  if (r.choices) s->choice.emplace().text = r.choices->clone();
  if (std::max(prompt, job.next_position) >= positions()) {
    finish_sample(*s, "context");
  } else if (r.params.max_tokens == 0) {
    finish_sample(*s, "length");
  }
  running_.push_back(std::move(s));
  return true;
}

/// Starts samples and prompts in order of arrival while there is room. True if a sample started.
bool Generator::admit() {
  bool started = false;
  i64 prompts = 0;
  for (const std::unique_ptr<Job>& each : jobs_) {
    Job& job = *each;
    if (job.state == Job::State::kWaiting) {
      check(job);
      if (job.state == Job::State::kComplete) continue;
      const i64 own = engine_.cache().pages_of(isize(job.request.prompt));
      const i64 sample = sample_pages(job);
      check_room(engine_.cache(), own + sample, longest(job));
      if (isize(running_) + prompts >= options_.batch) break;
      if (charged_pages_ + own + sample > engine_.cache().total_pages()) break;
      charged_pages_ += own + sample;
      job.charge = own;
      job.seq = engine_.create();
      if (!job.request.adapters.empty()) engine_.adapt(job.seq, job.request.adapters);
      job.result.completions.resize(usize(job.request.params.n));
      job.state = Job::State::kPrompt;
    }
    if (job.state == Job::State::kPrompt) ++prompts;
    while (job.state == Job::State::kSampling && job.started < job.request.params.n &&
           (!job.request.serial || job.finished == job.started)) {
      if (!start_sample(job)) return started;
      started = true;
    }
  }
  return started;
}

/// The row of a sample's token.
EvalRow Generator::token_row(const Sample& s, i64 token, i32 seq) const {
  const std::vector<PromptRow>& prompt = s.job.request.prompt;
  if (token < isize(prompt)) return eval_row(seq, prompt[usize(token)]);
  EvalRow row;
  row.seq = seq;
  row.token = s.tokens[usize(token)];
  row.position = static_cast<i32>(s.job.next_position + token - isize(prompt));
  return row;
}

/// Rows of the tokens that the model has not read, and of the guesses behind them.
void Generator::plan_sample(Sample& s) {
  s.rows.clear();
  if (s.choice) return plan_choice(s);
  const i64 tokens = isize(s.tokens);
  if (s.on_other) {
    if (s.other_seq < 0) s.other_seq = options_.other->create();
    const bool prefix = has_prefix(*options_.other, options_, s.job.request);
    for (i64 i = s.other_cached; i < tokens; ++i) {
      other_rows_.push_back(token_row(s, i, s.other_seq));
      other_rows_.back().prefix = prefix && i < isize(s.job.request.prompt);
    }
    other_rows_.back().want_logits = true;
    s.out.other_rows += tokens - s.other_cached;
    return;
  }
  s.unread = tokens - s.cached;
  s.out.rows += s.unread;
  stats_.decode_rows += s.unread;
  for (i64 i = s.cached; i < tokens; ++i) {
    s.rows.push_back(isize(rows_));
    rows_.push_back(token_row(s, i, s.seq));
    plan_.push_back({&s.job, &s, 0});
  }
  rows_.back().want_logits = true;
  const bool chain = is_chain(s.draft);
  for (i64 i = 0; i < isize(s.draft); ++i) {
    EvalRow row = token_row(s, tokens - 1, s.seq);
    row.token = s.draft[usize(i)].token;
    row.want_logits = true;
    if (chain) {
      row.position += static_cast<i32>(i + 1);
    } else {
      row.see = EvalRow::See::kTree;
      row.ancestors = draft_ancestors(s.draft, i);
      row.position += static_cast<i32>(std::popcount(row.ancestors));
    }
    s.rows.push_back(isize(rows_));
    rows_.push_back(row);
    plan_.push_back({&s.job, &s, 0});
  }
  stats_.draft_rows += isize(s.draft);
}

void Generator::plan_rows() {
  rows_.clear();
  plan_.clear();
  other_rows_.clear();
  propose();
  for (const std::unique_ptr<Sample>& s : running_)
    plan_sample(*s);
  stats_.busy_samples += isize(running_);
  i64 room = std::max(options_.chunk - isize(rows_), std::max<i64>(1, options_.chunk / 4));
  for (const std::unique_ptr<Job>& job : jobs_) {
    if (job->state != Job::State::kPrompt) continue;
    const std::vector<PromptRow>& prompt = job->request.prompt;
    i64 end = std::min(isize(prompt), job->evaluated + room);
    const bool prefix = job->evaluated < job->request.prefix;
    if (prefix) end = job->request.prefix;
    for (i64 i = job->evaluated; i < end; ++i) {
      EvalRow row = eval_row(job->seq, prompt[usize(i)]);
      if (prefix && model::reads_prefixes(engine_.cfg()))
        row.prefix = true;
      else if (prefix)
        row.see = EvalRow::See::kAll;
      row.want_logits = i + 1 == isize(prompt) || job->request.prompt_logprobs;
      rows_.push_back(row);
      plan_.push_back({job.get(), nullptr, i});
    }
    stats_.prompt_rows += end - job->evaluated;
    room -= end - job->evaluated;
    if (room <= 0) break;
  }
}

void Generator::take_prompt_row(const Row& row, std::span<const f32> logits) {
  Job& job = *row.job;
  const std::vector<PromptRow>& prompt = job.request.prompt;
  const i64 next = row.at + 1;
  if (next == isize(prompt)) {
    job.first.assign(logits.begin(), logits.end());
    job.state = Job::State::kSampling;
  } else {
    const f64 logit = static_cast<f64>(logits[usize(prompt[usize(next)].token)]);
    job.result.prompt_logprobs.push_back(static_cast<f32>(logit - normaliser(logits).log));
  }
}

void Generator::evaluate() {
  const f64 start = monotonic_s();
  engine_.eval(rows_);
  const f64 spent = monotonic_s() - start;
  pass_s_ = spent;
  i64 prompt_rows = 0;
  for (i64 i = 0; i < isize(plan_); ++i) {
    const Row& row = plan_[usize(i)];
    if (row.sample != nullptr) {
      Sample& s = *row.sample;
      if (s.unread > 0 && s.rows[usize(s.unread - 1)] == i) s.logits = engine_.logits(i);
      continue;
    }
    ++prompt_rows;
    row.job->evaluated = row.at + 1;
    const bool chunk_ends = i + 1 == isize(plan_) || plan_[usize(i + 1)].job != row.job;
    if (chunk_ends) engine_.commit(row.job->seq);
    if (rows_[usize(i)].want_logits) take_prompt_row(row, engine_.logits(i));
  }
  ++stats_.steps;
  stats_.forward_s += spent;
  stats_.prompt_s += spent * static_cast<f64>(prompt_rows) / static_cast<f64>(isize(plan_));
  const model::SequenceCache& cache = engine_.cache();
  stats_.most_pages = std::max(stats_.most_pages, cache.total_pages() - cache.free_pages());
}

/// The other model's rows: of each sample that it goes on with, what it has not read.
void Generator::evaluate_other() {
  const f64 start = monotonic_s();
  options_.other->eval(other_rows_);
  stats_.forward_s += monotonic_s() - start;
  ++stats_.other_steps;
  stats_.other_rows += isize(other_rows_);
  i64 row = -1;
  for (const std::unique_ptr<Sample>& s : running_) {
    if (!s->on_other) continue;
    row += isize(s->tokens) - s->other_cached;
    s->logits = options_.other->logits(row);
  }
}

/// Does a constraint end the text? Then it has its reason and is cut.
bool Generator::end_text(Sample& s) {
  for (const std::unique_ptr<Constraint>& constraint : s.constraints) {
    const std::optional<TextEnd> end = constraint->end(s.text);
    if (!end) continue;
    s.out.finish_reason = end->reason;
    s.cut = end->bytes.has_value();
    if (end->bytes) s.text.resize(usize(*end->bytes));
    return true;
  }
  return false;
}

/// reason: null if a constraint ended the text. Nothing follows a cut.
void Generator::finish_sample(Sample& s, const char* reason) {
  s.done = true;
  const bool stopped = reason != nullptr && std::string_view(reason) == "stop";
  if (reason != nullptr) s.out.finish_reason = reason;
  if (!s.cut) {
    s.text += s.own(s.decoder.finish());
    end_text(s);
  }
  s.out.text = std::move(s.text);
  for (const std::unique_ptr<Constraint>& constraint : s.constraints) {
    constraint->finish(stopped ? std::optional<i32>(s.tokens.back()) : std::nullopt);
    s.out.note = constraint->note();  // the request's own is the last
  }
  if (s.choice) s.out.note = s.choice->text->note();
}

/// After a draw: does the text end here?
void Generator::end_tokens(Sample& s) {
  const i32 token = s.tokens.back();
  if (contains(s.ends, token)) return finish_sample(s, "stop");
  s.text += s.text_of(tokenizer_, token);
  for (const std::unique_ptr<Constraint>& constraint : s.constraints)
    constraint->accept(token);
  if (end_text(s)) return finish_sample(s, nullptr);
  if (isize(s.out.tokens) >= s.job.request.params.max_tokens) return finish_sample(s, "length");
  if (isize(s.tokens) >= longest(s.job)) return finish_sample(s, "context");
}

/// Touches nothing but the sample.
void Generator::draw(Sample& s) {
  const GenerateRequest& r = s.job.request;
  DrawPoint at;
  at.key = s.job.key;
  at.position = isize(s.tokens);
  at.sample = s.number;
  const Result<i32> token = s.sampler.draw(s.logits, {s.tokens, isize(r.prompt)}, at, s.constraints,
                                           longest(s.job) - isize(s.tokens));
  if (!token) {
    s.out.fault = token.fault();
    return finish_sample(s, "error");
  }
  s.tokens.push_back(*token);
  s.out.tokens.push_back(*token);
  if (r.logprobs || r.top_logprobs > 0 || r.spreads) {
    if (r.processed) {
      note_processed(s.sampler.weights(), r, s.measured, *token, s.out);
    } else {
      note_raw(s.logits, r, s.measured, *token, s.out);
    }
  }
  if (s.models) {
    const f64 entropy = entropy_bits(s.logits);
    s.out.entropies.push_back(static_cast<f32>(entropy));
    s.out.large.push_back(s.models->large() ? 1 : 0);
    s.models->note(entropy, at.position);
  }
  s.logits = {};
  end_tokens(s);
}

/// Draws behind the last token, and on behind each guess that was right.
void Generator::draw_rows(Sample& s) {
  if (s.choice) return choose(s);
  draw(s);
  s.kept.resize(usize(s.rows.empty() ? 0 : s.unread));
  std::iota(s.kept.begin(), s.kept.end(), 0);
  for (i64 guess = -1; !s.done;) {
    guess = child_of(s.draft, guess, s.tokens.back());
    if (guess < 0) break;
    const i64 at = s.unread + guess;
    s.logits = engine_.logits(s.rows[usize(at)]);
    s.kept.push_back(static_cast<i32>(at));
    draw(s);
  }
  s.right = isize(s.kept) - s.unread;
}

/// Keeps what was read of a sample whose tokens are drawn, and says which model goes on.
void Generator::commit(Sample& s) {
  stats_.drawn_tokens +=
      s.choice ? std::exchange(s.choice->drawn, 0) - isize(s.kept) + s.unread : 1;
  if (s.on_other) {
    options_.other->commit(s.other_seq);
    s.other_cached = isize(s.tokens) - (s.out.fault ? 0 : 1);
  } else if (!s.rows.empty()) {  // not drawn behind the prompt
    engine_.commit(s.seq, s.kept);
    s.cached += isize(s.kept);
    stats_.drawn_tokens += isize(s.kept) - s.unread;
    stats_.draft_tokens += isize(s.kept) - s.unread;
    if (s.choice) s.rows.clear();
  }
  if (s.models) s.on_other = s.models->large() != options_.models.start_large;
}

void Generator::draw_all() {
  const f64 start = monotonic_s();
  std::vector<Sample*> ready;
  for (const std::unique_ptr<Sample>& s : running_)
    if (!s->done && (!s->logits.empty() || (s->choice && !s->rows.empty())))
      ready.push_back(s.get());
  parallel_for(isize(ready), 1, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i)
      draw_rows(*ready[usize(i)]);
  });
  for (Sample* const s : ready)
    commit(*s);
  settle();
  stats_.draw_s += monotonic_s() - start;
  retire();
}

/// Moves finished samples into their results and frees what they held.
void Generator::retire() {
  for (const std::unique_ptr<Sample>& s : running_) {
    if (!s->done) continue;
    Job& job = s->job;
    if (s->drafter) s->drafter->finish(s->tokens);
    if (s->models) s->out.switches = s->models->counts().switches;
    if (s->other_seq >= 0) options_.other->release(s->other_seq);
    other_pages_ -= s->other_charge;
    job.result.completions[usize(s->index)] = std::move(s->out);
    engine_.release(s->seq);
    charged_pages_ -= s->charge;
    if (++job.finished < job.request.params.n) continue;
    charged_pages_ -= job.charge;
    job.first = {};
    job.state = Job::State::kComplete;
  }
  std::erase_if(running_, [](const std::unique_ptr<Sample>& s) { return s->done; });
}

bool Generator::step() {
  while (admit())
    draw_all();
  plan_rows();
  if (rows_.empty() && other_rows_.empty()) return false;
  if (!rows_.empty()) evaluate();
  if (!other_rows_.empty()) evaluate_other();
  draw_all();
  return true;
}

std::optional<Generated> Generator::take() {
  if (jobs_.empty() || jobs_.front()->state != Job::State::kComplete) return std::nullopt;
  Generated out = std::move(jobs_.front()->result);
  jobs_.pop_front();
  return out;
}

}  // namespace lm::decode
