#include "uq/token_measures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/str.h"

namespace lm::uq {

namespace {

constexpr f64 kDropShare = 0.3;
constexpr f64 kDropLeast = 0.005;
constexpr f64 kFocusLeast = 0.01;
constexpr f64 kFocusGamma = 0.9;

// Articles, pronouns, prepositions, conjunctions, auxiliaries and the commonest adverbs. Sorted.
constexpr std::string_view kFunctionWords[] = {
    "a",       "about",   "above",   "after", "again",  "against", "all",     "also",  "am",
    "among",   "an",      "and",     "any",   "are",    "around",  "as",      "at",    "be",
    "because", "been",    "before",  "being", "below",  "between", "both",    "but",   "by",
    "can",     "cannot",  "could",   "did",   "do",     "does",    "doing",   "done",  "down",
    "during",  "each",    "either",  "else",  "ever",   "every",   "few",     "for",   "from",
    "further", "had",     "has",     "have",  "having", "he",      "her",     "here",  "hers",
    "herself", "him",     "himself", "his",   "how",    "however", "i",       "if",    "in",
    "into",    "is",      "it",      "its",   "itself", "just",    "least",   "less",  "many",
    "may",     "me",      "might",   "mine",  "more",   "most",    "much",    "must",  "my",
    "myself",  "neither", "never",   "no",    "nor",    "not",     "now",     "of",    "off",
    "often",   "on",      "once",    "only",  "onto",   "or",      "other",   "our",   "ours",
    "out",     "over",    "own",     "per",   "quite",  "rather",  "same",    "shall", "she",
    "should",  "since",   "so",      "some",  "such",   "than",    "that",    "the",   "their",
    "theirs",  "them",    "then",    "there", "these",  "they",    "this",    "those", "though",
    "through", "thus",    "to",      "too",   "toward", "under",   "until",   "up",    "upon",
    "us",      "very",    "was",     "we",    "were",   "what",    "when",    "where", "whether",
    "which",   "while",   "who",     "whom",  "whose",  "why",     "will",    "with",  "within",
    "without", "would",   "yet",     "you",   "your",   "yours",   "yourself"};

bool is_word(char c) {
  const unsigned char u = static_cast<unsigned char>(c);
  return u >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_keyword(std::string_view word, bool begins_sentence) {
  if (std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return true;
  if (word[0] >= 'A' && word[0] <= 'Z' && !begins_sentence && word != "I") return true;
  return !std::binary_search(std::begin(kFunctionWords), std::end(kFunctionWords),
                             ascii_lower(word));
}

}  // namespace

std::optional<f64> boosted_probability(std::span<const TopToken> top, i64 chosen, f64 chosen_logp,
                                       i64 vocab) {
  if (top.empty() || (std::exp(top.back().logp) > kDropLeast && isize(top) < vocab))
    return std::nullopt;
  i64 dominant = 0;
  for (i64 i = 0; i + 1 < isize(top); ++i) {
    const f64 p = std::exp(top[usize(i)].logp);
    const f64 drop = p - std::exp(top[usize(i + 1)].logp);
    if (drop > kDropShare * p && drop > kDropLeast) dominant = i + 1;
  }
  f64 mass = 0;
  bool among = false;
  for (const TopToken& token : top.first(usize(dominant))) {
    mass += std::exp(token.logp);
    among = among || token.id == chosen;
  }
  return among ? mass : std::exp(chosen_logp);
}

std::optional<f64> focus_surprise(std::span<const TopToken> top, i64 chosen, i64 vocab,
                                  const std::function<f64(i64)>& weight) {
  if (top.empty() || (std::exp(top.back().logp) >= kFocusLeast && isize(top) < vocab))
    return std::nullopt;
  std::vector<f64> q;
  f64 all = 0;
  f64 own = 0;
  for (const TopToken& token : top) {
    const f64 p = std::exp(token.logp);
    if (p < kFocusLeast) break;
    q.push_back(weight ? p * weight(token.id) : p);
    all += q.back();
    if (token.id == chosen) own = q.back();
  }
  if (!(all > 0)) return std::nullopt;
  f64 nats = 0;
  for (const f64 value : q) {
    if (value > 0) nats -= value / all * std::log(value / all);
  }
  return std::exp(nats) - std::log(own / all + 1e-5);
}

f64 focus_score(std::span<const f64> surprise, std::span<const f64> keyword,
                std::span<const std::vector<f64>> back) {
  std::vector<f64> f(surprise.begin(), surprise.end());
  f64 sum = 0;
  f64 keywords = 0;
  for (std::size_t t = 0; t < f.size(); ++t) {
    if (!(keyword[t] > 0)) continue;
    f64 weights = 0;
    f64 penalty = 0;
    for (std::size_t j = 0; j < back[t].size(); ++j) {
      weights += back[t][j];
      penalty += back[t][j] * f[j];
    }
    if (weights > 0) f[t] += kFocusGamma * penalty / weights;
    sum += f[t];
    keywords += 1;
  }
  return keywords > 0 ? sum / keywords : std::numeric_limits<f64>::quiet_NaN();
}

std::vector<u8> keyword_bytes(std::string_view text) {
  std::vector<u8> out(text.size(), 0);
  bool begins = true;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word(text[at])) {
      if (text[at] == '.' || text[at] == '!' || text[at] == '?' || text[at] == '\n') begins = true;
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word(text[end]))
      ++end;
    if (is_keyword(text.substr(at, end - at), begins))
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(at),
                out.begin() + static_cast<std::ptrdiff_t>(end), u8{1});
    begins = false;
    at = end;
  }
  return out;
}

}  // namespace lm::uq
