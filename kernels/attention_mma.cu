// The plan of attention_mma: which tiles see which, made by small kernels before the large ones. A
// warp per query tile reduces the rows' spans; a warp per key tile finds the first and last query
// tile that sees it; a warp per tile ranks it by work within a window, so that long tiles start
// first and the keys of a window stay in the second-level cache.

#include "attention_plan.cuh"
#include "report.h"
#include "span.h"

namespace lm::cuda {

namespace attn {

namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr i64 kWindowBytes = i64{24} << 20;  // of keys and values; an H100's cache holds 50 MiB

LM_DEVICE RowKeys read_row(const AttentionMma& a, i64 row, Fault* fault) {
  const i32* p = a.spans + 6 * row;
  RowKeys r;
  i32 culprit = 0;
  if (span_fits(p, a.keys, &culprit)) {
    const RowSpan s = read_span(p, a.window);
    if (s.a0 < s.a1) r.a0 = s.a0, r.an = s.a1 - s.a0;
    if (s.b0 < s.b1) r.b0 = s.b0, r.bn = s.b1 - s.b0;
  } else if (fault != nullptr) {
    report(fault, FaultKind::kSpan, row, culprit, a.keys);
  }
  return r;
}

LM_GLOBAL void LM_BOUNDS(kThreads, 1)
    mma_plan(AttentionMma a, Plan plan, int tile_rows, int tile_keys, Fault* fault) {
  for (i64 tile = cu::block() * kWarps + cu::warp(); tile < plan.query_tiles;
       tile += cu::grid_size() * kWarps) {
    SeenSum sum;
    for (int r = cu::lane(); r < tile_rows; r += 32) {
      const i64 row = tile * tile_rows + r;
      RowKeys keys;
      if (row < a.rows) {
        keys = read_row(a, row, fault);
        sum.add(keys);
      }
      plan.rows[row] = keys;
    }
    const Seen seen = sum.warp_total();
    if (cu::lane() == 0) {
      plan.seen[tile] = seen;
      plan.costs[tile] = (seen.a_end - seen.a_begin + seen.b_end - seen.b_begin) / tile_keys;
    }
  }
}

LM_GLOBAL void LM_BOUNDS(kThreads, 1) mma_key_plan(Plan plan, int tile_keys) {
  for (i64 tile = cu::block() * kWarps + cu::warp(); tile < plan.key_tiles;
       tile += cu::grid_size() * kWarps) {
    const i32 begin = static_cast<i32>(tile) * tile_keys;
    i32 first = SeenSum::kFar, last = -1, count = 0;
    for (i32 t = cu::lane(); t < plan.query_tiles; t += 32) {
      if (!plan.seen[t].any(begin, begin + tile_keys)) continue;
      first = smaller(first, t);
      last = t;
      ++count;
    }
    first = warp_smallest(first);
    last = warp_largest(last);
    LM_UNROLL
    for (int mask = 16; mask > 0; mask >>= 1)
      count += cu::shfl_xor(count, mask);
    if (cu::lane() == 0) {
      if (count == 0) first = 0;
      plan.queries[tile] = {first, last + 1, last + 1 - first == count ? 1 : 0, 0};
      plan.costs[plan.query_tiles + tile] = count;
    }
  }
}

// order[window + rank] = tile, by falling cost; equal costs keep their order.
LM_GLOBAL void LM_BOUNDS(kThreads, 1)
    mma_rank(const i32* costs, i64 tiles, i64 window, i32* order) {
  for (i64 tile = cu::block() * kWarps + cu::warp(); tile < tiles;
       tile += cu::grid_size() * kWarps) {
    const i64 begin = tile / window * window;
    const i64 end = begin + window < tiles ? begin + window : tiles;
    const i32 mine = costs[tile];
    i32 before = 0;
    for (i64 t = begin + cu::lane(); t < end; t += 32)
      before += costs[t] > mine || (costs[t] == mine && t < tile) ? 1 : 0;
    LM_UNROLL
    for (int mask = 16; mask > 0; mask >>= 1)
      before += cu::shfl_xor(before, mask);
    if (cu::lane() == 0) order[begin + before] = static_cast<i32>(tile);
  }
}

i64 blocks(i64 tiles) {
  return cu::blocks_for(tiles, kWarps);
}

}  // namespace

Plan lay_plan(const AttentionMma& a, i64 tile_rows, i64 tile_keys, bool backward, void* space,
              i64* bytes) {
  i64 used = 0;
  const auto take = [&]<typename T>(T*& array, i64 count) {
    array = static_cast<T*>(place(space, used));
    used += (count * static_cast<i64>(sizeof(T)) + 15) / 16 * 16;
  };
  Plan p;
  p.query_tiles = (a.rows + tile_rows - 1) / tile_rows;
  p.key_tiles = backward ? (a.keys + tile_keys - 1) / tile_keys : 0;
  p.padded_rows = p.query_tiles * tile_rows;
  take(p.rows, p.padded_rows);
  take(p.seen, p.query_tiles);
  take(p.queries, p.key_tiles);
  take(p.query_order, p.query_tiles);
  take(p.key_order, p.key_tiles);
  take(p.costs, p.query_tiles + p.key_tiles);
  *bytes = used;
  return p;
}

void make_plan(const AttentionMma& a, i64 tile_rows, i64 tile_keys, bool backward, const Plan& plan,
               Fault* fault, Stream* stream) {
  // Rows of a window: as many as the keys and values of kWindowBytes.
  const i64 rows = kWindowBytes / (4 * a.kv_heads * a.head_dim);
  const auto window = [&](i64 tile) { return rows > 8 * tile ? rows / tile : i64{8}; };
  cu::launch("mma_plan", mma_plan, blocks(plan.query_tiles), kThreads, stream, a, plan,
             static_cast<int>(tile_rows), static_cast<int>(tile_keys), fault);
  cu::launch("mma_rank", mma_rank, blocks(plan.query_tiles), kThreads, stream, plan.costs,
             plan.query_tiles, window(tile_rows), plan.query_order);
  if (!backward) return;
  cu::launch("mma_key_plan", mma_key_plan, blocks(plan.key_tiles), kThreads, stream, plan,
             static_cast<int>(tile_keys));
  cu::launch("mma_rank", mma_rank, blocks(plan.key_tiles), kThreads, stream,
             plan.costs + plan.query_tiles, plan.key_tiles, window(tile_keys), plan.key_order);
}

}  // namespace attn

bool attention_mma_supports(const AttentionMma& a) {
  return a.rows >= 0 && a.rows < i64{1} << 30 && a.keys >= 0 && a.keys < i64{1} << 30 &&
         a.kv_heads > 0 && a.heads > 0 && a.heads % a.kv_heads == 0 && a.head_dim >= 8 &&
         a.head_dim <= 128 && a.head_dim % 8 == 0 && a.scale > 0 && a.ldq % 8 == 0 &&
         a.ldkv % 8 == 0 && cu::aligned16(a.q) && cu::aligned16(a.k) && cu::aligned16(a.v);
}

}  // namespace lm::cuda
