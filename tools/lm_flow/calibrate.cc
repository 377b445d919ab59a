// calibrate: what single calls cost and get wrong, as a file.

#include <algorithm>
#include <atomic>

#include "common/text_output.h"
#include "core/str.h"
#include "flow.h"

namespace lm::flow_tool {

void run_calibrate(cli::Tool& tool) {
  const flow::Problem problem = take_problem(tool);
  refuse_files(tool);
  flow::MeasureOptions measure = measure_options(tool, problem);
  const std::vector<i64> sizes =
      whole_list(tool.options(), "sizes", 1, default_grid(problem).sizes);
  const u64 key = measure.graph(*std::min_element(sizes.begin(), sizes.end())).key;
  tool_options::TextOutput out(tool);
  Engine engine(tool);
  // Read by the thread that shows progress.
  std::atomic<i64> done{0};
  std::atomic<i64> all{0};
  const cli::StatusScope status = tool.set_status(
      [&] { return cat(done.load(), " of ", all.load(), " calibrating instances"); });
  measure.progress = [&](i64 now, i64 total) {
    done = now;
    all = total;
  };
  flow::Calibration calibration = [&] {
    const StageTimer timer(tool.ctx().stages->stage("calibrate"));
    return flow::calibrate(engine.answerer(), sizes, measure);
  }();
  calibration.graph_key = key;
  calibration.model = engine.identity().model;
  tool.console().message(LogLevel::kInfo, describe(calibration));
  tool.add_metric("calibration", cat("{\"calls\":", calibration.samples.size(), "}"));
  out.write(flow::calibration_json(calibration));
}

}  // namespace lm::flow_tool
