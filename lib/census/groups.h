#pragma once
// The cells of groups by their keys: in memory, and what did not fit there in sorted runs.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "census/cell.h"
#include "census/runs.h"

namespace lm::census {

class Groups {
 public:
  static constexpr i64 kMost = 10'000;

  /// plan outlives this, as does runs: where spill() puts cells, for all that are added up; or
  /// null.
  Groups(const Plan& plan, Runs* runs) : plan_(&plan), runs_(runs) {}
  /// The cell of this key, a new one if it is not in memory; throws Error{kData} for more than
  /// kMost keys.
  Cell& at(std::string_view key);
  /// Takes the cells of other, which has the same runs or none.
  void add(Groups&& other);
  /// How many keys there were.
  i64 size() const { return isize(known_); }
  /// About what the cells in memory take.
  i64 bytes();
  /// Puts the cells in memory into the runs.
  void spill();
  /// visit() for each by ascending key, after the last at() and add(), and spill() if there are
  /// runs.
  void each(const std::function<void(std::string_view key, const Cell& cell)>& visit) const;

 private:
  struct Held {
    Cell cell;
    i64 bytes = 0;  // when last asked for
    bool touched = true;
  };
  void know(u64 key_hash);

  const Plan* plan_;
  Runs* runs_;
  std::map<std::string, Held, std::less<>> held_;
  std::vector<Held*> touched_;
  i64 bytes_ = 0;                    // without what was touched
  std::unordered_set<u64> known_{};  // hashes of keys
};

}  // namespace lm::census
