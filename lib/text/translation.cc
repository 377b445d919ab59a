#include "text/translation.h"

#include <algorithm>

#include "core/error.h"
#include "text/overlap.h"
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
  WordIds ids;
  const auto number = [&](std::string_view from) {
    std::vector<i32> out;
    for (const std::string& word : words_13a(from))
      out.push_back(ids.id(word));
    return out;
  };
  std::vector<std::vector<i32>> others;
  for (const std::string& reference : references)
    others.push_back(number(reference));
  const BleuCounts counts = bleu_counts(number(text), others);
  BleuStats out{};
  std::copy(counts.matches.begin(), counts.matches.end(), out.begin());
  std::copy(counts.totals.begin(), counts.totals.end(), out.begin() + 4);
  out[8] = static_cast<f64>(counts.length);
  out[9] = static_cast<f64>(counts.reference_length);
  return out;
}

f64 bleu_score(const BleuStats& sums) {
  BleuCounts counts;
  for (std::size_t n = 0; n < 4; ++n) {
    counts.matches[n] = static_cast<i64>(sums[n]);
    counts.totals[n] = static_cast<i64>(sums[4 + n]);
  }
  counts.length = static_cast<i64>(sums[8]);
  counts.reference_length = static_cast<i64>(sums[9]);
  return 100 * bleu(counts, 4, BleuSmoothing::kHalving);
}

ChrfStats chrf_stats(std::string_view text, std::span<const std::string> references) {
  LM_CHECK(!references.empty(), "a segment has a reference");
  ChrfStats best{};
  f64 best_score = -1;
  for (const std::string& reference : references) {
    const ChrfCounts counts = chrf_counts(text, reference);
    const f64 score = chrf(counts);
    if (score <= best_score) continue;
    best_score = score;
    std::copy(counts.matches.begin(), counts.matches.end(), best.begin());
    std::copy(counts.totals.begin(), counts.totals.end(), best.begin() + 6);
    std::copy(counts.reference_totals.begin(), counts.reference_totals.end(), best.begin() + 12);
  }
  return best;
}

f64 chrf_score(const ChrfStats& sums) {
  ChrfCounts counts;
  for (std::size_t n = 0; n < 6; ++n) {
    counts.matches[n] = static_cast<i64>(sums[n]);
    counts.totals[n] = static_cast<i64>(sums[6 + n]);
    counts.reference_totals[n] = static_cast<i64>(sums[12 + n]);
  }
  return 100 * chrf(counts);
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

}  // namespace lm::text
