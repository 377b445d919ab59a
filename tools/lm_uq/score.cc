// score: uncertainty of each record from what stands in it.

#include "uq/score.h"

#include <cmath>

#include "core/hash.h"
#include "core/str.h"
#include "embed/whitening.h"
#include "fitted_file.h"
#include "io/file.h"
#include "io/json.h"
#include "uq.h"

namespace lm::uq_tool {

namespace {

constexpr i64 kField = 0;
constexpr i64 kFirstIngredient = 1;

std::vector<std::string> paths_of(const std::string& field) {
  return {field, "greedy", "samples", "perturb"};
}

struct Chosen {
  std::vector<const uq::Estimator*> estimators;
  std::vector<const uq::ClaimEstimator*> of_claims;
};

class ScoreMapper final : public io::RecordMapper {
 public:
  ScoreMapper(const uq::ScoreOptions& options, const Chosen& chosen)
      : state_width_(options.state_width),
        fitted_(options.fitted != nullptr),
        states_(options.distance ? "--reference" : "--fitted"),
        scorer_(options, chosen.estimators, chosen.of_claims) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    bool answered = false;
    for (i64 i = kFirstIngredient; i < json.path_count(); ++i)
      answered = answered || json.has(i);
    if (!answered)
      return Fault{"missing", "has none of the fields greedy, samples, perturb to score", -1};
    if (std::optional<Fault> fault = reader_.read(record.line, read_)) return fault;
    if (read_.greedy) {
      if (std::optional<Fault> fault = check_width("greedy.emb", read_.greedy->emb)) return fault;
    }
    if (fitted_) {
      if (std::optional<Fault> fault = check_width("emb.prompt", read_.prompt_emb)) return fault;
    }
    if (std::optional<Fault> fault = scorer_.score(read_, scores_)) return fault;
    io::RecordEdit edit(json);
    edit.set(kField, scores_);
    edit.write(out);
    return std::nullopt;
  }

 private:
  std::optional<Fault> check_width(const char* field, const std::vector<f64>& state) const {
    if (state_width_ == 0 || state.empty() || isize(state) == state_width_) return std::nullopt;
    return Fault{"shape",
                 cat("field \"", field, "\" has ", state.size(), " numbers, ", states_, " is for ",
                     state_width_),
                 -1};
  }

  i64 state_width_;
  bool fitted_;
  const char* states_;
  uq::RecordReader reader_{""};  // earlier scores are replaced unread
  uq::UqRecord read_;
  uq::Scorer scorer_;
  std::string scores_;
};

Chosen chosen_estimators(const cli::Options& options) {
  Chosen out;
  std::vector<std::string> known = uq::estimator_names();
  for (const uq::ClaimEstimator& one : uq::claim_estimators())
    known.emplace_back(one.name);
  for (const std::string& name : name_list(options, "estimators")) {
    const uq::Estimator* const one = uq::find_estimator(name);
    const uq::ClaimEstimator* const of_claim = uq::find_claim_estimator(name);
    if (one != nullptr) {
      out.estimators.push_back(one);
    } else if (of_claim != nullptr) {
      out.of_claims.push_back(of_claim);
    } else {
      const std::string near = nearest_name(name, known);
      throw Error(ErrorKind::kUsage, cat("--estimators: there is no ", quote(name)),
                  near.empty() ? "--list prints all" : cat("did you mean ", near, "?"));
    }
  }
  if (!out.estimators.empty() || !out.of_claims.empty()) return out;
  for (const uq::Estimator& one : uq::estimators())
    out.estimators.push_back(&one);
  for (const uq::ClaimEstimator& one : uq::claim_estimators())
    out.of_claims.push_back(&one);
  return out;
}

uq::ScoreOptions score_options(const cli::Tool& tool) {
  const cli::Options& options = tool.options();
  uq::ScoreOptions out;
  out.sim = *uq::find_sim(options.text("sim"));
  out.prompt_sim = *uq::find_sim(options.text("prompt-sim"));
  out.map = *uq::find_sim_map(options.text("sim-map"));
  out.threshold = options.real("threshold");
  out.components = options.text("cluster") == "components";
  out.loose = options.text("equivalence") == "loose";
  out.draws = options.integer("draws");
  out.perturbations = options.integer("perturbations");
  out.seed = tool.seed();
  return out;
}

/// Distances by the files of --reference and --background: a whitening makes of a Mahalanobis
/// distance the length of a vector.
void open_reference(cli::Tool& tool, uq::ScoreOptions& out) {
  const auto open = [&](const char* option, std::function<f64(std::span<const f64>)>& distance) {
    if (!tool.options().given(option)) return;
    const std::string& path = tool.options().text(option);
    // Shared by the workers' copies of the options.
    const auto whitening = std::make_shared<const embed::Whitening>(path, 0);
    if (out.state_width > 0 && whitening->width() != out.state_width)
      throw Error(ErrorKind::kData, cat(path, ": is for states of ", whitening->width(),
                                        " numbers, --reference for ", out.state_width));
    out.state_width = whitening->width();
    tool.set_param(option, io::json_string(hex64(whitening->key())));
    distance = [whitening](std::span<const f64> state) {
      const std::vector<f32> x(state.begin(), state.end());
      std::vector<f32> y(usize(whitening->dim()));
      whitening->apply(x, y);
      f64 sum = 0;
      for (const f32 one : y)
        sum += static_cast<f64>(one) * static_cast<f64>(one);
      return std::sqrt(sum);
    };
  };
  open("reference", out.distance);
  open("background", out.background);
}

/// What fit learned.
void open_fitted(cli::Tool& tool, uq::ScoreOptions& out) {
  if (!tool.options().given("fitted")) return;
  const std::string& path = tool.options().text("fitted");
  out.fitted = read_fitted(path);
  if (out.state_width > 0 && out.fitted->width != out.state_width)
    throw Error(ErrorKind::kData, cat(path, ": is for states of ", out.fitted->width,
                                      " numbers, --reference for ", out.state_width));
  out.state_width = out.fitted->width;
  tool.set_param("fitted", io::json_string(hex64(xxh3_64(io::read_file(path)))));
}

std::string cost_text(uq::Cost cost) {
  switch (cost) {
    case uq::Cost::kGreedy:
      return "1";
    case uq::Cost::kSamples:
      return "m";
    case uq::Cost::kBoth:
      return "m+1";
    case uq::Cost::kOneMore:
      return "2";
    case uq::Cost::kTrueVotes:
      return "k+1";
    case uq::Cost::kRewordings:
      return "(n+1)r";
  }
  return "";
}

std::string estimator_list() {
  std::string out = "estimator\tgenerations\tneeds\tformula\n";
  for (const uq::Estimator& one : uq::estimators())
    append(out, one.name, "\t", cost_text(one.cost), "\t", one.needs, "\t", one.formula, "\n");
  for (const uq::ClaimEstimator& one : uq::claim_estimators())
    append(out, one.name, "\t", cost_text(one.cost), "\t", one.needs, "\t", one.formula, "\n");
  return out;
}

}  // namespace

void run_score(cli::Tool& tool) {
  if (tool.options().on("list")) return write_text(tool, estimator_list());
  const std::string field = tool.options().text("field");
  const std::vector<std::string> paths = paths_of(field);
  io::check_apart(paths);
  uq::ScoreOptions options = score_options(tool);
  open_reference(tool, options);
  open_fitted(tool, options);
  const Chosen chosen = chosen_estimators(tool.options());
  tool.records().map(paths, [&] { return std::make_unique<ScoreMapper>(options, chosen); });
}

}  // namespace lm::uq_tool
