#include "eval/neural_answers.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/str.h"
#include "decode/grammar_constraint.h"
#include "eval/held_bytes.h"
#include "text/segment.h"

namespace lm::eval {

using decode::ScoreRequest;

namespace {

constexpr i64 kMostBranches = 256;
constexpr const char* kCutShort =
    "documents are not cut here, so that every order reads the same; lm-decode --jrt-template cuts";

std::optional<i32> prefix_token(const decode::Session& session) {
  if (session.begin()) return session.begin();
  if (const std::optional<i32> begin = decode::begin_token(session.cfg(), session.tokenizer()))
    return begin;
  const std::vector<i32> ends = session.generate_options().end_ids;
  if (!ends.empty()) return ends[0];
  throw Error(ErrorKind::kData,
              cat(session.options().folder, ": the model has no token that begins or ends a text"));
}

/// Where the trailing white space of text begins.
std::size_t trailing_blanks(std::string_view text) {
  const std::string_view both = text::strip(text);
  if (both.empty()) return 0;
  return static_cast<std::size_t>(both.data() - text.data()) + both.size();
}

i64 common_prefix(std::span<const i32> a, std::span<const i32> b) {
  const i64 n = std::min(isize(a), isize(b));
  i64 i = 0;
  while (i < n && a[usize(i)] == b[usize(i)])
    ++i;
  return i;
}

std::span<const i32> context_of(const ScoredSequence& sequence) {
  return std::span(sequence.tokens).first(usize(sequence.first));
}

/// The tree of common beginnings of contexts over a sorted list, and its cheapest groups. A node
/// may open a group at its depth; a sequence joins the nearest open node above it. So the cost of a
/// subtree depends on the nearest open node alone, and is computed once for each.
class PrefixPlanner {
 public:
  PrefixPlanner(std::span<const ScoredSequence> all, std::vector<i64> order)
      : all_(all), order_(std::move(order)), shared_(order_.size()) {
    for (std::size_t i = 1; i < order_.size(); ++i)
      shared_[i] = common_prefix(context(order_[i - 1]), context(order_[i]));
  }

  std::vector<SharedPrefix> run(i64 most) {
    if (order_.empty()) return {};
    build(0, order_.size(), 0);
    cost(0, kNone);
    std::vector<SharedPrefix> out;
    emit(0, kNone, kNone, most, out);
    return out;
  }

 private:
  static constexpr i64 kNone = -1;
  static constexpr i64 kDeepestOpen = 64;  // levels of the tree whose nodes may open a group

  struct Node {
    i64 sequence = kNone;  // of a leaf
    i64 depth = 0;         // tokens that all contexts below share
    i64 level = 0;
    std::vector<i64> children;
    std::vector<i64> costs;  // by level of the nearest open node, none first; -1: not computed
    std::vector<u8> opens;   // the choice behind it
  };

  /// What may be in a prefix: nothing scored is.
  std::span<const i32> context(i64 sequence) const { return context_of(all_[usize(sequence)]); }

  i64 build(std::size_t begin, std::size_t end, i64 level) {
    const i64 id = isize(nodes_);
    nodes_.emplace_back();
    Node node;
    node.level = level;
    node.depth = isize(context(order_[begin]));
    if (end - begin == 1) {
      node.sequence = order_[begin];
    } else {
      for (std::size_t i = begin + 1; i < end; ++i)
        node.depth = std::min(node.depth, shared_[i]);
      for (std::size_t at = begin; at < end;) {
        std::size_t stop = at + 1;
        while (stop < end && shared_[stop] > node.depth)
          ++stop;
        node.children.push_back(build(at, stop, level + 1));
        at = stop;
      }
      node.costs.assign(usize(std::min(level, kDeepestOpen) + 1), -1);
      node.opens.resize(node.costs.size());
    }
    nodes_[usize(id)] = std::move(node);
    return id;
  }

  i64 tokens(const Node& leaf) const { return isize(all_[usize(leaf.sequence)].tokens); }

  /// Rows of the subtree when `open` is the nearest open node above it.
  i64 cost(i64 id, i64 open) {
    const Node& node = nodes_[usize(id)];
    if (node.children.empty())
      return tokens(node) - (open == kNone ? 0 : nodes_[usize(open)].depth);
    const std::size_t slot = open == kNone ? 0 : usize(nodes_[usize(open)].level + 1);
    if (node.costs[slot] >= 0) return node.costs[slot];
    i64 closed = 0;
    for (const i64 child : node.children)
      closed += cost(child, open);
    i64 opened = node.depth;
    for (const i64 child : node.children)
      opened += node.level < kDeepestOpen ? cost(child, id) : closed;
    nodes_[usize(id)].opens[slot] = opened < closed ? 1 : 0;
    return nodes_[usize(id)].costs[slot] = std::min(opened, closed);
  }

  /// group: the last one of the open node, in out.
  i64 emit(i64 id, i64 open, i64 group, i64 most, std::vector<SharedPrefix>& out) {
    const Node& node = nodes_[usize(id)];
    if (!node.children.empty()) {
      const std::size_t slot = open == kNone ? 0 : usize(nodes_[usize(open)].level + 1);
      const bool opens = node.opens[slot] != 0;
      i64 own = opens ? kNone : group;
      for (const i64 child : node.children)
        own = emit(child, opens ? id : open, own, most, out);
      return opens ? group : own;
    }
    if (open == kNone || group == kNone || isize(out[usize(group)].branches) == most) {
      const i64 length = open == kNone ? node.depth : nodes_[usize(open)].depth;
      group = open == kNone ? group : isize(out);
      out.push_back({length, {}, length});
    }
    SharedPrefix& to = open == kNone ? out.back() : out[usize(group)];
    to.branches.push_back(node.sequence);
    to.rows += tokens(node) - to.length;
    return group;
  }

  std::span<const ScoredSequence> all_;
  std::vector<i64> order_;
  std::vector<i64> shared_;  // with the sequence before
  std::vector<Node> nodes_;
};

}  // namespace

std::vector<SharedPrefix> share_prefixes(std::span<const ScoredSequence> sequences, i64 most) {
  std::vector<i64> order(sequences.size());
  for (i64 i = 0; i < isize(order); ++i)
    order[usize(i)] = i;
  std::stable_sort(order.begin(), order.end(), [&](i64 a, i64 b) {
    const std::span<const i32> x = context_of(sequences[usize(a)]);
    const std::span<const i32> y = context_of(sequences[usize(b)]);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
  });
  std::vector<SharedPrefix> out = PrefixPlanner(sequences, std::move(order)).run(most);
  std::stable_sort(out.begin(), out.end(),
                   [](const SharedPrefix& a, const SharedPrefix& b) { return a.rows > b.rows; });
  return out;
}

std::vector<ScoredSequence> rolling_windows(const ScoredSequence& text, i64 context) {
  const i64 n = isize(text.tokens) - 1;  // behind the begin token
  std::vector<ScoredSequence> out;
  for (i64 done = 0; done < n;) {
    const i64 scored = std::min(n - done, context);
    const i64 end = done + scored + 1;
    const i64 begin = std::max<i64>(0, end - context - 1);
    ScoredSequence window;
    window.tokens.assign(text.tokens.begin() + begin, text.tokens.begin() + end);
    window.first = end - scored - begin;
    out.push_back(std::move(window));
    done += scored;
  }
  return out;
}

NeuralAnswers::NeuralAnswers(decode::Session& session, u64 seed,
                             std::function<void(i64, i64)> status)
    : session_(session),
      seed_(seed),
      status_(std::move(status)),
      encoder_(session.tokenizer(), session.begin()),
      bare_(session.tokenizer(), prefix_token(session)),
      languages_(session.tokenizer(), session.cfg().vocab, session.generate_options().end_ids,
                 {.memory = session.options().memory}) {}

std::shared_ptr<const decode::Constraint> NeuralAnswers::constraint_of(const TextRequest& request) {
  if (!request.form) return nullptr;
  Result<decode::Languages::Matcher> made = languages_.get(*request.form);
  if (!made)
    throw Error(ErrorKind::kData,
                cat(request.form_at, ": ", made.fault().detail, " (", request.place, ")"));
  return std::make_shared<decode::GrammarConstraint>(std::move(*made), true, &session_.tokenizer());
}

/// By the harness's rule: blanks at the context's end go to the continuation, both are one text,
/// and the continuation's tokens are those behind the context's.
ScoredSequence NeuralAnswers::encode(const LikelihoodRequest& request) {
  const std::size_t head = trailing_blanks(request.context);
  const std::string scored = request.context.substr(head) + request.continuation;
  Result<ScoredSequence> out =
      head == 0 ? bare_.completion("", scored, decode::Boundary::kSeparate)
                : encoder_.completion(std::string_view(request.context).substr(0, head), scored,
                                      decode::Boundary::kJoint);
  if (!out)
    throw Error(ErrorKind::kData, cat("a request cannot be tokenised: ", out.fault().detail, " (",
                                      quote(request.continuation), ")"));
  return std::move(*out);
}

std::vector<Likelihood> NeuralAnswers::likelihoods(std::span<const LikelihoodRequest> requests) {
  const i64 context = session_.engine().positions();
  std::vector<ScoredSequence> sequences;
  std::map<std::pair<std::vector<i32>, i64>, i64> known;  // tokens, first: index of the sequence
  std::vector<std::vector<i64>> parts(requests.size());
  HeldBytes held(session_.options().memory, "the requests of a task");
  for (std::size_t r = 0; r < requests.size(); ++r) {
    ScoredSequence whole = encode(requests[r]);
    std::vector<ScoredSequence> all;
    if (requests[r].rolling) {
      all = rolling_windows(whole, context);
    } else {
      const i64 extra = isize(whole.tokens) - (context + 1);
      if (isize(whole.tokens) - whole.first > context)
        throw Error(ErrorKind::kData, cat("a continuation of ", isize(whole.tokens) - whole.first,
                                          " tokens is longer than the model's context of ", context,
                                          " (", quote(requests[r].continuation), ")"));
      if (extra > 0 && requests[r].whole)
        throw Error(ErrorKind::kData,
                    cat("a prompt and its continuation have ", whole.tokens.size(),
                        " tokens, the model's context is ", context, " (",
                        quote(requests[r].continuation), ")"),
                    kCutShort);
      if (extra > 0) {
        whole.tokens.erase(whole.tokens.begin(), whole.tokens.begin() + extra);
        whole.first -= extra;
        ++stats_.cut_contexts;
      }
      all.push_back(std::move(whole));
    }
    for (ScoredSequence& each : all) {
      const auto [place, fresh] = known.try_emplace({each.tokens, each.first}, isize(sequences));
      parts[r].push_back(place->second);
      held.add(64 + (fresh ? 256 + 8 * isize(each.tokens) : 0));
      if (fresh) sequences.push_back(std::move(each));
    }
  }
  known.clear();
  stats_.requests += isize(requests);
  stats_.unique += isize(sequences);
  for (const ScoredSequence& each : sequences)
    stats_.tokens += isize(each.tokens);

  // A task's requests are of one kind; windows have no prompt.
  const bool given = std::none_of(requests.begin(), requests.end(),
                                  [](const LikelihoodRequest& r) { return r.rolling; });
  const std::vector<SharedPrefix> groups = share_prefixes(sequences, kMostBranches);
  std::vector<Likelihood> scored(sequences.size());
  decode::TokenScorer scorer(session_.engine(), session_.score_options());
  std::size_t added = 0;
  i64 done = 0;
  for (std::size_t taken = 0; taken < groups.size();) {
    for (; added < groups.size() && scorer.pending() < 4 * session_.options().batch; ++added) {
      const SharedPrefix& group = groups[added];
      ScoreRequest request;
      const std::vector<i32>& head = sequences[usize(group.branches[0])].tokens;
      request.prefix.assign(head.begin(), head.begin() + group.length);
      request.given = given;
      for (const i64 i : group.branches) {
        const ScoredSequence& from = sequences[usize(i)];
        ScoreRequest::Branch& branch = request.branches.emplace_back();
        branch.rows.assign(from.tokens.begin() + group.length, from.tokens.end());
        branch.first = from.first - group.length;
      }
      scorer.add(std::move(request));
    }
    LM_CHECK(scorer.step(), "a pending request is evaluated some time");
    while (const std::optional<std::vector<decode::BranchScore>> result = scorer.take()) {
      const std::vector<i64>& branches = groups[taken++].branches;
      for (std::size_t b = 0; b < branches.size(); ++b) {
        const f64 sum = (*result)[b].sum;
        if (!std::isfinite(sum))
          throw Error(ErrorKind::kData, "the model's logits are not numbers");
        scored[usize(branches[b])] = {sum, (*result)[b].all_greedy()};
      }
      told(done += isize(branches), isize(sequences));
    }
  }
  stats_.rows += scorer.stats().rows;

  std::vector<Likelihood> out(requests.size());
  for (std::size_t r = 0; r < requests.size(); ++r) {
    out[r].greedy = true;
    for (const i64 i : parts[r]) {
      out[r].logprob += scored[usize(i)].logprob;
      out[r].greedy = out[r].greedy && scored[usize(i)].greedy;
    }
  }
  return out;
}

std::vector<std::vector<std::string>> NeuralAnswers::texts(std::span<const TextRequest> requests,
                                                           const Generation& how, i64 repeats) {
  const i64 context = session_.engine().positions();
  const i64 room = context - how.max_tokens;
  if (room < 1)
    throw Error(ErrorKind::kData,
                cat("max_gen_toks of ", how.max_tokens,
                    " leaves no room for a prompt in the model's context of ", context));
  decode::SampleParams params;
  params.n = how.sample ? repeats : 1;  // greedy repeats are all the same
  params.max_tokens = how.max_tokens;
  params.stop = how.until;
  params.temperature = how.sample ? how.temperature : 0;
  params.top_p = how.top_p;
  params.top_k = how.top_k;
  std::vector<std::vector<decode::PromptRow>> prompts;
  HeldBytes held(session_.options().memory, "the requests of a task");
  for (const TextRequest& request : requests) {
    Result<std::vector<decode::PromptRow>> rows =
        (request.prompt.empty() ? bare_ : encoder_).prompt(request.prompt);
    if (!rows)
      throw Error(ErrorKind::kData, cat("the prompt of ", request.place,
                                        " cannot be tokenised: ", rows.fault().detail));
    if (isize(*rows) > room && request.whole)
      throw Error(
          ErrorKind::kData,
          cat("the prompt of ", request.place, " has ", rows->size(),
              " tokens and max_gen_toks is ", how.max_tokens, ", the model's context ", context),
          kCutShort);
    if (isize(*rows) > room) {
      rows->erase(rows->begin(), rows->end() - room);
      ++stats_.cut_contexts;
    }
    held.add(256 + isize(*rows) * static_cast<i64>(sizeof(decode::PromptRow)));
    prompts.push_back(std::move(*rows));
  }
  std::vector<i64> order(requests.size());
  for (i64 i = 0; i < isize(order); ++i)
    order[usize(i)] = i;
  std::stable_sort(order.begin(), order.end(), [&](i64 a, i64 b) {
    return prompts[usize(a)].size() > prompts[usize(b)].size();
  });

  decode::Generator generator(session_.engine(), session_.tokenizer(), session_.generate_options());
  std::vector<std::vector<std::string>> out(requests.size());
  std::size_t added = 0;
  for (std::size_t taken = 0; taken < order.size();) {
    for (; added < order.size() && generator.pending() < 4 * session_.options().batch; ++added) {
      const std::size_t i = usize(order[added]);
      generator.add({.id = requests[i].id,
                     .seed = seed_,
                     .prompt = std::move(prompts[i]),
                     .params = params,
                     .constraint = constraint_of(requests[i])});
    }
    generator.step();
    while (const std::optional<decode::Generated> result = generator.take()) {
      const std::size_t i = usize(order[taken++]);
      if (result->fault)
        throw Error(ErrorKind::kData, cat(result->fault->detail, " (", requests[i].place, ")"));
      for (const decode::Completion& completion : result->completions) {
        if (completion.fault)
          throw Error(ErrorKind::kData,
                      cat(completion.fault->detail, " (", requests[i].place, ")"));
        stats_.generated += isize(completion.tokens);
        out[i].push_back(completion.text);
      }
      out[i].resize(usize(repeats), out[i].back());
      told(static_cast<i64>(taken), isize(order));
    }
  }
  stats_.requests += isize(requests);
  return out;
}

}  // namespace lm::eval
