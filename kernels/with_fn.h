#pragma once
// A scalar function chosen once for a whole kernel.

#include "device.h"
#include "fn.h"

namespace lm::cuda {

/// work(f) with f known to the compiler in each of its copies: the choice is made once, outside the
/// loop over elements.
template <Fn kFn>
struct FnTag {
  static constexpr Fn value = kFn;
};
template <typename Work>
LM_DEVICE void with_fn(Fn f, Work work) {
  switch (f) {
    case Fn::kGeluTanh:
      return work(FnTag<Fn::kGeluTanh>{});
    case Fn::kGeluErf:
      return work(FnTag<Fn::kGeluErf>{});
    case Fn::kRelu:
      return work(FnTag<Fn::kRelu>{});
    case Fn::kRelu2:
      return work(FnTag<Fn::kRelu2>{});
    case Fn::kSilu:
      return work(FnTag<Fn::kSilu>{});
    case Fn::kTanh:
      return work(FnTag<Fn::kTanh>{});
    case Fn::kSigmoid:
      return work(FnTag<Fn::kSigmoid>{});
    case Fn::kExp:
      return work(FnTag<Fn::kExp>{});
    case Fn::kLog:
      return work(FnTag<Fn::kLog>{});
    case Fn::kSquare:
      return work(FnTag<Fn::kSquare>{});
    case Fn::kSqrt:
      return work(FnTag<Fn::kSqrt>{});
    case Fn::kSoftcap:
      return work(FnTag<Fn::kSoftcap>{});
    case Fn::kLogSigmoid:
      return work(FnTag<Fn::kLogSigmoid>{});
    case Fn::kNone:
      break;
  }
  work(FnTag<Fn::kNone>{});
}

}  // namespace lm::cuda
