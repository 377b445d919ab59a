#pragma once
// What a run that generates has done, and its report.

#include <map>
#include <string>

#include "cli/tool.h"
#include "decode/generate.h"

namespace lm::decode_tool {

class Tally {
 public:
  explicit Tally(cli::Tool& tool) : tool_(tool) {}

  /// A finished record. Samples that ended with an error are counted, and the first of a kind is
  /// said at once.
  void add(const std::string& id, const std::vector<decode::Completion>& completions);
  /// Tokens that were generated and are not written.
  void add_unwritten(const decode::Completion& completion) { tokens_ += isize(completion.tokens); }
  /// A record taken from --resume FILE.
  void add_reused() { ++reused_; }
  /// Metric "throughput" of the tool, and a line for people.
  void report(const decode::GenerateStats& stats, f64 wall_s, i64 pages) const;

 private:
  cli::Tool& tool_;
  i64 records_ = 0;
  i64 reused_ = 0;
  i64 tokens_ = 0;
  std::map<std::string, i64> reasons_;
  std::map<std::string, i64> failed_;  // samples that ended with an error, by its code
};

}  // namespace lm::decode_tool
