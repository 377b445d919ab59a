#include "model/engine.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "core/error.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "model/engine_pass.h"
#include "model/state_cache.h"
#include "tensor/convert.h"

namespace lm::model {
namespace {

constexpr i64 kDefaultContexts = 16;

/// Row counts that get a graph of their own: exact up to 8, then coarser, for padding rows cost
/// time: a sixteenth of what is wanted at most, beyond 64 rows.
i64 bucket(i64 n, i64 limit) {
  if (n <= 8) return n;
  const i64 step = std::max<i64>(4, static_cast<i64>(std::bit_floor(static_cast<u64>(n))) / 16);
  return std::min(limit, (n + step - 1) / step * step);
}

constexpr i64 kLeastKeys = 256;   // smallest bound of a pass's keys
constexpr i64 kMostPasses = 512;  // of a device; beyond, all are made anew

/// Where a pass's inputs lie in their block, in bytes; adapter_bytes of each row. Page tables come
/// last: rows point to them, so they alone may lie elsewhere in every run.
struct InputLayout {
  InputLayout(i64 rows, i64 logit_rows, i64 adapter_bytes) {
    const auto take = [this](i64 bytes) {
      const i64 at = list;
      list = (list + bytes + 63) / 64 * 64;
      return at;
    };
    tables = take(rows * static_cast<i64>(sizeof(const i32*)));
    tokens = take(rows * 4);
    positions = take(rows * 4);
    select = take(logit_rows * 4);
    spans = take(rows * static_cast<i64>(sizeof(RowSpan)));
    store = take(rows * 4);
    adapters = take(rows * adapter_bytes);
  }
  i64 tables = 0, tokens = 0, positions = 0, select = 0, spans = 0, store = 0, adapters = 0;
  i64 list = 0;  // the key list begins here
};

}  // namespace

Engine::Engine(const ModelRef& model, const EngineOptions& options)
    : Engine(model, options, cpu_backend()) {}

Engine::Engine(const ModelRef& model, const EngineOptions& options, const Backend& backend)
    : model_(model),
      options_(options),
      backend_(backend),
      adapters_(model.adapters, model.adapter_weights, options.activation),
      positions_(options.positions > 0 ? options.positions : model.cfg.context),
      ropes_(make_ropes()),
      weights_(make_weights()),
      slab_(make_first_slab()),
      cache_(make_cache()) {
  if (on_host()) state_ = backend.make_state();
  weights_changed();
}

Engine::~Engine() = default;

RopeTables Engine::make_ropes() const {
  LM_CHECK(options_.max_rows > 0 && options_.max_logit_rows >= 0, "a pass needs rows");
  LM_CHECK(options_.max_logit_rows == 0 ||
               (options_.final_state && model_.cfg.kind == ModelKind::kDecoder),
           "logits come from a decoder's final hidden state");
  const std::vector<i64>& states = options_.states;
  LM_CHECK(
      std::adjacent_find(states.begin(), states.end(), std::greater_equal<>()) == states.end() &&
          (states.empty() ? options_.final_state
                          : states.front() >= 0 && states.back() <= model_.cfg.depth()),
      "states are layers of the model, ascending");
  const std::vector<i64>& projections = options_.projections;
  LM_CHECK(projections.empty() ||
               (std::adjacent_find(projections.begin(), projections.end(),
                                   std::greater_equal<>()) == projections.end() &&
                projections.front() >= 0 &&
                projections.back() < (options_.final_state ? model_.cfg.depth() : states.back())),
           "projections are of layers that passes reach, ascending");
  for (const i64 layer : projections)
    if (!std::holds_alternative<AttentionCfg>(model_.cfg.layers[usize(layer)].mixer))
      throw Error(ErrorKind::kUsage,
                  cat("layer ", layer,
                      " of the model has no attention whose queries and keys could "
                      "be looked at"));
  LM_CHECK(!on_host() || options_.activation == DType::kF32, "the CPU computes in f32");
  if (model_.cfg.position == PositionKind::kLearned && positions_ > model_.cfg.context)
    throw Error(ErrorKind::kUsage, cat("the model has ", model_.cfg.context, " learned positions, ",
                                       positions_, " were asked for"));
  RopeTables out(model_.cfg, positions_, true);
  out.place(backend_);
  return out;
}

/// One slab serves every pass: they never run at once and their results are copied out.
Storage Engine::make_first_slab() const {
  if (on_host()) return {};
  return backend_.allocate(largest_pass_bytes());
}

i64 Engine::largest_pass_bytes() const {
  PassKey largest;
  largest.rows = options_.max_rows;
  largest.logit_rows = options_.max_logit_rows;
  largest.prefixes = reads_prefixes(model_.cfg);
  return plan_bytes(Pass(model_, bound(), ropes_, options_, positions_, largest).graph, backend_);
}

/// On a device, a tenth of what is free stays: for products' workspace, recorded passes, and other
/// slabs than the largest.
i64 Engine::cache_pages() const {
  const ModelCfg& cfg = model_.cfg;
  const i64 tokens =
      options_.cache_tokens > 0 ? options_.cache_tokens : kDefaultContexts * cfg.context;
  const i64 pages = (tokens + kPageTokens - 1) / kPageTokens;
  if (on_host()) return pages;
  const i64 page_bytes = memory_page_bytes(cfg, options_.activation);
  const i64 room = backend_.free_bytes() / 10 * 9 / page_bytes;
  const i64 least =
      std::min(pages, positions_ / kPageTokens + 2);  // one context, and a fork's page
  if (room < least)
    throw Error(ErrorKind::kOs,
                cat("keys and values of ", least * kPageTokens, " tokens need ",
                    format_bytes(least * page_bytes), " of the device's memory, ",
                    format_bytes(backend_.free_bytes()), " are free"),
                "--device cpu has the host's memory");
  return std::min(pages, room);
}

std::unique_ptr<SequenceCache> Engine::make_cache() const {
  const i64 pages = cache_pages();
  if (options_.make_cache)
    return options_.make_cache(model_.cfg, pages, backend_, options_.activation);
  if (state_numbers(model_.cfg) == 0)
    return std::make_unique<KvCache>(model_.cfg, pages, backend_, options_.activation);
  if (!on_host())
    throw Error(ErrorKind::kUnavailable,
                cat("device ", backend_.name, " has no kernels for recurrent layers"),
                "--device cpu has");
  return std::make_unique<StateCache>(model_.cfg, pages);
}

/// Makes the slab hold a pass. It grows with a pass of more than max_rows rows; and the planner is
/// greedy: a smaller graph can in principle need more than the largest.
void Engine::hold_pass(const Graph& graph) {
  const i64 bytes = plan_bytes(graph, backend_);
  if (!slab_) slab_ = backend_.allocate(std::max(bytes, largest_pass_bytes()));
  if (bytes <= slab_.bytes()) return;
  passes_.clear();
  slab_ = {};
  slab_ = backend_.allocate(bytes);
}

i32 Engine::fork(i32 seq) {
  const i32 child = cache_->fork(seq);
  adapters_.fork(seq, child);
  return child;
}

void Engine::adapt(i32 seq, std::span<const f32> weights) {
  LM_CHECK(cache_->length(seq) == 0, "a sequence with rows keeps its adapters");
  adapters_.choose(seq, weights);
}

Engine::Pass& Engine::pass(const PassKey& key) {
  const auto found = passes_.find(key);
  if (found != passes_.end()) return *found->second;
  if (!on_host() && isize(passes_) >= kMostPasses) passes_.clear();
  std::unique_ptr<Pass> made =
      std::make_unique<Pass>(model_, bound(), ropes_, options_, positions_, key);
  hold_pass(made->graph);
  ExecOptions exec;
  exec.record = !on_host();
  exec.slab = &slab_;
  made->executor = std::make_unique<Executor>(made->graph, backend_, exec);
  made->model.bind(*made->executor, bound(), bound_adapters());

  u8* const block = on_host() ? outgoing_.data() : inputs_.data();
  const InputLayout layout(key.rows, key.logit_rows, adapters_.row_bytes());
  const auto bind = [&](Value v, i64 offset, i64 count) {
    made->executor->bind(v, make_tensor(block + offset, {count}, DType::kI32, backend_.device));
  };
  bind(made->tokens, layout.tokens, key.rows);
  bind(made->position, layout.positions, key.rows);
  if (key.logit_rows > 0) bind(made->select, layout.select, key.logit_rows);
  if (made->adapters)
    made->executor->bind(
        made->adapters, make_tensor(block + layout.adapters, {key.rows, model_.adapters->columns()},
                                    options_.activation, backend_.device));
  KvView& view = made->view;
  view.rows = key.rows;
  view.spans = at<const RowSpan>(block, layout.spans);
  view.store = at<const i32>(block, layout.store);
  view.tables = at<const i32* const>(block, layout.tables);
  view.key_list = key.listed ? at<const i32>(block, layout.list) : nullptr;
  cache_->bindings(view);
  view.lone_rows = key.lone_rows;
  return *passes_.emplace(key, std::move(made)).first->second;
}

i64 Engine::pass_rows(i64 n) const {
  return bucket(n, std::max(options_.max_rows, (n + 63) / 64 * 64));
}

void Engine::check_span(std::span<const EvalRow> rows, const Cut& cut) const {
  PassKey key;
  key.rows = pass_rows(cut.end - cut.begin);
  key.logit_rows = options_.max_logit_rows;
  key.prefixes = reads_prefixes(model_.cfg);
  const i64 bytes =
      plan_bytes(Pass(model_, bound(), ropes_, options_, positions_, key).graph, backend_);
  if (bytes <= options_.span_bytes) return;
  i64 tokens = 0;  // of the longest sequence there
  std::map<i32, i64> counts;
  for (i64 i = cut.begin; i < cut.end; ++i)
    tokens = std::max(tokens, ++counts[rows[usize(i)].seq]);
  throw Error(ErrorKind::kOs,
              cat("a text of ", tokens, " tokens that see each other needs ", format_bytes(bytes),
                  " for one pass, ", format_bytes(options_.span_bytes), " are allowed"),
              "shorter texts, or fewer at once");
}

/// The pass for rows [begin, end), of which `logits` ask for theirs.
Engine::PassKey Engine::key_of(std::span<const EvalRow> rows, i64 begin, i64 end) const {
  PassKey key;
  i64 wanted = 0;
  i64 keys = 0;
  key.lone_rows = true;
  for (i64 i = begin; i < end; ++i) {
    wanted += rows[usize(i)].want_logits ? 1 : 0;
    key.prefixes = key.prefixes || rows[usize(i)].prefix;
    const RowSpan& span = spans_[usize(i - begin)];
    keys = std::max<i64>({keys, span.la + span.a1 - span.a0, span.lb + span.b1 - span.b0});
    if (i > begin && rows[usize(i)].seq == rows[usize(i - 1)].seq) key.lone_rows = false;
  }
  key.rows = pass_rows(end - begin);
  key.logit_rows = wanted > options_.max_logit_rows ? 0 : bucket(wanted, options_.max_logit_rows);
  if (on_host()) {
    key.lone_rows = false;
    return key;
  }
  key.listed = !key_list_.empty();
  key.max_keys = kLeastKeys;
  while (key.max_keys < keys)
    key.max_keys *= 2;
  return key;
}

/// Gives the pass its inputs: one block, one upload.
void Engine::send(Pass& p, std::span<const EvalRow> rows, i64 begin, i64 end) {
  const i64 n = end - begin;
  const i64 padded = p.graph.shape(p.tokens)[0];
  const i64 selected = p.select ? p.graph.shape(p.select)[0] : 0;
  const InputLayout layout(padded, selected, adapters_.row_bytes());
  u8* const block = outgoing_.data();
  const auto pages_at = [&](i64 offset) {
    return at<const i32>(on_host() ? block : inputs_.data(), offset);
  };
  std::copy(key_list_.begin(), key_list_.end(), at<i32>(block, layout.list));  // may be none
  std::copy(spans_.begin(), spans_.end(), at<RowSpan>(block, layout.spans));
  i64 used = layout.list + isize(key_list_) * 4;
  std::map<i32, i64> tables;  // offsets
  i64 logit = 0;
  for (i64 i = 0; i < n; ++i) {
    const EvalRow& row = rows[usize(begin + i)];
    const Placement& placed = placed_[usize(begin + i)];
    const auto [table, fresh] = tables.try_emplace(row.seq, used);
    if (fresh) {
      const std::span<const i32> pages = cache_->table(row.seq);
      std::copy(pages.begin(), pages.end(), at<i32>(block, used));  // none without attention
      used += static_cast<i64>(pages.size_bytes());
    }
    at<const i32*>(block, layout.tables)[i] = pages_at(table->second);
    at<i32>(block, layout.tokens)[i] = row.token;
    at<i32>(block, layout.positions)[i] = static_cast<i32>(position_of(row, placed));
    at<i32>(block, layout.store)[i] = static_cast<i32>(placed.slot);
    if (p.select && row.want_logits) at<i32>(block, layout.select)[logit++] = static_cast<i32>(i);
  }
  for (i64 i = n; i < padded; ++i) {  // token 0 at position 0, which sees and stores nothing
    at<const i32*>(block, layout.tables)[i] = pages_at(layout.list);
    at<i32>(block, layout.tokens)[i] = 0;
    at<i32>(block, layout.positions)[i] = 0;
    at<i32>(block, layout.store)[i] = -1;
    at<RowSpan>(block, layout.spans)[i] = RowSpan{};
  }
  for (; logit < selected; ++logit)
    at<i32>(block, layout.select)[logit] = -1;
  if (p.adapters)
    adapters_.fill(rows.subspan(usize(begin), usize(n)), padded, block + layout.adapters);
  if (on_host()) {  // reads the view at every run: padding costs nothing, lists need no pass of
                    // their own
    p.view.rows = n;
    p.view.key_list = key_list_.empty() ? nullptr : at<const i32>(block, layout.list);
    return;
  }
  backend_.to_device(inputs_.data(), block, used);
}

/// Makes the block hold the pass of these rows. Passes that point into an older one are dropped.
void Engine::hold_inputs(const PassKey& key, std::span<const EvalRow> rows) {
  i64 bytes =
      InputLayout(key.rows, key.logit_rows, adapters_.row_bytes()).list + isize(key_list_) * 4;
  i32 seq = -1;
  for (const EvalRow& row : rows) {
    if (row.seq != seq) bytes += static_cast<i64>(cache_->table(row.seq).size_bytes());
    seq = row.seq;
  }
  if (bytes <= isize(outgoing_)) return;
  passes_.clear();
  const InputLayout most(options_.max_rows, options_.max_logit_rows, adapters_.row_bytes());
  outgoing_.assign(usize(2 * std::max(bytes, most.list)), 0);
  if (!on_host()) inputs_ = backend_.allocate(isize(outgoing_));
}

/// Appends the first `rows` rows of a kept value.
void Engine::fetch(const Executor& executor, Value v, i64 first, i64 rows,
                   std::vector<f32>& out) const {
  const Tensor t = executor.tensor(v);
  const i64 count = rows * t.cols();
  const u8* const from = t.bytes() + first * t.ld * item_bytes(t.dtype);
  LM_CHECK(t.contiguous(), "results lie row behind row");
  const std::size_t end = out.size();
  if (on_host()) {
    const f32* const numbers = reinterpret_cast<const f32*>(from);
    out.insert(out.end(), numbers, numbers + count);
    return;
  }
  out.resize(end + usize(count));
  if (t.dtype == DType::kF32) return backend_.to_host(out.data() + end, from, count * 4);
  std::vector<u16> narrow(usize(count), 0);
  backend_.to_host(narrow.data(), from, count * 2);
  std::transform(narrow.begin(), narrow.end(), out.begin() + static_cast<i64>(end), bf16_to_f32);
}

void Engine::run_pass(std::span<const EvalRow> rows, i64 begin, i64 end) {
  fill_view(rows, begin, end);
  const PassKey key = key_of(rows, begin, end);
  hold_inputs(key, rows.subspan(usize(begin), usize(end - begin)));
  Pass& p = pass(key);
  send(p, rows, begin, end);
  fill_runs(rows, begin, end);
  const StateView states{runs_.data(), isize(runs_)};
  const void* bindings[] = {&p.view, &states};
  RunCtx ctx;
  ctx.state = state_.get();
  ctx.bindings = bindings;
  p.executor->run(ctx);

  std::vector<i64> wanted;
  for (i64 i = begin; i < end; ++i) {
    if (rows[usize(i)].want_logits) wanted.push_back(i);
    if (!rows[usize(i)].want_hidden) continue;
    if (p.hidden) fetch(*p.executor, p.hidden, i - begin, 1, hidden_);
    for (std::size_t s = 0; s < p.states.size(); ++s)
      fetch(*p.executor, p.states[s], i - begin, 1, states_[s]);
    for (std::size_t s = 0; s < p.projections.size(); ++s)
      fetch(*p.executor, p.projections[s], i - begin, 1, projections_[s]);
  }
  if (isize(wanted) > options_.max_logit_rows)
    fetch_sliced(p, rows, begin, end);
  else if (!wanted.empty())
    fetch_logits(*p.executor, p.logit, wanted);
}

/// The first logits of v, which are those of `rows`, to whom they belong.
void Engine::fetch_logits(const Executor& executor, Value v, std::span<const i64> rows) {
  if (take_ == nullptr) return fetch(executor, v, 0, isize(rows), logits_);
  const Tensor t = executor.tensor(v);
  const std::size_t count = rows.size() * usize(t.cols());
  if (on_host()) return (*take_)(rows, {reinterpret_cast<const f32*>(t.bytes()), count});
  logits_.clear();
  fetch(executor, v, 0, isize(rows), logits_);
  (*take_)(rows, logits_);
}

/// Logits of a pass that has too many of them for its own graph: max_logit_rows at a time, from a
/// copy of the hidden states.
void Engine::fetch_sliced(const Pass& p, std::span<const EvalRow> rows, i64 begin, i64 end) {
  if (!head_) {
    head_ = std::make_unique<Head>(model_, bound(), ropes_, options_, positions_);
    head_->executor = std::make_unique<Executor>(head_->graph, backend_);
    head_->model.bind(*head_->executor, bound(), bound_adapters());
  }
  const Tensor hidden = p.executor->tensor(p.hidden);
  const i64 row_bytes = hidden.cols() * item_bytes(hidden.dtype);
  const i64 slice = options_.max_logit_rows;
  const Storage states = backend_.allocate(slice * row_bytes);
  backend_.zero(states.data(), slice * row_bytes);
  head_->executor->bind(head_->hidden, make_tensor(states.data(), {slice, hidden.cols()},
                                                   hidden.dtype, backend_.device));
  RunCtx ctx;
  ctx.state = state_.get();
  std::vector<i64> filled;
  for (i64 i = begin; i < end; ++i) {
    if (rows[usize(i)].want_logits) {
      backend_.copy(at<u8>(states.data(), isize(filled) * row_bytes),
                    hidden.bytes() + (i - begin) * hidden.ld * item_bytes(hidden.dtype), row_bytes);
      filled.push_back(i);
    }
    if (isize(filled) < slice && (i + 1 < end || filled.empty())) continue;
    head_->executor->run(ctx);
    fetch_logits(*head_->executor, head_->logit, filled);
    filled.clear();
  }
}

void Engine::eval(std::span<const EvalRow> rows) {
  take_ = nullptr;
  eval_passes(rows);
}

void Engine::eval(std::span<const EvalRow> rows, const TakeLogits& take) {
  take_ = &take;
  eval_passes(rows);
  take_ = nullptr;
  logits_.clear();
  logits_at_.assign(rows.size(), -1);
}

void Engine::eval_passes(std::span<const EvalRow> rows) {
  check_rows(rows);
  const std::vector<Cut> passes = cut(rows);
  for (const Cut& one : passes)
    if (one.end - one.begin > options_.max_rows) check_span(rows, one);
  place(rows);
  logits_.clear();
  hidden_.clear();
  states_.assign(options_.states.size(), {});
  projections_.assign(options_.projections.size(), {});
  logits_at_.assign(rows.size(), -1);
  hidden_at_.assign(rows.size(), -1);
  i64 logit_rows = 0;
  i64 hidden_rows = 0;
  for (i64 i = 0; i < isize(rows); ++i) {
    if (rows[usize(i)].want_logits) logits_at_[usize(i)] = logit_rows++;
    if (rows[usize(i)].want_hidden) hidden_at_[usize(i)] = hidden_rows++;
  }
  for (const Cut& one : passes)
    run_pass(rows, one.begin, one.end);
}

void Engine::commit(i32 seq, i64 count) {
  LM_CHECK(count <= cache_->reserved(seq), "only evaluated rows can be committed");
  std::vector<i32> rows(usize(count));
  std::iota(rows.begin(), rows.end(), 0);
  commit(seq, rows);
}

void Engine::commit(i32 seq, std::span<const i32> rows) {
  const i64 evaluated = cache_->reserved(seq);
  if (!rows.empty() && isize(rows) < evaluated && !cache_->can_cut())
    throw Error(ErrorKind::kUsage,
                cat("this model's memory of a text keeps all tokens of a pass or none: ",
                    rows.size(), " of ", evaluated, " cannot be kept"));
  cache_->commit(seq, rows);
}

std::span<const f32> Engine::logits(i64 row) const {
  LM_CHECK(row >= 0 && row < isize(logits_at_) && logits_at_[usize(row)] >= 0,
           "logits were asked for with want_logits");
  const std::size_t vocab = usize(model_.cfg.vocab);
  return std::span(logits_).subspan(usize(logits_at_[usize(row)]) * vocab, vocab);
}

std::span<const f32> Engine::hidden(i64 row) const {
  LM_CHECK(options_.final_state, "passes reach the final hidden state");
  return hidden_row(hidden_, row, model_.cfg.width);
}

std::span<const f32> Engine::state(i64 row, i64 index) const {
  LM_CHECK(index >= 0 && index < isize(states_), "states were asked for in EngineOptions");
  return hidden_row(states_[usize(index)], row, model_.cfg.width);
}

std::span<const f32> Engine::projection(i64 row, i64 index) const {
  LM_CHECK(index >= 0 && index < isize(projections_),
           "projections were asked for in EngineOptions");
  const LayerCfg& layer = model_.cfg.layers[usize(options_.projections[usize(index)])];
  const AttentionCfg& a = std::get<AttentionCfg>(layer.mixer);
  return hidden_row(projections_[usize(index)], row, a.qkv_size())
      .first(usize(a.q_size() + a.kv_size()));
}

std::span<const f32> Engine::hidden_row(const std::vector<f32>& of, i64 row, i64 width) const {
  LM_CHECK(row >= 0 && row < isize(hidden_at_) && hidden_at_[usize(row)] >= 0,
           "hidden states were asked for with want_hidden");
  return std::span(of).subspan(usize(hidden_at_[usize(row)] * width), usize(width));
}

std::span<const f32> Engine::prefill(i32 seq, std::span<const i32> tokens) {
  LM_CHECK(!tokens.empty(), "prefill needs a token");
  std::vector<EvalRow> rows(tokens.size());
  for (i64 i = 0; i < isize(rows); ++i) {
    rows[usize(i)].seq = seq;
    rows[usize(i)].token = tokens[usize(i)];
  }
  rows.back().want_logits = true;
  eval(rows);
  commit(seq);
  return logits(isize(rows) - 1);
}

std::span<const f32> Engine::step(i32 seq, i32 token) {
  return prefill(seq, {&token, 1});
}

}  // namespace lm::model
