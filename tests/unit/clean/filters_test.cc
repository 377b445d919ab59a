// Cleaners that only drop.

#include <map>

#include "cleaning.h"

using namespace lm::clean;

namespace {

/// English that passes.
std::string prose() {
  std::string out;
  for (int i = 0; i < 12; ++i)
    out += "The house number " + std::string(1, static_cast<char>('a' + i)) +
           std::string(1, static_cast<char>('b' + i)) +
           " was old and it had to be torn down with great care by people that lived there " +
           std::string(static_cast<std::size_t>(i + 2), static_cast<char>('m' + i)) + ".\n";
  return out;
}

}  // namespace

TEST_CASE("fineweb drops by each of its measures", "[clean]") {
  CHECK(clean_text("fineweb", prose()) == prose());
  CHECK(clean_text("fineweb", " \n ") == "<empty>");
  CHECK(clean_text("fineweb", "no mark at the end of this line\nnor of this one which is longer") ==
        "<line_ends>");
  CHECK(clean_text("fineweb", "Short.\nShort too.\nAlso.") == "<short_lines>");
  const std::string twice = "This is a line that is here two times, and it is long.\n";
  CHECK(clean_text("fineweb", twice + twice + "x") == "<duplicate_lines>");
  std::string list;
  for (int i = 0; i < 3; ++i)
    list += std::string(40, static_cast<char>('a' + i)) + ".\n\n";
  CHECK(clean_text("fineweb", list) == "<newlines>");
  CHECK(clean_text("fineweb:newlines=3", list) == list);
}

TEST_CASE("nemo-en drops by each of its measures", "[clean]") {
  using Options = std::map<std::string, std::string>;
  const auto drop = [](const std::string& text, const Options& options) {
    Options all = {{"min-words", "0"},          {"common-words", "0"},
                   {"non-alphanumeric", "1"},   {"alphabetic-words", "0"},
                   {"min-mean-word", "0"},      {"no-end-mark", "1"},
                   {"unique-lines", "0"},       {"unique-paragraphs", "0"},
                   {"unique-lines-chars", "0"}, {"unique-paragraphs-chars", "0"}};
    for (int n = 2; n <= 10; ++n)
      all[(n < 5 ? "top-" : "dup-") + std::to_string(n) + "gram"] = "1";
    for (const auto& [name, value] : options)
      all[name] = value;
    std::string spec = "nemo-en";
    for (const auto& [name, value] : all)
      spec += (spec == "nemo-en" ? ":" : ",") + name + "=" + value;
    return clean_text(spec, text);
  };
  CHECK(clean_text("nemo-en", prose()) == "<dup_5gram>");
  CHECK(
      clean_text("nemo-en:dup-5gram=1,dup-6gram=1,dup-7gram=1,dup-8gram=1,dup-9gram=1,dup-10gram=1",
                 prose()) == prose());
  CHECK(clean_text("nemo-en", "\n\n") == "<empty>");
  CHECK(clean_text("nemo-en", "$$$$ $$$$") == "<non_alphanumeric>");
  CHECK(drop("a # b ... c", {}) == "<symbols>");
  CHECK(drop("in 1234 of it", {}) == "<digits>");
  CHECK(drop("see http://example.org/a%20b or not", {}) == "<urls>");
  CHECK(drop("a b c d e f", {}) == "<blanks>");
  CHECK(drop("(abc) [def]", {}) == "<brackets>");
  CHECK(drop("we have a Privacy Policy", {}) == "<boilerplate>");
  CHECK(drop("abc\n\nof Lorem Ipsum\n\nabc", {}) == "<boilerplate>");
  CHECK(drop("abcd ef\nabcd ef\nabcd ef", {{"unique-lines", "0.7"}}) == "<unique_lines>");
  CHECK(drop("abcd ef\n\nabcd ef", {{"unique-paragraphs", "0.7"}}) == "<unique_paragraphs>");
  CHECK(drop("abcd ef\nabcd ef\nz", {{"unique-lines-chars", "0.8"}}) == "<unique_lines_chars>");
  CHECK(drop("abcd ef\n\nabcd ef\n\nz", {{"unique-paragraphs-chars", "0.8"}, {"blanks", "1"}}) ==
        "<unique_paragraphs_chars>");
  CHECK(drop("a fox ran off", {{"min-words", "5"}}) == "<min_words>");
  CHECK(drop("foxes running off", {{"max-words", "2"}}) == "<max_words>");
  CHECK(drop("foxes running off", {{"no-end-mark", "0.85"}}) == "<no_end_mark>");
  CHECK(drop("foxes 12 run", {{"alphabetic-words", "0.8"}, {"digits", "1"}}) ==
        "<alphabetic_words>");
  CHECK(drop("the foxes", {{"common-words", "2"}}) == "<common_words>");
  CHECK(drop("a fox", {{"min-mean-word", "3"}}) == "<min_mean_word>");
  CHECK(drop("foxesrunningoffhome", {}) == "<max_mean_word>");
  CHECK(drop("foxes " + std::string(1001, 'x'), {{"max-mean-word", "9999"}}) == "<word_length>");
  CHECK(drop("foxes run home Read more", {}) == "<ellipsis_lines>");
  CHECK(drop("foxes run foxes run", {{"top-2gram", "0.2"}}) == "<top_2gram>");
  const std::string four = "foxes run home soon foxes run home soon";
  CHECK(drop(four, {{"dup-5gram", "0"}}) == four);
  CHECK(drop("we all run home soon we all run home soon", {{"dup-5gram", "0.4"}}) == "<dup_5gram>");
  CHECK(drop("\xE2\x80\xA2 foxes running home", {}) == "<bullets>");
  // Words of repeated n-grams count once: of the second "a b c d e f" 11 of the text's 23
  // characters.
  const std::string twice = "a b c d e f a b c d e f";
  CHECK(drop(twice, {{"blanks", "1"}, {"dup-5gram", "0.479"}}) == twice);
  CHECK(drop(twice, {{"blanks", "1"}, {"dup-5gram", "0.478"}}) == "<dup_5gram>");
}
