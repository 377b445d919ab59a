#pragma once
// Sorts the windows of a token buffer in suffix order: by last word, then the word before it, and
// so on, ids compared as numbers. A window is named by the position of its last word and reaches
// back order words or to <s>, whichever comes first; so only position and a packed prefix are
// moved, never the words. The buffer is sentences of the form <s> w1 ... wT </s>.

#include <bit>
#include <span>
#include <vector>

#include "core/types.h"
#include "ngram/vocab.h"

namespace lm::ngram {

struct GramItem {
  u64 key;   // the last `width` words, most significant first; 0 beyond <s>
  u32 pos;   // of the last word
  u32 next;  // the word before those in key; 0 when there is none within the window
};

/// How windows of one buffer are packed and compared.
class GramOrder {
 public:
  GramOrder(std::span<const u32> tokens, int order, i64 vocab_size);

  GramItem item(u32 pos) const;
  /// Suffix order of two windows; false for equal ones.
  bool less(const GramItem& a, const GramItem& b) const {
    if (a.key != b.key) return a.key < b.key;
    if (a.next != b.next) return a.next < b.next;
    return deep_less(a, b);
  }
  /// Number of words, from the last, in which two windows agree; counts <s> but nothing beyond.
  /// Equal windows of n words give n.
  int common(const GramItem& a, const GramItem& b) const;
  /// The words from the last to the first; returns their number (order, or up to and with <s>).
  int words(const GramItem& item, u32* out) const;
  int key_bits() const { return bits_ * width_; }
  int order() const { return order_; }
  std::span<const u32> tokens() const { return tokens_; }

 private:
  bool deep_less(const GramItem& a, const GramItem& b) const;
  std::span<const u32> tokens_;
  int order_;
  int bits_;   // per word in key
  int width_;  // words in key
};

/// All windows of the buffer in suffix order: one per token other than <s>. The buffer holds fewer
/// than 2^32 tokens. 16 bytes a window. Parallel; the order of equal windows is unspecified, which
/// no caller can see. O(T log T).
std::vector<GramItem> sort_grams(const GramOrder& order);

/// Bytes that counting one token needs: itself and its item.
inline constexpr i64 kBytesPerToken = static_cast<i64>(sizeof(GramItem) + sizeof(u32));

}  // namespace lm::ngram
