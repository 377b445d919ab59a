#include "decode/diffuse.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/clock.h"
#include "core/parallel.h"
#include "core/str.h"
#include "decode/continued_text.h"
#include "decode/engine_options.h"
#include "decode/stop.h"

namespace lm::decode {

using model::EvalRow;

struct Diffuser::Job {
  DiffuseRequest request;
  DrawKey key = {};
  std::vector<i32> ends;
  bool checked = false;
  i64 started = 0;
  i64 finished = 0;
  Diffused result;

  bool complete() const { return result.fault || (checked && finished == request.params.n); }
};

struct Diffuser::Sample {
  Sample(Job& owner, i64 at, Unmasking with) : job(owner), index(at), text(std::move(with)) {}
  Job& job;
  i64 index;
  Unmasking text;
  std::vector<i32> free;   // the text without what is given, but for what is generated
  i32 seqs[2] = {-1, -1};  // of the text, and of `free`
  i64 charge = 0;          // pages
  i64 cached = 0;          // tokens of complete blocks in the engine's memory
  DiffusionNote note;
  bool waits = false;    // for a pass
  bool planned = false;  // in this pass
  bool done = false;
  std::optional<Fault> fault;
};

Diffuser::Diffuser(model::Engine& engine, const text::Tokenizer& tokenizer, DiffuseOptions options)
    : engine_(engine), tokenizer_(tokenizer), options_(std::move(options)) {
  check_vocab(engine.cfg(), tokenizer);
  LM_CHECK(options_.batch > 0 && options_.chunk > 0, "a pass needs rows");
  LM_CHECK(engine.cfg().diffusion.has_value(), "the model is one of masked diffusion");
  LM_CHECK(options_.rule.candidates == 1 || options_.energy != nullptr,
           "candidates have an energy");
  const i64 own = engine.cfg().diffusion->block;
  const i64 asked = options_.rule.block;
  if (own > 0 && asked > 0 && asked != own)
    throw Error(ErrorKind::kUsage, cat("blocks of ", asked, " tokens: the model's have ", own));
}

Diffuser::~Diffuser() = default;

/// Tokens of a block, 0: all are one.
i64 Diffuser::block() const {
  const i64 own = engine_.cfg().diffusion->block;
  return own > 0 ? own : options_.rule.block;
}

/// A model's own blocks begin with the text, others with what is generated.
std::vector<i64> Diffuser::block_ends(i64 begin, i64 end) const {
  std::vector<i64> out;
  const bool own = engine_.cfg().diffusion->block > 0;
  i64 at = begin;
  while (at < end) {
    const i64 size = block();
    at = size == 0 ? end : std::min(end, own ? (at / size + 1) * size : at + size);
    out.push_back(at);
  }
  return out;
}

std::optional<Fault> Diffuser::check(const DiffuseRequest& r) const {
  const model::ModelCfg& cfg = engine_.cfg();
  const auto fault = [](const char* code, std::string detail) {
    return Fault{code, std::move(detail), -1};
  };
  const i64 given = isize(r.prompt) + isize(r.suffix);
  if (given + r.params.max_tokens > engine_.positions())
    return fault("context", cat("the prompt has ", r.prompt.size(), " tokens, the suffix ",
                                r.suffix.size(), " and max_tokens is ", r.params.max_tokens,
                                ", the model's context ", engine_.positions()));
  if (options_.energy != nullptr && given + r.params.max_tokens > options_.energy->most_tokens())
    return fault("context", cat("the text has ", given + r.params.max_tokens,
                                " tokens, the context of the energy's model has room for ",
                                options_.energy->most_tokens()));
  if (cfg.diffusion->block > 0 && !r.suffix.empty())
    return fault("suffix", "a model of block diffusion does not see what is behind a block");
  for (const std::vector<i32>* const part : {&r.prompt, &r.suffix}) {
    for (const i32 id : *part) {
      if (id < 0 || id >= cfg.vocab)
        return fault("token",
                     cat("token ", id, " is outside the model's vocabulary of ", cfg.vocab));
      if (id == cfg.diffusion->mask)
        return fault("token", cat("token ", id, " is the model's mask, which is not given"));
    }
  }
  for (const auto& [id, bias] : r.params.logit_bias)
    if (id >= cfg.vocab)
      return fault("params",
                   cat("logit_bias names token ", id, ", the vocabulary has ", cfg.vocab));
  for (const i32 id : r.params.stop_ids)
    if (id >= cfg.vocab)
      return fault("params", cat("stop_ids names token ", id, ", the vocabulary has ", cfg.vocab));
  const std::string penalty = left_to_right_param(r.params);
  if (!penalty.empty())
    return fault("params", cat("params.", penalty,
                               " needs a text that is written from left to right; the diffusion "
                               "decoder fills places in any order"));
  const i64 begin = isize(r.prompt);
  const i64 steps = options_.rule.steps > 0 ? options_.rule.steps : r.params.max_tokens;
  const i64 blocks = isize(block_ends(begin, begin + r.params.max_tokens));
  if (steps < blocks)
    return fault("params", cat(steps, " steps for ", blocks, " blocks, expected one a block"));
  if (steps > kMostDiffusionSteps)
    return fault("params", cat(steps, " steps, expected at most ", kMostDiffusionSteps));
  return std::nullopt;
}

void Diffuser::add(DiffuseRequest request) {
  std::unique_ptr<Job> job = std::make_unique<Job>();
  job->key = draw_key(request.params.seed.value_or(0), request.id);
  job->ends = request.params.stop_ids;
  if (!request.params.ignore_eos)
    job->ends.insert(job->ends.end(), options_.end_ids.begin(), options_.end_ids.end());
  job->request = std::move(request);
  jobs_.push_back(std::move(job));
}

/// Starts a sample if there is room.
bool Diffuser::start(Job& job) {
  const DiffuseRequest& r = job.request;
  const model::SequenceCache& cache = engine_.cache();
  Unmasking::Text text;
  text.mask = engine_.cfg().diffusion->mask;
  text.begin = isize(r.prompt);
  text.end = text.begin + r.params.max_tokens;
  text.causal = engine_.cfg().diffusion->block > 0;
  text.ends = block_ends(text.begin, text.end);
  text.tokens = r.prompt;
  text.tokens.resize(usize(text.end), text.mask);
  text.tokens.insert(text.tokens.end(), r.suffix.begin(), r.suffix.end());
  const i64 tokens = isize(text.tokens);
  const i64 charge = lanes() * cache.pages_of(tokens);
  check_room(cache, charge, lanes() * tokens);
  if (isize(running_) >= options_.batch || charged_pages_ + charge > cache.total_pages())
    return false;
  std::vector<i32> free(usize(tokens), text.mask);
  std::unique_ptr<Sample> s = std::make_unique<Sample>(
      job, job.started,
      Unmasking(options_.rule, r.params, job.ends, std::move(text), job.key, job.started));
  s->free = std::move(free);
  for (i64 lane = 0; lane < lanes(); ++lane)
    s->seqs[lane] = engine_.create();
  s->charge = charge;
  charged_pages_ += charge;
  ++job.started;
  running_.push_back(std::move(s));
  return true;
}

void Diffuser::admit() {
  for (const std::unique_ptr<Job>& each : jobs_) {
    Job& job = *each;
    if (!job.checked) {
      job.result.fault = check(job.request);
      job.result.completions.resize(usize(job.request.params.n));
      job.result.notes.resize(usize(job.request.params.n));
      job.checked = true;
    }
    while (!job.result.fault && job.started < job.request.params.n)
      if (!start(job)) return;
  }
}

/// Tokens that a pass reads, with what is cached.
i64 Diffuser::pass_end(const Sample& s) const {
  return engine_.cfg().diffusion->block > 0 ? s.text.block_end() : isize(s.text.tokens());
}

/// Rows of both texts, turn by turn: a place's logits come together.
void Diffuser::plan_sample(Sample& s) {
  const i64 size = engine_.cfg().diffusion->block;
  const i64 begin = s.cached;
  const i64 end = pass_end(s);
  const i64 noisy = size > 0 ? s.text.block_begin() / size * size : 0;
  const std::span<const i64> wanted = s.text.wanted();
  for (i64 place = s.text.text().begin; place < std::min(end, s.text.text().end); ++place)
    s.free[usize(place)] = s.text.tokens()[usize(place)];
  i64 next = 0;  // of wanted
  for (i64 i = begin; i < end; ++i) {
    const bool asked = next < isize(wanted) && wanted[usize(next)] == i;
    for (i64 lane = lanes() - 1; lane >= 0; --lane) {
      EvalRow row;
      row.seq = s.seqs[lane];
      row.token = lane == 0 ? s.text.tokens()[usize(i)] : s.free[usize(i)];
      row.see = EvalRow::See::kAll;
      if (i < noisy) row.until = static_cast<i32>((i / size + 1) * size - begin);
      row.want_logits = asked;
      rows_.push_back(row);
      plan_.push_back({&s, asked ? next : -1, lane > 0});
    }
    if (asked) ++next;
  }
  s.planned = true;
  ++s.note.passes;
}

/// The samples that the next pass is for. False if there is none.
bool Diffuser::plan() {
  rows_.clear();
  plan_.clear();
  for (const std::unique_ptr<Sample>& each : running_) {
    Sample& s = *each;
    if (!s.waits && !s.done) {
      s.waits = s.text.next();
      s.done = !s.waits;
    }
    if (s.done) continue;
    const i64 rows = lanes() * (pass_end(s) - s.cached);
    if (!rows_.empty() && isize(rows_) + rows > options_.chunk) break;
    plan_sample(s);
    ++stats_.busy_samples;
  }
  return !rows_.empty();
}

void Diffuser::take_logits(std::span<const i64> rows, std::span<const f32> logits) {
  struct Item {
    const Row* row = nullptr;
    std::span<const f32> logits, free;
  };
  const f64 begin = monotonic_s();
  const std::size_t vocab = logits.size() / rows.size();
  std::vector<Item> items;
  std::vector<f32> kept = std::exchange(free_, {});
  std::span<const f32> free = kept;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = plan_[usize(rows[i])];
    const std::span<const f32> own = logits.subspan(i * vocab, vocab);
    if (row.free)
      free = own;
    else
      items.push_back({&row, own, std::exchange(free, {})});
  }
  free_.assign(free.begin(), free.end());
  parallel_for(isize(items), 1, [&](i64 from, i64 to) {
    UnmaskScratch scratch;
    for (i64 i = from; i < to; ++i) {
      const Item& item = items[usize(i)];
      item.row->sample->text.take(item.row->wanted, item.logits, item.free, scratch);
    }
  });
  stats_.drawn_tokens += isize(items);
  stats_.draw_s += monotonic_s() - begin;
}

void Diffuser::evaluate() {
  const f64 begin = monotonic_s();
  const f64 drawn = stats_.draw_s;
  free_.clear();
  engine_.eval(rows_, [this](std::span<const i64> rows, std::span<const f32> logits) {
    take_logits(rows, logits);
  });
  stats_.forward_s += monotonic_s() - begin - (stats_.draw_s - drawn);
  stats_.decode_rows += isize(rows_);
  ++stats_.steps;
  const model::SequenceCache& cache = engine_.cache();
  stats_.most_pages = std::max(stats_.most_pages, cache.total_pages() - cache.free_pages());
}

/// Chooses among the candidates of this pass's samples.
void Diffuser::resample() {
  std::vector<Unmasking*> texts;
  for (const std::unique_ptr<Sample>& each : running_) {
    Unmasking& text = each->text;
    if (!each->planned || text.candidates() == 1 || text.faulty()) continue;
    TextEnergy::Candidates candidates{text.tokens(), text.wanted(), pass_end(*each), {}, {}};
    for (i64 j = 0; j < text.candidates(); ++j) {
      candidates.values.push_back(text.candidate(j));
      candidates.log_proposals.push_back(text.log_proposal(j));
    }
    options_.energy->add(candidates);
    texts.push_back(&text);
  }
  if (texts.empty()) return;
  const f64 begin = monotonic_s();
  const i64 rows = options_.energy->stats().rows;
  const i64 steps = options_.energy->stats().steps;
  const std::vector<std::vector<f64>> energies = options_.energy->run();
  for (std::size_t i = 0; i < texts.size(); ++i)
    texts[i]->resample(energies[i]);
  stats_.other_rows += options_.energy->stats().rows - rows;
  stats_.other_steps += options_.energy->stats().steps - steps;
  stats_.forward_s += monotonic_s() - begin;
}

void Diffuser::settle() {
  const i64 size = engine_.cfg().diffusion->block;
  for (const std::unique_ptr<Sample>& each : running_) {
    Sample& s = *each;
    if (!std::exchange(s.planned, false)) continue;
    if (size > 0 && options_.block_cache) {
      const i64 noisy = s.text.block_begin() / size * size;
      for (i64 lane = 0; lane < lanes(); ++lane)
        engine_.commit(s.seqs[lane], noisy - s.cached);
      s.cached = noisy;
    }
    s.fault = s.text.settle();
    s.done = s.fault.has_value();
    s.waits = false;
  }
}

/// What the sample's tokens say, up to where the text ends.
void Diffuser::write(Sample& s) const {
  const DiffuseRequest& r = s.job.request;
  Completion& out = s.job.result.completions[usize(s.index)];
  s.note.resampled = s.text.resampled();
  s.note.effective = s.text.effective();
  s.job.result.notes[usize(s.index)] = s.note;
  if (s.fault) {
    out.finish_reason = "error";
    out.fault = s.fault;
    return;
  }
  ContinuedText text(tokenizer_);
  text.begin(tokenizer_, r.prompt);
  const std::vector<std::unique_ptr<Constraint>> constraints = text_constraints(r.params, nullptr);
  bool cut = false;
  const auto ends = [&] {
    for (const std::unique_ptr<Constraint>& constraint : constraints) {
      const std::optional<TextEnd> end = constraint->end(text.text);
      if (!end) continue;
      out.finish_reason = end->reason;
      cut = end->bytes.has_value();
      if (end->bytes) text.text.resize(usize(*end->bytes));
      return true;
    }
    return false;
  };
  for (i64 i = s.text.text().begin; i < s.text.text().end && out.finish_reason.empty(); ++i) {
    const i32 token = s.text.tokens()[usize(i)];
    out.tokens.push_back(token);
    if (std::find(s.job.ends.begin(), s.job.ends.end(), token) != s.job.ends.end()) {
      out.finish_reason = "stop";
      break;
    }
    text.text += text.text_of(tokenizer_, token);
    for (const std::unique_ptr<Constraint>& constraint : constraints)
      constraint->accept(token);
    ends();
  }
  if (out.finish_reason.empty()) out.finish_reason = "length";
  if (!cut) {
    text.text += text.own(text.decoder.finish());
    ends();
  }
  out.text = std::move(text.text);
}

void Diffuser::retire() {
  for (const std::unique_ptr<Sample>& s : running_) {
    if (!s->done) continue;
    write(*s);
    for (i64 lane = 0; lane < lanes(); ++lane)
      engine_.release(s->seqs[lane]);
    charged_pages_ -= s->charge;
    ++s->job.finished;
  }
  std::erase_if(running_, [](const std::unique_ptr<Sample>& s) { return s->done; });
}

bool Diffuser::step() {
  admit();
  const bool any = plan();
  if (any) {
    evaluate();
    resample();
    settle();
  }
  const std::size_t before = running_.size();
  retire();
  return any || running_.size() != before;
}

std::optional<Diffused> Diffuser::take() {
  if (jobs_.empty() || !jobs_.front()->complete()) return std::nullopt;
  Diffused out = std::move(jobs_.front()->result);
  jobs_.pop_front();
  return out;
}

f64 unigram_entropy(std::span<const i32> tokens) {
  std::map<i32, i64> counts;
  for (const i32 token : tokens)
    ++counts[token];
  f64 out = 0;
  for (const auto& [token, count] : counts) {
    const f64 share = static_cast<f64>(count) / static_cast<f64>(tokens.size());
    out -= share * std::log(share);
  }
  return out;
}

}  // namespace lm::decode
