#pragma once
// score over several tables of a model with drawn embeddings (--embed-draws).

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "decode/session.h"

namespace lm::decode_tool {

/// --embed-draws.
std::vector<cli::Flag> draws_flags();

/// A model with each of the tables, opened within --memory: the first one is what open_model gives.
class DrawnSessions {
 public:
  /// Throws what open_model throws.
  DrawnSessions(cli::Tool& tool, const std::vector<std::string>& adapters);
  i64 count() const { return 1 + isize(more_); }
  decode::Session& operator[](i64 draw) { return draw == 0 ? *first_ : *more_[usize(draw - 1)]; }

 private:
  std::unique_ptr<decode::Session> first_;
  std::vector<std::unique_ptr<decode::Session>> more_;
};

/// A TokenScorer over all of them: log-probabilities are means over the tables, greedy what is the
/// likeliest token with each.
class MeanScorer {
 public:
  MeanScorer(DrawnSessions& sessions, bool prefixes);
  void add(decode::ScoreRequest request);
  i64 pending() const { return scorers_[0]->pending(); }
  bool step();
  std::optional<std::vector<decode::BranchScore>> take();
  /// Sums over the tables.
  decode::ScoreStats stats() const;

 private:
  using Scores = std::vector<decode::BranchScore>;
  std::vector<std::unique_ptr<decode::TokenScorer>> scorers_;
  std::vector<std::deque<Scores>> done_;  // by scorer: what the others have not finished
};

}  // namespace lm::decode_tool
