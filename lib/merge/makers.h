#pragma once
// The makers of kernels, file by file, for the table in method.cc.

#include "merge/method.h"

namespace lm::merge {

// linear.cc
template <class A>
KernelPtr<A> make_linear(const Job& job);
template <class A>
KernelPtr<A> make_passthrough(const Job& job);
template <class A>
KernelPtr<A> make_ema(const Job& job);
template <class A>
KernelPtr<A> make_mean(const Job& job);

// gram.cc: methods whose result is a linear combination with coefficients from norms and products
template <class A>
KernelPtr<A> make_slerp(const Job& job);
template <class A>
KernelPtr<A> make_nuslerp(const Job& job);
template <class A>
KernelPtr<A> make_multislerp(const Job& job);
template <class A>
KernelPtr<A> make_karcher(const Job& job);
template <class A>
KernelPtr<A> make_model_stock(const Job& job);

// delta.cc: task arithmetic with sparsifiers and sign election
template <class A>
KernelPtr<A> make_delta(const Job& job);

// elementwise.cc
template <class A>
KernelPtr<A> make_nearswap(const Job& job);
template <class A>
KernelPtr<A> make_ram(const Job& job);
template <class A>
KernelPtr<A> make_consensus(const Job& job);
template <class A>
KernelPtr<A> make_fisher(const Job& job);

// sce.cc, arcee.cc, regmean.cc
template <class A>
KernelPtr<A> make_sce(const Job& job);
template <class A>
KernelPtr<A> make_arcee(const Job& job);
template <class A>
KernelPtr<A> make_regmean(const Job& job);

}  // namespace lm::merge
