// Paged attention. A block of four warps takes N query vectors (the heads of a group, of one row or
// of neighbouring rows of one sequence) through parts of 128 keys, 32 keys a warp. `lanes` lanes
// share a key, 16 bytes each: scores by dot products and a butterfly, softmax of a part by one warp
// per vector, values weighted into registers, lanes and warps summed in order. Nothing depends on
// N, so a row has the same bits alone and beside others. Products and sums are written as fmaf
// where a compiler could choose. With few rows every part has a block and its sums go to workspace
// ([rows, heads, parts] times {maximum, total}, then vectors); `merge` adds them as the loop over
// parts does.

#include <bit>

#include "block.h"
#include "element.h"
#include "paged.h"
#include "span.h"

namespace lm::cuda {

namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr int kPart = static_cast<int>(kPartKeys);
constexpr int kWarpKeys = kPart / kWarps;
constexpr i64 kSplitBelow = 512;  // blocks that fill a device: fewer are split
constexpr int kMergeParts = 32;

static_assert(kWarpKeys == 32 && kPart == kThreads, "a thread looks up one key of a part");

// How the rows fall to blocks.
struct Cut {
  i64 group = 1;      // query heads of a kv head
  i64 per = 1;        // of them in a block
  i64 subs = 1;       // blocks of a group
  i64 tile = 1;       // rows of a block
  i64 parts = 1;      // of which each has a block; 1: taken in turn
  int lanes = 8;      // that share a key
  bool wide = false;  // 16-byte accesses are possible
};

// Keys that a row sees: logical [a0, a1) at slots shifted by `a`, and [b0, b1).
struct Sight {
  i32 a0 = 0, a1 = 0, b0 = 0, b1 = 0;
  i32 a = 0, b = 0;
  LM_DEVICE bool in_a(i32 i) const { return i >= a0 && i < a1; }
  LM_DEVICE bool in_b(i32 i) const { return i >= b0 && i < b1; }
  LM_DEVICE bool sees(i32 i) const { return in_a(i) || in_b(i); }
  LM_DEVICE i32 begin() const {
    if (b0 >= b1) return a0;
    return a0 < a1 && a0 < b0 ? a0 : b0;
  }
  LM_DEVICE i32 end() const { return a1 > b1 ? a1 : b1; }
};

LM_DEVICE Sight sight_of(const Paged& p, i64 row) {
  Sight s;
  if (row >= p.rows) return s;
  const RowSpan k = read_span(p.spans + 6 * row, p.window);
  if (k.a1 > k.a0) {
    s.a0 = k.la;
    s.a1 = k.la + (k.a1 - k.a0);
    s.a = k.a0 - k.la;
  }
  if (k.b1 > k.b0) {
    s.b0 = k.lb;
    s.b1 = k.lb + (k.b1 - k.b0);
    s.b = k.b0 - k.lb;
  }
  return s;
}

LM_DEVICE f32 read(const void* p, PagedType type, i64 i) {
  if (type == PagedType::kF32) return static_cast<const f32*>(p)[i];
  return widen(static_cast<const Bf16*>(p)[i]);
}
LM_DEVICE void write(void* p, PagedType type, i64 i, f32 x) {
  if (type == PagedType::kF32) {
    static_cast<f32*>(p)[i] = x;
  } else {
    static_cast<Bf16*>(p)[i] = narrow<Bf16>(x);
  }
}

// Sixteen bytes of a key or value: four f32 or eight bf16.
using Words = Pack<u32>;

LM_DEVICE f32 component(const Words& x, int i, const f32*) {
  return std::bit_cast<f32>(x.v[i]);
}
LM_DEVICE f32 component(const Words& x, int i, const Bf16*) {
  const u32 two = x.v[i / 2];
  return std::bit_cast<f32>(i % 2 == 0 ? two << 16 : two & 0xffff0000U);
}
LM_DEVICE u32 bits_of(f32 x) {
  return std::bit_cast<u32>(x);
}
LM_DEVICE u32 bits_of(Bf16 x) {
  return x.bits;
}

// The 16 bytes from component `at` of a head's vector on; zeros beyond d.
template <typename C>
LM_DEVICE Words load_words(const C* vector, i64 at, i64 d, bool wide) {
  if (wide && at < d) return load_pack(reinterpret_cast<const u32*>(vector + at));
  Words x{};
  constexpr int kPerWord = 4 / static_cast<int>(sizeof(C));
  LM_UNROLL
  for (int i = 0; i < Pack<C>::kCount; ++i) {
    if (at + i < d) x.v[i / kPerWord] |= bits_of(vector[at + i]) << (i % kPerWord * 16);
  }
  return x;
}

// Merging: a part with maximum m and total l joins sums relative to `top`.
struct Join {
  f32 keep;    // factor of the sums so far
  f32 weight;  // factor of the part's
};
LM_DEVICE Join join(f32& top, f32& total, f32 m, f32 l) {
  const f32 next = m > top ? m : top;
  Join j;
  j.keep = m == -INFINITY ? 1.0f : top == -INFINITY ? 0.0f : expf(top - next);
  j.weight = m == -INFINITY ? 0.0f : expf(m - next);
  total = fmaf(total, j.keep, l * j.weight);
  top = next;
  return j;
}
LM_DEVICE f32 inverse(f32 total) {
  return total > 0 ? 1.0f / total : 0.0f;
}

// The pool's element that begins the slot's row.
LM_DEVICE i64 slot_offset(const Paged& p, i64 row, i32 slot) {
  const i32 tokens = static_cast<i32>(p.page_tokens);
  const i32 page = slot / tokens;
  const i64 place = i64{p.tables[row][page]} * tokens + (slot - page * tokens);
  return place * p.kv_heads * p.head_dim;
}

template <typename C>
LM_GLOBAL void store_rows(Paged p) {
  const i64 width = p.kv_heads * p.head_dim;
  for (i64 i = cu::index(); i < p.rows * width; i += cu::stride()) {
    const i64 row = i / width;
    const i64 e = i - row * width;
    const i32 slot = p.store[row];
    if (slot < 0) continue;
    const i64 to = slot_offset(p, row, slot) + e;
    const i64 from = row * p.ld_qkv + p.heads * p.head_dim + e;
    static_cast<C*>(p.k)[to] = narrow<C>(read(p.qkv, p.type, from));
    static_cast<C*>(p.v)[to] = narrow<C>(read(p.qkv, p.type, from + width));
  }
}

// C: type of the cache. N: query vectors of a block. W: packs of a vector that one lane holds.
template <typename C, int N, int W>
LM_GLOBAL void attend(Paged p, Cut cut, f32* tops, f32* sums) {
  constexpr int kCount = Pack<C>::kCount;
  constexpr int kHeld = W * kCount;
  constexpr int kDim = 32 * kHeld;              // most components
  constexpr int kBatch = (N == 8 ? 4 : 8) / W;  // keys in flight per lane
  constexpr int kOwn = N * kDim / kThreads > 0 ? N * kDim / kThreads : 1;
  constexpr int kTurns = (N + kWarps - 1) / kWarps;  // vectors whose softmax a warp does
  LM_SHARED(i64, where, kPart);
  LM_SHARED(f32, score, N * kPart);
  LM_SHARED(f32, part_sum, kWarps * N * kDim);
  LM_SHARED(f32, keep, N);
  LM_SHARED(f32, weight, N);

  const C* const keys = static_cast<const C*>(p.k);
  const C* const values = static_cast<const C*>(p.v);
  const i64 d = p.head_dim;
  const int lanes = cut.lanes;
  const int at_once = 32 / lanes;
  const int sub = cu::lane() / lanes;
  const int c = cu::lane() - sub * lanes;
  const int own_key = cu::warp() * kWarpKeys;
  const i64 tiles = (p.all_rows + cut.tile - 1) / cut.tile;
  const i64 items = tiles * p.kv_heads * cut.subs * cut.parts;

  for (i64 item = cu::block(); item < items; item += cu::grid_size()) {
    i64 rest = item / cut.parts;
    const i64 own_part = item - rest * cut.parts;
    const i64 tile = rest / (p.kv_heads * cut.subs);
    rest -= tile * p.kv_heads * cut.subs;
    const i64 kv = rest / cut.subs;
    const i64 first_head = (rest - kv * cut.subs) * cut.per;  // in the group
    const i64 left = cut.group - first_head;
    const int per = static_cast<int>(left < cut.per ? left : cut.per);
    const i64 tile_end = (tile + 1) * cut.tile < p.all_rows ? (tile + 1) * cut.tile : p.all_rows;

    int count = 0;
    for (i64 row0 = tile * cut.tile; row0 < tile_end; row0 += count) {
      // The run: rows of one sequence whose keys lie at equal places.
      Sight all = sight_of(p, row0);
      count = 1;
      while (row0 + count < tile_end && row0 + count < p.rows && all.b0 >= all.b1 &&
             all.a0 < all.a1) {
        const Sight s = sight_of(p, row0 + count);
        if (p.tables[row0 + count] != p.tables[row0] || s.b0 < s.b1 || s.a0 >= s.a1 || s.a != all.a)
          break;
        all.a0 = s.a0 < all.a0 ? s.a0 : all.a0;
        all.a1 = s.a1 > all.a1 ? s.a1 : all.a1;
        ++count;
      }
      const bool split = cut.parts > 1;
      if (split && (own_part * kPart >= all.end() || (own_part + 1) * kPart <= all.begin()))
        continue;
      const int vectors = count * per;
      const auto row_of = [&](int n) { return row0 + n / per; };
      const auto head_of = [&](int n) { return kv * cut.group + first_head + n % per; };

      f32 q[N][kHeld];
      LM_UNROLL
      for (int n = 0; n < N; ++n) {
        const i64 from = n < vectors ? row_of(n) * p.ld_qkv + head_of(n) * d : 0;
        LM_UNROLL
        for (int h = 0; h < kHeld; ++h) {
          const int e = (c + h / kCount * lanes) * kCount + h % kCount;
          q[n][h] = n < vectors && e < d ? read(p.qkv, p.type, from + e) : 0.0f;
        }
      }
      Sight sight[kTurns];
      f32 top[kTurns];
      f32 total[kTurns];
      LM_UNROLL
      for (int i = 0; i < kTurns; ++i) {
        const int n = cu::warp() + i * kWarps;
        sight[i] = n < vectors ? sight_of(p, row_of(n)) : Sight{};
        top[i] = -INFINITY;
        total[i] = 0;
      }
      f32 sum[kOwn];
      LM_UNROLL
      for (int i = 0; i < kOwn; ++i)
        sum[i] = 0;

      const int first_part = split ? static_cast<int>(own_part) : all.begin() / kPart;
      const int parts_end = (all.end() + kPart - 1) / kPart;
      const int last_part =
          split && own_part + 1 < parts_end ? static_cast<int>(own_part) + 1 : parts_end;
      for (int part = first_part; part < last_part; ++part) {
        {
          const i32 i = part * kPart + cu::thread();
          i64 offset = -1;
          if (all.in_a(i)) {
            offset = slot_offset(p, row0, i + all.a);
          } else if (all.in_b(i)) {
            const i32 at = i + all.b;
            offset = slot_offset(p, row0, p.key_list == nullptr ? at : p.key_list[at]);
          }
          where[cu::thread()] = offset < 0 ? offset : offset + kv * d;
        }
        cu::sync();

        // The first values are on their way while scores are made.
        Words value[kBatch][W];
        const auto load = [&](const C* pool, int j0, Words(&into)[kBatch][W]) {
          LM_UNROLL
          for (int u = 0; u < kBatch; ++u) {
            const int j = j0 + u * at_once + sub;
            const i64 offset = where[own_key + j];
            LM_UNROLL
            for (int w = 0; w < W; ++w) {
              into[u][w] = offset < 0
                               ? Words{}
                               : load_words(pool + offset, (c + w * lanes) * kCount, d, cut.wide);
            }
          }
        };
        for (int j0 = 0; j0 < kWarpKeys; j0 += kBatch * at_once) {
          Words key[kBatch][W];
          load(keys, j0, key);
          if (j0 == 0) load(values, 0, value);
          LM_UNROLL
          for (int u = 0; u < kBatch; ++u) {
            const int j = j0 + u * at_once + sub;
            LM_UNROLL
            for (int n = 0; n < N; ++n) {
              f32 s = 0;
              LM_UNROLL
              for (int h = 0; h < kHeld; ++h)
                s = fmaf(q[n][h], component(key[u][h / kCount], h % kCount, keys), s);
              if (lanes > 16) s += cu::shfl_xor(s, 16);
              if (lanes > 8) s += cu::shfl_xor(s, 8);
              s += cu::shfl_xor(s, 4);
              s += cu::shfl_xor(s, 2);
              s += cu::shfl_xor(s, 1);
              if (c == 0) score[n * kPart + own_key + j] = s;
            }
          }
        }
        cu::sync();

        LM_UNROLL
        for (int i = 0; i < kTurns; ++i) {
          const int n = cu::warp() + i * kWarps;
          if (n >= N) continue;  // a whole warp
          f32 s[kPart / 32];
          f32 m = -INFINITY;
          LM_UNROLL
          for (int k = 0; k < kPart / 32; ++k) {
            const int j = k * 32 + cu::lane();
            f32 x = static_cast<f32>(score[n * kPart + j]) * p.scale;
            if (p.softcap > 0) x = p.softcap * tanhf(x / p.softcap);
            s[k] = sight[i].sees(part * kPart + j) ? x : -INFINITY;
            m = s[k] > m ? s[k] : m;
          }
          m = cu::warp_max(m);
          f32 l = 0;
          LM_UNROLL
          for (int k = 0; k < kPart / 32; ++k) {
            const f32 x = m == -INFINITY ? 0.0f : expf(s[k] - m);
            score[n * kPart + k * 32 + cu::lane()] = x;
            l += x;
          }
          l = cu::warp_sum(l);
          const Join joined = join(top[i], total[i], m, l);
          if (cu::lane() == 0) {
            keep[n] = joined.keep;
            weight[n] = joined.weight;
            if (split && n < vectors) {
              const i64 at = (row_of(n) * p.heads + head_of(n)) * cut.parts + own_part;
              tops[2 * at] = m;
              tops[2 * at + 1] = l;
            }
          }
        }
        cu::sync();

        f32 mine[N][kHeld];
        LM_UNROLL
        for (int n = 0; n < N; ++n) {
          LM_UNROLL
          for (int h = 0; h < kHeld; ++h)
            mine[n][h] = 0;
        }
        for (int j0 = 0; j0 < kWarpKeys; j0 += kBatch * at_once) {
          if (j0 > 0) load(values, j0, value);
          LM_UNROLL
          for (int u = 0; u < kBatch; ++u) {
            const int j = j0 + u * at_once + sub;
            LM_UNROLL
            for (int n = 0; n < N; ++n) {
              const f32 x = score[n * kPart + own_key + j];
              if (x == 0) continue;  // what a row does not see may be no number
              LM_UNROLL
              for (int h = 0; h < kHeld; ++h)
                mine[n][h] = fmaf(x, component(value[u][h / kCount], h % kCount, keys), mine[n][h]);
            }
          }
        }
        LM_UNROLL
        for (int n = 0; n < N; ++n) {
          LM_UNROLL
          for (int h = 0; h < kHeld; ++h) {
            f32 x = mine[n][h];
            if (lanes <= 8) x += cu::shfl_xor(x, 8);
            if (lanes <= 16) x += cu::shfl_xor(x, 16);
            if (sub == 0)
              part_sum[(cu::warp() * N + n) * kDim + (c + h / kCount * lanes) * kCount +
                       h % kCount] = x;
          }
        }
        cu::sync();

        LM_UNROLL
        for (int i = 0; i < kOwn; ++i) {
          const int at = cu::thread() + i * kThreads;
          if (at >= N * d) continue;
          const int n = at / static_cast<int>(d);
          const int e = at - n * static_cast<int>(d);
          f32 x = part_sum[n * kDim + e];
          LM_UNROLL
          for (int w = 1; w < kWarps; ++w)
            x += static_cast<f32>(part_sum[(w * N + n) * kDim + e]);
          if (!split) {
            sum[i] = fmaf(sum[i], static_cast<f32>(keep[n]), x * static_cast<f32>(weight[n]));
          } else if (n < vectors) {
            sums[((row_of(n) * p.heads + head_of(n)) * cut.parts + own_part) * d + e] = x;
          }
        }
        // The next part writes `where` at once, and the rest behind further barriers.
      }
      if (!split) {
        cu::sync();
        LM_UNROLL
        for (int i = 0; i < kTurns; ++i) {
          const int n = cu::warp() + i * kWarps;
          if (n < N && cu::lane() == 0) keep[n] = inverse(total[i]);
        }
        cu::sync();
        LM_UNROLL
        for (int i = 0; i < kOwn; ++i) {
          const int at = cu::thread() + i * kThreads;
          const int n = at / static_cast<int>(d);
          if (n < vectors && at < N * d)
            write(p.o, p.type, row_of(n) * p.ld_o + head_of(n) * d + (at - n * static_cast<int>(d)),
                  sum[i] * static_cast<f32>(keep[n]));
        }
      }
      cu::sync();
    }
  }
}

// A block per row and head, a thread per component.
LM_GLOBAL void merge(Paged p, i64 parts, const f32* tops, const f32* sums) {
  LM_SHARED(f32, keep, kMergeParts);
  LM_SHARED(f32, weight, kMergeParts);
  LM_SHARED(f32, total, kMergeParts);
  const i64 d = p.head_dim;
  const int e = cu::thread();
  for (i64 item = cu::block(); item < p.all_rows * p.heads; item += cu::grid_size()) {
    const i64 row = item / p.heads;
    const i64 head = item - row * p.heads;
    const Sight sight = sight_of(p, row);
    const int skip = sight.begin() / kPart;  // parts before a window
    const int n = (sight.end() + kPart - 1) / kPart - skip;
    const i64 own = item * parts + skip;
    f32 sum = 0;
    f32 all = 0;
    f32 top = -INFINITY;  // of the parts before
    for (int first = 0; first < n; first += kMergeParts) {
      f32 x[kMergeParts];
      LM_UNROLL
      for (int i = 0; i < kMergeParts; ++i)
        x[i] = e < d && first + i < n ? sums[(own + first + i) * d + e] : 0.0f;
      if (cu::warp() == 0) {
        const bool real = first + cu::lane() < n;
        const i64 at = own + first + cu::lane();
        const f32 m = real ? tops[2 * at] : -INFINITY;
        const f32 l = real ? tops[2 * at + 1] : 0.0f;
        f32 upto = m > top ? m : top;  // the largest so far, by doubling steps
        LM_UNROLL
        for (int step = 1; step < 32; step *= 2) {
          const f32 other = cu::shfl(upto, cu::lane() >= step ? cu::lane() - step : cu::lane());
          upto = other > upto ? other : upto;
        }
        f32 before = cu::shfl(upto, cu::lane() > 0 ? cu::lane() - 1 : 0);
        if (cu::lane() == 0) before = top;
        f32 unused = 0;
        const Join j = join(before, unused, m, l);
        keep[cu::lane()] = j.keep;
        weight[cu::lane()] = j.weight;
        total[cu::lane()] = l * j.weight;
        top = cu::shfl(upto, 31);
      }
      cu::sync();
      LM_UNROLL
      for (int i = 0; i < kMergeParts; ++i) {
        if (first + i >= n) continue;
        sum = fmaf(sum, static_cast<f32>(keep[i]), x[i] * static_cast<f32>(weight[i]));
        all = fmaf(all, static_cast<f32>(keep[i]), static_cast<f32>(total[i]));
      }
      cu::sync();
    }
    if (e < d) write(p.o, p.type, row * p.ld_o + head * d + e, sum * inverse(all));
  }
}

bool wide_access(const Paged& p, i64 pack) {
  return p.head_dim % pack == 0 && cu::aligned16(p.k) && cu::aligned16(p.v);
}

// Whether every part has a block.
bool splits(i64 rows, i64 kv_heads, i64 subs, i64 parts) {
  return parts > 1 && rows * kv_heads * subs < kSplitBelow;
}

i64 vectors_of(i64 group) {
  return group == 1 ? 1 : group <= 4 ? 4 : 8;
}

Cut cut_of(const Paged& p, i64* vectors) {
  Cut cut;
  cut.group = p.heads / p.kv_heads;
  *vectors = vectors_of(cut.group);
  cut.per = cut.group < *vectors ? cut.group : *vectors;
  cut.subs = (cut.group + cut.per - 1) / cut.per;
  cut.parts = (p.max_keys + kPartKeys - 1) / kPartKeys;
  if (!splits(p.all_rows, p.kv_heads, cut.subs, cut.parts)) {
    cut.parts = 1;
    if (!p.lone_rows && p.all_rows > 1) {
      *vectors = 8;
      cut.tile = 8 / cut.per;
    }
  }
  const i64 pack = p.cache == PagedType::kF32 ? 4 : 8;
  const i64 packs = (p.head_dim + pack - 1) / pack;
  cut.lanes = packs <= 8 ? 8 : packs <= 16 ? 16 : 32;
  cut.wide = wide_access(p, pack);
  return cut;
}

template <typename C, int W>
void run_attend(const Paged& p, const Cut& cut, i64 vectors, f32* tops, f32* sums, Stream* stream) {
  const i64 tiles = (p.all_rows + cut.tile - 1) / cut.tile;
  const i64 blocks = cu::blocks_for(tiles * p.kv_heads * cut.subs * cut.parts, 1);
  void (*kernel)(Paged, Cut, f32*, f32*) = attend<C, 8, W>;
  if (vectors == 1) kernel = attend<C, 1, W>;
  if (vectors == 4) kernel = attend<C, 4, W>;
  cu::launch("paged_attention", kernel, blocks, kThreads, stream, p, cut, tops, sums);
}

}  // namespace

i64 paged_space(i64 rows, i64 heads, i64 kv_heads, i64 head_dim, i64 max_keys) {
  const i64 group = heads / kv_heads;
  const i64 vectors = vectors_of(group);
  const i64 parts = (max_keys + kPartKeys - 1) / kPartKeys;
  if (!splits(rows, kv_heads, (group + vectors - 1) / vectors, parts)) return 0;
  return rows * heads * parts * (head_dim + 2) * 4;
}

void paged_store(const Paged& p, Stream* stream) {
  const i64 items = p.rows * p.kv_heads * p.head_dim;
  cu::launch("paged_store", p.cache == PagedType::kF32 ? store_rows<f32> : store_rows<Bf16>,
             cu::blocks_for(items, 256), 256, stream, p);
}

void paged_attention(const Paged& p, void* space, Stream* stream) {
  if (p.all_rows == 0) return;
  i64 vectors = 1;
  const Cut cut = cut_of(p, &vectors);
  f32* sums = static_cast<f32*>(space);
  f32* tops = sums == nullptr ? nullptr : sums + p.all_rows * p.heads * cut.parts * p.head_dim;
  if (p.cache == PagedType::kBf16) {
    run_attend<Bf16, 1>(p, cut, vectors, tops, sums, stream);
  } else if (p.head_dim <= 128) {
    run_attend<f32, 1>(p, cut, vectors, tops, sums, stream);
  } else {
    run_attend<f32, 2>(p, cut, vectors, tops, sums, stream);
  }
  if (cut.parts == 1) return;
  const int threads = static_cast<int>((p.head_dim + 31) / 32 * 32);
  cu::launch("paged_merge", merge, cu::blocks_for(p.all_rows * p.heads, 1), threads, stream, p,
             cut.parts, static_cast<const f32*>(tops), static_cast<const f32*>(sums));
}

}  // namespace lm::cuda
