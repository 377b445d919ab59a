#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/str.h"
#include "dedup/bloom.h"

namespace lm::dedup {

namespace {

static_assert(std::endian::native == std::endian::little, "filter files are little endian");

constexpr i64 kHeaderBytes = 4096;
constexpr u32 kMagic = 0x46424D4C;  // "LMBF"
constexpr u32 kVersion = 1;
constexpr u8 kHashXxh3 = 1;
constexpr i64 kSealedBytes = 200;  // what the header's own digest covers
constexpr i64 kMaxBits = i64{1} << 52;

using Header = std::array<char, kHeaderBytes>;

template <typename T>
void put(Header& header, std::size_t at, T value) {
  std::memcpy(header.data() + at, &value, sizeof value);
}

template <typename T>
T get(const char* header, std::size_t at) {
  T value;
  std::memcpy(&value, header + at, sizeof value);
  return value;
}

void put_text(Header& header, std::size_t at, std::size_t width, const std::string& text) {
  LM_CHECK(text.size() < width && text.find('\0') == std::string::npos,
           "a Bloom header field fits its width");
  std::memcpy(header.data() + at, text.data(), text.size());
}

[[noreturn]] void bad_file(const std::string& path, std::string_view what) {
  throw Error(ErrorKind::kData, cat(path, ": not a usable Bloom filter: ", what));
}

std::string get_text(const std::string& path, const char* header, std::size_t at,
                     std::size_t width) {
  const std::size_t length = strnlen(header + at, width);
  if (length == width) bad_file(path, "a name in the header has no end");
  return std::string(header + at, length);
}

Header encode(const BloomInfo& info, const Hash128& payload) {
  Header h{};
  put(h, 0, kMagic);
  put(h, 4, kVersion);
  put(h, 8, static_cast<u8>(info.shape.scheme));
  put(h, 9, static_cast<u8>(info.shape.k));
  put(h, 10, static_cast<u16>(kKeyParts));
  put(h, 12, kHashXxh3);
  put(h, 16, info.seed);
  put(h, 24, static_cast<u64>(info.shape.bits));
  put(h, 32, static_cast<u64>(info.n_target));
  put(h, 40, info.p_target);
  put(h, 48, static_cast<u64>(info.n_inserted));
  put_text(h, 56, 32, info.normaliser);
  put_text(h, 88, 32, info.key_kind);
  put_text(h, 120, 64, info.created_by);
  put(h, 184, payload.lo);
  put(h, 192, payload.hi);
  put(h, 200, xxh3_64({h.data(), usize(kSealedBytes)}));
  return h;
}

/// Checks everything that later code relies on: sizes, ranges, the header's own digest.
BloomInfo decode(const std::string& path, std::string_view file) {
  if (isize(file) < kHeaderBytes)
    bad_file(path, cat("it has ", file.size(), " bytes, a header has 4096"));
  const char* h = file.data();
  if (get<u32>(h, 0) != kMagic) bad_file(path, "it does not start with LMBF");
  const u32 version = get<u32>(h, 4);
  if (version != kVersion)
    bad_file(path, cat("version ", version, ", this program reads version 1"));
  if (get<u64>(h, 200) != xxh3_64({h, usize(kSealedBytes)}))
    bad_file(path, "its header is damaged");
  BloomInfo info;
  const u8 scheme = get<u8>(h, 8);
  info.shape.k = get<u8>(h, 9);
  if (scheme > 1) bad_file(path, cat("unknown scheme ", static_cast<int>(scheme)));
  info.shape.scheme = static_cast<BloomScheme>(scheme);
  const i64 most = scheme == 0 ? 64 : 28;
  if (info.shape.k < 1 || info.shape.k > most) {
    bad_file(path, cat(info.shape.k, " probes per key, expected 1 to ", most));
  }
  if (get<u16>(h, 10) != kKeyParts) bad_file(path, "it does not have 256 sub-filters");
  if (get<u8>(h, 12) != kHashXxh3) bad_file(path, "it uses an unknown hash");
  const u64 bits = get<u64>(h, 24);
  if (bits == 0 || bits > kMaxBits || bits % (kKeyParts * 512) != 0) {
    bad_file(path, cat("its size of ", bits, " bits is not a multiple of 131072"));
  }
  info.shape.bits = static_cast<i64>(bits);
  if (isize(file) != kHeaderBytes + info.shape.bytes()) {
    bad_file(path, cat("it has ", file.size(), " bytes, its header says ",
                       kHeaderBytes + info.shape.bytes(), " (cut or overwritten)"));
  }
  info.seed = get<u64>(h, 16);
  info.n_target = static_cast<i64>(get<u64>(h, 32));
  info.p_target = get<f64>(h, 40);
  info.n_inserted = static_cast<i64>(get<u64>(h, 48));
  if (info.n_target < 0 || info.n_inserted < 0) bad_file(path, "a key count is negative");
  info.normaliser = get_text(path, h, 56, 32);
  info.key_kind = get_text(path, h, 88, 32);
  info.created_by = get_text(path, h, 120, 64);
  return info;
}

void check_payload(const std::string& path, std::string_view file) {
  const Hash128 stored{get<u64>(file.data(), 184), get<u64>(file.data(), 192)};
  if (xxh3_128(file.substr(usize(kHeaderBytes))) != stored) {
    bad_file(path, "its payload does not match its digest");
  }
}

/// The digest of words as bytes.
Hash128 digest(std::span<const u64> words) {
  return xxh3_128({reinterpret_cast<const char*>(words.data()), words.size_bytes()});
}

}  // namespace

BloomFilter BloomFilter::open(const std::string& path, bool verify) {
  BloomFilter filter;
  filter.mapping_ = io::Mapping(path);
  const std::string_view file = filter.mapping_.bytes();
  filter.info_ = decode(path, file);
  if (verify) check_payload(path, file);
  // The mapping is page aligned and the header one page, so the words are aligned.
  filter.words_ = reinterpret_cast<const u64*>(file.data() + kHeaderBytes);
  return filter;
}

BloomFilter BloomFilter::load(const std::string& path, MemoryBudget& budget) {
  const BloomFilter mapped = open(path, true);
  BloomFilter filter(mapped.info_, budget);
  std::memcpy(filter.owned_, mapped.words_, usize(mapped.info_.shape.bytes()));
  return filter;
}

void BloomFilter::write(io::AtomicFile& out) const {
  const Header header = encode(info_, digest(words()));
  out.write({header.data(), header.size()});
  out.write({reinterpret_cast<const char*>(words_), usize(info_.shape.bytes())});
}

void BloomFilter::save(const std::string& path) const {
  io::AtomicFile out(path);
  write(out);
  out.commit();
}

}  // namespace lm::dedup
