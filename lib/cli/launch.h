#pragma once
// Which of several processes this one is, as the launcher says: mpirun of Open MPI, srun, or
// another one that speaks PMI.

#include <string>

#include "core/types.h"

namespace lm::cli {

struct Launch {
  i64 rank = 0;
  i64 size = 1;        // processes of the run, over all nodes
  i64 local_rank = 0;  // among those of this node
  i64 local_size = 1;
  std::string by;     // "mpirun", "srun", "PMI"; empty: no launcher
  bool wired = true;  // the launcher helps its processes to find each other (PMIx or PMI)
};

/// environment as std::getenv. Variables that are no numbers, or that contradict each other, count
/// as absent. Inside an allocation but outside a step of srun there is one process.
Launch read_launch(const char* (*environment)(const char*));

}  // namespace lm::cli
