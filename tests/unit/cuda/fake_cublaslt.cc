#include "unit/cuda/fake_cublaslt.h"

#include <cmath>
#include <cstring>

#include "core/error.h"

namespace lm::test {

namespace {

using namespace cuda::lt;

struct Desc {
  int trans_a = 0, trans_b = 0, epilogue = 1;
  const f32* bias = nullptr;
  f32* aux = nullptr;
  i64 aux_ld = 0;
};

template <typename T>
int make(void** at, const T& value) {
  ++lt_fake().live_objects;
  *at = new T(value);
  return 0;
}
template <typename T>
int destroy(void* object) {
  --lt_fake().live_objects;
  delete static_cast<T*>(object);
  return 0;
}

int desc_create(void** at, int compute, int scale) {
  return compute == kCompute32F && scale == kR32F ? make(at, Desc{}) : 7;
}

template <typename T>
int put(T* to, const void* value, std::size_t bytes) {
  if (bytes != sizeof(T)) return 7;
  std::memcpy(to, value, bytes);
  return 0;
}

int desc_set(void* object, int attribute, const void* value, std::size_t bytes) {
  Desc& d = *static_cast<Desc*>(object);
  switch (attribute) {
    case kDescTransA:
      return put(&d.trans_a, value, bytes);
    case kDescTransB:
      return put(&d.trans_b, value, bytes);
    case kDescEpilogue:
      return put(&d.epilogue, value, bytes);
    case kDescBias:
      return put(&d.bias, value, bytes);
    case kDescAux:
      return put(&d.aux, value, bytes);
    case kDescAuxLd:
      return put(&d.aux_ld, value, bytes);
    default:
      return 7;
  }
}

int layout_create(void** at, int type, u64 rows, u64 cols, i64 ld) {
  if (rows == 0 || cols == 0 || ld < static_cast<i64>(rows)) return 7;
  LtLayout l;
  l.type = type;
  l.rows = rows;
  l.cols = cols;
  l.ld = ld;
  return make(at, l);
}

int layout_set(void* object, int attribute, const void* value, std::size_t bytes) {
  LtLayout& l = *static_cast<LtLayout*>(object);
  if (attribute == kLayoutBatch) return put(&l.batch, value, bytes);
  return attribute == kLayoutBatchStride ? put(&l.batch_stride, value, bytes) : 7;
}

int heuristic(void*, void* desc, void*, void*, void*, void*, void*, int wanted, Heuristic* results,
              int* found) {
  LtFake& f = lt_fake();
  ++f.heuristic_calls;
  *found = 0;
  if (f.refuse_epilogues && static_cast<Desc*>(desc)->epilogue != kEpilogueDefault) return 15;
  for (const std::size_t bytes : f.proposals) {
    if (*found == wanted) break;
    results[*found] = Heuristic{};
    results[*found].algo.data[0] = static_cast<u64>(*found) + 1;
    results[*found].workspace = bytes;
    ++*found;
  }
  return 0;
}

// Element (r, c) of op(x) in column-major order.
f32 at(const f32* x, const LtLayout& l, bool transposed, i64 r, i64 c) {
  return transposed ? x[r * l.ld + c] : x[c * l.ld + r];
}

f32 gelu(f32 a) {
  return 0.5f * a * (1.0f + std::tanh(0.7978845608028654f * (a + 0.044715f * a * a * a)));
}

int matmul(void*, void* desc, const void* alpha, const void* a, void* la, const void* b, void* lb,
           const void* beta, const void* c, void* lc, void* d, void* ld, const Algo* algo, void*,
           std::size_t bytes, void*) {
  LtFake& f = lt_fake();
  const Desc& m = *static_cast<Desc*>(desc);
  LtCall call{m.trans_a,
              m.trans_b,
              m.epilogue,
              m.bias,
              m.aux,
              m.aux_ld,
              *static_cast<LtLayout*>(la),
              *static_cast<LtLayout*>(lb),
              *static_cast<LtLayout*>(lc),
              *static_cast<LtLayout*>(ld),
              *static_cast<const f32*>(alpha),
              *static_cast<const f32*>(beta),
              bytes,
              algo->data[0]};
  f.calls.push_back(call);
  if (f.fail_matmul != 0) return f.fail_matmul;
  const i64 rows = static_cast<i64>(call.d.rows);
  const i64 cols = static_cast<i64>(call.d.cols);
  const u64 inner = m.trans_a != 0 ? call.a.rows : call.a.cols;
  const u64 a_rows = m.trans_a != 0 ? call.a.cols : call.a.rows;
  const u64 b_rows = m.trans_b != 0 ? call.b.cols : call.b.rows;
  const u64 b_cols = m.trans_b != 0 ? call.b.rows : call.b.cols;
  if (a_rows != call.d.rows || b_cols != call.d.cols || b_rows != inner) return 7;
  for (i32 k = 0; k < call.d.batch; ++k) {
    const f32* pa = static_cast<const f32*>(a) + k * call.a.batch_stride;
    const f32* pb = static_cast<const f32*>(b) + k * call.b.batch_stride;
    const f32* pc = static_cast<const f32*>(c) + k * call.c.batch_stride;
    f32* pd = static_cast<f32*>(d) + k * call.d.batch_stride;
    for (i64 j = 0; j < cols; ++j) {
      for (i64 i = 0; i < rows; ++i) {
        f64 sum = 0;
        for (i64 x = 0; x < static_cast<i64>(inner); ++x) {
          sum += f64{at(pa, call.a, m.trans_a != 0, i, x)} * at(pb, call.b, m.trans_b != 0, x, j);
        }
        f64 v = f64{call.alpha} * sum;
        if (call.beta != 0) v += f64{call.beta} * pc[j * call.c.ld + i];
        if ((m.epilogue & kEpilogueBias) != 0) v += m.bias[i];
        if ((m.epilogue & kEpilogueGeluAux) == kEpilogueGeluAux) {
          m.aux[j * m.aux_ld + i] = static_cast<f32>(v);
          v = gelu(static_cast<f32>(v));
        }
        pd[j * call.d.ld + i] = static_cast<f32>(v);
      }
    }
  }
  return 0;
}

int pref_set(void*, int, const void*, std::size_t) {
  return 0;
}
std::size_t version() {
  return 130000;
}
const char* status_string(int status) {
  return status == 15 ? "not supported" : "fake failure";
}

}  // namespace

LtFake& lt_fake() {
  static LtFake fake;
  return fake;
}

cuda::LtTable fake_cublaslt() {
  cuda::LtTable t;
  t.create = [](void** h) { return make(h, int{0}); };
  t.destroy = destroy<int>;
  t.version = version;
  t.status_string = status_string;
  t.desc_create = desc_create;
  t.desc_destroy = destroy<Desc>;
  t.desc_set = desc_set;
  t.layout_create = layout_create;
  t.layout_destroy = destroy<LtLayout>;
  t.layout_set = layout_set;
  t.pref_create = [](void** p) { return make(p, int{0}); };
  t.pref_destroy = destroy<int>;
  t.pref_set = pref_set;
  t.heuristic = heuristic;
  t.matmul = matmul;
  return t;
}

}  // namespace lm::test

namespace lm::cuda {

// In place of cublaslt_load.cc.
LtTable load_cublaslt() {
  return test::fake_cublaslt();
}

}  // namespace lm::cuda
