#include "grammar/token_trie.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/str.h"
#include "core/utf8.h"

namespace lm::grammar {

namespace {

int level_of(std::string_view text) {
  i64 chars = 0;
  for (i64 at = 0; at < isize(text);) {
    const Decoded c = decode_at(text, at);
    if (!c.valid || c.cp < 0x20 || c.cp == '"' || c.cp == '\\' || c.cp == 0x7F) return kOddLevel;
    at += c.size;
    ++chars;
  }
  return static_cast<int>(std::min<i64>(chars, kDeepestLevel));
}

std::vector<std::string> texts_of(const text::Tokenizer& tokenizer, i64 vocab) {
  std::vector<std::string> texts(usize(vocab));
  for (i64 id = 0; id < std::min(vocab, tokenizer.vocab_size()); ++id) {
    const i32 token = static_cast<i32>(id);
    if (tokenizer.has(token) && !tokenizer.is_special(token))
      texts[usize(id)] = tokenizer.token_bytes(token);
  }
  return texts;
}

}  // namespace

TokenTrie::TokenTrie(const text::Tokenizer& tokenizer, i64 vocab)
    : TokenTrie(texts_of(tokenizer, vocab)) {}

TokenTrie::TokenTrie(std::vector<std::string> texts) {
  constexpr std::size_t kLongest = 65535;
  for (const std::string& text : texts) {
    if (text.size() > kLongest)
      throw Error(ErrorKind::kData, cat("a token of ", text.size(), " bytes: at most ", kLongest,
                                        " can be constrained"));
    begins_.push_back(isize(texts_));
    texts_ += text;
  }
  begins_.push_back(isize(texts_));
  std::array<std::vector<i32>, kTrieParts> parts;
  for (i32 id = 0; id < vocab(); ++id) {
    const std::string_view one = text(id);
    if (one.empty()) continue;
    const bool odd = level_of(one) == kOddLevel;
    parts[isize(one) > kShortBytes ? (odd ? kLongOdd : kLongPlain) : (odd ? kOdd : kPlain)]
        .push_back(id);
  }
  for (int part = 0; part < kTrieParts; ++part)
    build(part, std::move(parts[usize(part)]));
}

void TokenTrie::build(int part, std::vector<i32> ids) {
  std::sort(ids.begin(), ids.end(), [&](i32 a, i32 b) {
    const int order = text(a).compare(text(b));
    return order != 0 ? order < 0 : a < b;
  });
  std::vector<TrieNode>& nodes = nodes_[usize(part)];
  std::vector<std::vector<u32>>& masks = masks_[usize(part)];
  if (part == kPlain || part == kLongPlain)
    masks.assign(usize(kLevels + 1), std::vector<u32>(usize(words()), 0));
  std::vector<i64> path;  // nodes of the last text
  std::string_view last;
  const auto close = [&](i64 depth) {
    for (; isize(path) > depth; path.pop_back()) {
      TrieNode& node = nodes[usize(path.back())];
      node.size = static_cast<u32>(isize(nodes) - path.back());
      if (path.size() > 1) {
        TrieNode& above = nodes[usize(path[path.size() - 2])];
        above.level = std::max(above.level, node.level);
      }
    }
  };
  for (std::size_t i = 0; i < ids.size();) {
    const std::string_view here = text(ids[i]);
    std::size_t end = i;
    while (end < ids.size() && text(ids[end]) == here)
      ++end;
    const i64 common =
        std::mismatch(last.begin(), last.end(), here.begin(), here.end()).first - last.begin();
    close(common);
    for (i64 depth = common; depth < isize(here); ++depth) {
      path.push_back(isize(nodes));
      nodes.push_back(
          {1, kNoToken, static_cast<u16>(depth), static_cast<u8>(here[usize(depth)]), 0});
    }
    deepest_ = std::max(deepest_, static_cast<i32>(here.size()));
    TrieNode& node = nodes.back();
    const int level = level_of(here);
    node.level = static_cast<u8>(level);
    node.token = ids[i];
    if (end - i > 1) {
      node.token = -2 - static_cast<i32>(groups_.size());
      groups_.emplace_back(ids.begin() + static_cast<i64>(i), ids.begin() + static_cast<i64>(end));
    }
    for (; i < end; ++i) {
      if (level == kOddLevel) continue;
      for (int l = std::min(level, kLevels + 1); l <= kLevels + 1; ++l)
        masks[usize(l - 1)][usize(ids[i] >> 5)] |= u32{1} << (ids[i] & 31);
    }
    last = here;
  }
  close(0);
}

i64 TokenTrie::bytes() const {
  i64 out = static_cast<i64>(texts_.capacity() + begins_.capacity() * sizeof(i64));
  for (const std::vector<TrieNode>& part : nodes_)
    out += static_cast<i64>(part.capacity() * sizeof(TrieNode));
  for (const std::vector<i32>& group : groups_)
    out += static_cast<i64>(sizeof group + group.capacity() * sizeof(i32));
  for (const std::vector<std::vector<u32>>& part : masks_)
    out += isize(part) * words() * static_cast<i64>(sizeof(u32));
  return out;
}

i64 TokenTrie::find(int part, std::string_view text) const {
  const std::span<const TrieNode> all = nodes(part);
  i64 found = -1;
  i64 begin = 0;
  i64 end = isize(all);
  for (const char c : text) {
    i64 at = begin;
    while (at < end && all[usize(at)].byte != static_cast<u8>(c))
      at += all[usize(at)].size;
    if (at >= end) return -1;
    found = at;
    begin = at + 1;
    end = at + all[usize(at)].size;
  }
  return found;
}

}  // namespace lm::grammar
