#include "decode/kept_file.h"

#include <bit>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "io/file.h"

namespace lm::decode {

namespace {

constexpr std::size_t kDigest = 8;

void append_word(std::string& out, u64 value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out += static_cast<char>(value >> (8 * i) & 255);
}

}  // namespace

// magic, key (8 bytes), content, the XXH3 of all that (8).
KeptWriter::KeptWriter(const KeptKind& kind, u64 key) : bytes_(kind.magic) {
  word(key, 8);
}

void KeptWriter::word(u64 value, int bytes) {
  append_word(bytes_, value, bytes);
}

void KeptWriter::real(f64 value) {
  word(std::bit_cast<u64>(value), 8);
}

void KeptWriter::save(const std::string& path) {
  word(xxh3_64(bytes_), 8);
  io::AtomicFile file(path);
  file.write(bytes_);
  file.commit();
}

KeptReader::KeptReader(const std::string& path, const KeptKind& kind, u64 key) : path_(path) {
  // Its begin first: what is no such file may be endless.
  std::string head(kind.magic.size(), '\0');
  std::ifstream in(path, std::ios::binary);
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  std::error_code code;
  if (head == kind.magic || !in.is_open() || std::filesystem::is_directory(path, code))
    bytes_ = io::read_file(path);
  if (!std::string_view(bytes_).starts_with(kind.magic))
    throw Error(ErrorKind::kData, cat(path, ": is no file of ", kind.what),
                cat(kind.option, " names a file that lm-decode writes itself"));
  const std::size_t least = kind.magic.size() + 8 + kDigest;
  end_ = bytes_.size();
  at_ = bytes_.size() < least ? bytes_.size() : bytes_.size() - kDigest;
  const std::size_t digest_at = at_;
  if (bytes_.size() < least || word(8) != xxh3_64(std::string_view(bytes_).substr(0, digest_at)))
    throw Error(ErrorKind::kData, cat(path, ": is damaged: its digest is another"),
                "remove it; the next run writes it anew");
  end_ = digest_at;
  at_ = kind.magic.size();
  if (word(8) != key)
    throw Error(ErrorKind::kData, cat(path, ": was written with another ", kind.belongs),
                cat("a file of ", kind.what, " belongs to one ", kind.belongs));
}

u64 KeptReader::word(int bytes) {
  u64 out = 0;
  if (end_ - at_ < usize(bytes)) fail("it ends early");
  for (int i = 0; i < bytes; ++i)
    out |= u64{static_cast<u8>(bytes_[at_++])} << (8 * i);
  return out;
}

f64 KeptReader::real() {
  return std::bit_cast<f64>(word(8));
}

u64 KeptReader::count(u64 number, u64 bytes) const {
  if (number > (end_ - at_) / bytes) fail("a part is longer than the file");
  return number;
}

void KeptReader::fail(std::string_view what) const {
  throw Error(ErrorKind::kData, cat(path_, ": is damaged: ", what));
}

}  // namespace lm::decode
