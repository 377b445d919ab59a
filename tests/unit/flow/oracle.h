#pragma once
// An answerer that solves the problems of flows, with faults of known distribution. A reply depends
// on the request's id and seed alone. Time is a counter: every call takes as long as a model says.

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "answer/answer.h"
#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"
#include "flow/cost.h"
#include "flow/problems.h"
#include "text/utf8.h"

namespace lm::test {

struct OracleNoise {
  f64 count_variance = 0;  // of a count, per unit^power
  f64 count_bias = 0;      // added, per unit
  f64 power = 1;
  f64 drop = 0;    // sort: that one number is left out
  f64 jitter = 0;  // sort: every number moves by U[-jitter, jitter], the list stays sorted
  f64 miss = 0;    // needles: miss x size^miss_power
  f64 miss_power = 1;
  f64 invent = 0;  // needles: that a piece without one answers
};

class Oracle : public answer::Answerer {
 public:
  Oracle(flow::Problem problem, OracleNoise noise = {}, flow::CostModel time = {})
      : problem_(problem), noise_(noise), time_(time) {}

  void add(answer::Request request) override {
    asked_.push_back(request.id);
    waiting_.push_back(reply_to(request));
  }
  i64 pending() const override { return isize(waiting_); }
  bool step() override {
    if (ready_ < isize(waiting_)) {
      const answer::Response& next = waiting_[usize(ready_++)];
      i64 decode = 0;
      for (const answer::Reply& reply : next.replies)
        decode += reply.tokens;
      now_ += slowness * time_.of({next.prompt_tokens, decode});
      return true;
    }
    return false;
  }
  std::optional<answer::Response> take() override {
    if (ready_ == 0) return std::nullopt;
    answer::Response out = std::move(waiting_.front());
    waiting_.pop_front();
    --ready_;
    return out;
  }
  i64 count_tokens(const std::string& text) const override { return text::count_code_points(text); }
  u64 key() const override { return 7; }

  std::function<f64()> clock() {
    return [this] { return now_; };
  }
  const std::vector<std::string>& asked() const { return asked_; }
  f64 slowness = 1;

  answer::Response reply_to(const answer::Request& request) const {
    answer::Response out;
    out.prompt_tokens = count_tokens(request.prompt) + 1;  // and a token that begins texts
    const std::optional<flow::PerfectReply> right = flow::perfect_reply(problem_, request);
    if (!right) {
      out.fault = Fault{"no_rule", "none of the problem's calls", -1};
      return out;
    }
    for (i64 i = 0; i < request.params.n; ++i) {
      const RandomStream draws(request.seed, RandomPurpose::kOther,
                               xxh3_64(cat(request.id, " ", i)));
      const std::string text = with_faults(*right, draws);
      out.replies.push_back({text, "stop", isize(text), 0});
    }
    return out;
  }

 private:
  std::string with_faults(const flow::PerfectReply& right, const RandomStream& draws) const {
    const f64 size = static_cast<f64>(right.size);
    switch (problem_) {
      case flow::Problem::kCount: {
        const f64 e =
            noise_.count_bias * size +
            std::sqrt(noise_.count_variance * std::pow(size, noise_.power)) * draws.normal(0);
        return cat(right.value.whole() + std::llround(e));
      }
      case flow::Problem::kSort: {
        text::ValueList list = right.value.list();
        for (std::size_t i = 0; i < list.size() && noise_.jitter > 0; ++i)
          list[i] =
              text::Value(list[i].number() + noise_.jitter * (2 * draws.uniform(100 + i) - 1));
        std::sort(list.begin(), list.end(), [](const text::Value& a, const text::Value& b) {
          return a.number() < b.number();
        });
        if (!list.empty() && draws.uniform(0) < noise_.drop)
          list.erase(list.begin() + static_cast<std::ptrdiff_t>(draws.below(1, list.size())));
        return text::to_json(text::Value(std::move(list)));
      }
      default:
        break;
    }
    if (right.needles > 0 && draws.uniform(0) < noise_.miss * std::pow(size, noise_.miss_power))
      return "none";
    if (right.needles == 0 && draws.uniform(0) < noise_.invent)
      return cat(100000 + draws.below(1, 900000));
    return right.text;
  }

  const flow::Problem problem_;
  const OracleNoise noise_;
  const flow::CostModel time_;
  std::deque<answer::Response> waiting_;
  i64 ready_ = 0;
  f64 now_ = 0;
  std::vector<std::string> asked_;
};

}  // namespace lm::test
