// OpenSSL's interface of the algorithm itself, which it calls deprecated: the newer one reads a
// configuration file and the environment, and looks the algorithm up by name.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/hash.h"

#include <new>

#include <openssl/sha.h>
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

static_assert(sizeof(SHA256_CTX) <= kSha256StateBytes && alignof(SHA256_CTX) <= alignof(u64));

namespace {

SHA256_CTX* context_of(std::array<u64, kSha256StateBytes / 8>& state) {
  return std::launder(reinterpret_cast<SHA256_CTX*>(state.data()));
}

}  // namespace

Sha256::Sha256() {
  SHA256_Init(new (state_.data()) SHA256_CTX);
}

void Sha256::update(std::string_view bytes) {
  SHA256_Update(context_of(state_), bytes.data(), bytes.size());
}

std::string Sha256::finish() {
  std::array<u8, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), context_of(state_));
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
