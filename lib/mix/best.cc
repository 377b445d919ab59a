#include "mix/best.h"

#include <algorithm>
#include <bit>

#include "core/error.h"
#include "core/str.h"

namespace lm::mix {

u64 descending(f64 value) {
  const u64 bits = std::bit_cast<u64>(value == 0 ? 0.0 : value);  // -0 is 0
  constexpr u64 kSign = u64{1} << 63;
  const u64 ascending = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return ~ascending;
}

namespace {

// A list that grows is there twice for a moment, its old self half as long; chosen() numbers all.
constexpr i64 kEntryBytes = 32 + 16 + 8;
// The map's node and the heap's share of it and of the list; the map's places double.
constexpr i64 kGroupBytes = 150;
constexpr i64 kMostHinted = i64{1} << 40;  // records; more fit into no memory

}  // namespace

Best::Best(i64 count, const Context& ctx) : count_(count), ctx_(&ctx) {}

Best::~Best() {
  ctx_->memory->release(charged_);
}

void Best::charge(i64 bytes) {
  const i64 beside = ctx_->memory->used() - charged_;
  try {
    ctx_->memory->charge_growing(charged_, bytes, "records to choose from");
  } catch (const Error& e) {
    // How many groups there will be is not known, how large the only one can become is.
    if (groups_.size() != 1 || !groups_.begin()->first.empty() || count_ > kMostHinted) throw;
    const i64 all = beside + count_ * kEntryBytes + kGroupBytes;
    throw Error(e.kind(), e.message(),
                cat(e.hint(), "; --memory ", (all >> 20) + 1, "M holds all ", count_));
  }
  charged_ += bytes;
}

bool Best::add(const Rank& rank, i64 bytes) {
  auto found = groups_.find(rank.group);
  if (found == groups_.end()) {
    charge(kGroupBytes + isize(rank.group));
    found = groups_.emplace(rank.group, std::vector<Entry>()).first;
  }
  std::vector<Entry>& heap = found->second;
  const Entry entry{rank.key, rank.tie, candidates_, bytes};
  if (isize(heap) == count_) {
    if (!(entry < heap.front())) return false;
    std::pop_heap(heap.begin(), heap.end());
    heap.back() = entry;
  } else {
    if (heap.size() == heap.capacity()) {
      const std::size_t more =
          std::min(std::max<std::size_t>(1, heap.size()), usize(count_) - heap.size());
      static_assert(sizeof(Entry) == 32);
      charge(static_cast<i64>(more) * kEntryBytes);
      heap.reserve(heap.size() + more);
    }
    heap.push_back(entry);
  }
  std::push_heap(heap.begin(), heap.end());
  ++candidates_;
  return true;
}

std::vector<i64> Best::chosen() const {
  std::size_t size = 0;
  for (const auto& [group, heap] : groups_)
    size += heap.size();
  std::vector<i64> out;
  out.reserve(size);
  for (const auto& [group, heap] : groups_) {
    for (const Entry& entry : heap)
      out.push_back(entry.candidate);
  }
  std::sort(out.begin(), out.end());  // the map has no order
  return out;
}

i64 Best::chosen_bytes() const {
  i64 out = 0;
  for (const auto& [group, heap] : groups_) {
    for (const Entry& entry : heap)
      out += entry.bytes;
  }
  return out;
}

}  // namespace lm::mix
