// The sum of partial results.

#include "census/partial.h"
#include "core/str.h"
#include "stats_tool.h"

namespace lm::stats_tool {

namespace {

constexpr i64 kFitEvery = 64;  // lines, of a number each

}  // namespace

void run_merge(cli::Tool& tool) {
  tool_options::refuse_options(tool, {"shard", "on-error"}, "adds up whole partial results");
  io::InputStream& input = tool.input();
  Results results(tool);
  io::RecordRun& records = tool.records_only();
  io::JsonReader json({"part"});
  census::PartialReader reader(tool.ctx().tmp_dir);
  std::atomic<i64> all{0};
  Held held(*tool.ctx().memory, all, tool.ctx().memory->available());
  i64 at = -1;  // input
  records.run({{StageMode::kSerial, [&](io::Batch& batch) {
                  records.each_record(batch, json, [&](io::Record& record) -> std::optional<Fault> {
                    if (record.input != at) reader.end();
                    at = record.input;
                    reader.line(record.line, input.name(at), record.line_number);
                    if (record.line_number % kFitEvery == 0) held.fit(*reader.census());
                    return std::nullopt;
                  });
                  if (reader.census() != nullptr) held.fit(*reader.census());
                }}});
  reader.end();
  for (i64 i = 0; i < isize(input.inputs()); ++i) {
    if (input.inputs()[usize(i)].totals.records == 0)
      throw Error(ErrorKind::kData, cat(input.name(i), ": there is no partial result in it"),
                  "lm-stats --partial writes what can be merged");
  }
  results.write(*reader.census());
}

}  // namespace lm::stats_tool
