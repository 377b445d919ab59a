#include "unit/cuda/fake_cublaslt.h"

#include <cmath>
#include <cstring>

#include "core/error.h"
#include "tensor/convert.h"

namespace lm::test {

namespace {

using namespace cuda::lt;

struct Desc {
  int trans_a = 0, trans_b = 0, epilogue = 1;
  const void* bias = nullptr;
  void* aux = nullptr;
  i64 aux_ld = 0;
  int bias_type = -1, aux_type = -1;  // of the result unless set
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
    case kDescBiasType:
      return put(&d.bias_type, value, bytes);
    case kDescAuxType:
      return put(&d.aux_type, value, bytes);
    case kDescAuxLd:
      return put(&d.aux_ld, value, bytes);
    default:
      return 7;
  }
}

int layout_create(void** at, int type, u64 rows, u64 cols, i64 ld) {
  if (type != kR32F && type != kR16BF) return 7;
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

// Element i of memory of a type.
f64 get(const void* x, int type, i64 i) {
  return type == kR32F ? f64{static_cast<const f32*>(x)[i]}
                       : f64{bf16_to_f32(static_cast<const u16*>(x)[i])};
}
void put_number(void* x, int type, i64 i, f64 value) {
  const f32 v = static_cast<f32>(value);
  if (type == kR32F)
    static_cast<f32*>(x)[i] = v;
  else
    static_cast<u16*>(x)[i] = f32_to_bf16(v);
}
// Element (r, c) of op(x), number k of a batch, in column-major order.
f64 at(const void* x, const LtLayout& l, i64 k, bool transposed, i64 r, i64 c) {
  return get(x, l.type, k * l.batch_stride + (transposed ? r * l.ld + c : c * l.ld + r));
}

f64 gelu(f64 a) {
  return 0.5 * a * (1.0 + std::tanh(0.7978845608028654 * (a + 0.044715 * a * a * a)));
}
f64 gelu_slope(f64 a) {
  const f64 t = std::tanh(0.7978845608028654 * (a + 0.044715 * a * a * a));
  return 0.5 * (1.0 + t) +
         0.5 * a * (1.0 - t * t) * 0.7978845608028654 * (1.0 + 3.0 * 0.044715 * a * a);
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
    for (i64 j = 0; j < cols; ++j) {
      for (i64 i = 0; i < rows; ++i) {
        f64 sum = 0;
        for (i64 x = 0; x < static_cast<i64>(inner); ++x)
          sum += at(a, call.a, k, m.trans_a != 0, i, x) * at(b, call.b, k, m.trans_b != 0, x, j);
        f64 v = f64{call.alpha} * sum;
        if (call.beta != 0) v += f64{call.beta} * at(c, call.c, k, false, i, j);
        const int bias_type = m.bias_type < 0 ? call.d.type : m.bias_type;
        const int aux_type = m.aux_type < 0 ? call.d.type : m.aux_type;
        if ((m.epilogue & kEpilogueBias) != 0) v += get(m.bias, bias_type, i);
        if (m.epilogue == kEpilogueDGelu) {
          v *= gelu_slope(get(m.aux, aux_type, j * m.aux_ld + i));
        } else if ((m.epilogue & kEpilogueGeluAux) == kEpilogueGeluAux) {
          put_number(m.aux, aux_type, j * m.aux_ld + i, v);
          v = gelu(get(m.aux, aux_type, j * m.aux_ld + i));
        }
        put_number(d, call.d.type, k * call.d.batch_stride + j * call.d.ld + i, v);
      }
    }
  }
  return 0;
}

int pref_set(void*, int attribute, const void* value, std::size_t bytes) {
  return attribute == kPrefReductions ? put(&lt_fake().reductions, value, bytes) : 0;
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
