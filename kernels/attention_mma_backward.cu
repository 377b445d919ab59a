// Attention backward on tensor cores. With D = sum dO o and P = 2^(S - lse), dS = P (dP - D):
// mma_rests: D, and lse in base 2, by head.
// mma_dkv: a block owns a key tile of one kv head and goes through the query tiles that see it, of
//   every head of the group in turn. It works on the transposes, S^T = K Q^T and dP^T = V dO^T,
//   whose sums are at once the A operands of dV += P^T dO and dK += dS^T Q: nothing but inputs goes
//   through shared memory.
// mma_dq: a block owns a query tile of a head, and computes S and dP again for dQ += dS K. Seven
//   products instead of five, but no atomics and no partial sums in memory.
// H200, test-gpu [figures], causal, five products of visible pairs: 64 x 1024, 12 heads of 64: 178
// TFLOP/s; 4 x 4096, 16 heads of 128: 224, with 4 kv heads 207.

#include "attention_mma.cuh"

namespace lm::cuda {

namespace attn {

namespace {

constexpr int kWarps = 4;
constexpr int kThreads = 32 * kWarps;
constexpr int kTile = 16 * kWarps;  // rows of a query tile, slots of a key tile
constexpr int kStep = 32;           // of a tile, at once in registers
constexpr int kRestThreads = 256;

// What the backward adds to the plan; both [heads, padded_rows].
struct Rows {
  f32* rest = nullptr;  // D; 0 past the last row
  f32* lse2 = nullptr;  // lse log2(e); inf for a row without keys and past the last: P = 0
};

// Sums of dk and dv of d = 128 leave no registers to hold operands in.
template <int D>
using KeyOperand = std::conditional_t<D == 64, HeldRows<D, 1>, SharedRows<D, 1>>;
template <int D>
using QueryOperand = HeldRows<D, 1>;

template <int N>
LM_DEVICE void scale_by(f32 (&c)[1][N][4], f32 x) {
  LM_UNROLL
  for (int n = 0; n < N; ++n) {
    LM_UNROLL
    for (int i = 0; i < 4; ++i)
      c[0][n][i] *= x;
  }
}

// D / 8 lanes take 8 columns each of one row and head; the warps of a block take rows of one head.
template <int D>
LM_GLOBAL void LM_BOUNDS(kRestThreads, 1)
    mma_rests(AttentionMma a, AttentionMmaBackward b, Plan plan, Rows to) {
  constexpr int kLanes = D / 8;
  constexpr int kBlockRows = kRestThreads / kLanes;
  static_assert(kTile % kBlockRows == 0);
  const i64 head = cu::block() % a.heads;
  const i64 row = cu::block() / a.heads * kBlockRows + cu::thread() / kLanes;
  const i64 column = cu::thread() % kLanes * 8;
  f32 sum = 0;
  if (row < a.rows && column < a.head_dim) {
    const i64 at = head * a.head_dim + column;
    const Pack<Bf16> o = load_pack(b.o + row * b.ldo + at);
    const Pack<Bf16> d_o = load_pack(b.d_o + row * b.lddo + at);
    LM_UNROLL
    for (int i = 0; i < 8; ++i)
      sum += widen(o.v[i]) * widen(d_o.v[i]);
  }
  LM_UNROLL
  for (int mask = kLanes / 2; mask > 0; mask >>= 1)
    sum += cu::shfl_xor(sum, mask);
  if (column != 0) return;
  const f32 lse = row < a.rows ? b.lse[row * a.heads + head] : -INFINITY;
  to.rest[head * plan.padded_rows + row] = sum;
  to.lse2[head * plan.padded_rows + row] = lse == -INFINITY ? INFINITY : lse * kLog2e;
}

template <int D>
constexpr int dq_shared() {
  return 6 * tile_bytes<D>(kTile) + View::kBytes * kWarps;
}
template <int D>
constexpr int dkv_shared() {
  return 6 * tile_bytes<D>(kTile) + 4 * 4 * kTile;
}

template <int D, bool Cap>
LM_GLOBAL void LM_BOUNDS(kThreads, D == 64 && !Cap ? 3 : 2)
    mma_dkv(AttentionMma a, AttentionMmaBackward b, Plan plan, Rows rows) {
  constexpr u32 kBytes = tile_bytes<D>(kTile);
  // Queries at once in registers: half as many where tanh would make it spill.
  constexpr int kColumns = D == 128 && Cap ? kStep / 2 : kStep;
  constexpr int kN = kColumns / 8;
  const int block = static_cast<int>(cu::block());
  const int kv_heads = static_cast<int>(a.kv_heads);
  const int head_dim = static_cast<int>(a.head_dim);
  const int tile = plan.key_order[block / kv_heads];
  const int kv_head = block % kv_heads;
  const int kv = kv_head * head_dim;
  const int group = static_cast<int>(a.heads) / kv_heads;
  const int first_key = tile * kTile;

  const u32 k_at = cu::dynamic_shared();
  const u32 v_at = k_at + kBytes;
  const u32 q_at = v_at + kBytes;  // two stages, as the rest
  const u32 d_o_at = q_at + 2 * kBytes;
  const u32 lse_at = d_o_at + 2 * kBytes;
  const u32 rest_at = lse_at + 2 * 4 * kTile;

  // The first query tile from `from` on that sees this block's keys, or -1.
  const auto seeing = [&](int from) {
    const QueryTiles queries = plan.queries[tile];
    if (queries.dense == 0) {
      while (from < queries.end && !plan.seen[from].any(first_key, first_key + kTile))
        ++from;
    }
    return from < queries.end ? from : -1;
  };
  const auto copy_queries = [&](int head, int query_tile, int stage) {
    const i32 first = query_tile * kTile;
    const u32 offset = static_cast<u32>(stage) * kBytes;
    const Readable readable{0, static_cast<i32>(a.rows), 0, 0};
    copy_tile<D, kTile, kThreads>(q_at + offset, a.q + head * head_dim, a.ldq, first, readable,
                                  head_dim);
    copy_tile<D, kTile, kThreads>(d_o_at + offset, b.d_o + head * head_dim, b.lddo, first, readable,
                                  head_dim);
    const int word = cu::thread() % 16 * 4;  // 16 threads each for lse2 and D
    if (cu::thread() < 32) {
      const bool is_lse = cu::thread() < 16;
      const f32* from = (is_lse ? rows.lse2 : rows.rest) + head * plan.padded_rows + first + word;
      const u32 to = (is_lse ? lse_at : rest_at) + static_cast<u32>(4 * (stage * kTile + word));
      cu::cp_async_16(to, from, true);
    }
  };

  int head = kv_head * group;
  int query = seeing(plan.queries[tile].first);
  const Readable readable{0, static_cast<i32>(a.keys), 0, 0};
  copy_tile<D, kTile, kThreads>(k_at, a.k + kv, a.ldkv, first_key, readable, head_dim);
  copy_tile<D, kTile, kThreads>(v_at, a.v + kv, a.ldkv, first_key, readable, head_dim);
  if (query >= 0) copy_queries(head, query, 0);
  cu::cp_async_commit();

  const f32 unit2 = (Cap ? a.softcap : a.scale) * kLog2e;
  const f32 scale_over_cap = Cap ? a.scale / a.softcap : 0.0f;
  const int g = cu::lane() / 4;
  const int t = cu::lane() % 4;
  const u32 own = static_cast<u32>(cu::warp() * tile_bytes<D>(16));
  const i32 warp_key = first_key + 16 * cu::warp();
  KeyOperand<D> key;
  SharedRows<D, 1> value;
  f32 dk[1][D / 8][4];
  f32 dv[1][D / 8][4];
  clear(dk);
  clear(dv);
  cu::cp_async_wait<0>();
  cu::sync();
  key.load(as_a<D>(k_at + own));
  value.load(as_a<D>(v_at + own));

  for (int stage = 0; query >= 0; stage ^= 1) {
    int next_head = head;
    int next = seeing(query + 1);
    if (next < 0 && (head + 1) % group != 0) {
      ++next_head;
      next = plan.queries[tile].first;
    }
    if (next >= 0) copy_queries(next_head, next, stage ^ 1);
    cu::cp_async_commit();

    const Seen seen = plan.seen[query];
    const bool all = seen.all(warp_key, warp_key + 16);
    const int steps = seen.any(warp_key, warp_key + 16) ? kTile : 0;
    LM_NO_UNROLL
    for (int step = 0; step < steps; step += kColumns) {
      const u32 part = static_cast<u32>(stage) * kBytes + static_cast<u32>(tile_bytes<D>(step));
      const u32 q_part = q_at + part;
      const u32 d_o_part = d_o_at + part;
      const u32 columns = static_cast<u32>(4 * (stage * kTile + step + 2 * t));

      f32 s[1][kN][4];  // key g or g + 8, query 8 n + 2 t or the next
      clear(s);
      add_transposed<D, 1, kN>(s, key, as_b<D>(q_part));
      if constexpr (Cap) {
        LM_UNROLL
        for (int n = 0; n < kN; ++n) {
          LM_UNROLL
          for (int i = 0; i < 4; ++i)
            s[0][n][i] = capped(s[0][n][i], scale_over_cap);
        }
      }
      u32 unseen = 0;  // bit 4 n + i
      if (!all) {
        const RowKeys* row_keys = plan.rows + query * kTile + step + 2 * t;
        LM_UNROLL
        for (int n = 0; n < kN; ++n) {
          LM_UNROLL
          for (int i = 0; i < 2; ++i) {
            const RowKeys keys = row_keys[8 * n + i];
            if (!keys.sees(warp_key + g)) unseen |= 1u << (4 * n + i);
            if (!keys.sees(warp_key + g + 8)) unseen |= 1u << (4 * n + i + 2);
          }
        }
      }
      f32 p[1][kN][4];
      LM_UNROLL
      for (int n = 0; n < kN; ++n) {
        const cu::Pair lse2 = cu::shared_load_pair(lse_at + columns + static_cast<u32>(32 * n));
        LM_UNROLL
        for (int i = 0; i < 4; ++i)
          p[0][n][i] = cu::exp2_approx(s[0][n][i] * unit2 - (i % 2 == 0 ? lse2.x : lse2.y));
      }
      if (unseen != 0) {
        LM_UNROLL
        for (int n = 0; n < kN; ++n) {
          LM_UNROLL
          for (int i = 0; i < 4; ++i)
            p[0][n][i] = (unseen >> (4 * n + i) & 1) != 0 ? 0.0f : p[0][n][i];
        }
      }
      u32 weights[kN / 2][1][4];
      pack_rows<1, kN>(weights, p);
      if constexpr (Cap) {  // from here on P only makes dS
        LM_UNROLL
        for (int n = 0; n < kN; ++n) {
          LM_UNROLL
          for (int i = 0; i < 4; ++i)
            p[0][n][i] *= 1.0f - s[0][n][i] * s[0][n][i];
        }
      }
      add_product<D, 1, kN / 2>(dv, weights, as_a<D>(d_o_part));

      f32 dp[1][kN][4];  // less D
      LM_UNROLL
      for (int n = 0; n < kN; ++n) {
        const cu::Pair rest = cu::shared_load_pair(rest_at + columns + static_cast<u32>(32 * n));
        dp[0][n][0] = dp[0][n][2] = -rest.x;
        dp[0][n][1] = dp[0][n][3] = -rest.y;
      }
      add_transposed<D, 1, kN>(dp, value, as_b<D>(d_o_part));
      LM_UNROLL
      for (int n = 0; n < kN; ++n) {
        LM_UNROLL
        for (int i = 0; i < 4; ++i)
          dp[0][n][i] *= p[0][n][i];
      }
      if (unseen != 0) {  // not a product with zero: such a key may hold NaN
        LM_UNROLL
        for (int n = 0; n < kN; ++n) {
          LM_UNROLL
          for (int i = 0; i < 4; ++i)
            dp[0][n][i] = (unseen >> (4 * n + i) & 1) != 0 ? 0.0f : dp[0][n][i];
        }
      }
      pack_rows<1, kN>(weights, dp);
      add_product<D, 1, kN / 2>(dk, weights, as_a<D>(q_part));
    }
    head = next_head;
    query = next;
    cu::cp_async_wait<0>();
    cu::sync();  // the next tile has come, and this one is done with
  }

  scale_by(dk, a.scale);
  const int kv_column = static_cast<int>(cu::block() % a.kv_heads) * head_dim;
  store_rows<D, 1>(dk, k_at + own, b.dk + kv_column, b.lddkv, warp_key, a.keys, head_dim);
  store_rows<D, 1>(dv, v_at + own, b.dv + kv_column, b.lddkv, warp_key, a.keys, head_dim);
}

template <int D, bool Cap>
LM_GLOBAL void LM_BOUNDS(kThreads, D == 64 ? 3 : 2)
    mma_dq(AttentionMma a, AttentionMmaBackward b, Plan plan, Rows rows) {
  constexpr u32 kBytes = tile_bytes<D>(kTile);
  constexpr int kN = kStep / 8;
  const int block = static_cast<int>(cu::block());
  const int heads = static_cast<int>(a.heads);
  const int head_dim = static_cast<int>(a.head_dim);
  const int tile = plan.query_order[block / heads];
  const int head = block % heads;
  const int kv = head / (heads / static_cast<int>(a.kv_heads)) * head_dim;
  const int block_row = tile * kTile;
  const int first_row = block_row + 16 * cu::warp();  // of this warp
  const Seen block_seen = plan.seen[tile];
  const KeyTiles<kTile> tiles(block_seen);
  const Readable in_rows{0, static_cast<i32>(a.rows), 0, 0};

  const u32 q_at = cu::dynamic_shared();
  const u32 d_o_at = q_at + kBytes;
  const u32 k_at = d_o_at + kBytes;  // two stages, as the values
  const u32 v_at = k_at + 2 * kBytes;
  const View view{v_at + 2 * kBytes + static_cast<u32>(View::kBytes * cu::warp())};
  const auto copy_keys = [&](int first, int at_stage, const Readable& readable) {
    const u32 stage = static_cast<u32>(at_stage) * kBytes;
    copy_tile<D, kTile, kThreads>(k_at + stage, a.k + kv, a.ldkv, first, readable, head_dim);
    copy_tile<D, kTile, kThreads>(v_at + stage, a.v + kv, a.ldkv, first, readable, head_dim);
  };
  copy_tile<D, kTile, kThreads>(q_at, a.q + head * head_dim, a.ldq, block_row, in_rows, head_dim);
  copy_tile<D, kTile, kThreads>(d_o_at, b.d_o + head * head_dim, b.lddo, block_row, in_rows,
                                head_dim);
  if (tiles.count > 0) copy_keys(tiles.first * kTile, 0, seen_keys(block_seen));
  cu::cp_async_commit();
  view.put(warp_seen<16>(plan.rows, first_row, a.rows), block_seen);

  const f32 unit2 = (Cap ? a.softcap : a.scale) * kLog2e;
  const f32 scale_over_cap = Cap ? a.scale / a.softcap : 0.0f;
  const int g = cu::lane() / 4;
  const int t = cu::lane() % 4;
  const u32 own = static_cast<u32>(cu::warp() * tile_bytes<D>(16));
  const i64 at = head * plan.padded_rows + first_row + g;
  const f32 lse2[2] = {rows.lse2[at], rows.lse2[at + 8]};
  const f32 rest[2] = {rows.rest[at], rows.rest[at + 8]};
  QueryOperand<D> query, d_o;
  f32 dq[1][D / 8][4];
  clear(dq);
  cu::cp_async_wait<0>();
  cu::sync();
  query.load(as_a<D>(q_at + own));
  d_o.load(as_a<D>(d_o_at + own));

  for (int i = 0; i < tiles.count; ++i) {
    if (i > 0) {
      cu::cp_async_wait<0>();
      cu::sync();  // tile i has come, and tile i - 1 is done with
    }
    if (i + 1 < tiles.count) copy_keys(tiles.first_key(i + 1), (i + 1) & 1, view.readable());
    cu::cp_async_commit();
    LM_NO_UNROLL
    for (int step = 0; step < kTile; step += kStep) {
      const int first = tiles.first_key(i) + step;
      if (!view.any(first, first + kStep)) continue;
      const u32 part = static_cast<u32>(i & 1) * kBytes + static_cast<u32>(tile_bytes<D>(step));

      f32 s[1][kN][4];
      clear(s);
      add_transposed<D, 1, kN>(s, query, as_b<D>(k_at + part));
      f32 dp[1][kN][4];  // less D
      LM_UNROLL
      for (int n = 0; n < kN; ++n) {
        dp[0][n][0] = dp[0][n][1] = -rest[0];
        dp[0][n][2] = dp[0][n][3] = -rest[1];
      }
      add_transposed<D, 1, kN>(dp, d_o, as_b<D>(v_at + part));
      LM_UNROLL
      for (int n = 0; n < kN; ++n) {
        LM_UNROLL
        for (int c = 0; c < 4; ++c) {
          const f32 x = Cap ? capped(s[0][n][c], scale_over_cap) : s[0][n][c];
          f32 ds = cu::exp2_approx(x * unit2 - lse2[c / 2]) * dp[0][n][c];
          if constexpr (Cap) ds *= 1.0f - x * x;
          s[0][n][c] = ds;
        }
      }
      if (!view.all(first, first + kStep)) {
        LM_UNROLL
        for (int half = 0; half < 2; ++half) {
          const RowKeys keys = plan.rows[first_row + 8 * half + g];
          LM_UNROLL
          for (int n = 0; n < kN; ++n) {
            LM_UNROLL
            for (int c = 0; c < 2; ++c) {
              if (!keys.sees(first + 8 * n + 2 * t + c)) s[0][n][2 * half + c] = 0;
            }
          }
        }
      }
      u32 weights[kN / 2][1][4];
      pack_rows<1, kN>(weights, s);
      add_product<D, 1, kN / 2>(dq, weights, as_a<D>(k_at + part));
    }
  }
  scale_by(dq, a.scale);
  store_rows<D, 1>(dq, q_at + own, b.dq + head * head_dim, b.lddq, first_row, a.rows, head_dim);
}

Plan lay_out(const AttentionMma& a, void* space, Rows* rows, i64* bytes) {
  const Plan plan = lay_plan(a, kTile, kTile, true, space, bytes);
  const i64 each = 4 * a.heads * plan.padded_rows;  // a multiple of 16
  rows->rest = static_cast<f32*>(place(space, *bytes));
  rows->lse2 = static_cast<f32*>(place(space, *bytes + each));
  *bytes += 2 * each;
  return plan;
}

template <int D, bool Cap>
void backward(const AttentionMma& a, const AttentionMmaBackward& b, const Plan& plan,
              const Rows& rows, Stream* stream) {
  constexpr i64 kRestRows = kRestThreads / (D / 8);
  cu::launch("mma_rests", mma_rests<D>, plan.padded_rows / kRestRows * a.heads, kRestThreads,
             stream, a, b, plan, rows);
  cu::launch_shared("mma_dkv", mma_dkv<D, Cap>, plan.key_tiles * a.kv_heads, kThreads,
                    dkv_shared<D>(), stream, a, b, plan, rows);
  cu::launch_shared("mma_dq", mma_dq<D, Cap>, plan.query_tiles * a.heads, kThreads, dq_shared<D>(),
                    stream, a, b, plan, rows);
}

}  // namespace

}  // namespace attn

i64 attention_mma_backward_space(const AttentionMma& a) {
  i64 bytes = 0;
  attn::Rows rows;
  attn::lay_out(a, nullptr, &rows, &bytes);
  return bytes;
}

void attention_mma_backward(const AttentionMma& a, const AttentionMmaBackward& b, void* space,
                            Fault* fault, Stream* stream) {
  i64 bytes = 0;
  attn::Rows rows;
  const attn::Plan plan = attn::lay_out(a, space, &rows, &bytes);
  attn::make_plan(a, attn::kTile, attn::kTile, true, plan, fault, stream);
  const bool wide = a.head_dim > 64;
  const auto run = a.softcap > 0 ? (wide ? attn::backward<128, true> : attn::backward<64, true>)
                                 : (wide ? attn::backward<128, false> : attn::backward<64, false>);
  run(a, b, plan, rows, stream);
}

}  // namespace lm::cuda
