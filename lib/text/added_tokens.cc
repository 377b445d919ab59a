#include "text/added_tokens.h"

#include <algorithm>
#include <cstring>

#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

/// Start of the last character before `at` (at > 0) of well-formed text.
i64 back_one(std::string_view text, i64 at) {
  do {
    --at;
  } while (at > 0 && (static_cast<u8>(text[usize(at)]) & 0xC0) == 0x80);
  return at;
}

bool word_before(std::string_view text, i64 at) {
  return at > 0 && is_word(decode_at(text, back_one(text, at)).cp);
}

bool word_after(std::string_view text, i64 at) {
  return at < isize(text) && is_word(decode_at(text, at).cp);
}

}  // namespace

void AddedTokens::Trie::insert(std::string_view word, i32 value) {
  if (values_.empty()) {
    values_.push_back(-1);
    starts_.assign(65536, false);
  }
  const u8 first = static_cast<u8>(word[0]);
  if (only_first_ == -1) only_first_ = first;
  if (only_first_ != first) only_first_ = -2;
  first_[first] = true;
  for (std::size_t second = 0; second < 256; ++second) {
    if (word.size() == 1 || static_cast<u8>(word[1]) == second)
      starts_[std::size_t{first} << 8 | second] = true;
  }
  i32 node = 0;
  for (const char c : word) {
    const u64 key = static_cast<u64>(node) << 8 | static_cast<u8>(c);
    const auto [place, is_new] = children_.try_emplace(key, static_cast<i32>(values_.size()));
    if (is_new) values_.push_back(-1);
    node = place->second;
  }
  if (values_[usize(node)] < 0) values_[usize(node)] = value;
}

i64 AddedTokens::Trie::longest_at(std::string_view text, i64 at, i32& value) const {
  i32 node = 0;
  i64 best = -1;
  for (i64 i = at; i < isize(text); ++i) {
    const auto child =
        children_.find(static_cast<u64>(node) << 8 | static_cast<u8>(text[usize(i)]));
    if (child == children_.end()) break;
    node = child->second;
    if (values_[usize(node)] >= 0) {
      best = i + 1;
      value = values_[usize(node)];
    }
  }
  return best;
}

std::optional<AddedTokens::Trie::Hit> AddedTokens::Trie::find(std::string_view text,
                                                              i64 from) const {
  for (i64 at = from; at < isize(text); ++at) {
    if (only_first_ >= 0) {
      const void* hit = std::memchr(text.data() + at, only_first_, usize(isize(text) - at));
      if (hit == nullptr) return std::nullopt;
      at = static_cast<const char*>(hit) - text.data();
    }
    const std::size_t first = static_cast<u8>(text[usize(at)]);
    if (!first_[first]) continue;
    if (at + 1 < isize(text) && !starts_[first * 256u + static_cast<u8>(text[usize(at + 1)])])
      continue;
    i32 value = -1;
    const i64 end = longest_at(text, at, value);
    if (end >= 0) return Hit{at, end, value};
  }
  return std::nullopt;
}

void AddedTokens::add(AddedToken token) {
  if (token.content.empty()) return;
  const i32 index = static_cast<i32>(tokens_.size());
  if (!by_content_.try_emplace(token.content, index).second) return;
  by_id_.try_emplace(token.id, index);
  tokens_.push_back(std::move(token));
}

void AddedTokens::finish(const Normalizer& normalizer) {
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const AddedToken& t = tokens_[i];
    const std::string word = t.normalized ? normalizer.apply(t.content) : t.content;
    if (!word.empty()) tries_[t.normalized ? 1 : 0].insert(word, static_cast<i32>(i));
  }
}

const AddedToken* AddedTokens::find(std::string_view content) const {
  const auto found = by_content_.find(std::string(content));
  return found == by_content_.end() ? nullptr : &tokens_[usize(found->second)];
}

const AddedToken* AddedTokens::by_id(i32 id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &tokens_[usize(found->second)];
}

bool SpecialRule::takes(i64 from, i64 to) const {
  if (literal == nullptr) return policy != SpecialPolicy::kText;
  const auto [first, last] = source_range(map, from, to, begin);
  const auto next =
      std::partition_point(literal->begin(), literal->end(),
                           [at = first](const auto& range) { return range.second <= at; });
  return next == literal->end() || next->first >= last;
}

void AddedTokens::split(std::string_view text, bool normalized, const SpecialRule& rule,
                        std::vector<AddedSplit>& out) const {
  const Trie& trie = tries_[normalized ? 1 : 0];
  i64 done = 0;
  if (!trie.empty()) {
    i64 next = 0;
    while (const std::optional<Trie::Hit> hit = trie.find(text, next)) {
      const AddedToken& token = tokens_[usize(hit->value)];
      next = hit->end;
      if (token.special && !rule.takes(hit->begin, hit->end)) {
        if (rule.literal != nullptr) next = hit->begin + 1;  // one that is taken may begin inside
        continue;
      }
      i64 begin = hit->begin;
      i64 end = hit->end;
      if (token.single_word && (word_before(text, begin) || word_after(text, end))) continue;
      if (token.lstrip) {
        while (begin > done && is_white_space(decode_at(text, back_one(text, begin)).cp)) {
          begin = back_one(text, begin);
        }
        begin = std::max(begin, done);
      }
      while (token.rstrip && end < isize(text)) {
        const Decoded d = decode_at(text, end);
        if (!is_white_space(d.cp)) break;
        end += d.size;
      }
      if (done < begin) out.push_back({done, begin, nullptr});
      out.push_back({begin, end, &token});
      done = end;
    }
  }
  if (done < isize(text)) out.push_back({done, isize(text), nullptr});
}

}  // namespace lm::text
