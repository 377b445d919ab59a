#pragma once
// The texts of a vocabulary as tries over bytes, laid flat in depth-first order: who walks one with
// an automaton reads it from front to back and jumps over what is dead. Special tokens, ids without
// text and ids beyond the tokenizer are not in them. Ids of equal text all are.
// Four tries, because tokens differ in how a mask finds them: plain ones (of characters that may
// stand in a JSON string as they are) are added by their number of characters, unseen, where a
// state allows any of those; of a state's mask, what concerns tokens of few bytes is found again
// when the state recurs with other counts. Immutable; one serves all matchers of a model, on any
// number of threads.

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "text/tokenizer.h"

namespace lm::grammar {

struct TrieNode {
  u32 size;   // nodes of the subtree, this one included
  i32 token;  // of the text that ends here: kNoToken, an id, or -2 - i for the i-th group
  u16 depth;  // bytes before this one
  u8 byte;
  u8 level;  // the greatest level of the subtree's tokens
};
inline constexpr i32 kNoToken = -1;

/// The level of a token is the number of its characters if it is plain: complete characters, no
/// control character, quote or backslash. A state that allows any n such characters allows all
/// plain tokens of level n and less.
inline constexpr int kOddLevel = 255;
inline constexpr int kDeepestLevel = 254;
/// Levels beyond this one are not told apart by masks.
inline constexpr int kLevels = 24;
/// Longer tokens are long: a few hundred in a vocabulary.
inline constexpr i32 kShortBytes = 20;

enum TriePart : int { kPlain, kOdd, kLongPlain, kLongOdd, kTrieParts };

class TokenTrie {
 public:
  /// vocab: how many ids a mask has; at least the tokenizer's.
  TokenTrie(const text::Tokenizer& tokenizer, i64 vocab);
  /// texts: by id; empty ones are never matched. At most 65535 bytes each.
  explicit TokenTrie(std::vector<std::string> texts);

  i64 vocab() const { return isize(begins_) - 1; }
  i64 words() const { return (vocab() + 31) / 32; }
  std::span<const TrieNode> nodes(int part) const { return nodes_[usize(part)]; }
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
  i64 find(int part, std::string_view text) const;
  /// Bits of the tokens of a plain part of level `level` and less: 1 to kLevels, or kDeepestLevel.
  std::span<const u32> up_to(int part, int level) const {
    return masks_[usize(part)][usize(level > kLevels ? kLevels : level - 1)];
  }
  i32 deepest() const { return deepest_; }
  /// Memory held.
  i64 bytes() const;

 private:
  void build(int part, std::vector<i32> ids);

  std::string texts_;
  std::vector<i64> begins_;
  std::array<std::vector<TrieNode>, kTrieParts> nodes_;
  std::vector<std::vector<i32>> groups_;
  std::array<std::vector<std::vector<u32>>, kTrieParts> masks_;
  i32 deepest_ = 0;
};

}  // namespace lm::grammar
