// One reading of a stream: each worker counts for itself, the counts are added up at the end.

#include <mutex>
#include <numeric>

#include "census/observer.h"
#include "common/rule_options.h"
#include "common/sidecars.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "stats_tool.h"

namespace lm::stats_tool {

namespace {

// A new group takes 1.4 KB for each of its numbers: a batch of records may make a gigabyte of them.
constexpr i64 kFitEvery = 8;  // records
constexpr i64 kMostRuleBytes = i64{16} << 20;

census::Plan plan_of(const cli::Tool& tool) {
  const cli::Options& options = tool.options();
  census::Plan plan;
  plan.field = options.text("field");
  const std::string& discover = options.text("discover");
  plan.discover = discover == "yes" || (discover == "auto" && options.list("number").empty());
  for (const std::string& text : options.list("edges"))
    plan.edges.push_back(census::EdgeLabel::parse(text));
  plan.tops = options.list("top");
  plan.group = options.text("group");
  if (options.given("cross")) {
    for (const std::string_view field : split(options.text("cross"), ','))
      plan.cross.emplace_back(field);
    if (plan.cross.size() != 2)
      throw Error(ErrorKind::kUsage,
                  cat("--cross: ", quote(options.text("cross")), " is not FIELD,FIELD"));
  }
  plan.on_missing = options.text("on-missing");
  plan.tokens = options.text("count");
  plan.examples = options.integer("examples");
  plan.extract = options.integer("extract");
  plan.exact = options.on("exact");
  plan.values = options.integer("values");
  plan.ids = options.integer("ids");
  plan.seed = tool.seed();
  return plan;
}

census::Survey survey_of(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  std::vector<census::RuleText> rules;
  for (const std::string& text : options.list("where"))
    rules.push_back({mix::RuleKind::kWhere, text, "--where"});
  for (const std::string& text : options.list("drop"))
    rules.push_back({mix::RuleKind::kDrop, text, "--drop"});
  if (options.given("rules")) {
    const std::string& file = options.text("rules");
    const std::string text = io::read_file(file, kMostRuleBytes);
    tool.set_param("rules_digest", cat("\"", hex64(xxh3_64(text)), "\""));
    for (census::RuleText& rule : census::read_rules(text, file))
      rules.push_back(std::move(rule));
  }
  census::Survey survey(plan_of(tool), tool_options::on_missing(options), rules,
                        options.list("number"));
  const std::vector<std::string> allowed = tool_options::allowed_names(options, survey.names);
  if (!options.on("lax-attributes")) survey.require_attributes(allowed);
  return survey;
}

std::vector<std::string> documents_of(const cli::Tool& tool) {
  return tool.files().empty() ? std::vector<std::string>{"-"} : tool.files();
}

class CountRun {
 public:
  CountRun(cli::Tool& tool, const census::Survey& survey)
      : tool_(tool),
        survey_(survey),
        budget_(*tool.ctx().memory),
        share_((budget_.available() -
                std::min(census::Repeats::most_bytes(survey.plan.ids), budget_.available() / 2)) /
               (tool.ctx().threads + 1)),
        spill_(tool.ctx().tmp_dir, survey.plan),
        total_(survey.plan, &spill_),
        held_(budget_, all_, budget_.available()),
        sidecars_(tool, tool.options(), {survey.id, survey.attributes},
                  tool_options::sidecar_paths(tool.options(), documents_of(tool)),
                  documents_of(tool), 0) {}

  census::Census& run() {
    io::RecordRun& records = tool_.records_only();
    io::WorkerPool<Worker> pool([this] {
      auto worker = std::make_unique<Worker>(*this);
      const std::lock_guard<std::mutex> lock(mutex_);
      workers_.push_back(worker.get());
      return worker;
    });
    records.run({{StageMode::kSerial,
                  [this](io::Batch& batch) {
                    if (sidecars_.any()) sidecars_.take(batch);
                  }},
                 {StageMode::kParallel, [&](io::Batch& batch) { count(records, pool, batch); }},
                 {StageMode::kSerial, [this](io::Batch& batch) { take_ids(batch); }}});
    sidecars_.end();
    const bool spilled = spill_.bytes() > 0;
    for (Worker* const worker : workers_) {
      if (spilled) worker->observer.census().spill();
      worker->held.fit(worker->observer.census());
    }
    for (Worker* const worker : workers_) {
      total_.add(std::move(worker->observer.census()));
      worker->held.release();
      held_.fit(total_);
    }
    total_.rejected =
        std::accumulate(records.errors().begin(), records.errors().end(), i64{0},
                        [](i64 sum, const auto& error) { return sum + error.second; });
    tool_.add_metric("spilled_bytes", cat(spill_.bytes()));
    return total_;
  }

 private:
  struct Worker {
    explicit Worker(CountRun& run)
        : observer(run.survey_, &run.spill_),
          held(run.budget_, run.all_, run.share_),
          joiner(run.sidecars_) {}
    census::Observer observer;
    Held held;
    i64 records = 0;
    tool_options::Sidecars::Joiner joiner;
  };

  void count(io::RecordRun& records, io::WorkerPool<Worker>& pool, io::Batch& batch) {
    std::vector<u64> ids;
    pool.with([&](Worker& worker) {
      records.each_record(
          batch, worker.observer.json(), [&](io::Record& record) -> std::optional<Fault> {
            io::Record joined = record;  // what is set aside is the record as it was
            if (sidecars_.any()) {
              if (std::optional<Fault> fault = worker.joiner.join(batch, joined)) return fault;
            }
            std::optional<Fault> fault =
                worker.observer.observe(joined, isize(record.line) + 1, ids);
            if (++worker.records % kFitEvery == 0) worker.held.fit(worker.observer.census());
            return fault;
          });
      worker.held.fit(worker.observer.census());
    });
    batch.user = std::move(ids);
  }

  /// One table for all: it is the largest, and adding to it takes little time.
  void take_ids(io::Batch& batch) {
    for (const u64 id : *std::any_cast<std::vector<u64>>(&batch.user))
      total_.ids.add(id);
    batch.user.reset();
    held_.fit(total_);
  }

  cli::Tool& tool_;
  const census::Survey& survey_;
  MemoryBudget& budget_;
  i64 share_;  // of one thread's counts
  std::atomic<i64> all_{0};
  census::Spill spill_;
  census::Census total_;
  Held held_;
  tool_options::Sidecars sidecars_;
  std::mutex mutex_;
  std::vector<Worker*> workers_;
};

}  // namespace

void run_count(cli::Tool& tool) {
  const census::Survey survey = survey_of(tool);
  tool.input();
  Results results(tool);
  CountRun run(tool, survey);
  results.write(run.run());
}

}  // namespace lm::stats_tool
