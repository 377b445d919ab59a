// Samples of a Generator that grow by whole alternatives.

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/str.h"
#include "decode/generate_sample.h"

namespace lm::decode {

using model::EvalRow;

namespace {

/// Rows of a pass are named by 64 bits, and stay within the pages that a sample has: room tokens.
std::vector<i32> next_read(ChoiceTree& tree, i64 room, bool can_tree) {
  return tree.next_read(std::clamp<i64>(room, 1, kMostDraft), !can_tree);
}

/// The place of a drawn alternative.
Result<i64> draw_choice(const ChoiceRun& c, Sampler& sampler, const DrawPoint& at) {
  std::vector<f64> weights;
  for (i64 i = 0; i < c.tree.alternatives(); ++i)
    weights.push_back(c.tree.weight(i));
  const Result<i32> id = sampler.choose(c.ids, weights, at);
  if (!id) return id.fault();
  return std::lower_bound(c.ids.begin(), c.ids.end(), *id) - c.ids.begin();
}

}  // namespace

/// Rows of the tokens that the model has not read, and of the alternatives that are read next: in
/// one pass where 64 bits name them all and the model's memory can drop the latter.
void Generator::plan_choice(Sample& s) {
  ChoiceRun& c = *s.choice;
  const i64 tokens = isize(s.tokens);
  const bool chain = is_chain(c.tree, c.read);
  s.unread = tokens - s.cached;
  const auto add = [&](const EvalRow& row) {
    s.rows.push_back(isize(rows_));
    rows_.push_back(row);
    plan_.push_back({&s.job, &s, 0});
  };
  for (i64 i = s.cached; i < tokens; ++i)
    add(token_row(s, i, s.seq));
  if (s.unread > 0) rows_.back().want_logits = true;
  c.planned = s.unread == 0 ||
              ((chain || s.unread + isize(c.read) <= kMostDraft) && engine_.cache().can_cut());
  if (c.planned) {
    const i64 next = s.job.next_position + tokens - isize(s.job.request.prompt);
    for (i64 i = 0; i < isize(c.read); ++i) {
      const ChoiceNode& node = c.tree.node(c.read[usize(i)]);
      EvalRow row;
      row.seq = s.seq;
      row.token = node.token;
      row.position = static_cast<i32>(next + node.depth - 1);
      row.want_logits = true;
      if (!chain) {
        row.see = EvalRow::See::kTree;
        row.ancestors = ancestors_of(c.tree, c.read, i) << s.unread | ((u64{1} << s.unread) - 1);
      }
      add(row);
    }
  }
  const i64 read = isize(s.rows) - s.unread;
  s.out.rows += s.unread;
  stats_.decode_rows += s.unread;
  stats_.draft_rows += read;
}

/// What a pass, or the prompt, has shown of a sample: probabilities, and a draw when all are known.
/// Touches nothing but the sample.
void Generator::choose(Sample& s) {
  ChoiceRun& c = *s.choice;
  s.kept.resize(usize(s.rows.empty() ? 0 : s.unread));
  std::iota(s.kept.begin(), s.kept.end(), 0);
  const i64 known = isize(s.tokens);  // the logits are behind them
  if (!c.begun) {
    c.begun = true;
    next_choice(s);
  }
  bool numbers = true;
  if (!s.done && !s.logits.empty() && known == isize(s.tokens)) {
    numbers = c.tree.score(-1, s.logits);
    c.root = true;
  }
  s.logits = {};
  std::vector<i32> last;  // nodes of the pass
  if (c.planned) {
    for (i64 i = 0; i < isize(c.read) && numbers; ++i)
      numbers = c.tree.score(c.read[usize(i)], engine_.logits(s.rows[usize(s.unread + i)]));
    c.planned = false;
    last = std::exchange(
        c.read, next_read(c.tree, longest(s.job) - isize(s.tokens), engine_.cache().can_tree()));
  }
  if (!numbers) {
    s.out.fault = Fault{"logits", "the model's logits are not numbers", -1};
    return finish_sample(s, "error");
  }
  if (s.done || !c.root || !c.read.empty()) return;
  DrawPoint at;
  at.key = s.job.key;
  at.position = isize(s.tokens);
  at.sample = s.number;
  const Result<i64> place = draw_choice(c, s.sampler, at);
  if (!place) {
    s.out.fault = place.fault();
    return finish_sample(s, "error");
  }
  const std::vector<i32> path = c.tree.path(*place);
  for (i64 j = 0; j < isize(last) && engine_.cache().can_cut(); ++j)  // they are read
    if (std::binary_search(path.begin(), path.end(), last[usize(j)]))
      s.kept.push_back(static_cast<i32>(s.unread + j));
  for (const i32 node : path) {
    s.append(tokenizer_, c.tree.node(node).token);
    if (s.job.request.logprobs) s.out.logprobs.push_back(static_cast<f32>(c.tree.node(node).logp));
  }
  c.text->accept(*place);
  next_choice(s);
}

/// The next alternatives; what has to come is taken at once unless its probabilities are asked for.
void Generator::next_choice(Sample& s) {
  ChoiceRun& c = *s.choice;
  c.root = false;
  for (;;) {
    Result<std::vector<ChoiceText::Alternative>> next = c.text->next();
    if (!next) {
      s.out.fault = next.fault();
      return finish_sample(s, "error");
    }
    if (next->empty()) return finish_sample(s, "complete");
    i64 most = 0;
    for (const ChoiceText::Alternative& one : *next)
      most = std::max(most, isize(one.tokens));
    if (const i64 room = longest(s.job) - isize(s.tokens); most > room) {
      if (isize(s.out.tokens) + room == s.job.request.params.max_tokens)
        return finish_sample(s, "length");
      s.out.fault = Fault{"context",
                          cat("the text needs ", most, " more tokens, the model's context of ",
                              positions(), " leaves ", room),
                          -1};
      return finish_sample(s, "error");
    }
    if (next->size() == 1 && !s.job.request.logprobs) {
      for (const i32 token : next->front().tokens)
        s.append(tokenizer_, token);
      c.text->accept(0);
      continue;
    }
    c.ids.clear();
    std::vector<std::vector<i32>> tokens;
    for (ChoiceText::Alternative& one : *next) {
      c.ids.push_back(one.id);
      tokens.push_back(std::move(one.tokens));
    }
    c.tree = ChoiceTree(tokens);
    c.read = next_read(c.tree, longest(s.job) - isize(s.tokens), engine_.cache().can_tree());
    return;
  }
}

}  // namespace lm::decode
