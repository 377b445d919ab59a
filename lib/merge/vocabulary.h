#pragma once
// One vocabulary for models that have several, by tokenizer.json: which row of each model's
// matrices stands for a token of the output, and what stands for tokens that a model lacks. Maps
// are four bytes a token and model.

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "merge/recipe.h"
#include "merge/source.h"

namespace lm::merge {

class InputModels;

/// What a row is for a model that has no token of its own there.
struct RowFill {
  enum Kind : u8 {
    kRow,      // that row of a model
    kMean,     // of the rows of the models that have it
    kZero,     //
    kPadding,  // no token is here: the mean of the model's other rows
  };
  Kind kind = kPadding;
  bool forced = false;  // for models that have the token, too
  i32 model = -1;       // place in Vocabulary::models
  i32 row = -1;
};

struct Vocabulary {
  std::string source;          // folder with the output's tokenizer files
  std::string tokenizer_json;  // in place of that folder's, where tokens were appended; or empty
  std::vector<i64> models;     // numbers of the opened models whose rows are used
  std::vector<std::vector<i32>> rows;  // by model and token: the row, or -1
  std::vector<RowFill> fill;           // by token
  i64 size() const { return isize(fill); }
  /// Place of an opened model in `models`; it must be there.
  i64 place(i64 model) const;
};

/// The vocabulary that a recipe asks for, or an empty one where it changes nothing: no source, or
/// all tokenizers equal and neither overrides nor padding. Opens models that overrides name.
/// models: those of the merge, the base first. Union: the base's ids stay, other models' tokens
/// follow in the order of models, then their added tokens. Throws Error{kUnavailable} for a model
/// without tokenizer.json, kData for one that lies, kConfig for overrides of unknown tokens.
std::optional<Vocabulary> make_vocabulary(const Recipe& recipe, InputModels& inputs,
                                          std::vector<std::string>& warnings);

/// A model's matrix (or vector) with a row for each token of a vocabulary.
class AlignedSource final : public TensorSource {
 public:
  /// own: the place of the model; all[i]: the same tensor of each model. vocabulary outlives this.
  /// Throws Error{kData} where rows are missing or differ in length.
  AlignedSource(const Vocabulary& vocabulary, i64 own, std::vector<SourcePtr> all);
  std::string describe() const override { return own().describe(); }
  std::string_view name() const override { return own().name(); }
  DType dtype() const override { return own().dtype(); }
  const Shape& shape() const override { return shape_; }
  void load(i64 first, i64 count, f32* to) const override;
  void load(i64 first, i64 count, f64* to) const override;
  void load_bytes(i64 first, i64 count, u8* to) const override;

 private:
  const TensorSource& own() const { return *all_[usize(own_)]; }
  bool has_own_row(i64 token) const;
  void find_padding() const;
  template <class A>
  void load_part(i64 token, i64 col, i64 count, A* to) const;
  template <class A>
  void load_rows(i64 first, i64 count, A* to) const;

  const Vocabulary& vocabulary_;
  i64 own_;
  std::vector<SourcePtr> all_;
  Shape shape_;
  i64 cols_ = 1;
  mutable std::once_flag padding_found_;
  mutable std::vector<f64> padding_;  // the mean row
};

}  // namespace lm::merge
