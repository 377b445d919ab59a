#include "io/json_parse.h"

#include "core/str.h"
#include "io/json_problem.h"

namespace lm::io {

Result<Json> parse_json(std::string_view text) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!json.is_discarded()) return json;
  const JsonProblem problem = json_problem(text).value_or(JsonProblem{1, 1, 0, {}, false});
  return Fault{"json",
               cat("line ", problem.line, ", column ", problem.column, ": ",
                   problem.value ? problem.reason : "not valid JSON"),
               problem.byte};
}

}  // namespace lm::io
