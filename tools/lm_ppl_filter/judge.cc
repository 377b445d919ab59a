// The rules of a run: what a score means among all scores, or by a table of cut-offs.

#include <cmath>

#include "core/hash.h"
#include "core/str.h"
#include "filter.h"

namespace lm::filter_tool {

namespace {

constexpr f64 kNone = std::numeric_limits<f64>::quiet_NaN();

bool given(const cli::Options& options, const char* name) {
  return options.find(name) != nullptr && options.given(name);
}

std::size_t table_row(f64 percentile) {
  if (percentile != std::floor(percentile)) {
    throw Error(ErrorKind::kUsage,
                cat("percentile ", percentile, ": a table of cut-offs has whole ones only"));
  }
  return static_cast<std::size_t>(percentile);
}

}  // namespace

Judge::Judge(cli::Tool& tool, ngram::SelectRules rules)
    : tool_(tool),
      rules_(std::move(rules)),
      table_given_(given(tool.options(), "cutoffs")),
      selection_(tool.ctx(), rules_) {
  const cli::Options& options = tool.options();
  if (table_given_) {
    const std::string& path = options.text("cutoffs");
    const std::string csv = io::read_file(path, i64{1} << 28);
    table_ = ngram::parse_cutoffs(csv, path);
    tool.set_param("cutoffs", cat("\"xxh3:", hex64(xxh3_64(csv)), "\""));
    if (rules_.keep_lowest || rules_.keep_highest) {
      throw Error(ErrorKind::kUsage,
                  "--cutoffs goes with --percentile and --buckets, not with kept fractions");
    }
    for (const std::optional<f64>& q : {rules_.percentile_low, rules_.percentile_high}) {
      if (q) table_row(*q);
    }
    for (const ngram::BucketRule& bucket : rules_.buckets)
      table_row(bucket.percentile);
  }
  const bool ranks = rules_.keep_lowest || rules_.keep_highest || rules_.percentile_low ||
                     rules_.percentile_high || !rules_.buckets.empty();
  two_passes_ =
      tool.verb() == "cutoffs" || given(options, "cutoffs-out") || (ranks && !table_given_);
  if (table_given_ && two_passes_) {
    throw Error(ErrorKind::kUsage,
                "--cutoffs reads a table and --cutoffs-out makes one: give one of them");
  }
}

ngram::Selection::Verdict Judge::by_table(f64 score, const std::string& group) const {
  const auto column = table_.find(group);
  const bool known = column != table_.end();
  ngram::Selection::Verdict verdict;
  verdict.keep = !(rules_.min || rules_.max) || ngram::within_limits(rules_, score);
  if (rules_.percentile_low || rules_.percentile_high) {
    // An empty cell compares false: nothing is known, nothing is kept.
    const f64 low =
        known && rules_.percentile_low ? column->second[table_row(*rules_.percentile_low)] : kNone;
    const f64 high = known && rules_.percentile_high
                         ? column->second[table_row(*rules_.percentile_high)]
                         : kNone;
    verdict.keep = verdict.keep && std::isfinite(score) &&
                   (!rules_.percentile_low || score >= low) &&
                   (!rules_.percentile_high || score <= high);
  }
  if (rules_.buckets.empty() || !std::isfinite(score)) return verdict;
  std::vector<f64> cuts;
  for (std::size_t b = 0; known && b + 1 < rules_.buckets.size(); ++b) {
    const f64 cut = column->second[table_row(rules_.buckets[b].percentile)];
    if (std::isfinite(cut)) cuts.push_back(cut);
  }
  const bool usable = known && cuts.size() + 1 == rules_.buckets.size();
  verdict.bucket = usable ? ngram::bucket_of(score, cuts) : kAll;
  return verdict;
}

void Judge::decide(Scored& scored) {
  for (std::size_t i = 0; i < scored.scores.size(); ++i) {
    const f64 score = scored.scores[i].value;
    scored.verdicts.push_back(by_table(score, scored.groups[i]));
    unscored_ += !std::isfinite(score);
  }
}

u32 Judge::group_number(const std::string& name) {
  const auto [at, is_new] = numbers_.emplace(name, static_cast<u32>(names_.size()));
  if (is_new) names_.push_back(name);
  return at->second;
}

void Judge::add(const Scored& scored) {
  for (std::size_t i = 0; i < scored.scores.size(); ++i) {
    selection_.add(scored.scores[i].value, group_number(scored.groups[i]));
  }
}

void Judge::finish() {
  selection_.finish();
  for (const auto& [group, cuts] : selection_.groups())
    unscored_ += cuts.unscored;
}

std::string Judge::csv() const {
  return ngram::cutoffs_csv(selection_.groups(), names_);
}

std::string Judge::bucket_name(i32 bucket) const {
  return bucket >= 0 ? rules_.buckets[usize(bucket)].name : bucket == kAll ? "all" : "unscored";
}

std::vector<std::string> Judge::bucket_names() const {
  std::vector<std::string> names;
  for (const ngram::BucketRule& bucket : rules_.buckets)
    names.push_back(bucket.name);
  if (table_given_) names.emplace_back("all");
  names.emplace_back("unscored");
  return names;
}

void Judge::report(i64 documents, i64 kept) {
  tool_.add_metric("documents", cat(documents));
  tool_.add_metric("kept", cat(kept));
  tool_.add_metric("removed", cat(documents - kept));
  tool_.add_metric("unscored", cat(unscored_));
  if (documents > 0 && unscored_ == documents && tool_.verb() == "select")
    throw Error(ErrorKind::kData,
                cat("none of ", documents, " documents has a score: nothing was selected"),
                "--from-attr names a number in the records, or a model gives one");
  if (unscored_ > 0) {
    tool_.console().message(LogLevel::kWarning,
                            cat(unscored_, " of ", documents, " documents have no score"));
  }
}

}  // namespace lm::filter_tool
