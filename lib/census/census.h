#pragma once
// All that is counted of a stream: one worker's share, one shard's, or everything. Adding up is
// exact and does not depend on order, so equal records give equal bytes for any number of threads
// and parts.
// Thread rule: one object per worker.

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "census/cell.h"
#include "census/groups.h"
#include "census/tally.h"
#include "mix/rules.h"

namespace lm::census {

struct EdgeCounts {
  std::vector<i64> counts;         // by bin
  std::vector<Examples> examples;  // by bin
};

/// Where censuses that are parts of one put groups and values that do not fit in memory.
struct Spill {
  Spill(const std::string& dir, const Plan& plan);
  /// Whether anything is here, and how much.
  i64 bytes() const;
  Runs groups;
  std::deque<Runs> tops;
  Runs cross;
};

class Census {
 public:
  /// plan outlives this, as does spill, which all that are added up share; or null.
  explicit Census(const Plan& plan, Spill* spill = nullptr);

  /// Takes what other has.
  void add(Census&& other);
  /// About what it takes in memory, and how much of that spill() would free.
  i64 bytes();
  i64 spillable();
  /// Groups and values leave memory.
  void spill();
  /// Everything is added; to be called before anything is read of a census with a spill.
  void settle();

  /// Everything in parts, in a fixed order: emit(part, group, name, data). Equal contents give
  /// equal parts.
  using Emit = std::function<void(std::string_view part, std::string_view group,
                                  std::string_view name, std::string data)>;
  void save(const Emit& emit) const;
  /// Adds a part. Throws Error{kData}.
  void load(std::string_view part, std::string_view group, std::string_view name, PartReader& in);

  const Plan& plan;
  i64 rejected = 0;  // bad records, counted nowhere else
  Cell whole;
  Groups groups;
  std::vector<EdgeCounts> edges;
  std::vector<Tally> tops;
  std::vector<i64> top_missing;  // documents without a value
  Tally cross;                   // of pair keys
  std::vector<mix::RuleCounts> rules;
  std::vector<Examples> rule_examples;
  Repeats ids;
  std::vector<u8> seen;  // by Plan::attributes: in some record

 private:
  Spill* spill_;
};

/// A value as a key of groups: "=VALUE", or "-" for none; as short_value has it.
std::string group_key(std::string_view value, bool none, i64 longest = kLongestValue);
/// "(none)" or the value.
std::string group_name(std::string_view key);
/// Two group keys of at most kLongestInPair bytes as one, and back.
inline constexpr i64 kLongestInPair = 90;
std::string pair_key(std::string_view a, std::string_view b);
std::pair<std::string_view, std::string_view> split_pair(std::string_view key);

}  // namespace lm::census
