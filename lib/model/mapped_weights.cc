#include "model/mapped_weights.h"

#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"

namespace lm::model {
namespace {

i64 whole_pages(i64 bytes) {
  const i64 page = ::sysconf(_SC_PAGESIZE);
  return (bytes + page - 1) / page * page;
}

void release_space(void* base, i64 bytes) {
  ::munmap(base, usize(bytes));
}

/// Address space without memory: reading it faults.
Storage reserve_space(i64 bytes) {
  const i64 size = std::max<i64>(1, whole_pages(bytes));
  void* base =
      ::mmap(nullptr, usize(size), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    throw Error(ErrorKind::kOs, cat("cannot reserve ", format_bytes(size), " of address space"));
  return {Device{}, base, size, release_space};
}

void protect(const Storage& space, int rights) {
  if (::mprotect(space.data(), usize(space.bytes()), rights) != 0)
    throw Error(ErrorKind::kOs, cat("cannot have ", format_bytes(space.bytes()), " of memory"));
}

/// Lets the whole pages of an entry leave memory; they stay in the system's cache.
void forget_pages(const SafeEntry& entry) {
  const i64 page = ::sysconf(_SC_PAGESIZE);
  const i64 in_page =
      static_cast<i64>(reinterpret_cast<std::uintptr_t>(entry.data) % static_cast<u64>(page));
  const i64 begin = (page - in_page) % page;
  const i64 end = entry.bytes - (in_page + entry.bytes) % page;
  if (begin < end)
    ::madvise(const_cast<u8*>(entry.data) + begin, usize(end - begin), MADV_DONTNEED);
}

bool is_aligned(const SafeEntry& entry) {
  return reinterpret_cast<std::uintptr_t>(entry.data) % usize(item_bytes(entry.dtype)) == 0;
}

i64 rows_of(std::span<const Tensor> parts) {
  i64 rows = 0;
  for (const Tensor& part : parts)
    rows += part.rows();
  return rows;
}

/// The type that all parts share, where kernels read it; else f32.
DType type_of(std::span<const SafeEntry* const> entries) {
  const DType first = entries.front()->dtype;
  if (first != DType::kBf16 && first != DType::kF16) return DType::kF32;
  for (const SafeEntry* const entry : entries)
    if (entry->dtype != first) return DType::kF32;
  return first;
}

}  // namespace

MappedWeights::MappedWeights(SafeModel files, const ModelCfg& cfg, const ParamSet& params)
    : files_(std::move(files)), params_(usize(params.size())) {
  std::vector<TensorMap> maps = tensor_maps(cfg, params);
  const std::vector<const SafeEntry*> entries = match_weights(files_, cfg, maps);
  for (i64 i = 0; i < isize(maps); ++i) {
    const i32 param = maps[usize(i)].param;
    params_[usize(param)].parts.push_back({std::move(maps[usize(i)]), entries[usize(i)]});
  }
  for (i32 i = 0; i < params.size(); ++i) {
    const Shape& shape = params[i].shape;
    Param& p = params_[usize(i)];
    LM_CHECK(!p.parts.empty(), "every parameter has a tensor");
    if (shape.rank < 2) {
      p.memory = Storage::cpu(shape.count() * item_bytes(DType::kF32));
      p.tensor = make_tensor(p.memory, 0, shape);
      assemble(p);
      continue;
    }
    std::vector<const SafeEntry*> sources;
    for (const Part& part : p.parts)
      sources.push_back(part.entry);
    const DType dtype = type_of(sources);
    const SafeEntry& only = *sources.front();
    p.assembled =
        isize(sources) != 1 || p.parts[0].map.transpose || only.dtype != dtype || !is_aligned(only);
    if (p.assembled) p.memory = reserve_space(shape.count() * item_bytes(dtype));
    p.tensor = p.assembled ? make_tensor(p.memory, 0, shape, dtype) : entry_tensor(only);
  }
}

void MappedWeights::assemble(Param& param) const {
  for (const Part& part : param.parts)
    read_rows(*part.entry, part.map, slice(param.tensor, part.map.row, part.map.rows));
}

std::vector<Tensor> MappedWeights::parts(i32 param) const {
  const Param& p = params_[usize(param)];
  std::vector<Tensor> out;
  for (const Part& part : p.parts) {
    const bool plain = !part.map.transpose && part.entry->dtype == p.tensor.dtype &&
                       is_aligned(*part.entry) && part.map.row == rows_of(out);
    if (!plain) return {};
    out.push_back(entry_tensor(*part.entry));
  }
  return out;
}

void MappedWeights::hold(i32 param) const {
  Param& p = params_[usize(param)];
  if (!p.assembled || p.held) return;
  protect(p.memory, PROT_READ | PROT_WRITE);
  ::madvise(p.memory.data(), usize(p.memory.bytes()), MADV_HUGEPAGE);
  assemble(p);
  p.held = true;
}

void MappedWeights::drop(i32 param) const {
  Param& p = params_[usize(param)];
  if (p.tensor.shape.rank < 2) return;
  for (const Part& part : p.parts)
    forget_pages(*part.entry);
  if (!p.assembled || !std::exchange(p.held, false)) return;
  ::madvise(p.memory.data(), usize(p.memory.bytes()), MADV_DONTNEED);
  protect(p.memory, PROT_NONE);
}

}  // namespace lm::model
