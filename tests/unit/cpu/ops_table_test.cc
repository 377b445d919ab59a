// Every operator of the table on the CPU: against the double-precision reference, against finite
// differences, and for equal bits under any thread count, memory plan and repetition.

#include <cmath>
#include <cstring>

#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "ops/ops.h"
#include "unit/ops/ref/cases.h"

using namespace lm;
using namespace lm::test;

namespace {

constexpr u64 kSeed = 2026;

std::vector<f32> read_floats(const Executor& exec, Value v) {
  std::vector<f32> out(usize(exec.graph().shape(v).count()));
  exec.read(v, out);
  return out;
}

// The bits of kept values (in order) and of all parameter gradients after a run.
std::vector<u32> run_bits(CaseGraph& c, const std::vector<Value>& kept, ExecOptions options) {
  Executor exec(c.g, cpu_backend(), options);
  c.bind(exec);
  exec.run(RunCtx{});
  std::vector<u32> bits;
  const auto append = [&bits](const Tensor& t) {
    for (i64 r = 0; r < t.rows(); ++r) {
      for (i64 i = 0; i < t.cols(); ++i) {
        u32 word = 0;
        std::memcpy(&word, t.bytes() + (r * t.ld + i) * 4, 4);
        bits.push_back(word);
      }
    }
  };
  for (const Value v : kept)
    append(exec.tensor(v));
  for (const std::unique_ptr<CaseGraph::Bound>& b : c.grads)
    append(b->tensor.view);
  return bits;
}

struct Differentiated {
  std::unique_ptr<CaseGraph> c;
  Value loss;
  std::vector<Value> kept;  // loss and input gradients
};

Differentiated differentiate(const OpCase& one) {
  Differentiated d;
  d.c = std::make_unique<CaseGraph>(kSeed);
  d.loss = random_loss(*d.c, one.build(*d.c));
  d.c->g.backward(d.loss);
  d.kept.push_back(d.loss);
  for (const std::unique_ptr<CaseGraph::Bound>& b : d.c->bound) {
    const Value grad = d.c->g.grad(b->v);
    if (b->differentiable && grad && d.c->g.info(grad).kind == ValueKind::kActivation) {
      d.kept.push_back(grad);
    }
  }
  for (const Value v : d.kept)
    d.c->g.keep(v);
  return d;
}

// Central difference of the reference loss along `direction` of one input.
f64 slope(const CaseGraph& c, Value loss, Value input, const Numbers& direction, f64 h) {
  f64 value[2];
  for (const int side : {0, 1}) {
    RefRun ref(c.g);
    c.set(ref);
    Numbers& x = ref.at(input);
    for (std::size_t i = 0; i < x.size(); ++i)
      x[i] += (side == 0 ? h : -h) * direction[i];
    ref.run(c.g.forward_nodes());
    value[side] = ref.at(loss)[0];
  }
  return (value[0] - value[1]) / (2 * h);
}

void check_gradient(const Differentiated& d, Value input, std::span<const f32> grad, int count) {
  f64 norm = 0;
  for (const f32 x : grad)
    norm += f64{x} * x;
  norm = std::sqrt(norm);
  for (int k = 0; k < count; ++k) {
    const RandomStream draw(77, RandomPurpose::kOther, static_cast<u64>(k));
    Numbers v(grad.size());
    f64 length = 0;
    for (std::size_t i = 0; i < v.size(); ++i)
      length += std::pow(v[i] = draw.normal(i), 2);
    f64 expected = 0;
    for (std::size_t i = 0; i < v.size(); ++i)
      expected += (v[i] /= std::sqrt(length)) * grad[i];
    const f64 measured = slope(*d.c, d.loss, input, v, 1e-5);
    // A random direction sees norm/sqrt(n) of a gradient; smaller results are rounding.
    const f64 scale =
        std::max(std::fabs(measured), norm / std::sqrt(static_cast<f64>(grad.size())));
    INFO("measured " << measured << " computed " << expected << " norm " << norm);
    REQUIRE(std::fabs(measured - expected) <= 1e-4 * scale + 1e-9);
  }
}

}  // namespace

TEST_CASE("every operator agrees with its double-precision reference", "[cpu][ops]") {
  set_threads(2);
  for (const OpCase& one : op_cases()) {
    INFO(one.name);
    CaseGraph c(kSeed);
    const std::vector<Value> outputs = one.build(c);
    for (const Value v : outputs)
      c.g.keep(v);
    ExecOptions options;
    options.mode = ExecMode::kHeap;  // poisoned buffers between guard zones
    Executor exec(c.g, cpu_backend(), options);
    c.bind(exec);
    exec.run(RunCtx{});
    RefRun ref(c.g);
    c.set(ref);
    ref.run(ssize(c.g.nodes()));
    for (std::size_t j = 0; j < outputs.size(); ++j) {
      INFO("output " << j);
      const Numbers& expected = ref.at(outputs[j]);
      if (c.g.info(outputs[j]).dtype == DType::kI32) {
        const i32* got = exec.tensor(outputs[j]).i32_data();
        for (std::size_t i = 0; i < expected.size(); ++i) {
          REQUIRE(static_cast<f64>(got[i]) == expected[i]);
        }
      } else {
        REQUIRE(nmse(read_floats(exec, outputs[j]), expected) <= one.nmse);
      }
    }
  }
}

TEST_CASE("gradients agree with finite differences of the reference", "[cpu][ops]") {
  set_threads(2);
  for (const OpCase& one : op_cases()) {
    if (!one.differentiable) continue;
    INFO(one.name);
    const Differentiated d = differentiate(one);
    ExecOptions options;
    options.mode = ExecMode::kHeap;
    Executor exec(d.c->g, cpu_backend(), options);
    d.c->bind(exec);
    exec.run(RunCtx{});
    for (const std::unique_ptr<CaseGraph::Bound>& b : d.c->bound) {
      const Value grad = d.c->g.grad(b->v);
      if (!b->differentiable || b->tensor.view.count() == 0) continue;
      INFO("input " << d.c->g.info(b->v).name);
      REQUIRE(grad);
      const std::vector<f32> values = read_floats(exec, grad);
      check_gradient(d, b->v, values, values.size() > 5000 ? 1 : 3);
    }
  }
}

TEST_CASE("bits depend on neither threads, plan nor repetition", "[cpu][ops]") {
  for (const OpCase& one : op_cases()) {
    INFO(one.name);
    Differentiated d;
    if (one.differentiable) {
      d = differentiate(one);
    } else {
      d.c = std::make_unique<CaseGraph>(kSeed);
      d.kept = one.build(*d.c);
      for (const Value v : d.kept)
        d.c->g.keep(v);
    }
    set_threads(1);
    const std::vector<u32> bits = run_bits(*d.c, d.kept, ExecOptions{});
    CHECK(run_bits(*d.c, d.kept, ExecOptions{}) == bits);
    ExecOptions heap;
    heap.mode = ExecMode::kHeap;
    CHECK(run_bits(*d.c, d.kept, heap) == bits);
    ExecOptions apart;
    apart.in_place = false;
    CHECK(run_bits(*d.c, d.kept, apart) == bits);
    for (const int threads : {2, 7}) {
      set_threads(threads);
      CHECK(run_bits(*d.c, d.kept, ExecOptions{}) == bits);
    }
  }
  set_threads(2);
}
