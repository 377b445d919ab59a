// What options and operands of several verbs mean.

#include <algorithm>
#include <cmath>

#include "core/clock.h"
#include "core/str.h"
#include "flow.h"
#include "io/json.h"

namespace lm::flow_tool {

using flow::Graph;
using flow::Problem;

std::string take_operand(cli::Tool& tool, const char* what) {
  std::vector<std::string> files = tool.files();
  if (files.empty() || files[0] == "-")
    throw Error(ErrorKind::kUsage, cat(tool.verb(), " needs ", what, " before its inputs"));
  std::string out = files[0];
  files.erase(files.begin());
  tool.set_files(std::move(files));
  return out;
}

Problem take_problem(cli::Tool& tool) {
  const std::string name = take_operand(tool, "a problem");
  if (const std::optional<Problem> problem = flow::problem_of(name)) return *problem;
  const std::string near = nearest_name(name, flow::problem_names());
  throw Error(ErrorKind::kUsage, cat("unknown problem ", quote(name)),
              near.empty() ? cat("known: ", join(flow::problem_names(), ", "))
                           : cat("did you mean ", near, "?"));
}

void refuse_files(const cli::Tool& tool) {
  if (!tool.files().empty())
    throw Error(ErrorKind::kUsage, cat(tool.verb(), " reads no records: ", quote(tool.files()[0])));
}

namespace {

/// --set.
flow::Settings settings_of(const cli::Options& options, std::optional<i64> m) {
  flow::Settings out;
  for (const std::string& text : options.list("set")) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(ErrorKind::kUsage, cat("--set ", quote(text), " is not NAME=VALUE"));
    const std::string value = text.substr(equals + 1);
    Result<text::Value> json = text::parse_json_value(value);
    if (!json && json.fault().code == "range")
      throw Error(ErrorKind::kUsage, cat("--set ", quote(text), ": ", json.fault().detail));
    out.emplace_back(text.substr(0, equals), json ? std::move(*json) : text::Value(value));
    if (m && out.back().first == "m")
      throw Error(ErrorKind::kUsage, "--set m: the size of pieces is what is varied here");
  }
  if (m) out.emplace_back("m", text::Value(*m));
  return out;
}

}  // namespace

Graph open_graph(cli::Tool& tool, const std::string& name, std::optional<i64> m) {
  const flow::Settings set = settings_of(tool.options(), m);
  if (const std::optional<std::string_view> built_in = flow::builtin_graph(name))
    return flow::parse_graph(*built_in, name, set);
  try {
    return flow::read_graph(name, set);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kNoInput || name.find('/') != std::string::npos) throw;
    throw Error(e.kind(), e.message(), cat("built in are ", join(flow::builtin_names(), ", ")));
  }
}

std::function<Graph(i64)> graphs_of(cli::Tool& tool, Problem problem) {
  const std::string& file = tool.options().text("graph");
  const std::string name =
      file.empty() ? flow::problem_names()[static_cast<std::size_t>(problem)] : file;
  return [&tool, name](i64 m) { return open_graph(tool, name, m); };
}

std::vector<i64> whole_list(const cli::Options& options, const std::string& option, i64 least,
                            const std::vector<i64>& fallback) {
  constexpr i64 kMost = 1'000'000'000;
  if (!options.given(option)) return fallback;
  std::vector<i64> out;
  for (const std::string_view part : split(options.text(option), ',')) {
    const std::optional<i64> value = parse_count(trim(part));
    if (!value || *value < least || *value > kMost)
      throw Error(ErrorKind::kUsage, cat("--", option, ": ", quote(part),
                                         " is no whole number from ", least, " to ", kMost));
    if (std::find(out.begin(), out.end(), *value) == out.end()) out.push_back(*value);
  }
  return out;
}

namespace {

/// `count` numbers from 0 to a thousand million.
std::vector<f64> numbers(const cli::Options& options, const std::string& option,
                         std::size_t count) {
  std::vector<f64> out;
  for (const std::string_view part : split(options.text(option), ',')) {
    const std::optional<f64> value = parse_float(trim(part));
    if (!value || !(*value >= 0 && *value <= 1e9))
      throw Error(ErrorKind::kUsage,
                  cat("--", option, ": ", quote(part), " is no number from 0 to 1e9"));
    out.push_back(*value);
  }
  if (out.size() != count)
    throw Error(ErrorKind::kUsage, cat("--", option, " has ", count, " numbers, not ", out.size()));
  return out;
}

}  // namespace

std::optional<flow::CostModel> call_time(const cli::Options& options) {
  if (!options.given("call-time")) return std::nullopt;
  const std::vector<f64> terms = numbers(options, "call-time", 5);
  return flow::CostModel{terms[0], terms[1], terms[2], terms[3], terms[4]};
}

std::optional<flow::CostModel> prices(const cli::Options& options) {
  if (!options.given("price")) return std::nullopt;
  const std::vector<f64> price = numbers(options, "price", 2);
  return flow::CostModel::prices(price[0] / 1e6, price[1] / 1e6);
}

flow::MeasureOptions measure_options(cli::Tool& tool, Problem problem) {
  flow::MeasureOptions out;
  out.problem = problem;
  out.graph = graphs_of(tool, problem);
  out.trials = tool.options().integer("trials");
  out.seed = tool.seed();
  out.target = tool.options().find("target") == nullptr || tool.options().on("target");
  out.clock = monotonic_s;
  out.memory = tool.ctx().memory;
  if (tool.options().find("call-time") != nullptr) out.call_time = call_time(tool.options());
  return out;
}

const Grid& default_grid(Problem problem) {
  static const Grid kNumbers{{10, 20, 50, 100, 200}, {100, 150, 200}, {15, 30, 40, 67}};
  static const Grid kNeedles{{300, 600, 1200, 2400, 4000}, {2500, 3200, 4000}, {450, 900, 1800}};
  return problem == Problem::kCount || problem == Problem::kSort ? kNumbers : kNeedles;
}

flow::Calibration open_calibration(cli::Tool& tool, Problem problem) {
  const std::string& path = tool.options().text("calibration");
  flow::Calibration out = flow::read_calibration(path);
  if (out.problem != problem)
    throw Error(
        ErrorKind::kUsage,
        cat(path, ": calibrates ", flow::problem_names()[static_cast<std::size_t>(out.problem)]));
  return out;
}

void compare_calibration(cli::Tool& tool, const flow::Calibration& calibration,
                         const Identity& identity, const std::function<flow::Graph(i64)>& graph) {
  const std::string& path = tool.options().text("calibration");
  const auto warn = [&](const std::string& what) {
    tool.console().message(LogLevel::kWarning, cat(path, ": was made with another ", what));
  };
  const std::vector<u64>& keys = identity.keys;
  const bool same =
      keys.empty() ? calibration.model.empty() || calibration.model == identity.model
                   : std::find(keys.begin(), keys.end(), calibration.answerer_key) != keys.end();
  if (!same)
    warn(cat("model", calibration.model.empty() ? "" : ", ", calibration.model, ", not ",
             identity.model));
  if (graph && graph(calibration.sizes[0]).key != calibration.graph_key) warn("graph");
}

std::string describe(const flow::Calibration& calibration) {
  const flow::CostModel& t = calibration.time;
  return cat(flow::problem_names()[static_cast<std::size_t>(calibration.problem)], ": ",
             calibration.samples.size(), " calls of ", calibration.sizes.size(),
             " sizes; seconds of a call: ", t.a0, " + ", t.a1, " in + ", t.a2, " in^2 + ", t.b1,
             " out + ", t.b2, " in out");
}

std::string number_json(f64 value) {
  std::string out;
  io::append_json_number(out, value);
  return out;
}

}  // namespace lm::flow_tool
