#pragma once
// Counts of strings, of keys, and examples, in bounded memory and independent of order. Where a
// table is full, half of what is counted is given up by a rule of hashes that every part of a run
// follows alike, so the result depends on what was counted only, and parts add up exactly.

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "census/count_table.h"
#include "census/part.h"
#include "census/runs.h"

namespace lm::census {

/// How many different keys there were, from their hashes: HyperLogLog with 2^14 registers, standard
/// error 0.8 %. Source: Flajolet et al. 2007, with their correction for small numbers.
class Distinct {
 public:
  void add(u64 hash);
  void add(const Distinct& other);
  f64 estimate() const;
  void save(PartWriter& out) const;
  void load(PartReader& in);

 private:
  std::vector<u8> registers_;  // empty until the first key
};

/// Counts of values. A record's hash says at which level it counts: level 0 for half of all
/// records, level 1 for a quarter, and so on; a value has one entry for each level that it is seen
/// at. With more than `limit` entries level 0 is given up, then level 1: then counts are those of a
/// sample of the records, 1 in 2^level(), times 2^level(), with a standard error of about
/// 2^level() * sqrt(sampled).
class Tally {
 public:
  /// runs: where spill() puts entries, for all that are added up; outlives this. Or null.
  explicit Tally(i64 limit, Runs* runs = nullptr) : limit_(limit), runs_(runs), tables_(65) {}
  /// value: cut by its hash if it is long. record: uniform hash of the record.
  void add(std::string_view value, u64 record);
  /// Takes the entries of other, which has the same runs or none.
  void add(Tally&& other);
  /// Puts the entries in memory into the runs.
  void spill();
  /// Nothing is added any more: to be called before what follows is asked of a Tally that spilled.
  void settle();

  i64 level() const { return level_; }
  bool exact() const { return level_ == 0; }
  /// About what the entries in memory take, with room for sorting them.
  i64 bytes() const { return bytes_; }
  struct Entry {
    std::string value;
    i64 count = 0;  // estimated unless exact()
  };
  /// By falling count, then by value; at most `most`, 0: all.
  std::vector<Entry> top(i64 most) const;
  /// How many different values; exactly if exact().
  f64 distinct() const;
  /// What top(0) and as much again would take.
  i64 top_bytes() const;

  /// emit(part) for parts of at most some 256 KiB, at least one.
  void save(const std::function<void(std::string data)>& emit) const;
  /// Adds what save wrote.
  void load(PartReader& in);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return xxh3_64(text); }
  };
  using Table = std::unordered_map<std::string, i64, Hash, std::equal_to<>>;
  struct At {  // how often a value is seen at a level
    i64 level;
    i64 count;
  };
  using Visit = std::function<void(std::string_view value, std::span<const At> at)>;
  void count(std::string_view value, i64 level, i64 times);
  void raise(i64 level);
  void recount();
  void each_held(const Visit& visit) const;
  /// Every value that has entries from level_ on, ascending.
  void each(const Visit& visit) const;

  i64 limit_;
  i64 level_ = 0;
  Runs* runs_;
  i64 entries_ = 0;  // in memory
  i64 bytes_ = 0;
  std::vector<Table> tables_;  // by level
  Distinct distinct_;
};

/// Bytes of a value that Tally keeps as it is.
inline constexpr i64 kLongestValue = 200;
/// A value as it is up to `longest` >= 40 bytes, else its beginning and its hash.
std::string short_value(std::string_view value, i64 longest = kLongestValue);

/// How many keys came more than once. Beyond `limit` different keys those of hashes that begin with
/// level() zero bits stand for all.
class Repeats {
 public:
  explicit Repeats(i64 limit) : limit_(limit) {}
  void add(u64 hash, i64 times = 1);
  void add(const Repeats& other);
  i64 level() const { return level_; }
  bool exact() const { return level_ == 0; }
  i64 bytes() const { return seen_.bytes(); }
  /// What it takes at most.
  static i64 most_bytes(i64 limit) { return CountTable::most_bytes(limit); }
  i64 distinct() const { return seen_.size() << level_; }  // of all keys
  i64 repeated() const;                                    // beyond the first of each
  /// As Tally does.
  void save(const std::function<void(std::string data)>& emit) const;
  void load(PartReader& in);

 private:
  void raise(i64 level);
  i64 limit_;
  i64 level_ = 0;
  CountTable seen_;
};

/// A record that is shown.
struct Example {
  u64 key = 0;  // uniform hash of the record
  std::string source;
  std::string id;
  std::string text;                                  // an extract
  i64 bytes = 0;                                     // of the whole text
  std::string notes;                                 // values that a rule names
  auto operator<=>(const Example&) const = default;  // NOLINT: no pointer, clang-tidy 14
};

/// The records of the least keys: a sample that does not depend on order.
class Examples {
 public:
  explicit Examples(i64 most) : most_(most) {}
  /// Whether a record of this key may be among them, so that an extract is worth while.
  bool wants(u64 key) const {
    return most_ > 0 && (isize(kept_) < most_ || key <= kept_.rbegin()->key);
  }
  void add(Example example);
  void add(const Examples& other);
  /// Ascending by key.
  const std::multiset<Example>& kept() const { return kept_; }
  void save(PartWriter& out) const;
  void load(PartReader& in);

 private:
  i64 most_;
  std::multiset<Example> kept_;
};

}  // namespace lm::census
