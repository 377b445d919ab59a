#pragma once
// cuBLASLt opened at run time, and f32 and bf16 matrix products through it. A tool that never
// multiplies on a GPU never loads the library (linked, it would cost 0.3 s and 200 MB at every
// start).
//
// The library's types are opaque pointers and integers here, so that this compiles without the CUDA
// toolkit; cublaslt_abi.cc asserts the values against the toolkit's header. Tests install a table
// of recording fakes.

#include <array>
#include <memory>
#include <unordered_map>

#include "tensor/tensor.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// Values of the enumerations in cublasLt.h that are used.
namespace lt {
inline constexpr int kCompute32F = 68, kR32F = 0, kR16BF = 14;
inline constexpr int kOpN = 0, kOpT = 1;
inline constexpr int kDescTransA = 3, kDescTransB = 4, kDescEpilogue = 7, kDescBias = 8;
inline constexpr int kDescAux = 11, kDescAuxLd = 12, kDescAuxType = 22, kDescBiasType = 26;
inline constexpr int kLayoutBatch = 5, kLayoutBatchStride = 6;
inline constexpr int kPrefWorkspace = 1, kPrefReductions = 3;
inline constexpr int kPrefAlignA = 5, kPrefAlignB = 6, kPrefAlignC = 7, kPrefAlignD = 8;
inline constexpr int kEpilogueDefault = 1, kEpilogueBias = 4;
inline constexpr int kEpilogueGeluAux = 160, kEpilogueGeluAuxBias = 164, kEpilogueDGelu = 192;
// Partial sums of a split product: added up by a fixed tree, not by atomics in place (1).
inline constexpr u32 kReductionComputeType = 2, kReductionOutputType = 4;

struct Algo {
  u64 data[8] = {};
};
struct Heuristic {
  Algo algo;
  std::size_t workspace = 0;
  int state = 0;
  f32 waves = 0;
  int reserved[4] = {};
};
}  // namespace lt

/// The library's functions by its own signatures; handles are void*, results are status codes with
/// 0 for success.
struct LtTable {
  int (*create)(void** handle) = nullptr;
  int (*destroy)(void* handle) = nullptr;
  std::size_t (*version)() = nullptr;
  const char* (*status_string)(int status) = nullptr;
  int (*desc_create)(void** desc, int compute, int scale_type) = nullptr;
  int (*desc_destroy)(void* desc) = nullptr;
  int (*desc_set)(void* desc, int attribute, const void* value, std::size_t bytes) = nullptr;
  int (*layout_create)(void** layout, int type, u64 rows, u64 cols, i64 ld) = nullptr;
  int (*layout_destroy)(void* layout) = nullptr;
  int (*layout_set)(void* layout, int attribute, const void* value, std::size_t bytes) = nullptr;
  int (*pref_create)(void** pref) = nullptr;
  int (*pref_destroy)(void* pref) = nullptr;
  int (*pref_set)(void* pref, int attribute, const void* value, std::size_t bytes) = nullptr;
  int (*heuristic)(void* handle, void* desc, void* a, void* b, void* c, void* d, void* pref,
                   int wanted, lt::Heuristic* results, int* found) = nullptr;
  int (*matmul)(void* handle, void* desc, const void* alpha, const void* a, void* a_layout,
                const void* b, void* b_layout, const void* beta, const void* c, void* c_layout,
                void* d, void* d_layout, const lt::Algo* algo, void* workspace, std::size_t bytes,
                void* stream) = nullptr;
};

/// Opens libcublasLt.so.13, else .12, and resolves all functions. Throws Error{kUnavailable} naming
/// what is missing. The library stays open.
LtTable load_cublaslt();

/// Row-major product: y [m, n] = alpha op(a) op(b) + beta c, with the transposition of each
/// operand. nt: a [m, k], b [n, k]; nn: b [k, n]; tn: a [k, m], b [k, n].
enum class GemmLayout : u8 { kNT, kNN, kTN };
/// kDGelu: y = product times the tanh-GELU's slope at aux, which is read. The others write aux.
enum class GemmEpilogue : u8 { kNone, kBias, kGeluAux, kGeluAuxBias, kDGelu };
/// in: type of a and b; out: of c, y, bias and aux. f32 or bf16; in bf16 with out f32 or bf16. Sums
/// are f32, without TF32.
struct Gemm {
  DType in = DType::kF32, out = DType::kF32;
  GemmLayout layout = GemmLayout::kNT;
  i64 m = 0, n = 0, k = 0, batch = 1;
  const void* a = nullptr;
  const void* b = nullptr;
  const void* c = nullptr;  // null: y itself; read only if beta is not 0
  void* y = nullptr;
  i64 lda = 0, ldb = 0, ldc = 0, ldy = 0;
  i64 stride_a = 0, stride_b = 0, stride_y = 0;  // between the products of a batch; c as y
  f32 alpha = 1, beta = 0;
  GemmEpilogue epilogue = GemmEpilogue::kNone;
  const void* bias = nullptr;  // [n]
  void* aux = nullptr;         // pre-activation [m, n], rows ld_aux apart
  i64 ld_aux = 0;              // a multiple of 8
};

/// Descriptors and the chosen algorithm of every product seen, by everything they depend on. One
/// per device; not thread-safe. The same key always runs the same algorithm.
class GemmCache {
 public:
  /// workspace: device memory of workspace_bytes for the library.
  GemmCache(const LtTable& table, void* workspace, i64 workspace_bytes);
  ~GemmCache();
  GemmCache(const GemmCache&) = delete;
  GemmCache& operator=(const GemmCache&) = delete;

  /// False if the library has no algorithm for it: a caller with an epilogue then does without.
  bool supports(const Gemm& g);
  /// Queues the product; nothing for m or n 0. Throws Error{kInternal} with the library's status.
  void run(const Gemm& g, Stream* stream);
  i64 plans() const { return isize(plans_); }

 private:
  struct Plan;
  using Key = std::array<i64, 13>;
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  static Key key_of(const Gemm& g);
  Plan& plan_of(const Gemm& g);
  void check(int status, const char* what) const;
  void choose(Plan& plan, const Gemm& g);

  LtTable table_;
  void* handle_ = nullptr;
  void* workspace_ = nullptr;
  i64 workspace_bytes_ = 0;
  std::unordered_map<Key, std::unique_ptr<Plan>, KeyHash> plans_;
};

}  // namespace lm::cuda
