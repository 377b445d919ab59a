#pragma once
// What the operators of noise work with: words from left to right into a new list, edits noted on
// the way. Private to noise*.cc.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transform/noise.h"

namespace lm::transform {

inline bool is_outside(const Word& word) {
  return word.label.empty() || word.label == "O";
}
inline bool goes_on(const Word& word) {
  return word.label.starts_with("I-");
}

class NoisePass {
 public:
  NoisePass(NoiseOp op, f64 strength, u32 step, const Draws& draws, std::vector<Word>& words,
            std::vector<NoiseEdit>& log)
      : op_(op), strength_(strength), step_(step), draws_(draws), words_(words), log_(log) {}

  i64 size() const { return isize(words_); }
  const Word& word(i64 i) const { return words_[usize(i)]; }
  bool outside(i64 i) const { return is_outside(word(i)); }
  bool at_end() const { return at_ == size(); }
  i64 at() const { return at_; }
  /// Words that the result has so far.
  i64 made() const { return isize(out_); }
  /// A rate under the strength.
  f64 rate(f64 p) const { return std::min(1.0, p * strength_); }
  /// The draws of a word; kind tells several draws for one word apart.
  DrawRow row(i64 word, u32 kind = 0) const {
    return draws_.row(Purpose::kNoise, word, (step_ * 32 + static_cast<u32>(op_)) * 4 + kind);
  }

  void keep() { out_.push_back(words_[usize(at_++)]); }
  /// The next word becomes text, under its label. Nothing is noted if it is the same.
  void become(std::string text) { replace(1, {std::move(text)}); }
  /// The next `count` words become these: the first has the first one's label, the rest go on with
  /// its slot or are outside.
  void replace(i64 count, const std::vector<std::string>& texts);
  /// Words outside of any slot before the next one.
  void insert(const std::vector<std::string>& texts) { replace(0, texts); }
  /// Ends the pass: words that were not looked at stay.
  void finish();

 private:
  NoiseOp op_;
  f64 strength_;
  u32 step_;
  const Draws& draws_;
  std::vector<Word>& words_;
  std::vector<NoiseEdit>& log_;
  std::vector<Word> out_;
  i64 at_ = 0;
};

/// The text of a word cut into what a reader takes for its letters.
std::vector<std::string_view> letters_of(std::string_view word);
std::vector<std::string> words_of_phrase(std::string_view phrase);
/// Lower-case ASCII.
bool is_function_word(std::string_view word);
bool is_preposition(std::string_view word);
/// As `word` begins: with a capital or not.
std::string capitalised_as(std::string_view word, std::string text);

void typo(NoisePass& pass, f64 rate);
void keyboard(NoisePass& pass, f64 rate);
void ocr(NoisePass& pass, f64 rate);
void letter_case(NoisePass& pass, f64 rate);
void space(NoisePass& pass, f64 rate);
void ent_typo(NoisePass& pass, f64 rate);
void spelling(NoisePass& pass, f64 rate, const Misspellings& table);
void speech(NoisePass& pass, f64 rate);
void append_irr(NoisePass& pass, f64 rate);
void simplify(NoisePass& pass, f64 rate);
void verbose(NoisePass& pass, f64 rate);

}  // namespace lm::transform
