// compare: two folders of results.

#include "core/str.h"
#include "eval/samples.h"
#include "eval_tool.h"

namespace lm::eval_tool {

void run_compare(cli::Tool& tool) {
  check_device(tool);
  if (tool.files().size() != 2)
    throw Error(ErrorKind::kUsage, "compare takes two folders that lm-eval run -o has written");
  for (const std::string& folder : tool.files())
    tool.add_input_folder(folder);
  TextOutput out(tool);
  eval::CompareOptions options;
  options.draws = tool.options().integer("bootstrap");
  options.flips = tool.options().integer("flips");
  options.seed = tool.seed();
  const std::vector<eval::Comparison> all =
      eval::compare_runs(tool.files()[0], tool.files()[1], options, tool.ctx());
  i64 unpaired = 0;
  for (const eval::Comparison& each : all)
    unpaired = std::max(unpaired, each.only_a + each.only_b);
  if (unpaired > 0)
    tool.console().message(LogLevel::kWarning, cat("up to ", unpaired,
                                                   " documents of a task are in one run only and "
                                                   "do not count"));
  out.write(eval::compare_json(all));
}

}  // namespace lm::eval_tool
