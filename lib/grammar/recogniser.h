#pragma once
// Whether a text is of a language, without a vocabulary. Not thread-safe.

#include <memory>
#include <string_view>

#include "core/result.h"
#include "grammar/machine.h"

namespace lm::grammar {

class Recogniser {
 public:
  /// Fault "budget" if even the start needs more than `bytes`.
  static Result<std::unique_ptr<Recogniser>> make(std::shared_ptr<const Grammar> grammar,
                                                  i64 bytes);
  /// Fault "budget".
  Result<bool> matches(std::string_view text);

 private:
  Recogniser(std::shared_ptr<const Grammar> grammar, i64 bytes)
      : machine_(std::move(grammar), bytes) {}

  Machine machine_;
};

}  // namespace lm::grammar
