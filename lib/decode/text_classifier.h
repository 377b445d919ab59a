#pragma once
// Which kind a text is of, by a model with a head of a score for each kind (lm-train --objective
// classify; transformers' ForSequenceClassification of decoders): softmax(W h), h the state of the
// last token. One thread at a time.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "decode/prompt.h"
#include "decode/session.h"

namespace lm::decode {

class TextClassifier {
 public:
  /// Opens the folder of options, one text at a time. Throws Error{kData} naming it where it has no
  /// head with names, and what Session throws.
  explicit TextClassifier(SessionOptions options);

  /// By score.
  const std::vector<std::string>& labels() const { return labels_; }
  /// Probabilities by label, of a text between the model's begin and end tokens, as far as its
  /// context goes. Faults of PromptEncoder::prompt, and "empty".
  Result<std::vector<f64>> classify(std::string_view text);
  u64 key() const { return session_->key(); }

 private:
  std::unique_ptr<Session> session_;
  std::unique_ptr<PromptEncoder> encoder_;
  std::vector<std::string> labels_;
  std::vector<f32> head_;  // [labels, width]
};

/// Weights of the k likeliest of several (of equal ones the first), which sum to one; 0 for others.
std::vector<f32> likeliest_shares(std::span<const f64> probabilities, i64 k);

}  // namespace lm::decode
