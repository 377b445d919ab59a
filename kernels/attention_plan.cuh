#pragma once
// Who sees what, by tile: the plan that the attention kernels go by.

#include "attention_mma.h"
#include "dynamic_shared.h"

namespace lm::cuda::attn {

/// The keys of a row: an from a0, bn from b0.
struct alignas(16) RowKeys {
  i32 a0 = 0, an = 0, b0 = 0, bn = 0;
  LM_DEVICE bool sees(i32 key) const {
    return static_cast<u32>(key - a0) < static_cast<u32>(an) ||
           static_cast<u32>(key - b0) < static_cast<u32>(bn);
  }
};

/// Keys seen by a set of rows: all that any of them sees lie in [a_begin,a_end) or [b_begin,b_end),
/// which are 0, 0 when empty; those of [a_all,a_all_end) and [b_all,b_all_end) are seen by every
/// row.
struct alignas(16) Seen {
  i32 a_begin, a_end, b_begin, b_end;
  i32 a_all, a_all_end, b_all, b_all_end;
  LM_DEVICE bool any(i32 begin, i32 end) const {
    return (begin < a_end && end > a_begin) || (begin < b_end && end > b_begin);
  }
  LM_DEVICE bool all(i32 begin, i32 end) const {
    return (begin >= a_all && end <= a_all_end) || (begin >= b_all && end <= b_all_end);
  }
};

/// Query tiles [first, end) see a key tile, all of them if dense.
struct alignas(16) QueryTiles {
  i32 first = 0, end = 0, dense = 0, unused = 0;
};

/// Who sees what, in device memory. Query tile t holds rows [t tile_rows, ...). *_order: the tiles
/// in the order of work.
struct Plan {
  i64 query_tiles = 0, key_tiles = 0;
  i64 padded_rows = 0;
  RowKeys* rows = nullptr;  // [padded_rows], without keys past the last row
  Seen* seen = nullptr;     // [query_tiles]
  i32* query_order = nullptr;
  QueryTiles* queries = nullptr;  // [key_tiles], for the backward
  i32* key_order = nullptr;
  i32* costs = nullptr;  // [query_tiles + key_tiles]
};
/// Bytes behind `space`; null where that is.
inline void* place(void* space, i64 bytes) {
  return space == nullptr ? nullptr : static_cast<char*>(space) + bytes;
}
/// A plan's arrays from `space` on, null to measure; *bytes: their size, a multiple of 16.
Plan lay_plan(const AttentionMma& a, i64 tile_rows, i64 tile_keys, bool backward, void* space,
              i64* bytes);
void make_plan(const AttentionMma& a, i64 tile_rows, i64 tile_keys, bool backward, const Plan& plan,
               Fault* fault, Stream* stream);

LM_DEVICE i32 smaller(i32 a, i32 b) {
  return a < b ? a : b;
}
LM_DEVICE i32 larger(i32 a, i32 b) {
  return a > b ? a : b;
}
LM_DEVICE i32 warp_smallest(i32 v) {
  LM_UNROLL
  for (int mask = 16; mask > 0; mask >>= 1)
    v = smaller(v, cu::shfl_xor(v, mask));
  return v;
}
LM_DEVICE i32 warp_largest(i32 v) {
  LM_UNROLL
  for (int mask = 16; mask > 0; mask >>= 1)
    v = larger(v, cu::shfl_xor(v, mask));
  return v;
}

/// Seen of a warp's rows, which the lanes add one by one.
struct SeenSum {
  static constexpr i32 kFar = 0x7fffffff;
  Seen s{kFar, -1, kFar, -1, -1, kFar, -1, kFar};
  LM_DEVICE void add(const RowKeys& r) {
    if (r.an > 0) {
      s.a_begin = smaller(s.a_begin, r.a0);
      s.a_end = larger(s.a_end, r.a0 + r.an);
    }
    if (r.bn > 0) {
      s.b_begin = smaller(s.b_begin, r.b0);
      s.b_end = larger(s.b_end, r.b0 + r.bn);
    }
    s.a_all = larger(s.a_all, r.a0);
    s.a_all_end = smaller(s.a_all_end, r.a0 + r.an);
    s.b_all = larger(s.b_all, r.b0);
    s.b_all_end = smaller(s.b_all_end, r.b0 + r.bn);
  }
  /// The same in every lane.
  LM_DEVICE Seen warp_total() const {
    Seen t;
    t.a_begin = warp_smallest(s.a_begin);
    t.a_end = warp_largest(s.a_end);
    t.b_begin = warp_smallest(s.b_begin);
    t.b_end = warp_largest(s.b_end);
    t.a_all = warp_largest(s.a_all);
    t.a_all_end = warp_smallest(s.a_all_end);
    t.b_all = warp_largest(s.b_all);
    t.b_all_end = warp_smallest(s.b_all_end);
    if (t.a_end <= t.a_begin) t.a_begin = t.a_end = 0;
    if (t.b_end <= t.b_begin) t.b_begin = t.b_end = 0;
    return t;
  }
};
/// Of rows [first, first + Count), those below `rows`. The whole warp calls it.
template <int Count>
LM_DEVICE Seen warp_seen(const RowKeys* row_keys, i64 first, i64 rows) {
  SeenSum sum;
  const i64 row = first + cu::lane() % Count;
  if (row < rows) sum.add(row_keys[row]);
  return sum.warp_total();
}

/// The tiles of Keys keys that cover what is seen: first_key(0 .. count-1), none twice.
template <int Keys>
struct KeyTiles {
  i32 first = 0, count = 0, first_part = 0, gap = 0;
  LM_DEVICE explicit KeyTiles(const Seen& s) {
    const i32 a = s.a_begin / Keys, a_end = (s.a_end + Keys - 1) / Keys;
    const i32 b = s.b_begin / Keys, b_end = (s.b_end + Keys - 1) / Keys;
    if (b_end == 0) {
      first = a;
      count = first_part = a_end - a;
    } else if (a_end == 0) {
      first = b;
      count = first_part = b_end - b;
    } else if (b <= a_end && a <= b_end) {
      first = smaller(a, b);
      count = first_part = larger(a_end, b_end) - first;
    } else {
      first = a;
      first_part = a_end - a;
      count = first_part + b_end - b;
      gap = b - a_end;
    }
  }
  LM_DEVICE i32 first_key(i32 i) const { return (first + i + (i >= first_part ? gap : 0)) * Keys; }
};

/// Rows of a matrix that may be read: n from `begin`, and m from `other`.
struct Readable {
  i32 begin, n, other, m;
  LM_DEVICE bool operator()(i32 row) const {
    return static_cast<u32>(row - begin) < static_cast<u32>(n) ||
           static_cast<u32>(row - other) < static_cast<u32>(m);
  }
};
LM_DEVICE Readable seen_keys(const Seen& s) {
  return {s.a_begin, s.a_end - s.a_begin, s.b_begin, s.b_end - s.b_begin};
}

/// What a warp needs to know of its rows and its block while it goes through the key tiles, in its
/// own kBytes of shared memory: twelve registers less in the loops.
struct View {
  static constexpr int kBytes = 48;
  u32 at;
  LM_DEVICE void put(const Seen& s, const Seen& block) const {
    if (cu::lane() == 0) {
      const i32 v[12] = {s.a_begin,     s.a_end,     s.b_begin,     s.b_end,
                         s.a_all,       s.a_all_end, s.b_all,       s.b_all_end,
                         block.a_begin, block.a_end, block.b_begin, block.b_end};
      LM_UNROLL
      for (u32 i = 0; i < 12; ++i)
        cu::shared_store(at + 4 * i, static_cast<u32>(v[i]));
    }
    cu::sync_warp();
  }
  /// Whether any row of the warp sees a key of [begin, end), and whether all see all.
  LM_DEVICE bool any(i32 begin, i32 end) const {
    const Range r = load(at);
    return (begin < r.a_end && end > r.a) || (begin < r.b_end && end > r.b);
  }
  LM_DEVICE bool all(i32 begin, i32 end) const {
    const Range r = load(at + 16);
    return (begin >= r.a && end <= r.a_end) || (begin >= r.b && end <= r.b_end);
  }
  /// Of the block.
  LM_DEVICE Readable readable() const {
    const Range r = load(at + 32);
    return {r.a, r.a_end - r.a, r.b, r.b_end - r.b};
  }

 private:
  struct Range {
    i32 a, a_end, b, b_end;
  };
  static LM_DEVICE Range load(u32 from) {
    const cu::Words4 v = cu::shared_load16(from);
    return {static_cast<i32>(v.w[0]), static_cast<i32>(v.w[1]), static_cast<i32>(v.w[2]),
            static_cast<i32>(v.w[3])};
  }
};

}  // namespace lm::cuda::attn
