// Guesses of a Generator's samples: which are made, which are checked, what they were worth.

#include <algorithm>
#include <utility>

#include "core/clock.h"
#include "decode/generate_sample.h"

namespace lm::decode {

bool Generator::reads_prompts() const {
  return std::any_of(jobs_.begin(), jobs_.end(), [](const std::unique_ptr<Job>& job) {
    return job->state == Job::State::kPrompt;
  });
}

/// Guesses at what follows each sample, within what it may still grow: a guess that would be the
/// last token is not worth a row. Where they have to be, none are made beside prompts, whose rows
/// leave nothing idle, nor before a pass has shown what it costs.
void Generator::propose() {
  std::vector<DraftBid> bids;
  const bool held_back = options_.draft_auto &&
                         (!cost_.known() || reads_prompts() || !account_.allows(stats_.forward_s));
  for (const std::unique_ptr<Sample>& each : running_) {
    Sample& s = *each;
    s.draft.clear();
    s.guessed = false;
    if (s.choice) continue;
    const i64 room = longest(s.job) - isize(s.tokens) - 1;
    const i64 share = options_.chunk / isize(running_) - 1;  // of the rows of a pass
    // What a constraint leaves no choice about comes first, and alone.
    const std::span<const i32> forced =
        s.constraints.empty() ? std::span<const i32>() : s.constraints.back()->forced();
    if (!forced.empty() && !s.on_other && engine_.cache().can_cut()) {
      for (i64 i = 0; i < std::min({isize(forced), kMostDraft, room, share}); ++i)
        s.draft.push_back({forced[usize(i)], static_cast<i32>(i - 1), 1});
      stats_.forced_rows += isize(s.draft);
      continue;
    }
    if (!s.drafter || held_back || (options_.draft_auto && !s.pace.ready())) continue;
    const f64 begin = monotonic_s();
    const i64 most = std::min({options_.draft_rows, kMostDraft, room, share});
    if (most > 0) s.drafter->propose(s.tokens, most, s.draft);
    drop_unknown(s.draft, engine_.cfg().vocab);
    if (!engine_.cache().can_tree()) keep_chain(s.draft);
    s.guessed = true;
    s.guess_s = monotonic_s() - begin;
    stats_.draft_s += s.guess_s;
    if (!s.draft.empty()) bids.push_back({&s.draft, s.pace.factor()});
  }
  if (bids.empty() || !options_.draft_auto) return;
  i64 rows = isize(running_);
  for (const std::unique_ptr<Sample>& s : running_)
    if (!s->guessed) rows += isize(s->draft);
  choose_guesses(bids, isize(running_), rows, options_.chunk, cost_);
}

/// What the guesses of the last pass have saved. A right one saves its sample a pass, of which each
/// sample has a share.
void Generator::settle() {
  const f64 seconds = std::exchange(pass_s_, 0);
  if (seconds == 0 || !options_.drafter || !options_.draft_auto) return;
  const i64 rows = isize(rows_);
  const i64 samples = isize(running_);
  i64 guesses = 0;
  bool plain = true;  // a row of each sample, and guesses
  for (const std::unique_ptr<Sample>& s : running_) {
    plain = plain && !s->on_other && s->unread == 1 && (s->guessed || s->draft.empty());
    if (s->guessed) guesses += isize(s->draft);
  }
  if (!plain || rows != samples + guesses) return;
  const bool fresh = !cost_.known(rows);
  cost_.learn(rows, seconds);
  const f64 without = cost_.seconds(samples);
  // What took very long was held up by other programs.
  if (fresh && guesses > 0)
    account_.settle(-std::clamp(seconds - cost_.seconds(rows), 0.0, 8 * without));
  const f64 more = std::max(0.0, cost_.seconds(rows) - without);
  for (const std::unique_ptr<Sample>& s : running_) {
    if (!s->guessed) continue;
    const f64 checked =
        guesses == 0 ? 0 : more * static_cast<f64>(isize(s->draft)) / static_cast<f64>(guesses);
    const f64 saved = without * static_cast<f64>(s->right) / static_cast<f64>(samples);
    const f64 made = std::min(s->guess_s, without);
    f64 expected = 0;
    for (const DraftNode& node : s->draft)
      expected += static_cast<f64>(node.chance);
    for (DraftPace* const pace : {&s->pace, &pace_}) {
      pace->learn(expected, s->right);
      pace->settle(saved - checked - made);
    }
    account_.settle(saved - checked - made);
  }
}

}  // namespace lm::decode
