#include "align/aligner.h"

#include <algorithm>
#include <array>
#include <utility>

#include "align/advantages.h"
#include "core/draws.h"
#include "core/error.h"
#include "core/str.h"

namespace lm::align {

namespace {

using train::StepResult;
using train::TokenScalar;

constexpr f64 kGamma = 1;

/// Reward of a completion with what an end is worth.
f64 reward_of(const Rollout& rollout, const AlignOptions& options) {
  return rollout.reward - (rollout.truncated ? options.truncation_penalty : 0);
}

/// Sum of log pi - log ref.
f64 divergence(const Rollout& rollout) {
  f64 sum = 0;
  for (std::size_t t = 0; t < rollout.logp.size(); ++t)
    sum += static_cast<f64>(rollout.logp[t]) - static_cast<f64>(rollout.ref_logp[t]);
  return sum;
}

/// Advantages of whole completions.
std::vector<f64> sequence_advantages(const AlignOptions& options,
                                     std::span<const Rollout> rollouts) {
  std::vector<f64> out;
  const bool in_loss = options.method == "grpo";
  for (const Rollout& rollout : rollouts)
    out.push_back(reward_of(rollout, options) - (in_loss ? 0 : options.kl * divergence(rollout)));
  if (options.method == "reinforce") {
    leave_one_out(out);
    return out;
  }
  for (i64 first = 0; first < isize(out); first += options.samples) {
    const std::span<f64> group = std::span(out).subspan(usize(first), usize(options.samples));
    if (in_loss)
      normalise_group(group);
    else
      leave_one_out(group);
  }
  return out;
}

}  // namespace

Packed pack(std::span<const Prompt> prompts, std::span<const Rollout* const> rollouts,
            i64 slot_rows, std::span<const std::vector<f32>> scalars) {
  Packed out;
  i64 used = slot_rows;
  for (i64 i = 0; i < isize(rollouts); ++i) {
    const Rollout& rollout = *rollouts[usize(i)];
    const std::vector<i32>& prompt = prompts[usize(rollout.prompt)].tokens;
    const i64 rows = isize(prompt) + isize(rollout.tokens) - 1;
    LM_CHECK(rows <= slot_rows, "a completion with its prompt fits a slot");
    if (used + rows > slot_rows) {
      out.slots.emplace_back().number = i;
      used = 0;
    }
    train::Example& slot = out.slots.back();
    if (used > 0) slot.starts.push_back(static_cast<i32>(slot.tokens.size()));
    slot.tokens.insert(slot.tokens.end(), prompt.begin(), prompt.end());
    slot.tokens.insert(slot.tokens.end(), rollout.tokens.begin(), rollout.tokens.end());
    slot.loss.insert(slot.loss.end(), prompt.size(), 0);
    slot.loss.insert(slot.loss.end(), rollout.tokens.size(), 1);
    if (!scalars.empty())
      slot.scalars.insert(slot.scalars.end(), scalars[usize(i)].begin(), scalars[usize(i)].end());
    out.places.push_back({i, isize(out.slots) - 1, used + isize(prompt) - 1});
    used += rows;
  }
  return out;
}

std::vector<std::vector<f32>> token_scalars(const AlignOptions& options,
                                            std::span<const Rollout> rollouts) {
  std::vector<std::vector<f64>> advantages, returns(rollouts.size());
  if (options.method == "ppo") {
    std::vector<f64> all;
    for (std::size_t i = 0; i < rollouts.size(); ++i) {
      const Rollout& rollout = rollouts[i];
      const std::vector<f64> rewards =
          token_rewards(rollout.logp, rollout.ref_logp, options.kl, reward_of(rollout, options));
      const std::vector<f64> one = gae(rewards, rollout.values, kGamma, options.lambda);
      for (std::size_t t = 0; t < one.size(); ++t)
        returns[i].push_back(one[t] + static_cast<f64>(rollout.values[t]));
      all.insert(all.end(), one.begin(), one.end());
    }
    whiten(all);
    auto at = all.begin();
    for (const Rollout& rollout : rollouts) {
      advantages.emplace_back(at, at + isize(rollout.tokens));
      at += isize(rollout.tokens);
    }
  } else {
    const std::vector<f64> whole = sequence_advantages(options, rollouts);
    for (std::size_t i = 0; i < rollouts.size(); ++i)
      advantages.emplace_back(rollouts[i].tokens.size(), whole[i]);
  }
  std::vector<std::vector<f32>> out;
  for (std::size_t i = 0; i < rollouts.size(); ++i) {
    const Rollout& rollout = rollouts[i];
    std::vector<f32>& scalars = out.emplace_back();
    for (std::size_t t = 0; t < rollout.tokens.size(); ++t) {
      std::array<f32, train::kTokenScalars> of_token{};
      of_token[train::kOldLogp] = rollout.logp[t];
      of_token[train::kRefLogp] = rollout.ref_logp[t];
      of_token[train::kAdvantage] = static_cast<f32>(advantages[i][t]);
      if (!returns[i].empty()) {
        of_token[train::kReturn] = static_cast<f32>(returns[i][t]);
        of_token[train::kOldValue] = rollout.values[t];
      }
      scalars.insert(scalars.end(), of_token.begin(), of_token.end());
    }
  }
  return out;
}

Measure::Measure(const model::Model& model, const train::TrainOptions& options,
                 const Backend& backend)
    : graph_(model.cfg, *model.params, objective_, train::forward_options(model.cfg, options)),
      executor_(graph_.graph, backend) {
  graph_.model.bind(executor_, model.weights);
}

std::vector<std::vector<f32>> Measure::run(std::span<const train::Example> slots) {
  std::vector<Value> wanted = {graph_.loss.rows};
  wanted.insert(wanted.end(), graph_.loss.measures.begin(), graph_.loss.measures.end());
  std::vector<std::vector<f32>> out(wanted.size());
  const i64 rows = graph_.inputs.rows();
  for (i64 first = 0; first < isize(slots); first += graph_.inputs.slots()) {
    const i64 count = std::min(graph_.inputs.slots(), isize(slots) - first);
    objective_.fill(slots.subspan(usize(first), usize(count)), {}, graph_.inputs);
    graph_.inputs.set(executor_);
    executor_.run({});
    for (std::size_t w = 0; w < wanted.size(); ++w) {
      out[w].resize(out[w].size() + usize(rows));
      executor_.read(wanted[w], std::span(out[w]).last(usize(rows)));
    }
  }
  return out;
}

Aligner::Aligner(train::Trainer& trainer, const model::Model& reference, Roller& roller,
                 RewardSource& rewards, std::span<const Prompt> prompts,
                 const AlignOptions& options, const Context& ctx)
    : trainer_(trainer),
      roller_(roller),
      rewards_(rewards),
      prompts_(prompts),
      options_(options),
      ctx_(ctx),
      policy_(trainer.model(), trainer.options(), trainer.backend()),
      reference_(reference, trainer.options(), trainer.backend()) {
  LM_CHECK(trainer.on_host(), "the policy is in host memory");
  LM_CHECK(!prompts.empty() && options.rollouts() % options.minibatches == 0,
           "updates of whole completions");
  LM_CHECK(trainer.options().batch >= options.update_size(), "an update fits its batch");
}

/// Prompts in the order of a permutation of (seed, epoch).
std::vector<i64> Aligner::picks(i64 position) {
  const i64 n = isize(prompts_);
  std::vector<i64> out;
  for (i64 i = position; i < position + options_.prompts; ++i) {
    if (epoch_ != i / n) {
      epoch_ = i / n;
      order_.emplace(static_cast<u64>(n), options_.seed, static_cast<u64>(epoch_));
    }
    out.push_back(static_cast<i64>((*order_)(static_cast<u64>(i % n))));
  }
  return out;
}

void Aligner::measure(std::span<Rollout> rollouts) {
  std::vector<const Rollout*> all;
  for (const Rollout& rollout : rollouts)
    all.push_back(&rollout);
  const Packed packed = pack(prompts_, all, policy_.slot_rows(), {});
  const std::vector<std::vector<f32>> own = policy_.run(packed.slots);
  const std::vector<std::vector<f32>> other = reference_.run(packed.slots);
  for (const Packed::Place& place : packed.places) {
    Rollout& rollout = rollouts[usize(place.rollout)];
    const i64 first = place.slot * policy_.slot_rows() + place.row;
    const auto part = [&](const std::vector<f32>& of) {
      const auto begin = of.begin() + first;
      return std::vector<f32>(begin, begin + isize(rollout.tokens));
    };
    rollout.logp = part(own[0]);
    rollout.entropies = part(own[1]);
    if (own.size() > 2) rollout.values = part(own[2]);
    rollout.ref_logp = part(other[0]);
  }
}

std::vector<train::Examples> Aligner::updates(std::span<const Rollout> rollouts) const {
  const std::vector<std::vector<f32>> scalars = token_scalars(options_, rollouts);
  std::vector<train::Examples> out;
  for (i64 epoch = 0; epoch < options_.epochs; ++epoch) {
    std::vector<i64> order(rollouts.size());
    for (i64 i = 0; i < isize(order); ++i)
      order[usize(i)] = i;
    if (options_.minibatches > 1) {
      Draws draws(options_.seed, "align order", trainer_.counters.step * options_.epochs + epoch);
      draws.shuffle(std::span<i64>(order));
    }
    for (i64 m = 0; m < options_.minibatches; ++m) {
      std::vector<const Rollout*> some;
      std::vector<std::vector<f32>> numbers;
      for (i64 i = m * options_.update_size(); i < (m + 1) * options_.update_size(); ++i) {
        some.push_back(&rollouts[usize(order[usize(i)])]);
        numbers.push_back(scalars[usize(order[usize(i)])]);
      }
      train::Examples& slots =
          out.emplace_back(pack(prompts_, some, trainer_.options().seq_len, numbers).slots);
      slots.resize(usize(trainer_.options().batch));
    }
  }
  return out;
}

StepResult Aligner::step(i64 position) {
  try {
    return run_step(position);
  } catch (const Error& e) {
    const std::string step = cat("step ", trainer_.counters.step + 1);
    if (e.message().starts_with(step)) throw;
    throw e.with_prefix(step);
  }
}

StepResult Aligner::run_step(i64 position) {
  StepResult stopped;
  stopped.stopped = true;
  std::optional<std::vector<Rollout>> rollouts =
      roller_.roll(prompts_, picks(position), position, *ctx_.stop);
  if (!rollouts) return stopped;
  rewards_.score(prompts_, *rollouts);
  measure(*rollouts);
  StepResult result = trainer_.step_of(updates(*rollouts));
  if (result.stopped) return result;
  f64 reward = 0, kl = 0, entropy = 0, tokens = 0, truncated = 0;
  for (const Rollout& rollout : *rollouts) {
    reward += rollout.reward;
    kl += divergence(rollout);
    tokens += static_cast<f64>(rollout.tokens.size());
    truncated += rollout.truncated ? 1 : 0;
    for (const f32 nats : rollout.entropies)
      entropy += static_cast<f64>(nats);
  }
  const f64 n = static_cast<f64>(rollouts->size());
  const std::vector<std::pair<std::string, f64>> figures = {
      {"reward", reward / n},        {"kl", kl / tokens},    {"kl_sequence", kl / n},
      {"entropy", entropy / tokens}, {"length", tokens / n}, {"truncated", truncated / n}};
  result.metrics.insert(result.metrics.begin(), figures.begin(), figures.end());
  return result;
}

}  // namespace lm::align
