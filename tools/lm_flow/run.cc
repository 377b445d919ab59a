// run: a graph on every record.

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/held_run.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/str.h"
#include "flow.h"
#include "flow/scheduler.h"
#include "io/json.h"

namespace lm::flow_tool {

namespace {

using flow::CostFigures;
using flow::Outcome;
using text::Value;

enum Field : i64 { kId, kResult, kLm, kFirst };

struct Work final : io::HeldWork {
  std::vector<Value> fields;
  std::unique_ptr<flow::Ledger> ledger;  // of the fields, until the record is on its way
  Outcome outcome;
};

/// memory: what reading it takes is charged there meanwhile.
Result<Value> value_of(io::JsonReader& json, i64 field, const std::string& path,
                       MemoryBudget* memory) {
  if (json.field(field).type == io::JsonType::kString) {
    const Result<std::string_view> text = json.string(field);
    if (!text) return text.fault();
    return Value(std::string(*text));
  }
  MemoryHold reading(memory);
  reading.add(flow::json_value_bytes(json.raw(field)), cat("field ", quote(path)));
  Result<Value> value = text::parse_json_value(json.raw(field));
  if (value) return value;
  return Fault{value.fault().code, cat("field ", quote(path), ": ", value.fault().detail),
               json.field(field).begin};
}

class FlowMode final : public io::HeldMapper {
 public:
  FlowMode(cli::Tool& tool, const flow::Graph& graph, Engine& engine,
           std::optional<flow::CostModel> time)
      : tool_(tool),
        graph_(graph),
        time_(time),
        prices_(prices(tool.options())),
        workers_(whole_list(tool.options(), "workers", 1, {4})),
        field_(tool.options().text("field")),
        scheduler_(engine.answerer(), {4 * engine.batch(), nullptr}) {
    if (workers_.size() != 1)
      throw Error(ErrorKind::kUsage, "--workers: run has one number of workers");
    options_.seed = tool.seed();
    options_.most_calls = tool.options().integer("max-calls");
    options_.trace = tool.options().on("trace");
    options_.memory = tool.ctx().memory;
    before_ = options_.memory->used();
    options_.count_tokens = [&engine](const std::string& text) {
      return engine.answerer().count_tokens(text);
    };
    if (field_ == "id" || field_ == "lm")
      throw Error(ErrorKind::kUsage, cat("--field ", field_, " has another meaning"));
    for (const std::string& path : graph.fields)
      if (path != "id") read_.push_back(path);
  }

  std::vector<std::string> paths() const override {
    std::vector<std::string> out = {"id", field_, "lm"};
    out.insert(out.end(), read_.begin(), read_.end());
    return out;
  }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    const Result<std::string> id = io::record_id(record.json, kId, record.ordinal);
    if (!id) return id.fault();
    for (const i64 field : {kResult, kLm})
      if (std::optional<Fault> fault = record.json.settable(field)) return fault;
    std::unique_ptr<Work> work = std::make_unique<Work>();
    work->id = *id;
    const std::string owner = cat("record ", quote(*id));
    work->ledger = std::make_unique<flow::Ledger>(options_.memory, owner);
    for (const std::string& path : graph_.fields) {
      const auto at = std::find(read_.begin(), read_.end(), path);
      const i64 field = at == read_.end() ? kId : kFirst + (at - read_.begin());
      if (record.json.field(field).type == io::JsonType::kMissing)
        return Fault{"missing", cat("field ", quote(path), " is missing, the graph reads it"), -1};
      Result<Value> value = work->ledger->about(
          {}, [&] { return value_of(record.json, field, path, options_.memory); });
      if (!value) return value.fault();
      // Texts that wait to be worked on take what their lines take; lists and maps many times that.
      if (!value->is_string()) work->ledger->hold(*value, {});
      work->fields.push_back(std::move(*value));
    }
    out.work = std::move(work);
    return std::nullopt;
  }

  void add(io::HeldWork& work) override {
    Work& own = static_cast<Work&>(work);
    for (const Value& field : own.fields)
      if (field.is_string()) own.ledger->hold(field, {});
    scheduler_.add(std::make_unique<flow::RecordFlow>(graph_, own.id, std::move(own.fields),
                                                      options_, std::move(own.ledger)));
  }
  /// Where the records in work take half of the memory that they may have, no more are begun.
  i64 pending() const override {
    const i64 own = scheduler_.pending();
    const MemoryBudget& memory = *options_.memory;
    const bool much = 2 * (memory.used() - before_) > memory.limit() - before_;
    return own > 0 && much ? std::numeric_limits<i64>::max() : own;
  }
  bool step() override { return scheduler_.step(); }
  bool poll(io::HeldWork& work) override {
    std::optional<Outcome> outcome = scheduler_.take();
    if (!outcome) return false;
    static_cast<Work&>(work).outcome = std::move(*outcome);
    return true;
  }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& work, std::string& out) override {
    Outcome& outcome = static_cast<Work&>(work).outcome;
    if (outcome.fault) return outcome.fault;
    ++records_;
    if (time_) flow::set_seconds(outcome, *time_, true);
    const CostFigures cost = flow::cost_of(outcome, workers_[0], prices_);
    if (time_) latency_ += cost.latency;
    price_ += cost.price;
    const std::string answer = text::to_json(outcome.answer, {.spaced = false});
    // The result, the record's line and the output's own hold it once more each.
    MemoryHold writing(options_.memory);
    outcome.ledger->about(
        "", [&] { writing.add(4 * isize(answer) + 3 * isize(outcome.trace), "the result"); });
    std::string result = cat("{\"answer\":", answer, ",\"cost\":", cost_json(cost));
    if (options_.trace) append(result, ",\"trace\":", outcome.trace);
    io::ResultLine line(json, tool_.options().on("drop-extra"));
    line.set_id(kId, work.id);
    line.set(kResult, field_, result + "}");
    line.set(kLm, "lm", tool_options::made_by(tool_, work));
    line.write(out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader&, std::string_view) override { ++reused_; }

  void report(f64 wall_s) const {
    std::string json = cat("{\"records\":", records_, ",\"reused_records\":", reused_,
                           ",\"usage\":", flow::usage_json(scheduler_));
    if (time_) append(json, ",\"predicted_call_s\":", number_json(latency_));
    if (prices_) append(json, ",\"price\":", number_json(price_));
    json += "}";
    tool_.add_metric("flow", json);
    tool_.console().message(LogLevel::kInfo, json);
    const flow::Usage all = scheduler_.total();
    tool_.set_summary(cat(records_, " records, ", all.calls, " calls, ", all.tokens.prefill,
                          " prompt tokens, ", all.tokens.decode, " others, ", all.failures,
                          " replies without a value, ", format_duration(wall_s)));
  }

 private:
  std::string cost_json(const CostFigures& cost) const {
    std::string out =
        cat("{\"calls\":", cost.calls, ",\"prefill_tokens\":", cost.tokens.prefill,
            ",\"decode_tokens\":", cost.tokens.decode, ",\"peak_kv_tokens\":", cost.peak_tokens);
    if (time_)
      append(out, ",\"latency_s\":", number_json(cost.latency),
             ",\"latency_ideal_s\":", number_json(cost.latency_ideal),
             ",\"latency_p_s\":", number_json(cost.latency_p),
             ",\"latency_block_s\":", number_json(cost.latency_block));
    if (prices_) append(out, ",\"price\":", number_json(cost.price));
    return out + "}";
  }

  cli::Tool& tool_;
  const flow::Graph& graph_;
  const std::optional<flow::CostModel> time_;
  const std::optional<flow::CostModel> prices_;
  const std::vector<i64> workers_;
  const std::string field_;
  std::vector<std::string> read_;
  flow::FlowOptions options_;
  flow::Scheduler scheduler_;
  i64 records_ = 0;
  i64 reused_ = 0;
  i64 before_ = 0;  // bytes that who answers has
  f64 latency_ = 0;
  f64 price_ = 0;
};

std::optional<flow::Calibration> calibration_of(const cli::Options& options) {
  if (!options.given("calibration")) return std::nullopt;
  if (options.given("call-time"))
    throw Error(ErrorKind::kUsage, "--calibration and --call-time both say how long calls take");
  return flow::read_calibration(options.text("calibration"));
}

}  // namespace

void run_graph(cli::Tool& tool) {
  const std::string& given = tool.options().text("graph");
  const std::string name = given.empty() ? take_operand(tool, "a graph") : given;
  const flow::Graph graph = open_graph(tool, name);
  if (!flow::builtin_graph(name)) tool.add_input(name);
  tool.set_param("graph", cat("\"", hex64(graph.key), "\""));
  tool.need_input();
  const std::optional<flow::Calibration> calibration = calibration_of(tool.options());
  const std::optional<flow::CostModel> time =
      calibration ? std::optional(calibration->time) : call_time(tool.options());
  std::string call_times;
  if (time) {
    call_times =
        cat("[", number_json(time->a0), ",", number_json(time->a1), ",", number_json(time->a2), ",",
            number_json(time->b1), ",", number_json(time->b2), "]");
    tool.set_param("call_times", call_times);
  }
  Engine engine(tool);
  if (calibration) compare_calibration(tool, *calibration, engine.identity());
  FlowMode mode(tool, graph, engine, time);
  const u64 timed = xxh3_64(call_times);
  const f64 start = monotonic_s();
  try {
    tool_options::run_held(tool, mode, std::max<i64>(4 * engine.batch(), 1),
                           {engine.answerer().key(), graph.key, timed});
  } catch (const Error& e) {
    // A stopped run goes on from its --resume file: what it recorded goes with that.
    if (e.kind() == ErrorKind::kTemporary) engine.close();
    throw;
  }
  mode.report(monotonic_s() - start);
}

}  // namespace lm::flow_tool
