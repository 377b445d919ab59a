#pragma once
// Inference over many sequences at once: one forward pass over rows that belong to any of them.
// Contract N1: the logits of a row depend only on the model, the tokens and positions visible to it
// and the instruction-set level; never on the other rows of the call, the number of threads, the
// chunking of a prompt, the page layout, or whether the row was in a chain or a tree. Tests compare
// bits. One thread at a time; kernels are parallel inside.
// On a device a pass costs one upload: tokens, positions, masks and page tables lie in one block of
// its memory, whose layout a pass's row count fixes; so a pass is recorded once and replayed.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "graph/exec.h"
#include "model/adapter_rows.h"
#include "model/checkpoint.h"
#include "model/engine_options.h"
#include "model/eval_row.h"
#include "model/rope_tables.h"
#include "model/sequence_cache.h"

namespace lm::model {

class Engine {
 public:
  /// Borrows the model. On the CPU its matrices are packed (their bytes again; a mapped model's
  /// matrices take no other memory), and cache memory is reserved but not touched; on a device
  /// weights are copied and the cache is taken at once. Throws Error{kUsage} when positions exceeds
  /// a learned position table, Error{kOs} when memory is short, Error{kUnavailable} when the
  /// backend lacks an operator.
  explicit Engine(const ModelRef& model, const EngineOptions& options = {});
  Engine(const ModelRef& model, const EngineOptions& options, const Backend& backend);
  ~Engine();
  /// Bytes that an engine on the CPU takes beside the memory of sequences: packed weights, rotary
  /// tables, a pass of max_rows rows. Reads no weights.
  static i64 host_bytes(const ModelRef& model, const EngineOptions& options);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  i32 create() { return cache_->create(); }
  void release(i32 seq) {
    adapters_.release(seq);
    cache_->release(seq);
  }
  /// Shares the committed content copy-on-write. Uncommitted rows stay with the original.
  i32 fork(i32 seq);
  /// Weights of the model's adapters for a sequence without rows; without a call those that the
  /// model says.
  void adapt(i32 seq, std::span<const f32> weights);
  /// False where the model's memory cannot take tokens back (SequenceCache).
  [[nodiscard]] bool truncate(i32 seq, i64 n) { return cache_->truncate(seq, n); }
  i64 length(i32 seq) const { return cache_->length(seq); }
  /// To be called when the model's weights have changed: the backend keeps copies of them.
  /// Cached keys and values are the caller's to truncate.
  void weights_changed();
  const SequenceCache& cache() const { return *cache_; }
  const ModelCfg& cfg() const { return model_.cfg; }
  i64 positions() const { return positions_; }
  const Backend& backend() const { return backend_; }
  DType activation() const { return options_.activation; }
  i64 max_rows() const { return options_.max_rows; }
  i64 pass_rows(i64 n) const;  // that a pass of n <= max_rows rows computes, padding included
  i64 max_logit_rows() const { return options_.max_logit_rows; }

  /// Evaluates rows, in passes of at most max_rows rows. A sequence with See::kAll rows, or a
  /// prefix, lies in one pass, which is made as large as that needs. Rows of a sequence that were
  /// not committed since its last eval are dropped first. Results of the previous call become
  /// invalid. Throws, with nothing changed: Error{kData} for a token or position out of range;
  /// Error{kOs} naming the need when the cache has too few free pages or a pass of more than
  /// max_rows rows needs more than span_bytes; Error{kUsage} for a tree where the model's memory
  /// keeps none; Error{kInternal} for a malformed tree, hole or prefix.
  void eval(std::span<const EvalRow> rows);
  /// The same, but logits are given away as passes make them, row behind row with the rows'
  /// indices, which ascend over the calls; valid during the call. On the CPU nothing is copied.
  using TakeLogits = std::function<void(std::span<const i64> rows, std::span<const f32> logits)>;
  void eval(std::span<const EvalRow> rows, const TakeLogits& take);
  /// Keeps the first `count` rows the last eval had of seq (of a chain), or the named ones in
  /// order. Throws Error{kUsage} when the model's memory keeps all rows of a pass or none and these
  /// are some.
  void commit(i32 seq, i64 count);
  void commit(i32 seq, std::span<const i32> rows);
  /// Keeps all rows of seq.
  void commit(i32 seq) { commit(seq, cache_->reserved(seq)); }

  /// Row of the last eval that asked for it: [vocab] raw logits; [width] final hidden state (after
  /// the last norm); [width] state behind layer EngineOptions::states[index]; [(heads + kv_heads)
  /// head_dim] queries, then keys, of layer EngineOptions::projections[index]. Valid until the next
  /// eval.
  std::span<const f32> logits(i64 row) const;
  std::span<const f32> hidden(i64 row) const;
  std::span<const f32> state(i64 row, i64 index) const;
  std::span<const f32> projection(i64 row, i64 index) const;

  /// create, eval in one call, commit, logits of the last token: [vocab].
  std::span<const f32> prefill(i32 seq, std::span<const i32> tokens);
  /// eval and commit one token: its logits.
  std::span<const f32> step(i32 seq, i32 token);

 private:
  struct Pass;  // a graph for fixed row counts with its executor
  struct Head;  // logits of max_logit_rows hidden states
  struct Cut {  // the rows of a pass
    i64 begin = 0;
    i64 end = 0;
  };
  /// What a pass's graph is made for. The last three are the device's alone, so that a recorded
  /// pass depends on nothing else.
  struct PassKey {
    i64 rows = 0;
    i64 logit_rows = 0;
    bool prefixes = false;
    i64 max_keys = 0;
    bool listed = false;
    bool lone_rows = false;
    auto operator<=>(const PassKey&) const = default;  // NOLINT: no pointer, clang-tidy 14
  };
  struct Placement {
    i64 slot = 0;   // cache slot the row is written to
    i64 first = 0;  // committed length of its sequence
    i64 total = 0;  // rows of its sequence in this call
  };
  static i64 position_of(const EvalRow& row, const Placement& at) {
    return row.position < 0 ? at.slot : row.position;
  }
  bool on_host() const { return backend_.device == Device{}; }
  RopeTables make_ropes() const;
  ParamSlab make_weights() const;
  Storage make_first_slab() const;
  i64 cache_pages() const;
  /// What graphs read: the model's, or the device's copy.
  const Weights& bound() const;
  const Weights* bound_adapters() const;
  void pack_weights();
  void take_weights();
  void take_converted(const Tensor& from, const Tensor& to, Storage& staged) const;
  std::unique_ptr<SequenceCache> make_cache() const;
  void check_rows(std::span<const EvalRow> rows) const;
  void check_row(const EvalRow& row, const Placement& at) const;
  std::vector<Cut> cut(std::span<const EvalRow> rows) const;
  void check_span(std::span<const EvalRow> rows, const Cut& cut) const;
  void place(std::span<const EvalRow> rows);
  RowSpan visibility(const EvalRow& row, const Placement& at, bool listed);
  i64 append_listed(const EvalRow& row, const Placement& at, i64 from, i64 to);
  void run_pass(std::span<const EvalRow> rows, i64 begin, i64 end);
  void fetch_sliced(const Pass& p, std::span<const EvalRow> rows, i64 begin, i64 end);
  void fetch_logits(const Executor& executor, Value v, std::span<const i64> rows);
  void eval_passes(std::span<const EvalRow> rows);
  Pass& pass(const PassKey& key);
  void hold_inputs(const PassKey& key, std::span<const EvalRow> rows);
  i64 largest_pass_bytes() const;
  void hold_pass(const Graph& graph);
  void fill_view(std::span<const EvalRow> rows, i64 begin, i64 end);
  void fill_runs(std::span<const EvalRow> rows, i64 begin, i64 end);
  PassKey key_of(std::span<const EvalRow> rows, i64 begin, i64 end) const;
  void send(Pass& p, std::span<const EvalRow> rows, i64 begin, i64 end);
  void fetch(const Executor& executor, Value v, i64 first, i64 rows, std::vector<f32>& out) const;
  std::span<const f32> hidden_row(const std::vector<f32>& of, i64 row, i64 width) const;

  const ModelRef model_;
  EngineOptions options_;
  const Backend& backend_;
  AdapterRows adapters_;
  i64 positions_ = 0;
  RopeTables ropes_;
  ParamSlab weights_;                     // the device's copy
  ParamSlab adapter_slab_;                // of the adapters
  Storage slab_;                          // on the CPU made by the first pass
  std::unique_ptr<SequenceCache> cache_;  // on a device takes what the others leave
  std::unique_ptr<BackendState> state_;   // packed weights
  std::map<PassKey, std::unique_ptr<Pass>> passes_;
  std::unique_ptr<Head> head_;  // made by the first pass with more logits than max_logit_rows
  std::vector<Placement> placed_;
  std::vector<RowSpan> spans_;
  std::vector<i32> key_list_;
  std::vector<StateRun> runs_;  // of a model with recurrent layers
  std::vector<u8> outgoing_;    // a pass's inputs as the device shall have them
  Storage inputs_;              // there; absent on the CPU, which reads outgoing_
  std::vector<f32> logits_, hidden_;
  std::vector<std::vector<f32>> states_;  // by index of EngineOptions::states
  std::vector<std::vector<f32>> projections_;
  std::vector<i64> logits_at_, hidden_at_;  // by row, -1 without
  const TakeLogits* take_ = nullptr;        // in an eval that gives logits away
};

}  // namespace lm::model
