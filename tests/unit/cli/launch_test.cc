#include "cli/launch.h"

#include <map>
#include <string>

#include "catch.h"

using namespace lm;
using namespace lm::cli;

namespace {

std::map<std::string, std::string> variables;

Launch with(std::map<std::string, std::string> environment) {
  variables = std::move(environment);
  return read_launch([](const char* name) -> const char* {
    const auto at = variables.find(name);
    return at == variables.end() ? nullptr : at->second.c_str();
  });
}

}  // namespace

TEST_CASE("without a launcher there is one process", "[cli]") {
  const Launch alone = with({});
  CHECK(alone.by.empty());
  CHECK(alone.size == 1);
  CHECK(alone.local_size == 1);
  // In the script of a batch job: an allocation, but no step.
  CHECK(with({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}).size == 1);
}

TEST_CASE("mpirun says who is who, also inside an allocation", "[cli]") {
  const Launch l = with({{"OMPI_COMM_WORLD_RANK", "5"},
                         {"OMPI_COMM_WORLD_SIZE", "8"},
                         {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                         {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"},
                         {"SLURM_STEP_NUM_TASKS", "2"},
                         {"SLURM_PROCID", "1"}});
  CHECK(l.by == "mpirun");
  CHECK(l.rank == 5);
  CHECK(l.size == 8);
  CHECK(l.local_rank == 1);
  CHECK(l.local_size == 4);
  CHECK(l.wired);
}

TEST_CASE("srun counts tasks by node and is wired where it speaks PMI", "[cli]") {
  std::map<std::string, std::string> environment = {{"SLURM_STEP_NUM_TASKS", "11"},
                                                    {"SLURM_PROCID", "9"},
                                                    {"SLURM_LOCALID", "1"},
                                                    {"SLURM_NODEID", "2"},
                                                    {"SLURM_STEP_TASKS_PER_NODE", "4(x2),3"}};
  const Launch none = with(environment);
  CHECK(none.by == "srun");
  CHECK(none.rank == 9);
  CHECK(none.size == 11);
  CHECK(none.local_rank == 1);
  CHECK(none.local_size == 3);
  CHECK_FALSE(none.wired);
  environment["PMIX_RANK"] = "9";
  CHECK(with(environment).wired);
  environment["SLURM_NODEID"] = "1";
  CHECK(with(environment).local_size == 4);
  for (const char* nonsense : {"4(x", "", "(x2)", "4(x-3),,", "many"}) {
    environment["SLURM_STEP_TASKS_PER_NODE"] = nonsense;
    CHECK(with(environment).local_size == 1);
  }
}

TEST_CASE("another launcher is known by PMI", "[cli]") {
  const Launch l = with({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}});
  CHECK(l.by == "PMI");
  CHECK(l.size == 2);
  CHECK(l.rank == 1);
}

TEST_CASE("variables that make no sense count as absent", "[cli]") {
  CHECK(with({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "2"}}).size == 1);
  CHECK(with({{"OMPI_COMM_WORLD_RANK", "x"}, {"OMPI_COMM_WORLD_SIZE", "2"}}).size == 1);
  CHECK(with({{"SLURM_STEP_NUM_TASKS", "2"}}).size == 1);
}
