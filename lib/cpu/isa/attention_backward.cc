// Attention backward with one owner per output: a block of kGradKeys key slots owns dK and dV and
// walks the query rows that see it, in row order; a block of query rows owns dQ and walks the key
// blocks in slot order. P is recomputed from the saved log-sum-exp.

#include "cpu/isa/math.h"
#include "cpu/isa/parts.h"
#include "cpu/isa/tile.h"

namespace lm::isa::LM_ISA {

namespace {

constexpr TileSet<f32> kTiles = make_tiles<f32>();
constexpr i64 kKeys = kGradKeys;

LM_INLINE i64 lesser(i64 a, i64 b) {
  return a < b ? a : b;
}
LM_INLINE i64 round_up(i64 n, i64 unit) {
  return (n + unit - 1) / unit * unit;
}

LM_INLINE i64 greater(i64 a, i64 b) {
  return a > b ? a : b;
}

// Slots of a key block as bits: [x0, x1) of it.
static_assert(kKeys == 64);
LM_INLINE u64 slots_of(i64 x0, i64 x1) {
  x0 = greater(x0, 0);
  x1 = lesser(x1, kKeys);
  if (x0 >= x1) return 0;
  return ~u64{0} >> (kKeys - (x1 - x0)) << x0;
}

// Those that a head sees where the slot at bit 0 has logical index `first` and its own window
// begins at `own`; what lies behind the row is its span's to hide.
u64 pattern_slots(const SparseRule& s, i64 head, i64 own, i64 first) {
  if (own <= first) return ~u64{0};
  u64 out = slots_of(own - first, kKeys);
  for (i64 w = greater(first, 0) / s.window * s.window; w < lesser(own, first + kKeys);
       w += s.window) {
    const i64 at = w + s.begin[head] - first;
    out |= slots_of(at, at + s.size);
  }
  return out;
}

// Those that a row sees.
LM_INLINE u64 seen_slots(const AttentionGradTask& t, i64 row, i64 head, i64 begin) {
  const RowSpan& s = t.args->spans[row];
  u64 a = slots_of(s.a0 - begin, s.a1 - begin), b = slots_of(s.b0 - begin, s.b1 - begin);
  if (t.sparse.window == 0) return a | b;
  const i64 own = t.sparse.own[row];
  if (a != 0) a &= pattern_slots(t.sparse, head, own, begin + s.la - s.a0);
  if (b != 0) b &= pattern_slots(t.sparse, head, own, begin + s.lb - s.b0);
  return a | b;
}

// By some head of the group; every slot of a block that a row meets at all without a mask.
u64 met_slots(const AttentionGradTask& t, i64 row, i64 group, i64 begin) {
  u64 out = seen_slots(t, row, t.kv_head * group, begin);
  if (t.sparse.window == 0) return out != 0 ? ~u64{0} : 0;
  for (i64 g = 1; g < group; ++g)
    out |= seen_slots(t, row, t.kv_head * group + g, begin);
  return out;
}

// The panels that hold these slots.
struct Panels {
  i64 begin = 0, count = 0;
  i64 first() const { return begin * kNr; }
  i64 keys() const { return count * kNr; }
};
LM_INLINE Panels panels_of(u64 slots) {
  const i64 begin = __builtin_ctzll(slots) / kNr;
  return {begin, (63 - __builtin_clzll(slots)) / kNr + 1 - begin};
}

bool meets(const RowSpan& s, i64 begin, i64 end) {
  return (s.a0 < s.a1 && s.a0 < end && s.a1 > begin) || (s.b0 < s.b1 && s.b0 < end && s.b1 > begin);
}

// Key block in the two shapes the products need.
struct KeyBlock {
  f32 *kt, *vt;  // kKeys/kNr panels [d][kNr]
  f32* k;        // [kKeys][dp], for dQ
};

void pack_keys(const KeyBlock& out, const f32* k, const f32* v, i64 ld, i64 count, i64 d, i64 dp) {
  for (i64 x = 0; x < kKeys; ++x) {
    f32* kt = out.kt + x / kNr * d * kNr + x % kNr;
    f32* vt = out.vt + x / kNr * d * kNr + x % kNr;
    for (i64 j = 0; j < d; ++j) {
      kt[j * kNr] = x < count ? k[x * ld + j] : 0.0f;
      vt[j * kNr] = x < count ? v[x * ld + j] : 0.0f;
    }
    for (i64 j = 0; out.k != nullptr && j < dp; ++j) {
      out.k[x * dp + j] = x < count && j < d ? k[x * ld + j] : 0.0f;
    }
  }
}

void copy_padded(const f32* from, i64 d, f32* to, i64 dp) {
  for (i64 j = 0; j < dp; ++j)
    to[j] = j < d ? from[j] : 0.0f;
}

// p [kKeys] holds q.k, ds [kKeys] holds dO.v of one row-head; in the panels' slots they become P
// and dS, exactly zero where the row does not see one.
void probability_row(f32* p, f32* ds, u64 slots, const Panels& panels, f32 lse, f32 delta,
                     f32 scale, f32 cap) {
  const V vs = splat(scale), vl = splat(lse), vd = splat(delta), vc = splat(cap);
  const VI lanes = splat_int(1) << iota();
  for (i64 x = panels.first(); x < panels.first() + panels.keys(); x += kLanes) {
    V score = load(p + x) * vs;
    V slope = vs;
    if (cap > 0.0f) {
      const V t = tanh(score / vc);
      score = vc * t;
      slope = vs * fma(-t, t, splat(1.0f));
    }
    const VI seen = (splat_int(static_cast<i32>(slots >> x & 0xffff)) & lanes) != 0;
    const V prob = seen ? exp(score - vl) : V{};
    const V grad = seen ? prob * (load(ds + x) - vd) * slope : V{};
    store(p + x, prob);
    store(ds + x, grad);
  }
}

struct Work {
  i64 d, dp;
  KeyBlock keys;
  f32 *dk, *dv;  // [kKeys][dp]
  f32 *q, *g;    // [rows][dp] query rows and their dO
  f32 *p, *ds;   // [rows][kKeys]
  f32* dq;       // [rows][dp]
};

i64 grad_scratch(i64 row_heads, i64 head_dim) {
  const i64 dp = round_up(head_dim, kNr);
  const i64 rows = row_heads > kGradRows ? row_heads : kGradRows;
  return 2 * kKeys * head_dim + 3 * kKeys * dp + rows * (3 * dp + 2 * kKeys) + 64;
}

Work lay_out(f32* at, i64 rows, i64 d) {
  const i64 dp = round_up(d, kNr);
  const auto take = [&at](i64 n) {
    f32* p = at;
    at += n;
    return p;
  };
  Work w{};
  w.d = d;
  w.dp = dp;
  w.keys.kt = take(kKeys * d);
  w.keys.vt = take(kKeys * d);
  w.keys.k = take(kKeys * dp);
  w.dk = take(kKeys * dp);
  w.dv = take(kKeys * dp);
  w.q = take(rows * dp);
  w.g = take(rows * dp);
  w.dq = take(rows * dp);
  w.p = take(rows * kKeys);
  w.ds = take(rows * kKeys);
  return w;
}

// c [rows][width panels] (+)= a [rows][k] times packed b, register tile by register tile.
void product(i64 rows, i64 panels, i64 k, const f32* a, i64 ars, i64 acs, const f32* b, i64 bks,
             i64 bps, f32* c, i64 ldc, bool resume) {
  for (i64 r = 0; r < rows; r += kMr) {
    run_panels(kTiles, lesser(kMr, rows - r), panels, k, a + r * ars, ars, acs, b, bks, bps,
               c + r * ldc, ldc, resume);
  }
}

// Products of `rows` gathered row-heads with the packed keys of these panels.
void scores(const Work& w, i64 rows, const Panels& panels) {
  const i64 at = panels.begin * w.d * kNr;
  product(rows, panels.count, w.d, w.q, w.dp, 1, w.keys.kt + at, kNr, w.d * kNr,
          w.p + panels.first(), kKeys, false);
  product(rows, panels.count, w.d, w.g, w.dp, 1, w.keys.vt + at, kNr, w.d * kNr,
          w.ds + panels.first(), kKeys, false);
}

// Rows gathered for a key block; together they meet the keys of `panels`.
struct Batch {
  i64 rows[kGradRows];
  i64 count = 0;
  u64 slots = 0;
};

// One query head of a batch: adds to dK and dV.
void add_batch(const AttentionGradTask& t, const Work& w, const Batch& batch, i64 head) {
  const cpu::AttentionBackward& a = *t.args;
  const cpu::AttentionShape& s = *t.shape;
  const Panels panels = panels_of(batch.slots);
  for (i64 r = 0; r < batch.count; ++r) {
    const i64 row = batch.rows[r];
    copy_padded(a.q + row * a.ldq + head * w.d, w.d, w.q + r * w.dp, w.dp);
    copy_padded(a.d_o + row * a.lddo + head * w.d, w.d, w.g + r * w.dp, w.dp);
  }
  scores(w, batch.count, panels);
  for (i64 r = 0; r < batch.count; ++r) {
    const i64 row = batch.rows[r], at = row * s.q_heads + head;
    probability_row(w.p + r * kKeys, w.ds + r * kKeys, seen_slots(t, row, head, t.begin), panels,
                    a.lse[at], t.delta[at], s.scale, s.softcap);
  }
  const i64 from = panels.first(), keys = panels.keys();
  product(keys, w.dp / kNr, batch.count, w.p + from, 1, kKeys, w.g, w.dp, kNr, w.dv + from * w.dp,
          w.dp, true);
  product(keys, w.dp / kNr, batch.count, w.ds + from, 1, kKeys, w.q, w.dp, kNr, w.dk + from * w.dp,
          w.dp, true);
}

void grad_kv(const AttentionGradTask& t) {
  const cpu::AttentionBackward& a = *t.args;
  const cpu::AttentionShape& s = *t.shape;
  const i64 group = s.q_heads / s.kv_heads;
  const i64 d = s.head_dim, head_offset = t.kv_head * d, count = t.end - t.begin;
  Work w = lay_out(t.scratch, kGradRows, d);
  w.keys.k = nullptr;
  const i64 base = t.begin * a.ldkv + head_offset;
  pack_keys(w.keys, a.k + base, a.v + base, a.ldkv, count, d, w.dp);
  for (i64 i = 0; i < kKeys * w.dp; ++i)
    w.dk[i] = w.dv[i] = 0.0f;
  Batch batch;
  const auto flush = [&] {
    for (i64 g = 0; g < group && batch.count > 0; ++g)
      add_batch(t, w, batch, t.kv_head * group + g);
    batch.count = 0;
    batch.slots = 0;
  };
  for (i64 row = 0; row < s.rows; ++row) {
    if (row % kHullRows == 0 && !meets(t.hulls[row / kHullRows], t.begin, t.end)) {
      row += kHullRows - 1;
      continue;
    }
    const u64 slots = met_slots(t, row, group, t.begin);
    if (slots == 0) continue;
    // Rows of later windows meet few keys: they are not gathered with those that meet many.
    if (batch.count > 0 && panels_of(slots).count < panels_of(batch.slots).count) flush();
    batch.rows[batch.count++] = row;
    batch.slots |= slots;
    if (batch.count == kGradRows) flush();
  }
  flush();
  for (i64 x = 0; x < count; ++x) {
    for (i64 j = 0; j < d; ++j) {
      const i64 to = (t.begin + x) * a.lddkv + head_offset + j;
      a.dk[to] = w.dk[x * w.dp + j];
      a.dv[to] = w.dv[x * w.dp + j];
    }
  }
}

void grad_q(const AttentionGradTask& t) {
  const cpu::AttentionBackward& a = *t.args;
  const cpu::AttentionShape& s = *t.shape;
  const i64 group = s.q_heads / s.kv_heads;
  const i64 d = s.head_dim, row_heads = (t.end - t.begin) * group;
  const Work w = lay_out(t.scratch, row_heads > kGradRows ? row_heads : kGradRows, d);
  const auto head_of = [&](i64 rh) { return t.kv_head * group + rh % group; };
  for (i64 rh = 0; rh < row_heads; ++rh) {
    const i64 row = t.begin + rh / group;
    copy_padded(a.q + row * a.ldq + head_of(rh) * d, d, w.q + rh * w.dp, w.dp);
    copy_padded(a.d_o + row * a.lddo + head_of(rh) * d, d, w.g + rh * w.dp, w.dp);
  }
  for (i64 i = 0; i < row_heads * w.dp; ++i)
    w.dq[i] = 0.0f;
  for (i64 key = 0; key < a.slots; key += kKeys) {
    i64 first = t.end, last = t.begin;  // rows that meet the block: a range that contains them
    u64 met = 0;
    for (i64 row = t.begin; row < t.end; ++row) {
      const u64 slots = met_slots(t, row, group, key);
      if (slots == 0) continue;
      met |= slots;
      first = lesser(first, row);
      last = row + 1;
    }
    if (first >= last) continue;
    const i64 base = key * a.ldkv + t.kv_head * d;
    pack_keys(w.keys, a.k + base, a.v + base, a.ldkv, lesser(kKeys, a.slots - key), d, w.dp);
    Work part = w;
    const i64 skip = (first - t.begin) * group, rows = (last - first) * group;
    part.q += skip * w.dp;
    part.g += skip * w.dp;
    const Panels panels = panels_of(met);
    scores(part, rows, panels);
    for (i64 r = 0; r < rows; ++r) {
      const i64 row = first + r / group, head = head_of(r), at = row * s.q_heads + head;
      probability_row(w.p + r * kKeys, w.ds + r * kKeys, seen_slots(t, row, head, key), panels,
                      a.lse[at], t.delta[at], s.scale, s.softcap);
    }
    product(rows, w.dp / kNr, panels.keys(), w.ds + panels.first(), kKeys, 1,
            w.keys.k + panels.first() * w.dp, w.dp, kNr, w.dq + skip * w.dp, w.dp, true);
  }
  for (i64 rh = 0; rh < row_heads; ++rh) {
    f32* to = a.dq + (t.begin + rh / group) * a.lddq + head_of(rh) * d;
    for (i64 j = 0; j < d; ++j)
      to[j] = w.dq[rh * w.dp + j];
  }
}

}  // namespace

void install_attention_backward(Kernels& table) {
  table.attention_grad_scratch = grad_scratch;
  table.attention_grad_kv = grad_kv;
  table.attention_grad_q = grad_q;
}

}  // namespace lm::isa::LM_ISA
