#include "cpu/isa.h"

#include <atomic>
#include <string>

#include <cpuid.h>

#include "core/error.h"
#include "core/str.h"
#include "cpu/kernels.h"

namespace lm::cpu {

namespace {

// __builtin_cpu_supports knows neither levels nor these three under clang 14.
bool has_f16c_movbe_lzcnt() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || !(c & bit_F16C) || !(c & bit_MOVBE)) return false;
  return __get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & bit_LZCNT);
}

// The levels of the psABI. That the system saves the wide registers is part of "avx" and "avx512f".
bool has_v3() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && has_f16c_movbe_lzcnt();
}

bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

const isa::Kernels* best() {
  if (has_v4()) return &isa::v4::kernels();
  if (has_v3()) return &isa::v3::kernels();
  return &isa::v2::kernels();
}

// The one choice of the process: which processor it runs on is a fact of the process, not of a run.
std::atomic<const isa::Kernels*>& chosen() {
  static std::atomic<const isa::Kernels*> table{best()};
  return table;
}

}  // namespace

const isa::Kernels& active() {
  // Relaxed: tables are immutable and built before the pointer is published in chosen().
  return *chosen().load(std::memory_order_relaxed);
}

std::vector<std::string_view> supported_isas() {
  std::vector<std::string_view> names = {"v2"};
  if (has_v3()) names.push_back("v3");
  if (has_v4()) names.push_back("v4");
  return names;
}

void select_isa(std::string_view name) {
  if (name == "auto") {
    chosen().store(best());
    return;
  }
  const isa::Kernels* table = name == "v2"   ? &isa::v2::kernels()
                              : name == "v3" ? &isa::v3::kernels()
                              : name == "v4" ? &isa::v4::kernels()
                                             : nullptr;
  if (table == nullptr) {
    throw Error(ErrorKind::kUsage,
                cat("unknown processor level \"", name, "\", expected auto, v2, v3 or v4"));
  }
  for (const std::string_view supported : supported_isas()) {
    if (supported == name) {
      chosen().store(table);
      return;
    }
  }
  throw Error(ErrorKind::kUnavailable, cat("this processor lacks level ", name),
              cat("the best it has is ", supported_isas().back()));
}

std::string_view isa_name() {
  return active().name;
}

}  // namespace lm::cpu
