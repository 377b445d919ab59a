#include "ngram/unfold.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/str.h"

namespace lm::ngram {

namespace {

// gram_hash(hash, word) without the xor with word + 1.
u64 undo_step(u64 hash) {
  constexpr u64 kFactor = 0xD6E8FEB86659FD93ULL;
  constexpr auto inverse = [] {
    u64 x = kFactor;  // right in 3 bits; every Newton step doubles them
    for (int i = 0; i < 5; ++i)
      x *= 2 - kFactor * x;
    return x;
  };
  static_assert(inverse() * kFactor == 1);
  return (hash ^ (hash >> 32)) * inverse();
}

// n-grams of one order in suffix order.
struct Level {
  std::vector<u32> word;    // first word
  std::vector<u32> suffix;  // index on the level below
  std::vector<u64> hash;
};

// A level's hashes by their upper halves.
class UpperIndex {
 public:
  explicit UpperIndex(const std::vector<u64>& hashes) {
    items_.reserve(hashes.size());
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      items_.push_back({static_cast<u32>(hashes[i] >> 32), static_cast<u32>(i)});
    }
    std::sort(items_.begin(), items_.end());
  }
  /// Calls visit(index) for the hashes with this upper half until it returns true.
  template <typename Visit>
  void each(u32 upper, const Visit& visit) const {
    auto at = std::lower_bound(items_.begin(), items_.end(), std::pair<u32, u32>(upper, 0));
    for (; at != items_.end() && at->first == upper; ++at) {
      if (visit(at->second)) return;
    }
  }

 private:
  std::vector<std::pair<u32, u32>> items_;
};

class Unfolder {
 public:
  Unfolder(const ImageView& view, const std::string& name) : view_(view), name_(name) {
    if (view.unigrams.size() >= ~u32{0}) fail("the vocabulary is too large");
  }

  void run(ModelSink& sink) {
    read_words();
    std::vector<i64> counts{isize(levels_[0].word)};
    for (int n = 2; n <= view_.order; ++n) {
      if (n == view_.order) {
        add_level(view_.top);
      } else {
        add_level(view_.middle[usize(n - 2)]);
      }
      counts.push_back(isize(levels_.back().word));
    }
    if (counts != view_.counts) fail("the tables do not hold what the header promises");
    sink.begin(vocab_, counts);
    for (int n = 1; n <= view_.order; ++n)
      give(n, sink);
    sink.end();
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::kData, cat(name_, ": not a usable LMNG model: ", what),
                "convert or train the model again");
  }

  void read_words() {
    const i64 n = isize(view_.unigrams);
    for (i64 id = 0; id < n; ++id) {
      const u64 begin = view_.spelling_begin[usize(id)];
      const u64 end = view_.spelling_begin[usize(id) + 1];
      if (begin >= end || end > view_.spelling.size()) fail("the spelling table is damaged");
      const std::string_view word = view_.spelling.substr(begin, end - begin);
      if (vocab_.add(word) != id) fail("a word is there twice");
    }
    // Words that a vocabulary limit removed keep their ids but have no slot.
    known_.assign(usize(n), 0);
    for (const WordSlot& slot : view_.words) {
      if (slot.hash == 0) continue;
      if (slot.id >= usize(n)) fail("a word id is outside the vocabulary");
      known_[slot.id] = 1;
    }
    Level& level = levels_.emplace_back();
    for (u32 id = 0; id < usize(n); ++id) {
      if (known_[id] == 0) continue;
      level.word.push_back(id);
      level.suffix.push_back(0);
      level.hash.push_back(gram_hash(id));
    }
  }

  /// Words of n-gram i of order n, first to last.
  std::span<const u32> words(int n, u32 i, std::array<u32, kMaxOrder>& out) const {
    for (int k = n; k >= 1; --k) {
      out[usize(n - k)] = levels_[usize(k - 1)].word[i];
      i = levels_[usize(k - 1)].suffix[i];
    }
    return {out.data(), usize(n)};
  }

  bool context_exists(int n, u32 first, u32 suffix) const {
    if (n == 2) return known_[first] != 0;
    std::array<u32, kMaxOrder> below;
    const std::span<const u32> rest = words(n - 1, suffix, below);
    u64 hash = gram_hash(rest[rest.size() - 2]);
    for (std::size_t i = rest.size() - 2; i-- > 0;)
      hash = gram_hash(hash, rest[i]);
    return find_slot(view_.middle[usize(n - 3)], gram_hash(hash, first)) != nullptr;
  }

  template <typename Slot>
  void add_level(std::span<const Slot> slots) {
    const int n = static_cast<int>(levels_.size()) + 1;
    const Level& below = levels_.back();
    const UpperIndex index(below.hash);
    struct Found {
      u32 suffix;
      u32 word;
      u64 hash;
    };
    std::vector<Found> found;
    for (const Slot& slot : slots) {
      const u64 hash = slot_hash(slot);
      if (hash == 0) continue;
      const u64 mixed = undo_step(hash);
      const std::size_t before = found.size();
      index.each(static_cast<u32>(mixed >> 32), [&](u32 suffix) {
        const u64 word = (mixed ^ below.hash[suffix]) - 1;
        if (word >= known_.size() || !context_exists(n, static_cast<u32>(word), suffix))
          return false;
        found.push_back({suffix, static_cast<u32>(word), hash});
        return true;
      });
      if (found.size() == before) fail(cat("a ", n, "-gram has no suffix or no context"));
    }
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
      return a.suffix != b.suffix ? a.suffix < b.suffix : a.word < b.word;
    });
    Level& level = levels_.emplace_back();
    for (const Found& one : found) {
      level.word.push_back(one.word);
      level.suffix.push_back(one.suffix);
      level.hash.push_back(one.hash);
    }
  }

  Weights weights(int n, u32 i) const {
    const Level& level = levels_[usize(n - 1)];
    if (n == 1) return view_.unigrams[level.word[i]];
    if (n == view_.order) return {find_slot(view_.top, level.hash[i])->p, 0};
    return find_slot(view_.middle[usize(n - 2)], level.hash[i])->weights;
  }

  void give(int n, ModelSink& sink) const {
    constexpr i64 kChunk = i64{1} << 16;
    sink.begin_order(n);
    const i64 size = isize(levels_[usize(n - 1)].word);
    std::array<u32, kMaxOrder> buf;
    for (i64 begin = 0; begin < size; begin += kChunk) {
      const std::unique_ptr<ModelSink::Chunk> chunk = sink.new_chunk(n);
      for (i64 i = begin; i < std::min(begin + kChunk, size); ++i) {
        const Weights w = weights(n, static_cast<u32>(i));
        chunk->add(words(n, static_cast<u32>(i), buf), static_cast<f64>(log10_p(w.p)),
                   n == view_.order ? 0 : static_cast<f64>(w.b));
      }
      sink.take(*chunk);
    }
  }

  const ImageView& view_;
  const std::string& name_;
  Vocab vocab_;
  std::vector<u8> known_;
  std::vector<Level> levels_;
};

}  // namespace

void unfold(const ImageView& view, const std::string& name, ModelSink& sink) {
  Unfolder(view, name).run(sink);
}

}  // namespace lm::ngram
