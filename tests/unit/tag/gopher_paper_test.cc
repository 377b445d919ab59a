#include <algorithm>
#include <map>
#include <set>

#include "core/random.h"
#include "core/str.h"
#include "tagging.h"
#include "text/segment.h"

using namespace lm;
using namespace lm::tag;

namespace {

/// Characters of n-grams that stood before over those of the text, by scanning with a set.
f64 again_by_definition(std::string_view text, std::size_t n) {
  const std::vector<std::string_view> words = text::words_ws(text);
  std::set<std::vector<std::string_view>> seen;
  std::size_t chars = 0;
  for (std::size_t at = 0; at + n <= words.size();) {
    const std::vector<std::string_view> gram(words.begin() + static_cast<i64>(at),
                                             words.begin() + static_cast<i64>(at + n));
    if (seen.insert(gram).second) {
      ++at;
      continue;
    }
    for (const std::string_view word : gram)
      chars += word.size();
    at += n;
  }
  return static_cast<f64>(chars) / static_cast<f64>(std::max<std::size_t>(text.size(), 1));
}

}  // namespace

TEST_CASE("gopher_paper: a document by hand", "[tag]") {
  // 58 characters.
  const std::string text =
      "the # end...\n\xE2\x80\xA2 one\n\n- two\xE2\x80\xA6 \nand -- of\n\n- two\xE2\x80\xA6 \nand "
      "-- of \n";
  const auto all = found("gopher_paper", text);
  // the end... U+2022 one two.. and of two.. and of; not # - -- - --: 3+6+1+3+4+3+2+4+3+2 = 31.
  // datatrove's list of punctuation lacks U+2022.
  CHECK(value(all, "word_count") == 10);
  CHECK(value(all, "mean_word_length") == Approx(31.0 / 10));
  CHECK(value(all, "hash_to_word_ratio") == Approx(1.0 / 15));
  CHECK(value(all, "ellipsis_to_word_ratio") == Approx(3.0 / 15));
  // 8 lines, two of them empty.
  CHECK(value(all, "fraction_of_lines_starting_with_bullet_point") == Approx(3.0 / 8));
  CHECK(value(all, "fraction_of_lines_ending_with_ellipsis") == Approx(3.0 / 8));
  CHECK(value(all, "fraction_of_words_with_alpha_character") == Approx(9.0 / 15));
  CHECK(value(all, "stop_word_count") == 3);
  CHECK(all.at("word_count")[0].end == 58);
  const f64 chars = 58;
  // The third paragraph equals the second once the text is stripped: "- two.. \nand -- of".
  CHECK(value(all, "fraction_of_duplicate_paragraphs") == Approx(1.0 / 3));
  CHECK(value(all, "fraction_of_characters_in_duplicate_paragraphs") == Approx(17.0 / chars));
  // Of the lines between runs of newlines only "- two.. " stood before; the last is empty.
  CHECK(value(all, "fraction_of_duplicate_lines") == Approx(1.0 / 7));
  CHECK(value(all, "fraction_of_characters_in_duplicate_lines") == Approx(7.0 / chars));
  // "- two.." twice, with its blank.
  CHECK(value(all, "fraction_of_characters_in_most_common_2grams") == Approx(12.0 / chars));
  // "- two.. and -- of" once more: 1 + 4 + 3 + 2 + 2.
  CHECK(value(all, "fraction_of_characters_in_duplicate_5grams") == Approx(12.0 / chars));
  CHECK(value(all, "fraction_of_characters_in_duplicate_6grams") == 0);
  // Outside: words, ellipses in words, ellipsis lines, letters, duplicate paragraphs, characters in
  // them, 5-grams, and 2-, 3- and 4-grams with 12, 20 and 26 characters.
  CHECK(value(all, "failed_rules") == 10);
}

TEST_CASE("gopher_paper: nothing at all fails", "[tag]") {
  const auto empty = found("gopher_paper", "");
  CHECK(value(empty, "word_count") == 0);
  // Words, their mean length, letters, stop words.
  CHECK(value(empty, "failed_rules") == 4);
  CHECK(value(found("gopher_paper", "\n\n\n"), "failed_rules") >= 4);
}

TEST_CASE("gopher_paper: ordinary prose passes", "[tag]") {
  std::string text;
  for (int i = 0; i < 80; ++i)
    append(text, "the ", "w", i, "ord and that", i * i, i % 10 == 9 ? ".\n" : " ");
  CHECK(value(found("gopher_paper", text), "failed_rules") == 0);
}

TEST_CASE("gopher_paper: n-grams that stood before equal the definition on random texts", "[tag]") {
  for (u64 seed = 0; seed < 300; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    const u64 kinds = 1 + draws.below(0, 5);
    std::string text;
    for (u64 i = 0; i < draws.below(1, 150); ++i)
      append(text, std::string(1 + draws.below(2 + i, kinds), 'a'), " ");
    INFO("seed " << seed);
    const auto all = found("gopher_paper", text);
    for (std::size_t n = 5; n <= 10; ++n) {
      CHECK(value(all, cat("fraction_of_characters_in_duplicate_", n, "grams")) ==
            Approx(again_by_definition(text, n)));
    }
  }
}

TEST_CASE("n-grams of other words are others, though their letters are the same", "[tag]") {
  // datatrove joins words without anything between, so it finds "abcdef" twice.
  CHECK(value(found("gopher_paper", "ab c d e f x a bc d e f"),
              "fraction_of_characters_in_duplicate_5grams") == 0);
  CHECK(value(found("gopher_paper", "ab c d e f x ab c d e f"),
              "fraction_of_characters_in_duplicate_5grams") > 0);
}
