#include "dedup/exact.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "core/parallel.h"

namespace lm::dedup {

namespace {

constexpr i64 kSlotBytes = static_cast<i64>(sizeof(Hash128));
constexpr i64 kAhead = 16;

bool fits(i64 used, i64 slots) {
  return used * 8 <= slots * 5;
}

/// Where the search for a digest starts: the low half, the top of the high half chose the table.
std::size_t home(const Hash128& key, std::size_t slots) {
  return key.lo & (slots - 1);
}

/// Puts a digest that is known to be absent.
void place(std::vector<Hash128>& slots, const Hash128& key) {
  std::size_t at = home(key, slots.size());
  while (slots[at] != Hash128{})
    at = (at + 1) & (slots.size() - 1);
  slots[at] = key;
}

/// True if present; otherwise the digest is put where the search ended.
bool find_or_place(std::vector<Hash128>& slots, const Hash128& key) {
  for (std::size_t at = home(key, slots.size());; at = (at + 1) & (slots.size() - 1)) {
    if (slots[at] == key) return true;
    if (slots[at] == Hash128{}) {
      slots[at] = key;
      return false;
    }
  }
}

}  // namespace

void ExactSet::clear() {
  tables_.assign(kKeyParts, {});
  budget_->release(charged_);
  charged_ = 0;
  has_zero_ = false;
  size_ = 0;
}

/// Grows every table that the batch could overfill. All memory, the transient copies included, is
/// charged before the first table changes, so that a refusal leaves the set as it was.
bool ExactSet::make_room() {
  std::array<i64, kKeyParts> wanted{};
  i64 added = 0;
  i64 dropped = 0;
  for (i64 p = 0; p < kKeyParts; ++p) {
    const Table& table = tables_[usize(p)];
    const i64 now = isize(table.slots);
    i64 slots = std::max<i64>(now, 16);
    while (!fits(table.used + isize(partition_.part(p)), slots))
      slots *= 2;
    if (slots == now) continue;
    wanted[usize(p)] = slots;
    added += slots * kSlotBytes;
    dropped += now * kSlotBytes;
  }
  if (added == 0) return true;
  if (charged_ + added > max_bytes_ || !budget_->try_charge(added)) return false;
  parallel_for(kKeyParts, 16, [&](i64 begin, i64 end) {
    for (i64 p = begin; p < end; ++p) {
      if (wanted[usize(p)] == 0) continue;
      std::vector<Hash128> slots(usize(wanted[usize(p)]));
      for (const Hash128& key : tables_[usize(p)].slots) {
        if (key != Hash128{}) place(slots, key);
      }
      tables_[usize(p)].slots = std::move(slots);
    }
  });
  budget_->release(dropped);
  charged_ += added - dropped;
  return true;
}

bool ExactSet::test_and_insert(std::span<const Hash128> keys, std::span<u8> seen) {
  LM_CHECK(keys.size() == seen.size(), "one answer per key");
  partition_.split(keys);
  if (!make_room()) return false;
  std::atomic<i64> inserted{0};
  parallel_for(kKeyParts, 8, [&](i64 begin, i64 end) {
    for (i64 p = begin; p < end; ++p) {
      Table& table = tables_[usize(p)];
      const std::span<const u32> order = partition_.part(p);
      const i64 before = table.used;
      for (i64 i = 0; i < isize(order); ++i) {
        if (i + kAhead < isize(order)) {
          const Hash128& later = keys[order[usize(i + kAhead)]];
          __builtin_prefetch(table.slots.data() + home(later, table.slots.size()), 1);
        }
        const Hash128& key = keys[order[usize(i)]];
        if (key == Hash128{}) continue;
        const bool present = find_or_place(table.slots, key);
        seen[order[usize(i)]] = present;
        table.used += !present;
      }
      inserted.fetch_add(table.used - before);
    }
  });
  size_ += inserted.load();
  for (const u32 i : partition_.part(0)) {
    if (keys[i] != Hash128{}) continue;
    seen[i] = has_zero_;
    size_ += !has_zero_;
    has_zero_ = true;
  }
  return true;
}

ExactDedup::ExactDedup(const Context& ctx, i64 max_bytes)
    : ctx_(&ctx), max_bytes_(max_bytes), set_(*ctx.memory, max_bytes) {}

bool ExactDedup::try_add(std::span<const Hash128> keys, std::span<u8> seen) {
  return !deferred() && set_.test_and_insert(keys, seen);
}

void ExactDedup::start_deferred() {
  LM_CHECK(!deferred(), "deferral starts once");
  // The set still holds its memory while it drains, so the sorter gets what is left beside it and
  // spills as it must.
  sorter_ = std::make_unique<ExternalSorter<Entry>>(*ctx_, max_bytes_ / 2, "the digest sorter");
  set_.for_each([this](const Hash128& key) { sorter_->add({key, 0, 0}); });
  set_.clear();
}

void ExactDedup::add_deferred(const Hash128& key, u64 priority, i64 ordinal) {
  sorter_->add({key, priority, static_cast<u64>(ordinal) + 1});
}

void ExactDedup::finish() {
  duplicates_ =
      std::make_unique<ExternalSorter<u64>>(*ctx_, max_bytes_ / 4, "the duplicate sorter");
  if (deferred()) {
    sorter_->finish();
    Entry entry{};
    std::optional<Hash128> last;
    while (sorter_->next(entry)) {
      if (last == entry.key) duplicates_->add(entry.order - 1);
      last = entry.key;
    }
    sorter_.reset();
  }
  duplicates_->finish();
}

std::optional<i64> ExactDedup::next_duplicate() {
  u64 ordinal = 0;
  if (!duplicates_->next(ordinal)) return std::nullopt;
  return static_cast<i64>(ordinal);
}

}  // namespace lm::dedup
