#include "text/overlap.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "core/utf8.h"
#include "text/unicode.h"

namespace lm::text {

namespace {

// Scripts written without blanks, where a character is the nearest thing to a word.
bool is_word_alone(char32_t cp) {
  return (cp >= 0x3040 && cp <= 0x30FF) || (cp >= 0x3400 && cp <= 0x4DBF) ||
         (cp >= 0x4E00 && cp <= 0x9FFF) || (cp >= 0xF900 && cp <= 0xFAFF) ||
         (cp >= 0x20000 && cp <= 0x3FFFF);
}

bool in_word(char32_t cp) {
  return in_categories(cp, kLetters | kMarks | kNumbers);
}

bool is_ascii_alnum(char32_t cp) {
  return (cp >= '0' && cp <= '9') || (cp >= 'A' && cp <= 'Z') || (cp >= 'a' && cp <= 'z');
}

// Calls visit(word) for every word; the view lives until the next.
template <typename Visit>
void each_word(std::string_view text, std::string& word, Visit visit) {
  word.clear();
  const auto end_word = [&] {
    if (!word.empty()) visit(std::string_view(word));
    word.clear();
  };
  i64 at = 0;
  while (at < isize(text)) {
    const u8 byte = static_cast<u8>(text[usize(at)]);
    if (byte < 0x80) {
      ++at;
      if (is_ascii_alnum(byte)) {
        word.push_back(static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte));
      } else {
        end_word();
      }
      continue;
    }
    const Decoded next = decode_at(text, at);
    at += next.size;
    if (is_word_alone(next.cp)) end_word();
    if (!in_word(next.cp)) {
      end_word();
      continue;
    }
    append_utf8(word, simple_lower(next.cp));
    if (is_word_alone(next.cp)) end_word();
  }
  end_word();
}

// Keys of all n-grams, sorted. A key is a hash of 64 bits: two different n-grams of a pair of texts
// meet in it less often than hardware fails.
template <typename T>
void sort_grams(std::span<const T> items, i64 n, std::vector<u64>& keys) {
  keys.clear();
  for (i64 i = 0; i + n <= isize(items); ++i) {
    u64 key = static_cast<u64>(n);
    for (i64 k = 0; k < n; ++k)
      key = mix64(key * 0x9e3779b97f4a7c15ULL + static_cast<u64>(items[usize(i + k)]) + 1);
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
}

template <typename T>
std::vector<u64> sorted_grams(std::span<const T> items, i64 n) {
  std::vector<u64> keys;
  keys.reserve(items.size());
  sort_grams(items, n, keys);
  return keys;
}

// Elements of both sorted lists, each as often as in the list that has fewer of it.
template <typename T>
i64 shared(std::span<const T> a, std::span<const T> b) {
  i64 count = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) {
      ++count;
      ++i;
      ++j;
    } else {
      ++(a[i] < b[j] ? i : j);
    }
  }
  return count;
}

Overlap overlap_of(i64 common, i64 a, i64 b) {
  if (a == 0 && b == 0) return {1, 1, 1};
  if (common == 0) return {};
  const f64 precision = static_cast<f64>(common) / static_cast<f64>(a);
  const f64 recall = static_cast<f64>(common) / static_cast<f64>(b);
  return {precision, recall, 2 * precision * recall / (precision + recall)};
}

}  // namespace

i32 WordIds::id(std::string_view word) {
  word_.assign(word);
  const auto found = ids_.find(word_);
  if (found != ids_.end()) return found->second;
  return ids_.emplace(word_, static_cast<i32>(ids_.size())).first->second;
}

void WordIds::add_words(std::string_view text, std::vector<i32>& out) {
  std::string word;
  each_word(text, word, [&](std::string_view w) { out.push_back(id(w)); });
}

std::vector<std::string> overlap_words(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  each_word(text, word, [&](std::string_view w) { out.emplace_back(w); });
  return out;
}

std::string answer_key(std::string_view text) {
  std::string out;
  append_answer_key(out, text);
  return out;
}

void append_answer_key(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  std::size_t start = std::string::npos;  // of the word, with the blank before it; npos: none
  const auto begin_word = [&] {
    if (start != std::string::npos) return;
    start = out.size();
    if (start > before) out.push_back(' ');
  };
  const auto end_word = [&] {
    if (start == std::string::npos) return;
    const std::string_view word = std::string_view(out).substr(start > before ? start + 1 : start);
    if (word == "a" || word == "an" || word == "the") out.resize(start);
    start = std::string::npos;
  };
  i64 at = 0;
  while (at < isize(text)) {
    const u8 byte = static_cast<u8>(text[usize(at)]);
    if (byte < 0x80) {  // most text by far
      ++at;
      if (is_ascii_alnum(byte)) {
        begin_word();
        out.push_back(static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte));
      } else if (is_py_space(byte)) {
        end_word();
      }
      continue;
    }
    const Decoded next = decode_at(text, at);
    at += next.size;
    if (is_py_space(next.cp)) {
      end_word();
    } else if (!is_punctuation(next.cp)) {
      begin_word();
      append_utf8(out, simple_lower(next.cp));
    }
  }
  end_word();
}

std::string last_number(std::string_view text) {
  const auto digit = [&](std::size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
  };
  std::string last;
  for (std::size_t at = 0; at < text.size();) {
    if (!digit(at)) {
      ++at;
      continue;
    }
    const bool fraction_only = at > 0 && text[at - 1] == '.';
    const std::size_t before = fraction_only ? at - 1 : at;
    // A minus behind a letter or digit is a hyphen.
    const bool minus = before > 0 && text[before - 1] == '-' &&
                       (before < 2 || text[before - 2] == ' ' || text[before - 2] == '(' ||
                        text[before - 2] == '=' || text[before - 2] == '$');
    std::string whole;
    std::string fraction;
    if (!fraction_only) {
      while (digit(at) || (at < text.size() && text[at] == ',' && digit(at + 1) && digit(at + 2) &&
                           digit(at + 3) && !digit(at + 4))) {
        if (text[at] != ',') whole.push_back(text[at]);
        ++at;
      }
      if (at < text.size() && text[at] == '.' && digit(at + 1)) ++at;
    }
    if (fraction_only || (at > 0 && text[at - 1] == '.')) {
      while (digit(at))
        fraction.push_back(text[at++]);
    }
    whole.erase(0, whole.find_first_not_of('0'));
    fraction.erase(fraction.find_last_not_of('0') + 1);
    last = whole.empty() ? "0" : whole;
    if (!fraction.empty()) append(last, ".", fraction);
    if (minus && last != "0") last.insert(0, 1, '-');
  }
  return last;
}

void make_word_set(std::vector<i32>& words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
}

f64 jaccard_of_sets(std::span<const i32> a, std::span<const i32> b) {
  const i64 common = shared(a, b);
  const i64 all = isize(a) + isize(b) - common;
  return all == 0 ? 1 : static_cast<f64>(common) / static_cast<f64>(all);
}

f64 jaccard(std::span<const i32> a, std::span<const i32> b) {
  std::vector<i32> set_a(a.begin(), a.end());
  std::vector<i32> set_b(b.begin(), b.end());
  make_word_set(set_a);
  make_word_set(set_b);
  return jaccard_of_sets(set_a, set_b);
}

namespace {
Overlap of_grams(std::span<const u64> a, std::span<const u64> b, bool no_words) {
  if (a.empty() && b.empty() && !no_words) return {};
  return overlap_of(shared(a, b), isize(a), isize(b));
}
}  // namespace

Overlap rouge_n(std::span<const i32> a, std::span<const i32> b, i64 n) {
  const std::vector<u64> grams_a = sorted_grams(a, n);
  const std::vector<u64> grams_b = sorted_grams(b, n);
  return of_grams(grams_a, grams_b, a.empty() && b.empty());
}

Overlap rouge_n(const WordGrams& a, const WordGrams& b, i64 n) {
  const std::size_t at = usize(n - 1);
  return of_grams(a.by_order[at], b.by_order[at], a.length == 0 && b.length == 0);
}

void WordGrams::make(std::span<const i32> words) {
  length = isize(words);
  for (i64 n = 1; n <= 4; ++n)
    sort_grams(words, n, by_order[usize(n - 1)]);
}

// Bit vectors over the positions of a (Hyyro 2004): a zero bit is a position where the length of
// the common subsequence of the prefixes grows.
i64 common_subsequence(std::span<const i32> a, std::span<const i32> b) {
  const i64 blocks = (isize(a) + 63) / 64;
  std::vector<i32> symbols(a.begin(), a.end());
  std::sort(symbols.begin(), symbols.end());
  symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
  const auto find = [&](i32 symbol) {
    return std::lower_bound(symbols.begin(), symbols.end(), symbol) - symbols.begin();
  };
  std::vector<u64> where(usize(isize(symbols) * blocks), 0);
  for (i64 i = 0; i < isize(a); ++i)
    where[usize(find(a[usize(i)]) * blocks + i / 64)] |= u64{1} << (i % 64);
  std::vector<u64> flat(usize(blocks), ~u64{0});
  for (const i32 symbol : b) {
    const i64 row = find(symbol);
    if (row == isize(symbols) || symbols[usize(row)] != symbol) continue;
    u64 carry = 0;
    for (i64 k = 0; k < blocks; ++k) {
      const u64 v = flat[usize(k)];
      const u64 match = v & where[usize(row * blocks + k)];
      const u64 sum = v + match;
      const u64 with_carry = sum + carry;
      carry = (sum < v ? 1u : 0u) | (with_carry < sum ? 1u : 0u);
      flat[usize(k)] = with_carry | (v & ~match);
    }
  }
  i64 length = 0;
  for (i64 i = 0; i < isize(a); ++i)
    length += (flat[usize(i / 64)] >> (i % 64) & 1) == 0 ? 1 : 0;
  return length;
}

Overlap rouge_l(std::span<const i32> a, std::span<const i32> b) {
  return overlap_of(common_subsequence(a, b), isize(a), isize(b));
}

void BleuCounts::add(const BleuCounts& other) {
  for (std::size_t n = 0; n < matches.size(); ++n) {
    matches[n] += other.matches[n];
    totals[n] += other.totals[n];
  }
  length += other.length;
  reference_length += other.reference_length;
}

namespace {

/// The union in which a key occurs as often as in the list that has most of it. Sorted.
std::vector<u64> most_of_each(const std::vector<u64>& a, const std::vector<u64>& b) {
  std::vector<u64> out;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

}  // namespace

BleuCounts bleu_counts(std::span<const i32> hypothesis, std::span<const i32> reference) {
  const std::vector<i32> one(reference.begin(), reference.end());
  return bleu_counts(hypothesis, std::span(&one, 1));
}

BleuCounts bleu_counts(std::span<const i32> hypothesis,
                       std::span<const std::vector<i32>> references) {
  LM_CHECK(!references.empty(), "a hypothesis has a reference");
  BleuCounts out;
  out.length = isize(hypothesis);
  std::pair<i64, i64> nearest{-1, 0};  // distance, length
  for (const std::vector<i32>& reference : references) {
    const std::pair<i64, i64> here{std::abs(isize(reference) - out.length), isize(reference)};
    if (nearest.first < 0 || here < nearest) nearest = here;
  }
  out.reference_length = nearest.second;
  for (i64 n = 1; n <= 4; ++n) {
    std::vector<u64> known;
    for (const std::vector<i32>& reference : references)
      known = most_of_each(known, sorted_grams(std::span<const i32>(reference), n));
    const std::vector<u64> grams = sorted_grams(hypothesis, n);
    out.matches[usize(n - 1)] = shared<u64>(grams, known);
    out.totals[usize(n - 1)] = isize(grams);
  }
  return out;
}

f64 bleu(const BleuCounts& counts, i64 order, BleuSmoothing smoothing) {
  LM_CHECK(order >= 1 && order <= 4, "BLEU has orders 1 to 4");
  const bool halving = smoothing == BleuSmoothing::kHalving &&
                       std::any_of(counts.matches.begin(), counts.matches.begin() + order,
                                   [](i64 matches) { return matches > 0; });
  f64 part = 1;
  f64 logs = 0;
  for (std::size_t n = 0; n < static_cast<std::size_t>(order); ++n) {
    f64 matches = static_cast<f64>(counts.matches[n]);
    if (counts.matches[n] == 0) {
      if (!halving || counts.totals[n] == 0) return 0;
      matches = part /= 2;
    }
    logs += std::log(matches / static_cast<f64>(counts.totals[n]));
  }
  const f64 brevity =
      counts.length >= counts.reference_length
          ? 0
          : 1 - static_cast<f64>(counts.reference_length) / static_cast<f64>(counts.length);
  return std::exp(brevity + logs / static_cast<f64>(order));
}

f64 bleu_similarity(std::span<const i32> a, std::span<const i32> b) {
  WordGrams grams_a;
  WordGrams grams_b;
  grams_a.make(a);
  grams_b.make(b);
  return bleu_similarity(grams_a, grams_b);
}

// bleu_counts of both directions at once: matches are the same.
f64 bleu_similarity(const WordGrams& a, const WordGrams& b) {
  const i64 order = std::min({i64{4}, a.length, b.length});
  if (order == 0) return a.length == b.length ? 1 : 0;
  BleuCounts there;
  there.length = a.length;
  there.reference_length = b.length;
  BleuCounts back;
  back.length = b.length;
  back.reference_length = a.length;
  for (std::size_t at = 0; at < usize(order); ++at) {
    there.matches[at] = back.matches[at] = shared<u64>(a.by_order[at], b.by_order[at]);
    there.totals[at] = isize(a.by_order[at]);
    back.totals[at] = isize(b.by_order[at]);
  }
  return (bleu(there, order) + bleu(back, order)) / 2;
}

void ChrfCounts::add(const ChrfCounts& other) {
  for (std::size_t n = 0; n < matches.size(); ++n) {
    matches[n] += other.matches[n];
    totals[n] += other.totals[n];
    reference_totals[n] += other.reference_totals[n];
  }
}

namespace {
std::vector<char32_t> characters(std::string_view text) {
  std::vector<char32_t> out;
  for (i64 at = 0; at < isize(text);) {
    const Decoded next = decode_at(text, at);
    at += next.size;
    if (!is_py_space(next.cp)) out.push_back(next.cp);
  }
  return out;
}
}  // namespace

ChrfCounts chrf_counts(std::string_view hypothesis, std::string_view reference) {
  const std::vector<char32_t> a = characters(hypothesis);
  const std::vector<char32_t> b = characters(reference);
  ChrfCounts out;
  for (i64 n = 1; n <= 6; ++n) {
    const std::vector<u64> grams_a = sorted_grams(std::span<const char32_t>(a), n);
    const std::vector<u64> grams_b = sorted_grams(std::span<const char32_t>(b), n);
    out.matches[usize(n - 1)] = shared<u64>(grams_a, grams_b);
    out.totals[usize(n - 1)] = grams_b.empty() ? 0 : isize(grams_a);
    out.reference_totals[usize(n - 1)] = isize(grams_b);
  }
  return out;
}

f64 chrf(const ChrfCounts& counts, f64 beta) {
  f64 precision = 0;
  f64 recall = 0;
  f64 orders = 0;
  for (std::size_t n = 0; n < counts.matches.size(); ++n) {
    if (counts.totals[n] == 0 || counts.reference_totals[n] == 0) continue;
    const f64 matches = static_cast<f64>(counts.matches[n]);
    precision += matches / static_cast<f64>(counts.totals[n]);
    recall += matches / static_cast<f64>(counts.reference_totals[n]);
    orders += 1;
  }
  if (precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  return (1 + beta * beta) * precision * recall / (beta * beta * precision + recall);
}

}  // namespace lm::text
