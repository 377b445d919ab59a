// Attention forward on tensor cores. A block owns a query tile and a head, each warp Tiles x 16 of
// its rows; keys and values come in tiles of Keys slots, two of them under way. Per key tile: S = Q
// K^T, online softmax in base 2 (one multiply-add and one ex2 per score), O += P V with P straight
// from the sums of S. Masks are applied only where a warp's rows differ in what they see.
// H200, test-gpu [figures], causal, products of visible pairs: 64 x 1024, 12 heads of 64: 217
// TFLOP/s; 4 x 4096, 16 heads of 128: 281, with 4 kv heads 313.

#include "attention_mma.cuh"

namespace lm::cuda {

namespace attn {

namespace {

// Shapes of the kernel. At 32 rows a warp each K and V fragment that is read feeds two products.
template <int D>
struct Shape {
  static constexpr int kTiles = 2;
  static constexpr int kWarps = 4;
  static constexpr int kThreads = 32 * kWarps;
  static constexpr int kRows = 16 * kTiles * kWarps;
  static constexpr int kKeys = 64;
  // Keys between two looks at the maximum. 64 of d = 128 would spill.
  static constexpr int kStep = D == 64 ? 64 : 32;
  static constexpr int kShared = tile_bytes<D>(kRows + 4 * kKeys) + View::kBytes * kWarps;
  // Q of d = 128 would take 64 of the registers that O needs.
  using Query = std::conditional_t<D == 64, HeldRows<D, kTiles>, SharedRows<D, kTiles>>;
};
static_assert(Shape<64>::kRows == Shape<128>::kRows && Shape<64>::kKeys == Shape<128>::kKeys);
constexpr i64 kRows = Shape<64>::kRows;
constexpr i64 kKeys = Shape<64>::kKeys;

template <int D, bool Cap>
LM_GLOBAL void LM_BOUNDS(Shape<D>::kThreads, 2)
    mma_forward(AttentionMma a, Plan plan, Bf16* o, i64 ldo, f32* lse) {
  using S = Shape<D>;
  constexpr int kTiles = S::kTiles;
  constexpr int kN = S::kStep / 8;
  const int block = static_cast<int>(cu::block());
  const int heads = static_cast<int>(a.heads);
  const int head_dim = static_cast<int>(a.head_dim);
  const int tile = plan.query_order[block / heads];
  const int head = block % heads;
  const int kv = head / (heads / static_cast<int>(a.kv_heads)) * head_dim;
  const int first_row = tile * S::kRows + cu::warp() * 16 * kTiles;  // of this warp
  const Seen block_seen = plan.seen[tile];
  const KeyTiles<S::kKeys> tiles(block_seen);

  const u32 q_at = cu::dynamic_shared();
  const u32 k_at = q_at + tile_bytes<D>(S::kRows);
  const u32 v_at = k_at + 2 * tile_bytes<D>(S::kKeys);
  const View view{v_at + static_cast<u32>(2 * tile_bytes<D>(S::kKeys) + View::kBytes * cu::warp())};
  const auto copy_keys = [&](int first, int at_stage, const Readable& readable) {
    const u32 stage = static_cast<u32>(at_stage * tile_bytes<D>(S::kKeys));
    copy_tile<D, S::kKeys, S::kThreads>(k_at + stage, a.k + kv, a.ldkv, first, readable, head_dim);
    copy_tile<D, S::kKeys, S::kThreads>(v_at + stage, a.v + kv, a.ldkv, first, readable, head_dim);
  };
  copy_tile<D, S::kRows, S::kThreads>(q_at, a.q + head * head_dim, a.ldq, tile * S::kRows,
                                      {0, static_cast<i32>(a.rows), 0, 0}, head_dim);
  if (tiles.count > 0) copy_keys(tiles.first * S::kKeys, 0, seen_keys(block_seen));
  cu::cp_async_commit();
  view.put(warp_seen<16 * kTiles>(plan.rows, first_row, a.rows), block_seen);

  // Scores are kept as products, or as tanh; `unit` makes them natural logarithms.
  const f32 unit = Cap ? a.softcap : a.scale;
  const f32 unit2 = unit * kLog2e;
  const f32 slack = 8.0f / unit2;
  const f32 scale_over_cap = Cap ? a.scale / a.softcap : 0.0f;
  const int g = cu::lane() / 4;
  const int t = cu::lane() % 4;
  const u32 q_rows = q_at + static_cast<u32>(cu::warp() * tile_bytes<D>(16 * kTiles));
  typename S::Query query;
  f32 out[kTiles][D / 8][4];
  f32 top[kTiles][2];
  f32 total[kTiles][2];
  clear(out);
  LM_UNROLL
  for (int m = 0; m < kTiles; ++m) {
    top[m][0] = top[m][1] = -INFINITY;
    total[m][0] = total[m][1] = 0;
  }
  cu::cp_async_wait<0>();
  cu::sync();
  query.load(as_a<D>(q_rows));

  for (int i = 0; i < tiles.count; ++i) {
    if (i > 0) {
      cu::cp_async_wait<0>();
      cu::sync();  // tile i has come, and tile i - 1 is done with
    }
    if (i + 1 < tiles.count) copy_keys(tiles.first_key(i + 1), (i + 1) & 1, view.readable());
    cu::cp_async_commit();
    LM_NO_UNROLL
    for (int step = 0; step < S::kKeys; step += S::kStep) {
      const int first = tiles.first_key(i) + step;
      if (!view.any(first, first + S::kStep)) continue;
      const u32 part = static_cast<u32>((i & 1) * tile_bytes<D>(S::kKeys) + tile_bytes<D>(step));

      f32 s[kTiles][kN][4];
      clear(s);
      add_transposed<D, kTiles, kN>(s, query, as_b<D>(k_at + part));
      if constexpr (Cap) {
        LM_UNROLL
        for (int m = 0; m < kTiles; ++m) {
          LM_UNROLL
          for (int n = 0; n < kN; ++n) {
            LM_UNROLL
            for (int c = 0; c < 4; ++c)
              s[m][n][c] = capped(s[m][n][c], scale_over_cap);
          }
        }
      }
      if (!view.all(first, first + S::kStep)) {
        LM_UNROLL
        for (int m = 0; m < kTiles; ++m) {
          LM_UNROLL
          for (int half = 0; half < 2; ++half) {
            const RowKeys keys = plan.rows[first_row + 16 * m + 8 * half + g];
            LM_UNROLL
            for (int n = 0; n < kN; ++n) {
              LM_UNROLL
              for (int c = 0; c < 2; ++c) {
                if (!keys.sees(first + 8 * n + 2 * t + c)) s[m][n][2 * half + c] = -INFINITY;
              }
            }
          }
        }
      }
      LM_UNROLL
      for (int m = 0; m < kTiles; ++m) {
        LM_UNROLL
        for (int half = 0; half < 2; ++half) {
          f32 high = top[m][half];
          LM_UNROLL
          for (int n = 0; n < kN; ++n)
            high = fmaxf(high, fmaxf(s[m][n][2 * half], s[m][n][2 * half + 1]));
          high = quad_max(high);
          // The old maximum serves until scores outgrow it by 2^8: weights then are up to 256, and
          // sums are rarely rescaled. A row that has seen no key keeps -inf; its weights are
          // 2^(-inf - 0).
          const f32 old = top[m][half];
          if (high > old + slack) top[m][half] = high;
          const f32 base = top[m][half] == -INFINITY ? 0.0f : top[m][half] * unit2;
          if (cu::any_lane(top[m][half] > old)) {
            const f32 keep = cu::exp2_approx(old * unit2 - base);
            total[m][half] *= keep;
            LM_UNROLL
            for (int n = 0; n < D / 8; ++n) {
              out[m][n][2 * half] *= keep;
              out[m][n][2 * half + 1] *= keep;
            }
          }
          f32 sum = 0;
          LM_UNROLL
          for (int n = 0; n < kN; ++n) {
            LM_UNROLL
            for (int c = 2 * half; c < 2 * half + 2; ++c) {
              s[m][n][c] = cu::exp2_approx(s[m][n][c] * unit2 - base);
              sum += s[m][n][c];
            }
          }
          total[m][half] += sum;
        }
      }
      u32 weights[kN / 2][kTiles][4];
      pack_rows<kTiles, kN>(weights, s);
      add_product<D, kTiles, kN / 2>(out, weights, as_a<D>(v_at + part));
    }
  }

  LM_UNROLL
  for (int m = 0; m < kTiles; ++m) {
    LM_UNROLL
    for (int half = 0; half < 2; ++half) {
      const f32 sum = quad_sum(total[m][half]);
      const f32 inverse = sum > 0 ? 1.0f / sum : sum == 0 ? 0.0f : sum;  // NaN stays
      LM_UNROLL
      for (int n = 0; n < D / 8; ++n) {
        out[m][n][2 * half] *= inverse;
        out[m][n][2 * half + 1] *= inverse;
      }
      const int row = first_row + 16 * m + 8 * half + g;
      if (lse != nullptr && t == 0 && row < a.rows) {
        lse[row * a.heads + head] = sum == 0 ? -INFINITY : top[m][half] * unit + logf(sum);
      }
    }
  }
  store_rows<D, kTiles>(out, q_rows, o + head * head_dim, ldo, first_row, a.rows, head_dim);
}

template <int D, bool Cap>
void forward(const AttentionMma& a, const Plan& plan, Bf16* o, i64 ldo, f32* lse, Stream* stream) {
  cu::launch_shared("mma_forward", mma_forward<D, Cap>, plan.query_tiles * a.heads,
                    Shape<D>::kThreads, Shape<D>::kShared, stream, a, plan, o, ldo, lse);
}

}  // namespace

}  // namespace attn

i64 attention_mma_forward_space(const AttentionMma& a) {
  i64 bytes = 0;
  attn::lay_plan(a, attn::kRows, attn::kKeys, false, nullptr, &bytes);
  return bytes;
}

void attention_mma_forward(const AttentionMma& a, Bf16* o, i64 ldo, f32* lse, Fault* fault,
                           void* space, Stream* stream) {
  i64 bytes = 0;
  const attn::Plan plan = attn::lay_plan(a, attn::kRows, attn::kKeys, false, space, &bytes);
  attn::make_plan(a, attn::kRows, attn::kKeys, false, plan, fault, stream);
  const bool wide = a.head_dim > 64;
  const auto run = a.softcap > 0 ? (wide ? attn::forward<128, true> : attn::forward<64, true>)
                                 : (wide ? attn::forward<128, false> : attn::forward<64, false>);
  run(a, plan, o, ldo, lse, stream);
}

}  // namespace lm::cuda
