#pragma once
// Programs that run beside this one and die with it.

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/types.h"

namespace lm::merge_tool {

/// The program of this toolkit with that name: beside this one, else by PATH. Throws
/// Error{kUnavailable}.
std::string find_program(const std::string& name);

struct ChildOptions {
  /// Where its standard output goes: a descriptor of this process.
  int out = 2;
  /// It leads a process group of its own, which can be signalled as a whole.
  bool own_group = false;
};

/// Starts a program with an empty standard input. It gets SIGTERM when this process ends, however
/// it does. Throws Error{kOs}.
pid_t start_child(const std::vector<std::string>& words, const ChildOptions& options = {});

/// How a child ended.
struct ChildEnd {
  pid_t child = -1;
  int exit = 0;    // its status, where it exited
  int signal = 0;  // what ended it, else 0
};
/// Waits for that child. Throws Error{kOs}.
ChildEnd wait_for_child(pid_t child);
/// One of the children that has ended and was not waited for, if there is one now. Throws
/// Error{kOs} if there are no children.
std::optional<ChildEnd> ended_child();

/// Processor seconds, user and system, of all children that were waited for, with those of their
/// own that they waited for.
f64 children_cpu_s();

}  // namespace lm::merge_tool
