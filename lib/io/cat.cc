#include "io/cat.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include "core/str.h"
#include "io/input_source.h"

namespace lm::io {

namespace {

// Passes over one data frame without keeping or decoding it. Returns what is wrong, or null.
const char* skip_data_frame(RawBuffer& raw, const FrameInfo& info) {
  const bool checksum = static_cast<u8>(raw.view()[4]) & 4;
  raw.consume(info.header);
  while (true) {
    if (!raw.fill(3)) return "ended inside a frame";
    const std::string_view v = raw.view();
    const u32 block = static_cast<u32>(static_cast<u8>(v[0])) |
                      static_cast<u32>(static_cast<u8>(v[1])) << 8 |
                      static_cast<u32>(static_cast<u8>(v[2])) << 16;
    const u32 type = block >> 1 & 3;
    if (type == 3 || block >> 3 > (128 << 10)) return "corrupt block header";
    if (!raw.skip(3 + (type == 1 ? 1 : i64{block >> 3}))) return "ended inside a frame";
    if (block & 1) return checksum && !raw.skip(4) ? "ended inside a frame" : nullptr;
  }
}

// The state of a walk over the frames of one input.
struct FrameCheck {
  CheckResult result;
  bool ended = false;
  bool open = false;

  // False when the rest is not worth reading.
  bool tag(std::string_view payload) {
    if (is_header_tag(payload)) {
      if (open || !parse_header(payload)) result.detail = "damaged or repeated header frame";
      open = true;
      ended = false;
    } else {
      const Result<StreamEnd> end = parse_end(payload);
      if (!end) {
        result.detail = end.fault().detail;
      } else {
        result.totals.add(end->totals);
        open = false;
        ended = true;
      }
    }
    return result.detail.empty();
  }
};

}  // namespace

CheckResult check_frames(const std::string& file) {
  Fd fd = file == "-" ? Fd(::dup(STDIN_FILENO)) : open_input(file);
  RawBuffer raw(std::move(fd), input_display_name(file));
  FrameCheck state;
  if (raw.fill(isize(kGzipMagic)) && raw.view().starts_with(kGzipMagic)) {
    state.result.detail = "gzip, which has no end frame; --check=full reads it";
    return state.result;
  }
  const FrameWalker walker;
  while (raw.fill(1) && state.result.detail.empty()) {
    FrameInfo info = walker.peek(raw.view());
    while (info.kind == FrameKind::kNeedMore && raw.fill(raw.available() + 1))
      info = walker.peek(raw.view());
    const i64 at = raw.offset();
    const char* problem = nullptr;
    if (info.kind == FrameKind::kData) {
      state.ended = false;
      problem = skip_data_frame(raw, info);
    } else if (info.kind == FrameKind::kSkippable) {
      const bool tagged = info.magic == kLmMagic && info.content <= kMaxTagPayload &&
                          raw.fill(info.total) && has_lm_tag(raw.view().substr(8));
      if (tagged && !state.tag(raw.view().substr(8, usize(info.content)))) break;
      if (!raw.skip(info.total)) problem = "ended inside a frame";
    } else {
      problem = info.kind != FrameKind::kBad ? "ended inside a frame header"
                : at == 0                    ? "no zstd stream"
                                             : info.problem;
    }
    if (problem != nullptr) state.result.detail = cat(problem, " at byte ", at);
  }
  state.result.complete = state.ended && !state.open && state.result.detail.empty();
  if (!state.ended && state.result.detail.empty()) state.result.detail = "no end frame";
  return state.result;
}

namespace {

// Reads everything. ended: an end frame closed the input; bad: records that are no JSON objects.
StreamTotals read_through(const std::string& file, const Context& ctx, bool& ended, i64& bad) {
  InputOptions options;
  options.files = {file};
  options.max_record_bytes = i64{1} << 40;
  options.allow_empty = true;
  InputStream in(options, ctx);
  RunCounters counters;
  RecordRun run(in, nullptr, nullptr, {.mode = OnError::kSkip}, ctx, counters);
  WorkerPool<JsonReader> readers(
      [] { return std::make_unique<JsonReader>(std::vector<std::string>{}); });
  run.run({{StageMode::kParallel,
            [&](Batch& batch) {
              readers.with([&](JsonReader& json) {
                run.each_record(batch, json, [](Record&) { return std::nullopt; });
              });
            }},
           {StageMode::kSerial, [&](Batch& batch) {
              if (batch.end) ended = true;
              if (batch.begin || (batch.in.records > 0 && !batch.end)) ended = false;
            }}});
  bad = counters.errors.load();
  return run.input_totals().front();
}

}  // namespace

CheckResult check_records(const std::string& file, const Context& ctx) {
  CheckResult result;
  bool ended = false;
  i64 bad = 0;
  try {
    result.totals = read_through(file, ctx, ended, bad);
    if (bad > 0) result.detail = cat(bad, " bad records");
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kData) throw;
    result.detail = e.message();
  }
  result.complete = ended && result.detail.empty();
  if (!ended && result.detail.empty()) result.detail = "no end frame";
  return result;
}

StreamTotals count_records(const std::string& file, const Context& ctx) {
  bool ended = false;
  i64 bad = 0;
  return read_through(file, ctx, ended, bad);
}

namespace {

// Whether an escape names half of a surrogate pair. line is JSON otherwise.
bool has_lone_surrogate(std::string_view line) {
  const auto unit_at = [line](std::size_t at) -> u32 {  // of \uXXXX, or 0
    if (at + 6 > line.size() || line[at] != '\\' || line[at + 1] != 'u') return 0;
    u32 unit = 0;
    const std::from_chars_result end =
        std::from_chars(line.data() + at + 2, line.data() + at + 6, unit, 16);
    return end.ptr == line.data() + at + 6 ? unit : 0;
  };
  for (std::size_t at = line.find('\\'); at != std::string_view::npos; at = line.find('\\', at)) {
    const u32 unit = unit_at(at);
    if (unit >= 0xDC00 && unit <= 0xDFFF) return true;
    const bool high = unit >= 0xD800 && unit <= 0xDBFF;
    const u32 next = high ? unit_at(at + 6) : 0;
    if (high && (next < 0xDC00 || next > 0xDFFF)) return true;
    at += high ? 12 : 2;
  }
  return false;
}

// A strict pass over every value of a record.
class FullValidator {
 public:
  std::optional<Fault> check(std::string_view line) {
    const simdjson::error_code error = parser_.parse(line.data(), line.size(), false).error();
    if (!error) return std::nullopt;
    if (error == simdjson::STRING_ERROR && has_lone_surrogate(line))
      return Fault{"utf8", "lone surrogate escape", -1};
    return Fault{error == simdjson::UTF8_ERROR ? "utf8" : "json", simdjson::error_message(error),
                 -1};
  }

 private:
  simdjson::dom::parser parser_;
};

struct CatWorker {
  JsonReader json{std::vector<std::string>{}};
  FullValidator validator;
};

// Copies good records; batch.user gets their line numbers (for --head).
BatchStage copy_stage(RecordRun& run, WorkerPool<CatWorker>& workers, bool full) {
  return {StageMode::kParallel,
          [&run, &workers, full](Batch& batch) {
            workers.with([&](CatWorker& worker) {
              std::vector<i64> lines;
              batch.out.reserve(usize(batch.text_size));
              run.each_record(batch, worker.json, [&](Record& record) -> std::optional<Fault> {
                if (full) {
                  if (std::optional<Fault> fault = worker.validator.check(record.line))
                    return fault;
                }
                batch.out.append(record.line);
                batch.out.push_back('\n');
                lines.push_back(record.line_number);
                return std::nullopt;
              });
              batch.user = std::move(lines);
            });
          },
          "copy"};
}

}  // namespace

void cat_records(RecordRun& run, InputStream& in, const CatOptions& options) {
  WorkerPool<CatWorker> workers([] { return std::make_unique<CatWorker>(); });
  std::vector<BatchStage> stages = {copy_stage(run, workers, options.validate_full)};
  i64 left = options.head.value_or(0);
  if (options.head) {
    stages.push_back(
        {StageMode::kSerial, [&](Batch& batch) {
           const std::vector<i64>& lines = std::any_cast<const std::vector<i64>&>(batch.user);
           const i64 take = std::min(left, isize(lines));
           std::size_t at = 0;
           for (i64 i = 0; i < take; ++i)
             at = batch.out.find('\n', at) + 1;
           batch.out.resize(at);
           if (take == left && !in.behind_stop(batch)) {
             // What lies behind the cut is none of our business, bad records included.
             const i64 cut = take > 0 ? lines[usize(take - 1)] : 0;
             std::erase_if(batch.bad, [cut](const BadRecord& bad) { return bad.line > cut; });
             in.stop(batch);
           }
           left -= take;
         }});
  }
  run.run(stages);
}

std::string part_name(const std::string& pattern, i64 index, i64 parts) {
  std::string out;
  i64 used = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out.push_back(pattern[i]);
      continue;
    }
    if (i + 1 < pattern.size() && pattern[i + 1] == '%') {
      out.push_back('%');
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < pattern.size() && pattern[end] >= '0' && pattern[end] <= '9')
      ++end;
    const std::string_view width = std::string_view(pattern).substr(i + 1, end - i - 1);
    const i64 digits = width.empty() ? 0 : parse_int(width).value_or(99);
    if (end == pattern.size() || pattern[end] != 'd' || digits > 20 || used == 2) {
      throw Error(ErrorKind::kUsage,
                  cat("--output: ", quote(pattern), " is not a name with one or two %d or %05d"));
    }
    std::string number = cat(used++ == 0 ? index : parts);
    if (isize(number) < digits) number.insert(0, usize(digits - isize(number)), '0');
    out += number;
    i = end;
  }
  if (used == 0)
    throw Error(ErrorKind::kUsage,
                cat("--output: ", quote(pattern), " has no %d for the part number"));
  return out;
}

void split_records(RecordRun& run, const std::string& pattern, i64 parts,
                   const StreamOutputOptions& form, StreamHeader header, InputStream& in,
                   const CatOptions& options, const Context& ctx) {
  std::vector<std::unique_ptr<OutputStream>> outputs;
  for (const StreamHeader& above : in.headers())
    header.add_input(above);
  for (i64 i = 0; i < parts; ++i) {
    StreamOutputOptions one = form;
    one.path = part_name(pattern, i, parts);
    outputs.push_back(std::make_unique<OutputStream>(one, ctx));
    outputs.back()->begin(header);
  }
  WorkerPool<CatWorker> workers([] { return std::make_unique<CatWorker>(); });
  i64 turn = 0;
  i64 in_turn = 0;
  run.run({copy_stage(run, workers, options.validate_full),
           {StageMode::kSerial, [&](Batch& batch) {
              std::string_view rest = batch.out;
              while (!rest.empty()) {
                // A turn ends with the record that fills it, so the parts depend on the records
                // only.
                StreamTotals totals;
                std::size_t at = 0;
                while (at < rest.size() && in_turn < kFrameBytes) {
                  const std::size_t end = rest.find('\n', at) + 1;
                  totals.add_line(rest.substr(at, end - 1 - at));
                  in_turn += static_cast<i64>(end - at);
                  at = end;
                }
                outputs[usize(turn)]->write(rest.substr(0, at), totals);
                rest.remove_prefix(at);
                if (in_turn >= kFrameBytes) {
                  turn = (turn + 1) % parts;
                  in_turn = 0;
                }
              }
              batch.out.clear();
            }}});
  for (const std::unique_ptr<OutputStream>& out : outputs)
    out->finish(run.input_totals());
  for (const std::unique_ptr<OutputStream>& out : outputs)
    out->commit();
}

}  // namespace lm::io
