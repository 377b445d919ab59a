#include "model/mapping.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"
#include "model/family.h"

namespace lm::model {
namespace {

/// The pattern with the number in the place of the mark, if it has that.
std::string filled(std::string_view pattern, std::string_view mark, i64 number) {
  const std::size_t at = pattern.find(mark);
  if (at == std::string_view::npos) return std::string(pattern);
  return cat(pattern.substr(0, at), number, pattern.substr(at + mark.size()));
}

/// "h.{}.x" with layer 3 gives "h.3.x", "{e}" is the expert.
std::string expand(std::string_view pattern, i64 layer, i64 expert = 0) {
  return filled(filled(pattern, "{}", layer), "{e}", expert);
}

bool per_layer(const char* pattern) {
  return std::string_view(pattern).find("{}") != std::string_view::npos;
}

bool per_expert(const char* pattern) {
  return std::string_view(pattern).find("{e}") != std::string_view::npos;
}

void add_map(const MapRow& row, i64 layer, i64 expert, const ModelCfg& cfg, const ParamSet& params,
             std::vector<TensorMap>& out) {
  const i32 param = params.find(expand(row.param, layer));
  if (param < 0) return;
  const Shape& whole = params[param].shape;
  const RowRange range = row_range(row.part, cfg.layers[usize(layer)], whole[0], expert);
  TensorMap map;
  map.name = expand(row.tensor, layer, expert);
  map.param = param;
  map.row = range.begin;
  map.rows = range.count;
  map.transpose = row.transpose;
  if (whole.rank == 1)
    map.shape = {range.count};
  else if (row.transpose)
    map.shape = {whole[1], range.count};
  else
    map.shape = {range.count, whole[1]};
  out.push_back(std::move(map));
}

std::string_view without_prefix(std::string_view name, std::string_view prefix) {
  return !prefix.empty() && name.substr(0, prefix.size()) == prefix ? name.substr(prefix.size())
                                                                    : name;
}

bool floating(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kBf16 || dtype == DType::kF16 ||
         dtype == DType::kF64;
}

/// to, [rows, cols], contiguous, from the first `rows` columns of [cols, ld]. In parallel.
template <typename T>
void transpose_copy(const T* from, i64 ld, i64 rows, i64 cols, T* to) {
  constexpr i64 kTile = 32;  // both sides of a tile fit the first-level cache
  parallel_for((rows + kTile - 1) / kTile, 1, [&](i64 begin, i64 end) {
    for (i64 r0 = begin * kTile; r0 < std::min(rows, end * kTile); r0 += kTile) {
      const i64 r1 = std::min(rows, r0 + kTile);
      for (i64 c0 = 0; c0 < cols; c0 += kTile) {
        const i64 c1 = std::min(cols, c0 + kTile);
        for (i64 r = r0; r < r1; ++r)
          for (i64 c = c0; c < c1; ++c)
            to[r * cols + c] = from[c * ld + r];
      }
    }
  });
}

Tensor param_rows(const TensorMap& map, const ParamSlab& slab) {
  return slice(slab[map.param], map.row, map.rows);
}

/// As copy_convert, in parallel; the entry may lie unaligned.
void copy_rows(const SafeEntry& entry, const Tensor& to) {
  constexpr i64 kGrain = 1 << 18;  // elements
  const Tensor from = make_tensor(const_cast<u8*>(entry.data), entry.shape, entry.dtype);
  const i64 rows = to.shape[0];
  const i64 grain =
      std::max<i64>(1, kGrain / std::max<i64>(1, to.count() / std::max<i64>(1, rows)));
  parallel_for(rows, grain, [&](i64 begin, i64 end) {
    copy_convert(slice(from, begin, end - begin), slice(to, begin, end - begin));
  });
}

/// Writes the transpose of rows, in blocks.
void write_transposed(const TensorMap& map, const Tensor& rows, SafeWriter& writer) {
  constexpr i64 kBlock = 1 << 20;  // elements
  const i64 width = rows.rows();
  const i64 step = std::max<i64>(1, kBlock / std::max<i64>(1, width));
  std::vector<f32> block;
  for (i64 begin = 0; begin < rows.cols(); begin += step) {
    const i64 count = std::min(step, rows.cols() - begin);
    block.resize(usize(count * width));
    transpose_copy(rows.f32_data() + begin, rows.ld, count, width, block.data());
    writer.write(map.name, block);
  }
}

bool is_aligned(const SafeEntry& entry) {
  return reinterpret_cast<std::uintptr_t>(entry.data) % usize(item_bytes(entry.dtype)) == 0;
}

/// Path of the shard that holds entry.
const std::string& file_of(const SafeModel& from, const SafeEntry& entry) {
  for (const SafeFile& file : from.files())
    if (file.find(entry.name) == &entry) return file.path();
  return from.files().front().path();
}

/// Names of the files' tensors without the prefix, minus the ignored ones.
std::map<std::string, const SafeEntry*, std::less<>> entries_by_name(
    const SafeModel& from, const Family& family, const std::set<std::string, std::less<>>& wanted,
    i64 depth) {
  std::set<std::string, std::less<>> ignored;
  for (const char* pattern : family.ignored)
    for (i64 i = 0; i < (per_layer(pattern) ? depth : 1); ++i)
      ignored.emplace(without_prefix(expand(pattern, i), family.prefix));
  std::map<std::string, const SafeEntry*, std::less<>> out;
  for (const SafeEntry* entry : from.entries()) {
    const std::string_view name = without_prefix(entry->name, family.prefix);
    if (!wanted.contains(name)) {
      if (ignored.contains(name)) continue;
      throw Error(ErrorKind::kData,
                  cat(file_of(from, *entry), ": unexpected tensor ", quote(entry->name, 200),
                      " of shape ", to_string(entry->shape)));
    }
    if (!out.emplace(name, entry).second)
      throw Error(ErrorKind::kData,
                  cat(file_of(from, *entry), ": tensor ", quote(name, 200),
                      " is stored both with and without the prefix ", family.prefix));
  }
  return out;
}

}  // namespace

std::vector<const SafeEntry*> match_weights(const SafeModel& from, const ModelCfg& cfg,
                                            const std::vector<TensorMap>& maps) {
  const Family& family = find_family(cfg.family, "model");
  const std::string& file = from.files().front().path();
  std::set<std::string, std::less<>> wanted;
  for (const TensorMap& map : maps)
    wanted.emplace(without_prefix(map.name, family.prefix));
  const std::map<std::string, const SafeEntry*, std::less<>> entries =
      entries_by_name(from, family, wanted, cfg.depth());
  std::vector<const SafeEntry*> sources;
  for (const TensorMap& map : maps) {
    const std::map<std::string, const SafeEntry*, std::less<>>::const_iterator it =
        entries.find(without_prefix(map.name, family.prefix));
    if (it == entries.end())
      throw Error(ErrorKind::kData, cat(file, ": tensor ", quote(map.name, 200),
                                        " is missing, expected shape ", to_string(map.shape)));
    const SafeEntry& entry = *it->second;
    if (!(entry.shape == map.shape))
      throw Error(ErrorKind::kData,
                  cat(file_of(from, entry), ": tensor ", quote(entry.name, 200), " has shape ",
                      to_string(entry.shape), ", expected ", to_string(map.shape)));
    if (!floating(entry.dtype))
      throw Error(ErrorKind::kData,
                  cat(file_of(from, entry), ": tensor ", quote(entry.name, 200), " is of type ",
                      dtype_name(entry.dtype), ", expected f32, bf16, f16 or f64"));
    sources.push_back(&entry);
  }
  return sources;
}

void read_rows(const SafeEntry& entry, const TensorMap& map, const Tensor& rows) {
  if (!map.transpose) return copy_rows(entry, rows);
  OwnedTensor copy;
  Tensor stored = make_tensor(const_cast<u8*>(entry.data), entry.shape, entry.dtype);
  if (entry.dtype != rows.dtype || !is_aligned(entry)) {
    copy = OwnedTensor(entry.shape, rows.dtype);
    copy_rows(entry, copy.view);
    stored = copy.view;
  }
  if (item_bytes(rows.dtype) == 2)
    transpose_copy(static_cast<const u16*>(stored.data), rows.rows(), rows.rows(), rows.cols(),
                   static_cast<u16*>(rows.data));
  else
    transpose_copy(stored.f32_data(), rows.rows(), rows.rows(), rows.cols(), rows.f32_data());
}

std::vector<TensorMap> tensor_maps(const ModelCfg& cfg, const ParamSet& params) {
  std::vector<TensorMap> out;
  for (const MapRow& row : find_family(cfg.family, "model").rows)
    for (i64 i = 0; i < (per_layer(row.tensor) ? cfg.depth() : 1); ++i)
      for (i64 e = 0; e < (per_expert(row.tensor) ? expert_count(cfg.layers[usize(i)]) : 1); ++e)
        add_map(row, i, e, cfg, params, out);
  return out;
}

void check_weights(const SafeModel& from, const ModelCfg& cfg, const ParamSet& params) {
  match_weights(from, cfg, tensor_maps(cfg, params));
}

void read_weights(const SafeModel& from, const ModelCfg& cfg, const ParamSet& params,
                  const ParamSlab& slab) {
  const std::vector<TensorMap> maps = tensor_maps(cfg, params);
  const std::vector<const SafeEntry*> sources = match_weights(from, cfg, maps);
  for (i64 i = 0; i < isize(maps); ++i)
    read_rows(*sources[usize(i)], maps[usize(i)], param_rows(maps[usize(i)], slab));
}

std::vector<WrittenFile> write_weights(const ModelCfg& cfg, const ParamSet& params,
                                       const ParamSlab& slab, DType dtype, SafeWriter writer) {
  const std::vector<TensorMap> maps = tensor_maps(cfg, params);
  for (const TensorMap& map : maps)
    writer.declare(map.name, dtype, map.shape);
  writer.begin();
  for (const i64 number : writer.order()) {
    const TensorMap& map = maps[usize(number)];
    if (map.transpose) {
      write_transposed(map, param_rows(map, slab), writer);
    } else {
      writer.write(map.name, param_rows(map, slab));
    }
  }
  writer.commit();
  return writer.written();
}

}  // namespace lm::model
