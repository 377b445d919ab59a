#include "ngram/gram_sort.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"

namespace lm::ngram {

GramOrder::GramOrder(std::span<const u32> tokens, int order, i64 vocab_size)
    : tokens_(tokens),
      order_(order),
      bits_(std::max(2, static_cast<int>(std::bit_width(static_cast<u64>(vocab_size - 1))))),
      width_(std::min(order, 64 / bits_)) {}

GramItem GramOrder::item(u32 pos) const {
  GramItem out{0, pos, 0};
  const u32* word = tokens_.data() + pos;
  int d = 0;
  for (; d < width_; ++d) {
    out.key = out.key << bits_ | *word;
    if (*word == kBos) {
      out.key <<= bits_ * (width_ - 1 - d);
      return out;
    }
    --word;
  }
  if (width_ < order_) out.next = *word;
  return out;
}

bool GramOrder::deep_less(const GramItem& a, const GramItem& b) const {
  if (a.next <= kBos) return false;
  const u32* wa = tokens_.data() + a.pos - width_ - 1;
  const u32* wb = tokens_.data() + b.pos - width_ - 1;
  for (int d = width_ + 1; d < order_; ++d, --wa, --wb) {
    if (*wa != *wb) return *wa < *wb;
    if (*wa == kBos) return false;
  }
  return false;
}

int GramOrder::common(const GramItem& a, const GramItem& b) const {
  const int unused = 64 - key_bits();
  if (a.key != b.key) return (std::countl_zero(a.key ^ b.key) - unused) / bits_;
  // A window that ends inside the key: its length is where <s> stands.
  if (a.next == 0 && b.next == 0) {
    for (int d = 0; d < width_; ++d) {
      if (tokens_[a.pos - static_cast<u32>(d)] == kBos) return d + 1;
    }
    return width_;
  }
  if (a.next != b.next) return width_;
  if (a.next == kBos) return width_ + 1;
  const u32* wa = tokens_.data() + a.pos - width_ - 1;
  const u32* wb = tokens_.data() + b.pos - width_ - 1;
  int d = width_ + 1;
  for (; d < order_ && *wa == *wb; ++d, --wa, --wb) {
    if (*wa == kBos) return d + 1;
  }
  return d;
}

int GramOrder::words(const GramItem& item, u32* out) const {
  const u32* word = tokens_.data() + item.pos;
  for (int d = 0; d < order_; ++d, --word) {
    out[d] = *word;
    if (*word == kBos) return d + 1;
  }
  return order_;
}

namespace {

constexpr i64 kPartitions = 256;
constexpr i64 kBlockTokens = i64{1} << 20;
constexpr i64 kSmallRange = 48;

// Word -> partition, so that partitions are ranges of last words of about equal weight. Every 16th
// token is looked at: the cut decides only how work is shared.
std::vector<u8> cut_words(std::span<const u32> tokens, i64 vocab_size) {
  std::vector<u32> weight(usize(vocab_size), 0);
  i64 total = 0;
  for (std::size_t i = 1; i < tokens.size(); i += 16, ++total)
    ++weight[tokens[i]];
  std::vector<u8> part(usize(vocab_size));
  i64 seen = 0;
  for (std::size_t w = 0; w < part.size(); ++w) {
    part[w] =
        static_cast<u8>(std::min(kPartitions - 1, seen * kPartitions / std::max<i64>(total, 1)));
    seen += weight[w];
  }
  return part;
}

// Radix exchange on the byte at `shift` of the key, most significant first, in place (McIlroy,
// Bostic and McIlroy 1993), then by comparison in small ranges and below the key.
void sort_range(const GramOrder& order, GramItem* begin, GramItem* end, int shift) {
  const auto less = [&order](const GramItem& a, const GramItem& b) { return order.less(a, b); };
  while (end - begin > kSmallRange && shift > -8) {
    const int low = std::max(shift, 0);
    const u64 mask = shift >= 0 ? 255 : (u64{1} << (8 + shift)) - 1;
    std::array<i64, 257> start{};
    for (const GramItem* i = begin; i != end; ++i)
      ++start[((i->key >> low) & mask) + 1];
    shift -= 8;
    if (start[((begin->key >> low) & mask) + 1] == end - begin) continue;
    for (std::size_t d = 0; d < 256; ++d)
      start[d + 1] += start[d];
    std::array<i64, 256> next;
    std::copy_n(start.begin(), 256, next.begin());
    for (std::size_t d = 0; d < 256; ++d) {
      while (next[d] < start[d + 1]) {
        const std::size_t to = (begin[next[d]].key >> low) & mask;
        if (to == d) {
          ++next[d];
        } else {
          std::swap(begin[next[d]], begin[next[to]++]);
        }
      }
    }
    for (std::size_t d = 0; d < 256; ++d) {
      if (start[d + 1] - start[d] > 1) {
        sort_range(order, begin + start[d], begin + start[d + 1], shift);
      }
    }
    return;
  }
  std::sort(begin, end, less);
}

}  // namespace

std::vector<GramItem> sort_grams(const GramOrder& order) {
  const std::span<const u32> tokens = order.tokens();
  const i64 n = isize(tokens);
  LM_CHECK(n < (i64{1} << 32), "a counting block has fewer than 2^32 tokens");
  const u32 max_word = n == 0 ? 0 : *std::max_element(tokens.begin(), tokens.end());
  const std::vector<u8> part = cut_words(tokens, i64{max_word} + 1);
  const i64 blocks = (n + kBlockTokens - 1) / kBlockTokens;
  std::vector<std::array<i64, kPartitions>> at(usize(blocks));
  parallel_for(blocks, 1, [&](i64 begin, i64 end) {
    for (i64 b = begin; b < end; ++b) {
      std::array<i64, kPartitions>& count = at[usize(b)];
      count.fill(0);
      for (i64 i = b * kBlockTokens; i < std::min(n, (b + 1) * kBlockTokens); ++i) {
        if (tokens[usize(i)] != kBos) ++count[part[tokens[usize(i)]]];
      }
    }
  });
  std::array<i64, kPartitions + 1> edge{};
  i64 total = 0;
  for (std::size_t p = 0; p < kPartitions; ++p) {
    edge[p] = total;
    for (std::array<i64, kPartitions>& block : at)
      total += std::exchange(block[p], total);
  }
  edge[kPartitions] = total;
  std::vector<GramItem> items(usize(total));
  parallel_for(blocks, 1, [&](i64 begin, i64 end) {
    for (i64 b = begin; b < end; ++b) {
      for (i64 i = b * kBlockTokens; i < std::min(n, (b + 1) * kBlockTokens); ++i) {
        const u32 word = tokens[usize(i)];
        if (word != kBos)
          items[usize(at[usize(b)][part[word]]++)] = order.item(static_cast<u32>(i));
      }
    }
  });
  parallel_for(kPartitions, 1, [&](i64 begin, i64 end) {
    for (i64 p = begin; p < end; ++p) {
      sort_range(order, items.data() + edge[usize(p)], items.data() + edge[usize(p + 1)],
                 order.key_bits() - 8);
    }
  });
  return items;
}

}  // namespace lm::ngram
