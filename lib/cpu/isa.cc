#include "cpu/isa.h"

#include <atomic>
#include <string>

#include "core/error.h"
#include "core/str.h"
#include "cpu/kernels.h"

namespace lm::cpu {

namespace {

const isa::Kernels* best() {
  if (__builtin_cpu_supports("x86-64-v4")) return &isa::v4::kernels();
  if (__builtin_cpu_supports("x86-64-v3")) return &isa::v3::kernels();
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
  if (__builtin_cpu_supports("x86-64-v3")) names.push_back("v3");
  if (__builtin_cpu_supports("x86-64-v4")) names.push_back("v4");
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
