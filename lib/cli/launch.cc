#include "cli/launch.h"

#include <optional>
#include <string_view>

#include "core/str.h"

namespace lm::cli {

namespace {

using Environment = const char* (*)(const char*);

std::optional<i64> number(Environment environment, const char* name) {
  const char* text = environment(name);
  return text == nullptr ? std::nullopt : parse_int(text);
}

/// The entry of a list like "4(x2),3" (Slurm's tasks per node) for a node, 0 if there is none.
i64 tasks_of_node(std::string_view list, i64 node) {
  for (std::string_view item : split(list, ',')) {
    i64 times = 1;
    if (const std::size_t open = item.find("(x"); open != std::string_view::npos) {
      if (!item.ends_with(")")) return 0;
      times = parse_int(item.substr(open + 2, item.size() - open - 3)).value_or(0);
      item = item.substr(0, open);
    }
    if (node < times) return parse_int(item).value_or(0);
    node -= times;
  }
  return 0;
}

Launch launched(std::string by, std::optional<i64> rank, std::optional<i64> size,
                std::optional<i64> local_rank, std::optional<i64> local_size) {
  Launch out;
  if (!rank || !size || *rank < 0 || *rank >= *size) return out;
  out.by = std::move(by);
  out.rank = *rank;
  out.size = *size;
  if (local_rank && local_size && *local_rank >= 0 && *local_rank < *local_size &&
      *local_size <= *size) {
    out.local_rank = *local_rank;
    out.local_size = *local_size;
  }
  return out;
}

}  // namespace

Launch read_launch(Environment environment) {
  const auto get = [&](const char* name) { return number(environment, name); };
  Launch out = launched("mpirun", get("OMPI_COMM_WORLD_RANK"), get("OMPI_COMM_WORLD_SIZE"),
                        get("OMPI_COMM_WORLD_LOCAL_RANK"), get("OMPI_COMM_WORLD_LOCAL_SIZE"));
  if (!out.by.empty()) return out;
  const bool pmi = environment("PMIX_RANK") != nullptr || environment("PMI_RANK") != nullptr;
  // Set in steps only, unlike SLURM_NTASKS.
  if (const std::optional<i64> tasks = get("SLURM_STEP_NUM_TASKS")) {
    const char* list = environment("SLURM_STEP_TASKS_PER_NODE");
    const i64 here = list == nullptr ? 0 : tasks_of_node(list, get("SLURM_NODEID").value_or(0));
    out = launched("srun", get("SLURM_PROCID"), tasks, get("SLURM_LOCALID"), here);
    out.wired = out.by.empty() || pmi;
  } else {
    out = launched("PMI", get("PMI_RANK"), get("PMI_SIZE"), get("MPI_LOCALRANKID"),
                   get("MPI_LOCALNRANKS"));
  }
  return out;
}

}  // namespace lm::cli
