#include "text/bpe_pairs.h"

#include <utility>

#include "core/error.h"
#include "core/hash.h"

namespace lm::text {

namespace {

constexpr i64 kChargeStep = i64{4} << 20;
constexpr std::size_t kFirstSlots = 1 << 12;

i64 list_bytes(const std::vector<u32>& words) {
  return static_cast<i64>(words.capacity() * 4);
}

}  // namespace

PairTable::PairTable(MemoryBudget* memory) : memory_(memory), slots_(kFirstSlots) {
  recharge();
}

PairTable::~PairTable() {
  memory_->release(charged_);
}

// Keeps the charge at or above what is held, in steps, so that list growth costs no atomic each.
void PairTable::recharge() {
  const i64 held = list_bytes_ + static_cast<i64>(slots_.size() * sizeof(Slot));
  if (held <= charged_) return;
  const i64 more = held - charged_ + kChargeStep;
  memory_->charge(more, "the pairs of BPE training");
  charged_ += more;
}

std::size_t PairTable::find(u64 key) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = mix64(key) & mask;
  while (slots_[at].key != kFree && slots_[at].key != key)
    at = (at + 1) & mask;
  return at;
}

i64 PairTable::count(u64 key) const {
  const Slot& slot = slots_[find(key)];
  return slot.key == key ? slot.count : 0;
}

void PairTable::insert(u64 key, i64 count) {
  if (2 * (used_ + 1) > isize(slots_)) grow();
  Slot& slot = slots_[find(key)];
  LM_CHECK(slot.key == kFree, "a pair is entered once");
  slot.key = key;
  slot.count = count;
  ++used_;
}

void PairTable::add_word(u64 key, u32 word) {
  Slot& slot = slots_[find(key)];
  if (slot.key != key || (!slot.words.empty() && slot.words.back() == word)) return;
  if (slot.words.size() < slot.words.capacity()) {
    slot.words.push_back(word);
    return;
  }
  list_bytes_ -= list_bytes(slot.words);
  slot.words.push_back(word);
  list_bytes_ += list_bytes(slot.words);
  recharge();
}

void PairTable::decrease(u64 key, i64 by, i64 floor) {
  const std::size_t at = find(key);
  if (slots_[at].key != key) return;
  slots_[at].count -= by;
  if (slots_[at].count < floor) erase_at(at);
}

std::vector<u32> PairTable::take(u64 key) {
  const std::size_t at = find(key);
  LM_CHECK(slots_[at].key == key, "the chosen pair is live");
  list_bytes_ -= list_bytes(slots_[at].words);
  std::vector<u32> words = std::exchange(slots_[at].words, {});
  erase_at(at);
  return words;
}

// Moves later entries of the same probe run up, so that look-ups need no tombstones.
void PairTable::erase_at(std::size_t at) {
  list_bytes_ -= list_bytes(slots_[at].words);
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = at;
  for (std::size_t next = (at + 1) & mask; slots_[next].key != kFree; next = (next + 1) & mask) {
    const std::size_t home = mix64(slots_[next].key) & mask;
    if (((next - home) & mask) < ((next - hole) & mask)) continue;  // its home lies after the hole
    slots_[hole] = std::move(slots_[next]);
    hole = next;
  }
  slots_[hole] = Slot();
  --used_;
}

void PairTable::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  recharge();
  for (Slot& slot : old) {
    if (slot.key != kFree) slots_[find(slot.key)] = std::move(slot);
  }
}

}  // namespace lm::text
