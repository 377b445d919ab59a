#pragma once
// Bloom filters over 128-bit keys: 256 sub-filters chosen by a key's top 8 bits, each either
// classic (k probes anywhere) or blocked (all probes in one 64-byte line). A batch of keys is
// tested and inserted in parallel over sub-filters; the answers equal a sequential run's bit for
// bit. File: 4096-byte header, then the words, little endian, mappable; see README.md. Thread rule:
// test_and_insert is called by one thread and uses all; const methods may run concurrently with
// each other. Sources: Bloom 1970; Putze, Sanders and Singler 2007 (blocked); Dillinger and
// Manolios 2004 (enhanced double hashing).

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/context.h"
#include "core/hash.h"
#include "dedup/key_partition.h"
#include "io/atomic_file.h"
#include "io/file.h"

namespace lm::dedup {

enum class BloomScheme : u8 { kClassic = 0, kBlocked = 1 };

struct BloomShape {
  BloomScheme scheme = BloomScheme::kBlocked;
  i64 k = 0;     // probes per key
  i64 bits = 0;  // whole filter; a multiple of 256 * 512
  i64 bytes() const { return bits / 8; }
};

/// Probability that a key not inserted is reported after n distinct keys. Classic:
/// (1 - (1 - 1/m)^(k j))^k averaged over the Poisson count j of a sub-filter. Blocked: the same for
/// m = 512 averaged over the Poisson count of a block, with the variance of the fill.
f64 bloom_fpr(const BloomShape& shape, i64 n);

/// The smallest filter with bloom_fpr <= p at n keys. Without a scheme: blocked for p >= 1e-4, else
/// classic. Throws Error{kUsage} unless n >= 1 and 1e-15 <= p <= 0.5.
BloomShape bloom_shape(i64 n, f64 p, std::optional<BloomScheme> scheme = {});

/// The k that is best for n keys in at most `bytes` bytes. Throws Error{kUsage} for fewer than
/// 16 KiB or n < 1.
BloomShape bloom_shape_in(i64 bytes, i64 n, std::optional<BloomScheme> scheme = {});

/// What a filter file says about itself besides its words.
struct BloomInfo {
  BloomShape shape;
  u64 seed = 0;                    // of the key hash
  i64 n_target = 0;                // keys it was sized for
  f64 p_target = 0;                // false-positive rate at n_target
  i64 n_inserted = 0;              // keys that were new; after a merge an upper bound
  std::string normaliser = "raw";  // at most 31 bytes
  std::string key_kind = "doc";    // doc, paragraph, key:metadata.url, ...; at most 31 bytes
  std::string created_by;          // at most 63 bytes
};

/// How full a filter is, from a fixed sample of at most 2^18 lines.
struct BloomLoad {
  f64 fill = 0;  // share of set bits
  f64 keys = 0;  // estimated distinct keys
  f64 fpr = 0;   // estimated false-positive rate now
};

/// A key's digest: XXH3-128 of its normalised bytes.
inline Hash128 bloom_key(std::string_view normalised, u64 seed) {
  return xxh3_128(normalised, seed);
}

class BloomFilter {
 public:
  /// Empty. Charges shape.bytes() to budget (Error{kOs} when it does not fit).
  BloomFilter(BloomInfo info, MemoryBudget& budget);
  /// Reads a file into memory, to go on inserting. Throws kNoInput, kData (magic, version, sizes,
  /// digests, cut or overlong file), kOs.
  static BloomFilter load(const std::string& path, MemoryBudget& budget);
  /// Maps a file for test() only. `verify` reads all of it once to check the payload digest.
  static BloomFilter open(const std::string& path, bool verify = true);
  BloomFilter(BloomFilter&&) noexcept;
  BloomFilter& operator=(BloomFilter&&) = delete;
  ~BloomFilter();

  const BloomInfo& info() const { return info_; }
  BloomInfo& info() { return info_; }
  BloomLoad estimate() const;

  /// keys [n] in ordinal order -> seen [n]: 1 if the key was (probably) there before its turn.
  /// Absent keys are inserted and counted. Memory-bound; positions are prefetched 16 keys ahead.
  void test_and_insert(std::span<const Hash128> keys, std::span<u8> seen);
  /// seen [n]: 1 if (probably) present. Changes nothing.
  void test(std::span<const Hash128> keys, std::span<u8> seen) const;

  /// Bitwise OR / AND with a filter of the same scheme, k, size, seed, normaliser and key kind;
  /// otherwise Error{kData} naming the field. n_inserted: sum / minimum (upper bounds both).
  void merge(const BloomFilter& other);
  void intersect(const BloomFilter& other);

  /// The file's bytes into an output that the caller commits.
  void write(io::AtomicFile& out) const;
  /// Writes path atomically (temporary name, fsync, rename).
  void save(const std::string& path) const;
  std::span<const u64> words() const { return {words_, usize(info_.shape.bits / 64)}; }

 private:
  BloomFilter() = default;
  void allocate(MemoryBudget& budget);
  void require_same(const BloomFilter& other) const;

  BloomInfo info_;
  KeyPartition partition_;
  io::Mapping mapping_;         // open()
  u64* owned_ = nullptr;        // anonymous mapping, zeroed by the kernel on first touch
  const u64* words_ = nullptr;  // owned_ or into mapping_
  MemoryBudget* budget_ = nullptr;
};

}  // namespace lm::dedup
