#pragma once
// The texts of a vocabulary as a trie over bytes, laid flat in depth-first order: who walks it with
// an automaton reads it from front to back and jumps over what is dead. Special tokens, ids without
// text and ids beyond the tokenizer are not in it. Ids of equal text all are.
// Immutable; one serves all matchers of a model, on any number of threads.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "text/tokenizer.h"

namespace lm::grammar {

struct TrieNode {
  u32 size;   // nodes of the subtree, this one included
  i32 token;  // the text that ends here: kNoToken, an id, or -2 - i for the i-th group of equal
              // ones
  u16 depth;  // bytes before this one
  u8 byte;
  u8 level;  // the greatest level of the subtree's tokens
};
inline constexpr i32 kNoToken = -1;

/// The level of a token is the number of its characters if all of them may stand in a JSON string
/// as they are (complete, no control character, quote or backslash), else kUnsafeLevel. A state
/// that allows any n such characters allows all tokens of level n and less, unseen.
inline constexpr int kUnsafeLevel = 255;
inline constexpr int kDeepestLevel = 254;
/// Levels beyond this one are not told apart by masks.
inline constexpr int kLevels = 24;

class TokenTrie {
 public:
  /// vocab: how many ids a mask has; at least the tokenizer's.
  TokenTrie(const text::Tokenizer& tokenizer, i64 vocab);
  /// texts: by id; empty ones are never matched. At most 65535 bytes each.
  explicit TokenTrie(std::vector<std::string> texts);

  i64 vocab() const { return isize(begins_) - 1; }
  i64 words() const { return (vocab() + 31) / 32; }
  std::span<const TrieNode> nodes() const { return nodes_; }
  /// Bytes of a token, empty if it is never matched.
  std::string_view text(i32 token) const {
    const i64 begin = begins_[usize(token)];
    return std::string_view(texts_).substr(usize(begin), usize(begins_[usize(token) + 1] - begin));
  }
  /// visit(id) for each token of a node.
  template <typename Visit>
  void each_token(const TrieNode& node, Visit visit) const {
    if (node.token >= 0) {
      visit(node.token);
    } else if (node.token < kNoToken) {
      for (const i32 id : groups_[usize(-2 - node.token)])
        visit(id);
    }
  }
  /// The node of text, or -1.
  i64 find(std::string_view text) const;
  /// Bits of the tokens of level `level` and less: one of 1 to kLevels, or kDeepestLevel.
  std::span<const u32> up_to(int level) const {
    return masks_[usize(level > kLevels ? kLevels : level - 1)];
  }
  i32 deepest() const { return deepest_; }

 private:
  void build();

  std::string texts_;
  std::vector<i64> begins_;
  std::vector<TrieNode> nodes_;
  std::vector<std::vector<i32>> groups_;
  std::vector<std::vector<u32>> masks_;
  i32 deepest_ = 0;
};

}  // namespace lm::grammar
