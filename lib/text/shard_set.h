#pragma once
// Reads token shards of every layout that ShardWriter makes (see shards.h) through their manifest.
// Shards are mapped; tokens are addressed by one global index over all shards in order.
// Thread rule: const methods are safe to call concurrently.

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "text/shards.h"

namespace lm::text {

/// The manifest that a user means: PREFIX.json, PREFIX, or a folder that holds exactly one. Throws
/// Error{kNoInput} for a folder without a manifest, Error{kUsage} naming them where there are more.
std::string shard_manifest(const std::string& given);

class ShardSet {
 public:
  /// manifest: as shard_manifest takes it. Checks the manifest, that every file exists with exactly
  /// the size the counts imply, and the index headers. Throws Error{kNoInput} for an absent
  /// manifest or shard, Error{kData} naming the file, what was found and what was expected.
  explicit ShardSet(const std::string& manifest);
  ~ShardSet();
  ShardSet(ShardSet&&) noexcept;
  ShardSet& operator=(ShardSet&&) noexcept;

  i64 tokens() const { return tokens_; }
  i64 documents() const { return documents_; }
  i64 shards() const;
  ShardLayout layout() const { return layout_; }
  const TokenizerIdentity& tokenizer() const { return tokenizer_; }
  /// Bytes per token in the files: 2 or 4.
  i64 token_bytes() const { return wide_ ? 4 : 2; }

  /// out[i] = token begin + i. Throws Error{kUsage} outside [0, tokens()), Error{kData} naming file
  /// and position for an id outside the vocabulary. O(out.size() + log shards).
  void read(i64 begin, std::span<i32> out) const;
  /// Global token range [begin, end) of document index d. Throws Error{kData} if the index is not
  /// monotone there. O(log shards).
  std::pair<i64, i64> document(i64 d) const;
  /// The document that holds the token. O(log documents).
  i64 document_of(i64 token) const;
  /// Tokens of every document, in order: what plan_packing takes. O(documents).
  std::vector<i64> document_lengths() const;
  /// Reads everything: digests, every id, every boundary, BOS/EOS of each document if the manifest
  /// promises them. Throws Error{kData} on the first difference.
  void verify() const;

 private:
  struct Shard;
  const Shard& shard_of_token(i64 token) const;
  const Shard& shard_of_document(i64 d) const;
  void verify_shard(const Shard& shard) const;

  std::vector<std::unique_ptr<Shard>> shards_;
  TokenizerIdentity tokenizer_;
  ShardLayout layout_ = ShardLayout::kLm;
  bool wide_ = false;
  bool add_bos_ = false;
  bool add_eos_ = false;
  i64 tokens_ = 0;
  i64 documents_ = 0;
};

}  // namespace lm::text
