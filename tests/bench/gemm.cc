// f32 products: our packed and per-call-packed gemm beside OpenBLAS and oneDNN, in rounds that
// visit every contender once, so that a neighbour's load hits all of them. Prints one JSON line per
// shape: the best rate of each over the rounds (GFLOP/s), the calibrated peak that lm-train's mfu
// refers to, and our ratios to the better of the two libraries.
// Usage: bench-gemm THREADS [ROUNDS [SHAPE_SUBSTRING]]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <cblas.h>
#include <dnnl.h>

#include "core/parallel.h"
#include "core/random.h"
#include "cpu/kernels.h"
#include "cpu/peak.h"

extern "C" void openblas_set_num_threads(int threads);
extern "C" void omp_set_num_threads(int threads);

namespace {

using lm::f32;
using lm::f64;
using lm::i64;

struct Case {
  const char* name;
  lm::cpu::Layout layout;
  i64 m, n, k;
};

constexpr Case kCases[] = {
    {"512x512x512", lm::cpu::Layout::kNT, 512, 512, 512},
    {"2048x3072x768", lm::cpu::Layout::kNT, 2048, 3072, 768},
    {"2048x768x3072", lm::cpu::Layout::kNT, 2048, 768, 3072},
    {"2048x768x3072-nn", lm::cpu::Layout::kNN, 2048, 768, 3072},
    {"3072x768x2048-tn", lm::cpu::Layout::kTN, 3072, 768, 2048},
    {"1024x50304x768", lm::cpu::Layout::kNT, 1024, 50304, 768},
    {"512x1536x256", lm::cpu::Layout::kNT, 512, 1536, 256},
    {"64x3072x768", lm::cpu::Layout::kNT, 64, 3072, 768},
    {"12x3072x768", lm::cpu::Layout::kNT, 12, 3072, 768},
    {"8x3072x768", lm::cpu::Layout::kNT, 8, 3072, 768},
    {"4x3072x768", lm::cpu::Layout::kNT, 4, 3072, 768},
    {"1x3072x768", lm::cpu::Layout::kNT, 1, 3072, 768},
    {"1x50304x768", lm::cpu::Layout::kNT, 1, 50304, 768},
};

// With one thread, the processor time of this thread: time slices lost to neighbours do not count.
// With more, the wall clock, for the libraries' pools burn processor time while they wait.
f64 now(int threads) {
  timespec t{};
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<f64>(t.tv_sec) + 1e-9 * static_cast<f64>(t.tv_nsec);
}

struct Contender {
  const char* name;
  std::function<void()> run;
  f64 best = 0;
};

// The libraries' workers spin for up to 30 ms after a product and would hold a core while another
// contender is timed: with more than one thread each starts when the pools of the others sleep.
void let_pools_sleep(int threads) {
  if (threads > 1) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

void measure(const Case& shape, int threads, int rounds) {
  const auto [name, layout, m, n, k] = shape;
  using lm::cpu::Layout;
  std::vector<f32> a(lm::usize(m * k)), b(lm::usize(n * k)), c(lm::usize(m * n));
  const lm::RandomStream random(1, lm::RandomPurpose::kOther);
  lm::u64 draw = 0;
  for (f32& x : a)
    x = static_cast<f32>(random.bits(draw++) >> 40) * 0x1p-24f - 0.5f;
  for (f32& x : b)
    x = static_cast<f32>(random.bits(draw++) >> 40) * 0x1p-24f - 0.5f;
  const bool ta = layout == Layout::kTN;
  const bool tb = layout == Layout::kNT;
  const i64 lda = ta ? m : k;
  const i64 ldb = tb ? k : n;
  lm::cpu::PackedWeights packed;
  if (!ta) packed.pack(layout, n, k, b.data(), ldb);

  std::vector<Contender> all;
  if (!ta) {
    all.push_back({"packed", [&] { lm::cpu::gemm(m, a.data(), lda, packed, c.data(), n); }});
  }
  all.push_back({"plain", [&] {
                   lm::cpu::gemm(layout, m, n, k, a.data(), lda, b.data(), ldb, c.data(), n);
                 }});
  all.push_back({"openblas", [&] {
                   cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans,
                               tb ? CblasTrans : CblasNoTrans, static_cast<int>(m),
                               static_cast<int>(n), static_cast<int>(k), 1.0f, a.data(),
                               static_cast<int>(lda), b.data(), static_cast<int>(ldb), 0.0f,
                               c.data(), static_cast<int>(n));
                 }});
  all.push_back({"onednn", [&] {
                   dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1.0f, a.data(), lda,
                              b.data(), ldb, 0.0f, c.data(), n);
                 }});
  const f64 flop = 2.0 * static_cast<f64>(m) * static_cast<f64>(n) * static_cast<f64>(k);
  let_pools_sleep(threads);
  const f64 peak = lm::cpu::calibrated_peak() / 1e9;
  for (int round = 0; round < rounds; ++round) {
    for (Contender& one : all) {
      let_pools_sleep(threads);
      one.run();  // wakes its own workers
      // Repeat short products to some milliseconds, and take the best repetition.
      const int repeats = flop > 1e9 ? 1 : flop > 5e7 ? 4 : 24;
      for (int r = 0; r < repeats; ++r) {
        const f64 start = now(threads);
        one.run();
        one.best = std::max(one.best, flop / (now(threads) - start) / 1e9);
      }
    }
  }
  f64 library = 0, ours = 0;
  std::printf("{\"shape\":\"%s\",\"threads\":%d,\"peak\":%.1f", name, threads, peak);
  for (const Contender& one : all) {
    std::printf(",\"%s\":%.1f", one.name, one.best);
    const bool own = one.name[0] == 'p';
    (own ? ours : library) = std::max(own ? ours : library, one.best);
  }
  for (const Contender& one : all) {
    if (one.name[0] == 'p') std::printf(",\"%s_ratio\":%.2f", one.name, one.best / library);
  }
  std::printf(",\"of_peak\":%.2f}\n", ours / peak);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 10;
  lm::set_threads(threads);
  openblas_set_num_threads(threads);
  omp_set_num_threads(threads);
  for (const Case& shape : kCases) {
    if (argc > 3 && std::strstr(shape.name, argv[3]) == nullptr) continue;
    measure(shape, threads, rounds);
  }
}
