#include "ngram/image_writer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"

namespace lm::ngram {

namespace {

constexpr u64 kByClosing = u64{1} << 63;  // in GramMark::by: a closing n-gram asks

u64 hash_of(std::span<const u32> words) {
  u64 hash = gram_hash(words.back());
  for (std::size_t i = words.size() - 1; i-- > 0;)
    hash = gram_hash(hash, words[i]);
  return hash;
}

// Sign set: nothing longer yet. -0.0: no continuation yet; marks clear both.
Weights unmarked(f32 log10_p, f32 log10_b) {
  return {-std::fabs(log10_p), log10_b == 0 ? -0.0f : log10_b};
}

/// Sequential writes to a section, in blocks.
class SectionWriter {
 public:
  SectionWriter(ImageTarget& target, i64 at) : target_(target), at_(at) {}
  void write(std::string_view bytes) {
    buffer_.append(bytes);
    if (isize(buffer_) >= kBlock) flush();
  }
  void flush() {
    target_.write_at(buffer_, at_);
    at_ += isize(buffer_);
    buffer_.clear();
  }

 private:
  static constexpr i64 kBlock = i64{1} << 18;
  ImageTarget& target_;
  i64 at_;
  std::string buffer_;
};

template <typename T>
std::string_view bytes_of(const T* items, i64 n) {
  return {reinterpret_cast<const char*>(items), usize(n) * sizeof(T)};
}

}  // namespace

struct ImageWriter::GramChunk final : ModelSink::Chunk {
  void add(std::span<const u32> words, f64 log10_p, f64 log10_b) override {
    length = static_cast<int>(words.size());
    grams.push_back(hashed(words, static_cast<f32>(log10_p), static_cast<f32>(log10_b)));
  }
  int length = 0;
  std::vector<Hashed> grams;
};

ImageWriter::ImageWriter(const Context& ctx, ImageTarget& target, std::string form)
    : ctx_(&ctx), target_(&target), form_(std::move(form)) {
  // Beyond 64 MiB pieces outgrow the caches, and laying out gets slower, not faster.
  share_ = std::clamp(ctx.memory->available() / 8, i64{1} << 18, i64{64} << 20);
  charged_ = ctx.memory->try_charge(share_);
}

ImageWriter::~ImageWriter() {
  if (charged_) ctx_->memory->release(share_);
}

// A quarter of the share is the piece of a table that is being laid out.
i64 ImageWriter::parts_for(i64 slots) const {
  const i64 bytes = slots * static_cast<i64>(sizeof(TableCell));
  return std::clamp<i64>(bytes / (share_ / 4), 1, std::max<i64>(share_ >> 14, 16));
}

// Half of it is the buffers, of entries of one order and of marks of the order below.
i64 ImageWriter::buffer_bytes(i64 parts) const {
  return std::clamp<i64>(share_ / 4 / parts, i64{1} << 12, i64{1} << 16);
}

void ImageWriter::begin(const Vocab& vocab, std::span<const i64> counts) {
  vocab_ = &vocab;
  order_ = static_cast<int>(counts.size());
  unigrams_.emplace(*ctx_, vocab.size());
  unigram_known_.emplace(*ctx_, vocab.size());
  unigram_known_->resize(vocab.size());
  for (i64 id = 0; id < vocab.size(); ++id)
    unigrams_->push_back({kUnknownLog10, -0.0f});  // no flag: extends nowhere
  levels_ = std::vector<Level>(usize(std::max(order_ - 1, 0)));
  for (int n = 2; n <= order_; ++n) {
    Level& made = level(n);
    made.slots = slots_for(counts[usize(n - 1)]);
    const i64 parts = parts_for(made.slots);
    made.entries.emplace(*ctx_, parts, buffer_bytes(parts));
    made.marks.emplace(*ctx_, parts, buffer_bytes(parts));
  }
}

void ImageWriter::begin_order(int n) {
  if (n > 2) level(n - 1).entries->rest();
  if (n > 3) level(n - 2).marks->rest();
}

std::unique_ptr<ModelSink::Chunk> ImageWriter::new_chunk(int) const {
  return std::make_unique<GramChunk>();
}

void ImageWriter::take(Chunk& chunk) {
  const GramChunk& taken = static_cast<GramChunk&>(chunk);
  for (const Hashed& gram : taken.grams)
    put(taken.length, gram);
}

void ImageWriter::add(std::span<const u32> words, f32 log10_p, f32 log10_b) {
  put(static_cast<int>(words.size()), hashed(words, log10_p, log10_b));
}

ImageWriter::Hashed ImageWriter::hashed(std::span<const u32> words, f32 log10_p, f32 log10_b) {
  Hashed out{words[0], 0, 0, log10_p, log10_b};
  if (words.size() == 1) return out;
  if (words.size() == 2) {
    out.context = words[0];
    out.suffix = words[1];
    out.hash = hash_of(words);
  } else {
    out.context = hash_of(words.first(words.size() - 1));
    out.suffix = hash_of(words.subspan(1));
    out.hash = gram_hash(out.suffix, words[0]);
  }
  return out;
}

void ImageWriter::put(int n, const Hashed& gram) {
  const Weights weights = unmarked(gram.log10_p, gram.log10_b);
  if (n == 1) {
    const i64 id = static_cast<i64>(gram.hash);
    LM_CHECK((*unigram_known_)[id] == 0, "a unigram comes once");
    (*unigram_known_)[id] = 1;
    (*unigrams_)[id] = weights;
    ++known_words_;
    return;
  }
  Level& to = level(n);
  const u64 rank = static_cast<u64>(to.added++);
  to.entries->push({gram.hash, rank, std::bit_cast<u64>(weights)});
  put_marks(n, gram.context, gram.suffix, rank << 1);
}

void ImageWriter::put_marks(int n, u64 context, u64 suffix, u64 by) {
  if (n == 2) {
    mark_word(context, GramMark::kContext);
    mark_word(suffix, GramMark::kSuffix);
    return;
  }
  Level& below = level(n - 1);
  below.marks->push({context, by | GramMark::kContext});
  // n-grams in suffix order come with their suffix many times in a row; once is enough.
  if (suffix == std::exchange(below.last_suffix, suffix)) return;
  below.marks->push({suffix, by | GramMark::kSuffix});
}

void ImageWriter::mark_word(u64 id, GramMark::Kind kind) {
  LM_CHECK((*unigram_known_)[static_cast<i64>(id)] != 0, "every word of an n-gram has a unigram");
  apply_mark(kind, (*unigrams_)[static_cast<i64>(id)]);
}

i64 ImageWriter::closing_grams() const {
  i64 total = 0;
  for (const Level& one : levels_)
    total += one.closings;
  return total;
}

ImageShape ImageWriter::shape() const {
  ImageShape out;
  out.order = order_;
  out.counts.push_back(known_words_);
  for (const Level& one : levels_) {
    out.counts.push_back(one.placed);
    out.slots.push_back(one.slots);
  }
  out.vocab = vocab_->size();
  out.word_slots = 2 * out.vocab;
  for (i64 id = 0; id < out.vocab; ++id)
    out.spelling_bytes += isize(vocab_->word(static_cast<u32>(id)));
  out.form_bytes = isize(form_);
  return out;
}

void ImageWriter::begin_image() {
  begins_ = shape().section_begins();
  target_->begin(begins_.back());
}

void ImageWriter::end(GramSource* source) {
  for (int n = 2; n <= order_; ++n) {
    level(n).entries->rest();
    level(n).marks->rest();
  }
  begin_image();
  // From the highest order down: what is missing in an order may be missing in the next one too.
  // Then the tables grow and move, and are written once more.
  bool gaps = false;
  for (int n = order_; n >= 2; --n)
    gaps = write_level(n, source) || gaps;
  if (gaps) {
    for (int n = 2; n < order_; ++n) {
      level(n).entries->rest();
      level(n).marks->rest();
      if (level(n).closings > 0) level(n).entries = grown(level(n), level(n).slots);
    }
    begin_image();
    for (int n = order_; n >= 2; --n)
      LM_CHECK(!write_level(n, source), "a second pass finds no gaps");
    for (int n = 2; n < order_; ++n)
      value_closings(n);
  }
  write_words();
  target_->write_at(bytes_of(unigrams_->data(), unigrams_->size()), begins_[0]);
  write_spelling();
  target_->write_at(form_, begins_[usize(order_ + 3)]);
  const u64 digest = xxh3_64(target_->bytes().substr(usize(kImageHeaderBytes)));
  target_->write_at(shape().header(digest), 0);
}

// True if n-grams of this order were missing; they are then among its entries.
bool ImageWriter::write_level(int n, GramSource* source) {
  Level& at = level(n);
  const bool top = n == order_;
  const i64 begin = begins_[usize(n)];
  std::vector<TopSlot> narrow;
  u64 repeated = ~u64{0};
  Column<GramMark> missing(*ctx_, 2 * at.marks->size());
  SlotLayout::Hooks hooks;
  hooks.begin = [&] { missing.resize(0); };
  hooks.visit = [&](i64 first, std::span<const TableCell> cells) {
    if (!top) {
      target_->write_at(bytes_of(cells.data(), isize(cells)),
                        begin + first * static_cast<i64>(sizeof(MiddleSlot)));
      return;
    }
    narrow.clear();
    for (const TableCell& cell : cells) {
      narrow.push_back({static_cast<u32>(cell.hash), static_cast<u32>(cell.hash >> 32),
                        cell.hash == 0 ? 0 : std::bit_cast<Weights>(cell.payload).p});
    }
    target_->write_at(bytes_of(narrow.data(), isize(narrow)),
                      begin + first * static_cast<i64>(sizeof(TopSlot)));
  };
  hooks.repeated = [&](u64 rank) { repeated = std::min(repeated, rank); };
  // The piece that a lap starts with is seen twice in every lap: hence twice the room.
  hooks.missing = [&](const GramMark& mark) { missing.push_back(mark); };
  SlotLayout layout(*at.entries, at.slots, ~u64{0}, top ? nullptr : &*at.marks, hooks);
  at.placed = layout.run();
  if (repeated != ~u64{0} && source != nullptr) source->repeated(n, repeated);
  if (missing.size() == 0) return false;
  LM_CHECK(source != nullptr, "an estimated model has the parts of its n-grams");
  close(n, missing, source);
  return true;
}

// Adds the n-grams that were found missing, in the order in which adding one n-gram after the other
// with what it lacks would have come upon them: by the first n-gram that asks, the context of an
// n-gram before its suffix; n-grams of the next order, then its closing ones, which came later.
void ImageWriter::close(int n, Column<GramMark>& missing, GramSource* source) {
  GramMark* const begin = missing.data();
  GramMark* end = begin + missing.size();
  std::sort(begin, end, [](const GramMark& a, const GramMark& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.by < b.by;
  });
  end = std::unique(begin, end,
                    [](const GramMark& a, const GramMark& b) { return a.hash == b.hash; });
  std::sort(begin, end, [](const GramMark& a, const GramMark& b) { return a.by < b.by; });
  Level& at = level(n);
  at.closings = end - begin;
  at.closing_words.emplace(*ctx_, at.closings * n);
  i64 next = 0;
  const auto close_for = [&](u64 by, std::span<const u32> longer) {
    for (; next < at.closings && begin[next].by >> 1 == by; ++next) {
      const std::span<const u32> words =
          longer.subspan(begin[next].kind() == GramMark::kSuffix ? 1 : 0, usize(n));
      for (const u32 word : words)
        at.closing_words->push_back(word);
      const u64 rank = static_cast<u64>(at.added + next);
      at.entries->push({begin[next].hash, rank, std::bit_cast<u64>(unmarked(0, 0))});
      const Hashed gram = hashed(words, 0, 0);
      put_marks(n, gram.context, gram.suffix, kByClosing | static_cast<u64>(next) << 1);
    }
  };
  source->each(n + 1, close_for);
  for (i64 i = 0; n + 1 < order_ && i < level(n + 1).closings; ++i) {
    close_for((kByClosing >> 1) | static_cast<u64>(i),
              {level(n + 1).closing_words->data() + i * (n + 1), usize(n + 1)});
  }
  LM_CHECK(next == at.closings, "every missing n-gram is part of one that is there");
}

// The entries as they lie after the growth that closing n-grams cause: a full table is laid out
// anew, from its first slot on, in one with room for an eighth more.
Parts<TableEntry> ImageWriter::grown(const Level& at, i64& slots) const {
  const auto copy_from = [&](const Parts<TableEntry>& from, u64 rank, Parts<TableEntry>& to) {
    for (i64 part = 0; part < from.parts(); ++part) {
      from.each(part, [&](std::span<const TableEntry> block) {
        for (const TableEntry& entry : block) {
          if (entry.rank >= rank) to.push(entry);
        }
      });
    }
  };
  const auto empty = [&] {
    return Parts<TableEntry>(*ctx_, at.entries->parts(), buffer_bytes(at.entries->parts()));
  };
  Parts<TableEntry> now = empty();
  copy_from(*at.entries, 0, now);
  const i64 total = at.added + at.closings;
  for (i64 count = at.added; count < total; ++count) {
    if (slots_for(count + 1) <= slots) continue;
    std::optional<Parts<TableEntry>> next;
    u64 rank = 0;
    SlotLayout::Hooks hooks;
    hooks.begin = [&] {
      next.emplace(empty());
      rank = 0;
    };
    hooks.visit = [&](i64, std::span<const TableCell> cells) {
      for (const TableCell& cell : cells) {
        if (cell.hash != 0) next->push({cell.hash, rank++, cell.payload});
      }
    };
    hooks.repeated = [](u64) {};
    SlotLayout(now, slots, static_cast<u64>(count), nullptr, hooks).run();
    copy_from(now, static_cast<u64>(count), *next);
    next->rest();
    now = std::move(*next);
    slots = slots_for(count + count / 8 + 64);
  }
  return now;
}

// Their probabilities, from the order below, which has its own by now.
void ImageWriter::value_closings(int n) {
  const std::string_view image = target_->bytes();
  const auto table = [&](int order) {
    return std::span<const MiddleSlot>(
        reinterpret_cast<const MiddleSlot*>(image.data() + begins_[usize(order)]),
        usize(level(order).slots));
  };
  const auto find = [&](std::span<const u32> words) {
    if (words.size() == 1) return (*unigrams_)[words[0]];
    return find_slot(table(static_cast<int>(words.size())), hash_of(words))->weights;
  };
  for (i64 i = 0; i < level(n).closings; ++i) {
    const std::span<const u32> words(level(n).closing_words->data() + i * n, usize(n));
    const f32 p = find(words.first(usize(n - 1))).b + log10_p(find(words.subspan(1)).p);
    const MiddleSlot* const slot = find_slot(table(n), hash_of(words));
    const f32 stored = std::copysign(std::min(p, 0.0f), slot->weights.p);
    target_->write_at(bytes_of(&stored, 1),
                      reinterpret_cast<const char*>(&slot->weights.p) - image.data());
  }
}

void ImageWriter::write_words() {
  const i64 slots = 2 * vocab_->size();
  const i64 parts = parts_for(slots);
  Parts<TableEntry> all(*ctx_, parts, buffer_bytes(parts));
  for (i64 id = 0; id < vocab_->size(); ++id) {
    const u64 hash = word_hash(vocab_->word(static_cast<u32>(id)));
    all.push({hash, static_cast<u64>(id), static_cast<u64>(id)});
  }
  all.rest();
  SlotLayout::Hooks hooks;
  hooks.repeated = [&](u64 id) {
    throw Error(ErrorKind::kData, cat("the word ", quote(vocab_->word(static_cast<u32>(id))),
                                      " has the hash of another word"));
  };
  // Words that the vocabulary limit removed are unknown words from here on.
  std::optional<Parts<TableEntry>> known;
  u64 rank = 0;
  hooks.begin = [&] {
    known.emplace(*ctx_, parts, buffer_bytes(parts));
    rank = 0;
  };
  hooks.visit = [&](i64, std::span<const TableCell> cells) {
    for (const TableCell& cell : cells) {
      if (cell.hash != 0 && (*unigram_known_)[static_cast<i64>(cell.payload)] != 0)
        known->push({cell.hash, rank++, cell.payload});
    }
  };
  SlotLayout(all, slots, ~u64{0}, nullptr, hooks).run();
  known->rest();
  hooks.begin = [] {};
  hooks.visit = [&](i64 first, std::span<const TableCell> cells) {
    target_->write_at(bytes_of(cells.data(), isize(cells)),
                      begins_[1] + first * static_cast<i64>(sizeof(WordSlot)));
  };
  SlotLayout(*known, slots, ~u64{0}, nullptr, hooks).run();
}

void ImageWriter::write_spelling() {
  SectionWriter offsets(*target_, begins_[usize(order_ + 1)]);
  SectionWriter spelling(*target_, begins_[usize(order_ + 2)]);
  u64 at = 0;
  offsets.write(bytes_of(&at, 1));
  for (i64 id = 0; id < vocab_->size(); ++id) {
    const std::string_view word = vocab_->word(static_cast<u32>(id));
    spelling.write(word);
    at += word.size();
    offsets.write(bytes_of(&at, 1));
  }
  offsets.flush();
  spelling.flush();
}

}  // namespace lm::ngram
