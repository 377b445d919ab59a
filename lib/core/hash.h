#pragma once
// The hashes whose values are persisted: XXH64 (line digests), XXH3 (keys, files), SHA-256 (model
// identity). Seeds are explicit. Stable across machines, versions and threads.

#include <array>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm {

struct Hash128 {
  u64 lo = 0;
  u64 hi = 0;
  bool operator==(const Hash128&) const = default;
  auto operator<=>(const Hash128&) const = default;  // NOLINT: no pointer, clang-tidy 14
};

u64 xxh64(std::string_view bytes, u64 seed = 0);
u64 xxh3_64(std::string_view bytes, u64 seed = 0);
Hash128 xxh3_128(std::string_view bytes, u64 seed = 0);
u64 fnv1a64(std::string_view bytes);
/// "0.8.1": the xxHash library that runs.
std::string xxhash_version();

/// The splitmix64 finaliser: a bijection of 64-bit values.
constexpr u64 mix64(u64 x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  x ^= x >> 31;
  return x;
}

inline constexpr std::size_t kSha256StateBytes = 128;

/// Incremental SHA-256 (FIPS 180-4), by libcrypto: 1.5 GB/s where the processor has instructions
/// for it.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  /// Hexadecimal digest of everything given so far; call once.
  std::string finish();

 private:
  std::array<u64, kSha256StateBytes / 8> state_;  // OpenSSL's SHA256_CTX
};

std::string sha256_hex(std::string_view bytes);

/// Incremental XXH64 with seed 0.
class Xxh64Stream {
 public:
  Xxh64Stream();
  ~Xxh64Stream();
  Xxh64Stream(const Xxh64Stream&) = delete;
  Xxh64Stream& operator=(const Xxh64Stream&) = delete;
  void reset();
  void update(std::string_view bytes);
  u64 digest() const;

 private:
  void* state_;
};

}  // namespace lm
