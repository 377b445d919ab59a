#pragma once
// lm-stats: its options, one reading of a stream, the sum of partial results, what is printed.

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

/// Where the results go: printed, as a page, or as a partial result.
class Results {
 public:
  /// Opens the outputs. Throws Error{kUsage}.
  explicit Results(cli::Tool& tool);
  bool partial() const { return partial_; }
  /// Throws Error{kData} for attributes that were asked for and are in no record, unless the result
  /// is partial.
  void write(const census::Census& census);

 private:
  void write_partial(const census::Census& census);

  cli::Tool& tool_;
  census::Layout layout_;
  bool partial_;
  std::optional<tool_options::TextOutput> printed_;
  io::AtomicFile* page_ = nullptr;
};

/// Sections for people: aligned tables. Texts are indented below their record.
std::string text_report(const std::vector<census::Section>& sections);
/// Sections for programs: lines of cells between tabs, a line "# TITLE" before each.
std::string tsv_report(const std::vector<census::Section>& sections);

}  // namespace lm::stats_tool
