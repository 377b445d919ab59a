// The sum of partial results.

#include "census/partial.h"
#include "core/str.h"
#include "stats_tool.h"

namespace lm::stats_tool {

void run_merge(cli::Tool& tool) {
  tool_options::refuse_options(tool, {"shard", "on-error"}, "adds up whole partial results");
  io::InputStream& input = tool.input();
  Results results(tool);
  io::RecordRun& records = tool.records_only();
  io::JsonReader json({"part"});
  census::PartialReader reader;
  i64 at = -1;  // input
  records.run({{StageMode::kSerial, [&](io::Batch& batch) {
                  records.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
                    if (record.input != at) reader.end();
                    at = record.input;
                    reader.line(record.line, input.name(at), record.line_number);
                    return std::nullopt;
                  });
                }}});
  reader.end();
  if (reader.partials() == 0)
    throw Error(ErrorKind::kData, "there is no partial result in the input",
                "lm-stats --partial writes what can be merged");
  results.write(reader.census());
}

}  // namespace lm::stats_tool
