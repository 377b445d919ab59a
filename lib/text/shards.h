#pragma once
// Token shards: documents of token ids in flat binary files with document boundaries, and a JSON
// manifest PREFIX.json that names them. Files of one set appear together: all are finished under
// temporary names, then renamed, the manifest last; so a manifest implies complete shards.
// A document never spans files. Same input, same bytes: nothing depends on threads or time. Files
// that an older set of the name has and the new one lacks go with the older manifest.
//
// Layouts (little-endian; w = 2 or 4 bytes per token):
//   lm        PREFIX-NNNNN.bin raw tokens, .idx = "LMTIDX1\0", u32 w, u32 flags (1 BOS, 2 EOS
//   added),
//             u64 documents, u64 tokens, u64 end offset in tokens of each document
//   dolma     PREFIX-NNNNN.npy raw tokens (no header), .csv.gz rows start,end,id,src,loc
//   megatron  PREFIX-NNNNN.bin raw tokens, .idx = "MMIDIDX\0\0", u64 1, u8 dtype (8 u16, 4 i32),
//   u64
//             documents, u64 documents+1, i32 lengths, i64 byte offsets, i64 0..documents
//   npy       PREFIX-NNNNN.npy with a NumPy 1.0 header of 128 bytes, and the .idx of lm
//   datatrove PREFIX-NNNNN.ds raw tokens, .ds.index u64 ends, .ds.metadata text

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/types.h"
#include "io/atomic_file.h"
#include "text/tokenizer.h"

namespace lm::text {

enum class ShardLayout { kLm, kDolma, kMegatron, kNpy, kDatatrove };
enum class TokenDtype { kAuto, kU16, kU32 };

/// "lm", "dolma", "megatron", "npy", "datatrove"; throws Error{kUsage} with the nearest name.
ShardLayout parse_shard_layout(std::string_view name);
std::string_view shard_layout_name(ShardLayout layout);

/// What the manifest records about the tokenizer.
struct TokenizerIdentity {
  std::string name;
  std::string sha256;
  i64 vocab_size = 0;
  std::optional<i32> bos, eos, pad;
};
TokenizerIdentity identity_of(const Tokenizer& tokenizer, std::string name);

struct ShardOptions {
  ShardLayout layout = ShardLayout::kLm;
  i64 shard_tokens = i64{512} << 20;  // a file closes before it would exceed this
  TokenDtype dtype = TokenDtype::kAuto;
  bool add_bos = false;     // before each document that does not begin with it
  bool add_eos = false;     // after each document that does not end with it
  bool keep_empty = false;  // write documents without tokens instead of counting and skipping them
  std::string command;      // recorded in the manifest when not empty
  io::OutputOptions output;
};

/// Where a document came from; only the dolma layout stores it.
struct DocumentOrigin {
  std::string_view id, src;
  i64 loc = 0;  // 1-based line
};

struct ShardTotals {
  i64 shards = 0, documents = 0, tokens = 0, bytes = 0;  // bytes of token files
  i64 empty_documents = 0;                               // skipped
  i64 oversize_documents = 0;  // longer than shard_tokens: alone in a file
};

/// Ordered writer; one thread at a time.
class ShardWriter {
 public:
  /// prefix: "folder/name". Throws before any file is made: Error{kUsage} when the dtype is too
  /// small for the vocabulary, BOS or EOS is wanted but unknown, or shard_tokens < 1;
  /// Error{kCannotCreate} when PREFIX.json is no manifest of shards, which is never replaced.
  ShardWriter(std::string prefix, const TokenizerIdentity& tokenizer, const ShardOptions& options);
  /// Without commit(): removes every temporary; final names are untouched.
  ~ShardWriter();
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  /// Appends one document. Throws Error{kData} for an id outside the vocabulary, kIo.
  void add(std::span<const i32> tokens, const DocumentOrigin& origin = {});
  /// Finishes all files, removes an older manifest and those of its files that no new one replaces,
  /// renames the shards in order and the manifest last. A crash in between leaves no manifest.
  /// Nothing may be added afterwards.
  ShardTotals commit();

 private:
  struct Shard;
  void open_shard();
  void close_shard();
  void check_ids(std::span<const i32> tokens) const;
  void put(std::span<const i32> ids);
  std::string manifest() const;
  std::vector<std::string> file_names(const Shard& shard) const;
  void remove_older_files() const;

  std::string prefix_;
  TokenizerIdentity tokenizer_;
  ShardOptions options_;
  bool wide_;  // 4-byte tokens
  std::vector<std::unique_ptr<Shard>> shards_;
  bool open_ = false;  // the last of shards_ takes more documents
  bool committed_ = false;
  std::vector<std::string> older_;  // names of an older set's files
  std::unique_ptr<io::AtomicFile> manifest_;
  ShardTotals totals_;
  std::string buf_;
};

}  // namespace lm::text
