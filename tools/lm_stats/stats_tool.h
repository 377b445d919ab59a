#pragma once
// lm-stats: its options, one reading of a stream, the sum of partial results, what is printed.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "census/census.h"
#include "census/report.h"
#include "cli/tool.h"
#include "common/text_output.h"

namespace lm::stats_tool {

std::vector<cli::Verb> verbs();
void run_count(cli::Tool& tool);
void run_merge(cli::Tool& tool);

/// Keeps what a census takes in memory within the budget: beyond a share of it, or where no more is
/// left, groups and values spill. One for each census; one thread at a time.
class Held {
 public:
  /// all: the sum of what is charged by all of a run.
  Held(MemoryBudget& budget, std::atomic<i64>& all, i64 share)
      : budget_(budget), all_(all), share_(share) {}
  ~Held() { release(); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  /// Throws Error{kOs} for what can neither be kept nor spilled.
  void fit(census::Census& census);
  /// The census is gone.
  void release();

 private:
  MemoryBudget& budget_;
  std::atomic<i64>& all_;
  i64 share_;
  i64 bytes_ = 0;  // charged
};

/// Where the results go: printed, as a page, or as a partial result.
class Results {
 public:
  /// Opens the outputs. Throws Error{kUsage}.
  explicit Results(cli::Tool& tool);
  bool partial() const { return partial_; }
  /// Throws Error{kData} for attributes that were asked for and are in no record, unless the result
  /// is partial.
  void write(census::Census& census);

 private:
  void write_partial(const census::Census& census);

  cli::Tool& tool_;
  census::Layout layout_;
  bool partial_;
  std::optional<tool_options::TextOutput> printed_;
  io::AtomicFile* page_ = nullptr;
  std::optional<MemoryCharge> cross_;
};

/// Sections for people: aligned tables. Texts are indented below their record.
std::string text_report(const std::vector<census::Section>& sections);
/// Sections for programs: lines of cells between tabs, a line "# TITLE" before each. In pieces.
void tsv_report(const std::vector<census::Section>& sections,
                const std::function<void(std::string_view piece)>& write);

}  // namespace lm::stats_tool
