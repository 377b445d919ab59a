#include "core/hash.h"

#include <algorithm>
#include <cstring>
#include <new>

#include <xxhash.h>

#include "core/error.h"
#include "core/str.h"

namespace lm {

u64 xxh64(std::string_view bytes, u64 seed) {
  return XXH64(bytes.data(), bytes.size(), seed);
}
u64 xxh3_64(std::string_view bytes, u64 seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}
Hash128 xxh3_128(std::string_view bytes, u64 seed) {
  const XXH128_hash_t h = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {h.low64, h.high64};
}

std::string xxhash_version() {
  const u32 v = XXH_versionNumber();
  return cat(v / 10000, ".", v / 100 % 100, ".", v % 100);
}

u64 fnv1a64(std::string_view bytes) {
  u64 h = 0xcbf29ce484222325ULL;
  for (const char c : bytes) {
    h ^= static_cast<u8>(c);
    h *= 0x100000001b3ULL;
  }
  return h;
}

namespace {

constexpr std::array<u32, 64> kSha256K = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr u32 rotr(u32 x, int n) {
  return (x >> n) | (x << (32 - n));
}

}  // namespace

Sha256::Sha256()
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
      buf_{} {}

void Sha256::block(const u8* p) {
  std::array<u32, 64> w;
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = u32{p[4 * i]} << 24 | u32{p[4 * i + 1]} << 16 | u32{p[4 * i + 2]} << 8 | p[4 * i + 3];
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const u32 s0 = rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const u32 s1 = rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  std::array<u32, 8> s = state_;
  for (std::size_t i = 0; i < 64; ++i) {
    const u32 e1 = rotr(s[4], 6) ^ rotr(s[4], 11) ^ rotr(s[4], 25);
    const u32 choose = (s[4] & s[5]) ^ (~s[4] & s[6]);
    const u32 t1 = s[7] + e1 + choose + kSha256K[i] + w[i];
    const u32 e0 = rotr(s[0], 2) ^ rotr(s[0], 13) ^ rotr(s[0], 22);
    const u32 majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    s = {t1 + e0 + majority, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]};
  }
  for (std::size_t i = 0; i < 8; ++i)
    state_[i] += s[i];
}

void Sha256::update(std::string_view bytes) {
  std::size_t fill = static_cast<std::size_t>(total_ % 64);
  total_ += bytes.size();
  while (!bytes.empty()) {
    if (fill == 0 && bytes.size() >= 64) {
      std::array<u8, 64> whole;
      std::memcpy(whole.data(), bytes.data(), 64);
      block(whole.data());
      bytes.remove_prefix(64);
      continue;
    }
    const std::size_t take = std::min(bytes.size(), 64 - fill);
    std::memcpy(buf_.data() + fill, bytes.data(), take);
    bytes.remove_prefix(take);
    fill += take;
    if (fill == 64) {
      block(buf_.data());
      fill = 0;
    }
  }
}

std::string Sha256::finish() {
  const u64 bits = total_ * 8;
  update(std::string_view("\x80", 1));
  static constexpr std::array<char, 64> kZeros{};
  const std::size_t fill = static_cast<std::size_t>(total_ % 64);
  update(std::string_view(kZeros.data(), (fill <= 56 ? 56 : 120) - fill));
  std::array<char, 8> length;
  for (int i = 0; i < 8; ++i)
    length[usize(i)] = static_cast<char>(bits >> (56 - 8 * i));
  update(std::string_view(length.data(), 8));
  std::array<u8, 32> digest;
  for (std::size_t i = 0; i < 32; ++i) {
    digest[i] = static_cast<u8>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return hex(digest);
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 sha;
  sha.update(bytes);
  return sha.finish();
}

Xxh64Stream::Xxh64Stream() : state_(XXH64_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  reset();
}
void Xxh64Stream::reset() {
  XXH64_reset(static_cast<XXH64_state_t*>(state_), 0);
}
Xxh64Stream::~Xxh64Stream() {
  XXH64_freeState(static_cast<XXH64_state_t*>(state_));
}
void Xxh64Stream::update(std::string_view bytes) {
  XXH64_update(static_cast<XXH64_state_t*>(state_), bytes.data(), bytes.size());
}
u64 Xxh64Stream::digest() const {
  return XXH64_digest(static_cast<XXH64_state_t*>(state_));
}

}  // namespace lm
