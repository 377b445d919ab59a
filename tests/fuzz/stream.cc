// A stream as another program may have left it: frames, header and end, lines, records, edits.

#include <algorithm>

#include "core/context.h"
#include "core/hash.h"
#include "core/str.h"
#include "fuzz.h"
#include "io/file_header.h"
#include "io/input.h"
#include "io/json.h"
#include "io/run.h"
#include "io/tags.h"

namespace {

using namespace lm;

/// All records of a file: each is read, and edited back to itself.
void read_records(const std::string& path) {
  static const LocalContext ctx;
  io::InputOptions options;
  options.files = {path};
  options.max_record_bytes = 1 << 16;
  io::InputStream in(options, ctx);
  in.headers();
  io::RunCounters counters;
  io::RecordRun run(in, nullptr, nullptr, {.mode = io::OnError::kSkip}, ctx, counters);
  io::JsonReader json({"text", "id", "a.b", "ids"});
  const auto visit = [&](io::Record& record) -> std::optional<Fault> {
    for (i64 i = 0; i < json.path_count(); ++i) {
      if (!json.has(i)) continue;
      LM_CHECK(isize(json.raw(i)) > 0, "a field has a value");
      json.text_of(i);
      LM_CHECK(!json.string(i) || json.field(i).type == io::JsonType::kString, "a string is one");
      LM_CHECK(!json.integer(i) || json.number(i), "a whole number is a number");
      std::vector<i32> ids;
      json.integers(i, 1000, ids);
    }
    std::string line;
    io::RecordEdit(json).write(line);
    LM_CHECK(trim(line) == trim(record.line), "an edit of nothing changes nothing");
    io::RecordEdit edit(json);
    edit.set(0, "\"x\"");
    const bool placed = !json.settable(2);
    if (placed) edit.set(2, "7");
    edit.remove(1);
    line.clear();
    edit.write(line);
    const i64 length = isize(line) - 1;
    line.append(usize(io::kJsonPadding), '\0');
    io::JsonReader again({"text", "a.b", "id"});
    LM_CHECK(!again.parse(std::string_view(line).substr(0, usize(length))),
             "an edited record is a record");
    LM_CHECK(again.has(0) && again.has(1) == placed && !again.has(2), "fields are set and removed");
    return std::nullopt;
  };
  run.run({{StageMode::kSerial, [&](io::Batch& batch) { run.each_record(batch, json, visit); }}});
}

/// Header and end payloads with the check they should have.
void read_tags(std::string_view bytes) {
  for (const std::string_view tag : {"LMH1", "LME1"}) {
    const std::string body = cat("{", bytes);
    const std::string payload = cat(tag, body, ",\"check\":\"", hex64(xxh64(body)), "\"}");
    if (const Result<io::StreamHeader> header = io::parse_header(payload))
      io::header_payload(*header);
    if (const Result<io::StreamEnd> end = io::parse_end(payload)) io::end_payload(*end);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  static fuzz::ScratchFile file;
  const std::string_view bytes = fuzz::text_of(data, size);
  const std::string& path = file.put(bytes);
  fuzz::refuse_or_run([&] { read_records(path); });
  fuzz::refuse_or_run([&] { io::file_header(path); });
  read_tags(bytes);
  return 0;
}
