#pragma once
// What this process may use: the least of the machine, cgroup limits (v1 and v2), the affinity mask
// and the Slurm allocation; an even share of what it has in common with other processes that a
// launcher started on this machine. Read once at start.

#include <string>

#include "core/types.h"

namespace lm::cli {

struct Resources {
  i64 cpus = 1;
  i64 memory_bytes = 0;
  std::string cpus_from;  // which limit decided
  std::string memory_from;
};

/// root: where /proc and /sys are found (tests give a folder); environment as std::getenv.
Resources read_resources(const std::string& root, const char* (*environment)(const char*));

}  // namespace lm::cli
