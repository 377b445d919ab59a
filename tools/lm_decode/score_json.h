#pragma once
// lm-decode score: results as JSON.

#include <string>
#include <vector>

#include "decode/prompt.h"
#include "decode/score.h"

namespace lm::decode_tool {

/// What one text, completion or choice came to.
struct Part {
  decode::ScoredTokens tokens;
  decode::BranchScore score;
};

/// Totals of many parts, for the report.
struct Sums {
  i64 records = 0;
  i64 tokens = 0;
  i64 bytes = 0;
  f64 nats = 0;
  void add(const Part& part);
  /// {"records","tokens","bytes","nats","ppl","bits_per_byte"}; null where there is nothing to
  /// divide by.
  std::string json() const;
};

struct Detail {
  bool tokens = false;  // ids and log-probabilities
  bool top = false;     // likeliest tokens
};

/// [[[id,logprob],...],...] by position.
std::string top_json(const std::vector<std::vector<decode::TokenLogprob>>& top);

std::string part_json(const Part& part, const Detail& detail);

/// {"sum":i,"mean":i,"byte":i}: the best choice by sum, by mean per token and by mean per byte;
/// ties go to the first.
std::string best_json(const std::vector<Part>& parts);

}  // namespace lm::decode_tool
