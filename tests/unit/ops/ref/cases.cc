#include "cases.h"

#include <cmath>
#include <limits>

#include "core/random.h"
#include "ops/ops.h"

namespace lm::test {

CaseGraph::CaseGraph(u64 seed) : g(ops()), seed_(seed) {}

OwnedTensor& CaseGraph::add(Value v, const Shape& shape, DType dtype, bool differentiable) {
  bound.push_back(std::make_unique<Bound>(Bound{v, OwnedTensor(shape, dtype), differentiable}));
  return bound.back()->tensor;
}

Value CaseGraph::f(Shape shape, f64 scale, f64 shift) {
  const RandomStream draw(seed_, RandomPurpose::kOther, usize(ssize(bound)));
  const Value v = g.input("x" + std::to_string(bound.size()), shape, DType::kF32, true);
  OwnedTensor& t = add(v, shape, DType::kF32, true);
  for (i64 i = 0; i < shape.count(); ++i) {
    t.view.f32_data()[i] = static_cast<f32>(shift + scale * draw.normal(static_cast<u64>(i)));
  }
  return v;
}

Value CaseGraph::param(Shape shape, f64 scale) {
  const RandomStream draw(seed_, RandomPurpose::kInit, usize(ssize(bound)));
  const Value v =
      g.parameter("w" + std::to_string(bound.size()), shape, static_cast<i32>(bound.size()));
  OwnedTensor& t = add(v, shape, DType::kF32, true);
  for (i64 i = 0; i < shape.count(); ++i) {
    t.view.f32_data()[i] = static_cast<f32>(scale * draw.normal(static_cast<u64>(i)));
  }
  return v;
}

Value CaseGraph::away_from_zero(Shape shape) {
  const Value v = f(shape);
  f32* x = bound.back()->tensor.view.f32_data();
  for (i64 i = 0; i < shape.count(); ++i)
    x[i] += x[i] < 0 ? -0.05f : 0.05f;
  return v;
}

Value CaseGraph::fixed(Shape shape, std::vector<f32> data) {
  const Value v = g.input("c" + std::to_string(bound.size()), shape);
  OwnedTensor& t = add(v, shape, DType::kF32, false);
  std::copy(data.begin(), data.end(), t.view.f32_data());
  return v;
}

Value CaseGraph::ints(Shape shape, std::vector<i32> data) {
  const Value v = g.input("i" + std::to_string(bound.size()), shape, DType::kI32);
  OwnedTensor& t = add(v, shape, DType::kI32, false);
  std::copy(data.begin(), data.end(), t.view.i32_data());
  return v;
}

std::vector<i32> CaseGraph::draw_ints(i64 count, i64 bound_value) {
  const RandomStream draw(seed_, RandomPurpose::kSampling, usize(ssize(bound)));
  std::vector<i32> out;
  for (i64 i = 0; i < count; ++i) {
    out.push_back(static_cast<i32>(draw.below(static_cast<u64>(i), static_cast<u64>(bound_value))));
  }
  return out;
}

void CaseGraph::bind(Executor& exec) {
  for (const std::unique_ptr<Bound>& b : bound)
    exec.bind(b->v, b->tensor.view);
  grads.clear();
  for (std::size_t i = 0; i < g.values().size(); ++i) {
    const ValueInfo& info = g.values()[i];
    if (info.kind != ValueKind::kGradient) continue;
    const Value v{static_cast<i32>(i)};
    grads.push_back(std::make_unique<Bound>(Bound{v, OwnedTensor(info.shape), false}));
    exec.bind(v, grads.back()->tensor.view);
  }
}

void CaseGraph::set(RefRun& ref) const {
  for (const std::unique_ptr<Bound>& b : bound) {
    Numbers data;
    for (i64 i = 0; i < b->tensor.view.count(); ++i) {
      data.push_back(b->tensor.view.dtype == DType::kI32
                         ? static_cast<f64>(b->tensor.view.i32_data()[i])
                         : static_cast<f64>(b->tensor.view.f32_data()[i]));
    }
    ref.set(b->v, std::move(data));
  }
}

Value random_loss(CaseGraph& c, const std::vector<Value>& outputs) {
  Value total;
  for (const Value y : outputs) {
    if (c.g.info(y).dtype != DType::kF32) continue;
    const Value r = c.f(c.g.shape(y));
    c.g.info(r).needs_grad = false;
    c.bound.back()->differentiable = false;
    const Value part = dot(c.g, y, r);
    total = total ? add(c.g, total, part) : part;
  }
  return total;
}

f64 nmse(std::span<const f32> y, const Numbers& r) {
  f64 error = 0;
  f64 size = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (std::isinf(r[i]) && f64{y[i]} == r[i]) continue;
    if (!std::isfinite(y[i])) return std::numeric_limits<f64>::infinity();
    error += (f64{y[i]} - r[i]) * (f64{y[i]} - r[i]);
    size += r[i] * r[i];
  }
  return error == 0 ? 0 : size == 0 ? std::numeric_limits<f64>::infinity() : error / size;
}

std::vector<i32> causal_spans(std::span<const i64> lengths) {
  std::vector<i32> out;
  i64 start = 0;
  for (const i64 length : lengths) {
    for (i64 i = start; i < start + length; ++i) {
      const RowSpan s{static_cast<i32>(start), static_cast<i32>(i + 1), 0, 0, 0, 0};
      out.insert(out.end(), {s.a0, s.a1, s.b0, s.b1, s.la, s.lb});
    }
    start += length;
  }
  return out;
}

std::vector<OpCase> op_cases() {
  std::vector<OpCase> cases;
  add_elementwise_cases(cases);
  add_matrix_cases(cases);
  add_transformer_cases(cases);
  add_recurrent_cases(cases);
  add_experts_cases(cases);
  return cases;
}

}  // namespace lm::test
