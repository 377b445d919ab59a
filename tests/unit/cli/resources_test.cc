#include "cli/resources.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "catch.h"
#include "io/atomic_file.h"
#include "spec.h"

using namespace lm;
using namespace lm::cli;

namespace {

void put(const test::TempDir& root, const std::string& path, const std::string& text) {
  const std::filesystem::path file = root.path() / path;
  std::filesystem::create_directories(file.parent_path());
  io::write_file(file.string(), text);
}

Resources read(const test::TempDir& root,
               const char* (*environment)(const char*) = test::no_environment) {
  return read_resources(root.path().string(), environment);
}

}  // namespace

TEST_CASE("without limits the machine decides", "[cli]") {
  const test::TempDir root;
  const Resources r = read(root);
  CHECK(r.cpus >= 1);
  CHECK(r.memory_bytes > 0);
  CHECK(r.memory_from == "machine");
}

TEST_CASE("version 2 control groups limit through every parent", "[cli]") {
  const test::TempDir root;
  put(root, "proc/self/cgroup", "0::/outer/inner\n");
  put(root, "sys/fs/cgroup/outer/inner/memory.max", "max\n");
  put(root, "sys/fs/cgroup/outer/memory.max", "1048576\n");
  put(root, "sys/fs/cgroup/outer/inner/cpu.max", "50000 100000\n");  // half a core counts as one
  const Resources r = read(root);
  CHECK(r.memory_bytes == 1048576);
  CHECK(r.memory_from == "cgroup memory.max");
  CHECK(r.cpus == 1);
}

TEST_CASE("version 1 control groups limit by controller", "[cli]") {
  const test::TempDir root;
  put(root, "proc/self/cgroup", "4:memory:/job\n3:cpu,cpuacct:/job\n");
  put(root, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "2097152\n");
  put(root, "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "100000\n");
  put(root, "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  const Resources r = read(root);
  CHECK(r.memory_bytes == 2097152);
  CHECK(r.cpus == 1);
}

TEST_CASE("an allocation of Slurm limits, nonsense in it does not", "[cli]") {
  const test::TempDir root;
  const auto slurm = [](const char* name) -> const char* {
    if (std::strcmp(name, "SLURM_CPUS_PER_TASK") == 0) return "1";
    if (std::strcmp(name, "SLURM_MEM_PER_CPU") == 0) return "64";
    return nullptr;
  };
  const Resources r = read(root, slurm);
  CHECK(r.cpus == 1);
  CHECK(r.memory_bytes == i64{64} << 20);
  const Resources free = read(root, [](const char*) -> const char* { return "many"; });
  CHECK(free.memory_from == "machine");
}

TEST_CASE("processes of a launcher share the machine, not what each has for itself", "[cli]") {
  const test::TempDir root;
  put(root, "proc/self/cgroup", "0::/job\n");
  put(root, "sys/fs/cgroup/job/memory.max", "8388608\n");
  const Resources r = read(root, [](const char* name) -> const char* {
    if (std::strcmp(name, "OMPI_COMM_WORLD_RANK") == 0) return "1";
    if (std::strcmp(name, "OMPI_COMM_WORLD_SIZE") == 0) return "8";
    if (std::strcmp(name, "OMPI_COMM_WORLD_LOCAL_RANK") == 0) return "1";
    if (std::strcmp(name, "OMPI_COMM_WORLD_LOCAL_SIZE") == 0) return "4";
    return nullptr;
  });
  CHECK(r.memory_bytes == 2097152);
  CHECK(r.memory_from == "cgroup memory.max, shared by 4 processes");
  CHECK(r.cpus <= std::max<i64>(1, read(root).cpus / 4));
  const Resources own = read(root, [](const char* name) -> const char* {
    if (std::strcmp(name, "SLURM_STEP_NUM_TASKS") == 0) return "2";
    if (std::strcmp(name, "SLURM_PROCID") == 0) return "0";
    if (std::strcmp(name, "SLURM_LOCALID") == 0) return "0";
    if (std::strcmp(name, "SLURM_STEP_TASKS_PER_NODE") == 0) return "2";
    if (std::strcmp(name, "SLURM_MEM_PER_CPU") == 0) return "3";
    return nullptr;
  });
  CHECK(own.memory_bytes == i64{3} << 20);
  CHECK(own.memory_from == "SLURM_MEM_PER_CPU");
}

TEST_CASE("unreadable limits are no limits", "[cli]") {
  const test::TempDir root;
  put(root, "proc/self/cgroup", "garbage\n0:\n::::\n0::/a\n");
  put(root, "sys/fs/cgroup/a/memory.max", "-5\n");
  put(root, "sys/fs/cgroup/a/cpu.max", "x y z\n");
  CHECK(read(root).memory_from == "machine");
}
