#include "ngram/slot_layout.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace lm::ngram {

void apply_mark(GramMark::Kind kind, Weights& weights) {
  if (kind == GramMark::kSuffix) {
    weights.p = std::fabs(weights.p);
  } else if (weights.b == 0) {
    weights.b = 0.0f;
  }
}

SlotLayout::SlotLayout(const Parts<TableEntry>& entries, i64 slots, u64 end_rank,
                       const Parts<GramMark>* marks, Hooks hooks)
    : entries_(entries),
      slots_(slots),
      end_rank_(end_rank),
      marks_(marks),
      hooks_(std::move(hooks)) {
  LM_CHECK(marks == nullptr || marks->parts() == entries.parts(), "marks lie as their table does");
}

// Where the search of the smallest hash of a part starts. A hash of the part before may start
// there too; it is carried like one that found its piece full.
i64 SlotLayout::first_slot(i64 part) const {
  __extension__ using u128 = unsigned __int128;
  if (part == entries_.parts()) return slots_;
  const u128 parts = static_cast<u128>(entries_.parts());
  const u128 mixed = ((static_cast<u128>(part) << 64) + parts - 1) / parts;
  return static_cast<i64>(mixed * static_cast<u128>(slots_) >> 64);
}

void SlotLayout::place(i64 at, const TableEntry& entry) {
  const i64 size = isize(cells_);
  for (; at < size; ++at) {
    TableCell& cell = cells_[usize(at)];
    if (cell.hash == 0) {
      cell = {entry.hash, entry.payload};
      ++placed_;
      return;
    }
    if (cell.hash == entry.hash) return hooks_.repeated(entry.rank);
  }
  for (const TableEntry& other : out_) {
    if (other.hash == entry.hash) return hooks_.repeated(entry.rank);
  }
  out_.push_back(entry);
}

void SlotLayout::mark(const GramMark& mark) {
  for (i64 at = slot_of(mark.hash, slots_) - first_; at < isize(cells_); ++at) {
    TableCell& cell = cells_[usize(at)];
    if (cell.hash == 0) return hooks_.missing(mark);
    if (cell.hash != mark.hash) continue;
    Weights weights = std::bit_cast<Weights>(cell.payload);
    apply_mark(mark.kind(), weights);
    cell.payload = std::bit_cast<u64>(weights);
    return;
  }
  for (TableEntry& entry : out_) {
    if (entry.hash != mark.hash) continue;
    Weights weights = std::bit_cast<Weights>(entry.payload);
    apply_mark(mark.kind(), weights);
    entry.payload = std::bit_cast<u64>(weights);
    return;
  }
  hooks_.missing(mark);
}

void SlotLayout::fill(i64 part, const Carry& in) {
  first_ = first_slot(part);
  cells_.assign(usize(first_slot(part + 1) - first_), {});
  placed_ = 0;
  out_.clear();
  Carry::const_iterator carried = in.begin();
  entries_.each(part, [&](std::span<const TableEntry> block) {
    for (const TableEntry& entry : block) {
      if (entry.rank >= end_rank_) return;
      for (; carried != in.end() && carried->rank < entry.rank; ++carried)
        place(0, *carried);
      place(slot_of(entry.hash, slots_) - first_, entry);
    }
  });
  for (; carried != in.end(); ++carried)
    place(0, *carried);
  if (marks_ == nullptr) return;
  marks_->each(part, [this](std::span<const GramMark> block) {
    for (const GramMark& one : block)
      mark(one);
  });
}

i64 SlotLayout::run() {
  const i64 last = entries_.parts() - 1;
  Carry guess;
  for (;;) {
    i64 total = 0;
    hooks_.begin();
    fill(last, guess);
    const Carry around = out_;
    Carry carry = around;
    for (i64 part = 0; part < last; ++part) {
      fill(part, carry);
      hooks_.visit(first_, cells_);
      total += placed_;
      carry = out_;
    }
    if (last > 0 || carry != guess) fill(last, carry);
    hooks_.visit(first_, cells_);
    if (out_ == around) return total + placed_;
    guess = std::move(carry);
  }
}

}  // namespace lm::ngram
