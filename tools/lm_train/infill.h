#pragma once
// Documents that get holes on their way into training: --infill.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "text/tokenizer.h"
#include "transform/infill_document.h"

namespace lm::train_tool {

class Infilling {
 public:
  /// What --infill says. Throws Error{kUsage} for another form, a token that the tokenizer lacks,
  /// or an empty tokenizer_path.
  Infilling(const cli::Options& o, const std::string& tokenizer_path, u64 seed);

  /// A document of shards. Throws Error{kData} naming it where it has tokens of the format. One
  /// thread at a time.
  void change(i64 number, i64 epoch, std::vector<i32>& ids);
  /// For records, whose readers have states of their own.
  const transform::DocumentInfiller& infiller() const { return *infiller_; }
  std::unique_ptr<text::EncodeState> new_state() const { return tokenizer_->new_state(); }

 private:
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::optional<transform::DocumentInfiller> infiller_;
  std::unique_ptr<text::EncodeState> state_;
};

}  // namespace lm::train_tool
