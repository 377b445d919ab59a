#pragma once
// Turns groups of documents that share a band key into verified pairs. A member is compared with
// the group's leaders, oldest first; the first that accepts it gives the pair, else it becomes a
// leader while there is room. So a group of g costs at most leaders * g comparisons instead of g^2
// / 2.

#include <functional>
#include <span>
#include <vector>

#include "core/context.h"
#include "dedup/external_sort.h"
#include "dedup/near.h"

namespace lm::dedup {

/// A verified pair of candidates, numbered in the order of preference (the best is 0; without
/// priorities that is the order of documents); the same pair may come from several groups.
struct Edge {
  i64 later;
  i64 earlier;
  f64 similarity;
  auto operator<=>(const Edge&) const = default;  // NOLINT: no pointer, clang-tidy 14
};

/// Documents of one kind of verification, by number in the order of preference. Safe to call
/// concurrently.
class PairJudge {
 public:
  virtual ~PairJudge() = default;
  /// What a comparison needs of one document.
  struct Loaded {
    i64 id = -1;
    std::vector<u64> scratch;
    std::span<const u64> set;
  };
  virtual void load(i64 id, Loaded& out) const = 0;
  /// The similarity if the pair passes, else a negative number.
  virtual f64 judge(const Loaded& leader, const Loaded& member) const = 0;
};

std::unique_ptr<PairJudge> no_judge();
/// Equal share of minima; sketches: K u32 per document ordinal; ordinals: by number.
std::unique_ptr<PairJudge> sketch_judge(const io::TempFile& sketches, std::vector<i64> ordinals,
                                        i64 minima, f64 least);
/// order: a number's place in sets; empty: the same.
std::unique_ptr<PairJudge> exact_judge(const ShingleStore& sets, f64 threshold,
                                       std::vector<i64> order = {});

class GroupVerifier {
 public:
  GroupVerifier(const PairJudge& judge, i64 leaders, ExternalSorter<Edge>& edges)
      : judge_(&judge), most_leaders_(leaders), edges_(&edges) {}
  /// groups [m+1] offsets into members: m whole groups, worked on in parallel.
  void whole_groups(std::span<const i64> offsets, std::span<const i64> members);
  /// A stretch of one large group; call in order, `first` opens it. Parallel over members with the
  /// outcome of one at a time.
  void stretch(std::span<const i64> members, bool first);

  i64 compared() const { return compared_; }
  i64 unlinked() const { return unlinked_; }

 private:
  struct Outcome {
    std::vector<Edge> edges;
    i64 compared = 0;
    i64 unlinked = 0;
  };
  using Leaders = std::vector<PairJudge::Loaded>;
  /// Compares with leaders [from, end); true and an edge if one accepts.
  bool link(const Leaders& leaders, i64 from, const PairJudge::Loaded& member, Outcome& out) const;
  void place(Leaders& leaders, PairJudge::Loaded&& member, Outcome& out) const;
  void one_group(std::span<const i64> members, Outcome& out) const;
  void keep(Outcome& out);

  const PairJudge* judge_;
  i64 most_leaders_;
  ExternalSorter<Edge>* edges_;
  Leaders stretch_leaders_;
  i64 compared_ = 0;
  i64 unlinked_ = 0;
};

}  // namespace lm::dedup
