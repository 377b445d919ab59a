#pragma once
// Log-probabilities of given tokens through the inference engine, so that they obey N1: a text's
// score does not depend on what is scored beside it, on chunks or on threads. Windows, branches
// that share a prefix, many records at once. One thread drives it. Source of the windowing rule:
// every token is scored once, with at least window - stride tokens of context where the text has
// them (Press et al. 2021 call it a sliding window); the first tokens of windows that do not
// overlap have none and are not scored, as in the perplexities that are published for such windows.

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "decode/logprob.h"
#include "decode/prompt.h"
#include "model/engine.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// A prefix evaluated once and branches behind it. With an empty prefix a branch's first token has
/// no probability and is not scored. Holes count the prefix's rows, then the branch's own. given:
/// what is not scored is a prompt, and models that read prefixes (model::reads_prefixes) have it as
/// one, as where they write; what branches have of it beside the prefix is then read with it.
struct ScoreRequest {
  struct Branch {
    std::vector<PromptRow> rows;
    i64 first = 0;  // rows before it are context only
  };
  std::vector<PromptRow> prefix;
  std::vector<Branch> branches;
  i64 top_logprobs = 0;
  bool given = false;
  std::vector<f32> adapters = {};  // Engine::adapt; empty: what the model says
};

struct BranchScore {
  std::vector<f32> logprobs;  // of tokens [first, end)
  std::vector<std::vector<TokenLogprob>> top;
  std::vector<u8> greedy;  // 1 where the token is the likeliest
  f64 sum = 0;             // nats, of the float64 log-probabilities in order
  bool all_greedy() const;
};

struct ScoreOptions {
  i64 batch = 16;        // sequences at once
  i64 chunk = 512;       // rows of a step
  bool prefixes = true;  // ScoreRequest::given counts
};

struct ScoreStats {
  i64 steps = 0;
  i64 rows = 0;
  f64 forward_s = 0;
  f64 score_s = 0;  // from logits to log-probabilities
};

class TokenScorer {
 public:
  /// Borrows the engine, which is this object's alone.
  TokenScorer(model::Engine& engine, ScoreOptions options);
  ~TokenScorer();
  /// Prefix and each branch together must fit the context (a branch's last token needs no slot),
  /// in rows and in positions, ids must be in the vocabulary: Error{kData} otherwise, when
  /// evaluated.
  void add(ScoreRequest request);
  i64 pending() const { return isize(jobs_); }
  /// One forward pass. False if nothing is left to do.
  bool step();
  /// The oldest request's scores, by branch, if complete.
  std::optional<std::vector<BranchScore>> take();
  const ScoreStats& stats() const { return stats_; }

 private:
  struct Job;
  struct Row {
    Job* job = nullptr;
    i64 branch = -1;  // -1: the prefix
    i64 at = 0;       // index of the row's token in its part
  };
  bool start(Job& job);
  void plan(Job& job, i64 branch, i64& room);
  void take_logits(std::span<const i64> rows, std::span<const f32> logits);
  void take_rows();
  void finish_parts();

  model::Engine& engine_;
  ScoreOptions options_;
  std::deque<std::unique_ptr<Job>> jobs_;
  std::vector<model::EvalRow> rows_;
  std::vector<Row> plan_;
  i64 charged_pages_ = 0;
  i64 sequences_ = 0;
  ScoreStats stats_;
};

/// Texts, at least one, behind what they have in common of what is not scored, which is given and
/// evaluated once: a branch each.
ScoreRequest score_together(std::span<const ScoredTokens* const> texts);

/// How a long text is cut into windows.
struct WindowRule {
  i64 window = 0;
  i64 stride = 0;

  /// What was asked for; 0: the whole context, half a window. Throws Error{kUsage} when the window
  /// is more than the context or the stride more than the window.
  static WindowRule of(i64 window, i64 stride, i64 context);
  /// The length of windows that do not overlap, 0 if they do (PromptEncoder::text).
  i64 apart() const { return stride == window ? window : 0; }
};

/// Cuts a long token list into windows of at most `window` tokens. The first is full, then each
/// window begins `stride` later; a token is scored in the first window that holds it. Requests have
/// one branch each. 1 <= stride <= window; with stride = window no first token of a window is
/// scored (ScoredTokens::heads).
std::vector<ScoreRequest> cut_windows(std::span<const i32> tokens, const WindowRule& rule);

/// The same one by one: a text of any length has a few windows in memory.
class WindowCutter {
 public:
  /// first: the tokens before it are context only; windows without a scored token are left out.
  WindowCutter(std::vector<i32> tokens, const WindowRule& rule, i64 first = 1);
  /// Nothing when every token that has one before it is scored; at least one window.
  std::optional<ScoreRequest> next();

 private:
  std::vector<i32> tokens_;
  WindowRule rule_;
  i64 first_begin_ = 0;
  i64 begin_ = 0;
  i64 scored_ = 1;  // the first token has no probability
};

}  // namespace lm::decode
