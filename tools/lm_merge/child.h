#pragma once
// Programs that run beside this one and die with it.

#include <string>
#include <vector>

#include <sys/types.h>

namespace lm::merge_tool {

/// The program of this toolkit with that name: beside this one, else by PATH. Throws
/// Error{kUnavailable}.
std::string find_program(const std::string& name);

/// Starts a program with an empty standard input; standard output is the standard error of this
/// one. It gets SIGTERM when this process ends, however it does. Throws Error{kOs, kUnavailable}.
pid_t start_child(const std::vector<std::string>& words);

/// Waits for one of the children. Returns its id; status as a shell has it: 128 + n for signal n.
pid_t wait_for_child(int& status);

}  // namespace lm::merge_tool
