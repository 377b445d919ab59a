#include <algorithm>
#include <map>
#include <utility>

#include "core/random.h"
#include "core/str.h"
#include "tagging.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

using namespace lm;
using namespace lm::tag;

namespace {

std::string top(int n) {
  return cat("fraction_of_characters_in_most_common_", n, "grams");
}
std::string duplicate(int n) {
  return cat("fraction_of_characters_in_duplicate_", n, "grams");
}

/// The definition, with a map from n-grams to counts.
std::map<std::string, f64> by_definition(std::string_view text) {
  const std::vector<std::string_view> words = text::words_ws(text);
  std::map<std::string, f64> out;
  const auto chars = [&](std::size_t at, std::size_t n) {
    i64 sum = 0;
    for (std::size_t i = at; i < at + n; ++i)
      sum += text::count_code_points(words[i]);
    return sum;
  };
  const f64 all = static_cast<f64>(std::max<i64>(chars(0, words.size()), 1));
  for (std::size_t n = 2; n <= 10 && n <= words.size(); ++n) {
    std::map<std::vector<std::string_view>, i64> counts;
    for (std::size_t i = 0; i + n <= words.size(); ++i)
      ++counts[{words.begin() + static_cast<i64>(i), words.begin() + static_cast<i64>(i + n)}];
    i64 best = 0;
    i64 best_chars = 0;
    i64 repeated = 0;
    i64 total = 0;
    for (std::size_t i = 0; i + n <= words.size(); ++i) {
      const i64 count =
          counts[{words.begin() + static_cast<i64>(i), words.begin() + static_cast<i64>(i + n)}];
      if (count > best) best = count, best_chars = chars(i, n);
      total += chars(i, n);
      if (count > 1) repeated += chars(i, n);
    }
    if (n <= 4) {
      out[top(static_cast<int>(n))] = static_cast<f64>(best * best_chars) / all;
    } else {
      out[duplicate(static_cast<int>(n))] =
          static_cast<f64>(repeated) / static_cast<f64>(std::max<i64>(total, 1));
    }
  }
  return out;
}

GramLevel level_by_definition(const std::vector<Word>& words, const std::vector<u32>& ids,
                              std::size_t n) {
  GramLevel out;
  if (words.size() < n) return out;
  const std::size_t positions = words.size() - n + 1;
  out.positions = static_cast<i64>(positions);
  const auto chars = [&](std::size_t at) {
    i64 sum = 0;
    for (std::size_t i = at; i < at + n; ++i)
      sum += words[i].chars;
    return sum;
  };
  const auto gram = [&](std::size_t at) {
    return std::vector<u32>(ids.begin() + static_cast<i64>(at),
                            ids.begin() + static_cast<i64>(at + n));
  };
  std::map<std::vector<u32>, i64> counts;
  for (std::size_t at = 0; at < positions; ++at)
    ++counts[gram(at)];
  for (std::size_t at = 0; at < positions; ++at) {
    const i64 times = counts[gram(at)];
    if (times > out.top_count) {
      out.top_count = times;
      out.top_at = static_cast<i64>(at);
      out.top_chars = out.longest_top_chars = chars(at);
    }
    // Where none repeats, the first stands for all.
    if (times == out.top_count && times > 1)
      out.longest_top_chars = std::max(out.longest_top_chars, chars(at));
    out.all_chars += chars(at);
    if (times > 1) out.duplicate_chars += chars(at);
  }
  std::vector<bool> covered(words.size());
  std::vector<bool> stood(words.size());
  std::vector<bool> joined(words.size());  // with the word behind, in one that stood
  std::map<std::vector<u32>, bool> seen;
  for (std::size_t at = 0; at < positions; ++at) {
    for (std::size_t i = at; i < at + n; ++i) {
      if (counts[gram(at)] > 1) covered[i] = true;
      if (seen[gram(at)]) stood[i] = true;
      if (seen[gram(at)] && i + 1 < at + n) joined[i] = true;
    }
    seen[gram(at)] = true;
  }
  for (std::size_t i = 0; i < words.size(); ++i) {
    out.covered_chars += covered[i] ? words[i].chars : 0;
    out.stood_chars += (stood[i] ? words[i].chars : 0) + joined[i];
  }
  seen.clear();
  for (std::size_t at = 0; at < positions; ++at) {
    if (std::exchange(seen[gram(at)], true)) {
      out.again_chars += chars(at);
      at += n - 1;
    }
  }
  return out;
}

/// The words and lines of gopher_v1, or of gopher_v2, whose lines are split at runs of newlines.
std::map<std::string, f64> counts_by_definition(const std::string& text, bool runs) {
  const std::vector<std::string_view> words = text::words_ws(text);
  std::vector<std::string_view> lines = text::lines_n(text);
  if (runs) {
    std::vector<std::string_view> kept;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (i == 0 || i + 1 == lines.size() || !lines[i].empty()) kept.push_back(lines[i]);
    lines = kept;
  }
  if (text.empty()) lines.clear();
  std::vector<f64> lengths;
  f64 symbols = 0;
  f64 alpha = 0;
  f64 required = 0;
  f64 chars = 0;
  for (const std::string_view word : words) {
    lengths.push_back(static_cast<f64>(text::count_code_points(word)));
    chars += lengths.back();
    symbols += word.find('#') != word.npos || word.find("\xE2\x80\xA6") != word.npos;
    const std::u32string cps = text::to_utf32(word);
    alpha += std::any_of(cps.begin(), cps.end(), [](char32_t c) { return text::is_alpha(c); });
    for (const char* one : {"the", "be", "to", "of", "and", "that", "have", "with"})
      required += word == one;
  }
  std::sort(lengths.begin(), lengths.end());
  const std::size_t half = lengths.size() / 2;
  f64 bullets = 0;
  f64 ellipses = 0;
  f64 copies = 0;
  f64 copied = 0;
  for (const std::string_view line : lines) {
    bullets += line.starts_with('*') || line.starts_with('-');
    ellipses += line.ends_with("\xE2\x80\xA6");
    if (std::count(lines.begin(), lines.end(), line) == 1) continue;
    ++copies;
    copied += static_cast<f64>(text::count_code_points(line));
  }
  const f64 n = std::max(1.0, static_cast<f64>(words.size()));
  const f64 m = std::max(1.0, static_cast<f64>(lines.size()));
  return {
      {"word_count", static_cast<f64>(words.size())},
      {"median_word_length", lengths.empty()           ? 0
                             : lengths.size() % 2 == 1 ? lengths[half]
                                                       : (lengths[half - 1] + lengths[half]) / 2},
      {"symbol_to_word_ratio", symbols / n},
      {"fraction_of_words_with_alpha_character", alpha / n},
      {"required_word_count", required},
      {"fraction_of_lines_starting_with_bullet_point", bullets / m},
      {"fraction_of_lines_ending_with_ellipsis", ellipses / m},
      {"fraction_of_duplicate_lines", copies / m},
      {"fraction_of_characters_in_duplicate_lines", copied / std::max(1.0, chars)}};
}

}  // namespace

TEST_CASE("gopher: a document by hand", "[tag]") {
  // 8 words of 3+1+3+1+2+2+5+4 = 21 characters in 4 lines, one of them empty, two of them equal.
  const auto all = found("gopher_v1", "the #\nthe #\n\n- be hello\xE2\x80\xA6 with");
  CHECK(value(all, "character_count") == 29);
  CHECK(value(all, "word_count") == 8);
  // 1 1 1 2 3 3 4 6 -> (2 + 3) / 2.
  CHECK(value(all, "median_word_length") == 2.5);
  CHECK(value(all, "symbol_to_word_ratio") == Approx(3.0 / 8));
  CHECK(value(all, "fraction_of_words_with_alpha_character") == Approx(5.0 / 8));
  CHECK(value(all, "required_word_count") == 4);
  CHECK(value(all, "fraction_of_lines_starting_with_bullet_point") == 0.25);
  CHECK(value(all, "fraction_of_lines_ending_with_ellipsis") == 0);
  CHECK(value(all, "fraction_of_duplicate_lines") == 0.5);
  // "the #" twice: 10 of 21 word characters.
  CHECK(value(all, "fraction_of_characters_in_duplicate_lines") == Approx(10.0 / 21));
  // "the #" twice, 4 characters each; "the # the" is the first of 3-grams that occur once.
  CHECK(value(all, top(2)) == Approx(8.0 / 21));
  CHECK(value(all, top(3)) == Approx(7.0 / 21));
  CHECK(value(all, duplicate(5)) == 0);
  CHECK(all.count(duplicate(8)) == 1);
  CHECK(all.count(duplicate(9)) == 0);
  CHECK(all.at("word_count")[0] == text::ScoredSpan{0, 29, 8});

  const auto v2 = found("gopher_v2", "the #\nthe #\n\n- be hello\xE2\x80\xA6 with");
  CHECK(value(v2, "fraction_of_duplicate_lines") == Approx(2.0 / 3));
  CHECK(value(v2, "fraction_of_lines_starting_with_bullet_point") == Approx(1.0 / 3));
}

TEST_CASE("gopher: nothing but white space, and nothing at all", "[tag]") {
  const auto empty = found("gopher_v1", "");
  CHECK(empty.size() == 10);  // no n-gram types
  for (const auto& [type, spans] : empty) {
    INFO(type);
    CHECK(spans == Spans{{0, 0, 0}});
  }
  const auto blank = found("gopher_v1", "\n\n\n");
  CHECK(value(blank, "character_count") == 3);
  CHECK(value(blank, "word_count") == 0);
  CHECK(value(blank, "median_word_length") == 0);
  CHECK(value(blank, "fraction_of_duplicate_lines") == 1);  // four empty lines
  CHECK(value(blank, "fraction_of_characters_in_duplicate_lines") == 0);
  CHECK(value(found("gopher_v2", "\n\n\n"), "fraction_of_duplicate_lines") == 1);  // two
  CHECK(value(found("gopher_v2", "\n\nx"), "fraction_of_duplicate_lines") == 0);
}

TEST_CASE("gopher: letters, symbols and ends of lines", "[tag]") {
  // Three dots are no ellipsis, a carriage return hides one; a combining mark is no letter.
  const auto all = found("gopher_v1", "... \xCC\x81 1\n\xE2\x80\xA6\n\xE2\x80\xA6\r\n*\n \xC3\x89");
  CHECK(value(all, "symbol_to_word_ratio") == Approx(2.0 / 7));
  CHECK(value(all, "fraction_of_words_with_alpha_character") == Approx(1.0 / 7));
  CHECK(value(all, "fraction_of_lines_ending_with_ellipsis") == Approx(1.0 / 5));
  CHECK(value(all, "fraction_of_lines_starting_with_bullet_point") == Approx(1.0 / 5));
  // NUL is a character like any other.
  CHECK(value(found("gopher_v1", std::string_view("a\0b c", 5)), "word_count") == 2);
}

TEST_CASE("gopher: ties of n-grams go to the first seen", "[tag]") {
  // "aa b" and "c d" twice each: 2 * 3 of 12 characters.
  CHECK(value(found("gopher_v1", "aa b x aa b c d y c d"), top(2)) == Approx(6.0 / 12));
  CHECK(value(found("gopher_v1", "c d y c d aa b x aa b"), top(2)) == Approx(4.0 / 12));
}

TEST_CASE("gopher: n-grams equal the definition on random texts", "[tag]") {
  for (u64 seed = 0; seed < 300; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    const u64 kinds = 1 + draws.below(0, 12);
    const u64 size = draws.below(1, 120);
    std::string text;
    for (u64 i = 0; i < size; ++i) {
      const u64 kind = draws.below(2 + i, kinds);
      append(text, std::string(1 + kind % 3, 'a'), kind % 2 == 0 ? "\xC3\xA9" : "", kind, " ");
    }
    INFO("seed " << seed);
    const auto all = found("gopher_v1", text);
    const std::map<std::string, f64> expected = by_definition(text);
    for (int n = 2; n <= 10; ++n) {
      const std::string type = n <= 4 ? top(n) : duplicate(n);
      REQUIRE(all.count(type) == expected.count(type));
      if (expected.count(type) == 1) CHECK(value(all, type) == Approx(expected.at(type)));
    }
  }
}

TEST_CASE("n-grams: every sum equals its definition on random words", "[tag]") {
  GramCounter whole;
  GramCounter in_parts(8);
  for (u64 seed = 0; seed < 800; ++seed) {
    GramCounter& counter = seed < 400 ? whole : in_parts;
    const RandomStream draws(seed, RandomPurpose::kOther);
    // Few kinds of words repeat at every level, many hardly at the second; some are copied.
    const u64 kinds = 1 + draws.below(0, seed % 4 == 0 ? 400 : 8);
    const std::size_t size = draws.below(1, 200);
    std::vector<u32> ids;
    for (u64 i = 0; ids.size() < size; ++i) {
      if (i % 17 == 16)
        ids.insert(ids.end(), ids.begin(), ids.begin() + static_cast<i64>(ids.size() / 3));
      ids.push_back(static_cast<u32>(draws.below(2 + i, kinds)));
    }
    std::vector<u32> counts(kinds);
    std::vector<Word> words;
    for (const u32 id : ids) {
      ++counts[id];
      words.push_back({0, 0, 1 + id % 5});
    }
    counter.count(words, ids, counts);
    for (int n = 2; n <= kMaxGram; ++n) {
      INFO("seed " << seed << ", n " << n);
      const GramLevel expected = level_by_definition(words, ids, static_cast<std::size_t>(n));
      const GramLevel& level = counter.level(n);
      REQUIRE(level.positions == expected.positions);
      REQUIRE(level.top_count == expected.top_count);
      REQUIRE(level.top_chars == expected.top_chars);
      REQUIRE(level.longest_top_chars == expected.longest_top_chars);
      REQUIRE(level.top_at == expected.top_at);
      REQUIRE(level.duplicate_chars == expected.duplicate_chars);
      REQUIRE(level.all_chars == expected.all_chars);
      REQUIRE(level.again_chars == expected.again_chars);
      REQUIRE(level.stood_chars == expected.stood_chars);
      REQUIRE(level.covered_chars == expected.covered_chars);
    }
    counter.count(words, ids, counts, GramSums::kFew);
    for (int n = 2; n <= kMaxGram; ++n) {
      const GramLevel expected = level_by_definition(words, ids, static_cast<std::size_t>(n));
      REQUIRE(counter.level(n).positions == expected.positions);
      REQUIRE(counter.level(n).top_count == expected.top_count);
      REQUIRE(counter.level(n).top_chars == expected.top_chars);
      REQUIRE(counter.level(n).duplicate_chars == expected.duplicate_chars);
      REQUIRE(counter.level(n).all_chars == expected.all_chars);
    }
  }
}

TEST_CASE("gopher: counts of words and lines equal the definition on random texts", "[tag]") {
  constexpr std::string_view kPieces[] = {"the ",
                                          "be\n",
                                          "- ",
                                          "*",
                                          "\n",
                                          "\n\n",
                                          "12 ",
                                          "#x ",
                                          "THE ",
                                          "that\n",
                                          "have",
                                          " ",
                                          "\xE2\x80\xA6",
                                          "\xC3\xA9 ",
                                          "\xCC\x81\n",
                                          "with ",
                                          "antidisestablishmentarianism "};
  for (u64 seed = 0; seed < 600; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    std::string text;
    for (u64 i = 0; i < seed % 60; ++i)
      text += kPieces[draws.below(i, seed % 2 == 0 ? 12 : std::size(kPieces))];
    INFO("seed " << seed << ": " << quote(text, 400));
    for (const bool runs : {false, true}) {
      const auto all = found(runs ? "gopher_v2" : "gopher_v1", text);
      for (const auto& [type, expected] : counts_by_definition(text, runs)) {
        INFO(type);
        CHECK(value(all, type) == Approx(expected));
      }
    }
  }
}

TEST_CASE("gopher: a hundred thousand equal words, a line of a million letters", "[tag]") {
  std::string same;
  for (int i = 0; i < 100000; ++i)
    same += "ab ";
  const auto all = found("gopher_v1", same);
  CHECK(value(all, top(2)) == Approx(99999.0 * 4 / 200000));
  CHECK(value(all, top(4)) == Approx(99997.0 * 8 / 200000));
  CHECK(value(all, duplicate(10)) == 1);
  const auto line = found("gopher_v1", std::string(1000000, 'x'));
  CHECK(value(line, "median_word_length") == 1000000);
  CHECK(line.count(top(2)) == 0);
}
