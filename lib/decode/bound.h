#pragma once
// What a model of masked diffusion says of given texts. It has no log-probability of a text in one
// pass; it has bounds of it, and that of one order of filling places:
//   nelbo   the bound that training minimises, estimated by hiding exactly m of n places, m spread
//           over 1 to n, which has far less variance than drawing times;
//   tstep   the bound of the ancestral sampler of T steps, whose final masks are drawn;
//   chain   the log-probability of filling from left to right, one place a pass: exact, no bound.
// All are sums over hidden places of -ln p(token | what is not hidden). Models of block diffusion
// read blocks one after the other, each hidden in sight of those before it: their bounds are sums
// over blocks. Prompts are never hidden. Estimates depend on (seed, id) alone.
// Sources: Sahoo et al. 2024; Nie et al. 2025; Arriola et al. 2025; Shih et al. 2022 (orders).

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decode/text_passes.h"
#include "decode/unmask.h"
#include "model/engine.h"

namespace lm::decode {

struct BoundRule {
  enum class Kind : u8 { kNelbo, kSteps, kChain };
  Kind kind = Kind::kNelbo;
  i64 draws = 1;  // nelbo, tstep
  i64 steps = 1;  // tstep
};
/// "nelbo", "nelbo:DRAWS" (default 128), "tstep:T", "tstep:T:DRAWS" (8), "chain". Throws
/// Error{kUsage} saying what is expected.
BoundRule parse_bound(std::string_view text);

/// A text with some of its places hidden: what the hidden ones in `counted` count is weight times
/// -ln p.
struct BoundProbe {
  i64 draw = 0;
  f64 weight = 1;
  std::vector<u8> hidden;   // by place of the part
  std::vector<u8> counted;  // of them
};
/// Probes of n places that are read together. part, parts: which of the text's, for tstep's steps
/// that they share. Draws are those of (key, part).
std::vector<BoundProbe> bound_probes(const BoundRule& rule, u64 key, i64 n, i64 part, i64 parts);

struct BoundRequest {
  std::string id;
  u64 seed = 0;
  std::vector<i32> tokens;
  i64 first = 0;  // tokens before it are given
};

struct BoundScore {
  f64 nats = 0;   // mean over draws
  f64 error = 0;  // its standard error, 0 of one draw
  i64 draws = 0;
  i64 probes = 0;              // texts that were read
  std::optional<Fault> fault;  // then the rest is void
};

class BoundScorer {
 public:
  /// Borrows the engine, which is this object's alone, of a model of masked diffusion.
  BoundScorer(model::Engine& engine, BoundRule rule, PassLimits limits);
  ~BoundScorer();

  /// Faults show in its result: "context", "token", "params" (tstep: fewer steps than blocks).
  void add(BoundRequest request);
  i64 pending() const { return isize(jobs_); }
  /// One forward pass. False if nothing is left to do.
  bool step();
  /// The oldest request's result if it is complete.
  std::optional<BoundScore> take();
  const PassStats& stats() const { return stats_; }

 private:
  struct Job;
  struct Row {  // a row whose logits are asked for
    Job* job = nullptr;
    i64 probe = 0;
    i32 token = 0;  // that stands there
  };

  std::optional<Fault> check(const BoundRequest& request) const;
  std::vector<i64> part_ends(i64 tokens) const;
  void begin(Job& job) const;
  void next_part(Job& job) const;
  void plan(Job& job, i64& pages);
  void plan_probe(Job& job, const BoundProbe& probe);
  void plan_clean(Job& job);
  void take_logits(std::span<const i64> rows, std::span<const f32> logits);
  void finish(Job& job);

  model::Engine& engine_;
  BoundRule rule_;
  PassLimits limits_;
  std::deque<std::unique_ptr<Job>> jobs_;
  std::vector<model::EvalRow> rows_;
  std::vector<Row> plan_;
  std::vector<f64> losses_;  // by row of plan_ with logits
  std::vector<i32> forks_;   // sequences of this pass alone
  PassStats stats_;
};

}  // namespace lm::decode
