// The passes over the records: one through rules, cuts and draws; a second over what was kept where
// rates are known only then; a shuffle.

#include <mutex>
#include <numeric>

#include "common/text_output.h"
#include "core/str.h"
#include "io/spool.h"
#include "mix.h"
#include "mix/shuffle.h"

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

/// Objects of worker threads that stay known, for what each of them has counted.
template <typename T>
class Workers {
 public:
  template <typename Make>
  explicit Workers(Make make)
      : pool_([this, make] {
          std::unique_ptr<T> one = make();
          const std::lock_guard<std::mutex> lock(mutex_);
          made_.push_back(one.get());
          return one;
        }) {}
  template <typename Body>
  void with(Body body) {
    pool_.with(std::move(body));
  }
  const std::vector<const T*>& made() const { return made_; }

 private:
  std::mutex mutex_;
  std::vector<const T*> made_;
  io::WorkerPool<T> pool_;
};

class MixRun {
 public:
  MixRun(cli::Tool& tool, const Plan& plan)
      : tool_(tool),
        plan_(plan),
        sidecars_(tool, plan),
        mixers_([this] { return std::make_unique<Worker>(plan_, sidecars_); }) {}

  void run() {
    tool_.input();
    if (tool_.options().on("report-only")) {
      tool_options::refuse_output_options(tool_);
      table_.emplace(tool_);
    } else {
      out_ = &tool_.output();
      if (plan_.weights) spool_.emplace(tool_.ctx());
      if (tool_.options().on("shuffle"))
        shuffle_.emplace(tool_.ctx(), tool_.ctx().memory->limit() / 2, plan_.seed);
    }
    first_reading();
    if (plan_.weights) second_reading();
    if (shuffle_) write_shuffled();
    add_metrics(tool_, plan_, counts_, rejected_);
    if (table_) table_->write(text_ + counts_table(plan_, counts_, rejected_));
  }

 private:
  void first_reading() {
    const bool direct = out_ != nullptr && !spool_ && !shuffle_;
    io::RecordRun& records = direct ? tool_.records() : tool_.records_only();
    std::vector<io::BatchStage> stages;
    if (sidecars_.any())
      stages.push_back({StageMode::kSerial, [this](io::Batch& batch) { sidecars_.take(batch); }});
    stages.push_back({StageMode::kParallel, [&](io::Batch& batch) { mix(records, batch); }});
    if (spool_) {
      stages.push_back({StageMode::kSerial, [this](io::Batch& batch) {
                          spool_->append(split_lines(batch.out));
                          batch.out.clear();
                        }});
    } else if (shuffle_) {
      stages.push_back({StageMode::kSerial, [this](io::Batch& batch) { keep(batch); }});
    }
    records.run(stages);
    sidecars_.end();

    mix::SeenAttributes seen(plan_.names, plan_.attributes, plan_.asked);
    for (const Worker* const worker : mixers_.made()) {
      counts_.add(worker->mixer.counts());
      seen.add(worker->mixer.seen());
    }
    counts_.rules.resize(usize(plan_.rules.size()));
    counts_.cuts.resize(usize(plan_.cutter.size()));
    counts_.cleaners.resize(usize(plan_.cleaners.size()));
    if (!plan_.lax) {
      seen.check(plan_.allowed);
      for (const std::string& path : seen.unseen_fields())
        tool_.console().message(LogLevel::kWarning,
                                cat("field ", quote(path), " is in none of ", seen.records(),
                                    " records: is it misspelt?"));
    }
    rejected_ = std::accumulate(records.errors().begin(), records.errors().end(), i64{0},
                                [](i64 sum, const auto& error) { return sum + error.second; });
  }

  struct Worker {
    Worker(const Plan& plan, const Sidecars& sidecars) : mixer(plan), joiner(sidecars) {}
    Mixer mixer;
    Sidecars::Joiner joiner;
  };

  void mix(io::RecordRun& records, io::Batch& batch) {
    mixers_.with([&](Worker& worker) {
      records.each_record(
          batch, worker.mixer.json(), [&](io::Record& record) -> std::optional<Fault> {
            io::Record joined = record;  // what is set aside is the record as it was
            if (sidecars_.any()) {
              if (std::optional<Fault> fault = worker.joiner.join(batch, joined)) return fault;
            }
            return worker.mixer.mix(joined, isize(record.line) + 1,
                                    tool_.input().name(record.input), batch.out);
          });
    });
    batch.user.reset();
  }

  /// Lines for the shuffle, in stream order.
  void keep(io::Batch& batch) {
    for (const std::string_view line : split_lines(batch.out))
      shuffle_->add(line);
    batch.out.clear();
  }

  void second_reading() {
    const std::vector<mix::SourceRate> rates = mix::source_rates(
        *plan_.weights, plan_.budget, {counts_.sources.begin(), counts_.sources.end()});
    report_rates(tool_, rates);
    if (table_) {
      text_ = rates_table(rates);
      return;
    }
    std::map<std::string, f64, std::less<>> by_name;
    for (const mix::SourceRate& one : rates)
      by_name.emplace(one.source, one.rate);
    Workers<Redraw> redraws([&] { return std::make_unique<Redraw>(plan_, by_name); });
    std::vector<io::BatchStage> stages = {{StageMode::kParallel, [&](io::Batch& batch) {
                                             redraws.with([&](Redraw& redraw) {
                                               for (const std::string_view line :
                                                    split_lines(batch.lines()))
                                                 redraw.write(line, batch.out);
                                             });
                                           }}};
    if (shuffle_) stages.push_back({StageMode::kSerial, [this](io::Batch& batch) { keep(batch); }});
    spool_->replay(stages, shuffle_ ? nullptr : out_);
    counts_.kept = {};
    for (const Redraw* const redraw : redraws.made())
      counts_.add(redraw->counts());
    tool_.add_metric("spool_bytes", cat(spool_->bytes()));
  }

  void write_shuffled() {
    shuffle_->finish();
    tool_.add_metric("spilled_bytes", cat(shuffle_->spilled_bytes()));
    std::string lines;
    io::StreamTotals totals;
    const auto flush = [&] {
      out_->write(lines, totals);
      lines.clear();
      totals = {};
    };
    for (std::size_t at = 0; shuffle_->next(lines); at = lines.size()) {
      totals.add_line(std::string_view(lines).substr(at, lines.size() - at - 1));
      if (lines.size() >= kWriteBytes) flush();
    }
    flush();
  }

  cli::Tool& tool_;
  const Plan& plan_;
  std::optional<tool_options::TextOutput> table_;  // instead of records
  io::OutputStream* out_ = nullptr;
  std::optional<io::Spool> spool_;       // what the first reading keeps, with weights
  std::optional<mix::Shuffle> shuffle_;  // what is to be written
  Sidecars sidecars_;
  Workers<Worker> mixers_;
  Counts counts_;
  i64 rejected_ = 0;
  std::string text_;  // of the rates
};

}  // namespace

void run_mix(cli::Tool& tool) {
  const Plan plan(tool.options(), tool.seed());
  MixRun(tool, plan).run();
}

}  // namespace lm::mix_tool
