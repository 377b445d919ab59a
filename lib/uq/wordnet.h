#pragma once
// Words that may stand for a word, from the files of a WordNet 3.0 database as wndb(5WN) lays them
// out: index.POS, data.POS, POS.exc and cntlist.rev of one folder. They are mapped and searched
// where they lie; nothing is loaded. Safe to call concurrently.
// Source: Fellbaum 1998, with the rules of detachment of its morphology.

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "io/file.h"

namespace lm::uq {

enum class PartOfSpeech : u8 { kNoun, kVerb, kAdjective, kAdverb };

/// In which order a word is looked for: first what its suffix says, then noun, verb, adjective,
/// adverb.
std::array<PartOfSpeech, 4> likely_parts(std::string_view word);

class WordNet {
 public:
  /// Throws Error{kNoInput} or kPermission naming the file that cannot be opened.
  explicit WordNet(const std::string& folder);

  /// Synonyms, hypernyms and hyponyms in all senses of the first part of speech that knows the word
  /// or its base form: sense by sense, each once, with blanks for '_', without the word itself and
  /// its base form. Empty for a word that is not there. word: lower case. Throws Error{kData}
  /// naming file and byte where a file is not as the format says. O(log n + what is returned).
  std::vector<std::string> related(std::string_view word) const;

  /// Another word of the same meaning: of the first sense of the first part of speech that knows
  /// the word or its base form. Empty where there is none. As related() otherwise.
  std::string synonym(std::string_view word) const;

  /// How often the texts that were tagged with WordNet's senses have the word's base form, as any
  /// part of speech. Zero for most words.
  i64 uses(std::string_view word) const;

  /// 64 bits of all files.
  u64 digest() const;

 private:
  struct Files {
    std::string name;  // of data.POS, for messages
    io::Mapping index;
    io::Mapping data;
    io::Mapping exceptions;
  };
  struct Synset {
    std::vector<std::string_view> words;
    std::vector<std::pair<PartOfSpeech, i64>> near;  // hypernyms, then hyponyms: bytes in data.POS
  };
  const Files& files(PartOfSpeech part) const { return files_[static_cast<std::size_t>(part)]; }
  std::string base_form(PartOfSpeech part, const std::string& lemma) const;
  Synset synset(PartOfSpeech part, i64 at) const;
  /// What the index says of a word: its part of speech and base form, where its senses lie.
  struct Entry {
    PartOfSpeech part = PartOfSpeech::kNoun;
    std::string base;
    std::vector<i64> senses;  // none: the word is not there
  };
  Entry entry(std::string_view word) const;

  std::array<Files, 4> files_;
  io::Mapping counts_;
};

}  // namespace lm::uq
