#include "decode/draft_ngram.h"

#include <algorithm>
#include <array>

#include "core/hash.h"
#include "decode/draft_search.h"

namespace lm::decode {

namespace {

constexpr f64 kLeast = 0.02;  // what is left for shorter contexts is no guess
// What is left for tokens that did not follow a context, in counts, by its length.
constexpr std::array<f64, NgramCounts::kLongest> kEscape = {4, 1, 0.3, 0.3};

}  // namespace

u64 NgramCounts::key(std::span<const i32> context, i64 size) {
  u64 out = static_cast<u64>(size);
  for (const i32 token : context.last(usize(size)))
    out = mix64((out + 0x9e3779b97f4a7c15ULL) ^ static_cast<u32>(token));
  return out;
}

void NgramCounts::add(std::span<const i32> text, i64 at) {
  const i32 token = text[usize(at)];
  for (i64 size = 1; size <= std::min(kLongest, at); ++size) {
    Row& row = rows_[key(text.first(usize(at)), size)];
    ++row.total;
    const auto found = std::find_if(row.counts.begin(), row.counts.end(),
                                    [&](const auto& entry) { return entry.first == token; });
    if (found != row.counts.end()) {
      ++found->second;
    } else if (row.counts.size() < 64) {  // O(1): what follows a frequent token is many things
      row.counts.emplace_back(token, 1);
    }
  }
}

void NgramCounts::add(std::span<const i32> text) {
  for (i64 i = 1; i < isize(text); ++i)
    add(text, i);
}

const NgramCounts::Row* NgramCounts::find(std::span<const i32> context, i64 size) const {
  if (isize(context) < size) return nullptr;
  const auto found = rows_.find(key(context, size));
  return found == rows_.end() ? nullptr : &found->second;
}

/// What may follow a context, with its chance, the likeliest first: longer contexts before shorter
/// ones, this text before others, each with what those before it have left.
void NgramTree::expand(std::span<const i32> context, std::vector<std::pair<f32, i32>>& out) const {
  out.clear();
  f64 left = 1;
  for (i64 size = NgramCounts::kLongest; size > 0; --size) {
    for (const NgramCounts* counts : {&own_, static_cast<const NgramCounts*>(earlier_.get())}) {
      const NgramCounts::Row* const row = counts == nullptr ? nullptr : counts->find(context, size);
      if (row == nullptr) continue;
      const f64 all = static_cast<f64>(row->total) + kEscape[usize(size - 1)];
      for (const auto& [token, count] : row->counts) {
        const f32 chance = static_cast<f32>(left * static_cast<f64>(count) / all);
        const i32 id = token;
        const auto found = std::find_if(out.begin(), out.end(),
                                        [&](const auto& entry) { return entry.second == id; });
        if (found != out.end()) {
          found->first += chance;
        } else {
          out.emplace_back(chance, id);
        }
      }
      left *= kEscape[usize(size - 1)] / all;
    }
    if (left < kLeast) break;
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
}

void NgramTree::propose(std::span<const i32> history, i64 most, DraftTree& out) {
  for (; known_ < isize(history); ++known_)
    own_.add(history, known_);
  const std::span<const i32> tail =
      history.last(std::min(history.size(), usize(NgramCounts::kLongest)));
  std::vector<i32> context;
  std::vector<i32> path;
  grow_tree(most, out, [&](i64 node, f64 /*least*/, std::vector<std::pair<f32, i32>>& next) {
    path.clear();
    for (i64 i = node; i >= 0; i = out[usize(i)].parent)
      path.push_back(out[usize(i)].token);
    context.assign(tail.begin(), tail.end());
    context.insert(context.end(), path.rbegin(), path.rend());
    expand(context, next);
  });
}

void NgramTree::finish(std::span<const i32> history) {
  if (earlier_) earlier_->add(history);
}

}  // namespace lm::decode
