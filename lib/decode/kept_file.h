#pragma once
// Files that a program keeps for itself from one run to the next: what kind, for what, words of 1
// to 8 bytes, and a digest. Little-endian. A file is there whole, or not at all.

#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::decode {

struct KeptKind {
  std::string_view magic;    // 8 bytes
  std::string_view what;     // "drafts": of such a file, for messages
  std::string_view option;   // that names it
  std::string_view belongs;  // "tokenizer": what the key stands for
};

class KeptWriter {
 public:
  KeptWriter(const KeptKind& kind, u64 key);
  void word(u64 value, int bytes);
  void real(f64 value);
  /// Under its name whole, or not at all, once. Throws Error{kCannotCreate, kIo}.
  void save(const std::string& path);

 private:
  std::string bytes_;
};

class KeptReader {
 public:
  /// Throws Error{kCannotOpen, kIo}, and Error{kData} for a file of other things, of another key,
  /// or damaged.
  KeptReader(const std::string& path, const KeptKind& kind, u64 key);
  u64 word(int bytes);
  f64 real();
  /// A count of parts of `bytes` each that follow. Throws Error{kData} where there is no room.
  u64 count(u64 number, u64 bytes) const;
  [[noreturn]] void fail(std::string_view what) const;

 private:
  std::string path_;
  std::string bytes_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

}  // namespace lm::decode
