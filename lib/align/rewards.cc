#include "align/rewards.h"

#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "io/json_node.h"

namespace lm::align {

ModelReward::ModelReward(decode::Session& session)
    : session_(session), scorer_(session.engine(), session.score_head(), session.pass_limits()) {}

void ModelReward::score(std::span<const Prompt> prompts, std::span<Rollout> rollouts) {
  for (const Rollout& rollout : rollouts) {
    const Prompt& prompt = prompts[usize(rollout.prompt)];
    std::vector<i32> tokens = prompt.tokens;
    tokens.insert(tokens.end(), rollout.tokens.begin(), rollout.tokens.end());
    if (isize(tokens) > session_.engine().positions())
      throw Error(ErrorKind::kData,
                  cat("record ", quote(prompt.id), ": prompt and completion have ", tokens.size(),
                      " tokens, the reward model's context ", session_.engine().positions()),
                  "a smaller --max-tokens, or shorter prompts");
    scorer_.add(std::move(tokens));
  }
  for (Rollout& rollout : rollouts) {
    std::optional<f64> reward;
    while (!(reward = scorer_.take()))
      LM_CHECK(scorer_.step(), "texts that are not taken are in work");
    if (!std::isfinite(*reward))
      throw Error(ErrorKind::kData, cat("record ", quote(prompts[usize(rollout.prompt)].id), ": ",
                                        session_.options().folder, " gives no number as reward"));
    rollout.reward = *reward;
  }
}

CommandReward::CommandReward(const std::string& command, i64 timeout_s)
    : child_(command), timeout_ms_(timeout_s * 1000), json_({"completion", "truncated"}) {}

void CommandReward::score(std::span<const Prompt> prompts, std::span<Rollout> rollouts) {
  for (Rollout& rollout : rollouts) {
    const Prompt& prompt = prompts[usize(rollout.prompt)];
    try {
      rollout.reward = ask(prompt, rollout);
    } catch (const Error& e) {
      throw e.with_prefix(cat("record ", quote(prompt.id)));
    }
  }
}

f64 CommandReward::ask(const Prompt& prompt, const Rollout& rollout) {
  record_ = prompt.record;
  record_.append(usize(io::kJsonPadding), ' ');
  const std::optional<Fault> fault =
      json_.parse(std::string_view(record_).substr(0, prompt.record.size()));
  LM_CHECK(!fault, "the record was read before");
  io::RecordEdit edit(json_);
  edit.set(0, io::json_string(rollout.text));
  edit.set(1, rollout.truncated ? "true" : "false");
  line_.clear();
  edit.write(line_);
  line_.pop_back();  // ask() ends the line
  const std::string_view answer = child_.ask(line_, timeout_ms_);
  const auto wrong = [&]() -> Error {
    return {ErrorKind::kData,
            cat("the answer of ", quote(child_.command()), " is ", quote(answer, 200),
                ", expected a number or an object with a number as \"reward\""),
            "it answers every line with one line, at once, in their order"};
  };
  const io::JsonDocument document(answer);
  if (!document.error().empty()) throw wrong();
  const io::JsonNode root = document.root("reward");
  std::optional<f64> value = root.as_number();
  if (root.is_object() && root.has("reward")) value = root.at("reward").as_number();
  if (!value || !std::isfinite(*value)) throw wrong();
  return *value;
}

}  // namespace lm::align
