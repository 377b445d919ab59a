#pragma once
// A census as something to read: sections of tables, one JSON document, one HTML page. Pure
// functions: the same census and layout give the same bytes.

#include <functional>
#include <string>
#include <vector>

#include "census/census.h"

namespace lm::census {

struct Layout {
  std::vector<f64> quantiles = {0.05, 0.25, 0.5, 0.75, 0.95};  // ascending, 0 to 1
  i64 bins = 20;                                               // of a histogram, at most
  i64 show = 20;            // most frequent values, groups, rows and columns of a cross table
  bool histograms = false;  // as sections too
};

/// A table of a report. Cells are plain text; names come from users and data.
struct Section {
  std::string title;
  std::string note = "";
  std::vector<std::vector<std::string>> rows = {};  // the first is the head
  /// Gives further rows one after the other, where there may be many; the census lives until then.
  std::function<void(const std::function<void(const std::vector<std::string>& row)>& row)> more =
      {};
  bool detail = false;  // for programs rather than people
  bool texts = false;   // the last column is a text of some lines
};

/// One number of a census, with what a reader wants of it.
struct NumberSummary {
  std::string name;
  std::string expression = "";  // of one asked for
  const Numbers* numbers = nullptr;
  const Field* field = nullptr;  // null of one asked for
  i64 absent = 0;                // documents without the field
  std::vector<f64> quantiles = {};
  Histogram histogram = {};
};
std::vector<NumberSummary> number_summaries(const Plan& plan, const Cell& cell,
                                            const Layout& layout);

/// Cells have numbers to five digits; exact: to the last.
std::vector<Section> sections(const Census& census, const Layout& layout, bool exact);

/// One object, with its newline, in pieces: groups may be many.
void report_json(const Census& census, const Layout& layout,
                 const std::function<void(std::string_view piece)>& write);

/// A page that needs no other file, no network and no scripts.
std::string report_html(const Census& census, const Layout& layout);

/// A number to five digits, or shortest that reads back as the same.
std::string number_text(f64 value, bool exact);
/// "12.3 %"; "-" of nothing.
std::string share_text(i64 part, i64 whole);
/// "[0, 5)" for each bin of an edge label.
std::vector<std::string> bin_names(const EdgeLabel& label);
std::string bin_name(const Histogram& histogram, std::size_t bin, bool exact);

/// A cross table: rows and columns by falling sum, the rest as "(other)".
struct CrossTable {
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::vector<std::vector<i64>> counts;  // [rows][columns]
};
CrossTable cross_table(const Tally& cross, i64 rows, i64 columns);

}  // namespace lm::census
