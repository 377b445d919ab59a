#include "ngram/vocab.h"

#include "core/error.h"
#include "core/str.h"

namespace lm::ngram {

Vocab::Vocab() : slots_(1024), begin_{0} {
  add("<unk>");
  add("<s>");
  add("</s>");
}

std::size_t Vocab::probe(std::string_view text, u64 hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].id_plus_1 != 0) {
    const Slot& slot = slots_[at];
    if (slot.hash == hash && word(slot.id_plus_1 - 1) == text) break;
    at = (at + 1) & mask;
  }
  return at;
}

u32 Vocab::add(std::string_view text, u64 hash) {
  std::size_t at = probe(text, hash);
  if (slots_[at].id_plus_1 != 0) return slots_[at].id_plus_1 - 1;
  if (size() >= kMaxVocab) {
    throw Error(ErrorKind::kData, cat("more than ", kMaxVocab, " distinct words"));
  }
  const u32 id = static_cast<u32>(size());
  bytes_.append(text);
  begin_.push_back(bytes_.size());
  if (begin_.size() * 2 > slots_.size()) {
    grow();
    at = probe(text, hash);
  }
  slots_[at] = {hash, id + 1};
  return id;
}

std::optional<u32> Vocab::find(std::string_view text) const {
  const Slot& slot = slots_[probe(text, word_hash(text))];
  if (slot.id_plus_1 == 0) return std::nullopt;
  return slot.id_plus_1 - 1;
}

void Vocab::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.id_plus_1 == 0) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].id_plus_1 != 0)
      at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

i64 Vocab::memory_bytes() const {
  return static_cast<i64>(slots_.capacity() * sizeof(Slot) + bytes_.capacity() +
                          begin_.capacity() * sizeof(u64));
}

}  // namespace lm::ngram
