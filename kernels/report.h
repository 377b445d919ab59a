#pragma once
// How a kernel records bad data (fault.h).

#include "device.h"
#include "fault.h"

namespace lm::cuda {

/// Keeps the first report of any thread; later ones are dropped.
LM_DEVICE void report(Fault* fault, FaultKind kind, i64 row, i32 value, i64 limit) {
  if (!cu::claim(&fault->taken)) return;
  fault->kind = static_cast<i32>(kind);
  fault->row = row;
  fault->value = value;
  fault->limit = limit;
}

}  // namespace lm::cuda
