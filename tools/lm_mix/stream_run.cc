#include "stream_run.h"

#include "core/str.h"
#include "io/file_header.h"

namespace lm::mix_tool {

namespace {

constexpr std::size_t kWriteBytes = std::size_t{1} << 20;

/// Whole lines without their newlines.
std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t lf = text.find('\n');
    lines.push_back(text.substr(0, lf));
    text.remove_prefix(lf + 1);
  }
  return lines;
}

using Ranks = std::vector<Ranked>;

}  // namespace

StreamRun::StreamRun(cli::Tool& tool, Stream stream, i64 first)
    : tool_(tool),
      stream_(std::move(stream)),
      first_(first),
      plan_(stream_.options, tool.seed()),
      sidecars_(tool, stream_.options.options, {plan_.id, plan_.attributes}, stream_.sidecars,
                stream_.documents, first),
      mixers_([this] { return std::make_unique<Worker>(plan_, sidecars_); }) {}

void StreamRun::check(std::vector<io::StreamHeader> headers) {
  headers_ = std::move(headers);
  for (const io::StreamHeader& header : headers_)
    declared_.add(header);
  for (const std::vector<std::string>& folder : stream_.sidecars) {
    for (const std::string& path : folder) {
      if (const std::optional<io::StreamHeader> header = io::file_header(path))
        declared_.add(*header);
    }
  }
  if (!plan_.lax) declared_.check(plan_.names, plan_.allowed);
}

void StreamRun::begin(io::OutputStream* out, bool writes, i64 shuffle_bytes) {
  out_ = out;
  if (plan_.best > 0) best_ = std::make_unique<mix::Best>(plan_.best, tool_.ctx());
  if (!writes) return;
  if (stream_.parts) {
    io::StreamHeader header = tool_.header();
    if (!stream_.name.empty()) header.params_json = stream_.options.params_json();
    for (const io::StreamHeader& above : headers_)
      header.add_input(above);
    parts_ = std::make_unique<Parts>(tool_, stream_, std::move(header));
  }
  if (plan_.weights || plan_.best > 0) spool_.emplace(tool_.ctx());
  if (plan_.shuffle)
    shuffle_ = std::make_unique<mix::Shuffle>(tool_.ctx(), shuffle_bytes, plan_.seed);
  if (plan_.window > 0)
    window_ = std::make_unique<mix::Window>(tool_.ctx(), plan_.window, plan_.seed);
}

void StreamRun::mix(io::RecordRun& records, const io::InputStream& in, io::Batch& batch) {
  // Shared only because std::any copies; the batch is the one owner.
  const std::shared_ptr<Ranks> ranks = best_ ? std::make_shared<Ranks>() : nullptr;
  Ranks none;
  mixers_.with([&](Worker& worker) {
    records.each_record(
        batch, worker.mixer.json(), [&](io::Record& record) -> std::optional<Fault> {
          io::Record joined = record;  // what is set aside is the record as it was
          if (sidecars_.any()) {
            if (std::optional<Fault> fault = worker.joiner.join(batch, joined)) return fault;
          }
          return worker.mixer.mix(joined, isize(record.line) + 1, in.name(record.input), batch.out,
                                  ranks ? *ranks : none);
        });
  });
  batch.user.reset();
  if (ranks) batch.user = ranks;
}

void StreamRun::keep(io::Batch& batch) {
  if (best_) return keep_best(batch);
  if (spool_) {
    spool_->append(split_lines(batch.out));
    batch.out.clear();
    return;
  }
  pass_on(batch);
}

void StreamRun::keep_best(io::Batch& batch) {
  const std::vector<std::string_view> lines = split_lines(batch.out);
  const Ranks& ranks = *std::any_cast<const std::shared_ptr<Ranks>&>(batch.user);
  std::vector<std::string_view> candidates;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (best_->add(ranks[i].rank, ranks[i].bytes)) candidates.push_back(lines[i]);
  }
  if (spool_) spool_->append(candidates);
  batch.out.clear();
  batch.user.reset();
}

/// Lines that are to be written, in stream order.
void StreamRun::pass_on(io::Batch& batch) {
  if (shuffle_) {
    for (const std::string_view line : split_lines(batch.out))
      shuffle_->add(line);
    batch.out.clear();
    return;
  }
  if (window_) {
    std::string leaving;
    for (const std::string_view line : split_lines(batch.out))
      window_->add(line, leaving);
    batch.out.swap(leaving);
  }
  if (parts_) {
    parts_->write(batch.out);
    batch.out.clear();
  }
}

i64 StreamRun::good() const {
  i64 out = 0;
  for (const Worker* const worker : mixers_.made())
    out += worker->mixer.counts().good();
  return out;
}

void StreamRun::end_reading(i64 rejected) {
  rejected_ = rejected;
  sidecars_.end();
  mix::SeenAttributes seen(plan_.names, plan_.attributes, plan_.asked, plan_.named);
  for (const Worker* const worker : mixers_.made()) {
    counts_.add(worker->mixer.counts());
    seen.add(worker->mixer.seen());
  }
  counts_.rules.resize(usize(plan_.rules.size()));
  counts_.cuts.resize(usize(plan_.cutter.size()));
  counts_.cleaners.resize(usize(plan_.cleaners.size()));
  if (plan_.lax) return;
  seen.check(plan_.allowed, declared_);
  for (const std::string& path : seen.unseen_fields())
    tool_.console().message(LogLevel::kWarning, cat("field ", quote(path), " is in none of ",
                                                    seen.records(), " records: is it misspelt?"));
}

void StreamRun::write_rest() {
  if (best_) replay_best();
  if (plan_.weights) replay_weighted();
  if (shuffle_) write_shuffled();
  if (window_) {
    std::string rest;
    window_->finish(rest);
    write(rest);
  }
  if (parts_) parts_->finish();
  if (counts_.kept.records > 0) return;
  const std::string said = stream_.name.empty()
                               ? std::string("no records are left")
                               : cat("stream ", stream_.name, " has no records left");
  if (stream_.options.options.on("require") && !tool_.options().on("report-only"))
    throw Error(ErrorKind::kData, said, "--require wants some, --report-only shows where they go");
  if (!stream_.name.empty()) tool_.console().message(LogLevel::kWarning, said);
}

void StreamRun::replay_best() {
  const std::vector<i64> chosen = best_->chosen();
  Tally stays{isize(chosen), best_->chosen_bytes()};
  counts_.unsampled.records += counts_.kept.records - stays.records;
  counts_.unsampled.bytes += counts_.kept.bytes - stays.bytes;
  counts_.kept = stays;
  metrics_.emplace_back("groups", cat(best_->groups()));
  best_.reset();  // its memory is the shuffle's now
  if (!spool_) return;
  i64 candidate = 0;
  std::size_t next = 0;
  spool_->replay({{StageMode::kSerial,
                   [&](io::Batch& batch) {
                     for (const std::string_view line : split_lines(batch.lines())) {
                       if (next == chosen.size() || candidate++ != chosen[next]) continue;
                       ++next;
                       append(batch.out, line, "\n");
                     }
                     pass_on(batch);
                   }}},
                 out_);
  metrics_.emplace_back("spool_bytes", cat(spool_->bytes()));
}

void StreamRun::replay_weighted() {
  rates_ = mix::source_rates(*plan_.weights, plan_.budget,
                             {counts_.sources.begin(), counts_.sources.end()});
  metrics_.emplace_back("sources", rates_json(tool_, rates_));
  if (!spool_) return;
  std::map<std::string, f64, std::less<>> by_name;
  for (const mix::SourceRate& one : rates_)
    by_name.emplace(one.source, one.rate);
  Workers<Redraw> redraws([&] { return std::make_unique<Redraw>(plan_, by_name); });
  spool_->replay({{StageMode::kParallel,
                   [&](io::Batch& batch) {
                     redraws.with([&](Redraw& redraw) {
                       for (const std::string_view line : split_lines(batch.lines()))
                         redraw.write(line, batch.out);
                     });
                   }},
                  {StageMode::kSerial, [this](io::Batch& batch) { pass_on(batch); }}},
                 out_);
  counts_.kept = {};
  for (const Redraw* const redraw : redraws.made())
    counts_.add(redraw->counts());
  metrics_.emplace_back("spool_bytes", cat(spool_->bytes()));
}

/// Writes whole lines and clears them.
void StreamRun::write(std::string& lines) {
  if (parts_) {
    parts_->write(lines);
  } else {
    io::StreamTotals totals;
    for (const std::string_view line : split_lines(lines))
      totals.add_line(line);
    out_->write(lines, totals);
  }
  lines.clear();
}

void StreamRun::write_shuffled() {
  shuffle_->finish();
  metrics_.emplace_back("spilled_bytes", cat(shuffle_->spilled_bytes()));
  std::string lines;
  while (shuffle_->next(lines)) {
    if (lines.size() >= kWriteBytes) write(lines);
  }
  write(lines);
  shuffle_.reset();
}

Metrics StreamRun::metrics() const {
  Metrics out = count_metrics(plan_, counts_, rejected_);
  out.insert(out.end(), metrics_.begin(), metrics_.end());
  return out;
}

std::string StreamRun::table() const {
  std::string out = stream_.name.empty() ? std::string() : cat("stream\t", stream_.name, "\n\n");
  if (!rates_.empty()) out += rates_table(rates_);
  return out + counts_table(plan_, counts_, rejected_);
}

}  // namespace lm::mix_tool
