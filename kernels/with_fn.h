#pragma once
// A scalar function chosen once for a whole kernel.

#include "device.h"
#include "ops/unary.h"

namespace lm::cuda {

/// work(f) with f known to the compiler in each of its copies: the choice is made once, outside the
/// loop over elements.
template <Unary kFn>
struct FnTag {
  static constexpr Unary value = kFn;
};
template <typename Work>
LM_DEVICE void with_fn(Unary f, Work work) {
  switch (f) {
    case Unary::kGeluTanh:
      return work(FnTag<Unary::kGeluTanh>{});
    case Unary::kGeluErf:
      return work(FnTag<Unary::kGeluErf>{});
    case Unary::kRelu:
      return work(FnTag<Unary::kRelu>{});
    case Unary::kRelu2:
      return work(FnTag<Unary::kRelu2>{});
    case Unary::kSilu:
      return work(FnTag<Unary::kSilu>{});
    case Unary::kTanh:
      return work(FnTag<Unary::kTanh>{});
    case Unary::kSigmoid:
      return work(FnTag<Unary::kSigmoid>{});
    case Unary::kExp:
      return work(FnTag<Unary::kExp>{});
    case Unary::kLog:
      return work(FnTag<Unary::kLog>{});
    case Unary::kSquare:
      return work(FnTag<Unary::kSquare>{});
    case Unary::kSqrt:
      return work(FnTag<Unary::kSqrt>{});
    case Unary::kSoftcap:
      return work(FnTag<Unary::kSoftcap>{});
    case Unary::kLogSigmoid:
      return work(FnTag<Unary::kLogSigmoid>{});
    case Unary::kLog1mExp:
      return work(FnTag<Unary::kLog1mExp>{});
    case Unary::kStep:
      return work(FnTag<Unary::kStep>{});
    case Unary::kNone:
      break;
  }
  work(FnTag<Unary::kNone>{});
}

}  // namespace lm::cuda
