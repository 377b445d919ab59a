// compare: two folders of results, or tasks of one.

#include <algorithm>

#include "core/str.h"
#include "eval/samples.h"
#include "eval_tool.h"

namespace lm::eval_tool {

namespace {

/// "A,B": at least two, each once; none where it is empty.
std::vector<std::string> names_of(const std::string& list) {
  std::vector<std::string> out;
  if (list.empty()) return out;
  for (const std::string_view name : split(list, ',')) {
    if (name.empty() || std::find(out.begin(), out.end(), name) != out.end())
      throw Error(ErrorKind::kUsage,
                  cat("--tasks: ", quote(list), " is no list of different tasks"));
    out.emplace_back(name);
  }
  if (out.size() < 2)
    throw Error(ErrorKind::kUsage, "--tasks: the first is compared with others: name two or more");
  return out;
}

}  // namespace

void run_compare(cli::Tool& tool) {
  check_device(tool);
  const std::vector<std::string> tasks = names_of(tool.options().text("tasks"));
  if (tool.files().size() != (tasks.empty() ? 2 : 1))
    throw Error(ErrorKind::kUsage, tasks.empty()
                                       ? "compare takes two folders that lm-eval run -o has written"
                                       : "compare --tasks takes one folder, which has them all");
  for (const std::string& folder : tool.files())
    tool.add_input_folder(folder);
  TextOutput out(tool);
  eval::CompareOptions options;
  options.draws = tool.options().integer("bootstrap");
  options.flips = tool.options().integer("flips");
  options.seed = tool.seed();
  const std::vector<eval::Comparison> all =
      tasks.empty() ? eval::compare_runs(tool.files()[0], tool.files()[1], options, tool.ctx())
                    : eval::compare_tasks(tool.files()[0], tasks, options, tool.ctx());
  i64 unpaired = 0;
  for (const eval::Comparison& each : all)
    unpaired = std::max(unpaired, each.only_a + each.only_b);
  if (unpaired > 0)
    tool.console().message(LogLevel::kWarning,
                           cat("up to ", unpaired,
                               " documents of a task are in one of two only and "
                               "do not count"));
  out.write(eval::compare_json(all));
}

}  // namespace lm::eval_tool
