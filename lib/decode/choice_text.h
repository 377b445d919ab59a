#pragma once
// A text that grows by whole alternatives, among which the model chooses by the probabilities of
// all their tokens. One object per text.

#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/types.h"

namespace lm::decode {

class ChoiceText {
 public:
  struct Alternative {
    i32 id = 0;  // its draw's
    std::vector<i32> tokens;
  };

  virtual ~ChoiceText() = default;
  /// What may come next, ids ascending, no two of the same tokens and none without; one alone has
  /// to. Empty: the text is complete. A fault ends the text with an error.
  virtual Result<std::vector<Alternative>> next() = 0;
  /// The one of this place among those that next() gave came.
  virtual void accept(i64 place) = 0;
  /// What is to be said of the text when it has ended: members of a JSON object.
  virtual std::string note() const = 0;
  /// A copy that goes on from here.
  virtual std::unique_ptr<ChoiceText> clone() const = 0;
};

}  // namespace lm::decode
