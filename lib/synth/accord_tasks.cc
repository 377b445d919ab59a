// knapsack, binpack, tsp, vrp, jssp, fssp: instances with solutions in words.

#include "accord/automaton.h"
#include "accord/check.h"
#include "accord/generate.h"
#include "accord/solve.h"
#include "core/error.h"
#include "core/str.h"
#include "synth/fields.h"
#include "synth/task.h"

namespace lm::synth {

namespace {

using accord::Format;
using accord::Problem;

struct Asked final : Drawn {
  accord::Instance instance;
};

class Combinatorial final : public Task {
 public:
  Combinatorial(Problem problem, const Params& params, const TaskSetup& setup)
      : problem_(problem),
        accord_(setup.form == "accord"),
        random_(params.is("solution", "random-feasible")) {
    shape_.least = params.whole("least");
    shape_.most = params.whole("most");
    if (shape_.least > shape_.most)
      throw Error(ErrorKind::kUsage,
                  cat("--set: least is ", shape_.least, ", above most ", shape_.most));
    const bool places = problem == Problem::kTsp || problem == Problem::kVrp;
    if (problem != Problem::kTsp) shape_.number = params.whole("number");
    if (places) shape_.grid = params.whole("grid");
    if (places && 2 * (shape_.most + 1) > shape_.grid * shape_.grid)
      throw Error(ErrorKind::kUsage,
                  cat("--set: grid is ", shape_.grid, ", too small for ", shape_.most, " places"));
    if (problem == Problem::kKnapsack) shape_.tightness = params.real("tightness");
    if (problem == Problem::kBinpack || problem == Problem::kVrp)
      shape_.capacity = params.whole("capacity");
    if (problem == Problem::kVrp) shape_.spare = params.whole("spare");
    if (problem == Problem::kJssp || problem == Problem::kFssp)
      shape_.machines = params.whole("machines");
  }

  std::unique_ptr<Drawn> draw(const Place& place) const override {
    Draws draws = place.draws(name());
    auto out = std::make_unique<Asked>();
    out->instance = accord::draw_instance(problem_, shape_, draws);
    out->canonical = accord::canonical(out->instance);
    return out;
  }

  void write(const Drawn& drawn, const Place& place, std::string& fields) const override {
    const accord::Instance& instance = static_cast<const Asked&>(drawn).instance;
    Draws solver = place.draws(cat(name(), " solver"));
    const Result<accord::Solved> best = accord::solve(instance, solver);
    LM_CHECK(bool(best), "instances are drawn with enough vehicles");
    accord::Solution solution = best->solution;
    if (random_) {
      Draws walk = place.draws(cat(name(), " walk"));
      Result<accord::Solution> made = accord::random_feasible(instance, walk);
      LM_CHECK(bool(made), "instances are drawn with enough vehicles");
      solution = std::move(*made);
    }
    const i64 objective = accord::objective_of(instance, solution);
    const std::string stated = accord::render(instance, solution, Format::kAccord);
    const std::string lists = accord::render(instance, solution, Format::kLists);
    add_text(fields, "prompt", accord::prompt_of(instance));
    add_text(fields, "completion", accord_ ? stated : lists);
    add_text(fields, "format", accord_ ? "accord" : "lists");
    add_text(fields, accord_ ? "lists" : "accord", accord_ ? lists : stated);
    add_json(fields, "instance", accord::instance_json(instance));
    add_json(fields, "solution", accord::solution_json(solution));
    add_json(fields, "objective", cat(objective));
    add_json(fields, "opt", cat(best->objective));
    add_json(fields, "opt_proved", cat(best->proved));
  }

 private:
  const std::string& name() const {
    return accord::problem_names()[static_cast<std::size_t>(problem_)];
  }
  Problem problem_;
  bool accord_, random_;
  accord::Shape shape_;
};

template <Problem problem>
std::unique_ptr<Task> make(const Params& params, const TaskSetup& setup) {
  return std::make_unique<Combinatorial>(problem, params, setup);
}

Param whole(std::string name, std::string def, std::string help, f64 least, f64 most) {
  return {std::move(name), Param::Kind::kWhole, std::move(def), std::move(help), least, most};
}

/// The size of instances, then the problem's own, then what the record holds.
std::vector<Param> params_of(std::string what, std::string least, std::string most, f64 fewest,
                             f64 limit, std::vector<Param> own) {
  std::vector<Param> out = {
      whole("least", std::move(least), cat(what, ", at least"), fewest, limit),
      whole("most", std::move(most), cat(what, ", at most"), fewest, limit)};
  out.insert(out.end(), own.begin(), own.end());
  out.push_back({"solution",
                 Param::Kind::kChoice,
                 "best",
                 "the solver's, or one of legal choices drawn at random",
                 0,
                 0,
                 {"best", "random-feasible"}});
  return out;
}

}  // namespace

void add_accord_tasks(std::vector<TaskInfo>& out) {
  const std::vector<std::string> forms = {"accord", "lists"};
  const Param grid = whole("grid", "120", "coordinates are below", 4, 1e6);
  const auto add = [&](Problem problem, const char* summary, std::vector<Param> params,
                       std::unique_ptr<Task> (*maker)(const Params&, const TaskSetup&)) {
    out.push_back({.name = accord::problem_names()[static_cast<std::size_t>(problem)],
                   .summary = summary,
                   .forms = forms,
                   .params = std::move(params),
                   .make = maker});
  };
  add(Problem::kKnapsack, "items of most value within a weight",
      params_of("items", "5", "20", 1, 100,
                {whole("number", "20", "values and weights are at most", 1, 1000),
                 {"tightness", Param::Kind::kReal, "0.5",
                  "capacity as a share of all weights, drawn within 0.2 of it", 0, 1}}),
      make<Problem::kKnapsack>);
  add(Problem::kBinpack, "items in fewest bins",
      params_of("items", "5", "25", 1, 100,
                {whole("number", "30", "weights are at most", 1, 10000),
                 whole("capacity", "50", "of a bin", 1, 10000)}),
      make<Problem::kBinpack>);
  add(Problem::kTsp, "a shortest round trip", params_of("cities", "5", "13", 2, 60, {grid}),
      make<Problem::kTsp>);
  add(Problem::kVrp, "shortest round trips of several vehicles",
      params_of("customers", "5", "10", 1, 60,
                {whole("number", "9", "demands are at most", 1, 10000),
                 whole("capacity", "20", "of a vehicle", 1, 10000),
                 whole("spare", "1", "vehicles above those needed, at most", 0, 60), grid}),
      make<Problem::kVrp>);
  add(Problem::kJssp, "jobs on machines, each in its own order",
      params_of("jobs", "2", "5", 1, 15,
                {whole("machines", "5", "at most, and at least 2", 2, 15),
                 whole("number", "50", "durations are at most", 1, 10000)}),
      make<Problem::kJssp>);
  add(Problem::kFssp, "jobs on machines, all in one order",
      params_of("jobs", "4", "10", 1, 100,
                {whole("machines", "5", "at most, and at least 2", 2, 20),
                 whole("number", "50", "durations are at most", 1, 10000)}),
      make<Problem::kFssp>);
}

}  // namespace lm::synth
