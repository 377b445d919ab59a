#include "cpu/gemm.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "cpu/isa.h"
#include "cpu/scratch.h"
#include "tensor/tensor.h"

namespace lm::cpu {

namespace {

// Rows of A per task: its block of one k range (96 x 256 floats) takes a fifth of a 512 KiB cache.
constexpr i64 kBlockRows = 96;
// Up to this many rows, each task packs the panels it uses itself; above, panels are packed once in
// a region of their own and shared by the row blocks.
constexpr i64 kFewRows = 96;
constexpr i64 kPackDepth = 256;
constexpr i64 kSharedPackFloats = i64{2} << 20;  // 8 MiB of packed panels at a time
// More where every task packs its rows first.
constexpr i64 kMaxPanelsPerTask = 16;
constexpr i64 kMaxPanelsTransposed = 24;

i64 ceil_div(i64 a, i64 b) {
  return (a + b - 1) / b;
}

i64 block_rows(const isa::Kernels& isa) {
  return kBlockRows / isa.mr * isa.mr;
}

// Panels per task: about four tasks a thread, whole groups of four panels (the one-row kernel takes
// four at a time). May depend on the thread count: it cannot change bits.
i64 panels_per_task(i64 panels, i64 row_blocks, bool few_rows, bool transposed) {
  const i64 tasks_wanted = 4 * static_cast<i64>(max_threads());
  i64 per = ceil_div(panels * row_blocks, tasks_wanted);
  per = std::max<i64>(4, ceil_div(per, 4) * 4);
  return few_rows ? per : std::min(per, transposed ? kMaxPanelsTransposed : kMaxPanelsPerTask);
}

struct AView {
  const f32* data;
  i64 ars, acs;
};

// The block of `out` (whole product) at rows [row, row+rows), columns [col, col+cols).
isa::GemmBlock sub_block(const isa::GemmBlock& out, i64 row, i64 rows, i64 col, i64 cols) {
  isa::GemmBlock g = out;
  g.m = rows;
  g.n = cols;
  g.a = out.a + row * out.ars;
  g.c = out.c + row * out.ldc + col;
  if (out.bias != nullptr) g.bias = out.bias + col;
  if (out.residual != nullptr) g.residual = out.residual + row * out.ld_residual + col;
  if (out.aux != nullptr) g.aux = out.aux + row * out.ld_aux + col;
  return g;
}

isa::GemmBlock whole(i64 m, i64 n, i64 k, AView a, f32* c, i64 ldc, const Epilogue& e) {
  LM_CHECK(!(e.accumulate && e.residual != nullptr), "accumulate excludes a residual");
  isa::GemmBlock g;
  g.m = m;
  g.n = n;
  g.k = k;
  g.a = a.data;
  g.ars = a.ars;
  g.acs = a.acs;
  g.c = c;
  g.ldc = ldc;
  g.alpha = e.alpha;
  g.bias = e.bias;
  g.act = e.act;
  g.residual = e.accumulate ? c : e.residual;
  g.ld_residual = e.accumulate ? ldc : e.ld_residual;
  g.aux = e.aux;
  g.ld_aux = e.ld_aux;
  return g;
}

// Columns [0, out.n) against packed panels (out.b, out.panel_stride set).
void run_packed(const isa::Kernels& isa, const isa::GemmBlock& out) {
  const i64 panels = ceil_div(out.n, isa.nr);
  const i64 rows_per = block_rows(isa);
  const i64 row_blocks = ceil_div(out.m, rows_per);
  const i64 per = panels_per_task(panels, row_blocks, out.m <= isa.mr, out.acs != 1);
  const i64 column_blocks = ceil_div(panels, per);
  const i64 element = out.b_bf16 ? 2 : 4;
  parallel_for(row_blocks * column_blocks, 1, [&](i64 begin, i64 end) {
    for (i64 task = begin; task < end; ++task) {
      // Row blocks innermost: neighbours in time share the panels, which are the larger operand.
      const i64 row = task % row_blocks * rows_per;
      const i64 panel = task / row_blocks * per;
      const i64 rows = std::min(rows_per, out.m - row);
      const i64 cols = std::min(per * isa.nr, out.n - panel * isa.nr);
      isa::GemmBlock g = sub_block(out, row, rows, panel * isa.nr, cols);
      g.b = static_cast<const char*>(out.b) + panel * out.panel_stride * element;
      const Scratch scratch(isa.gemm_scratch(rows, cols, g.k));
      g.scratch = scratch.data();
      isa.gemm_block(g);
    }
  });
}

struct BView {
  bool transposed;  // [n, k]
  const f32* data;
  i64 ld;
};

void pack_panels(const isa::Kernels& isa, const BView& b, i64 n, i64 k0, i64 k1, i64 p0, i64 p1,
                 f32* dst) {
  if (b.transposed) {
    isa.pack_nt(n, k1 - k0, b.data + k0, b.ld, p0, p1, dst);
  } else {
    isa.pack_nn(n, k1 - k0, b.data + k0 * b.ld, b.ld, p0, p1, dst);
  }
}

// Few rows: a task packs a short piece of one to four panels, uses it at once for all rows and goes
// on with the sums where they stopped.
void run_few_rows(const isa::Kernels& isa, const isa::GemmBlock& out, const BView& b) {
  const i64 panels = ceil_div(out.n, isa.nr);
  const i64 per = panels_per_task(panels, 1, true, false);
  const i64 wide = out.m <= 3 ? 4 : 1;
  parallel_for(ceil_div(panels, per), 1, [&](i64 begin, i64 end) {
    const i64 width = wide * isa.nr;
    const Scratch sums(out.m * width);
    const Scratch packed(kPackDepth * width);
    const Scratch work(isa.gemm_scratch(out.m, width, kPackDepth));
    const i64 last = std::min(end * per, panels);
    for (i64 panel = begin * per; panel < last; panel += wide) {
      const i64 count = std::min(wide, last - panel);
      const i64 col = panel * isa.nr;
      isa::GemmBlock part = sub_block({}, 0, out.m, 0, count * isa.nr);
      part.c = sums.data();
      part.ldc = width;
      part.ars = out.ars;
      part.acs = out.acs;
      part.b = packed.data();
      part.scratch = work.data();
      for (i64 k0 = 0; k0 < out.k || k0 == 0; k0 += kPackDepth) {
        const i64 k1 = std::min(out.k, k0 + kPackDepth);
        pack_panels(isa, b, out.n, k0, k1, panel, panel + count, packed.data());
        part.k = k1 - k0;
        part.panel_stride = part.k * isa.nr;
        part.a = out.a + k0 * out.acs;
        part.resume = k0 > 0;
        isa.gemm_block(part);
      }
      const isa::GemmBlock g = sub_block(out, 0, out.m, col, std::min(count * isa.nr, out.n - col));
      isa.gemm_finish(g, sums.data(), width);
    }
  });
}

// One row: nothing is gained by packing what is used once.
void run_one_row(const isa::Kernels& isa, const isa::GemmBlock& out, const BView& b) {
  constexpr i64 kPiece = 32;  // panels whose sums are held
  const i64 panels = ceil_div(out.n, isa.nr);
  const i64 per = std::min(panels_per_task(panels, 1, true, false), kPiece);
  parallel_for(ceil_div(panels, per), 1, [&](i64 begin, i64 end) {
    const Scratch sums(per * isa.nr);
    for (i64 task = begin; task < end; ++task) {
      const i64 col = task * per * isa.nr;
      const i64 cols = std::min(per * isa.nr, out.n - col);
      isa.one_row_nt(cols, out.k, out.a, b.data + col * b.ld, b.ld, sums.data());
      isa.gemm_finish(sub_block(out, 0, 1, col, cols), sums.data(), per * isa.nr);
    }
  });
}

// Many rows: panels are packed once, in parallel, as many as fit the shared buffer.
void run_shared_pack(const isa::Kernels& isa, const isa::GemmBlock& out, const BView& b) {
  const i64 panels = ceil_div(out.n, isa.nr);
  const i64 panel_floats = std::max<i64>(1, out.k * isa.nr);
  const i64 most =
      std::clamp<i64>(kSharedPackFloats / panel_floats / 4 * 4, 4, std::max<i64>(4, panels));
  // Regions of about one size: a short last one would read all of A for a few panels.
  const i64 fit = ceil_div(ceil_div(panels, ceil_div(panels, most)), 4) * 4;
  const Scratch packed(std::min(fit, panels) * panel_floats);
  for (i64 first = 0; first < panels; first += fit) {
    const i64 count = std::min(fit, panels - first);
    parallel_for(count, 4, [&](i64 begin, i64 end) {
      pack_panels(isa, b, out.n, 0, out.k, first + begin, first + end,
                  packed.data() + begin * panel_floats);
    });
    const i64 col = first * isa.nr;
    isa::GemmBlock g = sub_block(out, 0, out.m, col, std::min(count * isa.nr, out.n - col));
    g.b = packed.data();
    g.panel_stride = out.k * isa.nr;
    run_packed(isa, g);
  }
}

}  // namespace

void gemm(Layout layout, i64 m, i64 n, i64 k, const f32* a, i64 lda, const f32* b, i64 ldb, f32* c,
          i64 ldc, const Epilogue& epilogue) {
  if (m <= 0 || n <= 0) return;
  LM_CHECK(k >= 0, "a product needs a depth of at least 0");
  const isa::Kernels& isa = active();
  const BView bv{layout == Layout::kNT, b, ldb};
  if (layout != Layout::kTN) {
    const isa::GemmBlock out = whole(m, n, k, {a, lda, 1}, c, ldc, epilogue);
    if (m == 1 && bv.transposed) {
      run_one_row(isa, out, bv);
    } else if (m <= kFewRows) {
      run_few_rows(isa, out, bv);
    } else {
      run_shared_pack(isa, out, bv);
    }
    return;
  }
  LM_CHECK(epilogue.bias == nullptr && epilogue.residual == nullptr && epilogue.aux == nullptr &&
               epilogue.act == Act::kNone,
           "the transposed product takes alpha and accumulate only");
  Epilogue e = epilogue;
  for (i64 k0 = 0; k0 < k || k0 == 0; k0 += kTransposedChunk) {
    const i64 depth = std::min(kTransposedChunk, k - k0);
    const isa::GemmBlock out = whole(m, n, depth, {a + k0 * lda, 1, lda}, c, ldc, e);
    run_shared_pack(isa, out, {false, b + k0 * ldb, ldb});
    e.accumulate = true;
  }
}

void gemm_batched(Layout layout, i64 batch, i64 m, i64 n, i64 k, const f32* a, i64 lda,
                  i64 stride_a, const f32* b, i64 ldb, i64 stride_b, f32* c, i64 ldc, i64 stride_c,
                  f32 alpha, bool accumulate) {
  Epilogue e;
  e.alpha = alpha;
  e.accumulate = accumulate;
  parallel_for(batch, 1, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      gemm(layout, m, n, k, a + i * stride_a, lda, b + i * stride_b, ldb, c + i * stride_c, ldc, e);
    }
  });
}

void gemm_grouped(Layout layout, i64 groups, const i64* offsets, i64 n, i64 k, const f32* a,
                  i64 lda, const f32* b, i64 ldb, i64 stride_b, f32* c, i64 ldc, const f32* bias,
                  Act act) {
  LM_CHECK(layout != Layout::kTN, "groups are cut along rows of A");
  parallel_for(groups, 1, [&](i64 begin, i64 end) {
    for (i64 g = begin; g < end; ++g) {
      Epilogue e;
      if (bias != nullptr) e.bias = bias + g * n;
      e.act = act;
      gemm(layout, offsets[g + 1] - offsets[g], n, k, a + offsets[g] * lda, lda, b + g * stride_b,
           ldb, c + offsets[g] * ldc, ldc, e);
    }
  });
}

struct PackedWeights::Panels {
  i64 n = 0, k = 0;
  bool bf16 = false;
  const isa::Kernels* isa = nullptr;
  Storage data;
  f32* f32_data() const { return reinterpret_cast<f32*>(data.data()); }
  u16* bf16_data() const { return reinterpret_cast<u16*>(data.data()); }
  /// Room for [rows, cols]; keeps the memory of an earlier pack of the same size.
  void start(i64 rows, i64 cols, bool keep_bf16);
  /// Packs `count` columns of the operand as panels from `first` on.
  void fill(Layout layout, i64 count, const f32* w, i64 ldw, i64 first);
  void fill16(Layout layout, i64 count, WeightType from, const u16* w, i64 ldw, i64 first);
};

PackedWeights::PackedWeights() = default;
PackedWeights::~PackedWeights() = default;
PackedWeights::PackedWeights(PackedWeights&&) noexcept = default;
PackedWeights& PackedWeights::operator=(PackedWeights&&) noexcept = default;

i64 PackedWeights::n() const {
  return panels_ ? panels_->n : 0;
}
i64 PackedWeights::k() const {
  return panels_ ? panels_->k : 0;
}
bool PackedWeights::empty() const {
  return !panels_;
}
i64 PackedWeights::bytes() const {
  return panels_ ? panels_->data.bytes() : 0;
}

void PackedWeights::Panels::start(i64 rows, i64 cols, bool keep_bf16) {
  n = rows;
  k = cols;
  bf16 = keep_bf16;
  isa = &active();
  const i64 bytes = ceil_div(n, isa->nr) * isa->nr * k * (bf16 ? 2 : 4);
  if (data.bytes() != bytes) data = Storage::cpu(bytes, StorageUse::kAll);
}

void PackedWeights::Panels::fill(Layout layout, i64 count, const f32* w, i64 ldw, i64 first) {
  const BView b{layout == Layout::kNT, w, ldw};
  parallel_for(ceil_div(count, isa->nr), 4, [&](i64 begin, i64 end) {
    pack_panels(*isa, b, count, 0, k, begin, end, f32_data() + (first + begin) * isa->nr * k);
  });
}

void PackedWeights::Panels::fill16(Layout layout, i64 count, WeightType from, const u16* w, i64 ldw,
                                   i64 first) {
  const bool nt = layout == Layout::kNT;
  const i64 size = isa->nr * k;
  parallel_for(ceil_div(count, isa->nr), 4, [&](i64 begin, i64 end) {
    const Scratch wide(size);
    const Scratch packed(size);
    for (i64 panel = begin; panel < end; ++panel) {
      const i64 cols = std::min(isa->nr, count - panel * isa->nr);
      const i64 rows = nt ? cols : k;
      const i64 len = nt ? k : cols;
      const u16* src = w + (nt ? panel * isa->nr * ldw : panel * isa->nr);
      for (i64 r = 0; r < rows; ++r) {
        (from == WeightType::kBf16 ? isa->bf16_to_f32 : isa->f16_to_f32)(len, src + r * ldw,
                                                                         wide.data() + r * len);
      }
      f32* dst = bf16 ? packed.data() : f32_data() + (first + panel) * size;
      (nt ? isa->pack_nt : isa->pack_nn)(cols, k, wide.data(), len, 0, 1, dst);
      if (bf16) isa->f32_to_bf16(size, dst, bf16_data() + (first + panel) * size);
    }
  });
}

PackedWeights::Panels& PackedWeights::panels() {
  if (!panels_) panels_ = std::make_unique<Panels>();
  return *panels_;
}

void PackedWeights::pack(Layout layout, i64 n, i64 k, const f32* w, i64 ldw) {
  LM_CHECK(layout != Layout::kTN, "weights are the right-hand operand of kNT or kNN");
  panels().start(n, k, false);
  panels_->fill(layout, n, w, ldw, 0);
}

void PackedWeights::pack16(Layout layout, i64 n, i64 k, WeightType from, const u16* w, i64 ldw,
                           bool keep_bf16) {
  LM_CHECK(layout != Layout::kTN, "weights are the right-hand operand of kNT or kNN");
  LM_CHECK(from != WeightType::kF32, "pack16 takes 16-bit weights");
  LM_CHECK(!keep_bf16 || from == WeightType::kBf16, "f16 weights do not fit bf16 without rounding");
  panels().start(n, k, keep_bf16);
  panels_->fill16(layout, n, from, w, ldw, 0);
}

bool PackedWeights::pack_rows(std::span<const Tensor> parts) {
  LM_CHECK(!parts.empty(), "weights have rows");
  const i64 nr = active().nr;
  i64 n = 0;
  for (const Tensor& part : parts) {
    if (n % nr != 0 || part.dtype != parts[0].dtype) return false;
    LM_CHECK(part.cols() == parts[0].cols() && is_weight(part.dtype), "parts of one matrix");
    n += part.rows();
  }
  const bool bf16 = parts[0].dtype == DType::kBf16;
  const WeightType type = bf16 ? WeightType::kBf16 : WeightType::kF16;
  panels().start(n, parts[0].cols(), bf16);
  i64 first = 0;
  for (const Tensor& part : parts) {
    if (part.dtype == DType::kF32)
      panels_->fill(Layout::kNT, part.rows(), part.f32_data(), part.ld, first);
    else
      panels_->fill16(Layout::kNT, part.rows(), type, static_cast<const u16*>(part.data), part.ld,
                      first);
    first += part.rows() / nr;
  }
  return true;
}

void gemm(i64 m, const f32* a, i64 lda, const PackedWeights& w, f32* c, i64 ldc,
          const Epilogue& epilogue) {
  LM_CHECK(!w.empty(), "weights must be packed before use");
  const PackedWeights::Panels& p = *w.panels_;
  const isa::Kernels& isa = active();
  LM_CHECK(p.isa == &isa, "the processor level changed after weights were packed");
  if (m <= 0 || p.n <= 0) return;
  isa::GemmBlock out = whole(m, p.n, p.k, {a, lda, 1}, c, ldc, epilogue);
  out.b = p.bf16 ? static_cast<const void*>(p.bf16_data()) : p.f32_data();
  out.b_bf16 = p.bf16;
  out.panel_stride = p.k * isa.nr;
  run_packed(isa, out);
}

}  // namespace lm::cpu
