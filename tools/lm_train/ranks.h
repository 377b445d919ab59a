#pragma once
// The processes of a run: this one alone, or those that a launcher started.

#include <functional>
#include <memory>
#include <string>

#include "cli/launch.h"
#include "cli/tool.h"
#include "comm/comm.h"

namespace lm::train_tool {

class Ranks {
 public:
  /// Joins the others where a launcher started several and --comm does not say that this one is
  /// alone. From then on the run ends in order on every rank or is aborted on all of them. Throws
  /// Error{kUnavailable} when the ranks cannot find each other.
  explicit Ranks(cli::Tool& tool);

  comm::Comm& comm() const { return *state_->comm; }
  i64 size() const { return comm().size(); }
  /// The rank that writes and speaks.
  bool first() const { return comm().rank() == 0; }
  /// The rank that looks at files for all ranks of its machine.
  bool first_of_machine() const { return launch_.local_rank == 0; }

  /// Runs f, which has no collective calls, on every rank. Where it fails on some, the lowest of
  /// them throws what f threw and the others cli::FailedElsewhere: the run ends in order.
  void together(const std::function<void()>& f);
  /// Rank 0's text on every rank. A collective call.
  std::string from_first(const std::string& text) const;
  /// Runs the body. CommonError leaves it once, on rank 0.
  void run(const std::function<void()>& body);

 private:
  struct State {
    std::unique_ptr<comm::Comm> comm;
    bool in_order = false;  // all ranks are about to leave
  };
  cli::Launch launch_;
  std::shared_ptr<State> state_;  // shared with what the tool does at its end
};

}  // namespace lm::train_tool
