#pragma once
// Perturbations of utterances whose words carry slot labels (BIO). Every operator keeps one label a
// word and spans well-formed: an I- goes on with the span before it. What it does is a function of
// (seed, record id, epoch, step, operator, word); edits are listed so that replaying them on the
// clean words gives the noisy ones.
// Source: the perturbations of noisy slot filling (Dong et al. 2023), by rules instead of people.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/types.h"
#include "transform/draws.h"

namespace lm::transform {

struct Word {
  std::string text;   // not empty
  std::string label;  // "O", "B-x", "I-x"
  std::string gap;    // the white space before it, where a text is made of words
};

enum class NoiseOp : u8 {
  kTypo,        // a letter swapped, left out, doubled or beside the right key
  kKeyboard,    // a letter beside the right key
  kOcr,         // letters that look alike
  kCase,        // letters in the other case
  kSpace,       // a word split, or joined with the next
  kEntTypo,     // a typo in one word of every slot, and in some words outside
  kSpelling,    // a common misspelling
  kSynonym,     // another word of the same meaning, outside of slots
  kSwap,        // neighbours outside of slots exchanged
  kDrop,        // function words outside of slots left out
  kInsert,      // fillers outside of slots
  kSpeech,      // what a recogniser of speech writes
  kAppendIrr,   // an irrelevant opening and perhaps a saying at the end
  kSimplify,    // what no slot needs left out
  kVerbose,     // clauses that say nothing
  kParaphrase,  // other words by a model (reword())
};

std::string_view noise_name(NoiseOp op);

/// An operator with its rate: how often what it may do happens (noise.cc has the defaults).
struct NoiseStep {
  NoiseOp op = NoiseOp::kTypo;
  f64 rate = 0;
};
/// "typo", "typo:0.3", "spelling+ent_typo+append_irr": from left to right. nullopt for an unknown
/// name (paraphrase is no step) or a rate outside [0,1].
std::optional<std::vector<NoiseStep>> parse_noise(std::string_view text);
/// All names, for messages.
std::string noise_names();

/// At `pos` of the words as they were when the edit was made, `from` became `to`.
struct NoiseEdit {
  NoiseOp op = NoiseOp::kTypo;
  i64 pos = 0;
  std::vector<std::string> from, to;
};

/// Misspellings by word, in lower case.
using Misspellings = std::unordered_map<std::string, std::vector<std::string>>;
/// Those that come with the program.
Misspellings common_misspellings();

/// What operators know beside the words.
struct NoiseKnowledge {
  Misspellings misspellings = common_misspellings();
  /// Another word for one in lower case, or empty. Unset: kSynonym changes nothing. Safe to call
  /// concurrently.
  std::function<std::string(std::string_view)> synonym;
};

/// Applies the steps, each to what the one before left. strength scales every rate (a product above
/// 1 is 1); 0 changes nothing. The words never become none. Appends to log.
void apply_noise(std::span<const NoiseStep> steps, f64 strength, const NoiseKnowledge& knowledge,
                 const Draws& draws, std::vector<Word>& words, std::vector<NoiseEdit>& log);

/// The utterance with <s1>, <s2>, ... in the place of its slots: what a model rewords.
std::string with_marks(std::span<const Word> words);
/// The words of a rewording: its marks become the words of their slots again, other words are
/// outside. False, and nothing is changed, unless every mark stands in it once. Appends the edit,
/// if there is one, to log.
bool reword(std::string_view rewording, std::vector<Word>& words, std::vector<NoiseEdit>& log);

/// The words after the edits; nullopt where one does not fit.
std::optional<std::vector<std::string>> replay(std::vector<std::string> words,
                                               std::span<const NoiseEdit> log);

/// Whether no I- stands without a B- or I- of its kind before it. An empty label counts as O.
bool well_formed(std::span<const Word> words);

/// Characters that an edit inserted, left out or replaced: the edit distance in code points.
i64 edited_characters(const NoiseEdit& edit);

/// A whole number below a million in English words.
std::string number_in_words(i64 number);

}  // namespace lm::transform
