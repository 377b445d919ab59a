#include "census/tally.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/error.h"
#include "core/str.h"
#include "core/utf8.h"

namespace lm::census {

namespace {

constexpr int kRegisterBits = 14;
constexpr i64 kRegisters = i64{1} << kRegisterBits;
constexpr i64 kPartBytes = 256 << 10;
constexpr i64 kEntryBytes = 128;  // of a value in a table, beside its bytes
constexpr i64 kLevels = 65;

}  // namespace

void Distinct::add(u64 hash) {
  if (registers_.empty()) registers_.resize(usize(kRegisters));
  u8& one = registers_[hash >> (64 - kRegisterBits)];
  // The rank of the first one bit of the rest, which a bit behind it bounds.
  const u64 rest = hash << kRegisterBits | u64{1} << (kRegisterBits - 1);
  one = std::max(one, static_cast<u8>(std::countl_zero(rest) + 1));
}

void Distinct::add(const Distinct& other) {
  if (other.registers_.empty()) return;
  registers_.resize(usize(kRegisters));
  for (std::size_t i = 0; i < registers_.size(); ++i)
    registers_[i] = std::max(registers_[i], other.registers_[i]);
}

f64 Distinct::estimate() const {
  if (registers_.empty()) return 0;
  constexpr f64 m = static_cast<f64>(kRegisters);
  f64 sum = 0;
  i64 zeros = 0;
  for (const u8 rank : registers_) {
    sum += std::ldexp(1.0, -rank);
    zeros += rank == 0 ? 1 : 0;
  }
  const f64 raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
  if (raw <= 2.5 * m && zeros > 0) return m * std::log(m / static_cast<f64>(zeros));
  return raw;
}

void Distinct::save(PartWriter& out) const {
  std::string hexadecimal;
  if (!registers_.empty()) hexadecimal = hex(registers_);
  out.text(hexadecimal);
}

void Distinct::load(PartReader& in) {
  const std::string_view text = in.text();
  if (text.empty()) return;
  if (isize(text) != 2 * kRegisters) in.fail("has another number of registers");
  Distinct other;
  other.registers_.resize(usize(kRegisters));
  for (std::size_t i = 0; i < other.registers_.size(); ++i) {
    u8& one = other.registers_[i];
    const char* const begin = text.data() + 2 * i;
    const std::from_chars_result got = std::from_chars(begin, begin + 2, one, 16);
    if (got.ptr != begin + 2 || one > 65 - kRegisterBits) in.fail("is no register");
  }
  add(other);
}

std::string short_value(std::string_view value, i64 longest) {
  if (isize(value) <= longest) return std::string(value);
  std::size_t end = usize(longest) - 20;
  while ((static_cast<u8>(value[end]) & 0xC0) == 0x80)
    --end;
  return cat(value.substr(0, end), "...", hex64(xxh3_64(value)));
}

void Tally::add(std::string_view value, u64 record) {
  distinct_.add(xxh3_64(value));
  const i64 level = std::countl_zero(record);
  if (level < level_) return;
  if (isize(value) <= kLongestValue) return count(value, level, 1);
  count(short_value(value), level, 1);
}

void Tally::count(std::string_view value, i64 level, i64 times) {
  Table& table = tables_[usize(level)];
  const auto found = table.find(value);
  if (found != table.end()) {
    found->second += times;
    return;
  }
  table.emplace(value, times);
  bytes_ += isize(value) + kEntryBytes;
  ++entries_;
  while (entries_ > limit_)
    raise(level_ + 1);
}

void Tally::raise(i64 level) {
  for (; level_ < level; ++level_) {
    Table& table = tables_[usize(level_)];
    entries_ -= isize(table);
    for (const auto& [value, count] : table)
      bytes_ -= isize(value) + kEntryBytes;
    table = {};
  }
}

void Tally::add(Tally&& other) {
  distinct_.add(other.distinct_);
  raise(other.level_);
  for (i64 level = level_; level < kLevels; ++level) {
    Table& theirs = other.tables_[usize(level)];
    Table& mine = tables_[usize(level)];
    if (mine.empty()) mine.swap(theirs);
    for (const auto& [value, times] : theirs)
      mine[value] += times;
    theirs = {};
  }
  other.recount();
  recount();
}

void Tally::recount() {
  entries_ = bytes_ = 0;
  for (const Table& table : tables_) {
    entries_ += isize(table);
    for (const auto& [value, times] : table)
      bytes_ += isize(value) + kEntryBytes;
  }
  while (entries_ > limit_)
    raise(level_ + 1);
}

void Tally::spill() {
  if (entries_ == 0) return;
  runs_->add([this](const Runs::Put& put) {
    std::string data;
    each_held([&](std::string_view value, std::span<const At> at) {
      data.assign(reinterpret_cast<const char*>(at.data()), at.size_bytes());
      put(value, data);
    });
  });
  for (Table& table : tables_)
    table = {};
  entries_ = bytes_ = 0;
}

// With what is spilled there may be more entries than limit_, though never in memory.
void Tally::settle() {
  if (runs_ == nullptr || runs_->empty()) return;
  spill();
  std::vector<i64> entries(usize(kLevels));  // by level
  each([&entries](std::string_view, std::span<const At> at) {
    for (const At& one : at)
      ++entries[usize(one.level)];
  });
  i64 sum = std::accumulate(entries.begin(), entries.end(), i64{0});
  while (sum > limit_)
    sum -= entries[usize(level_++)];
}

void Tally::each_held(const Visit& visit) const {
  std::vector<std::pair<std::string_view, At>> entries;
  entries.reserve(usize(entries_));
  for (i64 level = level_; level < kLevels; ++level) {
    for (const auto& [value, count] : tables_[usize(level)])
      entries.push_back({value, {level, count}});
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second.level < b.second.level;
  });
  std::vector<At> at;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    at.push_back(entries[i].second);
    if (i + 1 < entries.size() && entries[i + 1].first == entries[i].first) continue;
    visit(entries[i].first, at);
    at.clear();
  }
}

void Tally::each(const Visit& visit) const {
  if (runs_ == nullptr || runs_->empty()) return each_held(visit);
  std::string open;
  std::array<i64, kLevels> counts{};  // of open
  std::vector<At> at;
  const auto close = [&] {
    at.clear();
    for (i64 level = level_; level < kLevels; ++level) {
      if (counts[usize(level)] > 0) at.push_back({level, counts[usize(level)]});
    }
    if (!at.empty()) visit(open, at);
    counts.fill(0);
  };
  runs_->each([&](std::string_view value, std::string_view data) {
    if (value != open) {
      close();
      open = value;
    }
    for (std::size_t i = 0; i < data.size(); i += sizeof(At)) {
      At one;
      std::memcpy(&one, data.data() + i, sizeof one);
      counts[usize(one.level)] += one.count;
    }
  });
  close();
}

std::vector<Tally::Entry> Tally::top(i64 most) const {
  const auto before = [](const Entry& a, const Entry& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  };
  std::vector<Entry> out;  // a heap, the last one first, once there are `most`
  each([&](std::string_view value, std::span<const At> at) {
    i64 count = 0;
    for (const At& one : at)
      count += one.count;
    const bool full = most > 0 && isize(out) == most;
    if (full && count <= out.front().count) return;  // values ascend
    if (full) {
      std::pop_heap(out.begin(), out.end(), before);
      out.pop_back();
    }
    out.push_back({std::string(value), count});
    if (most > 0) std::push_heap(out.begin(), out.end(), before);
  });
  std::sort(out.begin(), out.end(), before);
  for (Entry& entry : out)
    entry.count <<= level_;
  return out;
}

f64 Tally::distinct() const {
  if (!exact()) return std::round(distinct_.estimate());
  i64 values = 0;
  each([&values](std::string_view, std::span<const At>) { ++values; });
  return static_cast<f64>(values);
}

i64 Tally::top_bytes() const {
  i64 sum = 0;
  each([&sum](std::string_view value, std::span<const At>) { sum += isize(value) + kEntryBytes; });
  return sum;
}

// The first part has the registers, every one the level.
void Tally::save(const std::function<void(std::string data)>& emit) const {
  PartWriter out;
  out.number(level_);
  distinct_.save(out);
  each([&](std::string_view value, std::span<const At> at) {
    if (out.size() >= kPartBytes) {
      emit(out.take());
      out.number(level_);
      out.text("");
    }
    for (const At& one : at) {
      out.number(one.level);
      out.text(value);
      out.number(one.count);
    }
  });
  emit(out.take());
}

void Tally::load(PartReader& in) {
  raise(std::max(level_, in.number(0, kLevels - 1)));
  distinct_.load(in);
  while (!in.done()) {
    const i64 level = in.number(0, kLevels - 1);
    const std::string_view value = in.text();
    const i64 times = in.number(1, i64{1} << 62);
    if (level >= level_) count(value, level, times);
  }
}

void Repeats::add(u64 hash, i64 times) {
  if (std::countl_zero(hash) < level_) return;
  seen_.add(hash, times);
  while (seen_.size() > limit_)
    raise(level_ + 1);
}

void Repeats::raise(i64 level) {
  if (level <= level_) return;
  level_ = level;
  seen_.keep([level](u64 hash) { return std::countl_zero(hash) >= level; });
}

void Repeats::add(const Repeats& other) {
  raise(other.level_);
  other.seen_.each([this](u64 hash, i64 times) { add(hash, times); });
}

i64 Repeats::repeated() const {
  i64 sum = 0;
  seen_.each([&sum](u64, i64 count) { sum += count - 1; });
  return sum << level_;
}

void Repeats::save(const std::function<void(std::string data)>& emit) const {
  PartWriter out;
  out.number(level_);
  for (const auto& [hash, times] : seen_.sorted()) {
    if (out.size() >= kPartBytes) {
      emit(out.take());
      out.number(level_);
    }
    out.bits(hash);
    out.number(times);
  }
  emit(out.take());
}

void Repeats::load(PartReader& in) {
  raise(in.number(0, kLevels - 1));
  while (!in.done()) {
    const u64 hash = in.bits();
    add(hash, in.number(1, i64{1} << 62));
  }
}

void Examples::add(Example example) {
  if (most_ == 0) return;
  kept_.insert(std::move(example));
  if (isize(kept_) > most_) kept_.erase(std::prev(kept_.end()));
}

void Examples::add(const Examples& other) {
  for (const Example& example : other.kept_)
    add(example);
}

void Examples::save(PartWriter& out) const {
  out.number(isize(kept_));
  for (const Example& one : kept_) {
    out.bits(one.key);
    for (const std::string* const text : {&one.source, &one.id, &one.text, &one.notes})
      out.text(*text);
    out.number(one.bytes);
  }
}

void Examples::load(PartReader& in) {
  for (i64 left = in.count(); left > 0; --left) {
    Example one;
    one.key = in.bits();
    for (std::string* const text : {&one.source, &one.id, &one.text, &one.notes})
      *text = in.text();
    one.bytes = in.count();
    add(std::move(one));
  }
}

}  // namespace lm::census
