// score: uncertainty of each record from what stands in it.

#include "uq/score.h"

#include <cmath>
#include <tuple>

#include "common/text_output.h"
#include "core/hash.h"
#include "core/str.h"
#include "embed/whitening.h"
#include "fitted_file.h"
#include "io/file.h"
#include "io/json.h"
#include "missing.h"
#include "uq.h"

namespace lm::uq_tool {

namespace {

constexpr i64 kField = 0;
constexpr i64 kFirstIngredient = 1;

std::vector<std::string> paths_of(const std::string& field) {
  return {field, "greedy", "samples", "perturb"};
}

/// Whose states a file of --reference, --background or --fitted is for; empty: it does not say.
struct StateSource {
  std::string option, model, layer;
};

class ScoreMapper final : public io::RecordMapper {
 public:
  ScoreMapper(const uq::ScoreOptions& options, const Chosen& chosen,
              const std::vector<StateSource>& sources, Given& given)
      : state_width_(options.state_width),
        sources_(sources),
        given_(given),
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
    if (std::optional<Fault> fault = check_sources()) return fault;
    if (std::optional<Fault> fault = scorer_.score(read_, scores_)) return fault;
    given_.add(scorer_.given());
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

  /// States of one model say nothing of distances among another's.
  std::optional<Fault> check_sources() const {
    const bool states =
        (read_.greedy && !read_.greedy->emb.empty()) || (fitted_ && !read_.prompt_emb.empty());
    if (!states) return std::nullopt;
    const std::string layer = read_.emb_layer ? cat(*read_.emb_layer) : "";
    for (const StateSource& source : sources_) {
      if (!source.model.empty() && !read_.model.empty() && source.model != read_.model)
        return Fault{"model",
                     cat("field \"model\" is ", quote(read_.model), ", ", source.option,
                         " is for states of ", quote(source.model)),
                     -1};
      if (!source.layer.empty() && !layer.empty() && source.layer != layer)
        return Fault{"model",
                     cat("field \"emb.layer\" is ", layer, ", ", source.option,
                         " is for states of layer ", source.layer),
                     -1};
    }
    return std::nullopt;
  }

  i64 state_width_;
  const std::vector<StateSource>& sources_;
  Given& given_;
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
  out.by_name = out.size() > 0;
  if (out.by_name) return out;
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

/// Files for states of different models do not go together.
void add_source(StateSource source, const std::string& path, std::vector<StateSource>& sources) {
  for (const StateSource& other : sources) {
    for (const auto& [what, mine, theirs] : {std::tuple("model", source.model, other.model),
                                             std::tuple("layer", source.layer, other.layer)}) {
      if (mine.empty() || theirs.empty() || mine == theirs) continue;
      throw Error(ErrorKind::kData, cat(path, ": is for states of ", what, " ", quote(mine), ", ",
                                        other.option, " for ", quote(theirs)));
    }
  }
  sources.push_back(std::move(source));
}

/// Distances by the files of --reference and --background: a whitening makes of a Mahalanobis
/// distance the length of a vector.
void open_reference(cli::Tool& tool, uq::ScoreOptions& out, std::vector<StateSource>& sources) {
  const auto open = [&](const char* option, std::function<f64(std::span<const f64>)>& distance) {
    if (!tool.options().given(option)) return;
    const std::string& path = tool.options().text(option);
    // Shared by the workers' copies of the options.
    const auto whitening = std::make_shared<const embed::Whitening>(path, 0);
    if (out.state_width > 0 && whitening->width() != out.state_width)
      throw Error(ErrorKind::kData, cat(path, ": is for states of ", whitening->width(),
                                        " numbers, --reference for ", out.state_width));
    out.state_width = whitening->width();
    const auto said = [&](const char* name) {
      const auto found = whitening->source().find(name);
      return found == whitening->source().end() ? "" : found->second;
    };
    add_source({cat("--", option), said("model"), said("layer")}, path, sources);
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
void open_fitted(cli::Tool& tool, uq::ScoreOptions& out, std::vector<StateSource>& sources) {
  if (!tool.options().given("fitted")) return;
  const std::string& path = tool.options().text("fitted");
  out.fitted = read_fitted(path);
  if (out.state_width > 0 && out.fitted->width != out.state_width)
    throw Error(ErrorKind::kData, cat(path, ": is for states of ", out.fitted->width,
                                      " numbers, --reference for ", out.state_width));
  out.state_width = out.fitted->width;
  add_source({"--fitted", out.fitted->model, out.fitted->layer}, path, sources);
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
  if (tool.options().on("list")) return tool_options::TextOutput(tool).write(estimator_list());
  const std::string field = score_field(tool.options());
  const std::vector<std::string> paths = paths_of(field);
  io::check_apart(paths);
  uq::ScoreOptions options = score_options(tool);
  std::vector<StateSource> sources;
  open_reference(tool, options, sources);
  open_fitted(tool, options, sources);
  const Chosen chosen = chosen_estimators(tool.options());
  Given given(chosen.size());
  tool.records().map(
      paths, [&] { return std::make_unique<ScoreMapper>(options, chosen, sources, given); });
  warn_of_missing(tool, options.sim, chosen, given);
}

}  // namespace lm::uq_tool
