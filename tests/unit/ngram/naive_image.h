#pragma once
// The contents of an image by the obvious way: whole tables in memory, n-grams inserted one after
// the other, each with what it lacks, tables that are full laid out anew with room for an eighth
// more. What ImageWriter must reproduce byte for byte.

#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "core/str.h"
#include "ngram/arpa.h"
#include "ngram/image.h"

namespace lm::test {

class NaiveImage {
 public:
  explicit NaiveImage(const std::string& arpa) {
    ngram::ArpaReader reader(arpa, "naive");
    ngram::Vocab vocab;
    std::vector<std::array<f32, 2>> unigrams(3, {-100.0f, 0});
    bool begun = false;
    const auto begin_tables = [&] {
      begun = true;
      begin(vocab, reader.counts());
      for (u32 id = 0; id < unigrams.size(); ++id)
        add({&id, 1}, unigrams[id][0], unigrams[id][1]);
    };
    reader.read([&](const ngram::ArpaGram& gram) {
      if (gram.words.size() == 1) {
        const u32 id = vocab.add(gram.words[0]);
        unigrams.resize(std::max<std::size_t>(unigrams.size(), id + 1));
        unigrams[id] = {gram.log10_p, gram.log10_b};
        return;
      }
      if (!begun) begin_tables();
      std::vector<u32> ids;
      for (const std::string_view word : gram.words)
        ids.push_back(*vocab.find(word));
      add(ids, gram.log10_p, gram.log10_b);
    });
    if (!begun) begin_tables();
    end();
  }

  ngram::ImageView view() const {
    ngram::ImageView view;
    view.order = order_;
    view.counts = counts_;
    view.unigrams = unigrams_;
    view.words = word_slots_;
    for (const std::vector<ngram::MiddleSlot>& slots : middle_)
      view.middle.emplace_back(slots);
    view.top = top_;
    view.spelling_begin = spelling_begin_;
    view.spelling = spelling_;
    return view;
  }

 private:
  using Words = std::span<const u32>;
  using Weights = ngram::Weights;

  static u64 hash_of(Words words) {
    u64 hash = ngram::gram_hash(words.back());
    for (std::size_t i = words.size() - 1; i-- > 0;)
      hash = ngram::gram_hash(hash, words[i]);
    return hash;
  }

  template <typename Slot>
  static void place(std::vector<Slot>& slots, const Slot& slot) {
    std::size_t at = usize(ngram::slot_of(slot_hash(slot), isize(slots)));
    while (slot_hash(slots[at]) != 0)
      at = at + 1 == slots.size() ? 0 : at + 1;
    slots[at] = slot;
  }

  template <typename Slot>
  static void make_room(std::vector<Slot>& slots, i64 count) {
    if (ngram::slots_for(count + 1) <= isize(slots)) return;
    std::vector<Slot> old(usize(ngram::slots_for(count + count / 8 + 64)));
    old.swap(slots);
    for (const Slot& slot : old) {
      if (slot_hash(slot) != 0) place(slots, slot);
    }
  }

  void begin(const ngram::Vocab& vocab, std::span<const i64> counts) {
    order_ = static_cast<int>(counts.size());
    counts_.assign(usize(order_), 0);
    unigrams_.assign(usize(vocab.size()), {});
    word_slots_.resize(usize(2 * vocab.size()));
    spelling_begin_.assign(1, 0);
    for (i64 id = 0; id < vocab.size(); ++id) {
      const std::string_view word = vocab.word(static_cast<u32>(id));
      place(word_slots_, {ngram::word_hash(word), static_cast<u64>(id)});
      spelling_.append(word);
      spelling_begin_.push_back(spelling_.size());
    }
    for (int n = 2; n < order_; ++n)
      middle_.emplace_back(usize(ngram::slots_for(counts[usize(n - 1)])));
    if (order_ > 1) top_.resize(usize(ngram::slots_for(counts.back())));
  }

  Weights* find(Words words) {
    if (words.size() == 1) return &unigrams_[words[0]];
    const std::span<const ngram::MiddleSlot> slots = middle_[words.size() - 2];
    const ngram::MiddleSlot* const slot = ngram::find_slot(slots, hash_of(words));
    if (slot == nullptr) return nullptr;
    return &middle_[words.size() - 2][usize(slot - slots.data())].weights;
  }

  void insert(Words words, f32 stored_p, f32 b) {
    i64& count = counts_[words.size() - 1];
    const u64 hash = hash_of(words);
    if (words.size() == 1) {
      unigrams_[words[0]] = {stored_p, b};
    } else if (isize(words) == order_) {
      make_room(top_, count);
      place(top_, {static_cast<u32>(hash), static_cast<u32>(hash >> 32), stored_p});
    } else {
      make_room(middle_[words.size() - 2], count);
      place(middle_[words.size() - 2], {hash, {stored_p, b}});
    }
    ++count;
  }

  void add(Words words, f32 log10_p, f32 log10_b) {
    if (words.size() > 1) {
      require(words.first(words.size() - 1));
      require(words.subspan(1));
      mark(words);
    }
    insert(words, -std::fabs(log10_p), log10_b == 0 ? -0.0f : log10_b);
  }

  void mark(Words words) {
    Weights* const context = find(words.first(words.size() - 1));
    if (context->b == 0) context->b = 0.0f;
    Weights* const suffix = find(words.subspan(1));
    suffix->p = std::fabs(suffix->p);
  }

  void require(Words words) {
    if (find(words) != nullptr) return;
    const Words context = words.first(words.size() - 1);
    const Words suffix = words.subspan(1);
    require(context);
    require(suffix);
    const f32 p = find(context)->b + ngram::log10_p(find(suffix)->p);
    mark(words);
    insert(words, -std::fabs(std::min(p, 0.0f)), -0.0f);
  }

  void end() {
    std::vector<ngram::WordSlot> known(word_slots_.size());
    for (const ngram::WordSlot& slot : word_slots_) {
      if (slot.hash != 0) place(known, slot);
    }
    word_slots_ = std::move(known);
  }

  int order_ = 0;
  std::vector<i64> counts_;
  std::vector<Weights> unigrams_;
  std::vector<ngram::WordSlot> word_slots_;
  std::vector<std::vector<ngram::MiddleSlot>> middle_;
  std::vector<ngram::TopSlot> top_;
  std::vector<u64> spelling_begin_;
  std::string spelling_;
};

}  // namespace lm::test
