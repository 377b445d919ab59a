// Embedding rows. Gather: eight elements a thread where rows are whole eights at 16-byte
// boundaries, one otherwise. Scatter: rows are sorted by id with a stable radix sort (eight bits a
// pass, least significant first; Satish, Harris & Garland 2009): every block counts the digits of
// its part of the list, then places its entries behind those of smaller digits, and of equal digits
// in earlier parts. Entries are (id << 32 | row), dropped ones have id = table_rows and end up
// last. A run of one id is cut every kRun entries; a block finds the pieces that begin among its
// kTile entries of the sorted list, and its warps sum them, 32 packs of columns at a time, entries
// in order. The sum of a run of one piece begins with the table's row and replaces it; pieces of
// longer runs go to partial rows, which a last kernel adds in order. Sums in f32. 2 launches for
// every 8 bits of table_rows, and 2 more.
// H200, test-gpu [figures], bf16 (a copy: 3.86 TB/s): gather 2.90 TB/s, gradient 2.38, of skewed
// ids 1.59, of positions 1.58.

#include "block.h"
#include "divide.h"
#include "embedding.h"
#include "held.h"
#include "report.h"

namespace lm::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kRun = 256;  // entries of a piece
constexpr int kTile = 64;  // entries a block looks for pieces in
constexpr int kDigits = 256;
constexpr i64 kSortBlocks = 256;
constexpr i64 kSortPart = 1024;  // parts of the list are multiples of this

LM_DEVICE f32 read_one(const void* table, TableType type, i64 i) {
  if (type == TableType::kF32) return static_cast<const f32*>(table)[i];
  if (type == TableType::kBf16) return widen(static_cast<const Bf16*>(table)[i]);
  return widen(static_cast<const F16*>(table)[i]);
}
LM_DEVICE Eight read_eight(const void* table, TableType type, i64 i) {
  if (type == TableType::kF32) return load_eight(static_cast<const f32*>(table) + i);
  if (type == TableType::kBf16) return load_eight(static_cast<const Bf16*>(table) + i);
  return load_eight(static_cast<const F16*>(table) + i);
}

// Whether id is a row; who: the fault to report otherwise.
LM_DEVICE bool valid_row(i32 id, i64 table_rows, i64 r, FaultKind who, Fault* fault) {
  if (id >= 0 && id < table_rows) return true;
  if (fault != nullptr) report(fault, who, r, id, table_rows);
  return false;
}

template <typename T>
LM_GLOBAL void gather_ones(Gather<T> g, Fault* fault, FaultKind kind) {
  for (i64 i = cu::index(); i < g.rows * g.cols; i += cu::stride()) {
    const i64 r = i / g.cols;
    const i64 c = i - r * g.cols;
    f32 v = 0;
    const i32 id = g.ids[r];
    if (valid_row(id, g.table_rows, r, kind, fault)) {
      v = g.scale * read_one(g.table, g.type, id * g.ldt + c);
    }
    if (g.plus != nullptr) {
      const i32 other = g.plus_ids[r];
      if (valid_row(other, g.plus_rows, r, g.plus_kind, fault)) {
        v += read_one(g.plus, g.plus_type, other * g.ld_plus + c);
      }
    }
    g.y[r * g.ldy + c] = narrow<T>(v);
  }
}

template <typename T>
LM_GLOBAL void gather_eights(Gather<T> g, GroupMap map, Fault* fault, FaultKind kind) {
  for (u32 i = static_cast<u32>(cu::index()); i < map.count; i += static_cast<u32>(cu::stride())) {
    const u32 r = map.row(i);
    const i64 c = i64{map.in_row(i, r)} * 8;
    Eight v{};
    const i32 id = g.ids[r];
    if (valid_row(id, g.table_rows, r, kind, fault)) {
      v = read_eight(g.table, g.type, id * g.ldt + c);
      LM_UNROLL
      for (int k = 0; k < 8; ++k)
        v.v[k] *= g.scale;
    }
    if (g.plus != nullptr) {
      const i32 other = g.plus_ids[r];
      if (valid_row(other, g.plus_rows, r, g.plus_kind, fault)) {
        const Eight more = read_eight(g.plus, g.plus_type, other * g.ld_plus + c);
        LM_UNROLL
        for (int k = 0; k < 8; ++k)
          v.v[k] += more.v[k];
      }
    }
    store_eight(g.y + i64{r} * g.ldy + c, v);
  }
}

// The list to sort: the ids themselves in the first pass, then entries.
struct SortList {
  i64 n = 0, table_rows = 0;
  const i32* ids = nullptr;
  const u64* entries = nullptr;  // null: ids
  i64 part = 0;                  // entries of a block, kWarps * 32 rounds
  int shift = 0;                 // of the digit in the id
};
LM_DEVICE u64 entry_at(const SortList& s, i64 i) {
  if (s.entries != nullptr) return s.entries[i];
  const i32 id = s.ids[i];
  const bool valid = id >= 0 && id < s.table_rows;
  return static_cast<u64>(valid ? id : s.table_rows) << 32 | static_cast<u64>(i);
}
LM_DEVICE int digit_of(const SortList& s, u64 entry) {
  return static_cast<int>(entry >> (32 + s.shift)) & (kDigits - 1);
}
// Lanes with this lane's digit, 0 for a lane that has none.
LM_DEVICE u32 same_digit(int digit, bool valid) {
  u32 mask = cu::ballot(valid);
  LM_UNROLL
  for (int bit = 0; bit < 8; ++bit) {
    const bool set = (digit >> bit & 1) != 0;
    const u32 lanes = cu::ballot(set);
    mask &= set ? lanes : ~lanes;
  }
  return valid ? mask : 0;
}

// counts[w * kDigits + d]: entries with digit d in the warp's share of the part. Barriers at both
// ends.
template <typename Counts>
LM_DEVICE void count_part(const SortList& s, Counts& counts) {
  for (int i = cu::thread(); i < kWarps * kDigits; i += kThreads)
    counts[i] = 0;
  cu::sync();
  const i64 share = s.part / kWarps;
  const i64 begin = cu::block() * s.part + cu::warp() * share;
  for (i64 at = begin; at < begin + share; at += 32) {
    const i64 i = at + cu::lane();
    const bool valid = i < s.n;
    const int digit = valid ? digit_of(s, entry_at(s, i)) : 0;
    const u32 mask = same_digit(digit, valid);
    const bool first = valid && (mask & ((u32{1} << cu::lane()) - 1)) == 0;
    if (first) counts[cu::warp() * kDigits + digit] += static_cast<u32>(cu::count_bits(mask));
    cu::sync_warp();
  }
  cu::sync();
}

// all [blocks, kDigits]: the digits of every part.
LM_GLOBAL void count_digits(SortList s, u32* all) {
  LM_SHARED(u32, counts, kWarps * kDigits);
  count_part(s, counts);
  u32 sum = 0;
  for (int w = 0; w < kWarps; ++w)
    sum += counts[w * kDigits + cu::thread()];
  all[cu::block() * kDigits + cu::thread()] = sum;
}

LM_GLOBAL void place_entries(SortList s, const u32* all, u64* to) {
  LM_SHARED(u32, counts, kWarps * kDigits);
  LM_SHARED(u32, scan, kDigits);
  constexpr int kAhead = 16;
  const int digit = cu::thread();
  // Entries of the digit in all parts and in earlier ones.
  u32 total = 0;
  u32 before = 0;
  for (i64 b = 0; b < cu::grid_size(); b += kAhead) {
    u32 v[kAhead];
    LM_UNROLL
    for (int u = 0; u < kAhead; ++u)
      v[u] = b + u < cu::grid_size() ? all[(b + u) * kDigits + digit] : 0;
    LM_UNROLL
    for (int u = 0; u < kAhead; ++u) {
      total += v[u];
      before += b + u < cu::block() ? v[u] : 0;
    }
  }
  scan[digit] = total;
  cu::sync();
  u32 sum = total;
  for (int step = 1; step < kDigits; step *= 2) {
    const u32 left = digit >= step ? static_cast<u32>(scan[digit - step]) : 0;
    cu::sync();
    sum += left;
    scan[digit] = sum;
    cu::sync();
  }
  count_part(s, counts);
  u32 base = sum - total + before;
  for (int w = 0; w < kWarps; ++w) {
    const u32 mine = counts[w * kDigits + digit];
    counts[w * kDigits + digit] = base;
    base += mine;
  }
  cu::sync();
  const i64 share = s.part / kWarps;
  const i64 begin = cu::block() * s.part + cu::warp() * share;
  for (i64 at = begin; at < begin + share; at += 32) {
    const i64 i = at + cu::lane();
    const bool valid = i < s.n;
    const u64 entry = valid ? entry_at(s, i) : 0;
    const int d = digit_of(s, entry);
    const u32 mask = same_digit(d, valid);
    const u32 below = mask & ((u32{1} << cu::lane()) - 1);
    u32 place = 0;
    if (valid) place = counts[cu::warp() * kDigits + d] + static_cast<u32>(cu::count_bits(below));
    cu::sync_warp();
    if (valid && below == 0) {
      counts[cu::warp() * kDigits + d] += static_cast<u32>(cu::count_bits(mask));
    }
    cu::sync_warp();
    if (valid) to[place] = entry;
  }
}

LM_DEVICE u64 id_of(u64 entry) {
  return entry >> 32;
}
// Whether a piece begins at entry i (of a valid id).
LM_DEVICE bool begins_piece(const u64* entries, i64 i) {
  const u64 id = id_of(entries[i]);
  if (i == 0 || id_of(entries[i - 1]) != id) return true;
  if (i < kRun || id_of(entries[i - kRun]) != id) return false;
  i64 low = 0;  // the run begins in (low - 1, high]
  i64 high = i - kRun;
  while (low < high) {
    const i64 middle = (low + high) / 2;
    if (id_of(entries[middle]) < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return (i - low) % kRun == 0;
}
// The partial row of a piece that begins at i: first pieces of long runs begin more than kRun
// apart, and so do others.
LM_DEVICE i64 slot_of(i64 i, bool first) {
  return 2 * (i / kRun) + (first ? 0 : 1);
}

struct Scatter {
  i64 rows = 0, cols = 0, table_rows = 0;
  const u64* entries = nullptr;
  f32 scale = 1;
  i64 ldx = 0, ldt = 0;
  f32* partial = nullptr;
};

// kWide consecutive elements as f32: 16-byte accesses unless kWide is 1.
template <int kWide, typename T>
LM_DEVICE void read_wide(const T* p, f32 (&v)[kWide]) {
  if constexpr (kWide == 1) {
    v[0] = widen(*p);
  } else {
    LM_UNROLL
    for (int part = 0; part < kWide; part += Pack<T>::kCount) {
      const Held<T> x = hold(p + part);
      LM_UNROLL
      for (int k = 0; k < Pack<T>::kCount; ++k)
        v[part + k] = x.at(k);
    }
  }
}
template <int kWide, typename T>
LM_DEVICE void write_wide(T* p, const f32 (&v)[kWide]) {
  if constexpr (kWide == 1) {
    *p = narrow<T>(v[0]);
  } else {
    LM_UNROLL
    for (int part = 0; part < kWide; part += Pack<T>::kCount) {
      f32 some[Pack<T>::kCount];
      LM_UNROLL
      for (int k = 0; k < Pack<T>::kCount; ++k)
        some[k] = v[part + k];
      put(p + part, hold_narrowed<T>(some));
    }
  }
}

// kWide elements on their way from memory.
template <typename T>
struct One {
  T value;
  LM_DEVICE f32 at(int) const { return widen(value); }
};
template <int kWide, typename T>
LM_DEVICE auto fetch(const T* p) {
  if constexpr (kWide == 1) {
    return One<T>{*p};
  } else {
    return hold(p);
  }
}

// Columns [c, c + kWide) of the piece that begins at `first`, by a whole warp; c may lie outside.
template <int kWide, typename T, typename O>
LM_DEVICE void sum_piece(const Scatter& s, i64 first, i64 c, const T* x, O* table) {
  constexpr int kAhead = 8;
  const u64 id = id_of(s.entries[first]);
  const bool more = first + kRun < s.rows && id_of(s.entries[first + kRun]) == id;
  const bool head = first == 0 || id_of(s.entries[first - 1]) != id;
  const bool whole = head && !more;
  const bool mine = c < s.cols;
  f32 sum[kWide] = {};
  O* row = table + static_cast<i64>(id) * s.ldt + c;
  if (whole && mine) read_wide(row, sum);
  const i64 end = first + kRun < s.rows ? first + kRun : s.rows;
  for (i64 at = first; at < end; at += 32) {
    const i64 i = at + cu::lane();
    const u64 entry = i < end ? s.entries[i] : ~u64{0};
    const int count = cu::count_bits(cu::ballot(id_of(entry) == id));
    const u32 from = static_cast<u32>(entry);
    for (int j = 0; j < count; j += kAhead) {
      decltype(fetch<kWide>(x)) v[kAhead];
      LM_UNROLL
      for (int u = 0; u < kAhead; ++u) {
        const u32 r = cu::shfl(from, (j + u) & 31);
        if (j + u < count && mine) v[u] = fetch<kWide>(x + i64{r} * s.ldx + c);
      }
      LM_UNROLL
      for (int u = 0; u < kAhead; ++u) {
        if (j + u >= count || !mine) continue;
        LM_UNROLL
        for (int k = 0; k < kWide; ++k)
          sum[k] += s.scale * v[u].at(k);
      }
    }
    if (count < 32) break;
  }
  if (!mine) return;
  if (whole) {
    write_wide(row, sum);
  } else {
    write_wide(s.partial + slot_of(first, head) * s.cols + c, sum);
  }
}

template <int kWide, typename T, typename O>
LM_GLOBAL LM_BOUNDS(kThreads, 3) void sum_pieces(Scatter s, const T* x, O* table) {
  LM_SHARED(i32, begin, kTile);
  LM_SHARED(u32, masks, 2);
  const int groups = static_cast<int>((s.cols + 32 * kWide - 1) / (32 * kWide));
  for (i64 base = cu::block() * kTile; base < s.rows; base += cu::grid_size() * kTile) {
    const i64 i = base + cu::thread();
    const bool valid =
        cu::thread() < kTile && i < s.rows && id_of(s.entries[i]) < static_cast<u64>(s.table_rows);
    const bool begins = valid && begins_piece(s.entries, i);
    const u32 mask = cu::ballot(begins);
    if (cu::warp() < 2 && cu::lane() == 0) masks[cu::warp()] = mask;
    cu::sync();
    const int earlier = cu::count_bits(masks[0]);
    if (begins) {
      const int rank = cu::count_bits(mask & ((u32{1} << cu::lane()) - 1));
      begin[rank + (cu::warp() == 1 ? earlier : 0)] = cu::thread();
    }
    const int pieces = earlier + cu::count_bits(masks[1]);
    cu::sync();
    for (int item = cu::warp(); item < pieces * groups; item += kWarps) {
      const int piece = item / groups;
      const i64 c = i64{(item - piece * groups) * 32 + cu::lane()} * kWide;
      sum_piece<kWide>(s, base + begin[piece], c, x, table);
    }
    cu::sync();
  }
}

// Adds the partial rows of runs longer than kRun. Among kRun entries at most one such run begins.
template <typename O>
LM_GLOBAL void add_pieces(Scatter s, O* table) {
  LM_SHARED(i32, found, 1);
  constexpr int kAhead = 8;
  for (i64 base = cu::block() * kRun; base < s.rows; base += cu::grid_size() * kRun) {
    if (cu::thread() == 0) found[0] = -1;
    cu::sync();
    const i64 i = base + cu::thread();
    if (i + kRun < s.rows) {
      const u64 id = id_of(s.entries[i]);
      if (id < static_cast<u64>(s.table_rows) && id_of(s.entries[i + kRun]) == id &&
          (i == 0 || id_of(s.entries[i - 1]) != id)) {
        found[0] = cu::thread();
      }
    }
    cu::sync();
    const i32 at = found[0];
    cu::sync();
    if (at < 0) continue;
    const i64 first = base + at;
    const u64 id = id_of(s.entries[first]);
    i32 mine = 0;
    for (i64 k = cu::thread(); first + k * kRun < s.rows; k += kThreads)
      mine += id_of(s.entries[first + k * kRun]) == id ? 1 : 0;
    const i64 pieces = cu::block_sum(mine);
    for (i64 c = cu::thread(); c < s.cols; c += kThreads) {
      O* to = table + static_cast<i64>(id) * s.ldt + c;
      f32 sum = widen(*to);
      for (i64 k = 0; k < pieces; k += kAhead) {
        f32 v[kAhead];
        LM_UNROLL
        for (int u = 0; u < kAhead; ++u) {
          const i64 slot = slot_of(first + (k + u) * kRun, k + u == 0);
          v[u] = k + u < pieces ? s.partial[slot * s.cols + c] : 0.0f;
        }
        LM_UNROLL
        for (int u = 0; u < kAhead; ++u)
          sum += v[u];
      }
      *to = narrow<O>(sum);
    }
  }
}

i64 aligned(i64 bytes) {
  return (bytes + 255) / 256 * 256;
}
// Entries that a block sorts, so that there are at most kSortBlocks.
i64 sort_part(i64 rows) {
  const i64 each = (rows + kSortBlocks - 1) / kSortBlocks;
  return each <= kSortPart ? kSortPart : (each + kSortPart - 1) / kSortPart * kSortPart;
}

}  // namespace

template <typename T>
void gather_rows(const Gather<T>& g, Fault* fault, FaultKind kind, Stream* stream) {
  if (cu::aligned16(g.table) && g.ldt % 8 == 0 && cu::aligned16(g.plus) && g.ld_plus % 8 == 0 &&
      cu::aligned16(g.y) && g.ldy % 8 == 0 && g.cols % 8 == 0 &&
      small_count(g.rows * (g.cols / 8))) {
    const GroupMap map(g.rows, g.cols, 8);
    cu::launch("gather_rows", gather_eights<T>, cu::blocks_for(map.count, kThreads), kThreads,
               stream, g, map, fault, kind);
  } else {
    cu::launch("gather_rows", gather_ones<T>, cu::blocks_for(g.rows * g.cols, kThreads), kThreads,
               stream, g, fault, kind);
  }
}

i64 scatter_space(i64 rows, i64 cols) {
  return 2 * aligned(8 * rows) + 4 * kDigits * kSortBlocks + 8 * (rows / kRun + 1) * cols;
}

template <typename T, typename O>
void scatter_add_rows(i64 rows, i64 cols, i64 table_rows, const i32* ids, f32 scale, const T* x,
                      i64 ldx, O* table, i64 ldt, void* space, Stream* stream) {
  if (rows <= 0 || cols <= 0) return;
  u8* at = static_cast<u8*>(space);
  u64* lists[2] = {reinterpret_cast<u64*>(at), reinterpret_cast<u64*>(at + aligned(8 * rows))};
  at += 2 * aligned(8 * rows);
  u32* counts = reinterpret_cast<u32*>(at);
  SortList list;
  list.n = rows;
  list.table_rows = table_rows;
  list.ids = ids;
  list.part = sort_part(rows);
  const i64 blocks = (rows + list.part - 1) / list.part;
  for (int to = 0; list.shift == 0 || table_rows >> list.shift > 0; to = 1 - to) {
    cu::launch("count_digits", count_digits, blocks, kThreads, stream, list, counts);
    cu::launch("place_entries", place_entries, blocks, kThreads, stream, list, counts, lists[to]);
    list.entries = lists[to];
    list.shift += 8;
  }
  Scatter s;
  s.rows = rows;
  s.cols = cols;
  s.table_rows = table_rows;
  s.entries = list.entries;
  s.scale = scale;
  s.ldx = ldx;
  s.ldt = ldt;
  s.partial = reinterpret_cast<f32*>(at + 4 * kDigits * kSortBlocks);
  constexpr int kCount = Pack<T>::kCount;
  const bool packs = cols % kCount == 0 && packable(x, ldx) && packable(table, ldt) &&
                     ldt % kCount == 0 && cu::aligned16(s.partial);
  cu::launch("sum_pieces", packs ? sum_pieces<kCount, T, O> : sum_pieces<1, T, O>,
             cu::blocks_for(rows, kTile), kThreads, stream, s, x, table);
  if (rows > kRun) {
    cu::launch("add_pieces", add_pieces<O>, cu::blocks_for(rows, kRun), kThreads, stream, s, table);
  }
}

template void gather_rows(const Gather<f32>&, Fault*, FaultKind, Stream*);
template void gather_rows(const Gather<Bf16>&, Fault*, FaultKind, Stream*);
#define LM_SCATTER(T, O)                                                                        \
  template void scatter_add_rows(i64, i64, i64, const i32*, f32, const T*, i64, O*, i64, void*, \
                                 Stream*);
LM_SCATTER(f32, f32)
LM_SCATTER(Bf16, f32)
LM_SCATTER(Bf16, Bf16)
#undef LM_SCATTER

}  // namespace lm::cuda
