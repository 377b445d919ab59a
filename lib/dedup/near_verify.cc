#include "dedup/near_verify.h"

#include <algorithm>

#include "core/parallel.h"

namespace lm::dedup {

namespace {

class AcceptAll : public PairJudge {
 public:
  void load(i64 id, Loaded& out) const override { out.id = id; }
  f64 judge(const Loaded&, const Loaded&) const override { return 1; }
};

class SketchJudge : public PairJudge {
 public:
  SketchJudge(const io::TempFile& sketches, std::vector<i64> ordinals, i64 minima, f64 least)
      : file_(&sketches), ordinals_(std::move(ordinals)), minima_(minima), least_(least) {}
  void load(i64 id, Loaded& out) const override {
    out.id = id;
    const i64 bytes = minima_ * 4;
    out.scratch.assign(usize((minima_ + 1) / 2), 0);
    if (file_->read_at(out.scratch.data(), bytes, ordinals_[usize(id)] * bytes) != bytes) {
      throw Error(ErrorKind::kIo, "the spill file of sketches ended early");
    }
    out.set = out.scratch;
  }
  f64 judge(const Loaded& leader, const Loaded& member) const override {
    const u32* a = reinterpret_cast<const u32*>(leader.set.data());
    const u32* b = reinterpret_cast<const u32*>(member.set.data());
    i64 equal = 0;
    for (i64 i = 0; i < minima_; ++i)
      equal += a[i] == b[i];
    const f64 estimate = static_cast<f64>(equal) / static_cast<f64>(minima_);
    return estimate >= least_ ? estimate : -1;
  }

 private:
  const io::TempFile* file_;
  std::vector<i64> ordinals_;
  i64 minima_;
  f64 least_;
};

class ExactJudge : public PairJudge {
 public:
  ExactJudge(const ShingleStore& sets, f64 threshold, std::vector<i64> order)
      : sets_(&sets), threshold_(threshold), order_(std::move(order)) {}
  void load(i64 id, Loaded& out) const override {
    out.id = id;
    out.set = sets_->read(place(id), out.scratch);
  }
  f64 judge(const Loaded& leader, const Loaded& member) const override {
    const i64 a = isize(leader.set);
    const i64 b = isize(member.set);
    // J <= min / max, so sizes alone refuse most pairs of one template with other content.
    const f64 bound = static_cast<f64>(std::min(a, b)) / static_cast<f64>(std::max(a, b));
    if (bound < threshold_) return -1;
    if (a == b && sets_->digest(place(leader.id)) == sets_->digest(place(member.id))) return 1;
    const f64 j = jaccard(leader.set, member.set);
    return j >= threshold_ ? j : -1;
  }

 private:
  i64 place(i64 id) const { return order_.empty() ? id : order_[usize(id)]; }

  const ShingleStore* sets_;
  f64 threshold_;
  std::vector<i64> order_;
};

}  // namespace

std::unique_ptr<PairJudge> no_judge() {
  return std::make_unique<AcceptAll>();
}

std::unique_ptr<PairJudge> sketch_judge(const io::TempFile& sketches, std::vector<i64> ordinals,
                                        i64 minima, f64 least) {
  return std::make_unique<SketchJudge>(sketches, std::move(ordinals), minima, least);
}

std::unique_ptr<PairJudge> exact_judge(const ShingleStore& sets, f64 threshold,
                                       std::vector<i64> order) {
  return std::make_unique<ExactJudge>(sets, threshold, std::move(order));
}

bool GroupVerifier::link(const Leaders& leaders, i64 from, const PairJudge::Loaded& member,
                         Outcome& out) const {
  for (i64 i = from; i < isize(leaders); ++i) {
    ++out.compared;
    const f64 similarity = judge_->judge(leaders[usize(i)], member);
    if (similarity < 0) continue;
    // Members come in ascending order, except where a large group is sorted stretch by stretch.
    const i64 leader = leaders[usize(i)].id;
    out.edges.push_back({std::max(member.id, leader), std::min(member.id, leader), similarity});
    return true;
  }
  return false;
}

void GroupVerifier::place(Leaders& leaders, PairJudge::Loaded&& member, Outcome& out) const {
  if (isize(leaders) == most_leaders_) {
    ++out.unlinked;
    return;
  }
  leaders.push_back(std::move(member));  // a moved vector keeps its buffer, so the view stays valid
}

void GroupVerifier::one_group(std::span<const i64> members, Outcome& out) const {
  Leaders leaders;
  PairJudge::Loaded member;
  for (const i64 id : members) {
    judge_->load(id, member);
    if (link(leaders, 0, member, out)) continue;
    place(leaders, std::move(member), out);
    member = {};
  }
}

void GroupVerifier::keep(Outcome& out) {
  for (const Edge& edge : out.edges)
    edges_->add(edge);
  compared_ += out.compared;
  unlinked_ += out.unlinked;
}

void GroupVerifier::whole_groups(std::span<const i64> offsets, std::span<const i64> members) {
  constexpr i64 kGrain = 32;
  const i64 n = isize(offsets) - 1;
  const i64 blocks = (n + kGrain - 1) / kGrain;
  std::vector<Outcome> outcomes(usize(blocks));
  parallel_for(blocks, 1, [&](i64 begin, i64 end) {
    for (i64 b = begin; b < end; ++b) {
      for (i64 g = b * kGrain; g < std::min(n, (b + 1) * kGrain); ++g) {
        const i64 first = offsets[usize(g)];
        one_group(members.subspan(usize(first), usize(offsets[usize(g) + 1] - first)),
                  outcomes[usize(b)]);
      }
    }
  });
  for (Outcome& outcome : outcomes)
    keep(outcome);
}

void GroupVerifier::stretch(std::span<const i64> members, bool first) {
  if (first) stretch_leaders_.clear();
  const i64 known = isize(stretch_leaders_);
  std::vector<Outcome> outcomes(members.size());
  std::vector<PairJudge::Loaded> open(members.size());  // members that no known leader accepted
  parallel_for(isize(members), 64, [&](i64 begin, i64 end) {
    PairJudge::Loaded member;
    for (i64 i = begin; i < end; ++i) {
      judge_->load(members[usize(i)], member);
      if (link(stretch_leaders_, 0, member, outcomes[usize(i)])) continue;
      open[usize(i)].id = members[usize(i)];
    }
  });
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (open[i].id >= 0) {
      PairJudge::Loaded member;
      judge_->load(members[i], member);
      if (!link(stretch_leaders_, known, member, outcomes[i])) {
        place(stretch_leaders_, std::move(member), outcomes[i]);
      }
    }
    keep(outcomes[i]);
  }
}

}  // namespace lm::dedup
