// soup: the mean of those candidates that a score speaks for.

#include "merge/soup.h"

#include <atomic>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "child.h"
#include "cli/build.h"
#include "core/stages.h"
#include "core/str.h"
#include "held_out.h"
#include "io/atomic_file.h"
#include "io/json.h"
#include "merge.h"
#include "merge/folder.h"
#include "score.h"

namespace lm::merge_tool {

namespace {

namespace fs = std::filesystem;
using merge::Json;

/// Everything about one run: candidates, their means on disk, their scores.
class SoupRun {
 public:
  SoupRun(cli::Tool& tool, const merge::SoupRule& rule);
  void run();

 private:
  merge::Recipe mean_of(std::span<const i64> members, std::span<const f64> weights) const;
  f64 score(std::span<const i64> members, std::span<const f64> weights);
  f64 judge(const std::string& folder);
  std::string make_trial(std::span<const i64> members, std::span<const f64> weights);
  std::string soup_json(const merge::Soup& soup) const;
  void report(const merge::Soup& soup, const merge::EngineReport& merged);

  cli::Tool& tool_;
  const merge::SoupRule rule_;
  const ScoreCommand command_;
  const std::vector<std::string>& candidates_;
  merge::PlanOptions plan_options_;
  merge::FolderOptions folder_options_;
  merge::EngineOptions engine_options_;
  std::unique_ptr<HeldOut> held_out_;  // judges where there is no command
  std::vector<std::string> labels_;
  std::vector<bool> plain_;                 // a folder or file that the command can be run on
  std::unique_ptr<io::AtomicDir> scratch_;  // never committed: gone at the end, or at a signal
  std::atomic<i64> evaluations_ = 0;
};

SoupRun::SoupRun(cli::Tool& tool, const merge::SoupRule& rule)
    : tool_(tool), rule_(rule), command_(tool.options().text("score")), candidates_(tool.files()) {
  plan_options_ = plan_options(tool.options());
  folder_options_ = folder_options(tool);
  engine_options_ = engine_options(tool.options());
}

merge::Recipe SoupRun::mean_of(std::span<const i64> members, std::span<const f64> weights) const {
  merge::Recipe recipe;
  recipe.method = merge::find_method("linear");
  recipe.base = tool_.options().text("base");
  recipe.where = "soup";
  for (std::size_t i = 0; i < members.size(); ++i) {
    merge::RecipeModel model;
    model.path = model.where = candidates_[usize(members[i])];
    model.params["weight"] = {{"", {format_float(weights[i])}, "soup"}};
    recipe.models.push_back(std::move(model));
  }
  return recipe;
}

// The mean as a folder that lives until the next trial.
std::string SoupRun::make_trial(std::span<const i64> members, std::span<const f64> weights) {
  Context quiet = tool_.ctx();  // what there is to be said, the result's merge says
  quiet.log = &null_log();
  if (!scratch_)
    scratch_ =
        std::make_unique<io::AtomicDir>((fs::path(quiet.tmp_dir) / "lm-merge-soup").string());
  const merge::Recipe recipe = mean_of(members, weights);
  merge::Plan plan = merge::make_plan(recipe, plan_options_, quiet);
  const std::string folder = (fs::path(scratch_->temp_path()) / "trial").string();
  merge::FolderOptions options = folder_options_;
  options.files.sync = false;
  merge::merge_into_folder(plan, recipe, folder, options, engine_options_, quiet);
  return folder;
}

// Perplexity: the mean over the held-out sets is one of nats a token.
f64 SoupRun::judge(const std::string& folder) {
  if (!held_out_) {
    const StageTimer timer(tool_.ctx().stages->stage("score"));
    return command_(folder);
  }
  f64 nats = 0;
  const std::vector<decode::SetScore> scores = held_out_->score_folder(folder);
  for (const decode::SetScore& one : scores)
    nats += one.per_token() / static_cast<f64>(scores.size());
  return std::exp(nats);
}

f64 SoupRun::score(std::span<const i64> members, std::span<const f64> weights) {
  const bool as_it_is = members.size() == 1 && plain_[usize(members[0])];
  const std::string folder =
      as_it_is ? candidates_[usize(members[0])] : make_trial(members, weights);
  const f64 score = judge(folder);
  evaluations_.fetch_add(1);
  const std::string what = members.size() == 1 ? candidates_[usize(members[0])]
                                               : cat("mean of ", members.size(), " with ",
                                                     candidates_[usize(members.back())]);
  tool_.console().message(LogLevel::kInfo, cat(what, ": ", score));
  return score;
}

std::string SoupRun::soup_json(const merge::Soup& soup) const {
  const bool scored = rule_.mode != merge::SoupMode::kUniform;
  Json json;
  json["mode"] = tool_.options().text("mode");
  json["score_command"] = held_out_ || command_.text().empty() ? Json() : Json(command_.text());
  if (held_out_) json["perplexity_on"] = held_out_->sets();
  json["better"] = !scored ? Json() : Json(rule_.minimize ? "lower" : "higher");
  json["strict"] = rule_.strict;
  json["rounds"] = rule_.rounds;
  json["weighted"] = rule_.weighted;
  json["candidates"] = Json::array();
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    json["candidates"].push_back(
        {{"model", labels_[i]}, {"score", scored ? Json(soup.scores[i]) : Json()}});
  }
  json["steps"] = Json::array();
  for (const merge::SoupStep& step : soup.steps) {
    json["steps"].push_back({{"candidate", step.candidate},
                             {"score", step.score},
                             {"best", step.best},
                             {"accepted", step.accepted},
                             {"share", step.share},
                             {"round", step.round}});
  }
  json["members"] = soup.members;
  json["weights"] = soup.weights;
  if (rule_.leave_one_out) {
    json["leave_one_out"] = Json::array();
    for (std::size_t i = 0; i < soup.without_member.size(); ++i)
      json["leave_one_out"].push_back(
          {{"member", soup.members[i]}, {"score", soup.without_member[i]}});
  }
  json["score"] = soup.score ? Json(*soup.score) : Json();
  json["evaluations"] = evaluations_.load();
  return json.dump(2) + "\n";
}

void SoupRun::report(const merge::Soup& soup, const merge::EngineReport& merged) {
  for (const merge::SoupStep& step : soup.steps) {
    tool_.console().message(LogLevel::kInfo,
                            cat(candidates_[usize(step.candidate)], ": ", step.score, " after ",
                                step.best, step.accepted ? ", taken" : ", left out"));
  }
  std::string steps;
  for (const merge::SoupStep& step : soup.steps) {
    append(steps, steps.empty() ? "" : ",", "{\"candidate\":", step.candidate, ",\"score\":");
    io::append_json_number(steps, step.score);
    append(steps, ",\"accepted\":", step.accepted, "}");
  }
  tool_.add_metric("evaluations", cat(evaluations_.load()));
  tool_.add_metric("children_cpu_s", format_fixed(children_cpu_s(), 3));
  tool_.add_metric("members", cat(soup.members.size()));
  tool_.add_metric("steps", cat("[", steps, "]"));
  tool_.add_metric("bytes_in", cat(merged.bytes_in));
  tool_.add_metric("bytes_out", cat(merged.bytes_out));
  tool_.set_summary(cat(soup.members.size(), " of ", candidates_.size(), " models",
                        soup.score ? cat(", score ", *soup.score) : std::string(), ", ",
                        evaluations_.load(), " evaluations"));
}

void SoupRun::run() {
  const std::string& output = tool_.options().text("output");
  std::vector<i64> all(candidates_.size());
  std::iota(all.begin(), all.end(), i64{0});
  {
    // What cannot be averaged is found before anything is scored.
    const std::vector<f64> equal(all.size(), 1);
    const merge::Recipe recipe = mean_of(all, equal);
    const merge::Plan plan = merge::make_plan(recipe, plan_options_, tool_.ctx());
    add_inputs(tool_, plan, recipe);
    if (!tool_.options().list("eval").empty())
      held_out_ = std::make_unique<HeldOut>(tool_, plan.inputs[plan.reference].folder);
  }
  merge::InputModels models(tool_.options().text("base"));
  for (const std::string& one : candidates_) {
    const merge::InputModel& model = models[models.open(one)];
    labels_.push_back(model.label());
    plain_.push_back(!model.adapter);
  }
  merge::check_output(output);
  tool_.claim_folder(output);
  const cli::StatusScope status =
      tool_.set_status([this] { return cat(evaluations_.load(), " evaluations"); });
  const merge::Soup soup = merge::make_soup(
      isize(all), rule_,
      [this](std::span<const i64> m, std::span<const f64> w) { return score(m, w); });
  scratch_.reset();
  const merge::Recipe recipe = mean_of(soup.members, soup.weights);
  merge::Plan plan = merge::make_plan(recipe, plan_options_, tool_.ctx());
  folder_options_.more_files["soup.json"] = soup_json(soup);
  report(soup, merge::merge_into_folder(plan, recipe, output, folder_options_, engine_options_,
                                        tool_.ctx()));
}

}  // namespace

void run_soup(cli::Tool& tool) {
  tool.need_input();
  const cli::Options& options = tool.options();
  for (const std::string& path : tool.files())
    add_named_input(tool, path);
  for (const std::string& path : options.list("eval"))
    if (path != "-") tool.add_input(path);
  if (tool.files().empty()) {
    throw Error(ErrorKind::kUsage, "which models? name the candidates",
                "lm-merge soup --score ./score --maximize a b c -o merged");
  }
  if (options.text("output") == "-") throw Error(ErrorKind::kUsage, "a soup needs -o FOLDER");
  merge::SoupRule rule;
  rule.mode = *merge::parse_soup_mode(options.text("mode"));
  rule.minimize = options.on("minimize");
  rule.strict = options.on("strict");
  rule.rounds = options.integer("rounds");
  rule.weighted = options.on("weighted");
  rule.leave_one_out = options.on("leave-one-out");
  const bool by_records = !options.list("eval").empty();
  const bool scored = rule.mode != merge::SoupMode::kUniform || rule.leave_one_out;
  const std::string& device = options.text("device");
  if (!by_records && device.starts_with("cuda") &&
      options.origin("device") != cli::Origin::kEnvironment) {
    throw Error(ErrorKind::kUnavailable,
                cat("--device ", device, ": soup computes on the CPU only, but for --eval"));
  }
  if (!scored && (options.given("score") || by_records))
    throw Error(ErrorKind::kUsage, cat("--mode uniform takes all candidates: it has no --",
                                       by_records ? "eval" : "score"));
  if (scored && !options.given("score") && !by_records) {
    throw Error(ErrorKind::kUsage,
                cat("--mode ", options.text("mode"), " needs --score COMMAND or --eval FILE"),
                "the command gets a model's folder as its last word and prints a number; of --eval "
                "it is the perplexity");
  }
  if (by_records) rule.minimize = true;
  if (scored && !rule.minimize && !options.on("maximize")) {
    throw Error(ErrorKind::kUsage, "is a low or a high score better?", "--minimize or --maximize");
  }
  SoupRun(tool, rule).run();
}

}  // namespace lm::merge_tool
