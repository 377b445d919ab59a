#pragma once
// Texts to vectors, whatever makes them: a model's hidden states (model_embedder.h) or hashed
// n-grams (hash_embedder.h). prepare() may run on another thread than the rest, one thread each.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/types.h"

namespace lm::embed {

/// A text on its way.
struct PreparedText {
  std::vector<std::vector<i32>> windows;  // token lists with specials, each as long as fits
  std::vector<i64> weights;               // of the windows: their tokens of the text itself
  i64 tokens = 0;                         // of the text itself, or its words where there are none
  i64 left_out = 0;                       // tokens of it that no window holds
  std::vector<f32> vector;                // where no model is needed
};

class TextEmbedder {
 public:
  virtual ~TextEmbedder() = default;
  /// Faults: "special", "tokenizer" (encode_record), "empty" (no token at all). Valid UTF-8.
  virtual Result<PreparedText> prepare(std::string_view text) = 0;
  virtual void add(PreparedText text) = 0;
  /// Pieces of work added and not taken.
  virtual i64 pending() const = 0;
  /// Advances the work. False if there is nothing to do.
  virtual bool step() = 0;
  /// The oldest text's vectors one behind the other, if complete: layers() of them per pooling,
  /// each of width() numbers.
  virtual std::optional<std::vector<f32>> take() = 0;

  virtual i64 width() const = 0;
  virtual const std::vector<i64>& layers() const = 0;
  /// Of what makes the vectors, as records carry it.
  virtual const std::string& digest() const = 0;
  /// 64 bits of everything that shapes the vectors here.
  virtual u64 key() const = 0;
};

}  // namespace lm::embed
