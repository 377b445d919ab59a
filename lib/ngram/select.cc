#include "ngram/select.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/str.h"

namespace lm::ngram {

namespace {

constexpr u8 kKeep = 128;
constexpr i64 kMaxBuckets = 100;
constexpr i64 kMaxDocuments = i64{1} << 34;
constexpr f64 kNone = std::numeric_limits<f64>::quiet_NaN();

[[noreturn]] void usage(std::string message) {
  throw Error(ErrorKind::kUsage, std::move(message));
}

// floor(f n), where f n that is whole but for rounding counts as whole (0.29 * 100).
i64 share(f64 f, i64 n) {
  return static_cast<i64>(std::floor(f * static_cast<f64>(n) + 1e-6));
}

}  // namespace

void check_rules(const SelectRules& rules) {
  const auto fraction = [](const std::optional<f64>& f, const char* name) {
    if (f && !(*f >= 0 && *f <= 1)) usage(cat(name, " is ", *f, ", expected 0 to 1"));
  };
  const auto percent = [](const std::optional<f64>& q, const char* name) {
    if (q && !(*q >= 0 && *q <= 100)) usage(cat(name, " is ", *q, ", expected 0 to 100"));
  };
  fraction(rules.keep_lowest, "the lowest fraction");
  fraction(rules.keep_highest, "the highest fraction");
  percent(rules.percentile_low, "the low percentile");
  percent(rules.percentile_high, "the high percentile");
  if (rules.percentile_low && rules.percentile_high &&
      *rules.percentile_low > *rules.percentile_high) {
    usage(cat("the low percentile ", *rules.percentile_low, " is above the high one ",
              *rules.percentile_high));
  }
  if (rules.min && rules.max && *rules.min > *rules.max) {
    usage(cat("the least score ", *rules.min, " is above the greatest ", *rules.max));
  }
  f64 last = 0;
  for (const BucketRule& bucket : rules.buckets) {
    if (!(bucket.percentile > last && bucket.percentile <= 100)) {
      usage(cat("bucket ", quote(bucket.name), " ends at ", bucket.percentile,
                ", expected percentiles that ascend to 100"));
    }
    last = bucket.percentile;
  }
  if (!rules.buckets.empty() && last != 100) usage("the last bucket must end at 100");
  if (isize(rules.buckets) > kMaxBuckets) usage(cat("more than ", kMaxBuckets, " buckets"));
}

std::vector<BucketRule> parse_buckets(std::string_view text) {
  std::vector<BucketRule> out;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t colon = part.rfind(':');
    const std::optional<f64> end =
        colon == std::string_view::npos ? std::nullopt : parse_float(part.substr(colon + 1));
    if (!end || colon == 0) {
      usage(cat("bucket ", quote(part), " is not NAME:PERCENTILE"));
    }
    out.push_back({std::string(part.substr(0, colon)), *end});
  }
  check_rules({.buckets = out});
  return out;
}

i64 percentile_index(f64 q, i64 n) {
  return std::clamp<i64>(share(q / 100, n - 1), 0, std::max<i64>(n - 1, 0));
}

i32 bucket_of(f64 score, const std::vector<f64>& cuts) {
  i32 bucket = 0;
  for (const f64 cut : cuts) {
    if (score < cut) break;
    ++bucket;
  }
  return bucket;
}

bool within_limits(const SelectRules& rules, f64 score) {
  return std::isfinite(score) && (!rules.min || score >= *rules.min) &&
         (!rules.max || score <= *rules.max);
}

Selection::Selection(const Context& ctx, SelectRules rules)
    : rules_(std::move(rules)), items_(ctx, kMaxDocuments), verdicts_(ctx, kMaxDocuments) {
  check_rules(rules_);
}

void Selection::add(f64 score, u32 group) {
  if (items_.size() == kMaxDocuments) {
    throw Error(ErrorKind::kData, cat("more than ", kMaxDocuments, " documents in one selection"));
  }
  items_.push_back({score, items_.size(), group, 0});
}

void Selection::finish() {
  Item* const begin = items_.data();
  Item* const end = begin + items_.size();
  std::sort(begin, end, [](const Item& a, const Item& b) {
    if (a.group != b.group) return a.group < b.group;
    const bool scored = std::isfinite(a.score);
    if (scored != std::isfinite(b.score)) return scored;
    if (scored && a.score != b.score) return a.score < b.score;
    return a.place < b.place;
  });
  verdicts_.resize(items_.size());
  for (const Item* first = begin; first != end;) {
    const Item* last = first;
    while (last != end && last->group == first->group)
      ++last;
    judge_group(first, last);
    first = last;
  }
}

void Selection::judge_group(const Item* begin, const Item* end) {
  GroupCuts& cuts = groups_[begin->group];
  const Item* const unscored =
      std::find_if(begin, end, [](const Item& item) { return !std::isfinite(item.score); });
  const i64 n = unscored - begin;
  cuts.documents = end - begin;
  cuts.unscored = end - unscored;
  const auto at = [&](f64 q) { return n == 0 ? kNone : begin[percentile_index(q, n)].score; };
  for (std::size_t q = 0; q <= 100; ++q)
    cuts.percentiles[q] = at(static_cast<f64>(q));
  cuts.low = at(rules_.percentile_low.value_or(0));
  cuts.high = at(rules_.percentile_high.value_or(100));
  for (std::size_t b = 0; b + 1 < rules_.buckets.size(); ++b) {
    cuts.bucket_cuts.push_back(at(rules_.buckets[b].percentile));
  }
  for (const Item* run = begin; run != end;) {
    // Equal scores: from above they rank in the same order of place as from below.
    const Item* after = run + 1;
    if (run < unscored) {
      while (after < unscored && after->score == run->score)
        ++after;
    } else {
      after = end;
    }
    for (const Item* item = run; item != after; ++item) {
      const i64 lowest = item - begin;
      const i64 highest = item < unscored ? (unscored - after) + (item - run) : lowest;
      u8 verdict = 0;
      if (!rules_.buckets.empty() && item < unscored) {
        verdict = static_cast<u8>(bucket_of(item->score, cuts.bucket_cuts) + 1);
      }
      if (keep(cuts, item->score, lowest, highest)) {
        verdict |= kKeep;
        ++kept_;
      }
      verdicts_[item->place] = verdict;
    }
    run = after;
  }
}

bool Selection::keep(const GroupCuts& cuts, f64 score, i64 lowest_rank, i64 highest_rank) const {
  if ((rules_.min || rules_.max) && !within_limits(rules_, score)) return false;
  if (rules_.keep_lowest && lowest_rank >= share(*rules_.keep_lowest, cuts.documents)) return false;
  if (rules_.keep_highest && highest_rank >= share(*rules_.keep_highest, cuts.documents))
    return false;
  if (rules_.percentile_low && !(score >= cuts.low)) return false;
  if (rules_.percentile_high && !(score <= cuts.high)) return false;
  if ((rules_.percentile_low || rules_.percentile_high) && !std::isfinite(score)) return false;
  return true;
}

Selection::Verdict Selection::next() {
  LM_CHECK(next_ < verdicts_.size(), "one verdict per document");
  const u8 verdict = verdicts_[next_++];
  return {(verdict & kKeep) != 0, static_cast<i32>(verdict & (kKeep - 1)) - 1};
}

// Cut-off tables ----------------------------------------------------------------------------------

std::string cutoffs_csv(const std::map<u32, GroupCuts>& groups,
                        const std::vector<std::string>& names) {
  std::string out = "percentile";
  for (const std::string& name : names) {
    if (name.find_first_of(",\"\r\n") != std::string::npos) {
      throw Error(ErrorKind::kData, cat("group ", quote(name), " cannot be a CSV column"));
    }
    append(out, ",", name);
  }
  out.push_back('\n');
  for (std::size_t q = 0; q <= 100; ++q) {
    append(out, q);
    for (u32 group = 0; group < names.size(); ++group) {
      out.push_back(',');
      const auto found = groups.find(group);
      if (found != groups.end() && std::isfinite(found->second.percentiles[q])) {
        append(out, found->second.percentiles[q]);
      }
    }
    out.push_back('\n');
  }
  return out;
}

std::map<std::string, std::array<f64, 101>> parse_cutoffs(std::string_view csv,
                                                          const std::string& name) {
  i64 line = 0;
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorKind::kData, cat(name, ":", line, ": ", what));
  };
  std::vector<std::string> columns;
  std::map<std::string, std::array<f64, 101>> out;
  for (std::string_view row : split(csv, '\n')) {
    ++line;
    row = trim(row);
    if (row.empty()) continue;
    const std::vector<std::string_view> cells = split(row, ',');
    if (columns.empty()) {
      for (const std::string_view cell : cells)
        columns.emplace_back(trim(cell));
      if (columns.size() < 2) fail("expected a header with at least one column after the first");
      for (std::size_t c = 1; c < columns.size(); ++c) {
        if (!out.emplace(columns[c], std::array<f64, 101>{}).second) {
          fail(cat("column ", quote(columns[c]), " is there twice"));
        }
        out[columns[c]].fill(kNone);
      }
      continue;
    }
    if (cells.size() != columns.size()) {
      fail(cat(cells.size(), " cells, the header has ", columns.size()));
    }
    const std::optional<i64> q = parse_int(trim(cells[0]));
    if (!q || *q < 0 || *q > 100) fail(cat("percentile ", quote(cells[0]), " is not 0 to 100"));
    for (std::size_t c = 1; c < cells.size(); ++c) {
      const std::string_view cell = trim(cells[c]);
      if (cell.empty()) continue;
      const std::optional<f64> value = parse_float(cell);
      if (!value || !std::isfinite(*value)) fail(cat(quote(cell), " is not a number"));
      out[columns[c]][usize(*q)] = *value;
    }
  }
  if (columns.empty()) fail("the table of cut-offs is empty");
  return out;
}

}  // namespace lm::ngram
