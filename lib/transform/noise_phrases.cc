// Operators of noise that add, leave out and say words otherwise.

#include <algorithm>
#include <array>
#include <iterator>

#include "core/str.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "transform/noise_pass.h"

namespace lm::transform {

namespace {

// In the order of bytes, as are the next lists.
constexpr std::string_view kFunctionWords[] = {
    "a",    "about", "after",   "all",     "also",  "am",     "an",    "and",    "any",   "are",
    "as",   "at",    "be",      "because", "been",  "before", "but",   "by",     "can",   "could",
    "did",  "do",    "does",    "for",     "from",  "had",    "has",   "have",   "he",    "her",
    "here", "him",   "his",     "how",     "i",     "if",     "in",    "into",   "is",    "it",
    "its",  "just",  "may",     "me",      "might", "must",   "my",    "no",     "not",   "of",
    "off",  "on",    "or",      "our",     "out",   "over",   "she",   "should", "so",    "some",
    "such", "than",  "that",    "the",     "their", "them",   "then",  "there",  "these", "they",
    "this", "those", "through", "to",      "too",   "under",  "until", "up",     "us",    "very",
    "was",  "we",    "were",    "what",    "when",  "where",  "which", "while",  "who",   "whose",
    "why",  "will",  "with",    "would",   "you",   "your"};
constexpr std::string_view kPrepositions[] = {
    "about", "after",   "at",   "before", "below", "between", "by",     "during", "for",
    "from",  "in",      "into", "near",   "of",    "off",     "on",     "onto",   "over",
    "since", "through", "to",   "under",  "until", "with",    "within", "without"};

// What sounds alike.
constexpr std::pair<std::string_view, std::string_view> kHomophones[] = {{"allowed", "aloud"},
                                                                         {"are", "our"},
                                                                         {"be", "bee"},
                                                                         {"blue", "blew"},
                                                                         {"break", "brake"},
                                                                         {"buy", "by"},
                                                                         {"by", "buy"},
                                                                         {"cheap", "cheep"},
                                                                         {"course", "coarse"},
                                                                         {"die", "dye"},
                                                                         {"eight", "ate"},
                                                                         {"fair", "fare"},
                                                                         {"fare", "fair"},
                                                                         {"for", "four"},
                                                                         {"four", "for"},
                                                                         {"great", "grate"},
                                                                         {"guest", "guessed"},
                                                                         {"hear", "here"},
                                                                         {"heard", "herd"},
                                                                         {"here", "hear"},
                                                                         {"hole", "whole"},
                                                                         {"hour", "our"},
                                                                         {"i", "eye"},
                                                                         {"knew", "new"},
                                                                         {"know", "no"},
                                                                         {"mail", "male"},
                                                                         {"main", "mane"},
                                                                         {"male", "mail"},
                                                                         {"meat", "meet"},
                                                                         {"meet", "meat"},
                                                                         {"new", "knew"},
                                                                         {"nice", "niece"},
                                                                         {"night", "knight"},
                                                                         {"no", "know"},
                                                                         {"one", "won"},
                                                                         {"our", "hour"},
                                                                         {"pair", "pear"},
                                                                         {"past", "passed"},
                                                                         {"peace", "piece"},
                                                                         {"piece", "peace"},
                                                                         {"plain", "plane"},
                                                                         {"plane", "plain"},
                                                                         {"principal", "principle"},
                                                                         {"rain", "reign"},
                                                                         {"read", "red"},
                                                                         {"red", "read"},
                                                                         {"right", "write"},
                                                                         {"road", "rode"},
                                                                         {"role", "roll"},
                                                                         {"sale", "sail"},
                                                                         {"scene", "seen"},
                                                                         {"sea", "see"},
                                                                         {"see", "sea"},
                                                                         {"seen", "scene"},
                                                                         {"side", "sighed"},
                                                                         {"sight", "site"},
                                                                         {"site", "sight"},
                                                                         {"some", "sum"},
                                                                         {"son", "sun"},
                                                                         {"station", "stationary"},
                                                                         {"steak", "stake"},
                                                                         {"suite", "sweet"},
                                                                         {"sun", "son"},
                                                                         {"sweet", "suite"},
                                                                         {"tale", "tail"},
                                                                         {"thai", "tie"},
                                                                         {"their", "there"},
                                                                         {"there", "their"},
                                                                         {"through", "threw"},
                                                                         {"to", "two"},
                                                                         {"too", "two"},
                                                                         {"two", "to"},
                                                                         {"wait", "weight"},
                                                                         {"way", "weigh"},
                                                                         {"weak", "week"},
                                                                         {"weather", "whether"},
                                                                         {"week", "weak"},
                                                                         {"whether", "weather"},
                                                                         {"whole", "hole"},
                                                                         {"won", "one"},
                                                                         {"wood", "would"},
                                                                         {"would", "wood"},
                                                                         {"write", "right"},
                                                                         {"you", "ewe"}};

constexpr std::string_view kOpenings[] = {"by the way ,",
                                          "i was just wondering ,",
                                          "sorry to bother you but",
                                          "let me think ,",
                                          "one more thing ,",
                                          "it is so hot today ,",
                                          "my phone is nearly dead ,",
                                          "hold on ,",
                                          "oh before i forget ,",
                                          "i had a long day ,",
                                          "hello again ,",
                                          "you know what ,"};

constexpr std::string_view kSayings[] = {
    "better late than never",     "practice makes perfect",       "time is money",
    "all is well that ends well", "the early bird gets the worm", "haste makes waste",
    "no news is good news",       "look before you leap",         "actions speak louder than words",
    "many hands make light work"};

constexpr std::string_view kClauses[] = {"if that is not too much trouble",
                                         "as far as i can tell",
                                         "just so you know",
                                         "when you have a moment",
                                         "as i said before",
                                         "if i remember correctly",
                                         "and i mean that",
                                         "because i am not quite sure",
                                         "to be honest"};

constexpr std::string_view kConjunctions[] = {"and",  "because", "but",   "or",   "so",
                                              "that", "then",    "which", "while"};

constexpr std::string_view kSmall[] = {"zero",    "one",     "two",       "three",    "four",
                                       "five",    "six",     "seven",     "eight",    "nine",
                                       "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                       "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::string_view kTens[] = {"",      "",      "twenty",  "thirty", "forty",
                                      "fifty", "sixty", "seventy", "eighty", "ninety"};

template <typename List>
bool is_listed(const List& list, std::string_view word) {
  return std::binary_search(std::begin(list), std::end(list), word);
}

template <typename List>
std::string_view draw_one(const List& list, DrawRow& row) {
  return list[usize(row.below(isize(std::span(list))))];
}

/// What sounds like a word, or empty.
std::string_view homophone(std::string_view word) {
  const auto found =
      std::lower_bound(std::begin(kHomophones), std::end(kHomophones), word,
                       [](const auto& entry, std::string_view w) { return entry.first < w; });
  return found != std::end(kHomophones) && found->first == word ? found->second
                                                                : std::string_view();
}

/// A number word as digits, or empty.
std::string in_digits(std::string_view word) {
  for (std::size_t i = 0; i < std::size(kSmall); ++i)
    if (word == kSmall[i]) return cat(i);
  for (std::size_t i = 2; i < std::size(kTens); ++i)
    if (word == kTens[i]) return cat(i * 10);
  return {};
}

std::string without_punctuation(std::string_view word) {
  std::string out;
  for (const char32_t cp : text::to_utf32(word))
    if (!text::is_punctuation(cp) || cp == '\'') text::append_utf8(out, cp);
  return out;
}

/// A word as a recogniser writes it, before it mishears: none where it is a mark alone.
std::vector<std::string> as_heard(std::string_view word) {
  const std::string plain = without_punctuation(text::to_lower(word));
  if (const std::optional<i64> number = parse_int(plain);
      number && *number >= 0 && *number < 1'000'000 && (plain.size() == 1 || plain[0] != '0'))
    return words_of_phrase(number_in_words(*number));
  if (plain.empty()) return {};
  return {plain};
}

}  // namespace

bool is_function_word(std::string_view word) {
  return is_listed(kFunctionWords, std::string_view(text::to_lower(word)));
}

bool is_preposition(std::string_view word) {
  return is_listed(kPrepositions, std::string_view(text::to_lower(word)));
}

std::string number_in_words(i64 number) {
  if (number < 20) return std::string(kSmall[usize(number)]);
  std::string out;
  const auto add = [&](std::string_view word) { append(out, out.empty() ? "" : " ", word); };
  if (number >= 1000) {
    add(number_in_words(number / 1000));
    add("thousand");
    number %= 1000;
  }
  if (number >= 100) {
    add(kSmall[usize(number / 100)]);
    add("hundred");
    number %= 100;
  }
  if (number >= 20) {
    add(kTens[usize(number / 10)]);
    number %= 10;
    if (number == 0) return out;
  } else if (number == 0) {
    return out;
  }
  add(kSmall[usize(number)]);
  return out;
}

void speech(NoisePass& pass, f64 rate) {
  constexpr f64 kMisheard = 0.15;
  constexpr f64 kDropped = 0.05;
  constexpr f64 kFiller = 0.05;
  while (!pass.at_end()) {
    const i64 at = pass.at();
    const Word word = pass.word(at);
    DrawRow row = pass.row(at);
    // One draw for each thing that may happen to the word, so that none moves another's.
    const bool heard = row.uniform() < pass.rate(rate);
    const bool misheard = row.uniform() < pass.rate(kMisheard * rate);
    const bool dropped = row.uniform() < pass.rate(kDropped * rate);
    const bool filler = row.uniform() < pass.rate(kFiller * rate);
    const bool digits = row.uniform() < 0.5;
    if (filler && !goes_on(word)) pass.insert({"uh"});
    const bool last_one = pass.made() == 0 && at + 1 == pass.size();
    if (dropped && is_outside(word) && is_function_word(word.text) && !last_one) {
      pass.replace(1, {});
      continue;
    }
    std::vector<std::string> said = {word.text};
    if (heard) {
      said = as_heard(word.text);
      // A number that was said in one word may be written in digits.
      if (said.size() == 1 && said[0] == text::to_lower(word.text) && digits)
        if (std::string number = in_digits(said[0]); !number.empty()) said[0] = std::move(number);
    }
    if (misheard && said.size() == 1)
      if (const std::string_view other = homophone(said[0]); !other.empty()) said[0] = other;
    if (said.empty() && (!is_outside(word) || last_one)) said = {word.text};
    pass.replace(1, said);
  }
}

void append_irr(NoisePass& pass, f64 rate) {
  constexpr f64 kSaying = 0.5;
  DrawRow row = pass.row(0);
  const bool opens = row.uniform() < pass.rate(rate);
  const std::string_view opening = draw_one(kOpenings, row);
  if (opens) pass.insert(words_of_phrase(opening));
  while (!pass.at_end())
    pass.keep();
  const bool ends = row.uniform() < pass.rate(kSaying * rate);
  const std::string_view saying = draw_one(kSayings, row);
  if (ends) pass.insert(words_of_phrase(saying));
}

void simplify(NoisePass& pass, f64 rate) {
  while (!pass.at_end()) {
    const i64 begin = pass.at();
    if (!pass.outside(begin)) {
      pass.keep();
      continue;
    }
    i64 end = begin;
    while (end < pass.size() && pass.outside(end))
      ++end;
    // A preposition beside a slot says what the slot is for.
    const bool needed = (end < pass.size() && is_preposition(pass.word(end - 1).text)) ||
                        (begin > 0 && is_preposition(pass.word(begin).text));
    const bool all = pass.made() == 0 && end == pass.size();
    DrawRow row = pass.row(begin);
    if (!needed && row.uniform() < pass.rate(rate)) {
      if (all) pass.keep();  // one word stays
      pass.replace(end - pass.at(), {});
    } else {
      while (pass.at() < end)
        pass.keep();
    }
  }
}

void verbose(NoisePass& pass, f64 rate) {
  const auto add = [&](i64 place) {
    DrawRow row = pass.row(place);
    const bool adds = row.uniform() < pass.rate(rate);
    const std::string_view clause = draw_one(kClauses, row);
    if (adds) pass.insert(words_of_phrase(clause));
  };
  while (!pass.at_end()) {
    const i64 at = pass.at();
    const Word& word = pass.word(at);
    const bool begins_clause =
        at == 0 || pass.word(at - 1).text == "," ||
        is_listed(kConjunctions, std::string_view(text::to_lower(word.text)));
    if (begins_clause && !goes_on(word) && (at == 0 || is_outside(word) || pass.outside(at - 1)))
      add(at);
    pass.keep();
  }
  add(pass.size());
}

}  // namespace lm::transform
