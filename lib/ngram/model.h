#pragma once
// A back-off n-gram model ready for queries, from an ARPA or an LMNG file. Immutable once loaded:
// all const members may run concurrently.
//
// log p(w|h) = log p of the longest stored n-gram that ends in h w, of length m, plus the back-offs
// of the stored contexts of length m..|h| that end in h. A sentence is scored from <s> to </s>.
// Log10 is the unit of files and of score_word; everything named nats or ppl is natural.
// Source: Katz 1987 (back-off), Heafield 2011 (state as the longest context that can matter).

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/context.h"
#include "core/types.h"
#include "ngram/image.h"

namespace lm::ngram {

/// What the past still contributes: the longest suffix of it that can start an n-gram.
struct State {
  int length = 0;
  std::array<u32, kMaxOrder - 1> words{};     // most recent first
  std::array<f32, kMaxOrder - 1> backoffs{};  // [k] log10 back-off of the last k + 1 words
};

struct TextScore {
  f64 nll_nats = 0;        // of the words and the ends of sentence
  f64 nll_words_nats = 0;  // of the words alone
  i64 words = 0;
  i64 sentences = 0;
  i64 oov = 0;

  TextScore& operator+=(const TextScore& other);
  /// exp(nll / (words + sentences)); NaN for nothing scored.
  f64 ppl() const;
  /// exp(nll of words / words); NaN for no words.
  f64 ppl_words() const;
};

class Model {
 public:
  struct LoadOptions {
    bool verify = true;  // compare an LMNG file with its digest: reads all of it once
  };
  /// Recognises the format by content. An LMNG file is mapped; an ARPA file becomes an image in
  /// memory of the budget, beyond it in ctx.tmp_dir, and its words are charged while it is read.
  /// ctx outlives the model. Throws Error{kNoInput, kPermission, kIo, kCannotCreate}, Error{kOs}
  /// when the words do not fit, Error{kData} for anything malformed (arpa.h, image.h).
  static Model load(const Context& ctx, const std::string& path, const LoadOptions& options);
  static Model load(const Context& ctx, const std::string& path) {
    return load(ctx, path, LoadOptions{});
  }
  /// From ARPA text in memory.
  static Model from_arpa(const Context& ctx, std::string_view text, const std::string& name);
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  int order() const { return view_.order; }
  i64 vocab_size() const { return isize(view_.unigrams); }
  const std::vector<i64>& counts() const { return view_.counts; }
  const ImageView& view() const { return view_; }
  /// Identity of the content for headers: SHA-256 of the file that was loaded.
  const std::string& digest() const { return digest_; }

  /// How training cut text into words, as form_text (cutter.h) writes it; empty when not known.
  std::string_view form() const { return view_.form; }

  /// kUnk for a word the model does not know.
  u32 find(std::string_view word) const;
  std::string_view word(u32 id) const;

  State begin_sentence() const;
  /// log10 p(word | state) and the state after it; matched, when not null, receives the length of
  /// the n-gram found. Ids outside the vocabulary count as <unk>. `next` may be `state`.
  f32 score_word(const State& state, u32 word, State& next, int* matched = nullptr) const;

  /// out[i] = log p(tokens[i] | up to order - 1 words before it), nats; out has tokens.size()
  /// elements or more, else Error{kInternal}. begins: the first word follows <s>. Equal to a chain
  /// of score_word; faster, because table slots of coming words are fetched ahead. O(n order), no
  /// allocation.
  void score(std::span<const u32> tokens, std::span<f32> out, bool begins = true) const;

  /// One sentence whose words come in parts of any size. The model outlives it.
  class Sentence {
   public:
    explicit Sentence(const Model& model);
    void add(std::span<const u32> words);
    i64 words() const { return words_; }
    /// Behind the last word, once.
    TextScore end();

   private:
    const Model& model_;
    State state_;
    std::array<u32, kMaxOrder - 1> last_{};  // words, before_ of them: order - 1 at most
    i64 before_ = 0;
    f64 log10_ = 0;  // in text order
    i64 words_ = 0;
    i64 oov_ = 0;
  };

  /// One sentence: words are cut at ASCII blanks, </s> follows.
  TextScore score_sentence(std::string_view text) const;
  TextScore score_sentence(std::span<const u32> words) const;
  /// Every line a sentence; empty lines are none.
  TextScore score_lines(std::string_view text) const;

 private:
  struct Owner;
  Model(std::unique_ptr<Owner> owner, ImageView view, std::string digest);
  /// Calls put(i, log10 p) for every token of one sequence from the first on, table slots fetched
  /// ahead. state: behind those before.
  template <typename Put>
  void walk(std::span<const u32> tokens, i64 first, State& state, bool begins,
            const Put& put) const;
  void prefetch(u32 word, std::span<const u64> hashes) const;
  f32 advance(State& state, u32 word, std::span<const u64> hashes, int* matched) const;

  std::unique_ptr<Owner> owner_;
  ImageView view_;
  std::string digest_;
};

}  // namespace lm::ngram
