#include "dedup/bloom.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cmath>

#include <sys/mman.h>

#include "core/parallel.h"
#include "core/str.h"

namespace lm::dedup {

namespace {

__extension__ using u128 = unsigned __int128;

constexpr i64 kAhead = 16;  // keys whose lines are prefetched together
constexpr i64 kWordsPerLine = 8;
constexpr i64 kSampleLines = 1 << 18;
constexpr u64 kGolden = 0x9E3779B97F4A7C15ULL;

/// Maps a uniform 64-bit value onto [0, n) by multiplication.
u64 fast_range(u64 x, u64 n) {
  return static_cast<u64>((static_cast<u128>(x) * n) >> 64);
}

/// One sub-filter: words [base, base + lines * 8).
struct Part {
  const u64* base;
  u64 lines;
  i64 k;
};

/// Bit positions of one key in a classic sub-filter: a' + i b' + (i^3 - i)/6, scaled to its size.
struct ClassicProbe {
  std::array<u64, 64> bit;
  void set(const Hash128& key, const Part& part) {
    u64 x = key.hi << 8;  // the top 8 bits chose the sub-filter
    u64 step = key.lo | 1;
    for (i64 i = 0; i < part.k; ++i) {
      bit[usize(i)] = fast_range(x, part.lines * 512);
      // Second differences of (i^3 - i)/6 are 1, 2, 3, ...: x(i+1) = x(i) + b + i(i+1)/2.
      x += step;
      step += static_cast<u64>(i) + 1;
    }
    for (i64 i = 0; i < part.k; ++i)
      __builtin_prefetch(part.base + bit[usize(i)] / 64, 1);
  }
  bool present(const Part& part) const {
    for (i64 i = 0; i < part.k; ++i) {
      const u64 b = bit[usize(i)];
      if (!(part.base[b / 64] >> (b % 64) & 1)) return false;
    }
    return true;
  }
  void insert(const Part& part, u64* base) const {
    for (i64 i = 0; i < part.k; ++i)
      base[bit[usize(i)] / 64] |= u64{1} << (bit[usize(i)] % 64);
  }
};

/// The line of one key in a blocked sub-filter and the bits it needs there.
struct BlockedProbe {
  u64 line;
  std::array<u64, kWordsPerLine> mask;
  void set(const Hash128& key, const Part& part) {
    line = fast_range(key.hi << 8, part.lines) * kWordsPerLine;
    __builtin_prefetch(part.base + line, 1);
    mask.fill(0);
    u64 fields = 0;
    for (i64 i = 0; i < part.k; ++i) {
      // Seven 9-bit fields a word; each word is its own mix of the key's second half.
      if (i % 7 == 0) fields = mix64(key.lo + static_cast<u64>(i / 7) * kGolden);
      mask[fields >> 6 & 7] |= u64{1} << (fields & 63);
      fields >>= 9;
    }
  }
  bool present(const Part& part) const {
    u64 missing = 0;
    for (std::size_t w = 0; w < kWordsPerLine; ++w)
      missing |= mask[w] & ~part.base[line + w];
    return missing == 0;
  }
  void insert(const Part&, u64* base) const {
    for (std::size_t w = 0; w < kWordsPerLine; ++w)
      base[line + w] |= mask[w];
  }
};

/// Works through one sub-filter's keys in order. base is null for a pure test. Returns how many
/// keys were absent.
template <typename Probe>
i64 run_part(const Part& part, u64* base, std::span<const u32> order, std::span<const Hash128> keys,
             std::span<u8> seen) {
  std::array<Probe, kAhead> probes;
  i64 absent = 0;
  for (i64 at = 0; at < isize(order); at += kAhead) {
    const i64 n = std::min(kAhead, isize(order) - at);
    for (i64 i = 0; i < n; ++i)
      probes[usize(i)].set(keys[order[usize(at + i)]], part);
    for (i64 i = 0; i < n; ++i) {
      const bool present = probes[usize(i)].present(part);
      seen[order[usize(at + i)]] = present;
      if (present) continue;
      ++absent;
      if (base != nullptr) probes[usize(i)].insert(part, base);
    }
  }
  return absent;
}

i64 run_all(const BloomShape& shape, const u64* words, u64* writable, const KeyPartition& partition,
            std::span<const Hash128> keys, std::span<u8> seen) {
  const i64 words_per_part = shape.bits / 64 / kKeyParts;
  std::atomic<i64> absent{0};
  parallel_for(kKeyParts, 8, [&](i64 begin, i64 end) {
    i64 count = 0;
    for (i64 p = begin; p < end; ++p) {
      const Part part{words + p * words_per_part, static_cast<u64>(words_per_part / kWordsPerLine),
                      shape.k};
      u64* base = writable == nullptr ? nullptr : writable + p * words_per_part;
      count += shape.scheme == BloomScheme::kClassic
                   ? run_part<ClassicProbe>(part, base, partition.part(p), keys, seen)
                   : run_part<BlockedProbe>(part, base, partition.part(p), keys, seen);
    }
    absent.fetch_add(count);  // an integer sum: the order does not matter
  });
  return absent.load();
}

}  // namespace

BloomFilter::BloomFilter(BloomInfo info, MemoryBudget& budget) : info_(std::move(info)) {
  allocate(budget);
}

void BloomFilter::allocate(MemoryBudget& budget) {
  const i64 bytes = info_.shape.bytes();
  budget.charge(bytes, "the Bloom filter");
  void* map = mmap(nullptr, usize(bytes), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) {
    const int code = errno;
    budget.release(bytes);
    throw os_error(ErrorKind::kOs, "the Bloom filter", "cannot map memory", code);
  }
  // Random probes miss the TLB on every line with 4 KiB pages; a refusal costs speed only.
  madvise(map, usize(bytes), MADV_HUGEPAGE);
  owned_ = static_cast<u64*>(map);
  words_ = owned_;
  budget_ = &budget;
}

BloomFilter::BloomFilter(BloomFilter&& other) noexcept
    : info_(std::move(other.info_)),
      partition_(std::move(other.partition_)),
      mapping_(std::move(other.mapping_)),
      owned_(other.owned_),
      words_(other.words_),
      budget_(other.budget_) {
  other.owned_ = nullptr;
  other.words_ = nullptr;
}

BloomFilter::~BloomFilter() {
  if (owned_ == nullptr) return;
  munmap(owned_, usize(info_.shape.bytes()));
  budget_->release(info_.shape.bytes());
}

void BloomFilter::test_and_insert(std::span<const Hash128> keys, std::span<u8> seen) {
  LM_CHECK(owned_ != nullptr, "a mapped Bloom filter is read-only");
  LM_CHECK(keys.size() == seen.size(), "one answer per key");
  partition_.split(keys);
  info_.n_inserted += run_all(info_.shape, words_, owned_, partition_, keys, seen);
}

void BloomFilter::test(std::span<const Hash128> keys, std::span<u8> seen) const {
  LM_CHECK(keys.size() == seen.size(), "one answer per key");
  KeyPartition partition;  // its own, so that concurrent tests do not share it
  partition.split(keys);
  run_all(info_.shape, words_, nullptr, partition, keys, seen);
}

BloomLoad BloomFilter::estimate() const {
  const i64 lines = info_.shape.bits / 512;
  const i64 stride = std::max<i64>(1, lines / kSampleLines);
  const f64 k = static_cast<f64>(info_.shape.k);
  i64 set = 0;
  i64 sampled = 0;
  f64 block_rate = 0;
  f64 block_keys = 0;
  for (i64 line = 0; line < lines; line += stride, ++sampled) {
    i64 in_line = 0;
    for (i64 w = 0; w < kWordsPerLine; ++w)
      in_line += std::popcount(words_[line * kWordsPerLine + w]);
    set += in_line;
    const f64 f = static_cast<f64>(in_line) / 512;
    block_rate += std::pow(f, k);
    block_keys += std::log1p(-std::min(f, 1 - 0.5 / 512)) / (k * std::log1p(-1.0 / 512));
  }
  const f64 sample_bits = static_cast<f64>(sampled) * 512;
  BloomLoad load;
  load.fill = static_cast<f64>(set) / sample_bits;
  if (info_.shape.scheme == BloomScheme::kBlocked) {
    load.keys = block_keys / static_cast<f64>(sampled) * static_cast<f64>(lines);
    load.fpr = block_rate / static_cast<f64>(sampled);
  } else {
    const f64 clear = std::max(1 - load.fill, 0.5 / sample_bits);
    load.keys = -static_cast<f64>(info_.shape.bits) / k * std::log(clear);
    load.fpr = std::pow(load.fill, k);
  }
  return load;
}

void BloomFilter::require_same(const BloomFilter& other) const {
  const BloomInfo& a = info_;
  const BloomInfo& b = other.info_;
  const auto refuse = [](std::string_view field, const std::string& x, const std::string& y) {
    throw Error(ErrorKind::kData, cat("Bloom filters differ in ", field, ": ", x, " and ", y),
                "only filters made with the same options can be combined");
  };
  const auto scheme = [](const BloomInfo& i) {
    return std::string(i.shape.scheme == BloomScheme::kClassic ? "classic" : "blocked");
  };
  if (a.shape.scheme != b.shape.scheme) refuse("scheme", scheme(a), scheme(b));
  if (a.shape.k != b.shape.k) refuse("probes per key", cat(a.shape.k), cat(b.shape.k));
  if (a.shape.bits != b.shape.bits) refuse("size in bits", cat(a.shape.bits), cat(b.shape.bits));
  if (a.seed != b.seed) refuse("seed", cat(a.seed), cat(b.seed));
  if (a.normaliser != b.normaliser) refuse("normaliser", a.normaliser, b.normaliser);
  if (a.key_kind != b.key_kind) refuse("key kind", a.key_kind, b.key_kind);
}

void BloomFilter::merge(const BloomFilter& other) {
  LM_CHECK(owned_ != nullptr, "a mapped Bloom filter is read-only");
  require_same(other);
  parallel_for(isize(words()), 1 << 16, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i)
      owned_[i] |= other.words_[i];
  });
  info_.n_inserted += other.info_.n_inserted;
}

void BloomFilter::intersect(const BloomFilter& other) {
  LM_CHECK(owned_ != nullptr, "a mapped Bloom filter is read-only");
  require_same(other);
  parallel_for(isize(words()), 1 << 16, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i)
      owned_[i] &= other.words_[i];
  });
  info_.n_inserted = std::min(info_.n_inserted, other.info_.n_inserted);
}

}  // namespace lm::dedup
