#pragma once
// Every question counts once: what fit and eval read of one is noted with its place.

#include <string>
#include <vector>

#include "cli/tool.h"
#include "core/types.h"

namespace lm::uq_tool {

struct QuestionPlace {
  std::string id;
  f64 temperature = -1;  // -1: not said
  i64 input = 0;         // which of the tool's inputs
  i64 line = 0;
};

/// Throws Error{kData} naming both places where an id stands twice at one temperature.
/// O(n log n).
void check_once(cli::Tool& tool, std::vector<QuestionPlace> places);

}  // namespace lm::uq_tool
