#include "synth/plan.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"

namespace lm::synth {

namespace {

constexpr f64 kSmallSpace = 200000;  // 64 draws for each fit into an attempt's 24 bits
constexpr i64 kAttempts = 65536;
constexpr i64 kBlock = 4096;

/// Keys seen, in a table of at most half its slots: 16 bytes a key. Key 0 is kept apart.
class KeySet {
 public:
  /// False if it was there.
  bool add(u64 key) {
    if (key == 0) return !std::exchange(zero_, true);
    if (2 * (count_ + 1) > isize(slots_)) grow();
    u64& slot = find(slots_, key);
    if (slot == key) return false;
    slot = key;
    ++count_;
    return true;
  }
  /// What the table takes while the next add() makes it larger; 0 if that does not.
  i64 bytes_after_next() const {
    return 2 * (count_ + 1) > isize(slots_) ? std::max<i64>(1024, 3 * isize(slots_)) * 8 : 0;
  }

 private:
  static u64& find(std::vector<u64>& slots, u64 key) {
    std::size_t at = mix64(key) & (slots.size() - 1);
    while (slots[at] != 0 && slots[at] != key)
      at = (at + 1) & (slots.size() - 1);
    return slots[at];
  }
  void grow() {
    std::vector<u64> wider(std::max<std::size_t>(1024, 2 * slots_.size()), 0);
    for (const u64 key : slots_)
      if (key != 0) find(wider, key) = key;
    slots_ = std::move(wider);
  }
  std::vector<u64> slots_;
  i64 count_ = 0;
  bool zero_ = false;
};

}  // namespace

Split split_of(std::string_view task, const Drawn& drawn, const SplitShares& shares) {
  if (drawn.split) return *drawn.split;
  const u64 hash = xxh3_64(drawn.canonical, fnv1a64(cat("split ", task)));
  const f64 at = uniform53(static_cast<u32>(hash >> 32), static_cast<u32>(hash));
  if (at < shares[0]) return Split::kTrain;
  return at < shares[0] + shares[1] ? Split::kValid : Split::kTest;
}

Plan::Plan(const Task& task, PlanOptions options, const Context& ctx)
    : task_(task), options_(std::move(options)), ctx_(ctx) {
  const f64 space = task_.space();
  most_attempts_ = space <= kSmallSpace ? static_cast<i64>(64 * space) + 64 : kAttempts;
  records_ = options_.records;
  if (options_.distinct)
    place_all();
  else if (records_ > 0 && next(0, 0).attempt < 0)
    refuse(0);
}

Plan::~Plan() {
  ctx_.memory->release(charged_);
}

Plan::Candidate Plan::next(i64 record, i64 attempt) const {
  for (; attempt < most_attempts_; ++attempt) {
    const std::unique_ptr<Drawn> drawn = task_.draw({options_.seed, record, attempt});
    if (split_of(options_.task, *drawn, options_.shares) != options_.split) continue;
    const u64 key = options_.distinct ? xxh3_64(cat(drawn->canonical, "\n", drawn->variant)) : 0;
    return {attempt, key};
  }
  return {};
}

void Plan::refuse(i64 record) const {
  const std::string where =
      cat(options_.task, ": split ", split_names()[static_cast<std::size_t>(options_.split)]);
  if (record == 0)
    throw Error(ErrorKind::kUsage, cat(where, " has no record with these parameters"),
                "other parameters, or another split, have some");
  throw Error(ErrorKind::kUsage,
              cat(where, " has ", record, " distinct records with these parameters, ",
                  options_.records, " asked for"),
              "--no-distinct repeats them; larger parameters make more");
}

void Plan::place_all() {
  KeySet seen;
  if (static_cast<f64>(options_.records) > task_.space() && !options_.fewer)
    refuse(static_cast<i64>(task_.space()));
  // Bounded by what is asked for; a small space ends sooner.
  const i64 expected =
      static_cast<i64>(std::min(static_cast<f64>(options_.records), task_.space()));
  ctx_.memory->charge(4 * expected, "telling records apart");
  charged_ = 4 * expected;
  attempts_.reserve(usize(expected));
  std::optional<MemoryCharge> keys;  // of the table, while it is wanted
  std::vector<Candidate> block;
  for (i64 begin = 0; begin < records_ && !ctx_.stop->requested(); begin += kBlock) {
    block.assign(usize(std::min(kBlock, records_ - begin)), {});
    parallel_for(isize(block), 16, [&](i64 from, i64 to) {
      for (i64 i = from; i < to; ++i)
        block[usize(i)] = next(begin + i, 0);
    });
    for (i64 i = 0; i < isize(block); ++i) {
      Candidate& one = block[usize(i)];
      if (const i64 bytes = seen.bytes_after_next(); bytes > 0) {
        keys.reset();
        keys.emplace(*ctx_.memory, bytes, "telling records apart");
      }
      while (one.attempt >= 0 && !seen.add(one.key))
        one = next(begin + i, one.attempt + 1);
      if (one.attempt < 0) {
        if (!options_.fewer || begin + i == 0) refuse(begin + i);
        records_ = begin + i;
        break;
      }
      attempts_.push_back(static_cast<u32>(one.attempt));
    }
  }
}

Place Plan::place(i64 record) const {
  i64 attempt = 0;
  if (options_.distinct) {
    attempt = attempts_[usize(record)];
  } else {
    attempt = next(record, 0).attempt;
    LM_CHECK(attempt >= 0, "a split that has one record has one for every number");
  }
  return {options_.seed, record, attempt};
}

}  // namespace lm::synth
