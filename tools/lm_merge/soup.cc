// soup: the mean of those candidates that a score speaks for.

#include "merge/soup.h"

#include <atomic>
#include <filesystem>
#include <numeric>

#include "cli/build.h"
#include "core/str.h"
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
  merge::Recipe mean_of(std::span<const i64> members) const;
  f64 score(std::span<const i64> members);
  std::string make_trial(std::span<const i64> members);
  std::string soup_json(const merge::Soup& soup) const;
  void report(const merge::Soup& soup, const merge::EngineReport& merged);

  cli::Tool& tool_;
  const merge::SoupRule rule_;
  const ScoreCommand command_;
  const std::vector<std::string>& candidates_;
  merge::PlanOptions plan_options_;
  merge::FolderOptions folder_options_;
  merge::EngineOptions engine_options_;
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

merge::Recipe SoupRun::mean_of(std::span<const i64> members) const {
  merge::Recipe recipe;
  recipe.method = merge::find_method("linear");
  recipe.base = tool_.options().text("base");
  recipe.where = "soup";
  recipe.params["weight"] = {{"", {"1"}, "soup"}};
  for (const i64 member : members) {
    merge::RecipeModel model;
    model.path = model.where = candidates_[usize(member)];
    recipe.models.push_back(std::move(model));
  }
  return recipe;
}

// The mean as a folder that lives until the next trial.
std::string SoupRun::make_trial(std::span<const i64> members) {
  Context quiet = tool_.ctx();  // what there is to be said, the result's merge says
  quiet.log = &null_log();
  if (!scratch_)
    scratch_ =
        std::make_unique<io::AtomicDir>((fs::path(quiet.tmp_dir) / "lm-merge-soup").string());
  const merge::Recipe recipe = mean_of(members);
  merge::Plan plan = merge::make_plan(recipe, plan_options_, quiet);
  const std::string folder = (fs::path(scratch_->temp_path()) / "trial").string();
  merge::FolderOptions options = folder_options_;
  options.files.sync = false;
  merge::merge_into_folder(plan, recipe, folder, options, engine_options_, quiet);
  return folder;
}

f64 SoupRun::score(std::span<const i64> members) {
  const bool as_it_is = members.size() == 1 && plain_[usize(members[0])];
  const std::string folder = as_it_is ? candidates_[usize(members[0])] : make_trial(members);
  const f64 score = command_(folder);
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
  json["score_command"] = scored ? Json(command_.text()) : Json();
  json["better"] = !scored ? Json() : Json(rule_.minimize ? "lower" : "higher");
  json["strict"] = rule_.strict;
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
                             {"accepted", step.accepted}});
  }
  json["members"] = soup.members;
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
    const merge::Plan plan = merge::make_plan(mean_of(all), plan_options_, tool_.ctx());
    refuse_output_that_is_input(tool_, output, plan);
  }
  merge::InputModels models(tool_.options().text("base"));
  for (const std::string& one : candidates_) {
    const merge::InputModel& model = models[models.open(one)];
    labels_.push_back(model.label());
    plain_.push_back(!model.adapter);
  }
  merge::check_output(output);
  tool_.claim_output(output);
  const i64 most = rule_.mode == merge::SoupMode::kUniform ? 0
                   : rule_.mode == merge::SoupMode::kMax   ? isize(all)
                                                           : 2 * isize(all) - 1;
  const cli::StatusScope status = tool_.set_status(
      [this, most] { return cat(evaluations_.load(), " of ", most, " evaluations"); });
  const merge::Soup soup =
      merge::make_soup(isize(all), rule_, [this](std::span<const i64> m) { return score(m); });
  scratch_.reset();
  const merge::Recipe recipe = mean_of(soup.members);
  merge::Plan plan = merge::make_plan(recipe, plan_options_, tool_.ctx());
  folder_options_.more_files["soup.json"] = soup_json(soup);
  report(soup, merge::merge_into_folder(plan, recipe, output, folder_options_, engine_options_,
                                        tool_.ctx()));
}

}  // namespace

void run_soup(cli::Tool& tool) {
  tool.need_input();
  const cli::Options& options = tool.options();
  if (tool.files().empty()) {
    throw Error(ErrorKind::kUsage, "which models? name the candidates",
                "lm-merge soup --score ./score --maximize a b c -o merged");
  }
  if (options.text("output") == "-") throw Error(ErrorKind::kUsage, "a soup needs -o FOLDER");
  merge::SoupRule rule;
  rule.mode = *merge::parse_soup_mode(options.text("mode"));
  rule.minimize = options.on("minimize");
  rule.strict = options.on("strict");
  const bool scored = rule.mode != merge::SoupMode::kUniform;
  if (!scored && options.given("score"))
    throw Error(ErrorKind::kUsage, "--mode uniform takes all candidates: it has no --score");
  if (scored && !options.given("score")) {
    throw Error(ErrorKind::kUsage, cat("--mode ", options.text("mode"), " needs --score COMMAND"),
                "the command gets a model's folder as its last word and prints a number");
  }
  if (scored && !rule.minimize && !options.on("maximize")) {
    throw Error(ErrorKind::kUsage, "is a low or a high score better?", "--minimize or --maximize");
  }
  SoupRun(tool, rule).run();
}

}  // namespace lm::merge_tool
