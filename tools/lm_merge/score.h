#pragma once
// A command that judges a model: it is run by the shell with the model's folder as its last word
// and prints one number. What it says on standard error is shown as it comes.

#include <string>

#include "core/types.h"

namespace lm::merge_tool {

class ScoreCommand {
 public:
  explicit ScoreCommand(std::string command) : command_(std::move(command)) {}

  /// Runs it, its input empty. Throws Error{kUnavailable} naming the status of a command that
  /// fails, Error{kData} for output that is not one number (NaN is none), Error{kOs}.
  f64 operator()(const std::string& folder) const;
  const std::string& text() const { return command_; }

 private:
  std::string command_;
};

}  // namespace lm::merge_tool
