#pragma once
// A WordNet database of a few synsets for tests, laid out as wndb(5WN) says.

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/str.h"

namespace lm::test {

struct TinySynset {
  char part = 'n';  // n v a s r
  std::vector<std::string> words;
  std::vector<int> above = {};  // hypernyms, as places in the list; the way down is added
};

/// An animal, what is above and below it; a verb; adjectives; an adverb.
inline const std::vector<TinySynset>& tiny_synsets() {
  static const std::vector<TinySynset> kAll = {
      {'n', {"animal", "beast"}},
      {'n', {"canine", "canid"}, {0}},
      {'n', {"dog", "domestic_dog"}, {1}},
      {'n', {"puppy"}, {2}},
      {'n', {"dog", "frump"}},
      {'n', {"mouse"}, {0}},
      {'n', {"house", "home", "dwelling"}},
      {'v', {"travel", "go", "move"}},
      {'v', {"run", "sprint"}, {7}},
      {'a', {"big", "large"}},
      {'s', {"outback(a)", "remote"}},
      {'r', {"quickly", "rapidly", "speedily"}},
  };
  return kAll;
}

inline void write_tiny_wordnet(const std::string& folder,
                               const std::vector<TinySynset>& synsets = tiny_synsets()) {
  const std::string licence = "  1 no licence  \n  2 but lines that look like one  \n";
  const auto part_of = [](char p) { return p == 's' ? 'a' : p; };
  std::vector<i64> offsets(synsets.size(), 0);
  const auto number = [](i64 n, std::size_t width) {
    std::string text = cat(n);
    return std::string(width - text.size(), '0') + text;
  };
  const auto line = [&](std::size_t at) {
    const TinySynset& s = synsets[at];
    std::string out =
        cat(number(offsets[at], 8), " 05 ", std::string(1, s.part), " 0", s.words.size(), " ");
    for (const std::string& word : s.words)
      append(out, word, " 0 ");
    std::string pointers;
    i64 count = 0;
    const auto point = [&](char kind, std::size_t to) {
      append(pointers, std::string(1, kind), " ", number(offsets[to], 8), " ",
             std::string(1, part_of(synsets[to].part)), " 0000 ");
      ++count;
    };
    for (const int to : s.above)
      point('@', static_cast<std::size_t>(to));
    for (std::size_t below = 0; below < synsets.size(); ++below) {
      for (const int to : synsets[below].above) {
        if (to == static_cast<int>(at)) point('~', below);
      }
    }
    return cat(out, number(count, 3), " ", pointers, "| as it says  \n");
  };
  std::filesystem::create_directories(folder);
  const std::vector<std::pair<char, std::string>> files = {
      {'n', "noun"}, {'v', "verb"}, {'a', "adj"}, {'r', "adv"}};
  for (const auto& [part, name] : files) {  // lengths do not depend on the offsets' digits
    i64 at = isize(licence);
    for (std::size_t s = 0; s < synsets.size(); ++s) {
      if (part_of(synsets[s].part) != part) continue;
      offsets[s] = at;
      at += isize(line(s));
    }
  }
  for (const auto& [part, name] : files) {
    std::ofstream data(folder + "/data." + name);
    data << licence;
    std::map<std::string, std::string> senses;
    for (std::size_t s = 0; s < synsets.size(); ++s) {
      if (part_of(synsets[s].part) != part) continue;
      data << line(s);
      for (const std::string& word : synsets[s].words)
        append(senses[word.substr(0, word.find('('))], " ", number(offsets[s], 8));
    }
    std::ofstream index(folder + "/index." + name);
    index << licence;
    for (const auto& [word, list] : senses) {
      const i64 count = count_byte(list, ' ');
      index << cat(word, " ", std::string(1, part), " ", count, " 2 @ ~ ", count, " 0", list,
                   "  \n");
    }
  }
  std::ofstream(folder + "/noun.exc") << "mice mouse\n";
  std::ofstream(folder + "/verb.exc") << "ran run\nrunning run\n";
  std::ofstream(folder + "/adj.exc") << "bigger big\n";
  std::ofstream(folder + "/adv.exc");
  std::ofstream(folder + "/cntlist.rev")
      << "dog%1:05:00:: 1 42\ndog%1:18:00:: 2 3\ndog-ear%1:05:00:: 1 1\nhouse%1:06:00:: 1 9\n";
}

}  // namespace lm::test
