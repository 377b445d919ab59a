// Norms. Shapes [rows, cols] of T (f32, bf16), rows placed as NormShape says; arithmetic in f32,
// sums by fixed trees. Rows of whole packs at 16-byte boundaries stay in registers: a team of 8, 16
// or 32 lanes owns a row (forward up to 128 packs), or a block does (up to 8192 columns), a thread
// always the same columns. Moments take two passes over the registers. Backward reads dy and x
// once: dx and the sums of the parameter gradients are made together, by a grid whose size depends
// on the shape alone; each block keeps the sums of its rows in registers and leaves them in partial
// [blocks, 2, cols], which reduce.cu adds in a fixed order. Its grids are multiples of 132 blocks
// (the multiprocessors of an H100) that are all resident at once. Other rows: a block per row reads
// it again for every pass; each thread takes every block_size-th column and always the same ones,
// so a row may be rewritten in place without a barrier; parameter gradients by chunks of 256 rows
// before dx, which may be written over dy.
// H200, test-gpu [figures], bf16 (a copy: 3.86 TB/s): 65,536 rows of 768: 3.47 TB/s, with residual
// 3.89, gradient 3.03, with an addend 3.73; of 3072: 3.04, 3.86, 3.21, 3.98.

#include "block.h"
#include "divide.h"
#include "held.h"
#include "norm.h"
#include "reduce.h"

namespace lm::cuda {

namespace {

constexpr i64 kTileCols = 32;
constexpr int kTeamThreads = 256;
constexpr i64 kMostCols = 8192;  // of rows kept in registers

LM_DEVICE i64 place(const NormShape& s, i64 r, i64 ld) {
  const i64 outer = r / s.group;
  return outer * ld + (r - outer * s.group) * s.cols;
}

// The same for fewer than 2^31 rows.
struct Place {
  i64 outer, inner;
  LM_DEVICE Place(const NormShape& s, const Divider& group, u32 r) {
    const u32 row = group.quotient(r);
    outer = i64{row};
    inner = i64{r - row * group.by()} * s.cols;
  }
  LM_DEVICE i64 at(i64 ld) const { return outer * ld + inner; }
};

// Who works on a row: kLanes neighbours of a warp, or with kLanes 0 the whole block.
template <int kLanes>
struct Team {
  static constexpr int kTeams = kLanes == 0 ? 1 : kTeamThreads / (kLanes == 0 ? 1 : kLanes);
  LM_DEVICE static int member() {
    if constexpr (kLanes == 0) return cu::thread();
    return cu::thread() & (kLanes - 1);
  }
  LM_DEVICE static int members() {
    if constexpr (kLanes == 0) return cu::block_size();
    return kLanes;
  }
  LM_DEVICE static int number() {
    if constexpr (kLanes == 0) return 0;
    return cu::thread() / (kLanes == 0 ? 1 : kLanes);
  }
  LM_DEVICE static f32 sum(f32 v) {
    if constexpr (kLanes == 0) return cu::block_sum(v);
    return cu::lanes_sum < kLanes == 0 ? 32 : kLanes > (v);
  }
  // All of v; turn alternates (block.h).
  template <int kCount>
  LM_DEVICE static void sums(f32 (&v)[kCount], int turn) {
    if constexpr (kLanes == 0) {
      cu::block_sums(v, turn);
    } else {
      LM_UNROLL
      for (int n = 0; n < kCount; ++n)
        v[n] = cu::lanes_sum<kLanes>(v[n]);
    }
  }
};

template <typename T, int kLanes, int kPacks>
LM_GLOBAL LM_BOUNDS(kLanes == 0 ? 512 : kTeamThreads, 2) void norm_packs(NormForward<T> f,
                                                                         Divider group) {
  using Us = Team<kLanes>;
  constexpr int kCount = Pack<T>::kCount;
  const NormShape s = f.shape;
  const int packs = static_cast<int>(s.cols) / kCount;
  const f32 count = static_cast<f32>(s.cols);
  const f32 one = s.plus_one ? 1.0f : 0.0f;
  for (i64 base = cu::block() * Us::kTeams; base < s.rows; base += cu::grid_size() * Us::kTeams) {
    const i64 r = base + Us::number();
    const bool live = r < s.rows;
    const Place place(s, group, static_cast<u32>(r));
    Held<T> v[kPacks];
    Held<T> second[kPacks];
    LM_UNROLL
    for (int j = 0; j < kPacks; ++j) {
      const int p = Us::member() + j * Us::members();
      const bool mine = live && p < packs;
      v[j] = mine ? hold(f.x + place.at(f.ldx) + p * kCount) : Held<T>{};
      second[j] =
          mine && f.add != nullptr ? hold(f.add + place.at(f.ld_add) + p * kCount) : Held<T>{};
    }
    f32 total = 0;
    f32 squares = 0;
    LM_UNROLL
    for (int j = 0; j < kPacks; ++j) {
      if (f.add != nullptr) {
        f32 both[kCount];
        LM_UNROLL
        for (int k = 0; k < kCount; ++k)
          both[k] = v[j].at(k) + second[j].at(k);
        v[j] = hold_narrowed<T>(both);
        const int p = Us::member() + j * Us::members();
        if (f.sum != nullptr && live && p < packs) {
          put(f.sum + place.at(f.ld_sum) + p * kCount, v[j]);
        }
      }
      LM_UNROLL
      for (int k = 0; k < kCount; ++k) {
        const f32 x = v[j].at(k);
        total += x;
        squares += x * x;
      }
      v[j].wait();
    }
    f32 mean = 0;
    if (s.layer) {
      mean = Us::sum(total) / count;
      squares = 0;
      LM_UNROLL
      for (int j = 0; j < kPacks; ++j) {
        if (Us::member() + j * Us::members() >= packs) continue;
        LM_UNROLL
        for (int k = 0; k < kCount; ++k) {
          const f32 d = v[j].at(k) - mean;
          squares += d * d;
        }
        v[j].wait();
      }
    }
    const f32 rstd = 1.0f / sqrtf(Us::sum(squares) / count + s.eps);
    if (!live) continue;
    if (Us::member() == 0) {
      if (f.mean != nullptr) f.mean[r] = mean;
      if (f.rstd != nullptr) f.rstd[r] = rstd;
    }
    if (f.y == nullptr) continue;
    T* y = f.y + place.at(f.ldy);
    LM_UNROLL
    for (int j = 0; j < kPacks; ++j) {
      const int p = Us::member() + j * Us::members();
      if (p >= packs) continue;
      Held<T> weight;
      Held<T> bias;
      if (f.weight != nullptr) weight = hold(f.weight + p * kCount);
      if (f.bias != nullptr) bias = hold(f.bias + p * kCount);
      f32 out[kCount];
      LM_UNROLL
      for (int k = 0; k < kCount; ++k) {
        const f32 w = f.weight == nullptr ? 1.0f : weight.at(k) + one;
        out[k] = w * ((v[j].at(k) - mean) * rstd) + bias.at(k);
      }
      put(y + p * kCount, hold_narrowed<T>(out));
    }
  }
}

// Largest block of the backward kernels, and how many such blocks a multiprocessor has registers
// for.
constexpr int grad_threads(int lanes, int packs) {
  return lanes != 0 ? kTeamThreads : packs == 1 ? 384 : 512;
}
constexpr int grad_resident(int lanes, int packs) {
  return lanes != 0 || packs == 1 ? 2 : 1;
}

// kRows rows of a team are in flight at a time. partial null: parameter gradients are not wanted.
template <typename T, int kLanes, int kPacks, int kRows>
LM_GLOBAL LM_BOUNDS(grad_threads(kLanes, kPacks),
                    grad_resident(kLanes, kPacks)) void norm_grad_packs(NormBackward<T> b,
                                                                        Divider group,
                                                                        f32* partial) {
  using Us = Team<kLanes>;
  constexpr int kCount = Pack<T>::kCount;
  const NormShape s = b.shape;
  const int packs = static_cast<int>(s.cols) / kCount;
  const f32 one = s.plus_one ? 1.0f : 0.0f;
  const f32 inverse = 1.0f / static_cast<f32>(s.cols);
  Held<T> weight[kPacks];
  LM_UNROLL
  for (int j = 0; j < kPacks; ++j) {
    const int p = Us::member() + j * Us::members();
    if (b.weight != nullptr && p < packs) weight[j] = hold(b.weight + p * kCount);
  }
  f32 dweight[kPacks][kCount] = {};
  f32 dbias[kPacks][kCount] = {};
  constexpr int kBlockRows = Us::kTeams * kRows;
  int turn = 0;
  for (i64 base = cu::block() * kBlockRows; base < s.rows; base += cu::grid_size() * kBlockRows) {
    Held<T> x[kRows][kPacks];
    Held<T> dy[kRows][kPacks];
    Held<T> extra[kRows][kPacks];
    f32 mean[kRows];
    f32 rstd[kRows];
    LM_UNROLL
    for (int u = 0; u < kRows; ++u) {
      const i64 r = base + u * Us::kTeams + Us::number();
      const bool live = r < s.rows;
      const Place place(s, group, static_cast<u32>(r));
      LM_UNROLL
      for (int j = 0; j < kPacks; ++j) {
        const int p = Us::member() + j * Us::members();
        const bool mine = live && p < packs;
        x[u][j] = mine ? hold(b.x + place.at(b.ldx) + p * kCount) : Held<T>{};
        dy[u][j] = mine ? hold(b.dy + place.at(b.lddy) + p * kCount) : Held<T>{};
        extra[u][j] = mine && b.dx_add != nullptr
                          ? hold(b.dx_add + place.at(b.ld_dx_add) + p * kCount)
                          : Held<T>{};
      }
      mean[u] = live && b.mean != nullptr ? b.mean[r] : 0.0f;
      rstd[u] = live ? b.rstd[r] : 0.0f;
    }
    f32 sums[2 * kRows];  // of dy w xhat, then of dy w
    LM_UNROLL
    for (int u = 0; u < kRows; ++u) {
      f32 along = 0;
      f32 level = 0;
      LM_UNROLL
      for (int j = 0; j < kPacks; ++j) {
        LM_UNROLL
        for (int k = 0; k < kCount; ++k) {
          const f32 d = dy[u][j].at(k);
          const f32 hat = (x[u][j].at(k) - mean[u]) * rstd[u];
          const f32 g = d * (b.weight == nullptr ? 1.0f : weight[j].at(k) + one);
          along += g * hat;
          level += g;
          dweight[j][k] += d * hat;
          dbias[j][k] += d;
        }
        x[u][j].wait();
        dy[u][j].wait();
        weight[j].wait();
      }
      sums[u] = along;
      sums[kRows + u] = level;
    }
    if (b.dx == nullptr) continue;
    if (s.layer) {
      Us::sums(sums, turn);
    } else {
      f32 only[kRows];
      LM_UNROLL
      for (int u = 0; u < kRows; ++u)
        only[u] = sums[u];
      Us::sums(only, turn);
      LM_UNROLL
      for (int u = 0; u < kRows; ++u) {
        sums[u] = only[u];
        sums[kRows + u] = 0;
      }
    }
    turn ^= 1;
    LM_UNROLL
    for (int u = 0; u < kRows; ++u) {
      const i64 r = base + u * Us::kTeams + Us::number();
      if (r >= s.rows) continue;
      const Place place(s, group, static_cast<u32>(r));
      const f32 along = sums[u] * inverse;
      const f32 level = sums[kRows + u] * inverse;
      LM_UNROLL
      for (int j = 0; j < kPacks; ++j) {
        const int p = Us::member() + j * Us::members();
        if (p >= packs) continue;
        f32 out[kCount];
        LM_UNROLL
        for (int k = 0; k < kCount; ++k) {
          const f32 g = dy[u][j].at(k) * (b.weight == nullptr ? 1.0f : weight[j].at(k) + one);
          const f32 hat = (x[u][j].at(k) - mean[u]) * rstd[u];
          out[k] = rstd[u] * (g - level - hat * along) + extra[u][j].at(k);
        }
        put(b.dx + place.at(b.lddx) + p * kCount, hold_narrowed<T>(out));
      }
    }
  }
  if (partial == nullptr) return;
  f32* to = partial + cu::block() * 2 * s.cols;
  if constexpr (kLanes == 0) {
    LM_UNROLL
    for (int j = 0; j < kPacks; ++j) {
      const int p = Us::member() + j * Us::members();
      if (p >= packs) continue;
      LM_UNROLL
      for (int k = 0; k < kCount; k += 4) {
        cu::Four w;
        cu::Four l;
        LM_UNROLL
        for (int i = 0; i < 4; ++i) {
          w.v[i] = dweight[j][k + i];
          l.v[i] = dbias[j][k + i];
        }
        cu::store4(to + p * kCount + k, w);
        cu::store4(to + s.cols + p * kCount + k, l);
      }
    }
  } else {
    // The warp's teams by a tree, then the warps in order.
    constexpr int kWidth = kLanes * kCount;
    LM_SHARED(f32, total, 2 * kWidth);
    LM_UNROLL
    for (int k = 0; k < kCount; ++k) {
      LM_UNROLL
      for (int mask = kLanes; mask < 32; mask *= 2) {
        dweight[0][k] += cu::shfl_xor(dweight[0][k], mask);
        dbias[0][k] += cu::shfl_xor(dbias[0][k], mask);
      }
    }
    for (int w = 0; w < kTeamThreads / 32; ++w) {
      if (cu::warp() == w && cu::lane() < kLanes) {
        LM_UNROLL
        for (int k = 0; k < kCount; ++k) {
          const int c = cu::lane() * kCount + k;
          if (w == 0) {
            total[c] = dweight[0][k];
            total[kWidth + c] = dbias[0][k];
          } else {
            total[c] += dweight[0][k];
            total[kWidth + c] += dbias[0][k];
          }
        }
      }
      cu::sync();
    }
    for (int c = cu::thread(); c < static_cast<int>(s.cols); c += cu::block_size()) {
      to[c] = total[c];
      to[s.cols + c] = total[kWidth + c];
    }
  }
}

template <typename T>
LM_GLOBAL void norm_rows(NormForward<T> f) {
  const NormShape s = f.shape;
  const f32 count = static_cast<f32>(s.cols);
  for (i64 r = cu::block(); r < s.rows; r += cu::grid_size()) {
    const T* x = f.x + place(s, r, f.ldx);
    const T* add = f.add == nullptr ? nullptr : f.add + place(s, r, f.ld_add);
    T* sum = f.sum == nullptr ? nullptr : f.sum + place(s, r, f.ld_sum);
    // Element c of the row: from `sum` once it is there, as x or add may be the same memory.
    const auto element = [&](const T* from, const T* second, i64 c) {
      const f32 v = widen(from[c]);
      return second == nullptr ? v : widen(narrow<T>(v + widen(second[c])));
    };
    f32 total = 0;
    f32 squares = 0;
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      const f32 v = element(x, add, c);
      if (sum != nullptr) sum[c] = narrow<T>(v);
      total += v;
      squares += v * v;
    }
    const T* from = sum == nullptr ? x : sum;
    const T* second = sum == nullptr ? add : nullptr;
    f32 mean = 0;
    if (s.layer) {
      mean = cu::block_sum(total) / count;
      squares = 0;
      for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
        const f32 d = element(from, second, c) - mean;
        squares += d * d;
      }
    }
    const f32 rstd = 1.0f / sqrtf(cu::block_sum(squares) / count + s.eps);
    if (cu::thread() == 0) {
      if (f.mean != nullptr) f.mean[r] = mean;
      if (f.rstd != nullptr) f.rstd[r] = rstd;
    }
    if (f.y == nullptr) continue;
    T* y = f.y + place(s, r, f.ldy);
    const f32 one = s.plus_one ? 1.0f : 0.0f;
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      const f32 hat = (element(from, second, c) - mean) * rstd;
      const f32 w = f.weight == nullptr ? 1.0f : widen(f.weight[c]) + one;
      y[c] = narrow<T>(w * hat + (f.bias == nullptr ? 0.0f : widen(f.bias[c])));
    }
  }
}

template <typename T>
LM_GLOBAL void norm_grad_rows(NormBackward<T> b) {
  const NormShape s = b.shape;
  const f32 one = s.plus_one ? 1.0f : 0.0f;
  const f32 count = static_cast<f32>(s.cols);
  for (i64 r = cu::block(); r < s.rows; r += cu::grid_size()) {
    const T* x = b.x + place(s, r, b.ldx);
    const T* dy = b.dy + place(s, r, b.lddy);
    const f32 mean = b.mean == nullptr ? 0.0f : b.mean[r];
    const f32 rstd = b.rstd[r];
    f32 along = 0;
    f32 level = 0;
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      const f32 g = widen(dy[c]) * (b.weight == nullptr ? 1.0f : widen(b.weight[c]) + one);
      along += g * ((widen(x[c]) - mean) * rstd);
      level += g;
    }
    along = cu::block_sum(along) / count;
    level = s.layer ? cu::block_sum(level) / count : 0.0f;
    const T* extra = b.dx_add == nullptr ? nullptr : b.dx_add + place(s, r, b.ld_dx_add);
    T* dx = b.dx + place(s, r, b.lddx);
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      const f32 g = widen(dy[c]) * (b.weight == nullptr ? 1.0f : widen(b.weight[c]) + one);
      const f32 hat = (widen(x[c]) - mean) * rstd;
      dx[c] =
          narrow<T>(rstd * (g - level - hat * along) + (extra == nullptr ? 0.0f : widen(extra[c])));
    }
  }
}

// partial [chunks, 2, cols]: sums of dy * xhat, then of dy.
template <typename T>
LM_GLOBAL void norm_grad_params(NormBackward<T> b, f32* partial) {
  LM_SHARED(f32, weight_part, 256);
  LM_SHARED(f32, bias_part, 256);
  const NormShape s = b.shape;
  const i64 chunks = (s.rows + kSumChunkRows - 1) / kSumChunkRows;
  const i64 tiles = (s.cols + kTileCols - 1) / kTileCols;
  for (i64 t = cu::block(); t < chunks * tiles; t += cu::grid_size()) {
    const i64 chunk = t / tiles;
    const i64 c = (t - chunk * tiles) * kTileCols + cu::lane();
    const i64 end = s.rows < (chunk + 1) * kSumChunkRows ? s.rows : (chunk + 1) * kSumChunkRows;
    f32 weight = 0;
    f32 bias = 0;
    if (c < s.cols) {
      for (i64 r = chunk * kSumChunkRows + cu::warp(); r < end; r += 8) {
        const f32 dy = widen(b.dy[place(s, r, b.lddy) + c]);
        const f32 mean = b.mean == nullptr ? 0.0f : b.mean[r];
        weight += dy * ((widen(b.x[place(s, r, b.ldx) + c]) - mean) * b.rstd[r]);
        bias += dy;
      }
    }
    weight_part[cu::thread()] = weight;
    bias_part[cu::thread()] = bias;
    cu::sync();
    if (cu::warp() == 0 && c < s.cols) {
      for (int w = 1; w < 8; ++w) {
        weight += weight_part[w * 32 + cu::lane()];
        bias += bias_part[w * 32 + cu::lane()];
      }
      partial[chunk * 2 * s.cols + c] = weight;
      partial[chunk * 2 * s.cols + s.cols + c] = bias;
    }
    cu::sync();
  }
}

i64 chunk_count(i64 rows) {
  return (rows + kSumChunkRows - 1) / kSumChunkRows;
}

// Threads of a block that owns a row of n packs, kPacks a thread.
int block_threads(i64 n, int per_thread) {
  return static_cast<int>((n + 32 * per_thread - 1) / (32 * per_thread) * 32);
}

// How the backward pass splits rows of n packs: rows of a block at a time, threads, blocks.
struct GradPlan {
  int lanes = 0, packs = 1, threads = kTeamThreads;
  i64 blocks = 0;
};
GradPlan grad_plan(i64 rows, i64 n) {
  GradPlan p;
  i64 block_rows = 1;
  if (n <= 32) {
    p.lanes = n <= 8 ? 8 : n <= 16 ? 16 : 32;
    block_rows = 2 * kTeamThreads / p.lanes;
  } else {
    p.packs = n <= 384 ? 1 : n <= 1024 ? 2 : 4;
    p.threads = block_threads(n, p.packs);
    block_rows = p.packs == 1 ? 2 : 1;
  }
  const int resident = grad_threads(p.lanes, p.packs) * grad_resident(p.lanes, p.packs) / p.threads;
  const i64 most = 132 * (resident < 8 ? resident : 8);
  const i64 needed = (rows + block_rows - 1) / block_rows;
  p.blocks = needed < most ? needed : most;
  return p;
}
template <typename T>
bool grad_in_packs(const NormBackward<T>& b, const void* space) {
  const NormShape& s = b.shape;
  return s.cols > 0 && s.cols % Pack<T>::kCount == 0 && s.cols <= kMostCols &&
         small_count(s.rows) && small_count(s.group) && packable(b.x, b.ldx) &&
         packable(b.dy, b.lddy) && packable(b.weight, 0) && packable(b.dx_add, b.ld_dx_add) &&
         packable(b.dx, b.lddx) && cu::aligned16(space);
}

template <typename T>
void launch_grad(const GradPlan& p, const NormBackward<T>& b, f32* partial, Stream* stream) {
  const auto start = [&](void (*kernel)(NormBackward<T>, Divider, f32*)) {
    cu::launch("norm_backward", kernel, p.blocks, p.threads, stream, b, Divider(b.shape.group),
               partial);
  };
  if (p.lanes == 8) return start(norm_grad_packs<T, 8, 1, 2>);
  if (p.lanes == 16) return start(norm_grad_packs<T, 16, 1, 2>);
  if (p.lanes == 32) return start(norm_grad_packs<T, 32, 1, 2>);
  if (p.packs == 1) return start(norm_grad_packs<T, 0, 1, 2>);
  if (p.packs == 2) return start(norm_grad_packs<T, 0, 2, 1>);
  if constexpr (kMostCols / Pack<T>::kCount > 1024) start(norm_grad_packs<T, 0, 4, 1>);
}

}  // namespace

template <typename T>
void norm_forward(const NormForward<T>& f, Stream* stream) {
  const NormShape& s = f.shape;
  const i64 n = s.cols / Pack<T>::kCount;
  const bool packs = s.cols > 0 && s.cols % Pack<T>::kCount == 0 && s.cols <= kMostCols &&
                     small_count(s.rows) && small_count(s.group) && packable(f.x, f.ldx) &&
                     packable(f.add, f.ld_add) && packable(f.sum, f.ld_sum) &&
                     packable(f.weight, 0) && packable(f.bias, 0) && packable(f.y, f.ldy);
  if (!packs) {
    cu::launch("norm_forward", norm_rows<T>, cu::blocks_for(s.rows, 1), cu::row_threads(s.cols),
               stream, f);
    return;
  }
  const auto start = [&](void (*kernel)(NormForward<T>, Divider), i64 block_rows, int threads) {
    cu::launch("norm_forward", kernel, cu::blocks_for(s.rows, block_rows), threads, stream, f,
               Divider(s.group));
  };
  if (n <= 8) return start(norm_packs<T, 8, 1>, 32, kTeamThreads);
  if (n <= 16) return start(norm_packs<T, 16, 1>, 16, kTeamThreads);
  if (n <= 32) return start(norm_packs<T, 32, 1>, 8, kTeamThreads);
  if (n <= 64) return start(norm_packs<T, 32, 2>, 8, kTeamThreads);
  if (n <= 96) return start(norm_packs<T, 32, 3>, 8, kTeamThreads);
  if (n <= 128) return start(norm_packs<T, 32, 4>, 8, kTeamThreads);
  if (n <= 256) return start(norm_packs<T, 0, 1>, 1, block_threads(n, 1));
  if (n <= 1024) return start(norm_packs<T, 0, 2>, 1, block_threads(n, 2));
  if constexpr (kMostCols / Pack<T>::kCount > 1024) {
    start(norm_packs<T, 0, 4>, 1, block_threads(n, 4));
  }
}

i64 norm_backward_space(i64 rows, i64 cols) {
  i64 parts = chunk_count(rows);
  for (const i64 count : {Pack<f32>::kCount, Pack<Bf16>::kCount}) {
    const i64 n = cols / count;
    if (n == 0 || cols > kMostCols) continue;
    const i64 blocks = grad_plan(rows, n).blocks;
    parts = blocks > parts ? blocks : parts;
  }
  return 8 * parts * cols;
}

template <typename T>
void norm_backward(const NormBackward<T>& b, void* space, Stream* stream) {
  const NormShape& s = b.shape;
  const bool wants_params = b.dweight != nullptr || b.dbias != nullptr;
  if (b.dx == nullptr && !wants_params) return;
  f32* partial = wants_params ? static_cast<f32*>(space) : nullptr;
  const PartialSum weight{b.dweight, b.add_weight};
  const PartialSum bias{b.dbias, b.add_bias};
  if (grad_in_packs(b, space)) {
    const GradPlan plan = grad_plan(s.rows, s.cols / Pack<T>::kCount);
    launch_grad(plan, b, partial, stream);
    if (wants_params) sum_partials(plan.blocks, s.cols, partial, 1.0f, weight, bias, stream);
    return;
  }
  if (wants_params) {
    const i64 tiles = (s.cols + kTileCols - 1) / kTileCols;
    const i64 chunks = chunk_count(s.rows);
    cu::launch("norm_grad_params", norm_grad_params<T>, cu::blocks_for(chunks * tiles, 1), 256,
               stream, b, partial);
    sum_partials(chunks, s.cols, partial, 1.0f, weight, bias, stream);
  }
  if (b.dx == nullptr) return;
  cu::launch("norm_backward", norm_grad_rows<T>, cu::blocks_for(s.rows, 1), cu::row_threads(s.cols),
             stream, b);
}

template void norm_forward(const NormForward<f32>&, Stream*);
template void norm_forward(const NormForward<Bf16>&, Stream*);
template void norm_backward(const NormBackward<f32>&, void*, Stream*);
template void norm_backward(const NormBackward<Bf16>&, void*, Stream*);

}  // namespace lm::cuda
