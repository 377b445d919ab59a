#pragma once
// Inside lib/text only: names and byte layouts shared by the writer and the reader of token shards,
// and the files that mark document boundaries, one class per kind.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/types.h"
#include "io/atomic_file.h"
#include "text/shards.h"

namespace lm::text {

inline constexpr std::string_view kLmIndexMagic{"LMTIDX1\0", 8};
inline constexpr i64 kLmIndexHeader = 32;
inline constexpr std::string_view kMegatronMagic{"MMIDIDX\0\0", 9};
inline constexpr i64 kMegatronHeader = 34;
inline constexpr u8 kMegatronU16 = 8;
inline constexpr u8 kMegatronI32 = 4;
inline constexpr i64 kNpyHeader = 128;

/// ".bin", ".npy" or ".ds": what follows PREFIX-NNNNN for the token file.
std::string_view token_suffix(ShardLayout layout);
/// ".idx", ".csv.gz" or ".ds.index".
std::string_view marks_suffix(ShardLayout layout);
/// Bytes before the first token.
i64 token_offset(ShardLayout layout);
/// Five digits, more from 100000 on.
std::string shard_number(i64 number);
/// NumPy 1.0 header of exactly kNpyHeader bytes for a vector of tokens.
std::string npy_header(bool wide, i64 tokens);
void append_le(std::string& out, u64 value, int bytes);
/// Tokens in 2 or 4 (wide) bytes each.
void append_tokens(std::string& out, std::span<const i32> ids, bool wide);
inline u64 load_le(const u8* from, int bytes) {
  u64 value = 0;
  for (int i = 0; i < bytes; ++i)
    value |= u64{from[i]} << (8 * i);
  return value;
}

/// Marks documents of one shard while it is written.
class DocumentMarks {
 public:
  virtual ~DocumentMarks() = default;
  /// Tokens [begin, end) of the shard are one document.
  virtual void add(i64 begin, i64 end, const DocumentOrigin& origin) = 0;
  /// Completes and syncs the files under their temporary names.
  virtual void finish(i64 documents, i64 tokens) = 0;
  virtual void commit() = 0;
};

/// base: PREFIX-NNNNN. flags: 1 BOS added, 2 EOS added.
std::unique_ptr<DocumentMarks> make_document_marks(ShardLayout layout, const std::string& base,
                                                   bool wide, u32 flags,
                                                   const TokenizerIdentity& tokenizer,
                                                   const io::OutputOptions& output);

}  // namespace lm::text
