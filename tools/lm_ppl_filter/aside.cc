// Records of a file beside the inputs.

#include "filter.h"

namespace lm::filter_tool {

void read_aside(cli::Tool& tool, const std::string& file, const std::vector<std::string>& paths,
                const std::function<std::optional<Fault>(io::JsonReader& json)>& take) {
  io::InputOptions input;
  input.files = {file};
  input.max_record_bytes = tool.options().integer("max-record");
  io::InputStream in(input, tool.ctx());
  io::RunCounters counters;
  io::RecordRun run(in, nullptr, nullptr, {.mode = io::OnError::kFail}, tool.ctx(), counters);
  io::JsonReader json(paths);
  run.run({{StageMode::kSerial, [&](io::Batch& batch) {
              run.each_record(batch, json, [&](io::Record&) { return take(json); });
            }}});
}

}  // namespace lm::filter_tool
