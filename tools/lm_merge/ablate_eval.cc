// ablate eval: the loss of means of models, of the models themselves, and of models trained on the
// sets, on held-out records.

#include <algorithm>
#include <map>

#include "ablate.h"
#include "ablate/merged_model.h"
#include "ablate/ranking.h"
#include "ablate/sets.h"
#include "ablate/units.h"
#include "common/text_output.h"
#include "core/str.h"
#include "held_out.h"
#include "io/json.h"
#include "streams.h"

namespace lm::merge_tool {

namespace {

using ablate::PoolModel;
using ablate::ScoreKind;

class Evaluation {
 public:
  explicit Evaluation(cli::Tool& tool) : tool_(tool), options_(tool.options()) {}
  void run();

 private:
  void read_pool();
  std::vector<ablate::UnitSet> candidate_sets() const;
  std::vector<std::string> names_of(const ablate::UnitSet& set) const;
  void score_single(i64 unit);
  void score_set(const ablate::UnitSet& set);
  void score_trained(const std::vector<std::string>& names);
  void emit(ScoreKind kind, const std::vector<std::string>& names,
            const std::vector<decode::SetScore>& scores, i64 trained_tokens, i64 bytes_read);

  cli::Tool& tool_;
  const cli::Options& options_;
  std::vector<PoolModel> units_;                              // models of one unit
  std::map<std::vector<std::string>, PoolModel> trained_;     // of several
  std::vector<std::vector<decode::SetScore>> single_scores_;  // by unit
  std::unique_ptr<HeldOut> held_out_;
  std::unique_ptr<ablate::MergedModel> merged_;
};

void Evaluation::read_pool() {
  const std::string& pool = tool_.files()[0];
  tool_.add_input_folder(pool);
  for (PoolModel& model : ablate::read_pool(pool)) {
    tool_.add_input_folder(model.folder);
    if (model.units.size() == 1) {
      units_.push_back(std::move(model));
    } else {
      const std::vector<std::string> names = model.units;
      trained_.emplace(names, std::move(model));
    }
  }
  if (units_.empty())
    throw Error(ErrorKind::kNoInput, cat(pool, ": holds no model of a unit"),
                "lm-merge ablate train UNITS ... -o POOL trains them");
  std::sort(units_.begin(), units_.end(),
            [](const PoolModel& a, const PoolModel& b) { return a.units[0] < b.units[0]; });
}

std::vector<ablate::UnitSet> Evaluation::candidate_sets() const {
  std::vector<ablate::UnitName> names;
  for (const PoolModel& unit : units_)
    names.push_back({unit.units[0], unit.group});
  return ablate::read_sets(options_.text("sets"), names);
}

std::vector<std::string> Evaluation::names_of(const ablate::UnitSet& set) const {
  std::vector<std::string> out;
  for (const i64 unit : set)
    out.push_back(units_[usize(unit)].units[0]);
  return out;
}

void Evaluation::emit(ScoreKind kind, const std::vector<std::string>& names,
                      const std::vector<decode::SetScore>& scores, i64 trained_tokens,
                      i64 bytes_read) {
  std::string set;
  for (const std::string& name : names)
    append(set, set.empty() ? "" : ",", io::json_string(name));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const decode::SetScore& score = scores[i];
    const std::string& eval = held_out_->sets()[i];
    std::string line =
        cat("{\"id\":",
            io::json_string(cat(ablate::score_kind_name(kind), ":", join(names, "+"), ":", eval)),
            ",\"kind\":\"", ablate::score_kind_name(kind), "\",\"set\":[", set,
            "],\"size\":", names.size(), ",\"eval\":", io::json_string(eval), ",\"nll\":");
    io::append_json_number(line, score.per_token());
    line += ",\"ppl\":";
    io::append_json_number(line, std::exp(score.per_token()));
    append(line, ",\"tokens\":", score.tokens, ",\"bytes\":", score.bytes);
    if (trained_tokens > 0) append(line, ",\"trained_tokens\":", trained_tokens);
    if (bytes_read > 0) append(line, ",\"bytes_read\":", bytes_read);
    line += "}\n";
    io::StreamTotals totals;
    totals.add_line(std::string_view(line).substr(0, line.size() - 1));
    tool_.output().write(line, totals);
    ++tool_.counters().records_out;
  }
}

void Evaluation::score_single(i64 unit) {
  const PoolModel& model = units_[usize(unit)];
  merged_->mean_of({model.folder}, {1});
  single_scores_.push_back(held_out_->score(merged_->model(), model.folder));
  emit(ScoreKind::kSingle, model.units, single_scores_.back(), model.trained_tokens, 0);
}

void Evaluation::score_set(const ablate::UnitSet& set) {
  const std::vector<std::string> names = names_of(set);
  if (set.size() == 1)  // the mean of one is that one
    return emit(ScoreKind::kMerged, names, single_scores_[usize(set[0])], 0, 0);
  std::vector<std::string> folders;
  std::vector<f64> weights;
  for (const i64 unit : set) {
    const PoolModel& model = units_[usize(unit)];
    folders.push_back(model.folder);
    weights.push_back(options_.text("weights") == "tokens" ? static_cast<f64>(model.unit_tokens)
                                                           : 1.0);
  }
  const i64 bytes = merged_->mean_of(folders, weights);
  emit(ScoreKind::kMerged, names,
       held_out_->score(merged_->model(), cat("the mean of ", join(names, ", "))), 0, bytes);
}

void Evaluation::score_trained(const std::vector<std::string>& names) {
  const auto at = trained_.find(names);
  if (at == trained_.end()) return;
  const PoolModel& model = at->second;
  merged_->mean_of({model.folder}, {1});
  emit(ScoreKind::kTrained, names, held_out_->score(merged_->model(), model.folder),
       model.trained_tokens, 0);
}

void Evaluation::run() {
  read_pool();
  const std::vector<ablate::UnitSet> sets = candidate_sets();
  held_out_ = std::make_unique<HeldOut>(tool_, units_[0].folder);
  merged_ = std::make_unique<ablate::MergedModel>(units_[0].folder, tool_.ctx());
  std::string models;
  for (const PoolModel& unit : units_)
    append(models, models.empty() ? "" : " ", unit.made_with);
  tool_.set_param("models", io::json_string(cat("xxh3:", hex64(xxh3_64(models)))));
  tool_.set_param("judged_by", io::json_string(cat("xxh3:", hex64(xxh3_64(held_out_->key())))));
  tool_.output();
  std::atomic<i64> done = 0;
  const i64 all = isize(units_) + isize(sets);
  const cli::StatusScope status =
      tool_.set_status([&done, all] { return cat(done.load(), " of ", all, " models scored"); });
  for (i64 unit = 0; unit < isize(units_); ++unit, done.fetch_add(1))
    score_single(unit);
  i64 truths = 0;
  for (const ablate::UnitSet& set : sets) {
    score_set(set);
    if (set.size() > 1) {
      score_trained(names_of(set));
      truths += trained_.contains(names_of(set)) ? 1 : 0;
    } else {
      emit(ScoreKind::kTrained, names_of(set), single_scores_[usize(set[0])],
           units_[usize(set[0])].trained_tokens, 0);
    }
    done.fetch_add(1);
  }
  tool_.add_metric("units", cat(units_.size()));
  tool_.add_metric("sets", cat(sets.size()));
  tool_.add_metric("trained_sets", cat(truths));
  tool_.set_summary(cat(sets.size(), " sets of ", units_.size(), " units, ", truths,
                        " with a model trained on them, on ", held_out_->sets().size(),
                        " held-out sets"));
}

}  // namespace

void run_ablate_eval(cli::Tool& tool) {
  if (tool.files().size() != 1)
    throw Error(ErrorKind::kUsage, "which models? name the pool that ablate train made");
  tool_options::refuse_options(tool, {"shard", "on-error"}, "reads the records of --eval whole");
  add_sets_input(tool);
  for (const std::string& path : tool.options().list("eval"))
    if (path != "-") tool.add_input(path);
  Evaluation(tool).run();
}

}  // namespace lm::merge_tool
