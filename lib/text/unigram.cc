#include "text/unigram.h"

#include <algorithm>
#include <bit>

#include "core/error.h"
#include "core/str.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

constexpr f64 kUnknownPenalty = 10;

std::string byte_piece(int byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return cat("<0x", kDigits[usize(byte >> 4)], kDigits[usize(byte & 15)], ">");
}

}  // namespace

UnigramModel::UnigramModel(Vocab vocab, UnigramOptions options)
    : vocab_(std::move(vocab)), options_(std::move(options)) {
  LM_CHECK(isize(options_.scores) == vocab_.id_limit(), "every piece has a score");
  LM_CHECK(!options_.unk || vocab_.has_id(*options_.unk), "the unknown token is in the vocabulary");
  const f64 least = options_.scores.empty()
                        ? 0
                        : *std::min_element(options_.scores.begin(), options_.scores.end());
  unk_score_ = least - kUnknownPenalty;
  if (options_.byte_fallback) {
    for (int byte = 0; byte < 256; ++byte)
      byte_ids_.push_back(vocab_.find(byte_piece(byte)));
  }
  build_trie();
}

// Breadth first over the sorted pieces, so that children of a node follow each other.
void UnigramModel::build_trie() {
  std::vector<i32> order;
  for (i64 id = 0; id < vocab_.id_limit(); ++id)
    if (!vocab_.token(id).empty()) order.push_back(static_cast<i32>(id));
  longest_ = std::max(longest_, vocab_.longest());
  std::sort(order.begin(), order.end(),
            [&](i32 a, i32 b) { return vocab_.token(a) < vocab_.token(b); });
  struct Range {
    i64 begin, end, depth;
  };
  std::vector<Range> ranges = {{0, isize(order), 0}};
  trie_.emplace_back();
  for (std::size_t node = 0; node < trie_.size(); ++node) {
    auto [begin, end, depth] = ranges[node];
    if (begin < end && isize(vocab_.token(order[usize(begin)])) == depth)
      trie_[node].id = order[usize(begin++)];
    trie_[node].first = static_cast<i32>(trie_.size());
    while (begin < end) {
      const u8 byte = static_cast<u8>(vocab_.token(order[usize(begin)])[usize(depth)]);
      i64 stop = begin + 1;
      while (stop < end && static_cast<u8>(vocab_.token(order[usize(stop)])[usize(depth)]) == byte)
        ++stop;
      trie_.push_back({0, 0, -1, byte});
      ranges.push_back({begin, stop, depth + 1});
      ++trie_[node].count;
      begin = stop;
    }
  }
}

i32 UnigramModel::child(i32 node, u8 byte) const {
  const TrieNode& at = trie_[usize(node)];
  const TrieNode* const first = trie_.data() + at.first;
  const TrieNode* const found = std::lower_bound(
      first, first + at.count, byte, [](const TrieNode& one, u8 b) { return one.byte < b; });
  return found < first + at.count && found->byte == byte ? static_cast<i32>(found - trie_.data())
                                                         : -1;
}

// Every piece that begins at `at`, and the character there as unknown if it is no piece itself.
// The first way to a place stays unless a later one is better. Returns the furthest place reached.
i64 UnigramModel::relax(std::string_view word, i64 at, UnigramScratch& scratch) const {
  const std::size_t mask = scratch.scores.size() - 1;
  const f64 till_here = scratch.scores[usize(at) & mask];
  const auto reach = [&](i64 end, f64 score, i32 id) {
    u32& back = scratch.back[usize(end - scratch.base)];
    f64& best = scratch.scores[usize(end) & mask];
    if (back != 0 && score <= best) return;
    best = score;
    back = u32(end - at) << 1 | u32(options_.unk == id);
  };
  const i64 char_end = at + sequence_size(word[usize(at)]);
  i64 furthest = at;
  bool covered = false;
  i32 node = 0;
  for (i64 end = at; end < isize(word);) {
    node = child(node, static_cast<u8>(word[usize(end++)]));
    if (node < 0) break;
    const i32 id = trie_[usize(node)].id;
    if (id < 0) continue;
    reach(end, options_.scores[usize(id)] + till_here, id);
    furthest = end;
    covered = covered || end == char_end;
  }
  if (covered) return furthest;
  if (!options_.unk)
    throw Error(ErrorKind::kData,
                cat("the tokenizer has no piece for ",
                    quote(word.substr(usize(at), usize(char_end - at))), " and no unknown token"));
  reach(char_end, unk_score_ + till_here, *options_.unk);
  return std::max(furthest, char_end);
}

// The pieces between the base and `end`, which the best way passes, to `piece`; then `end` is the
// base. Lengths are turned round on the way back, so that the way forth finds them.
template <typename Piece>
void UnigramModel::settle(i64 end, UnigramScratch& scratch, const Piece& piece) const {
  std::vector<u32>& back = scratch.back;
  const i64 size = end - scratch.base;
  u32 step = back[usize(size)];
  for (i64 at = size; at > 0;) {
    at -= step >> 1;
    std::swap(step, back[usize(at)]);
  }
  for (i64 at = 0; at < size;) {
    const u32 next = back[usize(at)];
    const i64 begin = scratch.base + at;
    at += next >> 1;
    piece(Span{begin, scratch.base + at}, (next & 1) != 0);
  }
  scratch.base = end;
  back.assign(1, 0);
}

// A place that no piece crosses is on every way; there what lies before is settled, if it is worth
// while.
template <typename Piece>
void UnigramModel::best_way(std::string_view word, UnigramScratch& scratch,
                            const Piece& piece) const {
  constexpr i64 kWorthWhile = 4096;
  scratch.scores.resize(std::bit_ceil(usize(longest_) + 1));
  scratch.base = 0;
  scratch.scores[0] = 0;
  scratch.back.assign(1, 0);
  std::optional<Span> unknown;
  const auto joined = [&](Span at, bool also) {
    if (also && unknown) {
      unknown->end = at.end;
      return;
    }
    if (unknown) piece(*unknown);
    unknown.reset();
    if (also)
      unknown = at;
    else
      piece(at);
  };
  i64 furthest = 0;
  for (i64 at = 0; at < isize(word); at += sequence_size(word[usize(at)])) {
    if (furthest == at && at - scratch.base >= kWorthWhile) settle(at, scratch, joined);
    const i64 reachable = std::min(at + longest_, isize(word)) - scratch.base + 1;
    if (reachable > isize(scratch.back)) scratch.back.resize(usize(reachable));
    furthest = std::max(furthest, relax(word, at, scratch));
  }
  settle(isize(word), scratch, joined);
  if (unknown) piece(*unknown);
}

void UnigramModel::put(std::string_view piece, std::vector<i32>& ids) const {
  const i32 id = vocab_.find(piece);
  if (id >= 0) return ids.push_back(id);
  if (options_.byte_fallback) {
    const auto known = [&](char c) { return byte_ids_[static_cast<u8>(c)] >= 0; };
    if (std::all_of(piece.begin(), piece.end(), known)) {
      for (const char c : piece)
        ids.push_back(byte_ids_[static_cast<u8>(c)]);
      return;
    }
  }
  ids.push_back(*options_.unk);  // best_way found it
}

void UnigramModel::encode(std::string_view word, UnigramScratch& scratch,
                          std::vector<i32>& ids) const {
  best_way(word, scratch, [&](Span piece) {
    put(word.substr(usize(piece.begin), usize(piece.end - piece.begin)), ids);
  });
}

void UnigramModel::encode(std::string_view text, std::span<const Span> words,
                          UnigramScratch& scratch, std::vector<i32>& ids) const {
  for (const Span& word : words)
    encode(text.substr(usize(word.begin), usize(word.end - word.begin)), scratch, ids);
}

void UnigramModel::locate(std::string_view word, std::span<const i32> ids, i64 base,
                          std::vector<std::pair<i64, i64>>& offsets) const {
  UnigramScratch scratch(0);
  std::vector<i32> its_ids;
  const std::size_t first = offsets.size();
  best_way(word, scratch, [&](Span piece) {
    its_ids.clear();
    put(word.substr(usize(piece.begin), usize(piece.end - piece.begin)), its_ids);
    offsets.insert(offsets.end(), its_ids.size(), {base + piece.begin, base + piece.end});
  });
  LM_CHECK(offsets.size() - first == ids.size(), "a range per id");
}

}  // namespace lm::text
