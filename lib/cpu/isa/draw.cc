// What drawing a token needs of a row of weights (cpu/draw.h).

#include "cpu/isa/parts.h"
#include "cpu/isa/wide.h"

namespace lm::isa::LM_ISA {

namespace {

typedef f64 Dun __attribute__((vector_size(kWide * 8), aligned(8), may_alias));

LM_INLINE D wide_load(const f64* p) {
  return *reinterpret_cast<const Dun*>(p);
}

cpu::RowKind scan_row(i64 n, const f32* x, f32* tops) {
  const f32 inf = __builtin_inff();
  VI odd = {};     // NaN or +infinity
  VI banned = {};  // -infinity
  for (i64 begin = 0; begin < n; begin += cpu::kTopBlock) {
    const i64 end = n < begin + cpu::kTopBlock ? n : begin + cpu::kTopBlock;
    V top = splat(-inf);
    for (i64 i = begin; i < end; i += kLanes) {
      V v = splat(-inf);
      if (end - i >= kLanes) {
        v = load(x + i);
        banned |= v == splat(-inf);
      } else {
        for (i64 j = i; j < end; ++j) {
          v[j - i] = x[j];
          if (x[j] == -inf) banned = splat_int(-1);
        }
      }
      odd |= ~(v < splat(inf));
      top = v > top ? v : top;
    }
    tops[begin / cpu::kTopBlock] = lane_max(top);
  }
  bool any_odd = false;
  bool any_banned = false;
  for (int lane = 0; lane < kLanes; ++lane) {
    any_odd = any_odd || odd[lane] != 0;
    any_banned = any_banned || banned[lane] != 0;
  }
  if (any_odd) return cpu::RowKind::kOdd;
  return any_banned ? cpu::RowKind::kBanned : cpu::RowKind::kFinite;
}

f64 max_of(i64 n, const f64* x) {
  constexpr i64 kStep = 4 * kWide;
  const f64 none = -__builtin_inf();
  D top[4] = {wide_splat(none), wide_splat(none), wide_splat(none), wide_splat(none)};
  i64 i = 0;
  for (; i + kStep <= n; i += kStep) {
    for (int c = 0; c < 4; ++c)
      top[c] = wide_max(top[c], wide_load(x + i + c * kWide));
  }
  const D all = wide_max(wide_max(top[0], top[1]), wide_max(top[2], top[3]));
  f64 out = none;
  for (int lane = 0; lane < kWide; ++lane)
    out = all[lane] > out ? all[lane] : out;
  for (; i < n; ++i)
    out = x[i] > out ? x[i] : out;
  return out;
}

f64 exp_shifted(i64 n, const f64* x, f64 shift, f64* out) {
  constexpr i64 kStep = 4 * kWide;
  const D m = wide_splat(shift);
  D sum[4] = {};
  const auto add = [&](const f64* from, f64* to) {
    D e[4];
    for (int c = 0; c < 4; ++c)
      e[c] = wide_load(from + c * kWide) - m;
    wide_exp(e);
    for (int c = 0; c < 4; ++c) {
      sum[c] = sum[c] + e[c];
      *reinterpret_cast<Dun*>(to + c * kWide) = e[c];
    }
  };
  i64 i = 0;
  for (; i + kStep <= n; i += kStep)
    add(x + i, out + i);
  f64 total = 0;
  if (i < n) {
    f64 rest[kStep];
    f64 made[kStep];
    for (i64 j = 0; j < kStep; ++j)
      rest[j] = i + j < n ? x[i + j] : shift;
    const D kept[4] = {sum[0], sum[1], sum[2], sum[3]};
    add(rest, made);
    for (int c = 0; c < 4; ++c)
      sum[c] = kept[c];
    for (i64 j = 0; i + j < n; ++j) {
      out[i + j] = made[j];
      total += made[j];
    }
  }
  const D all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  for (int lane = 0; lane < kWide; ++lane)
    total += all[lane];
  return total;
}

/// The products of the low halves of each lane.
LM_INLINE DU low_products(DU a, u32 b) {
#if defined(__clang__)  // sees what it is
  return (a & 0xffffffffu) * (DU{} + b);
#elif defined(__AVX512F__)
  typedef int Words __attribute__((vector_size(64)));
  typedef long long Out __attribute__((vector_size(64)));
  return reinterpret_cast<DU>(__builtin_ia32_pmuludq512_mask(
      reinterpret_cast<Words>(a), reinterpret_cast<Words>(DU{} + b), Out{}, 0xff));
#elif defined(__AVX2__)
  typedef int Words __attribute__((vector_size(32)));
  return reinterpret_cast<DU>(
      __builtin_ia32_pmuludq256(reinterpret_cast<Words>(a), reinterpret_cast<Words>(DU{} + b)));
#else
  typedef int Words __attribute__((vector_size(16)));
  return reinterpret_cast<DU>(
      __builtin_ia32_pmuludq128(reinterpret_cast<Words>(a), reinterpret_cast<Words>(DU{} + b)));
#endif
}

/// Philox 4x32-10 (Salmon et al. 2011), a word in each lane's low half; the high halves are
/// whatever they become, no step reads them.
template <int N>
LM_INLINE void philox(DU (&c0)[N], DU (&c1)[N], DU (&c2)[N], DU (&c3)[N], u32 k0, u32 k1) {
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < N; ++i) {
      const DU p0 = low_products(c0[i], 0xD2511F53u);
      const DU p1 = low_products(c2[i], 0xCD9E8D57u);
      c0[i] = (p1 >> 32) ^ c1[i] ^ (DU{} + k0);
      c2[i] = (p0 >> 32) ^ c3[i] ^ (DU{} + k1);
      c1[i] = p1;
      c3[i] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

i64 near_one(const cpu::DrawBlock& b, u32 first, i64 counters, u32 limit, u32* out) {
  constexpr int kAtOnce = 4;
  constexpr i64 kStep = kAtOnce * kWide;
  i64 found = 0;
  DU lane = {};
  for (int i = 0; i < kWide; ++i)
    lane[i] = static_cast<u64>(i);
  for (i64 at = 0; at < counters; at += kStep) {
    DU c0[kAtOnce], c1[kAtOnce], c2[kAtOnce], c3[kAtOnce];
    for (int i = 0; i < kAtOnce; ++i) {
      c0[i] = lane + (static_cast<u64>(first) + static_cast<u64>(at + i * kWide));
      c1[i] = DU{} + b.word1;
      c2[i] = DU{} + b.word2;
      c3[i] = DU{} + b.word3;
    }
    philox(c0, c1, c2, c3, b.key0, b.key1);
    DU any = {};
    for (int i = 0; i < kAtOnce; ++i) {
      // Words 0 and 2 belong to an even and an odd token: their distance from one in 2^-27.
      c0[i] = (~c0[i] & 0xffffffffu) >> 5;
      c2[i] = (~c2[i] & 0xffffffffu) >> 5;
      any |= reinterpret_cast<DU>(c0[i] < limit) | reinterpret_cast<DU>(c2[i] < limit);
    }
    u64 some = 0;
    for (int i = 0; i < kWide; ++i)
      some |= any[i];
    if (some == 0) continue;
    for (i64 i = 0; i < kStep && at + i < counters; ++i) {
      const u32 token = 2 * static_cast<u32>(at + i);
      if (c0[i / kWide][i % kWide] < limit) out[found++] = token;
      if (c2[i / kWide][i % kWide] < limit) out[found++] = token + 1;
    }
  }
  return found;
}

}  // namespace

void install_draw(Kernels& table) {
  table.scan_row = scan_row;
  table.max_of = max_of;
  table.exp_shifted = exp_shifted;
  table.near_one = near_one;
}

}  // namespace lm::isa::LM_ISA
