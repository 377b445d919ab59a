// Edit distance with block shifts, by the greedy search of Tercom with the limits of sacrebleu:
// shifts of up to 10 words over up to 50, rows of 25 cells around the diagonal, 1000 candidates.

#include <algorithm>
#include <cmath>
#include <tuple>
#include <unordered_map>

#include "core/error.h"
#include "text/translation.h"

namespace lm::text {

namespace {

constexpr i64 kLongestShift = 10;
constexpr i64 kFarthestShift = 50;
constexpr i64 kBeam = 25;
constexpr i64 kMostCandidates = 1000;
constexpr i64 kFar = i64{1} << 50;

using Ids = std::vector<u32>;

enum class Op : u8 { kNone, kKeep, kSubstitute, kInsert, kDelete };

struct Cell {
  i64 cost = kFar;
  Op op = Op::kNone;
};

/// Where each reference word stands in the hypothesis, and which words of both are wrong.
struct Alignment {
  std::vector<i64> at;  // by reference word
  std::vector<u8> reference_wrong;
  std::vector<u8> words_wrong;
};

class EditDistance {
 public:
  explicit EditDistance(const Ids& reference) : reference_(reference) {}

  /// The distance; fills rows for align().
  i64 operator()(const Ids& words) {
    const i64 n = isize(words);
    const i64 m = isize(reference_);
    width_ = m + 1;
    cells_.assign(usize((n + 1) * width_), Cell{});
    for (i64 j = 0; j <= m; ++j)
      cell(0, j) = {j, Op::kInsert};
    const f64 ratio = n == 0 ? 1 : static_cast<f64>(m) / static_cast<f64>(n);
    const i64 beam = static_cast<f64>(kBeam) < ratio / 2
                         ? static_cast<i64>(std::ceil(ratio / 2 + static_cast<f64>(kBeam)))
                         : kBeam;
    for (i64 i = 1; i <= n; ++i) {
      const i64 diagonal = static_cast<i64>(std::floor(static_cast<f64>(i) * ratio));
      const i64 end = i == n ? m + 1 : std::min(m + 1, diagonal + beam);
      for (i64 j = std::max<i64>(0, diagonal - beam); j < end; ++j)
        fill(words, i, j);
    }
    return cell(n, m).cost;
  }

  /// Of the last words that were compared, of which there were n.
  Alignment align(i64 n) const {
    std::vector<Op> trace;
    for (i64 i = n, j = width_ - 1; i > 0 || j > 0;) {
      const Op op = cells_[usize(i * width_ + j)].op;
      LM_CHECK(op != Op::kNone, "the path stays inside the beam");
      trace.push_back(op);
      if (op != Op::kInsert) --i;
      if (op != Op::kDelete) --j;
    }
    std::reverse(trace.begin(), trace.end());
    Alignment out;
    i64 word = -1;
    for (const Op op : trace) {
      const u8 wrong = op == Op::kKeep ? 0 : 1;
      if (op != Op::kInsert) {
        ++word;
        out.words_wrong.push_back(wrong);
      }
      if (op != Op::kDelete) {
        out.at.push_back(word);
        out.reference_wrong.push_back(wrong);
      }
    }
    return out;
  }

 private:
  Cell& cell(i64 i, i64 j) { return cells_[usize(i * width_ + j)]; }

  /// Substitution before deletion before insertion where they cost the same.
  void fill(const Ids& words, i64 i, i64 j) {
    Cell& here = cell(i, j);
    if (j == 0) {
      here = {cell(i - 1, 0).cost + 1, Op::kDelete};
      return;
    }
    const bool same = words[usize(i - 1)] == reference_[usize(j - 1)];
    const Cell options[] = {
        {cell(i - 1, j - 1).cost + (same ? 0 : 1), same ? Op::kKeep : Op::kSubstitute},
        {cell(i - 1, j).cost + 1, Op::kDelete},
        {cell(i, j - 1).cost + 1, Op::kInsert}};
    for (const Cell& option : options)
      if (option.cost < here.cost) here = option;
  }

  const Ids& reference_;
  i64 width_ = 1;
  std::vector<Cell> cells_;
};

Ids shifted(const Ids& words, i64 start, i64 length, i64 target) {
  const auto at = [&](i64 i) { return words.begin() + std::min(i, isize(words)); };
  Ids out;
  const auto add = [&](i64 begin, i64 end) {
    if (begin < end) out.insert(out.end(), at(begin), at(end));
  };
  if (target < start) {
    add(0, target);
    add(start, start + length);
    add(target, start);
    add(start + length, isize(words));
  } else if (target > start + length) {
    add(0, start);
    add(start + length, target);
    add(start, start + length);
    add(target, isize(words));
  } else {  // within the block itself
    add(0, start);
    add(start + length, length + target);
    add(start, start + length);
    add(length + target, isize(words));
  }
  return out;
}

class ShiftSearch {
 public:
  explicit ShiftSearch(const Ids& reference) : reference_(reference), distance_(reference) {}

  i64 run(Ids words) {
    i64 shifts = 0;
    for (;;) {
      Ids next;
      const i64 gain = best_shift(words, next);
      if (candidates_ >= kMostCandidates || gain <= 0) break;
      ++shifts;
      words = std::move(next);
    }
    return shifts + distance_(words);
  }

 private:
  /// Larger is better: gain, length, earlier start, earlier target; of equals the larger words.
  using Rank = std::tuple<i64, i64, i64, i64>;

  i64 best_shift(const Ids& words, Ids& next) {
    const i64 before = distance_(words);
    const Alignment alignment = distance_.align(isize(words));
    const i64 n = isize(words);
    const i64 m = isize(reference_);
    bool found = false;
    Rank best;
    for (i64 start = 0; start < n; ++start) {
      for (i64 other = 0; other < m; ++other) {
        if (std::abs(other - start) > kFarthestShift) continue;
        for (i64 length = 1; length <= kLongestShift; ++length) {
          if (start + length > n || other + length > m ||
              words[usize(start + length - 1)] != reference_[usize(other + length - 1)])
            break;
          if (!worth_it(alignment, start, other, length)) continue;
          i64 previous = -1;
          for (i64 offset = -1; offset < length; ++offset) {
            if (other + offset >= m) break;
            const i64 target = other + offset < 0 ? 0 : alignment.at[usize(other + offset)] + 1;
            if (target == previous) continue;
            previous = target;
            Ids moved = shifted(words, start, length, target);
            const Rank rank{before - distance_(moved), length, -start, -target};
            ++candidates_;
            if (found && rank <= best) continue;
            found = true;
            best = rank;
            next = std::move(moved);
          }
          if (candidates_ >= kMostCandidates) return found ? std::get<0>(best) : 0;
        }
      }
    }
    return found ? std::get<0>(best) : 0;
  }

  static bool worth_it(const Alignment& alignment, i64 start, i64 other, i64 length) {
    const auto some = [&](const std::vector<u8>& wrong, i64 begin) {
      return std::any_of(wrong.begin() + begin, wrong.begin() + begin + length,
                         [](u8 each) { return each != 0; });
    };
    const i64 at = alignment.at[usize(other)];
    return some(alignment.words_wrong, start) && some(alignment.reference_wrong, other) &&
           !(start <= at && at < start + length);
  }

  const Ids& reference_;
  EditDistance distance_;
  i64 candidates_ = 0;
};

}  // namespace

i64 shift_edit_distance(std::span<const std::string> words,
                        std::span<const std::string> reference) {
  if (reference.empty()) return isize(words);
  std::unordered_map<std::string_view, u32> ids;
  const auto number = [&](std::span<const std::string> list) {
    Ids out;
    for (const std::string& word : list)
      out.push_back(ids.emplace(word, static_cast<u32>(ids.size())).first->second);
    return out;
  };
  const Ids other = number(reference);
  return ShiftSearch(other).run(number(words));
}

}  // namespace lm::text
