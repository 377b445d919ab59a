// Embedding rows. Gather: one thread per element of y [rows, cols]. Scatter: keys (id << 32 | row)
// are sorted by a bitonic network over the next power of two: spans up to kTile keys in shared
// memory, wider steps one kernel each. Keys are distinct, so the order is unique. Then block i
// looks at sorted position i; if a run starts there, the block adds the run's rows in order, a
// column per thread. f32.

#include "embedding.h"
#include "report.h"
#include "tensor/convert.h"

namespace lm::cuda {

namespace {

constexpr u64 kDropped = ~u64{0};
constexpr i64 kTile = 512;  // keys sorted by a block of 256 threads

struct FromF32 {
  LM_DEVICE f32 operator()(const void* p, i64 i) const { return static_cast<const f32*>(p)[i]; }
};
struct FromBf16 {
  LM_DEVICE f32 operator()(const void* p, i64 i) const {
    return lm::bf16_to_f32(static_cast<const u16*>(p)[i]);
  }
};
struct FromF16 {
  LM_DEVICE f32 operator()(const void* p, i64 i) const {
    return lm::f16_to_f32(static_cast<const u16*>(p)[i]);
  }
};

template <typename Read>
LM_GLOBAL void gather(Gather g, Fault* fault, FaultKind kind, Read read) {
  for (i64 i = cu::index(); i < g.rows * g.cols; i += cu::stride()) {
    const i64 r = i / g.cols;
    const i64 c = i - r * g.cols;
    const i32 id = g.ids[r];
    f32 v = 0;
    if (id >= 0 && id < g.table_rows) {
      v = g.scale * read(g.table, id * g.ldt + c);
    } else if (fault != nullptr) {
      report(fault, kind, r, id, g.table_rows);
    }
    f32* y = g.y + r * g.ldy + c;
    *y = g.add ? *y + v : v;
  }
}

LM_GLOBAL void make_keys(i64 rows, i64 padded, i64 table_rows, const i32* ids, u64* keys) {
  for (i64 i = cu::index(); i < padded; i += cu::stride()) {
    const i32 id = i < rows ? ids[i] : -1;
    const bool valid = id >= 0 && id < table_rows;
    keys[i] = valid ? static_cast<u64>(id) << 32 | static_cast<u64>(i) : kDropped;
  }
}

// The compare-and-exchange of pair t at distance `step` inside runs of length `run`.
LM_DEVICE i64 low_of(i64 t, i64 step) {
  return 2 * step * (t / step) + t % step;
}

// All steps from `from` down to 1 (from < kTile) of runs first_run .. last_run, tile by tile.
LM_GLOBAL void sort_tiles(i64 padded, i64 first_run, i64 last_run, u64* keys) {
  LM_SHARED(u64, tile, kTile);
  const i64 tiles = (padded + kTile - 1) / kTile;
  for (i64 b = cu::block(); b < tiles; b += cu::grid_size()) {
    const i64 base = b * kTile;
    for (i64 i = cu::thread(); i < kTile; i += cu::block_size()) {
      tile[i] = base + i < padded ? keys[base + i] : kDropped;
    }
    cu::sync();
    for (i64 run = first_run; run <= last_run; run *= 2) {
      for (i64 step = run / 2 < kTile / 2 ? run / 2 : kTile / 2; step > 0; step /= 2) {
        const i64 low = low_of(cu::thread(), step);
        const bool up = ((base + low) & run) == 0;
        const u64 x = tile[low];
        const u64 y = tile[low + step];
        if ((x > y) == up) {
          tile[low] = y;
          tile[low + step] = x;
        }
        cu::sync();
      }
    }
    for (i64 i = cu::thread(); i < kTile; i += cu::block_size()) {
      if (base + i < padded) keys[base + i] = tile[i];
    }
    cu::sync();
  }
}

LM_GLOBAL void sort_step(i64 padded, i64 run, i64 step, u64* keys) {
  for (i64 t = cu::index(); t < padded / 2; t += cu::stride()) {
    const i64 low = low_of(t, step);
    const bool up = (low & run) == 0;
    const u64 x = keys[low];
    const u64 y = keys[low + step];
    if ((x > y) == up) {
      keys[low] = y;
      keys[low + step] = x;
    }
  }
}

LM_GLOBAL void sum_runs(i64 rows, i64 cols, const u64* keys, f32 scale, const f32* x, i64 ldx,
                        f32* table, i64 ldt) {
  for (i64 i = cu::block(); i < rows; i += cu::grid_size()) {
    const u64 id = keys[i] >> 32;
    if (keys[i] == kDropped || (i > 0 && keys[i - 1] >> 32 == id)) continue;
    for (i64 c = cu::thread(); c < cols; c += cu::block_size()) {
      f32* to = table + static_cast<i64>(id) * ldt + c;
      f32 sum = *to;
      for (i64 k = i; k < rows && keys[k] >> 32 == id; ++k) {
        sum += scale * x[static_cast<i64>(keys[k] & 0xFFFFFFFFu) * ldx + c];
      }
      *to = sum;
    }
  }
}

i64 padded_count(i64 rows) {
  i64 n = kTile;  // a short list sorts as one tile
  while (n < rows)
    n *= 2;
  return n;
}

}  // namespace

void gather_rows(const Gather& g, Fault* fault, FaultKind kind, Stream* stream) {
  const i64 blocks = cu::blocks_for(g.rows * g.cols, 256);
  if (g.type == TableType::kF32) {
    cu::launch("gather_rows", gather<FromF32>, blocks, 256, stream, g, fault, kind, FromF32{});
  } else if (g.type == TableType::kBf16) {
    cu::launch("gather_rows", gather<FromBf16>, blocks, 256, stream, g, fault, kind, FromBf16{});
  } else {
    cu::launch("gather_rows", gather<FromF16>, blocks, 256, stream, g, fault, kind, FromF16{});
  }
}

i64 scatter_space(i64 rows) {
  return 8 * padded_count(rows);
}

void scatter_add_rows(i64 rows, i64 cols, i64 table_rows, const i32* ids, f32 scale, const f32* x,
                      i64 ldx, f32* table, i64 ldt, void* space, Stream* stream) {
  if (rows <= 0) return;
  u64* keys = static_cast<u64*>(space);
  const i64 n = padded_count(rows);
  const i64 tiles = cu::blocks_for(n, kTile);
  cu::launch("make_keys", make_keys, cu::blocks_for(n, 256), 256, stream, rows, n, table_rows, ids,
             keys);
  cu::launch("sort_tiles", sort_tiles, tiles, 256, stream, n, i64{2}, kTile, keys);
  for (i64 run = 2 * kTile; run <= n; run *= 2) {
    for (i64 step = run / 2; step >= kTile; step /= 2) {
      cu::launch("sort_step", sort_step, cu::blocks_for(n / 2, 256), 256, stream, n, run, step,
                 keys);
    }
    cu::launch("sort_tiles", sort_tiles, tiles, 256, stream, n, run, run, keys);
  }
  cu::launch("sum_runs", sum_runs, cu::blocks_for(rows, 1), cu::row_threads(cols), stream, rows,
             cols, keys, scale, x, ldx, table, ldt);
}

}  // namespace lm::cuda
