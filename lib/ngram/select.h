#pragma once
// Which documents of a scored stream are kept: fixed limits, an exact lowest or highest fraction,
// exact percentiles, named buckets; per group. Everything is a function of (score, place in the
// stream, group): equal scores rank by place, documents without a finite score rank last and are
// counted. Scores lie in a column (column.h): 25 bytes a document, spilled beyond the budget.

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/types.h"
#include "ngram/column.h"

namespace lm::ngram {

/// A bucket takes scores below the cut at its percentile; the last one takes the rest.
struct BucketRule {
  std::string name;
  f64 percentile = 100;
};

struct SelectRules {
  std::optional<f64> min = {}, max = {};  // keep min <= score <= max
  std::optional<f64> keep_lowest = {};    // fraction in [0, 1]
  std::optional<f64> keep_highest = {};
  std::optional<f64> percentile_low = {},
                     percentile_high = {};  // keep between these percentiles, inclusive
  std::vector<BucketRule> buckets = {};
};

/// Throws Error{kUsage} for fractions outside [0,1], percentiles outside [0,100] or crossed, min
/// above max, bucket percentiles that do not ascend to 100.
void check_rules(const SelectRules& rules);
/// "head:30,middle:60,tail:100". Throws Error{kUsage}.
std::vector<BucketRule> parse_buckets(std::string_view text);

/// The place of a value among the n sorted finite scores of a group for percentile q in [0, 100]:
/// index floor(q (n - 1) / 100), the lower value of the usual interpolation, so that every cut is a
/// score that occurs.
i64 percentile_index(f64 q, i64 n);

struct GroupCuts {
  i64 documents = 0;
  i64 unscored = 0;                    // NaN or infinite
  std::array<f64, 101> percentiles{};  // NaN when no document is scored
  f64 low = 0, high = 0;               // scores at percentile_low and percentile_high
  std::vector<f64> bucket_cuts;        // one per bucket but the last
};

class Selection {
 public:
  Selection(const Context& ctx, SelectRules rules);

  /// The next document of the stream. Amortised O(1).
  void add(f64 score, u32 group);
  /// Ranks everything; call once, then next() in the order of add(). O(n log n).
  void finish();
  struct Verdict {
    bool keep = false;
    i32 bucket = -1;  // index into rules.buckets; -1 = no buckets, or no score
  };
  /// Kept is what every given rule keeps. A document without a score passes neither limits nor
  /// percentiles; a kept fraction takes it only after all others; buckets alone keep everything.
  Verdict next();
  const std::map<u32, GroupCuts>& groups() const { return groups_; }
  i64 documents() const { return items_.size(); }
  i64 kept() const { return kept_; }

 private:
  struct Item {
    f64 score;
    i64 place;
    u32 group;
    u32 unused;
  };
  void judge_group(const Item* begin, const Item* end);
  bool keep(const GroupCuts& cuts, f64 score, i64 lowest_rank, i64 highest_rank) const;

  SelectRules rules_;
  Column<Item> items_;
  Column<u8> verdicts_;  // by place: bucket + 1, and kKeep
  std::map<u32, GroupCuts> groups_;
  i64 next_ = 0;
  i64 kept_ = 0;
};

/// Keep or drop by fixed limits alone, for one pass over a stream: NaN and infinities are dropped.
bool within_limits(const SelectRules& rules, f64 score);

/// The CSV of cut-offs: header "percentile,GROUP,...", rows 0..100, shortest decimals; empty cells
/// for groups without a score. names[group] are the columns, in order of group number.
std::string cutoffs_csv(const std::map<u32, GroupCuts>& groups,
                        const std::vector<std::string>& names);
/// cutoffs[column name][percentile]; empty cells are NaN. Throws Error{kData} naming file and line.
std::map<std::string, std::array<f64, 101>> parse_cutoffs(std::string_view csv,
                                                          const std::string& name);
/// Bucket of a score by cuts read from a table: the first bucket whose cut is above it.
i32 bucket_of(f64 score, const std::vector<f64>& cuts);

}  // namespace lm::ngram
