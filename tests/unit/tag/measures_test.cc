// madlad, dclm, refinedweb, content, unigram.

#include <cmath>
#include <fstream>

#include "core/error.h"
#include "core/hash.h"
#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

constexpr const char* kPlain = "This sentence is neither short nor long. ";

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i)
    out += text;
  return out;
}

TagSettings dolma() {
  TagSettings settings;
  settings.dolma = true;
  return settings;
}

}  // namespace

TEST_CASE("madlad: fewer than five sentences are not judged", "[tag]") {
  const auto few = found("madlad", repeat(kPlain, 4));
  CHECK(value(few, "sentences") == 4);
  CHECK(value(few, "too_short") == 1);
  CHECK(few.count("rules_2_3_4") == 0);
  CHECK(value(found("madlad", ""), "sentences") == 0);
  // Marks without white space behind end nothing; several are one end.
  CHECK(value(found("madlad", "1.5 a.b ?! c... d."), "sentences") == 3);
}

TEST_CASE("madlad: each rule has its share", "[tag]") {
  const std::string list = "One Two Three Four Five Six Seven eight nine ten eleven twelve. ";
  const std::string marks = "f(1) + g(2) > {3} / 4 5 6 7 8 9. ";
  const auto all =
      found("madlad", repeat(kPlain, 5) + list + marks + "Short. " + std::string(501, 'x'));
  CHECK(value(all, "sentences") == 9);
  CHECK(value(all, "too_short") == 0);
  CHECK(value(all, "rule_2_list_case") == Approx(1.0 / 9));
  CHECK(value(all, "rule_3_length") == Approx(2.0 / 9));
  CHECK(value(all, "rule_4_technical") == Approx(1.0 / 9));
  CHECK(value(all, "rules_2_3_4") == Approx(4.0 / 9));
  // Half of the words with a capital is not more than half.
  const std::string half = "One Two Three Four Five Six seven eight nine ten eleven twelve. ";
  CHECK(value(found("madlad", repeat(half, 5)), "rule_2_list_case") == 0);
  // Ten characters of three bytes: datamap-rs counts bytes.
  const std::string cjk = repeat("\xE4\xBD\xA0", 10) + ". ";
  CHECK(value(found("madlad", repeat(cjk, 5)), "rule_3_length") == 1);
  CHECK(value(found("madlad", repeat(cjk, 5), dolma()), "rule_3_length") == 0);
}

TEST_CASE("madlad: a list of expressions, as it is meant and as datamap-rs reads it", "[tag]") {
  const test::TempDir dir;
  const std::string path = dir.file("list");
  std::ofstream(path) << "orem ipsum\n nr\\.$\nx[0-9]y\nqq\nrr\n";
  const std::string text = repeat(kPlain, 3) +
                           "Here is a lorem ipsum again. This has x7y inside of it. " +
                           "This sentence ends in nr\\.$ indeed. ";
  const auto paper = found("madlad_cursed", text, {}, "", path);
  CHECK(value(paper, "rule_5_cursed") == Approx(2.0 / 6));
  CHECK(value(paper, "rules_2_5") == Approx(2.0 / 6));
  CHECK(value(paper, "rules_2_3_4_5") == Approx(2.0 / 6));
  // Of five lines the first alone is text there.
  CHECK(value(found("madlad_cursed", text, dolma(), "", path), "rule_5_cursed") == Approx(2.0 / 6));
  std::ofstream(path) << "a(\n";
  CHECK_THROWS_AS(found("madlad_cursed", text, {}, "", path), Error);
  std::ofstream(path) << "\n";
  CHECK_THROWS_AS(found("madlad_cursed", text, {}, "", path), Error);
}

TEST_CASE("dclm: a document by hand", "[tag]") {
  const auto all = found("dclm", "The cat #1...\n- of the cat\n\nThe cat #1...\n");
  CHECK(value(all, "word_count") == 7);  // #1... and - do not begin with letters
  CHECK(value(all, "mean_word_length") == Approx((3 + 3 + 5 + 1 + 2 + 3 + 3 + 3 + 3 + 5) / 10.0));
  CHECK(value(all, "symbol_to_word_ratio") == Approx(4.0 / 10));
  CHECK(value(all, "fraction_of_lines_starting_with_bullet_point") == Approx(1.0 / 3));
  CHECK(value(all, "fraction_of_lines_ending_with_ellipsis") == Approx(2.0 / 3));
  CHECK(value(all, "fraction_of_words_with_alpha_character") == Approx(7.0 / 10));
  CHECK(value(all, "stop_word_count") == 4);
  CHECK(value(all, "fraction_of_duplicate_lines") == Approx(2.0 / 3));
  CHECK(value(all, "fraction_of_characters_in_duplicate_lines") == Approx(26.0 / 38));
  CHECK(value(all, "fraction_of_duplicate_paragraphs") == 0);
  // The cat 1 of the cat The cat 1, 22 characters; The cat twice is the longest.
  CHECK(value(all, "fraction_of_characters_in_most_common_2grams") == Approx(12.0 / 22));
  CHECK(value(all, "fraction_of_characters_in_most_common_3grams") == Approx(14.0 / 22));
  CHECK(value(all, "fraction_of_characters_in_most_common_4grams") == 0);
}

TEST_CASE("dclm and refinedweb count words as fastText cuts them", "[tag]") {
  // U+00A0, U+3000, U+2028 and U+001F end no word, NUL and vertical tab do; ! is no begin of one.
  const std::string text("a\xC2\xA0z b\xE3\x80\x80z c\xE2\x80\xA8z d\x1Fz\ne\0f\vg !h", 29);
  CHECK(value(found("dclm", text), "word_count") == 7);
  // A line of two words there, of one word here.
  CHECK(value(found("refinedweb", text + "\n2024\n"), "fraction_of_words_removed") ==
        Approx(1.0 / 8));
}

TEST_CASE("dclm: of equally frequent n-grams the longest counts, repeated words once", "[tag]") {
  const auto top = found("dclm", "a b x a b y longer words z longer words");
  // a b: 2 characters; longer words: 11. Both twice, of 4 + 3 + 22 characters.
  CHECK(value(top, "fraction_of_characters_in_most_common_2grams") == Approx(22.0 / 29));
  // All n-grams of the same word overlap; no word counts twice.
  const auto same = found("dclm", repeat("aa ", 20));
  CHECK(value(same, "fraction_of_characters_in_duplicate_5grams") == 1);
  CHECK(value(same, "fraction_of_characters_in_duplicate_10grams") == 1);
  CHECK(value(found("dclm", ""), "failed_rules") >= 4);
}

TEST_CASE("refinedweb: lines to remove, the first reason alone", "[tag]") {
  const std::string text =
      "Some words that stay here.\nBUY NOW or\n2024\n3.5K likes\nword\n\n"
      "Sign-in please to go on\nTwo items in cart now\nMore of it read more...\n";
  const auto all = found("refinedweb", text);
  CHECK(all.at("line_mainly_uppercase") == Spans{{27, 38, 1}});
  CHECK(all.at("line_only_digits") == Spans{{38, 43, 1}});
  CHECK(all.at("line_counter") == Spans{{43, 54, 1}});
  CHECK(all.at("line_one_word") == Spans{{54, 59, 1}});
  // " items in cart" and "sign-in " with their blank, " read more..." at the end.
  CHECK(all.at("page_furniture") == Spans{{60, 68, 1}, {87, 101, 1}, {116, 129, 1}});
  // 3 + 1 + 2 + 1 in lines, 1 + 3 + 2 in lines that stay, of 5 + 3 + 1 + 2 + 1 + 5 + 5 + 5.
  CHECK(value(all, "fraction_of_words_removed") == Approx(13.0 / 27));
  CHECK(value(all, "failed_rules") == 1);
  CHECK(value(found("refinedweb", "Just words here."), "failed_rules") == 0);
  CHECK(value(found("refinedweb", ""), "fraction_of_words_removed") == 0);
  // Half capitals stay, and so does furniture in a line of eleven words.
  CHECK(found("refinedweb", "AB cd").count("line_mainly_uppercase") == 0);
  CHECK(found("refinedweb", "a b c d e f g h items in cart").count("page_furniture") == 0);
}

TEST_CASE("content: ratios, entropies, scripts and digests", "[tag]") {
  CHECK(found("zlib_ratio", std::string(199, 'x')).empty());
  CHECK(value(found("zlib_ratio", std::string(1000, 'x')), "ratio") == Approx(17.0 / 1000));
  CHECK(value(found("entropy", ""), "bits") == 0);
  CHECK(value(found("entropy", "aaaa"), "bits") == 0);
  CHECK(value(found("entropy", "aabbccdd"), "bits") == 2);
  const auto scripts = found("charset", "ab \xD0\xB6\xD0\xB6 1 \xE4\xB8\xAD");
  CHECK(value(scripts, "scripts") == 3);
  CHECK(value(scripts, "latin") == Approx(0.4));
  CHECK(value(scripts, "cyrillic") == Approx(0.4));
  CHECK(value(scripts, "han") == Approx(0.2));
  CHECK(value(found("charset", "1 2"), "scripts") == 0);
  const Hash128 hash = xxh3_128("abc", 0);
  CHECK(value(found("hash", "abc"), "high") == static_cast<f64>(hash.hi >> 16));
  CHECK(value(found("hash", "abc"), "low") == static_cast<f64>(hash.lo >> 16));
  TagSettings other;
  other.seed = 1;
  CHECK(value(found("hash", "abc", other), "high") != value(found("hash", "abc"), "high"));
}

TEST_CASE("unigram_logprob: the mean over words of a table", "[tag]") {
  const test::TempDir dir;
  const std::string path = dir.file("table");
  std::ofstream(path) << "word,count\nthe,3\ncat,1\n";
  const auto all = found("unigram_logprob", "The cat.", {}, "", path);
  CHECK(value(all, "logprob") == Approx((std::log(0.75) + std::log(0.25) + std::log(1e-9)) / 3));
  CHECK(value(found("unigram_logprob", " ", {}, "", path), "logprob") == 0);
  for (const char* bad : {"word,count\nthe\n", "the,x\n", "the,0\n", "word,count\n"}) {
    std::ofstream(path) << bad;
    CHECK_THROWS_AS(found("unigram_logprob", "x", {}, "", path), Error);
  }
}
