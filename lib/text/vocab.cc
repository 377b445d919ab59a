#include "text/vocab.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"

namespace lm::text {

std::size_t Vocab::slot_of(std::string_view wanted) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = xxh3_64(wanted) & mask;
  while (slots_[slot] >= 0 && token(slots_[slot]) != wanted)
    slot = (slot + 1) & mask;
  return slot;
}

void Vocab::grow() {
  slots_.assign(std::max<std::size_t>(1024, slots_.size() * 2), -1);
  for (i64 id = 0; id < id_limit(); ++id) {
    if (has_id(id)) slots_[slot_of(token(id))] = static_cast<i32>(id);
  }
}

Vocab::Added Vocab::add(std::string_view name, i64 id) {
  LM_CHECK(id >= 0 && id <= kMaxTokenId, "token ids are checked before they are added");
  if (2 * (count_ + 1) > isize(slots_)) grow();
  const std::size_t slot = slot_of(name);
  if (slots_[slot] >= 0) return slots_[slot] == id ? Added::kSame : Added::kDuplicateToken;
  if (has_id(id)) return Added::kDuplicateId;
  if (id >= id_limit()) entries_.resize(usize(id + 1));
  entries_[usize(id)] = {isize(arena_), static_cast<u32>(name.size())};
  arena_.append(name);
  slots_[slot] = static_cast<i32>(id);
  ++count_;
  longest_ = std::max(longest_, isize(name));
  return Added::kNew;
}

i32 Vocab::find(std::string_view wanted) const {
  return slots_.empty() ? -1 : slots_[slot_of(wanted)];
}

}  // namespace lm::text
