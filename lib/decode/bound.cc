#include "decode/bound.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/clock.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"
#include "decode/engine_options.h"
#include "decode/logprob.h"
#include "model/masking.h"

namespace lm::decode {

using model::EvalRow;

BoundRule parse_bound(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, ':');
  const auto number = [&](std::size_t at, i64 fallback) {
    if (parts.size() <= at) return fallback;
    const std::optional<i64> n = parse_int(parts[at]);
    return n && *n >= 1 && *n <= kMostDiffusionSteps ? *n : i64{-1};
  };
  BoundRule out;
  if (parts[0] == "nelbo" && parts.size() <= 2) {
    out.draws = number(1, 128);
    if (out.draws > 0) return out;
  } else if (parts[0] == "tstep" && parts.size() >= 2 && parts.size() <= 3) {
    out.kind = BoundRule::Kind::kSteps;
    out.steps = number(1, 0);
    out.draws = number(2, 8);
    if (out.steps > 0 && out.draws > 0) return out;
  } else if (text == "chain") {
    out.kind = BoundRule::Kind::kChain;
    return out;
  }
  throw Error(ErrorKind::kUsage,
              cat("--bound ", quote(text), ": expected nelbo, nelbo:DRAWS, tstep:T, tstep:T:DRAWS ",
                  "or chain, with numbers from 1 to ", kMostDiffusionSteps));
}

namespace {

/// Places by the step at which the ancestral sampler fills them.
void add_steps(const RandomStream& random, i64 n, i64 draw, i64 steps,
               std::vector<BoundProbe>& out) {
  const ReverseSteps times(steps, 0);
  std::vector<i64> filled(usize(n), steps);  // at the end
  for (i64 i = 0; i < n; ++i) {
    const f64 u = random.uniform(static_cast<u64>(draw * n + i));
    for (i64 step = 0; step < steps && filled[usize(i)] == steps; ++step)
      if (u >= times.time(step + 1)) filled[usize(i)] = step;
  }
  for (i64 step = 0; step <= steps; ++step) {
    BoundProbe probe;
    probe.draw = draw;
    bool any = false;
    for (const i64 at : filled) {
      probe.hidden.push_back(at >= step ? 1 : 0);
      probe.counted.push_back(at == step ? 1 : 0);
      any = any || at == step;
    }
    if (any) out.push_back(std::move(probe));
  }
}

}  // namespace

std::vector<BoundProbe> bound_probes(const BoundRule& rule, u64 key, i64 n, i64 part, i64 parts) {
  std::vector<BoundProbe> out;
  const RandomStream random(key, RandomPurpose::kDiffusion, static_cast<u64>(part));
  if (rule.kind == BoundRule::Kind::kChain) {
    for (i64 i = 0; i < n; ++i) {
      BoundProbe& probe = out.emplace_back();
      probe.hidden.assign(usize(n), 1);
      std::fill_n(probe.hidden.begin(), i, u8{0});
      probe.counted.assign(usize(n), 0);
      probe.counted[usize(i)] = 1;
    }
    return out;
  }
  for (i64 draw = 0; draw < rule.draws; ++draw) {
    if (rule.kind == BoundRule::Kind::kSteps) {
      add_steps(random, n, draw, filled_at(rule.steps, parts, part), out);
      continue;
    }
    model::HiddenDraw hidden = model::hidden_draw(random, n, draw, rule.draws);
    BoundProbe& probe = out.emplace_back();
    probe.draw = draw;
    probe.weight = hidden.weight();
    probe.hidden = std::move(hidden.hidden);
    probe.counted = probe.hidden;
  }
  return out;
}

struct BoundScorer::Job {
  BoundRequest request;
  bool begun = false;
  bool done = false;
  std::vector<i64> ends;           // of its parts
  i64 part = -1;                   // that is being read
  i64 first_part = 0;              // the first with places that are not given
  i32 seq = -1;                    // holds the parts before, of a model that reads them one by one
  i64 clean = 0;                   // tokens in it
  bool cleans = false;             // this pass adds the parts before this one
  std::vector<BoundProbe> probes;  // of the part
  i64 next = 0;                    // the first that is not planned
  std::vector<f64> nats;           // by draw
  BoundScore score;

  i64 part_begin() const { return part == 0 ? 0 : ends[usize(part - 1)]; }
  i64 part_end() const { return ends[usize(part)]; }
  /// The first place of the part that is not given.
  i64 open() const { return std::max(part_begin(), request.first); }
};

BoundScorer::BoundScorer(model::Engine& engine, BoundRule rule, PassLimits limits)
    : engine_(engine), rule_(rule), limits_(limits) {
  LM_CHECK(engine.cfg().diffusion.has_value(), "the model is one of masked diffusion");
  LM_CHECK(limits.batch > 0 && limits.chunk > 0, "a pass needs rows");
}

BoundScorer::~BoundScorer() = default;

std::vector<i64> BoundScorer::part_ends(i64 tokens) const {
  const i64 block = engine_.cfg().diffusion->block;
  std::vector<i64> out;
  for (i64 at = block; block > 0 && at < tokens; at += block)
    out.push_back(at);
  out.push_back(tokens);
  return out;
}

std::optional<Fault> BoundScorer::check(const BoundRequest& r) const {
  const model::ModelCfg& cfg = engine_.cfg();
  if (isize(r.tokens) > engine_.positions())
    return Fault{
        "context",
        cat("the text has ", r.tokens.size(), " tokens, the model's context ", engine_.positions()),
        -1};
  for (const i32 id : r.tokens) {
    if (id < 0 || id >= cfg.vocab)
      return Fault{"token", cat("token ", id, " is outside the model's vocabulary of ", cfg.vocab),
                   -1};
    if (id == cfg.diffusion->mask)
      return Fault{"token", cat("token ", id, " is the model's mask, which no text has"), -1};
  }
  return std::nullopt;
}

void BoundScorer::add(BoundRequest request) {
  std::unique_ptr<Job> job = std::make_unique<Job>();
  job->request = std::move(request);
  jobs_.push_back(std::move(job));
}

void BoundScorer::begin(Job& job) const {
  job.begun = true;
  const i64 tokens = isize(job.request.tokens);
  job.score.fault = check(job.request);
  job.ends = part_ends(tokens);
  job.nats.assign(usize(rule_.draws), 0);
  while (job.first_part < isize(job.ends) && job.ends[usize(job.first_part)] <= job.request.first)
    ++job.first_part;
  const i64 parts = isize(job.ends) - job.first_part;
  if (rule_.kind == BoundRule::Kind::kSteps && rule_.steps < parts && !job.score.fault)
    job.score.fault = Fault{
        "params", cat(rule_.steps, " steps for ", parts, " blocks, expected one a block"), -1};
  job.part = job.first_part - 1;
  if (job.score.fault || job.request.first >= tokens) {
    job.done = true;
    return;
  }
  next_part(job);
}

void BoundScorer::next_part(Job& job) const {
  job.probes.clear();
  job.next = 0;
  if (++job.part == isize(job.ends)) {
    job.done = true;
    return;
  }
  const u64 key = mix64(job.request.seed ^ fnv1a64(job.request.id));
  job.probes = bound_probes(rule_, key, job.part_end() - job.open(), job.part - job.first_part,
                            isize(job.ends) - job.first_part);
}

/// The parts before this one, as they are.
void BoundScorer::plan_clean(Job& job) {
  if (job.seq < 0) job.seq = engine_.create();
  job.cleans = true;
  i64 part = 0;
  for (i64 i = job.clean; i < job.part_begin(); ++i) {
    while (job.ends[usize(part)] <= i)
      ++part;
    EvalRow row;
    row.seq = job.seq;
    row.token = job.request.tokens[usize(i)];
    row.see = EvalRow::See::kAll;
    row.until = static_cast<i32>(job.ends[usize(part)] - job.clean);
    rows_.push_back(row);
    plan_.emplace_back();
  }
}

void BoundScorer::plan_probe(Job& job, const BoundProbe& probe) {
  const i32 seq = job.seq < 0 ? engine_.create() : engine_.fork(job.seq);
  forks_.push_back(seq);
  for (i64 i = job.part_begin(); i < job.part_end(); ++i) {
    const i64 place = i - job.open();
    const i32 token = job.request.tokens[usize(i)];
    EvalRow row;
    row.seq = seq;
    row.token =
        place >= 0 && probe.hidden[usize(place)] != 0 ? engine_.cfg().diffusion->mask : token;
    row.see = EvalRow::See::kAll;
    row.want_logits = place >= 0 && probe.counted[usize(place)] != 0;
    rows_.push_back(row);
    plan_.push_back({&job, job.next, token});
  }
  ++job.next;
  ++job.score.probes;
}

/// What of the job goes into the pass; pages: that are left for it.
void BoundScorer::plan(Job& job, i64& pages) {
  const model::SequenceCache& cache = engine_.cache();
  if (job.clean < job.part_begin()) {
    const i64 need = cache.pages_of(job.part_begin()) + 1;
    const i64 rows = job.part_begin() - job.clean;
    if (rows_.empty()) {
      check_room(cache, need + cache.pages_of(job.part_end(), job.part_begin()) + 1,
                 job.part_end());
    } else if (need > pages || isize(rows_) + rows > limits_.chunk) {
      return;
    }
    pages -= need;
    return plan_clean(job);
  }
  const i64 rows = job.part_end() - job.part_begin();
  const i64 need = cache.pages_of(job.part_end(), job.part_begin()) + 1;
  while (job.next < isize(job.probes)) {
    if (rows_.empty()) {
      check_room(cache, need, job.part_end());
    } else if (need > pages || isize(rows_) + rows > limits_.chunk ||
               isize(forks_) >= limits_.batch) {
      return;
    }
    pages -= need;
    plan_probe(job, job.probes[usize(job.next)]);
  }
}

void BoundScorer::take_logits(std::span<const i64> rows, std::span<const f32> logits) {
  const std::size_t vocab = logits.size() / rows.size();
  const std::size_t mask = usize(engine_.cfg().diffusion->mask);
  parallel_for(isize(rows), 4, [&](i64 from, i64 to) {
    std::vector<f32> own;
    for (i64 i = from; i < to; ++i) {
      const std::size_t at = usize(rows[usize(i)]);
      own.assign(logits.begin() + i * static_cast<i64>(vocab),
                 logits.begin() + (i + 1) * static_cast<i64>(vocab));
      own[mask] = -std::numeric_limits<f32>::infinity();
      losses_[at] = normaliser(own).log - static_cast<f64>(own[usize(plan_[at].token)]);
    }
  });
}

/// After a pass: what is complete.
void BoundScorer::finish(Job& job) {
  if (job.cleans) {
    job.cleans = false;
    engine_.commit(job.seq);
    job.clean = job.part_begin();
    return;
  }
  if (job.clean < job.part_begin() || job.next < isize(job.probes)) return;
  next_part(job);
  if (!job.done) return;
  if (job.seq >= 0) engine_.release(job.seq);
  const f64 draws = static_cast<f64>(rule_.draws);
  f64 sum = 0;
  for (const f64 nats : job.nats)
    sum += nats;
  job.score.nats = sum / draws;
  f64 squares = 0;
  for (const f64 nats : job.nats)
    squares += (nats - job.score.nats) * (nats - job.score.nats);
  if (rule_.draws > 1) job.score.error = std::sqrt(squares / (draws * (draws - 1)));
  job.score.draws = rule_.draws;
}

bool BoundScorer::step() {
  rows_.clear();
  plan_.clear();
  forks_.clear();
  bool ended = false;
  i64 pages = engine_.cache().free_pages();
  for (const std::unique_ptr<Job>& job : jobs_) {
    if (job->done) continue;
    if (!job->begun) begin(*job);
    ended = ended || job->done;
    if (job->done) continue;
    const i64 before = isize(rows_);
    plan(*job, pages);
    if (isize(rows_) == before || isize(rows_) >= limits_.chunk) break;
  }
  if (rows_.empty()) return ended;
  losses_.assign(rows_.size(), 0);
  const f64 start = monotonic_s();
  engine_.eval(rows_, [this](std::span<const i64> rows, std::span<const f32> logits) {
    take_logits(rows, logits);
  });
  stats_.forward_s += monotonic_s() - start;
  stats_.rows += isize(rows_);
  ++stats_.passes;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!rows_[i].want_logits) continue;
    Job& job = *plan_[i].job;
    const BoundProbe& probe = job.probes[usize(plan_[i].probe)];
    job.nats[usize(probe.draw)] += probe.weight * losses_[i];
  }
  for (const i32 seq : forks_)
    engine_.release(seq);
  for (const std::unique_ptr<Job>& job : jobs_) {
    if (!job->begun || job->done) continue;
    finish(*job);
    if (job->done) ++stats_.texts;
  }
  return true;
}

std::optional<BoundScore> BoundScorer::take() {
  if (jobs_.empty() || !jobs_.front()->done) return std::nullopt;
  BoundScore out = jobs_.front()->score;
  jobs_.pop_front();
  return out;
}

}  // namespace lm::decode
