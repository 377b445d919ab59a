#include "ngram/builder.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/str.h"
#include "ngram/arpa.h"

namespace lm::ngram {

namespace {

constexpr f32 kUnknownLog10 = -100.0f;

i64 slots_for(i64 entries) {
  return entries + entries / 2 + 1;
}

u64 hash_of(std::span<const u32> words) {
  u64 hash = gram_hash(words.back());
  for (std::size_t i = words.size() - 1; i-- > 0;)
    hash = gram_hash(hash, words[i]);
  return hash;
}

template <typename Slot>
void place(std::vector<Slot>& slots, const Slot& slot) {
  std::size_t at = usize(slot_of(slot_hash(slot), isize(slots)));
  while (slot_hash(slots[at]) != 0)
    at = at + 1 == slots.size() ? 0 : at + 1;
  slots[at] = slot;
}

// Room for one more at load 2/3; count is the number of entries so far.
template <typename Slot>
void make_room(std::vector<Slot>& slots, i64 count) {
  if (slots_for(count + 1) <= isize(slots)) return;
  std::vector<Slot> old(usize(slots_for(count + count / 8 + 64)));
  old.swap(slots);
  for (const Slot& slot : old) {
    if (slot_hash(slot) != 0) place(slots, slot);
  }
}

struct Entries final : ModelSink::Chunk {
  struct Entry {
    std::array<u32, kMaxOrder> words;
    f32 p;
    f32 b;
  };
  void add(std::span<const u32> words, f64 log10_p, f64 log10_b) override {
    Entry& entry = entries.emplace_back();
    std::copy(words.begin(), words.end(), entry.words.begin());
    entry.p = static_cast<f32>(log10_p);
    entry.b = static_cast<f32>(log10_b);
    length = words.size();
  }
  std::size_t length = 0;
  std::vector<Entry> entries;
};

}  // namespace

void ImageBuilder::begin(const Vocab& vocab, std::span<const i64> counts) {
  order_ = static_cast<int>(counts.size());
  counts_.assign(usize(order_), 0);
  unigrams_.assign(usize(vocab.size()), {kUnknownLog10, -0.0f});
  for (Weights& weights : unigrams_)
    weights.p = kUnknownLog10;  // no flag: extends nowhere
  unigram_known_.assign(usize(vocab.size()), 0);
  word_slots_.resize(usize(2 * vocab.size()));
  spelling_begin_.assign(1, 0);
  for (i64 id = 0; id < vocab.size(); ++id) {
    const std::string_view word = vocab.word(static_cast<u32>(id));
    const u64 hash = word_hash(word);
    if (find_slot(std::span<const WordSlot>(word_slots_), hash) != nullptr || hash == 0) {
      throw Error(ErrorKind::kData, cat("the word ", quote(word), " has the hash of another word"));
    }
    place(word_slots_, {hash, static_cast<u64>(id)});
    spelling_.append(word);
    spelling_begin_.push_back(spelling_.size());
  }
  for (int n = 2; n < order_; ++n) {
    middle_.emplace_back(usize(slots_for(counts[usize(n - 1)])));
  }
  if (order_ > 1) top_.resize(usize(slots_for(counts.back())));
}

void ImageBuilder::begin_order(int) {}

std::unique_ptr<ModelSink::Chunk> ImageBuilder::new_chunk(int) const {
  return std::make_unique<Entries>();
}

void ImageBuilder::take(Chunk& chunk) {
  const Entries& entries = static_cast<Entries&>(chunk);
  for (const Entries::Entry& entry : entries.entries) {
    add({entry.words.data(), entries.length}, entry.p, entry.b);
  }
}

std::optional<Weights> ImageBuilder::find(Words words) const {
  if (words.size() == 1) {
    if (unigram_known_[words[0]] == 0) return std::nullopt;
    return unigrams_[words[0]];
  }
  const u64 hash = hash_of(words);
  if (isize(words) == order_) {
    const TopSlot* const slot = find_slot(std::span<const TopSlot>(top_), hash);
    if (slot == nullptr) return std::nullopt;
    return Weights{slot->p, 0};
  }
  const MiddleSlot* const slot =
      find_slot(std::span<const MiddleSlot>(middle_[words.size() - 2]), hash);
  if (slot == nullptr) return std::nullopt;
  return slot->weights;
}

Weights* ImageBuilder::find_middle(Words words) {
  if (words.size() == 1) return unigram_known_[words[0]] != 0 ? &unigrams_[words[0]] : nullptr;
  std::vector<MiddleSlot>& slots = middle_[words.size() - 2];
  const MiddleSlot* const slot = find_slot(std::span<const MiddleSlot>(slots), hash_of(words));
  return slot == nullptr ? nullptr : &slots[usize(slot - slots.data())].weights;
}

void ImageBuilder::insert(Words words, f32 stored_p, f32 b) {
  i64& count = counts_[words.size() - 1];
  if (words.size() == 1) {
    unigrams_[words[0]] = {stored_p, b};
    unigram_known_[words[0]] = 1;
  } else if (isize(words) == order_) {
    make_room(top_, count);
    const u64 hash = hash_of(words);
    place(top_, {static_cast<u32>(hash), static_cast<u32>(hash >> 32), stored_p});
  } else {
    std::vector<MiddleSlot>& slots = middle_[words.size() - 2];
    make_room(slots, count);
    place(slots, {hash_of(words), {stored_p, b}});
  }
  ++count;
}

bool ImageBuilder::add(Words words, f32 log10_p, f32 log10_b) {
  if (find(words)) return false;
  if (words.size() > 1) {
    require(words.first(words.size() - 1));
    require(words.subspan(1));
    mark_prefix(words.first(words.size() - 1));
    mark_suffix(words.subspan(1));
  }
  // Sign set: nothing longer yet. -0.0: no continuation yet; the marks above clear both.
  insert(words, -std::fabs(log10_p), log10_b == 0 ? -0.0f : log10_b);
  return true;
}

void ImageBuilder::mark_suffix(Words words) {
  Weights* const weights = find_middle(words);
  weights->p = std::fabs(weights->p);
}

void ImageBuilder::mark_prefix(Words words) {
  Weights* const weights = find_middle(words);
  if (weights->b == 0) weights->b = 0.0f;
}

void ImageBuilder::require(Words words) {
  if (find(words)) return;
  LM_CHECK(words.size() > 1, "every word of an n-gram has a unigram");
  const Words context = words.first(words.size() - 1);
  const Words suffix = words.subspan(1);
  require(context);
  require(suffix);
  const f32 p = find(context)->b + log10_p(find(suffix)->p);
  mark_prefix(context);
  mark_suffix(suffix);
  insert(words, -std::fabs(std::min(p, 0.0f)), -0.0f);
  ++closing_;
}

void ImageBuilder::end() {
  // Words that the vocabulary limit removed are unknown words from here on.
  std::vector<WordSlot> known(word_slots_.size());
  for (const WordSlot& slot : word_slots_) {
    if (slot.hash != 0 && unigram_known_[slot.id] != 0) place(known, slot);
  }
  word_slots_ = std::move(known);
  view_ = {};
  view_.order = order_;
  view_.counts = counts_;
  view_.unigrams = unigrams_;
  view_.words = word_slots_;
  for (const std::vector<MiddleSlot>& slots : middle_)
    view_.middle.emplace_back(slots);
  view_.top = top_;
  view_.spelling_begin = spelling_begin_;
  view_.spelling = spelling_;
}

void read_arpa(std::string_view text, const std::string& name, ImageBuilder& builder) {
  ArpaReader reader(text, name);
  Vocab vocab;
  std::vector<Weights> unigrams(3, Weights{kUnknownLog10, 0});
  std::vector<u8> seen(3, 0);
  bool unigrams_done = false;
  // Called when order 2 starts or at the end: the builder wants the vocabulary first.
  const auto finish_unigrams = [&] {
    unigrams_done = true;
    for (const u32 symbol : {kBos, kEos}) {
      if (seen[symbol] == 0) reader.fail(cat("the model has no unigram ", vocab.word(symbol)));
    }
    builder.begin(vocab, reader.counts());
    for (u32 id = 0; id < unigrams.size(); ++id) {
      builder.add({&id, 1}, unigrams[id].p, unigrams[id].b);
    }
  };
  std::vector<u32> ids;
  reader.read([&](const ArpaGram& gram) {
    if (gram.words.size() == 1) {
      const u32 id = vocab.add(gram.words[0]);
      if (id >= unigrams.size()) {
        unigrams.push_back({});
        seen.push_back(0);
      }
      if (seen[id] != 0) reader.fail(cat("the unigram ", quote(gram.words[0]), " is repeated"));
      seen[id] = 1;
      unigrams[id] = {gram.log10_p, gram.log10_b};
      return;
    }
    if (!unigrams_done) finish_unigrams();
    ids.clear();
    for (const std::string_view word : gram.words) {
      const std::optional<u32> id = vocab.find(word);
      if (!id) reader.fail(cat("the word ", quote(word), " has no unigram"));
      ids.push_back(*id);
    }
    if (!builder.add(ids, gram.log10_p, gram.log10_b)) {
      reader.fail(cat("a ", gram.words.size(), "-gram is repeated"));
    }
  });
  if (!unigrams_done) finish_unigrams();
  builder.end();
}

}  // namespace lm::ngram
