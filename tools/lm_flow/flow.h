#pragma once
// The verbs of lm-flow and the options that they share.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "answer/record.h"
#include "cli/tool.h"
#include "flow/measure.h"

namespace lm::flow_tool {

std::vector<cli::Flag> run_flags();
std::vector<cli::Flag> plan_flags();
std::vector<cli::Flag> gen_flags();
std::vector<cli::Flag> calibrate_flags();
std::vector<cli::Flag> check_flags();

void run_graph(cli::Tool& tool);
void run_plan(cli::Tool& tool);
void run_gen(cli::Tool& tool);
void run_calibrate(cli::Tool& tool);
void run_check(cli::Tool& tool);

/// Who answers, for calibrations.
struct Identity {
  std::string model;  // a model's digest, "script:xxh3:..." and the like
  /// Of the answerer, and of whom a recording is of. Empty where no weights were opened.
  std::vector<u64> keys = {};
};

/// Who answers, as --model, --engine and --record say.
class Engine {
 public:
  explicit Engine(cli::Tool& tool);
  answer::Answerer& answerer() { return recording_ ? *recording_ : *answerer_; }
  const Identity& identity() const { return identity_; }
  /// Sequences in work at once.
  i64 batch() const { return batch_; }
  /// Completes the recording of a run that stops and goes on later.
  void close();

 private:
  std::unique_ptr<answer::Answerer> answerer_;
  std::optional<answer::RecordingAnswerer> recording_;
  Identity identity_;
  i64 batch_ = 1;
};
/// Tokens of texts as the engine counts them; loads no weights of a model folder.
struct Counter {
  flow::CountTokens count;
  Identity identity;
};
Counter open_counter(cli::Tool& tool);

/// Takes the first operand. what: "a graph" for the message.
std::string take_operand(cli::Tool& tool, const char* what);
/// The first operand as a problem.
flow::Problem take_problem(cli::Tool& tool);
/// No operand is left.
void refuse_files(const cli::Tool& tool);

/// The graph of a file or a built-in one, --set applied. m: the size of pieces.
flow::Graph open_graph(cli::Tool& tool, const std::string& name,
                       std::optional<i64> m = std::nullopt);
/// The same by size, of --graph or the problem's own.
std::function<flow::Graph(i64)> graphs_of(cli::Tool& tool, flow::Problem problem);

/// "10,20": whole numbers of at least `least`, each once; fallback where the option is not given.
std::vector<i64> whole_list(const cli::Options& options, const std::string& option, i64 least,
                            const std::vector<i64>& fallback);
/// --call-time: seconds of a call by its tokens.
std::optional<flow::CostModel> call_time(const cli::Options& options);
/// --price: money per million tokens, as prices of single tokens.
std::optional<flow::CostModel> prices(const cli::Options& options);

/// What a verb measures, by its options.
flow::MeasureOptions measure_options(cli::Tool& tool, flow::Problem problem);
/// Sizes of pieces to calibrate, and lengths and sizes to predict, where options name none.
struct Grid {
  std::vector<i64> sizes;
  std::vector<i64> lengths;
  std::vector<i64> check_sizes;
};
const Grid& default_grid(flow::Problem problem);

/// --calibration FILE. Throws Error{kUsage} for one of another problem.
flow::Calibration open_calibration(cli::Tool& tool, flow::Problem problem);
/// Warns where it was made with another model, or with another graph.
void compare_calibration(cli::Tool& tool, const flow::Calibration& calibration,
                         const Identity& identity,
                         const std::function<flow::Graph(i64)>& graph = nullptr);

/// A calibration as read or made, in words of -v.
std::string describe(const flow::Calibration& calibration);
/// "NaN" has no place in JSON: null.
std::string number_json(f64 value);

}  // namespace lm::flow_tool
