#pragma once
// Lines counted as a program counts them.

#include <string>
#include <vector>

#include "catch.h"
#include "census/observer.h"
#include "census/partial.h"
#include "census/report.h"
#include "io/json.h"

namespace lm::test {

/// Counts a line; its fault's code, or "".
inline std::string observe(census::Observer& observer, const std::string& line) {
  std::string padded = line;
  padded.resize(line.size() + usize(io::kJsonPadding));
  const std::string_view view = std::string_view(padded).substr(0, line.size());
  std::optional<Fault> fault = observer.json().parse(view);
  std::vector<u64> ids;
  if (!fault) {
    const io::Record record{observer.json(), view};
    fault = observer.observe(record, isize(view) + 1, ids);
  }
  for (const u64 id : ids)
    observer.census().ids.add(id);
  return fault ? fault->code : "";
}

inline std::vector<std::string> partial_lines(const census::Census& census) {
  std::vector<std::string> out;
  census::write_partial(census, [&out](std::string_view line) { out.emplace_back(line); });
  return out;
}

inline std::string json_report(const census::Census& census, const census::Layout& layout) {
  std::string out;
  census::report_json(census, layout, [&out](std::string_view piece) { out += piece; });
  return out;
}

}  // namespace lm::test
