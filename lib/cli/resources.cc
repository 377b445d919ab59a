#include "cli/resources.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <sched.h>
#include <unistd.h>

#include "cli/launch.h"
#include "core/error.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::cli {

namespace {

std::optional<std::string> small_file(const std::string& path) {
  try {
    return io::read_file(path, 1 << 20);
  } catch (const Error&) {  // absent limits are normal
    return std::nullopt;
  }
}

void limit(i64& value, std::string& from, i64 candidate, const std::string& name) {
  if (candidate > 0 && candidate < value) {
    value = candidate;
    from = name;
  }
}

// The cgroup of this process and all its parents: any of them may hold a limit.
void cgroup_v2(const std::string& root, const std::string& group, Resources& r) {
  std::string path = group;
  while (true) {
    const std::string dir = cat(root, "/sys/fs/cgroup", path == "/" ? "" : path);
    if (const std::optional<std::string> text = small_file(cat(dir, "/memory.max"))) {
      if (const std::optional<i64> bytes = parse_int(trim(*text))) {
        limit(r.memory_bytes, r.memory_from, *bytes, "cgroup memory.max");
      }
    }
    if (const std::optional<std::string> text = small_file(cat(dir, "/cpu.max"))) {
      const std::vector<std::string_view> parts = split(trim(*text), ' ');
      if (parts.size() == 2 && parts[0] != "max") {
        const std::optional<f64> quota = parse_float(parts[0]);
        const std::optional<f64> period = parse_float(parts[1]);
        if (quota && period && *period > 0) {
          limit(r.cpus, r.cpus_from,
                std::max<i64>(1, static_cast<i64>(std::ceil(*quota / *period))), "cgroup cpu.max");
        }
      }
    }
    if (path.empty() || path == "/") return;
    path = path.substr(0, path.find_last_of('/'));
  }
}

void cgroup_v1(const std::string& root, const std::string& controller, const std::string& group,
               Resources& r) {
  for (const std::string& dir : {cat(root, "/sys/fs/cgroup/", controller, group),
                                 cat(root, "/sys/fs/cgroup/", controller)}) {
    if (controller.find("memory") != std::string::npos) {
      if (const std::optional<std::string> text = small_file(cat(dir, "/memory.limit_in_bytes"))) {
        if (const std::optional<i64> bytes = parse_int(trim(*text)))
          limit(r.memory_bytes, r.memory_from, *bytes, "cgroup memory.limit_in_bytes");
      }
    } else {
      const std::optional<std::string> quota_text = small_file(cat(dir, "/cpu.cfs_quota_us"));
      const std::optional<std::string> period_text = small_file(cat(dir, "/cpu.cfs_period_us"));
      if (!quota_text || !period_text) continue;
      const std::optional<f64> quota = parse_float(trim(*quota_text));
      const std::optional<f64> period = parse_float(trim(*period_text));
      if (quota && period && *quota > 0 && *period > 0) {
        limit(r.cpus, r.cpus_from, std::max<i64>(1, static_cast<i64>(std::ceil(*quota / *period))),
              "cgroup cpu.cfs_quota_us");
      }
    }
  }
}

i64 slurm_number(const char* (*environment)(const char*), const char* name) {
  const char* text = environment(name);
  return text == nullptr ? 0 : parse_int(text).value_or(0);
}

constexpr i64 kMiB = 1 << 20;

// What the processes of a launcher on this machine have together.
void common_limits(const std::string& root, const char* (*environment)(const char*), Resources& r) {
  r.cpus = std::max<i64>(1, ::sysconf(_SC_NPROCESSORS_ONLN));
  r.cpus_from = "machine";
  r.memory_bytes = i64{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGE_SIZE);
  r.memory_from = "machine";
  if (const std::optional<std::string> groups = small_file(cat(root, "/proc/self/cgroup"))) {
    for (const std::string_view line : split(*groups, '\n')) {
      const std::vector<std::string_view> parts = split(line, ':');
      if (parts.size() < 3) continue;
      if (parts[0] == "0" && parts[1].empty()) {
        cgroup_v2(root, std::string(parts[2]), r);
      } else if (parts[1].find("memory") != std::string_view::npos ||
                 parts[1].find("cpu") != std::string_view::npos) {
        cgroup_v1(root, std::string(parts[1]), std::string(parts[2]), r);
      }
    }
  }
  limit(r.memory_bytes, r.memory_from, slurm_number(environment, "SLURM_MEM_PER_NODE") * kMiB,
        "SLURM_MEM_PER_NODE");
}

// What this process has for itself.
void own_limits(const char* (*environment)(const char*), Resources& r) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0)
    limit(r.cpus, r.cpus_from, CPU_COUNT(&mask), "affinity mask");
  const i64 cpus = slurm_number(environment, "SLURM_CPUS_PER_TASK");
  limit(r.cpus, r.cpus_from, cpus, "SLURM_CPUS_PER_TASK");
  limit(r.memory_bytes, r.memory_from,
        slurm_number(environment, "SLURM_MEM_PER_CPU") * std::max<i64>(cpus, 1) * kMiB,
        "SLURM_MEM_PER_CPU");
}

}  // namespace

Resources read_resources(const std::string& root, const char* (*environment)(const char*)) {
  Resources r;
  common_limits(root, environment, r);
  const i64 sharers = read_launch(environment).local_size;
  if (sharers > 1) {
    r.cpus = std::max<i64>(1, r.cpus / sharers);
    r.memory_bytes /= sharers;
    for (std::string* from : {&r.cpus_from, &r.memory_from})
      *from = cat(*from, ", shared by ", sharers, " processes");
  }
  own_limits(environment, r);
  return r;
}

}  // namespace lm::cli
