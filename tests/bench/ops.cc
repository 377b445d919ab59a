// Time of single operators and of a whole training step on the CPU, one JSON line per case:
// seconds, GFLOP/s and GB/s from the cost functions, and the share of an FMA-bound product timed
// around it (the machine is shared: only ratios count).
//   bench-ops [--threads N] [case ...]

#include "ops/ops.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/parallel.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "graph/exec.h"
#include "unit/ops/ref/cases.h"
#include "unit/ops/ref/tiny_model.h"

using namespace lm;
using namespace lm::test;

namespace {

constexpr f64 kMinSeconds = 0.4;

struct BenchCase {
  std::string name;
  std::function<std::vector<Value>(CaseGraph&)> build;
};

std::vector<BenchCase> bench_cases() {
  const i64 n = 1024;
  const i64 c = 768;
  std::vector<BenchCase> cases;
  cases.push_back({"linear 1024x3072x768", [=](CaseGraph& g) {
                     return std::vector<Value>{linear(g.g, g.f({n, c}), g.param({4 * c, c}))};
                   }});
  cases.push_back({"linear gelu 1024x3072x768", [=](CaseGraph& g) {
                     const Value x = g.f({n, c});
                     const Value w = g.param({4 * c, c}, 0.02);
                     return std::vector<Value>{
                         linear(g.g, x, w, g.param({4 * c}), Unary::kGeluTanh)};
                   }});
  cases.push_back({"layernorm 1024x768", [=](CaseGraph& g) {
                     const Value x = g.f({n, c});
                     return std::vector<Value>{layernorm(g.g, x, g.param({c}), g.param({c}))};
                   }});
  cases.push_back({"attention causal 4x256, 12 heads of 64", [=](CaseGraph& g) {
                     const std::vector<i64> lengths(4, 256);
                     const Value spans = g.ints({n, kSpanInts}, causal_spans(lengths));
                     const AttentionAttr attr{12, 12, 64, 0, 0, true};
                     return std::vector<Value>{attention(g.g, g.f({n, 3 * c}), spans, attr)};
                   }});
  cases.push_back({"glu 1024x3072", [=](CaseGraph& g) {
                     return std::vector<Value>{glu(g.g, g.f({n, 8 * c}), GluKind::kSilu)};
                   }});
  cases.push_back({"linear_ce 256x50257x768", [=](CaseGraph& g) {
                     const Value x = g.f({256, c});
                     const Value w = g.param({50257, c}, 0.02);
                     const Value t = g.ints({256}, g.draw_ints(256, 50257));
                     const CeAttr attr{50257, 0, 0, 0, false};
                     return std::vector<Value>{linear_ce(g.g, x, w, t, {}, attr).sum};
                   }});
  return cases;
}

// Fastest of the runs that fit kMinSeconds, after one to warm up.
f64 best_seconds(Executor& exec) {
  exec.run(RunCtx{});
  f64 best = 1e30;
  const f64 begin = monotonic_s();
  do {
    const f64 start = monotonic_s();
    exec.run(RunCtx{});
    best = std::min(best, monotonic_s() - start);
  } while (monotonic_s() - begin < kMinSeconds);
  return best;
}

f64 product_gflops() {
  CaseGraph g(1);
  const Value y = linear(g.g, g.f({768, 768}), g.param({768, 768}));
  g.g.keep(y);
  Executor exec(g.g, cpu_backend());
  g.bind(exec);
  return static_cast<f64>(total_flops(g.g)) / best_seconds(exec) * 1e-9;
}

void report(const std::string& name, const Graph& g, f64 seconds, f64 peak) {
  i64 bytes = 0;
  for (const OpTotal& t : op_totals(g))
    bytes += t.bytes_read + t.bytes_written;
  const f64 gflops = static_cast<f64>(total_flops(g)) / seconds * 1e-9;
  std::printf(
      "{\"case\":\"%s\",\"seconds\":%.6f,\"gflops\":%.2f,\"gbytes_s\":%.2f,"
      "\"share_of_product\":%.3f}\n",
      name.c_str(), seconds, gflops, static_cast<f64>(bytes) / seconds * 1e-9, gflops / peak);
}

void bench_case(const BenchCase& one, bool gradient) {
  CaseGraph g(3);
  std::vector<Value> outputs = one.build(g);
  if (gradient) {
    Value loss = outputs[0];
    if (g.g.shape(loss).count() != 1) loss = random_loss(g, outputs);
    g.g.backward(loss);
    for (const std::unique_ptr<CaseGraph::Bound>& b : g.bound) {
      const Value d = g.g.grad(b->v);
      if (b->differentiable && d) outputs.push_back(d);
    }
  }
  for (const Value v : outputs)
    g.g.keep(v);
  const f64 before = product_gflops();
  Executor exec(g.g, cpu_backend());
  g.bind(exec);
  const f64 seconds = best_seconds(exec);
  report(cat(one.name, gradient ? " with gradients" : ""), g.g, seconds,
         (before + product_gflops()) / 2);
}

// A step of a GPT-2-width model of 2 layers, and where its time goes.
void bench_step() {
  TinyConfig cfg{2, 768, 2048, 12, 12, 8192, 512, 256, 0, 1, Recompute::kNone};
  TinyModel m(cfg);
  m.init();
  m.fill_data();
  const f64 before = product_gflops();
  ExecOptions options;
  options.profile = true;
  Executor exec(m.g, cpu_backend(), options);
  m.bind(exec);
  const f64 seconds = best_seconds(exec);
  report("training step 2 layers 768 wide, 512 tokens", m.g, seconds,
         (before + product_gflops()) / 2);
  f64 total = 0;
  for (const OpTime& t : exec.profile())
    total += t.wall_s;
  for (const OpTime& t : exec.profile()) {
    std::printf("{\"op\":\"%s\",\"calls\":%lld,\"share\":%.4f,\"gflops\":%.2f,\"gbytes_s\":%.2f}\n",
                t.op.c_str(), static_cast<long long>(t.calls), t.wall_s / total,
                static_cast<f64>(t.flops) / t.wall_s * 1e-9,
                static_cast<f64>(t.bytes) / t.wall_s * 1e-9);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> wanted;
  int threads = 2;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--threads" && i + 1 < argc) {
      threads = std::atoi(argv[++i]);
    } else {
      wanted.push_back(arg);
    }
  }
  set_threads(std::max(1, threads));
  const auto chosen = [&](const std::string& name) {
    return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& w) {
             return name.find(w) != std::string::npos;
           });
  };
  for (const BenchCase& one : bench_cases()) {
    if (!chosen(one.name)) continue;
    bench_case(one, false);
    bench_case(one, true);
  }
  if (chosen("training step")) bench_step();
  return 0;
}
