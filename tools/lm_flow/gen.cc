// gen: instances of a problem, with answers.

#include "core/str.h"
#include "flow.h"

namespace lm::flow_tool {

void run_gen(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const flow::Problem problem = take_problem(tool);
  refuse_files(tool);
  const bool needles = problem == flow::Problem::kNeedle || problem == flow::Problem::kMultiNeedle;
  if (!options.on("target") && !needles)
    throw Error(ErrorKind::kUsage, "--no-target: only needles can be absent");
  const std::vector<i64> lengths =
      whole_list(options, "length", 1, {needles ? i64{4000} : i64{200}});
  const std::string& half = options.text("half");
  tool.set_param("problem",
                 cat("\"", flow::problem_names()[static_cast<std::size_t>(problem)], "\""));
  io::OutputStream& out = tool.output();
  for (const i64 length : lengths) {
    const flow::InstanceOptions instance{.length = length, .target = options.on("target")};
    for (i64 i = 0; i < options.integer("records"); ++i) {
      const i64 number = half == "calibrate" ? flow::calibration_number(i)
                         : half == "check"   ? flow::check_number(i)
                                             : i;
      const std::string line = flow::instance_json(
          problem, instance, flow::make_instance(problem, instance, tool.seed(), number));
      io::StreamTotals totals;
      totals.add_line(line);
      out.write(line + "\n", totals);
      ++tool.counters().records_out;
    }
  }
}

}  // namespace lm::flow_tool
