// Operators of noise that change the letters of words.

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/str.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "transform/noise_pass.h"

namespace lm::transform {

namespace {

constexpr i64 kLeastLetters = 4;  // of a word that gets a typo

/// Keys beside a key of the usual keyboard.
std::string_view neighbours(char key) {
  constexpr std::array<std::string_view, 26> kLetters = {
      "qwsz",   "vghn",  "xdfv", "serfcx", "wrsd", "drtgvc", "ftyhbv", "gyujnb", "uojk",
      "huikmn", "jiolm", "kop",  "njk",    "bhjm", "ipkl",   "ol",     "wa",     "etdf",
      "awedxz", "ryfg",  "yihj", "cfgb",   "qeas", "zsdc",   "tugh",   "asx"};
  constexpr std::array<std::string_view, 10> kDigits = {"9",  "2",  "13", "24", "35",
                                                        "46", "57", "68", "79", "80"};
  if (key >= 'a' && key <= 'z') return kLetters[static_cast<std::size_t>(key - 'a')];
  if (key >= '0' && key <= '9') return kDigits[static_cast<std::size_t>(key - '0')];
  return {};
}

/// A key beside the one of a letter, in its case; empty where there is no such key.
std::string beside(std::string_view letter, DrawRow& row) {
  if (letter.size() != 1) return {};
  const bool upper = letter[0] >= 'A' && letter[0] <= 'Z';
  const char key = upper ? static_cast<char>(letter[0] - 'A' + 'a') : letter[0];
  const std::string_view keys = neighbours(key);
  if (keys.empty()) return {};
  const char found = keys[usize(row.below(isize(keys)))];
  return std::string(1, upper && found >= 'a' ? static_cast<char>(found - 'a' + 'A') : found);
}

std::string joined_letters(std::span<const std::string_view> letters) {
  std::string out;
  for (const std::string_view letter : letters)
    out += letter;
  return out;
}

/// One mistake behind the first letter of a word of two letters or more.
std::string with_typo(std::string_view word, DrawRow& row) {
  std::vector<std::string_view> letters = letters_of(word);
  const i64 n = isize(letters);
  LM_CHECK(n >= 2, "a typo is behind the first letter");
  const i64 kind = row.below(4);
  const i64 at = 1 + row.below(n - 1);
  std::string other = beside(letters[usize(at)], row);
  if (kind == 0) {
    // The letter and the one behind it, or before it where it is the last.
    const i64 first = at + 1 < n ? at : at - 1;
    if (first >= 1 && letters[usize(first)] != letters[usize(first + 1)]) {
      std::swap(letters[usize(first)], letters[usize(first + 1)]);
      return joined_letters(letters);
    }
  }
  if (kind == 1 || (kind == 3 && other.empty())) {
    letters.erase(letters.begin() + at);
  } else if (kind == 3) {
    letters[usize(at)] = other;
  } else {
    // A key hit beside the right one, or twice.
    if (other.empty()) other = letters[usize(at)];
    letters.insert(letters.begin() + at + 1, other);
  }
  return joined_letters(letters);
}

struct Confusion {
  std::string_view from, to;
};
constexpr Confusion kConfusions[] = {
    {"0", "o"},  {"o", "0"},  {"O", "0"},  {"1", "l"},  {"l", "1"},  {"i", "l"},  {"I", "l"},
    {"5", "s"},  {"s", "5"},  {"S", "5"},  {"8", "b"},  {"B", "8"},  {"b", "h"},  {"e", "c"},
    {"c", "e"},  {"g", "9"},  {"q", "g"},  {"u", "v"},  {"m", "rn"}, {"rn", "m"}, {"d", "cl"},
    {"cl", "d"}, {"w", "vv"}, {"vv", "w"}, {"n", "ri"}, {"li", "h"}};

bool hit(NoisePass& pass, f64 rate, DrawRow& row) {
  return row.uniform() < pass.rate(rate);
}

}  // namespace

void typo(NoisePass& pass, f64 rate) {
  while (!pass.at_end()) {
    DrawRow row = pass.row(pass.at());
    const std::string& word = pass.word(pass.at()).text;
    if (hit(pass, rate, row) && isize(letters_of(word)) >= kLeastLetters)
      pass.become(with_typo(word, row));
    else
      pass.keep();
  }
}

void ent_typo(NoisePass& pass, f64 rate) {
  constexpr f64 kOutside = 0.1;
  i64 chosen = -1;  // in the slot under way
  while (!pass.at_end()) {
    const i64 at = pass.at();
    DrawRow row = pass.row(at, 1);
    if (pass.outside(at)) {
      if (row.uniform() < pass.rate(kOutside) &&
          isize(letters_of(pass.word(at).text)) >= kLeastLetters)
        pass.become(with_typo(pass.word(at).text, row));
      else
        pass.keep();
      continue;
    }
    if (!goes_on(pass.word(at))) {
      // One of the slot's words that are long enough, else of those of two letters.
      DrawRow choice = pass.row(at);
      const bool any = hit(pass, rate, choice);
      for (const i64 least : {kLeastLetters, i64{2}}) {
        std::vector<i64> able;
        for (i64 i = at; i < pass.size() && (i == at || goes_on(pass.word(i))); ++i)
          if (isize(letters_of(pass.word(i).text)) >= least) able.push_back(i);
        chosen = any && !able.empty() ? able[usize(choice.below(isize(able)))] : -1;
        if (!able.empty()) break;
      }
    }
    if (at == chosen)
      pass.become(with_typo(pass.word(at).text, row));
    else
      pass.keep();
  }
}

void keyboard(NoisePass& pass, f64 rate) {
  while (!pass.at_end()) {
    DrawRow row = pass.row(pass.at());
    std::vector<std::string_view> letters = letters_of(pass.word(pass.at()).text);
    std::string other;
    if (hit(pass, rate, row)) {
      std::string_view& letter = letters[usize(row.below(isize(letters)))];
      other = beside(letter, row);
      if (!other.empty()) letter = other;
    }
    if (other.empty())
      pass.keep();
    else
      pass.become(joined_letters(letters));
  }
}

void ocr(NoisePass& pass, f64 rate) {
  while (!pass.at_end()) {
    DrawRow row = pass.row(pass.at());
    const std::string& word = pass.word(pass.at()).text;
    std::vector<std::pair<std::size_t, const Confusion*>> places;
    if (hit(pass, rate, row)) {
      for (const Confusion& one : kConfusions)
        for (std::size_t at = word.find(one.from); at != std::string::npos;
             at = word.find(one.from, at + 1))
          places.emplace_back(at, &one);
    }
    if (places.empty()) {
      pass.keep();
      continue;
    }
    const auto [at, one] = places[usize(row.below(isize(places)))];
    pass.become(cat(word.substr(0, at), one->to, word.substr(at + one->from.size())));
  }
}

void letter_case(NoisePass& pass, f64 rate) {
  while (!pass.at_end()) {
    DrawRow row = pass.row(pass.at());
    if (!hit(pass, rate, row)) {
      pass.keep();
      continue;
    }
    const bool all = row.uniform() < 0.5;  // every letter, or each by a draw
    std::string out;
    for (const char32_t cp : text::to_utf32(pass.word(pass.at()).text)) {
      const char32_t upper = text::simple_upper(cp);
      const bool flip = all || row.uniform() < 0.5;
      text::append_utf8(out, !flip ? cp : upper != cp ? upper : text::simple_lower(cp));
    }
    pass.become(std::move(out));
  }
}

void space(NoisePass& pass, f64 rate) {
  while (!pass.at_end()) {
    const i64 at = pass.at();
    DrawRow row = pass.row(at);
    if (!hit(pass, rate, row)) {
      pass.keep();
      continue;
    }
    const std::string& word = pass.word(at).text;
    const std::vector<std::string_view> letters = letters_of(word);
    const bool can_join = at + 1 < pass.size();
    const bool can_split = letters.size() >= 2;
    const bool split = can_split && (!can_join || row.uniform() < 0.5);
    if (split) {
      const i64 cut = 1 + row.below(isize(letters) - 1);
      const std::size_t bytes = usize(letters[usize(cut)].data() - word.data());
      pass.replace(1, {word.substr(0, bytes), word.substr(bytes)});
    } else if (can_join) {
      pass.replace(2, {word + pass.word(at + 1).text});
    } else {
      pass.keep();
    }
  }
}

void spelling(NoisePass& pass, f64 rate, const Misspellings& table) {
  while (!pass.at_end()) {
    DrawRow row = pass.row(pass.at());
    const std::string& word = pass.word(pass.at()).text;
    const auto found = table.find(text::to_lower(word));
    if (found == table.end() || found->second.empty() || !hit(pass, rate, row)) {
      pass.keep();
      continue;
    }
    pass.become(capitalised_as(word, found->second[usize(row.below(isize(found->second)))]));
  }
}

}  // namespace lm::transform
