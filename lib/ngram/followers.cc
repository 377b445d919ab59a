#include "ngram/followers.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "ngram/unfold.h"

namespace lm::ngram {

namespace {

constexpr int kUpper = 16;  // bits

bool before(const Followers::Follower& a, const Followers::Follower& b) {
  if (a.context != b.context) return a.context < b.context;
  return a.log10_p != b.log10_p ? a.log10_p > b.log10_p : a.word < b.word;
}

/// Keeps n-grams as what follows their first words.
class Collector final : public ModelSink {
 public:
  explicit Collector(Column<Followers::Follower>& out) : out_(out) {}
  void begin(const Vocab& /*vocab*/, std::span<const i64> /*counts*/) override {}
  void begin_order(int /*n*/) override {}
  std::unique_ptr<Chunk> new_chunk(int /*n*/) const override { return std::make_unique<Part>(); }
  void take(Chunk& chunk) override {
    for (const Followers::Follower& one : static_cast<Part&>(chunk).followers)
      out_.push_back(one);
  }
  void end() override {}

 private:
  struct Part final : Chunk {
    void add(std::span<const u32> words, f64 log10_p, f64 /*log10_b*/) override {
      if (words.back() <= kEos) return;
      u64 context = 0;
      for (std::size_t i = words.size() - 1; i-- > 0;)
        context = context == 0 ? gram_hash(words[i]) : gram_hash(context, words[i]);
      followers.push_back({context, words.back(), static_cast<f32>(log10_p)});
    }
    std::vector<Followers::Follower> followers;
  };
  Column<Followers::Follower>& out_;
};

}  // namespace

Followers::Followers(const Context& ctx, const Model& model, const std::string& name)
    : all_(ctx, std::accumulate(model.counts().begin(), model.counts().end(), i64{0})) {
  Collector collector(all_);
  unfold(ctx, model.view(), name, collector);
  Follower* const all = all_.data();
  std::sort(all, all + all_.size(), before);
  i64 kept = 0;
  i64 same = 0;  // of the context that was last seen
  for (i64 i = 0; i < all_.size(); ++i) {
    same = i > 0 && all[i].context == all[kept - 1].context ? same + 1 : 1;
    if (same <= kMost) all[kept++] = all[i];
  }
  all_.resize(kept);
  begins_.resize((usize(1) << kUpper) + 1);
  i64 at = 0;
  for (u64 upper = 0; upper < begins_.size(); ++upper) {
    while (at < kept && all[at].context >> (64 - kUpper) < upper)
      ++at;
    begins_[upper] = at;
  }
}

std::span<const Followers::Follower> Followers::after(const State& state, int size) const {
  u64 context = 0;
  for (int i = 0; i < size; ++i) {
    const u32 word = state.words[usize(i)];
    context = i == 0 ? gram_hash(word) : gram_hash(context, word);
  }
  const u64 upper = context >> (64 - kUpper);
  const Follower* const end = all_.data() + begins_[upper + 1];
  const Follower* const first =
      std::lower_bound(all_.data() + begins_[upper], end, context,
                       [](const Follower& one, u64 hash) { return one.context < hash; });
  const Follower* last = first;
  while (last != end && last->context == context)
    ++last;
  return {first, static_cast<std::size_t>(last - first)};
}

void Followers::after(const State& state, f64 least, std::vector<std::pair<f32, u32>>& out) const {
  out.clear();
  f64 left = 0;  // log10 of what the longer contexts have left
  for (int size = state.length; size >= 0 && std::pow(10, left) >= least; --size) {
    for (const Follower& one : after(state, size)) {
      const f64 p = std::pow(10, left + static_cast<f64>(one.log10_p));
      if (p < least) break;
      if (std::none_of(out.begin(), out.end(),
                       [&](const auto& known) { return known.second == one.word; }))
        out.emplace_back(static_cast<f32>(p), one.word);
    }
    if (size > 0) left += static_cast<f64>(state.backoffs[usize(size - 1)]);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
}

}  // namespace lm::ngram
