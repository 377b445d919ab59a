#include "ngram/unfold.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/str.h"
#include "ngram/column.h"

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
  Level(const Context& ctx, i64 size) : word(ctx, size), suffix(ctx, size), hash(ctx, size) {}
  void add(u32 first, u32 below, u64 hashed) {
    word.push_back(first);
    suffix.push_back(below);
    hash.push_back(hashed);
  }
  i64 size() const { return word.size(); }
  Column<u32> word;    // first word
  Column<u32> suffix;  // index on the level below
  Column<u64> hash;
};

// A level's hashes by their upper halves.
class UpperIndex {
 public:
  UpperIndex(const Context& ctx, const Column<u64>& hashes) : items_(ctx, hashes.size()) {
    for (i64 i = 0; i < hashes.size(); ++i)
      items_.push_back(hashes[i] >> 32 << 32 | static_cast<u64>(i));
    std::sort(items_.data(), items_.data() + items_.size());
  }
  /// Calls visit(index) for the hashes with this upper half until it returns true.
  template <typename Visit>
  void each(u32 upper, const Visit& visit) const {
    const u64* const end = items_.data() + items_.size();
    const u64* at = std::lower_bound(items_.data(), end, u64{upper} << 32);
    for (; at != end && *at >> 32 == upper; ++at) {
      if (visit(static_cast<u32>(*at))) return;
    }
  }

 private:
  Column<u64> items_;  // upper half of the hash, then index
};

class Unfolder {
 public:
  Unfolder(const Context& ctx, const ImageView& view, const std::string& name)
      : ctx_(ctx), view_(view), name_(name) {
    if (view.unigrams.size() >= ~u32{0}) fail("the vocabulary is too large");
  }

  void run(ModelSink& sink) {
    read_words();
    std::vector<i64> counts{levels_[0].size()};
    for (int n = 2; n <= view_.order; ++n) {
      if (n == view_.order) {
        add_level(view_.top);
      } else {
        add_level(view_.middle[usize(n - 2)]);
      }
      counts.push_back(levels_.back().size());
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
    // Before the columns, which take what is left of the budget and can do with less.
    vocab_charge_.emplace(*ctx_.memory, vocab_.memory_bytes() + isize(known_), "the vocabulary");
    levels_.reserve(usize(view_.order));
    Level& level = levels_.emplace_back(ctx_, n);
    for (u32 id = 0; id < usize(n); ++id) {
      if (known_[id] != 0) level.add(id, 0, gram_hash(id));
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
    const UpperIndex index(ctx_, below.hash);
    struct Found {
      u32 suffix;
      u32 word;
      u64 hash;
    };
    Column<Found> found(ctx_, isize(slots));
    for (const Slot& slot : slots) {
      const u64 hash = slot_hash(slot);
      if (hash == 0) continue;
      const u64 mixed = undo_step(hash);
      const i64 before = found.size();
      index.each(static_cast<u32>(mixed >> 32), [&](u32 suffix) {
        const u64 word = (mixed ^ below.hash[suffix]) - 1;
        if (word >= known_.size() || !context_exists(n, static_cast<u32>(word), suffix))
          return false;
        found.push_back({suffix, static_cast<u32>(word), hash});
        return true;
      });
      if (found.size() == before) fail(cat("a ", n, "-gram has no suffix or no context"));
    }
    std::sort(found.data(), found.data() + found.size(), [](const Found& a, const Found& b) {
      return a.suffix != b.suffix ? a.suffix < b.suffix : a.word < b.word;
    });
    Level& level = levels_.emplace_back(ctx_, found.size());
    for (i64 i = 0; i < found.size(); ++i)
      level.add(found[i].word, found[i].suffix, found[i].hash);
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
    const i64 size = levels_[usize(n - 1)].size();
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

  const Context& ctx_;
  const ImageView& view_;
  const std::string& name_;
  Vocab vocab_;
  std::vector<u8> known_;
  std::optional<MemoryCharge> vocab_charge_;
  std::vector<Level> levels_;
};

}  // namespace

void unfold(const Context& ctx, const ImageView& view, const std::string& name, ModelSink& sink) {
  Unfolder(ctx, view, name).run(sink);
}

}  // namespace lm::ngram
