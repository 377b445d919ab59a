#include "io/run.h"

#include <algorithm>

#include "core/str.h"
#include "core/utf8.h"

namespace lm::io {

namespace {

constexpr i64 kShownPerCode = 5;
constexpr i64 kShareFrom = 1000;
constexpr std::size_t kRawKept = std::size_t{1} << 20;  // of an overlong record, in rejects

std::string reject_line(const std::string& name, const BadRecord& bad) {
  std::string out =
      cat("{\"error\":{\"code\":", json_string(bad.fault.code),
          ",\"detail\":", json_string(bad.fault.detail), ",\"file\":", json_string(name),
          ",\"line\":", bad.line, ",\"offset\":", bad.byte, "},");
  if (is_valid_utf8(bad.raw)) {
    append(out, "\"raw\":", json_string(bad.raw), "}\n");
  } else {
    append(out, "\"raw_b64\":\"", base64(bad.raw), "\"}\n");
  }
  return out;
}

/// Texts that were written, for the batches behind them: fresh pages for every batch cost as much
/// as a parser. As many as there are batches at work.
class SpareTexts {
 public:
  std::string take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (texts_.empty()) return {};
    std::string text = std::move(texts_.back());
    texts_.pop_back();
    text.clear();
    return text;
  }
  void give(std::string text) {
    constexpr std::size_t kMost = std::size_t{32} << 20;  // what a rare batch grew to is not kept
    if (text.capacity() > kMost) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    texts_.push_back(std::move(text));
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;
};

void sum_lines(Batch& batch) {
  std::string_view rest = batch.out;
  while (!rest.empty()) {
    const std::size_t lf = rest.find('\n');
    batch.out_totals.add_line(rest.substr(0, lf));
    rest.remove_prefix(lf + 1);
  }
}

}  // namespace

RecordRun::RecordRun(InputStream& in, OutputStream* out, OutputStream* rejects, ErrorPolicy policy,
                     const Context& ctx, RunCounters& counters)
    : in_(in),
      out_(out),
      rejects_(rejects),
      policy_(policy),
      ctx_(ctx),
      counters_(counters),
      max_record_bytes_(in.max_record_bytes()) {}

void RecordRun::map(const std::vector<std::string>& paths,
                    const std::function<std::unique_ptr<RecordMapper>()>& make_mapper) {
  struct Worker {
    JsonReader json;
    std::unique_ptr<RecordMapper> mapper;
  };
  WorkerPool<Worker> pool([&] {
    return std::unique_ptr<Worker>(new Worker{JsonReader(paths), make_mapper()});
  });
  run({{StageMode::kParallel, [&](Batch& batch) {
          pool.with([&](Worker& worker) {
            each_record(batch, worker.json, [&](Record& record) -> std::optional<Fault> {
              const std::size_t before = batch.out.size();
              std::optional<Fault> fault = worker.mapper->map(record, batch.out);
              if (fault) batch.out.resize(before);
              return fault;
            });
          });
        }}});
  pool.each([](Worker& worker) { worker.mapper->finish(); });
}

void RecordRun::run(const std::vector<BatchStage>& stages) {
  std::vector<PipelineStage> chain;
  chain.push_back({StageMode::kParallel,
                   [this](PipelineItem& item) { in_.decode(static_cast<Batch&>(item)); }});
  chain.push_back({StageMode::kSerial, [this](PipelineItem& item) {
                     Batch& batch = static_cast<Batch&>(item);
                     if (!batch.error) in_.stitch(batch);
                   }});
  SpareTexts spares;
  chain.push_back({StageMode::kParallel, [&spares](PipelineItem& item) {
                     static_cast<Batch&>(item).out = spares.take();
                   }});
  std::vector<Stage*> times;
  for (const BatchStage& stage : stages) {
    Stage& time = ctx_.stages->stage(stage.name);
    if (std::find(times.begin(), times.end(), &time) == times.end()) times.push_back(&time);
    chain.push_back({stage.mode, [&stage, &time](PipelineItem& item) {
                       Batch& batch = static_cast<Batch&>(item);
                       if (batch.error) return;
                       const StageTimer timer(time);
                       try {
                         stage.run(batch);
                       } catch (...) {  // reported in stream order by account()
                         batch.error = std::current_exception();
                       }
                     }});
  }
  chain.push_back(
      {StageMode::kParallel, [](PipelineItem& item) { sum_lines(static_cast<Batch&>(item)); }});
  chain.push_back({StageMode::kSerial, [this, &times, &spares](PipelineItem& item) {
                     Batch& batch = static_cast<Batch&>(item);
                     sink(batch);
                     spares.give(std::move(batch.out));
                     for (Stage* time : times)
                       time->records += batch.in.records;
                   }});
  batch_pipeline(
      ctx_.threads, [this] { return in_.next(); }, chain);
  end();
}

void RecordRun::end() {
  check_limits(true);
  for (const auto& [code, count] : errors_) {
    if (count > kShownPerCode) {
      ctx_.log->message(LogLevel::kWarning,
                        cat(code, ": ", count - kShownPerCode, " more bad records"));
    }
  }
  if (!errors_.empty()) {
    std::string summary;
    for (const auto& [code, count] : errors_)
      append(summary, summary.empty() ? "" : ", ", code, " ", count);
    ctx_.log->message(LogLevel::kWarning, cat(counters_.errors.load(), " bad records ",
                                              policy_.mode == OnError::kSkip         ? "skipped"
                                              : policy_.mode == OnError::kQuarantine ? "set aside"
                                                                                     : "annotated",
                                              " (", summary, ")"));
  }
}

void RecordRun::complete(Batch& batch) {
  sum_lines(batch);
  sink(batch);
}

std::optional<Fault> RecordRun::check_line(std::string_view line) const {
  if (isize(line) > max_record_bytes_) {
    return Fault{"too_long",
                 cat("record is longer than --max-record ", format_bytes(max_record_bytes_)), -1};
  }
  return std::nullopt;
}

void RecordRun::each_record(Batch& batch, JsonReader& json,
                            const std::function<std::optional<Fault>(Record&)>& visit) const {
  const std::string_view lines = batch.lines();
  i64 number = batch.first_line;
  std::size_t at = 0;
  while (at < lines.size()) {
    const std::size_t lf = lines.find('\n', at);
    std::string_view line = lines.substr(at, lf - at);
    const i64 byte = batch.first_byte + static_cast<i64>(at);
    at = lf + 1;
    ++number;
    if (number == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      ++batch.blank_lines;
      continue;
    }
    batch.in.add_line(line);
    const u64 ordinal = static_cast<u64>(batch.input) << 40 | static_cast<u64>(number - 1);
    Record record{json, line, batch.input, number, byte, ordinal, &batch};
    std::optional<Fault> fault = check_line(line);
    if (!fault) fault = json.parse(line);
    if (!fault) fault = visit(record);
    if (!fault) continue;
    const bool first = batch.first_line == 0 && number - 1 == batch.blank_lines;
    std::string hint;
    if (first && fault->code == "json") hint = in_.conversion(batch.input, line);
    add_bad(batch, record, std::move(*fault));
    batch.bad.back().hint = std::move(hint);
  }
}

void RecordRun::add_bad(Batch& batch, const Record& record, Fault fault) const {
  BadRecord bad;
  bad.line = record.line_number;
  bad.byte = record.byte;
  JsonReader with_id({"id"});
  const bool parsed = fault.code != "too_long" && !with_id.parse(record.line);
  if (parsed && with_id.has(0)) {
    const bool text = with_id.field(0).type == JsonType::kString;
    const Result<std::string_view> id =
        text ? with_id.string(0) : Result<std::string_view>(with_id.raw(0));
    if (id) bad.id = *id;
  }
  if (policy_.mode == OnError::kQuarantine) bad.raw = record.line.substr(0, kRawKept);
  if (policy_.mode == OnError::kAnnotate) {
    const std::string error =
        cat("{\"code\":", json_string(fault.code), ",\"message\":", json_string(fault.detail), "}");
    JsonReader whole({"error"});
    if (parsed && !whole.parse(record.line)) {
      RecordEdit edit(whole);
      edit.set(0, error);
      edit.write(batch.out);
    } else {
      const std::string_view raw = record.line.substr(0, kRawKept);
      append(batch.out, "{\"error\":", error, is_valid_utf8(raw) ? ",\"raw\":" : ",\"raw_b64\":",
             is_valid_utf8(raw) ? json_string(raw) : cat("\"", base64(raw), "\""), "}\n");
    }
  }
  bad.fault = std::move(fault);
  const auto behind =
      std::upper_bound(batch.bad.begin(), batch.bad.end(), bad.line,
                       [](i64 line, const BadRecord& other) { return line < other.line; });
  batch.bad.insert(behind, std::move(bad));
}

std::string RecordRun::location(const Batch& batch, const BadRecord& bad) const {
  std::string out = cat(in_.name(batch.input), ":", bad.line, ": ", bad.fault.detail,
                        bad.id.empty() ? "" : cat(" (record id ", quote(bad.id), ")"));
  if (ctx_.log->enabled(LogLevel::kInfo)) {
    append(out, " (byte ", bad.byte + std::max<i64>(bad.fault.offset, 0));
    if (batch.frame_offset >= 0)
      append(out, ", in the frame at compressed byte ", batch.frame_offset);
    out += ")";
  }
  return out;
}

void RecordRun::sink(Batch& batch) {
  if (in_.behind_stop(batch)) return;
  // A bad record comes before whatever made the batch fail.
  for (const BadRecord& bad : batch.bad)
    handle_bad(batch, bad);
  in_.account(batch);
  blank_lines_ += batch.blank_lines;
  counters_.records_in += batch.in.records;
  counters_.bytes_in += batch.in.bytes;
  counters_.records_out += batch.out_totals.records;
  if (ctx_.log->enabled(LogLevel::kTrace)) {
    ctx_.log->message(LogLevel::kTrace,
                      cat("batch ", batch.number, ": ", in_.name(batch.input), " from line ",
                          batch.first_line + 1, ", ", batch.in.records, " records in, ",
                          batch.out_totals.records, " out, ", batch.bad.size(), " bad"));
  }
  if (!batch.bad.empty()) check_limits(false);
  if (out_ != nullptr) out_->take(batch.out, batch.out_totals);
}

void RecordRun::handle_bad(const Batch& batch, const BadRecord& bad) {
  const std::string& name = in_.name(batch.input);
  if (policy_.mode == OnError::kFail) {
    throw Error(
        ErrorKind::kData, location(batch, bad),
        !bad.hint.empty()
            ? bad.hint
            : "--on-error=quarantine --rejects=bad.jsonl keeps going and stores such records");
  }
  ++counters_.errors;
  const i64 count = ++errors_[bad.fault.code];
  if (count <= kShownPerCode) ctx_.log->message(LogLevel::kWarning, location(batch, bad));
  if (policy_.mode == OnError::kQuarantine && rejects_ != nullptr) {
    const std::string line = reject_line(name, bad);
    StreamTotals totals;
    totals.add_line(std::string_view(line).substr(0, line.size() - 1));
    rejects_->write(line, totals);
  }
}

void RecordRun::check_limits(bool at_end) const {
  const i64 errors = counters_.errors.load();
  if (policy_.max_errors > 0 && errors > policy_.max_errors) {
    throw Error(ErrorKind::kData,
                cat("more than --max-errors ", policy_.max_errors, " bad records"));
  }
  const i64 seen = counters_.records_in.load();
  // Per cent stay per cent: 29 of 100 are not more than 29%, but 29 > 0.29 * 100.
  if (policy_.max_error_percent > 0 && (at_end || seen >= kShareFrom) &&
      static_cast<f64>(errors) * 100 > policy_.max_error_percent * static_cast<f64>(seen)) {
    throw Error(ErrorKind::kData,
                cat(errors, " bad records of ", seen, " are more than --max-errors ",
                    policy_.max_error_percent, "%"));
  }
}

std::vector<StreamTotals> RecordRun::input_totals() const {
  std::vector<StreamTotals> totals;
  for (const InputSummary& input : in_.inputs())
    totals.push_back(input.totals);
  return totals;
}

}  // namespace lm::io
