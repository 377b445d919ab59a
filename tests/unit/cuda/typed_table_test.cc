// The operator table on bf16 tensors: which type a node's kernel has, mixed types, refusals. Nodes
// are made by hand, one at a time.

#include "core/str.h"
#include "cuda_backend.h"
#include "ops/ops.h"
#include "unit/cuda/typed_buffer.h"

using namespace lm;
using namespace lm::test;
using cuda::Bf16;

namespace {

template <typename T>
Tensor tensor(Buffer<T>& b, const Shape& shape) {
  const DType type = std::is_same_v<T, Bf16> ? DType::kBf16 : DType::kF32;
  return make_tensor(b.data(), shape, type, cuda::cuda_backend().device);
}

void run(Op op, const Attr& attr, std::vector<Tensor> in, std::vector<Tensor> out,
         u32 accumulate = 0) {
  Node n;
  n.op = op;
  n.name = "blocks.3.part";
  n.attr = attr;
  n.accumulate = accumulate;
  for (i64 i = 0; i < isize(in); ++i)
    n.in.push_back(in[usize(i)].data == nullptr ? Value{} : Value{static_cast<i32>(i)});
  std::vector<u64> space(1 << 20);
  cuda::cuda_backend().kernels[static_cast<std::size_t>(op)].run(RunCtx{}, n, in.data(), out.data(),
                                                                 space.data());
}

std::string refusal(ErrorKind kind, Op op, const Attr& attr, std::vector<Tensor> in,
                    std::vector<Tensor> out) {
  try {
    run(op, attr, std::move(in), std::move(out));
  } catch (const Error& e) {
    CHECK(e.kind() == kind);
    return e.message();
  }
  return "no error";
}

}  // namespace

TEST_CASE("copies convert between types, also when they add", "[cuda]") {
  const Shape shape{5, 16};
  Buffer<Bf16> narrow(80, 0, 1);
  Buffer<f32> full(80, 0, 2);
  const std::vector<f64> before = values(full);
  run(Op::kCopy, Attr{}, {tensor(narrow, shape)}, {tensor(full, shape)}, 1);
  for (i64 i = 0; i < 80; ++i)
    REQUIRE(std::fabs(full.at(i) - (before[usize(i)] + narrow.at(i))) <= 1e-6);
  run(Op::kCopy, Attr{}, {tensor(narrow, shape)}, {tensor(full, Shape{10, 8})});
  CHECK(values(full) == values(narrow));
  Buffer<Bf16> copy(80, 0, 3);
  run(Op::kCopy, Attr{}, {tensor(narrow, shape)}, {tensor(copy, shape)});
  CHECK(copy.bits() == narrow.bits());
  run(Op::kCopy, Attr{}, {tensor(narrow, shape)}, {tensor(copy, shape)}, 1);
  for (i64 i = 0; i < 80; ++i)
    REQUIRE(copy.at(i) == 2 * narrow.at(i));
}

TEST_CASE("a bias gradient is f32, another sum has the activations' type", "[cuda]") {
  Buffer<Bf16> dy(300 * 16, 0, 1), by_row(300, 0, 2);
  Buffer<f32> bias(16, 0, 3), loss(1, 0, 4);
  std::vector<f64> columns = values(bias), rows(300);
  for (i64 i = 0; i < dy.size(); ++i) {
    columns[usize(i % 16)] += dy.at(i);
    rows[usize(i / 16)] += dy.at(i);
  }
  const Tensor x = tensor(dy, Shape{300, 16});
  run(Op::kReduce, Attr::of(ReduceAttr{Along::kRow, 1}), {x}, {tensor(bias, Shape{16})}, 1);
  check_close<f32>(values(bias), columns, 4);
  run(Op::kReduce, Attr::of(ReduceAttr{Along::kCol, 1}), {x}, {tensor(by_row, Shape{300})});
  check_close<Bf16>(values(by_row), rows);
  run(Op::kBroadcast, Attr::of(BroadcastAttr{Along::kScalar, 2, Shape{300, 16}}),
      {tensor(loss, Shape{1})}, {x});
  CHECK(dy.at(4799) == wide(rounded<Bf16>(2 * loss.at(0))));
}

TEST_CASE("an embedding of bf16 tables adds positions before it rounds", "[cuda]") {
  Buffer<Bf16> words(5 * 8, 0, 1), places(3 * 8, 0, 2), y(2 * 8, 0, 3);
  std::vector<i32> ids = {4, 1}, pos = {0, 2};
  const Device device = cuda::cuda_backend().device;
  run(Op::kEmbedding, Attr::of(EmbeddingAttr{1}),
      {make_tensor(ids.data(), Shape{2}, DType::kI32, device), tensor(words, Shape{5, 8}),
       make_tensor(pos.data(), Shape{2}, DType::kI32, device), tensor(places, Shape{3, 8})},
      {tensor(y, Shape{2, 8})});
  for (i64 i = 0; i < 16; ++i) {
    const f64 sum =
        words.at(ids[usize(i / 8)] * 8 + i % 8) + places.at(pos[usize(i / 8)] * 8 + i % 8);
    REQUIRE(y.at(i) == wide(rounded<Bf16>(sum)));
  }
}

TEST_CASE("types without kernels are refused by name", "[cuda]") {
  Buffer<Bf16> x(48, 0, 1), y(16, 0, 2);
  Tensor half = tensor(x, Shape{2, 8});
  half.dtype = DType::kF16;
  CHECK(refusal(ErrorKind::kUnavailable, Op::kUnary, Attr::of(UnaryAttr{Unary::kSilu, 0}), {half},
                {half}) == "blocks.3.part: no kernel for f16");
  Tensor ids = half;
  ids.data = y.data();
  ids.dtype = DType::kI32;
  CHECK(refusal(ErrorKind::kUnavailable, Op::kCopy, Attr{}, {half}, {ids}) ==
        "blocks.3.part: no copy from f16 to i32");
}
