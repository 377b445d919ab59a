// Attention forward: one task is a block of query rows against one kv head. Row-heads (a query row
// with one head of the group) are the rows of the register tile; keys of one logical tile are
// packed transposed, values by columns, once per run of rows that see the same slots in the same
// places. Each row-head's scores, sums and products visit only its own keys, in logical order.

#include "cpu/isa/math.h"
#include "cpu/isa/parts.h"
#include "cpu/isa/reduce.h"
#include "cpu/isa/tile.h"
#include "cpu/isa/transpose.h"

namespace lm::isa::LM_ISA {

namespace {

constexpr TileSet<f32> kTiles = make_tiles<f32>();
constexpr i64 kTile = cpu::kAttentionTile;

LM_INLINE i64 lesser(i64 a, i64 b) {
  return a < b ? a : b;
}
LM_INLINE i64 greater(i64 a, i64 b) {
  return a > b ? a : b;
}
LM_INLINE i64 round_up(i64 n, i64 unit) {
  return (n + unit - 1) / unit * unit;
}

// A row's visible positions inside the current tile: [x0, x1) of interval a, [y0, y1) of b.
struct Local {
  i64 x0 = 0, x1 = 0, y0 = 0, y1 = 0;
};

Local local_of(const RowSpan& s, i64 first) {
  Local l;
  if (s.a1 > s.a0) {
    l.x0 = greater(s.la - first, 0);
    l.x1 = greater(l.x0, lesser(s.la + (s.a1 - s.a0) - first, kTile));
    if (l.x0 >= l.x1) l.x0 = l.x1 = 0;
  }
  if (s.b1 > s.b0) {
    l.y0 = greater(s.lb - first, 0);
    l.y1 = greater(l.y0, lesser(s.lb + (s.b1 - s.b0) - first, kTile));
    if (l.y0 >= l.y1) l.y0 = l.y1 = 0;
  }
  return l;
}

// A tile in units of 16 positions, a bit each: whole units are seen or hidden by a sparse mask.
constexpr i64 kUnit = 16;
constexpr i64 kUnits = kTile / kUnit;
constexpr u32 kAllUnits = (1U << kUnits) - 1;
static_assert(kUnit % kLanes == 0 && kUnit == kSparseUnit);

// Those that hold positions [x0, x1).
LM_INLINE u32 units_of(i64 x0, i64 x1) {
  if (x0 >= x1) return 0;
  return (2U << (x1 - 1) / kUnit) - (1U << x0 / kUnit);
}

// Those that a head sees in rows of later windows.
u32 summary_units(const SparseRule& s, i64 head, i64 first) {
  u32 out = 0;
  for (i64 u = 0; u < kUnits; ++u) {
    const i64 in = (first + u * kUnit) % s.window - s.begin[head];
    out |= (in >= 0 && in < s.size ? 1U : 0U) << u;
  }
  return out;
}

// Those that a row-head's pattern lets it see.
LM_INLINE u32 seen_units(const AttentionTask& t, i64 row, i64 in_group, i64 first) {
  if (t.sparse.window == 0) return kAllUnits;
  const i64 own = t.sparse.own[row] - first;
  if (own <= 0) return kAllUnits;
  return t.units[in_group] | (own < kTile ? kAllUnits - ((1U << own / kUnit) - 1) : 0U);
}

// Positions [x0, x1) of [lo, hi) in each run of units.
template <typename Fn>
LM_INLINE void each_run(u32 units, i64 lo, i64 hi, const Fn& fn) {
  while (units != 0) {
    const i64 u0 = __builtin_ctz(units);
    const i64 u1 = u0 + __builtin_ctz(~(units >> u0));
    units &= ~((1U << u1) - 1);
    const i64 x0 = greater(lo, u0 * kUnit), x1 = lesser(hi, u1 * kUnit);
    if (x0 < x1) fn(x0, x1);
  }
}

struct Buffers {
  i64 d, dp;
  f32 *q, *o, *m, *l;  // [R][d], [R][dp], [R], [R]
  f32 *kt, *v;         // kTile/kNr panels [d][kNr]; dp/kNr panels [kTile][kNr]
  f32 *s, *ot;         // [kMr][kTile], [kMr][dp]
  f32* wide;           // [kLanes][dp] rows converted from 16 bits
};

i64 attention_scratch(i64 rows, i64 group, i64 head_dim) {
  const i64 dp = round_up(head_dim, kNr);
  const i64 r = rows * group;
  return r * (head_dim + dp + 2) + kTile * (head_dim + dp) + kMr * (kTile + dp) + kLanes * dp + 64;
}

Buffers lay_out(f32* p, i64 row_heads, i64 d) {
  Buffers b{};
  b.d = d;
  b.dp = round_up(d, kNr);
  const auto take = [&p](i64 n) {
    f32* at = p;
    p += n;
    return at;
  };
  b.kt = take(kTile * d);
  b.v = take(kTile * b.dp);
  b.s = take(kMr * kTile);
  b.ot = take(kMr * b.dp);
  b.wide = take(kLanes * b.dp);
  b.o = take(row_heads * b.dp);
  b.q = take(row_heads * d);
  b.m = take(row_heads);
  b.l = take(row_heads);
  return b;
}

// Rows that can share one packed tile.
struct Run {
  bool has_a = false, has_b = false;
  i64 da = 0, db = 0;  // slot (or list index) = position + da
  i64 a0 = 0, a1 = 0, b0 = 0, b1 = 0;
  const i32* table = nullptr;

  // Takes the row in if its keys lie where those of the run lie.
  bool join(const RowSpan& s, const Local& l, i64 first, const i32* row_table, bool listed) {
    const bool a = l.x1 > l.x0, b = l.y1 > l.y0;
    if (!a && !b) return true;
    const i64 ra = s.a0 - s.la + first, rb = s.b0 - s.lb + first;
    if ((has_a || has_b) && row_table != table) return false;
    if (a && has_a && ra != da) return false;
    if (b && has_b && rb != db) return false;
    const i64 na0 = !a ? a0 : has_a ? lesser(a0, l.x0) : l.x0;
    const i64 na1 = !a ? a1 : has_a ? greater(a1, l.x1) : l.x1;
    const i64 nb0 = !b ? b0 : has_b ? lesser(b0, l.y0) : l.y0;
    const i64 nb1 = !b ? b1 : has_b ? greater(b1, l.y1) : l.y1;
    const bool both = (a || has_a) && (b || has_b);
    const bool same_map = !listed && (a ? ra : da) == (b ? rb : db);
    if (both && !same_map && na1 > nb0) return false;
    if (a) da = ra;
    if (b) db = rb;
    has_a = has_a || a;
    has_b = has_b || b;
    a0 = na0, a1 = na1, b0 = nb0, b1 = nb1;
    table = row_table;
    return true;
  }
};

struct Rows {
  const cpu::KeyValues& kv;
  i64 head;
  const i32* table;
  const i32* list;  // null, or slots by index

  i64 offset(i64 index) const {
    const i64 slot = list != nullptr ? list[index] : index;
    const i64 base = head * kv.head_stride;
    if (kv.page_size == 0) return base + slot * kv.row_stride;
    return base + table[slot / kv.page_size] * kv.page_stride + slot % kv.page_size * kv.row_stride;
  }
};

// The row at `offset` as f32: in place, or converted to `to`.
LM_INLINE const f32* row_f32(const void* base, cpu::KvType type, i64 offset, i64 d, f32* to) {
  if (type == cpu::KvType::kF32) return static_cast<const f32*>(base) + offset;
  const u16* h = static_cast<const u16*>(base) + offset;
  for (i64 i = 0; i < d; i += kLanes) {
    VH x;
    if (d - i >= kLanes) {
      x = load16(h + i);
    } else {
      u16 part[kLanes] = {};
      for (i64 j = 0; j < d - i; ++j)
        part[j] = h[i + j];
      x = load16(part);
    }
    store(to + i, type == cpu::KvType::kBf16 ? from_bf16(x) : from_f16(x));
  }
  return to;
}

// Positions [x0, x1) of the tile: keys transposed into kt, values into v.
void pack_positions(const Buffers& b, const Rows& rows, i64 delta, i64 x0, i64 x1) {
  const cpu::KeyValues& kv = rows.kv;
  for (i64 x = x0; x < x1;) {
    const bool square = x % kLanes == 0 && x + kLanes <= x1;
    const i64 count = square ? kLanes : 1;
    f32* kt = b.kt + x / kNr * b.d * kNr + x % kNr;
    const f32* k[kLanes];
    for (i64 i = 0; i < count; ++i) {
      k[i] = row_f32(kv.k, kv.type, rows.offset(x + i + delta), b.d, b.wide + i * b.dp);
    }
    i64 j = 0;
    for (; square && j + kLanes <= b.d; j += kLanes) {
      const f32* at[kLanes];
      for (int i = 0; i < kLanes; ++i)
        at[i] = k[i] + j;
      transpose_square(at, kt + j * kNr, kNr);
    }
    for (; j < b.d; ++j) {
      for (i64 i = 0; i < count; ++i)
        kt[j * kNr + i] = k[i][j];
    }
    for (i64 i = 0; i < count; ++i) {
      const f32* v = row_f32(kv.v, kv.type, rows.offset(x + i + delta), b.d, b.wide);
      for (i64 c = 0; c < b.dp; c += kLanes) {
        f32* to = b.v + c / kNr * kTile * kNr + (x + i) * kNr + c % kNr;
        store(to, c < b.d ? load_n(v + c, b.d - c) : V{});
      }
    }
    x += count;
  }
}

void pack_range(const Buffers& b, const Rows& rows, i64 delta, u32 units, i64 x0, i64 x1) {
  each_run(units, x0, x1, [&](i64 from, i64 to) { pack_positions(b, rows, delta, from, to); });
}

struct Soft {
  f32 scale, cap;
};

// Which lanes of the vector at position x are visible.
LM_INLINE VI visible(const Local& l, i64 x) {
  const VI at = iota() + splat_int(static_cast<i32>(x));
  const VI a = (at >= splat_int(static_cast<i32>(l.x0))) & (at < splat_int(static_cast<i32>(l.x1)));
  const VI b = (at >= splat_int(static_cast<i32>(l.y0))) & (at < splat_int(static_cast<i32>(l.y1)));
  return a | b;
}

LM_INLINE bool all_visible(const Local& l, i64 x) {
  return (x >= l.x0 && x + kLanes <= l.x1) || (x >= l.y0 && x + kLanes <= l.y1);
}

// Scores to probabilities relative to the tile's maximum; returns it and the sum. The sum runs lane
// by lane over positions, so it does not depend on which other keys were computed.
void soften(f32* s, const Local& l, u32 units, const Soft& soft, f32* top, f32* sum) {
  const i64 lo = l.x1 > l.x0 ? l.x0 : l.y0;
  const i64 hi = l.y1 > l.y0 ? l.y1 : l.x1;
  const V scale = splat(soft.scale), cap = splat(soft.cap);
  const V low = splat(-__builtin_inff());
  V best = low;
  for (i64 x = lo / kLanes * kLanes; x < hi; x += kLanes) {
    if ((units >> x / kUnit & 1) == 0) continue;
    V v = load(s + x) * scale;
    if (soft.cap > 0.0f) v = cap * tanh(v / cap);
    if (!all_visible(l, x)) v = visible(l, x) ? v : low;
    store(s + x, v);
    best = max(v, best);
  }
  const f32 m = lane_max(best);
  const V vm = splat(m);
  V total = {};
  for (i64 x = lo / kLanes * kLanes; x < hi; x += kLanes) {
    if ((units >> x / kUnit & 1) == 0) continue;
    V p = exp(load(s + x) - vm);
    if (!all_visible(l, x)) p = visible(l, x) ? p : V{};
    store(s + x, p);
    total = total + p;
  }
  *top = m;
  *sum = lane_sum(total);
}

// ot[r] += sum over j in [j0, j1) of p[r][j] v[j], rows [r0, r0 + count) of the group.
LM_INLINE void add_values(const Buffers& b, i64 r0, i64 count, i64 j0, i64 j1) {
  if (j0 >= j1) return;
  run_panels(kTiles, count, b.dp / kNr, j1 - j0, b.s + r0 * kTile + j0, kTile, 1, b.v + j0 * kNr,
             kNr, kTile * kNr, b.ot + r0 * b.dp, b.dp, true);
}

// One interval of all rows of a group: the part common to all in one call, the rest row by row.
void values_of_interval(const Buffers& b, i64 count, const i64* begin, const i64* end) {
  i64 j0 = begin[0], j1 = end[0];
  for (i64 r = 1; r < count; ++r) {
    j0 = greater(j0, begin[r]);
    j1 = lesser(j1, end[r]);
  }
  if (j0 >= j1) {
    for (i64 r = 0; r < count; ++r)
      add_values(b, r, 1, begin[r], end[r]);
    return;
  }
  for (i64 r = 0; r < count; ++r)
    add_values(b, r, 1, begin[r], j0);
  add_values(b, 0, count, j0, j1);
  for (i64 r = 0; r < count; ++r)
    add_values(b, r, 1, j1, end[r]);
}

// The same of the units that each row sees.
void values_of_units(const Buffers& b, i64 count, const i64* begin, const i64* end,
                     const u32* units) {
  u32 all = kAllUnits, edges = 0;  // where some row's units begin or end
  for (i64 r = 0; r < count; ++r) {
    all &= units[r];
    edges |= units[r] ^ units[r] << 1;
  }
  if (all == kAllUnits) {
    values_of_interval(b, count, begin, end);
    return;
  }
  i64 from[kMr], to[kMr];
  for (i64 u0 = 0; u0 < kUnits;) {
    const u32 later = (edges | 1U << kUnits) >> (u0 + 1);
    const i64 u1 = u0 + 1 + __builtin_ctz(later);
    for (i64 r = 0; r < count; ++r) {
      const bool seen = (units[r] >> u0 & 1) != 0;
      from[r] = seen ? greater(begin[r], u0 * kUnit) : 0;
      to[r] = seen ? lesser(end[r], u1 * kUnit) : 0;
    }
    values_of_interval(b, count, from, to);
    u0 = u1;
  }
}

// Folds a tile's (top, sum, ot) into the running state of a row-head.
void merge(const Buffers& b, i64 rh, f32 top, f32 sum, const f32* ot) {
  f32* o = b.o + rh * b.dp;
  if (b.l[rh] == 0.0f) {
    b.m[rh] = top;
    b.l[rh] = sum;
    for (i64 c = 0; c < b.dp; c += kLanes)
      store(o + c, load(ot + c));
    return;
  }
  const f32 m = top > b.m[rh] ? top : b.m[rh];
  const V keep = exp(splat(b.m[rh] - m)), take = exp(splat(top - m));
  b.m[rh] = m;
  b.l[rh] = fma(sum, take[0], b.l[rh] * keep[0]);
  for (i64 c = 0; c < b.dp; c += kLanes) {
    store(o + c, fma(load(ot + c), take, load(o + c) * keep));
  }
}

// Row-heads [rh, rh + count) whose keys are packed.
void do_group(const AttentionTask& t, const Buffers& b, i64 first, i64 group, i64 rh, i64 count) {
  Local local[kMr];
  i64 xb[kMr], xe[kMr], yb[kMr], ye[kMr];
  u32 units[kMr];
  bool seen[kMr];
  i64 lo = kTile, hi = 0;
  u32 any = 0;
  for (i64 r = 0; r < count; ++r) {
    const i64 row = t.row0 + (rh + r) / group;
    const Local l = local_of(t.spans[row], first);
    local[r] = l;
    xb[r] = l.x0, xe[r] = l.x1, yb[r] = l.y0, ye[r] = l.y1;
    if (l.x1 > l.x0) lo = lesser(lo, l.x0), hi = greater(hi, l.x1);
    if (l.y1 > l.y0) lo = lesser(lo, l.y0), hi = greater(hi, l.y1);
    units[r] = seen_units(t, row, (rh + r) % group, first);
    seen[r] = (units[r] & (units_of(l.x0, l.x1) | units_of(l.y0, l.y1))) != 0;
    if (seen[r]) any |= units[r];
  }
  each_run(any, lo, hi, [&](i64 x0, i64 x1) {
    const i64 p0 = x0 / kNr, p1 = (x1 + kNr - 1) / kNr;
    run_panels(kTiles, count, p1 - p0, b.d, b.q + rh * b.d, b.d, 1, b.kt + p0 * b.d * kNr, kNr,
               b.d * kNr, b.s + p0 * kNr, kTile, false);
  });
  if (any == 0) return;
  f32 top[kMr], sum[kMr];
  const Soft soft{t.shape->scale, t.shape->softcap};
  for (i64 r = 0; r < count; ++r) {
    for (i64 c = 0; c < b.dp; c += kLanes)
      store(b.ot + r * b.dp + c, V{});
    if (seen[r]) soften(b.s + r * kTile, local[r], units[r], soft, &top[r], &sum[r]);
  }
  values_of_units(b, count, xb, xe, units);
  values_of_units(b, count, yb, ye, units);
  for (i64 r = 0; r < count; ++r) {
    if (seen[r]) merge(b, rh + r, top[r], sum[r], b.ot + r * b.dp);
  }
}

void do_tile(const AttentionTask& t, const Buffers& b, i64 first, i64 group) {
  const bool listed = t.key_list != nullptr;
  for (i64 g = 0; t.sparse.window > 0 && g < group; ++g)
    t.units[g] = summary_units(t.sparse, t.kv_head * group + g, first);
  for (i64 row = t.row0; row < t.row1;) {
    Run run;
    u32 units = 0;
    i64 end = row;
    for (; end < t.row1; ++end) {
      const RowSpan& s = t.spans[end];
      const i32* table = t.kv->page_size != 0 ? t.kv->tables[end] : nullptr;
      if (!run.join(s, local_of(s, first), first, table, listed)) break;
      for (i64 g = 0; g < group && units != kAllUnits; ++g)
        units |= seen_units(t, end, g, first);
    }
    if (run.has_a) {
      pack_range(b, {*t.kv, t.kv_head, run.table, nullptr}, run.da, units, run.a0, run.a1);
    }
    if (run.has_b) {
      pack_range(b, {*t.kv, t.kv_head, run.table, t.key_list}, run.db, units, run.b0, run.b1);
    }
    const i64 last = (end - t.row0) * group;
    for (i64 rh = (row - t.row0) * group; rh < last && (run.has_a || run.has_b); rh += kMr) {
      do_group(t, b, first, group, rh, lesser(kMr, last - rh));
    }
    row = end;
  }
}

void write_out(const AttentionTask& t, const Buffers& b, i64 group) {
  const i64 heads = t.shape->q_heads;
  for (i64 rh = 0; rh < (t.row1 - t.row0) * group; ++rh) {
    const i64 row = t.row0 + rh / group, head = t.kv_head * group + rh % group;
    f32* o = t.o + row * t.ldo + head * b.d;
    const bool none = b.l[rh] == 0.0f;
    const V inv = splat(none ? 0.0f : 1.0f / b.l[rh]);
    for (i64 c = 0; c < b.d; c += kLanes) {
      const V v = none ? V{} : load(b.o + rh * b.dp + c) * inv;
      store_n(o + c, v, b.d - c);
    }
    if (t.lse != nullptr) {
      t.lse[row * heads + head] = none ? -__builtin_inff() : b.m[rh] + log(splat(b.l[rh]))[0];
    }
  }
}

void attention_forward(const AttentionTask& t) {
  const i64 group = t.shape->q_heads / t.shape->kv_heads;
  const i64 d = t.shape->head_dim;
  const Buffers b = lay_out(t.scratch, (t.row1 - t.row0) * group, d);
  i64 first = 0, last = 0;
  bool any = false;
  for (i64 row = t.row0; row < t.row1; ++row) {
    const RowSpan& s = t.spans[row];
    const auto cover = [&](i64 begin, i64 end) {
      if (end <= begin) return;
      first = any ? lesser(first, begin) : begin;
      last = any ? greater(last, end) : end;
      any = true;
    };
    cover(s.la, s.la + (s.a1 - s.a0));
    cover(s.lb, s.lb + (s.b1 - s.b0));
  }
  for (i64 rh = 0; rh < (t.row1 - t.row0) * group; ++rh) {
    const i64 row = t.row0 + rh / group, head = t.kv_head * group + rh % group;
    const f32* q = t.q + row * t.ldq + head * d;
    for (i64 c = 0; c < d; ++c)
      b.q[rh * d + c] = q[c];
    b.m[rh] = -__builtin_inff();
    b.l[rh] = 0.0f;
  }
  for (i64 tile_first = first / kTile * kTile; any && tile_first < last; tile_first += kTile) {
    do_tile(t, b, tile_first, group);
  }
  write_out(t, b, group);
}

}  // namespace

void install_attention(Kernels& table) {
  table.attention_scratch = attention_scratch;
  table.attention_forward = attention_forward;
}

}  // namespace lm::isa::LM_ISA
