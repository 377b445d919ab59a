#include <algorithm>
#include <map>

#include "core/random.h"
#include "core/str.h"
#include "tagging.h"
#include "text/segment.h"
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
