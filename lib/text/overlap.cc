#include "text/overlap.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "core/error.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}
bool is_point(char32_t c) {
  return c == '.' || c == ',';
}

/// Characters that are words of their own: blanks and ASCII punctuation but for - . , and '.
bool stands_alone(char32_t c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
         (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

/// Puts what spaced() says for neighbours a, b in place of both; a pair that was replaced does not
/// begin the next one.
template <typename Match>
std::u32string spaced(const std::u32string& text, Match match, bool before, bool behind) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && match(text[i], text[i + 1])) {
      if (before) out += U' ';
      out += text[i];
      out += U' ';
      out += text[++i];
      if (behind) out += U' ';
    } else {
      out += text[i];
    }
  }
  return out;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::string_view rstrip(std::string_view text) {
  const std::string_view both = strip(text);
  return text.substr(0, static_cast<std::size_t>(both.data() - text.data()) + both.size());
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string_view word : words_ws(text))
    out.emplace_back(word);
  return out;
}

/// Numbers for words, so that n-grams are short keys.
class WordIds {
 public:
  std::vector<u32> of(std::span<const std::string> list) {
    std::vector<u32> out;
    for (const std::string& word : list)
      out.push_back(ids_.emplace(word, static_cast<u32>(ids_.size())).first->second);
    return out;
  }

 private:
  std::unordered_map<std::string, u32> ids_;
};

using GramCounts = std::map<std::u32string_view, i64>;  // iterated in order, hence no hash

GramCounts grams(std::u32string_view units, std::size_t n) {
  GramCounts out;
  for (std::size_t i = 0; i + n <= units.size(); ++i)
    ++out[units.substr(i, n)];
  return out;
}

i64 total(const GramCounts& counts) {
  i64 sum = 0;
  for (const auto& [gram, count] : counts)
    sum += count;
  return sum;
}

i64 matches(const GramCounts& a, const GramCounts& b) {
  i64 sum = 0;
  for (const auto& [gram, count] : a)
    if (const auto found = b.find(gram); found != b.end()) sum += std::min(count, found->second);
  return sum;
}

std::u32string as_units(const std::vector<u32>& ids) {
  return {ids.begin(), ids.end()};
}

std::u32string without_blanks(std::string_view text) {
  std::u32string out;
  for (const char32_t cp : to_utf32(text))
    if (!is_py_space(cp)) out += cp;
  return out;
}

}  // namespace

std::vector<std::string> words_13a(std::string_view text) {
  std::string line(rstrip(text));
  replace_all(line, "<skipped>", "");
  replace_all(line, "-\n", "");
  replace_all(line, "\n", " ");
  replace_all(line, "&quot;", "\"");
  replace_all(line, "&amp;", "&");
  replace_all(line, "&lt;", "<");
  replace_all(line, "&gt;", ">");
  std::u32string cut;
  for (const char32_t c : to_utf32(" " + line + " ")) {
    if (stands_alone(c)) {
      cut += U' ';
      cut += c;
      cut += U' ';
    } else {
      cut += c;
    }
  }
  const auto behind_other = [](char32_t a, char32_t b) { return !is_digit(a) && is_point(b); };
  const auto before_other = [](char32_t a, char32_t b) { return is_point(a) && !is_digit(b); };
  const auto dash = [](char32_t a, char32_t b) { return is_digit(a) && b == '-'; };
  cut = spaced(cut, behind_other, false, true);
  cut = spaced(cut, before_other, true, false);
  cut = spaced(cut, dash, false, true);
  return words(to_utf8(cut));
}

BleuStats bleu_stats(std::string_view text, std::span<const std::string> references) {
  LM_CHECK(!references.empty(), "a segment has a reference");
  WordIds ids;
  const std::u32string own = as_units(ids.of(words_13a(text)));
  std::vector<std::u32string> others;
  for (const std::string& reference : references)
    others.push_back(as_units(ids.of(words_13a(reference))));
  BleuStats out{};
  for (std::size_t n = 1; n <= 4; ++n) {
    GramCounts most;  // of a gram in any one reference
    for (const std::u32string& other : others)
      for (const auto& [gram, count] : grams(other, n))
        most[gram] = std::max(most[gram], count);
    const GramCounts mine = grams(own, n);
    out[n - 1] = static_cast<f64>(matches(mine, most));
    out[3 + n] = static_cast<f64>(total(mine));
  }
  out[8] = static_cast<f64>(own.size());
  std::pair<i64, i64> nearest{-1, 0};  // distance, length; the shorter of equals
  for (const std::u32string& other : others) {
    const i64 length = isize(other);
    const std::pair<i64, i64> here{std::abs(length - isize(own)), length};
    if (nearest.first < 0 || here < nearest) nearest = here;
  }
  out[9] = static_cast<f64>(nearest.second);
  return out;
}

f64 bleu_score(const BleuStats& sums) {
  const f64 length = sums[8];
  const f64 reference = sums[9];
  if (sums[0] + sums[1] + sums[2] + sums[3] == 0) return 0;
  f64 smooth = 1;
  f64 logs = 0;
  for (std::size_t n = 0; n < 4; ++n) {
    if (sums[4 + n] == 0) return 0;  // no such n-gram: a precision of 0
    if (sums[n] == 0) smooth *= 2;
    logs += std::log(sums[n] == 0 ? 100 / (smooth * sums[4 + n]) : 100 * sums[n] / sums[4 + n]);
  }
  const f64 brevity = length < reference ? std::exp(1 - reference / length) : 1;
  return brevity * std::exp(logs / 4);
}

ChrfStats chrf_stats(std::string_view text, std::span<const std::string> references) {
  LM_CHECK(!references.empty(), "a segment has a reference");
  const std::u32string own = without_blanks(text);
  ChrfStats best{};
  f64 best_score = -1;
  for (const std::string& reference : references) {
    const std::u32string other = without_blanks(reference);
    ChrfStats here{};
    for (std::size_t n = 1; n <= 6; ++n) {
      const GramCounts mine = grams(own, n);
      const GramCounts theirs = grams(other, n);
      here[3 * n - 3] = theirs.empty() ? 0 : static_cast<f64>(total(mine));
      here[3 * n - 2] = static_cast<f64>(total(theirs));
      here[3 * n - 1] = static_cast<f64>(matches(mine, theirs));
    }
    const f64 score = chrf_score(here);
    if (score <= best_score) continue;
    best_score = score;
    best = here;
  }
  return best;
}

f64 chrf_score(const ChrfStats& sums) {
  constexpr f64 kFactor = 4;  // beta 2: recall counts twice as much
  f64 precision = 0;
  f64 recall = 0;
  i64 orders = 0;
  for (std::size_t n = 0; n < 6; ++n) {
    if (sums[3 * n] == 0 || sums[3 * n + 1] == 0) continue;
    precision += sums[3 * n + 2] / sums[3 * n];
    recall += sums[3 * n + 2] / sums[3 * n + 1];
    ++orders;
  }
  if (precision + recall == 0) return 0;
  precision /= static_cast<f64>(orders);
  recall /= static_cast<f64>(orders);
  return 100 * (1 + kFactor) * precision * recall / (kFactor * precision + recall);
}

TerStats ter_stats(std::string_view text, std::span<const std::string> references) {
  LM_CHECK(!references.empty(), "a segment has a reference");
  const std::vector<std::string> own = words(to_lower(text));
  TerStats out{};
  f64 fewest = -1;
  for (const std::string& reference : references) {
    const std::vector<std::string> other = words(to_lower(reference));
    const f64 edits = static_cast<f64>(shift_edit_distance(own, other));
    fewest = fewest < 0 ? edits : std::min(fewest, edits);
    out[1] += static_cast<f64>(other.size()) / static_cast<f64>(references.size());
  }
  out[0] = fewest;
  return out;
}

f64 ter_score(const TerStats& sums) {
  if (sums[1] > 0) return 100 * sums[0] / sums[1];
  return sums[0] > 0 ? 100 : 0;
}

i64 longest_common_subsequence(std::span<const std::string> a, std::span<const std::string> b) {
  WordIds ids;
  const std::vector<u32> x = ids.of(a);
  const std::vector<u32> y = ids.of(b);
  std::vector<i64> row(y.size() + 1);
  for (const u32 word : x) {
    i64 diagonal = 0;
    for (std::size_t j = 0; j < y.size(); ++j) {
      const i64 above = row[j + 1];
      row[j + 1] = word == y[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

f64 rouge_l(std::string_view text, std::string_view reference) {
  const auto cut = [](std::string_view from) {
    std::string kept;
    for (const char c : to_lower(from))
      kept += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : ' ';
    return words(kept);
  };
  const std::vector<std::string> own = cut(text);
  const std::vector<std::string> other = cut(reference);
  if (own.empty() || other.empty()) return 0;
  const f64 common = static_cast<f64>(longest_common_subsequence(other, own));
  const f64 precision = common / static_cast<f64>(own.size());
  const f64 recall = common / static_cast<f64>(other.size());
  return common == 0 ? 0 : 2 * precision * recall / (precision + recall);
}

}  // namespace lm::text
