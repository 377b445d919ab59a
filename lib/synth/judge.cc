#include "synth/judge.h"

#include <algorithm>

#include "core/str.h"
#include "io/json.h"
#include "synth/fields.h"

namespace lm::synth {

using text::Value;

const std::vector<std::string>& judged_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out = accord::problem_names();
    out.emplace_back("prefs");
    return out;
  }();
  return names;
}

std::optional<Fault> Judge::read(std::string_view instance_json) {
  if (reward_ && instance_json == reward_json_) {
    problem_ = isize(judged_names()) - 1;
    return std::nullopt;
  }
  const Result<Value> root = text::parse_json_value(instance_json);
  if (!root) return root.fault();
  const Value* const name = root->is_map() ? root->find(Value("problem")) : nullptr;
  if (name != nullptr && name->is_string() && name->str() == judged_names().back()) {
    const Result<Reward> reward = read_reward(*root);
    if (!reward) return reward.fault();
    reward_ = *reward;
    reward_json_ = instance_json;
    problem_ = isize(judged_names()) - 1;
    return std::nullopt;
  }
  Result<accord::Instance> read = accord::instance_of(*root);
  if (!read) return read.fault();
  instance_ = std::move(*read);
  problem_ = static_cast<i64>(accord::problem_of(instance_));
  return std::nullopt;
}

bool Judge::maximised() const {
  return problem_ == isize(judged_names()) - 1 ||
         accord::maximised(static_cast<accord::Problem>(problem_));
}

Judged Judge::by_reward(std::string_view text) const {
  Judged out;
  std::vector<i64> ids;
  std::string wrong;
  for (const std::string_view word : split(trim(text), ' ')) {
    if (word.empty()) continue;
    const std::optional<i64> id = symbol_id(word);
    if (!id || *id >= reward_->vocab()) {
      wrong = cat(quote(word), " is none of the ", reward_->vocab(), " symbols");
      break;
    }
    ids.push_back(*id);
  }
  if (!wrong.empty()) {
    out.json = cat("\"feasible\":false,\"reason\":", io::json_string(wrong));
    return out;
  }
  out.feasible = true;
  out.objective = (*reward_)(ids);
  out.json = cat("\"feasible\":true,\"objective\":", out.objective);
  return out;
}

Judged Judge::operator()(std::string_view text, std::optional<accord::Format> form,
                         std::optional<i64> best) const {
  if (problem_ == isize(judged_names()) - 1) return by_reward(text);
  const accord::Verdict verdict = accord::check(instance_, text, form);
  Judged out;
  out.feasible = verdict.feasible;
  if (!verdict.feasible) {
    out.json = cat("\"feasible\":false,\"reason\":", io::json_string(verdict.reason));
    return out;
  }
  out.objective = static_cast<f64>(verdict.objective);
  out.json = cat("\"feasible\":true,\"objective\":", verdict.objective);
  if (best) {
    out.gap = accord::gap(verdict.objective, *best);
    append(out.json, ",\"gap\":", out.gap ? cat(*out.gap) : "null");
  }
  append(out.json, ",\"solution\":", accord::solution_json(verdict.solution));
  return out;
}

i64 best_of(std::span<const Judged> all, i64 count, bool maximised) {
  i64 best = -1;
  for (i64 i = 0; i < count; ++i) {
    const Judged& one = all[usize(i)];
    if (!one.feasible) continue;
    const f64 other = best < 0 ? one.objective : all[usize(best)].objective;
    if (best < 0 || (maximised ? one.objective > other : one.objective < other)) best = i;
  }
  return best;
}

i64 taken_until(std::span<const Judged> all, f64 share) {
  for (i64 i = 0; i < isize(all); ++i)
    if (all[usize(i)].feasible && all[usize(i)].gap && *all[usize(i)].gap <= share) return i + 1;
  return isize(all);
}

}  // namespace lm::synth
