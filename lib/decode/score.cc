#include "decode/score.h"

#include <algorithm>

#include "core/clock.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"
#include "decode/engine_options.h"
#include "model/layer.h"

namespace lm::decode {

using model::EvalRow;

struct TokenScorer::Job {
  struct Part {  // the prefix, or a branch that has started
    i32 seq = -1;
    i64 done = 0;    // tokens in the cache
    i64 rows = 0;    // tokens to evaluate
    i64 given = 0;   // its first rows, the text's prefix: read in one pass
    i64 charge = 0;  // pages
  };
  ScoreRequest request;
  bool started = false;
  Part prefix;
  std::vector<Part> branches;  // by branch, seq -1 before its start and after its end
  i64 next = 0;                // first branch not started
  i64 open = 0;                // branches started and not finished
  bool complete = false;
  std::vector<BranchScore> result;
};

namespace {

/// What a row's logits are reduced to before they are looked up.
struct RowSummary {
  Normaliser normaliser;
  std::vector<TokenLogprob> top;
};

}  // namespace

bool BranchScore::all_greedy() const {
  return std::all_of(greedy.begin(), greedy.end(), [](u8 g) { return g != 0; });
}

TokenScorer::TokenScorer(model::Engine& engine, ScoreOptions options)
    : engine_(engine), options_(options) {
  LM_CHECK(options.batch > 0 && options.chunk > 0, "a step needs rows");
}

TokenScorer::~TokenScorer() = default;

namespace {

/// Every branch reads the prefix itself.
void part_branches(ScoreRequest& request) {
  for (ScoreRequest::Branch& branch : request.branches) {
    branch.rows.insert(branch.rows.begin(), request.prefix.begin(), request.prefix.end());
    branch.first += isize(request.prefix);
  }
  request.prefix.clear();
}

}  // namespace

void TokenScorer::add(ScoreRequest request) {
  std::unique_ptr<Job> job = std::make_unique<Job>();
  const bool given = request.given && options_.prefixes && model::reads_prefixes(engine_.cfg());
  // What is read of a prefix depends on all of it.
  if (given && std::any_of(request.branches.begin(), request.branches.end(),
                           [](const ScoreRequest::Branch& b) { return b.first > 0; }))
    part_branches(request);
  job->branches.resize(request.branches.size());
  job->result.resize(request.branches.size());
  const i64 shared = isize(request.prefix);
  const i32 next = set_positions(request.prefix, 0, 0);
  for (i64 b = 0; b < isize(request.branches); ++b) {
    std::vector<PromptRow>& rows = request.branches[usize(b)].rows;
    set_positions(rows, shared, next);
    Job::Part& part = job->branches[usize(b)];
    part.rows = std::max<i64>(0, isize(rows) - 1);
    if (given) part.given = std::min(part.rows, request.branches[usize(b)].first);
  }
  job->prefix.rows = isize(request.prefix);
  if (given) job->prefix.given = job->prefix.rows;
  job->request = std::move(request);
  jobs_.push_back(std::move(job));
}

/// Starts what has room: the prefix, then branches once it is evaluated. False if something waits.
bool TokenScorer::start(Job& job) {
  const model::SequenceCache& cache = engine_.cache();
  const i64 shared = isize(job.request.prefix);
  const auto charge = [&](i64 b) {
    return cache.pages_of(shared + job.branches[usize(b)].rows, shared) + 1;
  };
  const i64 limit = cache.total_pages();
  if (!job.started) {
    const i64 own = cache.pages_of(shared);
    i64 most = 0;
    for (i64 b = 0; b < isize(job.branches); ++b)
      most = std::max(most, charge(b));
    i64 rows = 0;
    for (const Job::Part& part : job.branches)
      rows = std::max(rows, part.rows);
    check_room(cache, own + most, shared + rows);
    const bool alone = charged_pages_ == 0;
    if (!alone && (sequences_ >= options_.batch || charged_pages_ + own + most > limit))
      return false;
    job.prefix.seq = engine_.create();
    if (!job.request.adapters.empty()) engine_.adapt(job.prefix.seq, job.request.adapters);
    // One branch always has room: jobs that wait for each other's pages would wait for ever.
    job.prefix.charge = own + most;
    charged_pages_ += own + most;
    ++sequences_;
    job.started = true;
  }
  if (job.prefix.done < shared) return true;
  for (; job.next < isize(job.branches); ++job.next) {
    Job::Part& part = job.branches[usize(job.next)];
    if (part.rows == 0) continue;
    const i64 pages = job.open > 0 ? charge(job.next) : 0;
    if (job.open > 0 && (sequences_ >= options_.batch || charged_pages_ + pages > limit))
      return false;
    part.seq = engine_.fork(job.prefix.seq);
    part.charge = pages;
    charged_pages_ += part.charge;
    ++job.open;
    ++sequences_;
  }
  return true;
}

void TokenScorer::plan(Job& job, i64 branch, i64& room) {
  Job::Part& part = branch < 0 ? job.prefix : job.branches[usize(branch)];
  const ScoreRequest::Branch* const own =
      branch < 0 ? nullptr : &job.request.branches[usize(branch)];
  const std::vector<PromptRow>& from = own == nullptr ? job.request.prefix : own->rows;
  const i64 end = std::max(part.given, std::min(part.rows, part.done + room));
  for (i64 i = part.done; i < end; ++i) {
    EvalRow row = eval_row(part.seq, from[usize(i)]);
    row.prefix = i < part.given;
    row.want_logits = own == nullptr ? i + 1 == part.rows : i + 1 >= own->first;
    rows_.push_back(row);
    plan_.push_back({&job, branch, i});
  }
  room = std::max<i64>(0, room - (end - part.done));
}

void TokenScorer::finish_parts() {
  for (const std::unique_ptr<Job>& each : jobs_) {
    Job& job = *each;
    if (!job.started || job.complete || job.prefix.done < job.prefix.rows) continue;
    for (Job::Part& part : job.branches) {
      if (part.seq < 0 || part.done < part.rows) continue;
      engine_.release(part.seq);
      part.seq = -1;
      charged_pages_ -= part.charge;
      --job.open;
      --sequences_;
    }
    if (job.open > 0 || job.next < isize(job.branches)) continue;
    engine_.release(job.prefix.seq);
    charged_pages_ -= job.prefix.charge;
    --sequences_;
    job.complete = true;
  }
}

/// Scores of what stands behind these rows of the plan.
void TokenScorer::take_logits(std::span<const i64> rows, std::span<const f32> logits) {
  const f64 begin = monotonic_s();
  const i64 vocab = isize(logits) / isize(rows);
  std::vector<RowSummary> summaries(rows.size());
  const auto row_logits = [&](i64 i) { return logits.subspan(usize(i * vocab), usize(vocab)); };
  parallel_for(isize(rows), 4, [&](i64 from, i64 to) {
    for (i64 i = from; i < to; ++i) {
      RowSummary& s = summaries[usize(i)];
      s.normaliser = normaliser(row_logits(i));
      const i64 k = plan_[usize(rows[usize(i)])].job->request.top_logprobs;
      if (k > 0) s.top = top_logprobs(row_logits(i), s.normaliser.log, k);
    }
  });
  const auto note = [&](Job& job, i64 branch, i64 target, i64 i) {
    const ScoreRequest::Branch& from = job.request.branches[usize(branch)];
    if (target < from.first || target >= isize(from.rows)) return;
    const i32 token = from.rows[usize(target)].token;
    const RowSummary& s = summaries[usize(i)];
    BranchScore& out = job.result[usize(branch)];
    const f64 logprob = static_cast<f64>(row_logits(i)[usize(token)]) - s.normaliser.log;
    out.logprobs.push_back(static_cast<f32>(logprob));
    out.sum += logprob;
    out.greedy.push_back(s.normaliser.likeliest == token ? 1 : 0);
    if (job.request.top_logprobs > 0) out.top.push_back(s.top);
  };
  for (i64 i = 0; i < isize(rows); ++i) {
    const Row& row = plan_[usize(rows[usize(i)])];
    Job& job = *row.job;
    if (row.branch >= 0) {
      note(job, row.branch, row.at + 1, i);
    } else {
      for (i64 b = 0; b < isize(job.branches); ++b)
        note(job, b, 0, i);
    }
  }
  stats_.score_s += monotonic_s() - begin;
}

/// Keeps what the pass has added to sequences.
void TokenScorer::take_rows() {
  for (i64 i = 0; i < isize(plan_); ++i) {
    const Row& row = plan_[usize(i)];
    Job& job = *row.job;
    Job::Part& part = row.branch < 0 ? job.prefix : job.branches[usize(row.branch)];
    part.done = row.at + 1;
    const bool part_ends = i + 1 == isize(plan_) || plan_[usize(i + 1)].job != row.job ||
                           plan_[usize(i + 1)].branch != row.branch;
    if (part_ends) engine_.commit(part.seq);
  }
}

bool TokenScorer::step() {
  rows_.clear();
  plan_.clear();
  bool waits = false;
  for (const std::unique_ptr<Job>& job : jobs_) {
    if (job->complete) continue;
    waits = waits || !start(*job);
    if (waits) break;
  }
  i64 room = options_.chunk;
  for (const std::unique_ptr<Job>& job : jobs_) {
    if (!job->started || job->complete || room == 0) continue;
    if (job->prefix.done < job->prefix.rows) {
      plan(*job, -1, room);
      continue;
    }
    for (i64 b = 0; b < isize(job->branches) && room > 0; ++b)
      if (job->branches[usize(b)].seq >= 0) plan(*job, b, room);
  }
  if (!rows_.empty()) {
    const f64 begin = monotonic_s();
    const f64 scored = stats_.score_s;
    engine_.eval(rows_, [this](std::span<const i64> rows, std::span<const f32> logits) {
      take_logits(rows, logits);
    });
    stats_.forward_s += monotonic_s() - begin - (stats_.score_s - scored);
    ++stats_.steps;
    stats_.rows += isize(rows_);
    take_rows();
  }
  const i64 before = sequences_;
  finish_parts();
  return !rows_.empty() || sequences_ != before;
}

std::optional<std::vector<BranchScore>> TokenScorer::take() {
  if (jobs_.empty() || !jobs_.front()->complete) return std::nullopt;
  std::vector<BranchScore> out = std::move(jobs_.front()->result);
  jobs_.pop_front();
  return out;
}

WindowRule WindowRule::of(i64 window, i64 stride, i64 context) {
  WindowRule out;
  out.window = window > 0 ? window : context;
  out.stride = stride > 0 ? stride : std::max<i64>(1, out.window / 2);
  if (out.window > context)
    throw Error(ErrorKind::kUsage, cat("a window of ", out.window,
                                       " tokens is more than the model's context of ", context));
  if (out.stride > out.window)
    throw Error(ErrorKind::kUsage,
                cat("a stride of ", out.stride, " tokens is more than the window of ", out.window));
  return out;
}

WindowCutter::WindowCutter(std::vector<i32> tokens, const WindowRule& rule, i64 first)
    : tokens_(std::move(tokens)), rule_(rule), scored_(std::max<i64>(1, first)) {
  LM_CHECK(rule.stride >= 1 && rule.stride <= rule.window, "no token lies between windows");
  if (scored_ >= rule.window && scored_ < isize(tokens_))
    first_begin_ = begin_ = (scored_ - rule.window) / rule.stride * rule.stride + rule.stride;
}

std::optional<ScoreRequest> WindowCutter::next() {
  const i64 n = isize(tokens_);
  if (begin_ > first_begin_ && (scored_ >= n || begin_ + 1 >= n)) return std::nullopt;
  const i64 end = std::min(n, begin_ + rule_.window);
  std::optional<ScoreRequest> out(std::in_place);
  ScoreRequest::Branch& branch = out->branches.emplace_back();
  branch.rows.assign(tokens_.begin() + begin_, tokens_.begin() + end);
  branch.first = scored_ - begin_;
  scored_ = std::max(scored_, end);
  begin_ += rule_.stride;
  return out;
}

ScoreRequest score_together(std::span<const ScoredTokens* const> texts) {
  const std::vector<i32>& head = texts[0]->tokens;
  i64 common = isize(head);
  for (const ScoredTokens* const text : texts) {
    const i64 most = std::min({common, text->first, isize(text->tokens)});
    for (common = 0; common < most; ++common)
      if (head[usize(common)] != text->tokens[usize(common)]) break;
  }
  ScoreRequest out;
  out.prefix.assign(head.begin(), head.begin() + common);
  out.given = true;
  for (const ScoredTokens* const text : texts) {
    ScoreRequest::Branch& branch = out.branches.emplace_back();
    branch.rows.assign(text->tokens.begin() + common, text->tokens.end());
    branch.first = text->first - common;
  }
  return out;
}

std::vector<ScoreRequest> cut_windows(std::span<const i32> tokens, const WindowRule& rule) {
  WindowCutter cutter({tokens.begin(), tokens.end()}, rule);
  std::vector<ScoreRequest> out;
  while (std::optional<ScoreRequest> request = cutter.next())
    out.push_back(std::move(*request));
  return out;
}

}  // namespace lm::decode
