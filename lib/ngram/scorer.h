#pragma once
// Scorers (text/scorer.h) that need no neural model: an n-gram model, the deflate ratio, the
// contrast of two scorers. All may run concurrently if what they contrast may.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/run.h"
#include "ngram/cutter.h"
#include "ngram/model.h"
#include "text/scorer.h"

namespace lm::ngram {

/// long_text_times() of CCNet's normal form, which is made of a text as a whole, and its words.
inline constexpr i64 kCcnetTimes = 12;

/// Perplexity under a back-off model. ppl = exp(nll / tokens), tokens = words + one end per
/// sentence. Words <s> and </s> inside a text count as unknown words: the model reserves them.
class NgramScorer final : public text::Scorer {
 public:
  struct Options {
    TextForm form;
    bool round = false;  // ppl to one decimal, as CCNet writes it
  };
  /// tokenizer: for WordKind::kPieces. Throws Error{kUsage} when the model says that it was trained
  /// in another form; name is the model's, for messages.
  NgramScorer(Model model, const std::string& name, std::unique_ptr<text::Tokenizer> tokenizer,
              const Options& options);

  void score(std::span<const std::string_view> texts, std::span<text::Score> scores) override;
  bool concurrent() const override { return true; }
  i64 long_text_times() const override;
  std::string_view measure() const override { return "ppl"; }
  const std::string& digest() const override { return digest_; }

  const Model& model() const { return model_; }
  const TextCutter& cutter() const { return cutter_; }
  /// Ids below it can be cut; 0 = no tokenizer, any id.
  i64 tokenizer_size() const { return tokenizer_ ? tokenizer_->vocab_size() : 0; }
  /// The sum over a cut text's sentences. token_nats, when not null, receives -log p of each word
  /// and, after the words of each sentence, of its end.
  TextScore score_cut(const CutText& cut, std::vector<f32>* token_nats = nullptr) const;

  /// The sum over the sentences of a text. Of words between blanks, and of lines, only a part is
  /// held at a time. Throws what the cutter throws.
  TextScore score_text(std::string_view text, CutText& cut) const;

 private:
  u32 id_of(std::string_view word) const;
  void add_cut(const CutText& cut, TextScore& sum, std::vector<f32>* token_nats) const;

  Model model_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  TextCutter cutter_;
  bool round_;
  std::string digest_;
  io::WorkerPool<CutText> cuts_;
};

/// What to ask and how; unset parts follow what the model says of its training.
struct NgramSource {
  std::string path;                  // ARPA or LMNG
  std::string tokenizer;             // words are its pieces
  bool ids = false;                  // words are ids in decimal (TextCutter::cut_ids)
  std::optional<SentenceUnit> unit;  // else the model's
  SentenceUnit default_unit = SentenceUnit::kLine;  // for models that do not say
  std::optional<bool> ccnet;                        // else the model's, else none
  bool round = false;
};
/// Loads model and tokenizer; ctx outlives the scorer. Throws what Model::load and load_tokenizer
/// throw, and Error{kUsage} for a tokenizer, ids or normalisation that are not the model's.
std::unique_ptr<NgramScorer> open_ngram_scorer(const Context& ctx, const NgramSource& source);
/// A tokenizer as TextCutter wants it: specials are text, nothing is added.
std::unique_ptr<text::Tokenizer> load_cutter_tokenizer(const std::string& path);

/// Deflated size by size, zlib level 6: low for repetition, near or above 1 for noise. Texts below
/// min_bytes are unscored: for them the container's few bytes decide.
/// Source: mGPT (Shliazhko et al. 2024) filters by both tails of this ratio.
class ZlibScorer final : public text::Scorer {
 public:
  explicit ZlibScorer(i64 min_bytes = 200);
  void score(std::span<const std::string_view> texts, std::span<text::Score> scores) override;
  bool concurrent() const override { return true; }
  std::string_view measure() const override { return "ratio"; }
  const std::string& digest() const override { return digest_; }

 private:
  i64 min_bytes_;
  std::string digest_;
};

/// Mean log-likelihood per token under `good` less the one under `bad`, each by its own tokens.
/// nll, tokens and oov are those of `good`.
class ContrastScorer final : public text::Scorer {
 public:
  ContrastScorer(std::unique_ptr<text::Scorer> good, std::unique_ptr<text::Scorer> bad);
  void score(std::span<const std::string_view> texts, std::span<text::Score> scores) override;
  void score_after(std::span<const std::string_view> prompts,
                   std::span<const std::string_view> texts, std::span<text::Score> scores) override;
  bool conditional() const override { return good_->conditional() && bad_->conditional(); }
  bool concurrent() const override { return good_->concurrent() && bad_->concurrent(); }
  i64 long_text_times() const override {
    return std::max(good_->long_text_times(), bad_->long_text_times());
  }
  std::string_view measure() const override { return "contrast"; }
  const std::string& digest() const override { return digest_; }

 private:
  static void contrast(std::span<text::Score> good, std::span<const text::Score> bad);

  std::unique_ptr<text::Scorer> good_, bad_;
  std::string digest_;
};

/// Deflated size / size of a non-empty text.
f64 zlib_ratio(std::string_view text);

}  // namespace lm::ngram
