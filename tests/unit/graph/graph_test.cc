// The graph room over a three-operator table of its own: building, autograd, planning,
// checkpointing and execution without any real kernel.

#include "graph/graph.h"

#include <cstring>

#include "catch.h"
#include "core/str.h"
#include "graph/checkpoint.h"
#include "graph/exec.h"
#include "graph/op_def.h"
#include "graph/params.h"
#include "graph/plan.h"
#include "io/file.h"

using namespace lm;
using Catch::Matchers::ContainsSubstring;

namespace {

// Operators: view, copy, fill (the graph's own), add, square (gradient 2 x dy by square_grad), sum.
constexpr Op kAdd2{3}, kSquare{4}, kSquareGrad{5}, kSum{6}, kSpread{7}, kOpaque{8}, kStore{9};

void infer_first(InferCtx& c) {
  c.require(c.has(0), "needs an input");
  c.output(c.shape(0), c.dtype(0));
}
void infer_view(InferCtx& c) {
  const ValueInfo& x = c.g.info(c.n.in[0]);
  c.n.out.push_back(c.g.new_view(c.n.in[0], {x.shape.count()}, 0, x.shape.count()));
}
void infer_add(InferCtx& c) {
  c.require(c.shape(0) == c.shape(1), "operands differ");
  c.output(c.shape(0), c.dtype(0));
}
void grad_add(GradCtx& c) {
  c.pass(0, c.dout(0));
  c.pass(1, c.dout(0));
}
void grad_square(GradCtx& c) {
  if (c.need(0)) c.emit(kSquareGrad, Attr{}, {c.in(0), c.dout(0)}, {c.into(0)});
}
void infer_sum(InferCtx& c) {
  c.output({1}, DType::kF32);
}
void grad_sum(GradCtx& c) {
  if (c.need(0)) c.emit(kSpread, Attr{}, {c.dout(0)}, {c.into(0)});
}

OpDef make(std::string_view name, void (*infer)(InferCtx&), void (*grad)(GradCtx&) = nullptr) {
  OpDef d;
  d.name = name;
  d.infer = infer;
  d.grad = grad;
  return d;
}

const std::vector<OpDef>& table() {
  static const std::vector<OpDef> defs = [] {
    std::vector<OpDef> d = {make("view", infer_view),
                            make("copy", infer_first),
                            make("fill", infer_first),
                            make("add", infer_add, grad_add),
                            make("square", infer_first, grad_square),
                            make("square_grad", infer_first),
                            make("sum", infer_sum, grad_sum),
                            make("spread", infer_first),
                            make("opaque", infer_first),
                            make("store", infer_first)};
    d[0].is_view = true;
    d[1].accumulates = 1;
    d[1].in_place = 0;
    d[3].in_place = 0;
    d[3].cheap = true;
    d[9].side_effect = true;
    return d;
  }();
  return defs;
}

using Fn = void (*)(const Node&, const Tensor* in, Tensor* out);
template <Fn kFn>
void kernel(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  kFn(n, in, out);
}
void k_copy(const Node& n, const Tensor* in, Tensor* out) {
  for (i64 i = 0; i < out[0].count(); ++i) {
    out[0].f32_data()[i] = in[0].f32_data()[i] + (n.accumulate != 0 ? out[0].f32_data()[i] : 0);
  }
}
void k_fill(const Node& n, const Tensor*, Tensor* out) {
  for (i64 i = 0; i < out[0].count(); ++i)
    out[0].f32_data()[i] = n.attr.as<FillAttr>().value;
}
void k_add(const Node&, const Tensor* in, Tensor* out) {
  for (i64 i = 0; i < out[0].count(); ++i) {
    out[0].f32_data()[i] = in[0].f32_data()[i] + in[1].f32_data()[i];
  }
}
void k_square(const Node&, const Tensor* in, Tensor* out) {
  for (i64 i = 0; i < out[0].count(); ++i) {
    out[0].f32_data()[i] = in[0].f32_data()[i] * in[0].f32_data()[i];
  }
}
void k_square_grad(const Node&, const Tensor* in, Tensor* out) {
  for (i64 i = 0; i < out[0].count(); ++i) {
    out[0].f32_data()[i] = 2 * in[0].f32_data()[i] * in[1].f32_data()[i];
  }
}
void k_sum(const Node&, const Tensor* in, Tensor* out) {
  f32 s = 0;
  for (i64 i = 0; i < in[0].count(); ++i)
    s += in[0].f32_data()[i];
  out[0].f32_data()[0] = s;
}
void k_spread(const Node&, const Tensor* in, Tensor* out) {
  for (i64 i = 0; i < out[0].count(); ++i)
    out[0].f32_data()[i] = in[0].f32_data()[0];
}
void k_overrun(const Node&, const Tensor* in, Tensor* out) {
  k_square(Node{}, in, out);
  out[0].f32_data()[out[0].count()] = 1;  // one element too far
}

class ToyBackend : public Backend {
 public:
  explicit ToyBackend(std::span<const KernelDef> table) : Backend("toy", Device{}, table) {}
  Storage allocate(i64 bytes) const override { return Storage::cpu(bytes); }
  void zero(void* d, i64 n) const override { std::memset(d, 0, usize(n)); }
  void copy(void* d, const void* s, i64 n) const override { std::memcpy(d, s, usize(n)); }
  void to_device(void* d, const void* s, i64 n) const override { copy(d, s, n); }
  void to_host(void* d, const void* s, i64 n) const override { copy(d, s, n); }
  void synchronize() const override {}
  std::unique_ptr<Recording> record(const std::function<void()>& work) const override {
    struct Again : Recording {
      explicit Again(std::function<void()> w) : again(std::move(w)) {}
      void replay() override { again(); }
      std::function<void()> again;
    };
    work();
    ++recordings;
    return std::make_unique<Again>(work);
  }
  void adamw(const AdamWStep&, i64, const f32*, f32*, f32*, f32*, u16*) const override {}
  f64 sum_squares(i64, const f32*) const override { return 0; }
  void round_to_bf16(i64, const f32*, u16*) const override {}
  mutable i64 recordings = 0;
};

const ToyBackend& toy_backend() {
  static const std::vector<KernelDef> kernels = {{},
                                                 {kernel<k_copy>},
                                                 {kernel<k_fill>},
                                                 {kernel<k_add>},
                                                 {kernel<k_square>},
                                                 {kernel<k_square_grad>},
                                                 {kernel<k_sum>},
                                                 {kernel<k_spread>},
                                                 {},
                                                 {kernel<k_overrun>}};
  static const ToyBackend backend(kernels);
  return backend;
}

// loss = sum((x + w)^2 + x), with the square in a region. d/dx = 2(x+w) + 1, d/dw = 2(x+w).
struct Toy {
  explicit Toy(Recompute policy) : g(table()) {
    x = g.input("x", {3}, DType::kF32, true);
    w = g.parameter("w", {3}, 0);
    Value y;
    {
      const Graph::Scope scope = g.region("block", policy);
      const Value s = g.apply(kAdd2, Attr{}, {x, w});
      y = g.apply(kSquare, Attr{}, {s});
    }
    loss = g.apply(kSum, Attr{}, {g.apply(kAdd2, Attr{}, {y, x})});
    g.keep(loss);
    g.backward(loss);
    g.keep(g.grad(x));
    apply_checkpointing(g);
  }
  Graph g;
  Value x, w, loss;
};

std::vector<f32> numbers(const Tensor& t) {
  return std::vector<f32>(t.f32_data(), t.f32_data() + t.count());
}

}  // namespace

TEST_CASE("gradients meet, accumulate and reach parameters", "[graph]") {
  for (const Recompute policy : {Recompute::kNone, Recompute::kCheap, Recompute::kBlock}) {
    for (const ExecMode mode : {ExecMode::kPlanned, ExecMode::kHeap}) {
      Toy toy(policy);
      Executor exec(toy.g, toy_backend(), ExecOptions{mode});
      OwnedTensor x({3}), w({3}), dw({3});
      for (i64 i = 0; i < 3; ++i) {
        x.view.f32_data()[i] = static_cast<f32>(i + 1);  // 1 2 3
        w.view.f32_data()[i] = 0.5f;
      }
      exec.bind(toy.x, x.view);
      exec.bind_params([&](i32) { return w.view; });
      exec.bind_grads([&](i32) { return dw.view; });
      exec.run(RunCtx{});
      // 1.5^2 + 2.5^2 + 3.5^2 + 1 + 2 + 3
      CHECK(exec.scalar(toy.loss) == 26.75f);
      CHECK(numbers(exec.tensor(toy.g.grad(toy.x))) == std::vector<f32>{4, 6, 8});
      CHECK(numbers(dw.view) == std::vector<f32>{3, 5, 7});
      exec.run(RunCtx{});  // parameter gradients add up over runs
      CHECK(numbers(dw.view) == std::vector<f32>{6, 10, 14});
    }
  }
}

TEST_CASE("checkpointing clones exactly what the policy drops", "[graph]") {
  const auto clones = [](Recompute policy) {
    const Toy toy(policy);
    i64 count = 0;
    for (const Node& n : toy.g.nodes())
      count += n.name.find(".again") != std::string::npos;
    return count;
  };
  CHECK(clones(Recompute::kNone) == 0);
  CHECK(clones(Recompute::kCheap) == 1);  // s = x + w, which square's gradient reads
  CHECK(clones(Recompute::kBlock) == 1);  // y itself crosses the region's border and stays
  CHECK(parse_checkpoint_policy("block:3").of_block(3) == Recompute::kBlock);
  CHECK(parse_checkpoint_policy("block:3").of_block(4) == Recompute::kNone);
  for (const char* bad : {"", "blocks", "block:", "block:0", "block:-1", "block:x"}) {
    CHECK_THROWS_AS(parse_checkpoint_policy(bad), Error);
  }
}

TEST_CASE("buffers are reused once dead and taken over in place", "[graph]") {
  Graph g(table());
  Value v = g.input("x", {1000});
  const Value other = g.input("y", {1000});
  for (int i = 0; i < 10; ++i)
    v = g.apply(kSquare, Attr{}, {v});  // ping-pong: two buffers
  g.keep(v);
  const i64 one = 4096;  // 4000 bytes rounded to 256
  CHECK(make_plan(g, {}).slab_bytes == 2 * one);
  for (int i = 0; i < 10; ++i)
    v = g.apply(kAdd2, Attr{}, {v, other});
  g.keep(v);
  Graph h(table());
  Value u = h.apply(kSquare, Attr{}, {h.input("x", {1000})});
  const Value z = h.input("y", {1000});
  for (int i = 0; i < 10; ++i)
    u = h.apply(kAdd2, Attr{}, {u, z});
  h.keep(u);
  CHECK(make_plan(h, {}).slab_bytes == one);
  CHECK(make_plan(h, {}, PlanOptions{false}).slab_bytes == 2 * one);
  CHECK(make_plan(h, {}).lower_bound_bytes == one);
}

TEST_CASE("nodes without effect are skipped and take no memory", "[graph]") {
  Graph g(table());
  const Value x = g.input("x", {1000});
  const Value used = g.apply(kSquare, Attr{}, {x});
  g.apply(kSquare, Attr{}, {g.apply(kSquare, Attr{}, {x})});  // nobody reads these
  const Value stored = g.apply(kStore, Attr{}, {x});          // has a side effect
  g.keep(used);
  CHECK(live_nodes(g) == std::vector<bool>{true, false, false, true});
  const Plan plan = make_plan(g, {});
  CHECK(plan.slab_bytes == 4096);
  CHECK(plan.value_offset[static_cast<std::size_t>(stored.id)] == -1);
}

TEST_CASE("workspaces live for one node", "[graph]") {
  Graph g(table());
  Value v = g.input("x", {64});
  for (int i = 0; i < 3; ++i)
    v = g.apply(kSquare, Attr{}, {v});
  g.keep(v);
  const Plan plan = make_plan(g, [](const Node&, const Graph&) { return i64{1000}; });
  // Two values of 256 bytes and one workspace of 1024 are alive at the second node.
  CHECK(plan.lower_bound_bytes == 1536);
  CHECK(plan.slab_bytes == 1536);
}

TEST_CASE("mistakes are named", "[graph]") {
  Graph g(table());
  const Graph::Scope outer = g.scope("model");
  const Value a = g.input("a", {3}, DType::kF32, true);
  const Value b = g.input("b", {4});
  {
    const Graph::Scope inner = g.scope("head");
    CHECK_THROWS_WITH(g.apply(kAdd2, Attr{}, {a, b}),
                      ContainsSubstring("add (model.head.add): operands differ") &&
                          ContainsSubstring("f32[3], f32[4]"));
  }
  CHECK_THROWS_WITH(g.backward(a), ContainsSubstring("expected one element"));
  const Value loss = g.apply(kSum, Attr{}, {g.apply(kOpaque, Attr{}, {a})});
  CHECK_THROWS_WITH(g.backward(loss),
                    ContainsSubstring("operator opaque") && ContainsSubstring("has no gradient"));
  Graph h(table());
  h.keep(h.apply(kOpaque, Attr{}, {h.input("x", {2})}));
  CHECK(missing_operator(h, toy_backend()) == "opaque");
  CHECK_THROWS_WITH(Executor(h, toy_backend()),
                    ContainsSubstring("device toy has no kernel for operator opaque"));
  const Graph::Scope region = h.region("r", Recompute::kBlock);
  CHECK_THROWS_AS(h.region("s", Recompute::kBlock), Error);
}

TEST_CASE("heap buffers catch a kernel that writes too far", "[graph]") {
  Graph g(table());
  const Value x = g.input("x", {5});
  g.keep(g.apply(kStore, Attr{}, {x}));
  Executor exec(g, toy_backend(), ExecOptions{ExecMode::kHeap});
  OwnedTensor data({5});
  exec.bind(x, data.view);
  CHECK_THROWS_WITH(exec.run(RunCtx{}), ContainsSubstring("wrote outside value store"));
}

TEST_CASE("an executor can borrow a slab and profile", "[graph]") {
  Toy toy(Recompute::kNone);
  const Storage slab = Storage::cpu(make_plan(toy.g, {}).slab_bytes);
  const Storage small = Storage::cpu(16);
  ExecOptions options;
  options.slab = &small;
  CHECK_THROWS_AS(Executor(toy.g, toy_backend(), options), Error);
  options.slab = &slab;
  options.profile = true;
  Executor exec(toy.g, toy_backend(), options);
  OwnedTensor x({3}), w({3}), dw({3});
  exec.bind(toy.x, x.view);
  exec.bind_params([&](i32) { return w.view; });
  CHECK_THROWS_WITH(exec.run(RunCtx{}), ContainsSubstring("w.grad must be bound"));
  exec.bind_grads([&](i32) { return dw.view; });
  std::vector<std::string> seen;
  exec.run(RunCtx{}, [&](i64 n, const Tensor*) { seen.push_back(toy.g.nodes()[usize(n)].name); });
  CHECK(seen.front() == "block.add");
  i64 calls = 0;
  for (const OpTime& t : exec.profile())
    calls += t.calls;
  CHECK(calls == ssize(seen));
  CHECK_THROWS_AS(exec.tensor(toy.g.nodes()[0].out[0]), Error);  // not kept
  std::vector<f32> wrong(2);
  CHECK_THROWS_AS(exec.read(toy.loss, wrong), ShapeError);
}

TEST_CASE("a named value can be dumped", "[graph]") {
  const lm::test::TempDir dir;
  Toy toy(Recompute::kNone);
  Executor exec(toy.g, toy_backend());
  OwnedTensor x({3}), w({3}), dw({3});
  x.view.f32_data()[1] = 3;
  exec.bind(toy.x, x.view);
  exec.bind_params([&](i32) { return w.view; });
  exec.bind_grads([&](i32) { return dw.view; });
  exec.run(RunCtx{}, dump_hook(toy.g, toy_backend(), "block.square", dir.file("d.safetensors")));
  const std::string bytes = io::read_file(dir.file("d.safetensors"));
  CHECK(bytes.find("block.square") != std::string::npos);
  const f32 nine = 9;
  CHECK(std::memcmp(bytes.data() + bytes.size() - 8, &nine, 4) == 0);
  CHECK_THROWS_WITH(dump_hook(toy.g, toy_backend(), "block.sqare", "x"),
                    ContainsSubstring("no value is called \"block.sqare\""));
}

TEST_CASE("parameters share offsets in every slab", "[graph]") {
  ParamSet set;
  CHECK(set.add("a", {3, 5}, true) == 0);
  CHECK(set.add("b", {65}, false) == 1);
  CHECK(set[1].offset == 64);
  CHECK(set.slab_elements() == 192);
  CHECK(set.slab_elements(8) == 512);
  CHECK(set.count() == 80);
  CHECK(set.find("b") == 1);
  CHECK(set.find("c") == -1);
  CHECK_THROWS_AS(set.add("a", {1}, true), Error);
  ParamSlab slab(set);
  slab[1].f32_data()[64] = 7;
  CHECK(slab.data()[128] == 7.0f);
  slab.zero();
  CHECK(slab.data()[128] == 0.0f);
  CHECK_THROWS_AS(slab[2], Error);
}

TEST_CASE("inputs are copied where they stay, and a recorded run is replayed", "[graph]") {
  Toy toy(Recompute::kNone);
  ExecOptions options;
  options.record = true;
  Executor exec(toy.g, toy_backend(), options);
  OwnedTensor x({3}), w({3}), dw({3}), other({3});
  exec.bind_params([&](i32) { return w.view; });
  exec.bind_grads([&](i32) { return dw.view; });
  const i64 before = toy_backend().recordings;
  for (i64 round = 0; round < 4; ++round) {
    for (i64 i = 0; i < 3; ++i)
      x.view.f32_data()[i] = static_cast<f32>(round + i);
    exec.set(toy.x, x.view);
    x.view.f32_data()[0] = 99;  // the caller's copy is free at once
    exec.run(RunCtx{});
    f32 expected = 0;
    for (i64 i = 0; i < 3; ++i) {
      const f32 v = static_cast<f32>(round + i);
      expected += v * v + v;
    }
    CHECK(exec.scalar(toy.loss) == expected);
  }
  CHECK(toy_backend().recordings - before == 1);
  exec.bind_params([&](i32) { return other.view; });  // other places: recorded anew
  exec.run(RunCtx{});
  CHECK(toy_backend().recordings - before == 2);
  OwnedTensor four({4});
  CHECK_THROWS_AS(exec.set(toy.x, four.view), ShapeError);
}

TEST_CASE("activations take the graph's type, gradients of parameters stay f32", "[graph]") {
  Graph g(table(), DType::kBf16);
  const Value x = g.input("x", {3}, DType::kBf16, true);
  const Value w = g.parameter("w", {3}, 0, DType::kBf16);
  const Value y = g.apply(kSquare, Attr{}, {g.apply(kAdd2, Attr{}, {x, w})});
  const Value loss = g.apply(kSum, Attr{}, {y});
  g.backward(loss);
  CHECK(g.info(y).dtype == DType::kBf16);
  CHECK(g.info(loss).dtype == DType::kF32);
  CHECK(g.info(g.grad(x)).dtype == DType::kBf16);
  CHECK(g.info(g.grad(w)).dtype == DType::kF32);
  CHECK_THROWS_AS(Graph(table(), DType::kF16), Error);
}
