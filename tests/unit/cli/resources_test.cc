#include "catch.h"

#include <cstring>
#include <filesystem>

#include "cli/resources.h"
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

Resources read(const test::TempDir& root, const char* (*environment)(const char*) = test::no_environment) {
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

TEST_CASE("unreadable limits are no limits", "[cli]") {
  const test::TempDir root;
  put(root, "proc/self/cgroup", "garbage\n0:\n::::\n0::/a\n");
  put(root, "sys/fs/cgroup/a/memory.max", "-5\n");
  put(root, "sys/fs/cgroup/a/cpu.max", "x y z\n");
  CHECK(read(root).memory_from == "machine");
}
