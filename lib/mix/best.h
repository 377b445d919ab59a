#pragma once
// The best records of each group: of a reservoir those with the least random keys, of a ranking
// those with the least ranks. Which stay is a function of the records as a set: neither their order
// nor threads matter, but where records are equal in all that is asked. Thread rule: one thread at
// a time.

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/context.h"
#include "core/types.h"

namespace lm::mix {

/// The least of (key, tie) are the best.
struct Rank {
  u64 key = 0;
  u64 tie = 0;
  std::string group = {};
};

/// A rank's key of a number: greater numbers come first. Not NaN.
u64 descending(f64 value);

class Best {
 public:
  /// Keeps `count` >= 1 records of each group. Charged to ctx.memory: about 60 bytes a record kept,
  /// 150 a group.
  Best(i64 count, const Context& ctx);
  ~Best();
  Best(const Best&) = delete;
  Best& operator=(const Best&) = delete;

  /// True if the record is among the best so far: then it is the next candidate, which the caller
  /// stores. bytes: what it counts. Throws Error{kOs} where groups do not fit into memory.
  bool add(const Rank& rank, i64 bytes);
  /// Numbers of the candidates that have stayed, ascending, counted from 0 in the order of add().
  std::vector<i64> chosen() const;
  /// Bytes of all that have stayed.
  i64 chosen_bytes() const;
  i64 groups() const { return isize(groups_); }

 private:
  struct Entry {
    u64 key;
    u64 tie;
    i64 candidate;
    i64 bytes;
    bool operator<(const Entry& other) const {
      if (key != other.key) return key < other.key;
      return tie != other.tie ? tie < other.tie : candidate < other.candidate;
    }
  };
  void charge(i64 bytes);

  i64 count_;
  const Context* ctx_;
  i64 charged_ = 0;
  i64 candidates_ = 0;
  std::unordered_map<std::string, std::vector<Entry>> groups_;  // heaps, the worst on top
};

}  // namespace lm::mix
