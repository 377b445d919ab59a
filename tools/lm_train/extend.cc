// Going on with a run: is it the same run, or the same with more steps (--extend)?

#include <algorithm>
#include <array>

#include "core/str.h"
#include "train.h"

namespace lm::train_tool {

namespace {

using cli::Options;
using train::RunParams;
using train::ScheduleKind;

/// The parameters that say how long a run is.
constexpr std::array<std::string_view, 6> kLengths = {
    "steps", "tokens", "epochs", kClassSteps, "compute-class", "ref-throughput"};

const std::string* find(const RunParams& params, std::string_view name) {
  for (const auto& [key, value] : params)
    if (key == name) return &value;
  return nullptr;
}

RunParams without_length(RunParams params) {
  std::erase_if(params, [](const auto& param) {
    return std::find(kLengths.begin(), kLengths.end(), param.first) != kLengths.end();
  });
  return params;
}

/// The steps that a run was planned for; its batch is the setup's.
i64 planned_steps(const std::string& from, const RunParams& params, Setup& setup) {
  for (const std::string_view name : kLengths) {
    const std::string* value = find(params, name);
    if (value == nullptr) continue;
    if (const std::optional<f64> number = parse_float(*value))
      return steps_for(std::string(name), *number, setup);
  }
  throw Error(ErrorKind::kData, cat(from, ": does not say for how many steps it was made"));
}

bool can_be_extended(ScheduleKind kind) {
  return kind != ScheduleKind::kCosine;
}

[[noreturn]] void refuse(const std::string& from, const std::string& difference) {
  throw Error(ErrorKind::kUsage, cat(from, ": made with other parameters: ", difference),
              "use the same options, or another -o RUN with --init-from for a new run");
}

/// What theirs would be had it said the warm-up that mine took over from it.
RunParams with_warmup(RunParams theirs, const RunParams& mine, i64 planned) {
  if (find(mine, "warmup") != nullptr && find(theirs, "warmup") == nullptr)
    theirs.emplace_back("warmup", cat(default_warmup(planned)));
  return theirs;
}

}  // namespace

void adopt_warmup(const Options& o, const std::string& from, const train::TrainState& state,
                  Setup& setup) {
  if (!o.on("extend") || o.given("warmup") || find(setup.run.params, "warmup") != nullptr) return;
  const std::string* recorded = find(state.params, "warmup");
  const i64 planned = planned_steps(from, state.params, setup);
  if (recorded == nullptr && planned == setup.run.steps) return;
  setup.train.schedule.warmup =
      recorded == nullptr ? default_warmup(planned) : parse_int(*recorded).value_or(0);
  setup.run.params.emplace_back("warmup", cat(setup.train.schedule.warmup));
  setup.run.training_head = training_head(setup.run.params, setup);
}

bool check_same_run(const Options& o, const std::string& from, const train::TrainState& state,
                    Setup& setup) {
  const RunParams& mine = setup.run.params;
  const std::string difference = train::first_difference(mine, state.params);
  if (difference.empty()) return false;
  const i64 planned = planned_steps(from, state.params, setup);
  const RunParams theirs = o.on("extend") ? with_warmup(state.params, mine, planned) : state.params;
  const std::string other = train::first_difference(without_length(mine), without_length(theirs));
  if (!other.empty()) refuse(from, other);
  const i64 wanted = setup.run.steps;
  if (wanted <= planned) refuse(from, difference);
  if (!can_be_extended(setup.train.schedule.kind))
    throw Error(ErrorKind::kUsage,
                cat(from, ": made for ", planned, " steps of a cosine schedule, which falls from ",
                    "its first step on and cannot be extended to ", wanted),
                cat("--init-from ", from, " with another -o RUN begins a new run; ",
                    "--schedule constant and wsd-* can be extended"));
  if (!o.on("extend"))
    throw Error(ErrorKind::kUsage,
                cat(from, ": made for ", planned, " steps, this command asks for ", wanted),
                cat("--extend goes on to step ", wanted));
  return true;
}

std::string extension_start(cli::Tool& tool, const train::RunFolder& folder,
                            const std::string& newest, const train::TrainState& state,
                            Setup& setup) {
  train::Schedule planned = setup.train.schedule;
  planned.steps = planned_steps(newest, state.params, setup);
  const i64 fixed = planned.fixed_until();
  if (state.counters.step <= fixed) return newest;
  if (tool.options().text("resume") == "auto") {
    const std::optional<i64> before = folder.newest_good(tool.console(), fixed);
    if (before) {
      std::string path = folder.step_path(*before);
      if (train::first_difference(state.params, train::read_state(path).params).empty())
        return path;
    }
  }
  tool.console().message(
      LogLevel::kWarning,
      cat(newest, ": no checkpoint is left from before the decay, which began at step ", fixed,
          "; going on from step ", state.counters.step, " at the learning rate of a run of ",
          setup.run.steps, " steps"));
  return newest;
}

}  // namespace lm::train_tool
