#pragma once
// The work on one record, the counts of a run.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clean.h"
#include "common/sidecars.h"
#include "mix/sample.h"
#include "mix/strict.h"
#include "plan.h"

namespace lm::mix_tool {

std::vector<cli::Flag> flags();
void run_mix(cli::Tool& tool);

/// Records and the bytes of their lines.
struct Tally {
  i64 records = 0;
  i64 bytes = 0;
  void add(i64 more_bytes) {
    ++records;
    bytes += more_bytes;
  }
  void add(const Tally& other) {
    records += other.records;
    bytes += other.bytes;
  }
};

/// Where the good records of a run went. Every one is in exactly one of the tallies.
struct Counts {
  std::vector<mix::RuleCounts> rules;
  std::vector<mix::CutCounts> cuts;
  std::vector<clean::StepCounts> cleaners;
  Tally removed;    // by rules
  Tally unsampled;  // not drawn
  Tally dropped;    // by cleaners
  Tally emptied;    // cuts or cleaners left too little
  Tally too_short;  // for --min-text-length
  Tally kept;
  i64 copies = 0;  // written beyond the first of each record kept
  std::map<std::string, mix::SourceSize, std::less<>> sources;  // of what is kept, with weights
  void add(const Counts& other);
  i64 good() const {
    return removed.records + unsampled.records + dropped.records + emptied.records +
           too_short.records + kept.records;
  }
};

/// A line that may be among the best, and the bytes of the record it was.
struct Ranked {
  mix::Rank rank;
  i64 bytes = 0;
};

/// The work on records. One per worker thread.
class Mixer {
 public:
  explicit Mixer(const Plan& plan);
  /// Appends the lines the record becomes, none or several, and of plans that choose the best its
  /// candidate's rank. input_name: for its provenance. bytes: of the line as it was read.
  std::optional<Fault> mix(io::Record& record, i64 bytes, const std::string& input_name,
                           std::string& out, std::vector<Ranked>& ranks);
  io::JsonReader& json() { return json_; }
  /// What was counted so far.
  Counts counts() const;
  const mix::SeenAttributes& seen() const { return seen_; }

 private:
  std::optional<Fault> judge(io::Record& record, i64 bytes, const std::string& input_name,
                             std::string& out, std::vector<Ranked>& ranks);
  std::optional<Fault> rank(mix::Rank& rank);
  Result<i64> draw(io::JsonReader& json);
  Result<i64> count();
  Result<i64> measure();
  std::optional<Fault> check_source();
  void add_to_source(i64 amount);
  std::optional<Fault> clean();
  void write(io::Record& record, const std::string& input_name, i64 copies, std::string& out);

  const Plan& plan_;
  io::JsonReader json_;
  mix::Values values_;
  mix::SeenAttributes seen_;
  mix::CutWork cuts_;
  clean::Chain chain_;
  // Of the record at hand: its new text, if it is changed; its attributes as cleaners measure them.
  bool changed_ = false;
  bool dropped_ = false;
  std::string_view text_;
  std::string attributes_;
  Counts counts_;
  std::string key_;
  std::string id_;  // of the record at hand, as JSON without its closing quote
};

/// The second reading of a run with weights: what the first one kept, as often as its source's rate
/// says. One per worker thread.
class Redraw {
 public:
  Redraw(const Plan& plan, const std::map<std::string, f64, std::less<>>& rates);
  /// Appends the lines that a line, given without newline and padded, becomes.
  void write(std::string_view line, std::string& out);
  const Counts& counts() const { return counts_; }

 private:
  const Plan& plan_;
  const std::map<std::string, f64, std::less<>>& rates_;
  io::JsonReader json_;  // id, source, copy
  Counts counts_;        // unsampled, kept, copies
  std::string key_;
};

/// Rates of the sources as JSON; a warning for what is written more than four times.
std::string rates_json(cli::Tool& tool, const std::vector<mix::SourceRate>& rates);
std::string rates_table(const std::vector<mix::SourceRate>& rates);

/// The counts as a table, and as metrics of the report: names and JSON values.
std::string counts_table(const Plan& plan, const Counts& counts, i64 rejected);
using Metrics = std::vector<std::pair<std::string, std::string>>;
Metrics count_metrics(const Plan& plan, const Counts& counts, i64 rejected);

}  // namespace lm::mix_tool
