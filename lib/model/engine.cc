#include "model/engine.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "model/build.h"

namespace lm::model {
namespace {

constexpr i64 kDefaultContexts = 16;

/// Row counts that get a graph of their own: exact up to 8, then coarser; padding rows cost time.
i64 bucket(i64 n, i64 limit) {
  if (n <= 8) return n;
  const i64 step = n <= 64 ? 8 : 64;
  return std::min(limit, (n + step - 1) / step * step);
}

i64 cache_pages(const ModelCfg& cfg, const EngineOptions& options) {
  const i64 tokens =
      options.cache_tokens > 0 ? options.cache_tokens : kDefaultContexts * cfg.context;
  return (tokens + kPageTokens - 1) / kPageTokens;
}

/// Rows of seq among rows [begin, end).
i64 whole_span(std::span<const EvalRow> rows, i64 begin, i64 end, i32 seq) {
  i64 count = 0;
  for (i64 i = begin; i < end; ++i)
    count += rows[usize(i)].seq == seq ? 1 : 0;
  return count;
}

i64 plan_bytes(const Graph& graph, const Backend& backend) {
  const WorkspaceFn workspace = [&](const Node& node, const Graph& g) {
    const KernelDef& kernel = backend.kernels[static_cast<std::size_t>(node.op)];
    return kernel.workspace ? kernel.workspace(node, g) : i64{0};
  };
  return make_plan(graph, workspace).slab_bytes;
}

BuildOptions build_options(i64 positions) {
  BuildOptions out;
  out.positions = positions;
  return out;
}

}  // namespace

struct Engine::Pass {
  Pass(const ModelCfg& cfg, const ModelParams& params, i64 rows, i64 logit_rows, i64 positions)
      : graph(ops()),
        model(graph, cfg, params, build_options(positions)),
        token_ids(usize(rows)),
        position_ids(usize(rows)),
        selected(usize(logit_rows)) {
    tokens = graph.input("tokens", {rows}, DType::kI32);
    position = graph.input("positions", {rows}, DType::kI32);
    hidden = model.hidden(tokens, position, [&](Value qkv, i64 layer) {
      const AttentionCfg& a = cfg.layers[usize(layer)].attention;
      PagedAttr attr;
      attr.heads = static_cast<i32>(a.heads);
      attr.kv_heads = static_cast<i32>(a.kv_heads);
      attr.head_dim = static_cast<i32>(a.head_dim);
      attr.layer = static_cast<i32>(layer);
      return paged_attention(graph, qkv, attr);
    });
    graph.keep(hidden);
    if (logit_rows == 0) return;
    select = graph.input("select", {logit_rows}, DType::kI32);
    const Value x = gather_rows(graph, hidden, select);
    logit = lm::logits(graph, x, model.head(), cfg.vocab);
    graph.keep(logit);
  }
  Graph graph;
  GraphModel model;
  Value tokens, position, select, hidden, logit;
  std::vector<i32> token_ids, position_ids, selected;
  std::unique_ptr<Executor> executor;
};

Engine::Engine(const Model& model, const EngineOptions& options)
    : Engine(model, options, cpu_backend()) {}

Engine::Engine(const Model& model, const EngineOptions& options, const Backend& backend)
    : model_(model),
      options_(options),
      backend_(backend),
      positions_(options.positions > 0 ? options.positions : model.cfg.context),
      cache_(model.cfg, cache_pages(model.cfg, options)) {
  state_ = backend.make_state();
  LM_CHECK(options.max_rows > 0 && options.max_logit_rows > 0, "a pass needs rows");
  if (model.cfg.position == PositionKind::kLearned && positions_ > model.cfg.context)
    throw Error(ErrorKind::kUsage, cat("the model has ", model.cfg.context, " learned positions, ",
                                       positions_, " were asked for"));
}

Engine::~Engine() = default;

void Engine::weights_changed() {
  if (state_) state_->clear();
}

Engine::Pass& Engine::pass(i64 rows, i64 logit_rows) {
  std::unique_ptr<Pass>& entry = passes_[{rows, logit_rows}];
  if (entry) return *entry;
  const ModelCfg& cfg = model_.cfg;
  std::unique_ptr<Pass> made =
      std::make_unique<Pass>(cfg, *model_.params, rows, logit_rows, positions_);
  if (!slab_) {
    // One slab serves every pass: they never run at once and their results are copied out.
    const Pass largest(cfg, *model_.params, options_.max_rows, options_.max_logit_rows, positions_);
    slab_ = backend_.allocate(plan_bytes(largest.graph, backend_));
  }
  ExecOptions exec;
  // The planner is greedy: a smaller graph could in principle need more. Then it gets its own slab.
  if (plan_bytes(made->graph, backend_) <= slab_.bytes()) exec.slab = &slab_;
  made->executor = std::make_unique<Executor>(made->graph, backend_, exec);
  made->model.bind(*made->executor, model_.weights);
  Executor& executor = *made->executor;
  executor.bind(made->tokens, make_tensor(made->token_ids.data(), {rows}, DType::kI32));
  executor.bind(made->position, make_tensor(made->position_ids.data(), {rows}, DType::kI32));
  if (logit_rows > 0)
    executor.bind(made->select, make_tensor(made->selected.data(), {logit_rows}, DType::kI32));
  entry = std::move(made);
  return *entry;
}

void Engine::check_rows(std::span<const EvalRow> rows) const {
  for (const EvalRow& row : rows) {
    if (row.token < 0 || row.token >= model_.cfg.vocab)
      throw Error(
          ErrorKind::kData,
          cat("token ", row.token, " is outside the model's vocabulary of ", model_.cfg.vocab));
    LM_CHECK(row.hole_begin >= 0 && row.hole_begin <= row.hole_end &&
                 row.hole_end <= cache_.length(row.seq),
             "a hole lies inside the cached slots");
  }
}

void Engine::place(std::span<const EvalRow> rows) {
  std::map<i32, i64> counts;
  placed_.clear();
  for (const EvalRow& row : rows) {
    Placement at;
    at.first = cache_.length(row.seq);
    at.slot = at.first + counts[row.seq]++;
    placed_.push_back(at);
    const i64 position = row.position < 0 ? at.slot : row.position;
    if (position >= positions_)
      throw Error(ErrorKind::kData,
                  cat("position ", position, " is beyond the model's ", positions_, " positions"));
    LM_CHECK(row.see != EvalRow::See::kTree ||
                 (at.slot - at.first < 64 && row.ancestors >> (at.slot - at.first) == 0),
             "tree ancestors come before their row, at most 64 rows");
  }
  for (i64 i = 0; i < isize(rows); ++i)
    placed_[usize(i)].total = counts[rows[usize(i)].seq];
  i64 needed = 0;
  for (const auto& [seq, count] : counts)
    needed += cache_.pages_needed(seq, count);
  if (needed > cache_.free_pages())
    throw Error(ErrorKind::kOs,
                cat("the key-value cache is full: ", needed, " pages needed, ", cache_.free_pages(),
                    " of ", cache_.total_pages(), " free"),
                "fewer sequences at once, or a larger cache");
  for (const auto& [seq, count] : counts)
    LM_CHECK(cache_.reserve(seq, count), "reserved pages were counted before");
}

i64 Engine::append_listed(const EvalRow& row, const Placement& at, i64 from, i64 to) {
  const i64 begin = isize(key_list_);
  for (i64 slot = from; slot < to; ++slot)
    key_list_.push_back(static_cast<i32>(slot));
  if (row.see == EvalRow::See::kTree) {
    const i64 own = at.slot - at.first;
    for (i64 j = 0; j <= own; ++j)
      if (j == own || (row.ancestors >> j & 1) != 0)
        key_list_.push_back(static_cast<i32>(at.first + j));
  }
  return begin;
}

/// Logical indices count visible keys, so a hole or a tree leaves no gap: the row sums as it would
/// in a sequence that holds just those keys.
RowSpan Engine::visibility(const EvalRow& row, const Placement& at, bool listed) {
  const bool tree = row.see == EvalRow::See::kTree;
  const bool hole = row.hole_begin < row.hole_end;
  i64 end = at.first;
  if (row.see == EvalRow::See::kPast) end = at.slot + 1;
  if (row.see == EvalRow::See::kAll) end = at.first + at.total;
  RowSpan out;
  out.a1 = static_cast<i32>(hole ? row.hole_begin : end);
  if (!hole && !tree) return out;
  const i64 second = hole ? row.hole_end : end;
  out.lb = out.a1;
  if (listed) {
    out.b0 = static_cast<i32>(append_listed(row, at, second, end));
    out.b1 = static_cast<i32>(isize(key_list_));
  } else {
    out.b0 = static_cast<i32>(second);
    out.b1 = static_cast<i32>(end);
  }
  return out;
}

void Engine::fill_view(std::span<const EvalRow> rows, i64 begin, i64 end) {
  bool listed = false;
  for (i64 i = begin; i < end; ++i) {
    const EvalRow& row = rows[usize(i)];
    const Placement& at = placed_[usize(i)];
    listed = listed || row.see == EvalRow::See::kTree;
    LM_CHECK(row.see != EvalRow::See::kAll || whole_span(rows, begin, end, row.seq) == at.total,
             "rows that see their whole span must fit one pass");
  }
  spans_.clear();
  store_.clear();
  tables_.clear();
  key_list_.clear();
  for (i64 i = begin; i < end; ++i) {
    const EvalRow& row = rows[usize(i)];
    spans_.push_back(visibility(row, placed_[usize(i)], listed));
    store_.push_back(static_cast<i32>(placed_[usize(i)].slot));
    tables_.push_back(cache_.table(row.seq).data());
  }
}

void Engine::run_pass(std::span<const EvalRow> rows, i64 begin, i64 end) {
  std::vector<i64> wanted;
  for (i64 i = begin; i < end; ++i)
    if (rows[usize(i)].want_logits) wanted.push_back(i);
  Pass& p =
      pass(bucket(end - begin, options_.max_rows), bucket(isize(wanted), options_.max_logit_rows));
  std::fill(p.token_ids.begin(), p.token_ids.end(), 0);
  std::fill(p.position_ids.begin(), p.position_ids.end(), 0);
  std::fill(p.selected.begin(), p.selected.end(), -1);
  for (i64 i = begin; i < end; ++i) {
    const EvalRow& row = rows[usize(i)];
    p.token_ids[usize(i - begin)] = row.token;
    p.position_ids[usize(i - begin)] =
        row.position < 0 ? static_cast<i32>(placed_[usize(i)].slot) : row.position;
  }
  for (i64 j = 0; j < isize(wanted); ++j)
    p.selected[usize(j)] = static_cast<i32>(wanted[usize(j)] - begin);
  fill_view(rows, begin, end);

  KvView view;
  view.rows = end - begin;
  view.spans = spans_.data();
  view.store = store_.data();
  view.tables = tables_.data();
  view.key_list = key_list_.empty() ? nullptr : key_list_.data();
  view.page_tokens = kPageTokens;
  view.k = cache_.keys();
  view.v = cache_.values();
  const void* bindings[] = {&view};
  RunCtx ctx;
  ctx.state = state_.get();
  ctx.bindings = bindings;
  p.executor->run(ctx);

  const i64 vocab = model_.cfg.vocab;
  const i64 width = model_.cfg.width;
  if (!wanted.empty()) {
    const f32* from = p.executor->tensor(p.logit).f32_data();
    logits_.insert(logits_.end(), from, from + isize(wanted) * vocab);
  }
  const f32* states = p.executor->tensor(p.hidden).f32_data();
  for (i64 i = begin; i < end; ++i) {
    if (!rows[usize(i)].want_hidden) continue;
    const f32* from = states + (i - begin) * width;
    hidden_.insert(hidden_.end(), from, from + width);
  }
}

void Engine::eval(std::span<const EvalRow> rows) {
  check_rows(rows);
  place(rows);
  logits_.clear();
  hidden_.clear();
  logits_at_.assign(rows.size(), -1);
  hidden_at_.assign(rows.size(), -1);
  i64 logit_rows = 0;
  i64 hidden_rows = 0;
  for (i64 i = 0; i < isize(rows); ++i) {
    if (rows[usize(i)].want_logits) logits_at_[usize(i)] = logit_rows++;
    if (rows[usize(i)].want_hidden) hidden_at_[usize(i)] = hidden_rows++;
  }
  i64 begin = 0;
  while (begin < isize(rows)) {
    i64 end = begin;
    i64 wanted = 0;
    while (end < isize(rows) && end - begin < options_.max_rows) {
      if (rows[usize(end)].want_logits && wanted == options_.max_logit_rows) break;
      wanted += rows[usize(end)].want_logits ? 1 : 0;
      ++end;
    }
    run_pass(rows, begin, end);
    begin = end;
  }
}

void Engine::commit(i32 seq, i64 count) {
  LM_CHECK(count <= cache_.reserved(seq), "only evaluated rows can be committed");
  std::vector<i32> rows(usize(count));
  for (i64 i = 0; i < count; ++i)
    rows[usize(i)] = static_cast<i32>(i);
  cache_.commit(seq, rows);
}

void Engine::commit(i32 seq, std::span<const i32> rows) {
  cache_.commit(seq, rows);
}

std::span<const f32> Engine::logits(i64 row) const {
  LM_CHECK(row >= 0 && row < isize(logits_at_) && logits_at_[usize(row)] >= 0,
           "logits were asked for with want_logits");
  const std::size_t vocab = usize(model_.cfg.vocab);
  return std::span(logits_).subspan(usize(logits_at_[usize(row)]) * vocab, vocab);
}

std::span<const f32> Engine::hidden(i64 row) const {
  LM_CHECK(row >= 0 && row < isize(hidden_at_) && hidden_at_[usize(row)] >= 0,
           "hidden states were asked for with want_hidden");
  const std::size_t width = usize(model_.cfg.width);
  return std::span(hidden_).subspan(usize(hidden_at_[usize(row)]) * width, width);
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
