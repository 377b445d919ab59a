#include "text/vocab.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/error.h"
#include "core/hash.h"

namespace lm::text {

namespace {

u32 hash_of(std::string_view token) {
  return static_cast<u32>(xxh3_64(token));
}

}  // namespace

std::size_t Vocab::slot_of(std::string_view wanted, u32 hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].id >= 0 && (slots_[at].hash != hash || token(slots_[at].id) != wanted))
    at = (at + 1) & mask;
  return at;
}

void Vocab::reserve(i64 tokens) {
  const std::size_t count = std::bit_ceil(usize(2 * std::min(tokens, kMaxTokenId)));
  if (count > slots_.size()) resize_slots(std::max<std::size_t>(1024, count));
}

void Vocab::resize_slots(std::size_t count) {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(count));
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.id < 0) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].id >= 0)
      at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

Vocab::Added Vocab::add(std::string_view name, i64 id) {
  LM_CHECK(id >= 0 && id <= kMaxTokenId, "token ids are checked before they are added");
  if (2 * (count_ + 1) > isize(slots_))
    resize_slots(std::max<std::size_t>(1024, slots_.size() * 2));
  const u32 hash = hash_of(name);
  Slot& slot = slots_[slot_of(name, hash)];
  if (slot.id >= 0) return slot.id == id ? Added::kSame : Added::kDuplicateToken;
  if (has_id(id)) return Added::kDuplicateId;
  if (id >= id_limit()) entries_.resize(usize(id + 1));
  entries_[usize(id)] = {isize(arena_), static_cast<u32>(name.size())};
  arena_.append(name);
  slot = {hash, static_cast<i32>(id)};
  ++count_;
  longest_ = std::max(longest_, isize(name));
  return Added::kNew;
}

i32 Vocab::find(std::string_view wanted) const {
  return slots_.empty() ? -1 : slots_[slot_of(wanted, hash_of(wanted))].id;
}

}  // namespace lm::text
