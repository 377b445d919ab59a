#pragma once
// How likely, regular or good a text is, by whatever model: the one interface of programs that
// score and select. Implementations: n-gram models, deflate ratio, contrast of two scorers
// (ngram/scorer.h); neural models stand above this room and implement it there. Thread rule:
// score() may run concurrently when concurrent() says so; else one call at a time.

#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/types.h"

namespace lm::text {

/// What a perplexity is per. Source: Stanic et al. 2023 (Languini): per token it depends on the
/// tokenizer, per character or byte of the decoded text it does not.
enum class Norm : u8 { kTokens, kChars, kBytes };

/// A text that cannot be scored (no word, too short) has value and nll_nats NaN.
struct Score {
  f64 value =
      std::numeric_limits<f64>::quiet_NaN();  // in the unit of measure(): what is selected on
  f64 nll_nats = std::numeric_limits<f64>::quiet_NaN();  // -log p of all tokens
  i64 tokens = 0;                                        // scored, ends of sentence included
  i64 oov = 0;                                           // of them outside the vocabulary
  i64 bytes = 0;                                         // that the scored tokens stand for
  i64 chars = 0;                                         // code points that begin in them
  std::optional<Fault> fault;  // why no scorer could take the text: its record is a bad one

  /// Bits per UTF-8 byte; NaN for an empty or unscored text.
  f64 bits_per_byte() const {
    return bytes == 0 ? kNan : nll_nats / kLn2 / static_cast<f64>(bytes);
  }
  /// Of the scored tokens.
  i64 length(Norm norm) const {
    return norm == Norm::kTokens ? tokens : norm == Norm::kChars ? chars : bytes;
  }
  /// exp(nll / length); NaN for an empty or unscored text.
  f64 perplexity(Norm norm) const {
    return length(norm) == 0 ? kNan : std::exp(nll_nats / static_cast<f64>(length(norm)));
  }

 private:
  static constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();
  static constexpr f64 kLn2 = 0.693147180559945309;
};

/// long_text_times() of what encodes texts with a tokenizer as wholes: ids and places of tokens of
/// prose. Texts of one-byte tokens take more.
inline constexpr i64 kTokenTimes = 12;

class Scorer {
 public:
  virtual ~Scorer() = default;
  /// scores[i] becomes the score of texts[i] (well-formed UTF-8); the sizes are equal. A score
  /// depends on its own text only, never on its neighbours. Throws Error{kInternal} for unequal
  /// sizes. A text that a tokenizer gives up on gets a fault.
  virtual void score(std::span<const std::string_view> texts, std::span<Score> scores) = 0;
  /// The same of each text behind a prompt, which is not scored; the sizes are equal. Throws
  /// Error{kInternal} where conditional() is false.
  virtual void score_after(std::span<const std::string_view> prompts,
                           std::span<const std::string_view> texts, std::span<Score> scores);
  virtual bool conditional() const { return false; }
  virtual bool concurrent() const = 0;
  /// How many times as large as a long text (LongTexts) what scoring holds of it is.
  virtual i64 long_text_times() const { return 0; }
  /// What value is: "ppl" (perplexity), "ratio" (deflated size by size), "contrast" (difference of
  /// mean log-likelihoods, nats per token).
  virtual std::string_view measure() const = 0;
  /// Identity of everything that shapes the scores, for stream headers.
  virtual const std::string& digest() const = 0;
};

}  // namespace lm::text
