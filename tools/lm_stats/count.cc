// One reading of a stream: each worker counts for itself, the counts are added up at the end.

#include <mutex>
#include <numeric>

#include "census/observer.h"
#include "common/rule_options.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "stats_tool.h"

namespace lm::stats_tool {

namespace {

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

class CountRun {
 public:
  CountRun(cli::Tool& tool, const census::Survey& survey)
      : tool_(tool), survey_(survey), budget_(*tool.ctx().memory), total_(survey.plan) {}
  ~CountRun() { budget_.release(held_); }

  const census::Census& run() {
    io::RecordRun& records = tool_.records_only();
    io::WorkerPool<Worker> pool([this] {
      auto worker = std::make_unique<Worker>(survey_);
      const std::lock_guard<std::mutex> lock(mutex_);
      workers_.push_back(worker.get());
      return worker;
    });
    records.run({{StageMode::kParallel, [&](io::Batch& batch) { count(records, pool, batch); }},
                 {StageMode::kSerial, [this](io::Batch& batch) { take_ids(batch); }}});
    for (Worker* const worker : workers_)
      total_.add(worker->observer.census());
    total_.rejected =
        std::accumulate(records.errors().begin(), records.errors().end(), i64{0},
                        [](i64 sum, const auto& error) { return sum + error.second; });
    return total_;
  }

 private:
  struct Worker {
    explicit Worker(const census::Survey& survey) : observer(survey) {}
    census::Observer observer;
    i64 bytes = 0;  // charged
  };

  void count(io::RecordRun& records, io::WorkerPool<Worker>& pool, io::Batch& batch) {
    std::vector<u64> ids;
    pool.with([&](Worker& worker) {
      records.each_record(batch, worker.observer.json(),
                          [&](io::Record& record) { return worker.observer.observe(record, ids); });
      charge(worker.bytes, 2 * worker.observer.census().bytes());  // once more when added up
    });
    batch.user = std::move(ids);
  }

  /// One table for all: it is the largest, and adding to it takes little time.
  void take_ids(io::Batch& batch) {
    for (const u64 id : *std::any_cast<std::vector<u64>>(&batch.user))
      total_.ids.add(id);
    batch.user.reset();
    charge(ids_bytes_, total_.ids.bytes());
  }

  void charge(i64& charged, i64 bytes) {
    if (bytes <= charged) return;
    budget_.charge_growing(held_.load(), bytes - charged, "counts");
    held_ += bytes - charged;
    charged = bytes;
  }

  cli::Tool& tool_;
  const census::Survey& survey_;
  MemoryBudget& budget_;
  census::Census total_;
  std::mutex mutex_;
  std::vector<Worker*> workers_;
  std::atomic<i64> held_{0};
  i64 ids_bytes_ = 0;
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
