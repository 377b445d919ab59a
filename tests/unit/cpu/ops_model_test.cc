// A whole small transformer on the CPU backend: gradients, checkpointing, memory plans, training.

#include <cmath>
#include <cstring>

#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "ops/ops.h"
#include "unit/ops/ref/cases.h"
#include "unit/ops/ref/tiny_model.h"

using namespace lm;
using namespace lm::test;

namespace {

std::vector<f32> step(TinyModel& m, ExecOptions options, bool training, f32* loss = nullptr) {
  Executor exec(m.g, cpu_backend(), options);
  m.grads.zero();
  m.bind(exec);
  RunCtx ctx;
  ctx.seed = 5;
  ctx.step = 3;
  ctx.training = training;
  exec.run(ctx);
  if (loss != nullptr) *loss = exec.scalar(m.loss);
  return std::vector<f32>(m.grads.data(), m.grads.data() + m.grads.elements());
}

TinyModel& ready(TinyModel& m) {
  m.init();
  m.fill_data();
  return m;
}

bool same_bits(const std::vector<f32>& a, const std::vector<f32>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * 4) == 0;
}

f64 reference_loss(const TinyModel& m, i32 moved, const Numbers& by) {
  RefRun ref(m.g);
  const auto give = [&](Value v, const Tensor& t) {
    Numbers data;
    for (i64 i = 0; i < t.count(); ++i) {
      data.push_back(t.dtype == DType::kI32 ? f64(t.i32_data()[i]) : f64{t.f32_data()[i]});
    }
    ref.set(v, std::move(data));
  };
  give(m.tokens, m.token_data.view);
  give(m.targets, m.target_data.view);
  give(m.spans, m.span_data.view);
  give(m.positions, m.position_data.view);
  give(m.table, m.table_data.view);
  for (std::size_t v = 0; v < m.g.values().size(); ++v) {
    const ValueInfo& info = m.g.values()[v];
    if (info.kind != ValueKind::kParameter) continue;
    give(Value{static_cast<i32>(v)}, m.weights[info.param]);
    if (info.param != moved) continue;
    Numbers& data = ref.at(Value{static_cast<i32>(v)});
    for (std::size_t i = 0; i < data.size(); ++i)
      data[i] += by[i];
  }
  ref.run(m.g.forward_nodes());
  return ref.at(m.loss)[0];
}

}  // namespace

TEST_CASE("a transformer's loss and gradients agree with the double-precision model",
          "[cpu][ops]") {
  set_threads(2);
  for (const f32 loss_scale : {1.0f, 0.5f}) {  // fused head gradient, recomputed head gradient
    TinyConfig cfg;
    cfg.loss_scale = loss_scale;
    TinyModel m(cfg);
    f32 loss = 0;
    step(ready(m), ExecOptions{}, false, &loss);
    CHECK(std::fabs(loss - reference_loss(m, -1, {})) < 2e-6 * std::fabs(loss));
    for (i32 p = 0; p < m.params.size(); ++p) {
      INFO(m.params[p].name);
      const Tensor grad = m.grads[p];
      const RandomStream draw(11, RandomPurpose::kOther, static_cast<u64>(p));
      Numbers v(usize(grad.count()));
      f64 length = 0;
      for (std::size_t i = 0; i < v.size(); ++i)
        length += std::pow(v[i] = draw.normal(i), 2);
      f64 expected = 0;
      f64 norm = 0;
      const f64 h = 1e-5;
      for (std::size_t i = 0; i < v.size(); ++i) {
        v[i] *= h / std::sqrt(length);
        expected += v[i] / h * grad.f32_data()[i];
        norm += std::pow(grad.f32_data()[i], 2);
      }
      Numbers back = v;
      for (f64& x : back)
        x = -x;
      const f64 slope = (reference_loss(m, p, v) - reference_loss(m, p, back)) / (2 * h);
      const f64 size = std::sqrt(norm / static_cast<f64>(v.size()));
      CHECK(std::fabs(slope - expected) <= 1e-4 * std::max(std::fabs(slope), size));
    }
  }
}

TEST_CASE("checkpoint policies change memory and no bit of any gradient", "[cpu][ops]") {
  set_threads(2);
  TinyConfig cfg;
  cfg.dropout = 0.2f;  // recomputed masks must repeat
  cfg.layers = 4;
  cfg.rows = 240;
  TinyModel plain(cfg);
  const std::vector<f32> expected = step(ready(plain), ExecOptions{}, true);
  const i64 bytes = Executor(plain.g, cpu_backend()).plan().slab_bytes;
  for (const Recompute policy : {Recompute::kCheap, Recompute::kBlock}) {
    cfg.policy = policy;
    TinyModel m(cfg);
    CHECK(m.g.nodes().size() > plain.g.nodes().size());
    CHECK(same_bits(step(ready(m), ExecOptions{}, true), expected));
    ExecOptions heap;
    heap.mode = ExecMode::kHeap;
    CHECK(same_bits(step(m, heap, true), expected));
    CHECK(Executor(m.g, cpu_backend()).plan().slab_bytes < bytes);
  }
  RunCtx other;  // the mask is a function of the step: another step, another gradient
  other.seed = 5;
  other.step = 4;
  other.training = true;
  Executor exec(plain.g, cpu_backend());
  plain.grads.zero();
  plain.bind(exec);
  exec.run(other);
  CHECK(std::memcmp(plain.grads.data(), expected.data(), expected.size() * 4) != 0);
}

TEST_CASE("planned, separate and heap buffers and any thread count give the same bits",
          "[cpu][ops]") {
  TinyConfig cfg;
  cfg.rows = 300;
  cfg.width = 32;
  TinyModel m(cfg);
  set_threads(1);
  const std::vector<f32> expected = step(ready(m), ExecOptions{}, false);
  ExecOptions apart;
  apart.in_place = false;
  CHECK(same_bits(step(m, apart, false), expected));
  ExecOptions heap;
  heap.mode = ExecMode::kHeap;
  heap.check_nan = true;
  CHECK(same_bits(step(m, heap, false), expected));
  for (const int threads : {2, 7}) {
    set_threads(threads);
    CHECK(same_bits(step(m, ExecOptions{}, false), expected));
  }
  set_threads(2);
}

TEST_CASE("micro-batches add up in the gradient slab", "[cpu][ops]") {
  TinyConfig cfg;
  TinyModel m(cfg);
  const std::vector<f32> once = step(ready(m), ExecOptions{}, false);
  Executor exec(m.g, cpu_backend());
  m.bind(exec);
  exec.run(RunCtx{});  // a second pass over the same rows, slab not zeroed
  Numbers twice;
  for (const f32 x : once)
    twice.push_back(2.0 * f64{x});
  CHECK(nmse(std::span<const f32>(m.grads.data(), usize(m.grads.elements())), twice) < 1e-12);
}

TEST_CASE("plain gradient descent learns a fixed text", "[cpu][ops]") {
  set_threads(2);
  TinyConfig cfg;
  TinyModel m(cfg);
  Executor exec(ready(m).g, cpu_backend());
  m.bind(exec);
  f32 first = 0;
  f32 last = 0;
  for (int i = 0; i < 150; ++i) {
    m.grads.zero();
    exec.run(RunCtx{});
    last = exec.scalar(m.loss);
    if (i == 0) first = last;
    for (i64 k = 0; k < m.grads.elements(); ++k)
      m.weights.data()[k] -= 0.02f * m.grads.data()[k];
  }
  INFO("first " << first << " last " << last);
  CHECK(first > 22 * 2.5f);  // 22 targets, about log 29 = 3.4 nats each
  CHECK(last < 0.05f * first);
}

TEST_CASE("plans stay within a tenth of the lower bound", "[cpu][ops]") {
  // GPT-2 124M shape with 4 sequences of 256: planning needs no memory for the values.
  for (const Recompute policy : {Recompute::kNone, Recompute::kCheap, Recompute::kBlock}) {
    for (const i64 layers : {2, 12}) {
      TinyConfig cfg{layers, 768, 3072, 12, 12, 50257, 1024, 256, 0, 1, policy};
      const TinyModel m(cfg);
      const Plan plan = make_plan(m.g, [](const Node& n, const Graph& g) -> i64 {
        const KernelDef& k = cpu_backend().kernels[static_cast<std::size_t>(n.op)];
        return k.workspace == nullptr ? 0 : k.workspace(n, g);
      });
      INFO("policy " << static_cast<int>(policy) << " slab " << plan.slab_bytes << " bound "
                     << plan.lower_bound_bytes);
      CHECK(plan.slab_bytes >= plan.lower_bound_bytes);
      CHECK(static_cast<f64>(plan.slab_bytes) <= 1.10 * static_cast<f64>(plan.lower_bound_bytes));
    }
  }
}

TEST_CASE("fallbacks give the fused operators' values and gradients", "[cpu][ops]") {
  const auto run = [](const std::function<std::vector<Value>(CaseGraph&)>& build) {
    CaseGraph c(9);
    const Value loss = random_loss(c, build(c));
    c.g.backward(loss);
    std::vector<Value> kept{loss};
    const std::size_t count = c.bound.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (c.bound[i]->differentiable) kept.push_back(c.g.grad(c.bound[i]->v));
    }
    for (const Value v : kept)
      c.g.keep(v);
    Executor exec(c.g, cpu_backend());
    c.bind(exec);
    exec.run(RunCtx{});
    std::vector<f32> out;
    for (const Value v : kept) {
      std::vector<f32> part(usize(c.g.shape(v).count()));
      exec.read(v, part);
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  };
  const auto compare = [&](const auto& fused, const auto& plain) {
    const std::vector<f32> a = run(fused);
    const std::vector<f32> b = run(plain);
    CHECK(nmse(a, Numbers(b.begin(), b.end())) < 1e-10);
  };
  const NormAttr norm{NormKind::kRms, 1e-5f, false};
  compare(
      [&](CaseGraph& c) {
        const Value x = c.f({9, 20});
        const NormResidual n = norm_residual(c.g, x, c.f({9, 20}), c.param({20}), {}, norm);
        return std::vector<Value>{n.y, n.sum};
      },
      [&](CaseGraph& c) {
        const Value x = c.f({9, 20});
        const NormResidual n =
            norm_residual_fallback(c.g, x, c.f({9, 20}), c.param({20}), {}, norm);
        return std::vector<Value>{n.y, n.sum};
      });
  for (const GluKind kind :
       {GluKind::kSilu, GluKind::kGeluTanh, GluKind::kRelu2, GluKind::kGeluErf}) {
    compare(
        [&](CaseGraph& c) {
          return std::vector<Value>{glu(c.g, c.f({5, 14}), kind)};
        },
        [&](CaseGraph& c) {
          return std::vector<Value>{glu_fallback(c.g, c.f({5, 14}), kind)};
        });
  }
  const CeAttr ce{31, 4.0f, 0.01f, 0.1f, false};
  const auto head = [&](bool fused) {
    return [fused, &ce](CaseGraph& c) {
      const Value x = c.f({20, 8});
      const Value w = c.param({32, 8});
      std::vector<i32> ids = c.draw_ints(20, 31);
      ids[3] = kIgnoreTarget;
      const Value t = c.ints({20}, ids);
      const CeResult r = (fused ? linear_ce : linear_ce_fallback)(c.g, x, w, t, Value{}, ce);
      return std::vector<Value>{r.sum, r.rows};
    };
  };
  compare(head(true), head(false));
}

TEST_CASE("paged attention gives the bits of attention over one buffer", "[cpu][ops]") {
  constexpr i64 kRows = 70;
  constexpr i32 kHeads = 4, kKv = 2, kDim = 8;
  constexpr i64 kPage = 16;
  CaseGraph c(21);
  const Value x = c.f({kRows, (kHeads + 2 * kKv) * kDim});
  const std::array<i64, 1> one = {kRows};
  const Value y = attention(c.g, x, c.ints({kRows, 6}, causal_spans(one)),
                            AttentionAttr{kHeads, kKv, kDim, 0, 0, true});
  c.g.keep(y);
  Executor whole(c.g, cpu_backend());
  c.bind(whole);
  whole.run(RunCtx{});
  std::vector<f32> expected(usize(kRows * kHeads * kDim));
  whole.read(y, expected);

  // Pages in scattered order; rows arrive in chunks of 1, 5 and 33, with padding rows behind.
  const std::vector<i32> pages = {3, 0, 4, 1, 2};
  std::vector<f32> k(usize(5 * kPage * kKv * kDim)), v(k.size());
  void* k_layer = k.data();
  void* v_layer = v.data();
  for (const i64 chunk : {i64{1}, i64{5}, i64{33}}) {
    std::fill(k.begin(), k.end(), NAN);
    std::fill(v.begin(), v.end(), NAN);
    Graph g(ops());
    const Value in = g.input("qkv", {chunk + 2, (kHeads + 2 * kKv) * kDim});
    const Value out = paged_attention(g, in, PagedAttr{kHeads, kKv, kDim, 0, 0, 0, 0});
    g.keep(out);
    Executor exec(g, cpu_backend());
    OwnedTensor rows(g.shape(in));
    exec.bind(in, rows.view);
    std::vector<f32> got;
    for (i64 begin = 0; begin < kRows; begin += chunk) {
      const i64 count = std::min(chunk, kRows - begin);
      std::vector<RowSpan> spans;
      std::vector<i32> store;
      std::vector<const i32*> tables(usize(count), pages.data());
      for (i64 i = begin; i < begin + count; ++i) {
        spans.push_back({0, static_cast<i32>(i + 1), 0, 0, 0, 0});
        store.push_back(static_cast<i32>(i));
      }
      const i64 width = rows.view.cols();
      std::memcpy(rows.view.f32_data(), c.bound[0]->tensor.view.f32_data() + begin * width,
                  usize(count * width * 4));
      KvView view;
      view.rows = count;
      view.spans = spans.data();
      view.store = store.data();
      view.tables = tables.data();
      view.page_tokens = kPage;
      view.k = &k_layer;
      view.v = &v_layer;
      const void* bindings[] = {&view};
      RunCtx ctx;
      ctx.bindings = bindings;
      exec.run(ctx);
      std::vector<f32> part(usize((chunk + 2) * kHeads * kDim));
      exec.read(out, part);
      got.insert(got.end(), part.begin(), part.begin() + count * kHeads * kDim);
      for (i64 i = count * kHeads * kDim; i < ssize(part); ++i)
        CHECK(part[usize(i)] == 0.0f);
    }
    CHECK(same_bits(got, expected));
  }
}

TEST_CASE("a weight cache and 16-bit weights give the bits of their f32 values", "[cpu][ops]") {
  CaseGraph c(4);
  const Value x = c.f({7, 40});
  const Value w = c.param({50, 40});
  const Value y = linear(c.g, x, w);
  c.g.keep(y);
  OwnedTensor half({50, 40}, DType::kBf16);
  copy_convert(c.bound[1]->tensor.view, half.view);
  copy_convert(half.view, c.bound[1]->tensor.view);  // the f32 weights now are bf16 numbers
  Executor exec(c.g, cpu_backend());
  c.bind(exec);
  exec.run(RunCtx{});
  std::vector<f32> expected(350);
  exec.read(y, expected);

  Graph g(ops());
  const Value x16 = g.input("x", {7, 40});
  const Value w16 = g.parameter("w", {50, 40}, 0, DType::kBf16, false);
  const Value y16 = linear(g, x16, w16);
  g.keep(y16);
  Executor narrow(g, cpu_backend());
  narrow.bind(x16, c.bound[0]->tensor.view);
  narrow.bind(w16, half.view);
  const std::unique_ptr<BackendState> state = cpu_backend().make_state();
  RunCtx with_state;
  with_state.state = state.get();
  for (const RunCtx& ctx : {RunCtx{}, with_state, with_state}) {
    narrow.run(ctx);
    std::vector<f32> got(350);
    narrow.read(y16, got);
    CHECK(same_bits(got, expected));
    exec.run(ctx);
    exec.read(y, got);
    CHECK(same_bits(got, expected));
  }
}

TEST_CASE("runs refuse ids, positions, targets and spans outside their range", "[cpu][ops]") {
  using Catch::Matchers::ContainsSubstring;
  TinyConfig cfg;
  TinyModel m(cfg);
  Executor exec(ready(m).g, cpu_backend());
  m.bind(exec);
  const auto spoil = [&](OwnedTensor& t, i64 at, i32 bad, const std::string& message) {
    const i32 good = t.view.i32_data()[at];
    t.view.i32_data()[at] = bad;
    CHECK_THROWS_WITH(exec.run(RunCtx{}), ContainsSubstring(message));
    t.view.i32_data()[at] = good;
  };
  spoil(m.token_data, 4, 29, "token 29 at row 4 is outside [0, 29)");
  spoil(m.token_data, 0, -1, "token -1 at row 0");
  spoil(m.target_data, 7, 29, "target 29 at row 7");
  spoil(m.target_data, 7, -5, "target -5 at row 7");
  spoil(m.position_data, 3, 12, "position 12 at row 3 is outside the table of 12");
  spoil(m.span_data, 6 * 5 + 1, 25, "span of row 5 is outside 24 keys");
  CHECK_NOTHROW(exec.run(RunCtx{}));
}

TEST_CASE("the executor names non-finite nodes, unbound values and wrong tensors", "[cpu][ops]") {
  using Catch::Matchers::ContainsSubstring;
  Graph g(ops());
  const Graph::Scope scope = g.scope("blocks");
  const Value x = g.input("x", {2, 3});
  const Value y = unary(g, x, Unary::kLog);
  g.keep(y);
  ExecOptions options;
  options.check_nan = true;
  Executor exec(g, cpu_backend(), options);
  CHECK_THROWS_WITH(exec.run(RunCtx{}), ContainsSubstring("x must be bound"));
  OwnedTensor data({2, 3});
  CHECK_THROWS_AS(exec.bind(x, OwnedTensor({3, 2}).view), ShapeError);
  CHECK_THROWS_AS(exec.bind(x, OwnedTensor({2, 3}, DType::kI32).view), ShapeError);
  CHECK_THROWS_AS(exec.bind(y, data.view), Error);
  for (i64 i = 0; i < 6; ++i)
    data.view.f32_data()[i] = i == 4 ? -1.0f : 2.0f;
  exec.bind(x, data.view);
  CHECK_THROWS_WITH(exec.run(RunCtx{}),
                    ContainsSubstring("blocks.unary output 0: 1 of 6 values are not finite, "
                                      "first at index 4"));
}
