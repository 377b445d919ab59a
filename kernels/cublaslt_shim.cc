#include "cublaslt_shim.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/str.h"

namespace lm::cuda {

namespace {

// Largest power of two up to 16 that divides an address and the step between rows and products.
u32 alignment(const void* p, i64 ld, i64 stride, DType type) {
  const i64 item = item_bytes(type);
  const u64 all = reinterpret_cast<std::uintptr_t>(p) | static_cast<u64>(item * ld) |
                  static_cast<u64>(item * stride) | 16U;
  return static_cast<u32>(all & (~all + 1));
}

// Of a, b, c, y.
std::array<u32, 4> alignments(const Gemm& g) {
  const bool own = g.c == nullptr;
  return {alignment(g.a, g.lda, g.stride_a, g.in), alignment(g.b, g.ldb, g.stride_b, g.in),
          alignment(own ? g.y : g.c, own ? g.ldy : g.ldc, g.stride_y, g.out),
          alignment(g.y, g.ldy, g.stride_y, g.out)};
}

int type_code(DType type) {
  LM_CHECK(type == DType::kF32 || type == DType::kBf16, "products are f32 or bf16");
  return type == DType::kF32 ? lt::kR32F : lt::kR16BF;
}

}  // namespace

// The library is column-major. A row-major y [m, n] is its n x m matrix, so the operands change
// places: its A is our b, its B is our a, its m is n.
struct GemmCache::Plan {
  const LtTable* table = nullptr;
  void* desc = nullptr;
  void* a = nullptr;  // the library's A: our b
  void* b = nullptr;
  void* c = nullptr;
  void* d = nullptr;
  bool usable = false;
  lt::Algo algo;
  std::size_t workspace = 0;

  explicit Plan(const LtTable& t) : table(&t) {}
  ~Plan() {
    for (void* layout : {a, b, c, d}) {
      if (layout != nullptr) table->layout_destroy(layout);
    }
    if (desc != nullptr) table->desc_destroy(desc);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
};

GemmCache::GemmCache(const LtTable& table, void* workspace, i64 workspace_bytes)
    : table_(table), workspace_(workspace), workspace_bytes_(workspace_bytes) {
  check(table_.create(&handle_), "create a handle");
}

GemmCache::~GemmCache() {
  plans_.clear();
  if (handle_ != nullptr) table_.destroy(handle_);
}

void GemmCache::check(int status, const char* what) const {
  if (status == 0) return;
  throw Error(ErrorKind::kInternal, cat("cuBLASLt: ", what, ": ", table_.status_string(status)));
}

// Layouts, then the first of the library's proposals that fits the workspace.
void GemmCache::choose(Plan& plan, const Gemm& g) {
  const bool ta = g.layout == GemmLayout::kTN;
  const bool tb = g.layout == GemmLayout::kNT;
  const int in = type_code(g.in);
  const int out = type_code(g.out);
  const auto layout = [&](void** at, int type, i64 rows, i64 cols, i64 ld, i64 stride) {
    check(table_.layout_create(at, type, static_cast<u64>(rows), static_cast<u64>(cols), ld),
          "describe a matrix");
    if (g.batch == 1) return;
    const i32 count = static_cast<i32>(g.batch);
    check(table_.layout_set(*at, lt::kLayoutBatch, &count, sizeof count), "describe a batch");
    check(table_.layout_set(*at, lt::kLayoutBatchStride, &stride, sizeof stride),
          "describe a batch");
  };
  check(table_.desc_create(&plan.desc, lt::kCompute32F, lt::kR32F), "describe a product");
  const auto set = [&](int attribute, auto value) {
    check(table_.desc_set(plan.desc, attribute, &value, sizeof value), "describe a product");
  };
  set(lt::kDescTransA, i32{tb ? lt::kOpT : lt::kOpN});
  set(lt::kDescTransB, i32{ta ? lt::kOpT : lt::kOpN});
  constexpr std::array<i32, 5> kCodes = {lt::kEpilogueDefault, lt::kEpilogueBias,
                                         lt::kEpilogueGeluAux, lt::kEpilogueGeluAuxBias,
                                         lt::kEpilogueDGelu};
  set(lt::kDescEpilogue, kCodes[static_cast<std::size_t>(g.epilogue)]);
  // The pointers change from call to call, but the heuristic wants them present.
  if (g.bias != nullptr) {
    set(lt::kDescBias, g.bias);
    set(lt::kDescBiasType, i32{out});
  }
  if (g.aux != nullptr) {
    set(lt::kDescAux, g.aux);
    set(lt::kDescAuxLd, g.ld_aux);
    set(lt::kDescAuxType, i32{out});
  }
  layout(&plan.a, in, tb ? g.k : g.n, tb ? g.n : g.k, g.ldb, g.stride_b);
  layout(&plan.b, in, ta ? g.m : g.k, ta ? g.k : g.m, g.lda, g.stride_a);
  layout(&plan.c, out, g.n, g.m, g.c == nullptr ? g.ldy : g.ldc, g.stride_y);
  layout(&plan.d, out, g.n, g.m, g.ldy, g.stride_y);

  void* pref = nullptr;
  check(table_.pref_create(&pref), "state preferences");
  const u64 most = static_cast<u64>(workspace_bytes_);
  table_.pref_set(pref, lt::kPrefWorkspace, &most, sizeof most);
  constexpr u32 kDeterministic = lt::kReductionComputeType | lt::kReductionOutputType;
  table_.pref_set(pref, lt::kPrefReductions, &kDeterministic, sizeof kDeterministic);
  const auto [align_a, align_b, align_c, align_y] = alignments(g);
  const std::array<u32, 4> align = {align_b, align_a, align_c, align_y};  // the library's order
  constexpr std::array<int, 4> kAlign = {lt::kPrefAlignA, lt::kPrefAlignB, lt::kPrefAlignC,
                                         lt::kPrefAlignD};
  for (std::size_t i = 0; i < 4; ++i)
    table_.pref_set(pref, kAlign[i], &align[i], sizeof align[i]);
  std::array<lt::Heuristic, 8> proposals{};
  int found = 0;
  const int status = table_.heuristic(handle_, plan.desc, plan.a, plan.b, plan.c, plan.d, pref, 8,
                                      proposals.data(), &found);
  table_.pref_destroy(pref);
  if (status != 0) return;
  for (int i = 0; i < found && !plan.usable; ++i) {
    const lt::Heuristic& h = proposals[static_cast<std::size_t>(i)];
    if (h.state != 0 || h.workspace > most) continue;
    plan.algo = h.algo;
    plan.workspace = h.workspace;
    plan.usable = true;
  }
}

GemmCache::Key GemmCache::key_of(const Gemm& g) {
  i64 kinds = static_cast<i64>(g.layout) | static_cast<i64>(g.epilogue) << 4 |
              static_cast<i64>(g.in) << 8 | static_cast<i64>(g.out) << 12;
  int shift = 16;
  for (const u32 align : alignments(g)) {
    kinds |= static_cast<i64>(align) << shift;
    shift += 8;
  }
  return {kinds,   g.m,        g.n,        g.k,
          g.batch, g.lda,      g.ldb,      g.c == nullptr ? g.ldy : g.ldc,
          g.ldy,   g.stride_a, g.stride_b, g.stride_y,
          g.ld_aux};
}

std::size_t GemmCache::KeyHash::operator()(const Key& key) const {
  u64 h = 0;
  for (const i64 word : key) {
    h = (h ^ static_cast<u64>(word)) * 0x9E3779B97F4A7C15U;
    h ^= h >> 32;
  }
  return h;
}

GemmCache::Plan& GemmCache::plan_of(const Gemm& g) {
  std::unique_ptr<Plan>& plan = plans_[key_of(g)];
  if (plan == nullptr) {
    std::unique_ptr<Plan> fresh = std::make_unique<Plan>(table_);
    choose(*fresh, g);
    plan = std::move(fresh);
  }
  return *plan;
}

bool GemmCache::supports(const Gemm& g) {
  return g.m == 0 || g.n == 0 || plan_of(g).usable;
}

void GemmCache::run(const Gemm& g, Stream* stream) {
  if (g.m == 0 || g.n == 0 || g.batch == 0) return;
  Plan& plan = plan_of(g);
  if (!plan.usable) {
    throw Error(ErrorKind::kInternal,
                cat("cuBLASLt has no algorithm for a product of ", g.m, " x ", g.n, " x ", g.k));
  }
  if (g.bias != nullptr) {
    check(table_.desc_set(plan.desc, lt::kDescBias, &g.bias, sizeof g.bias), "set the bias");
  }
  if (g.aux != nullptr) {
    check(table_.desc_set(plan.desc, lt::kDescAux, &g.aux, sizeof g.aux), "set the saved input");
  }
  const void* c = g.c == nullptr ? g.y : g.c;
  check(table_.matmul(handle_, plan.desc, &g.alpha, g.b, plan.a, g.a, plan.b, &g.beta, c, plan.c,
                      g.y, plan.d, &plan.algo, workspace_, plan.workspace, stream),
        "multiply");
}

}  // namespace lm::cuda
