#include "graph/params.h"

#include <cstring>

#include "core/str.h"
#include "graph/backend.h"

namespace lm {

namespace {
constexpr i64 kParamAlign = 64;  // elements: 256 bytes of f32
i64 round_up(i64 n, i64 to) {
  return (n + to - 1) / to * to;
}
}  // namespace

i32 ParamSet::add(std::string_view name, const Shape& shape, bool decay, bool trainable) {
  const i32 index = size();
  const bool fresh = index_.emplace(std::string(name), index).second;
  LM_CHECK(fresh, cat("parameter ", name, " is declared twice"));
  LM_CHECK(!trainable || trained_end_ == end_,
           cat("parameter ", name, " stands behind frozen ones"));
  ParamInfo info;
  info.name = std::string(name);
  info.shape = shape;
  info.offset = end_;
  info.count = shape.count();
  info.decay = decay;
  info.trainable = trainable;
  end_ += round_up(info.count, kParamAlign);
  if (trainable) trained_end_ = end_;
  list_.push_back(std::move(info));
  return index;
}

i32 ParamSet::find(std::string_view name) const {
  const auto at = index_.find(std::string(name));
  return at == index_.end() ? -1 : at->second;
}

i64 ParamSet::slab_elements(i64 world_size) const {
  return round_up(end_, kParamAlign * world_size);
}

i64 ParamSet::trained_elements(i64 world_size) const {
  return round_up(trained_end_, kParamAlign * world_size);
}

i64 ParamSet::count() const {
  i64 total = 0;
  for (const ParamInfo& info : list_)
    total += info.count;
  return total;
}

i64 ParamSet::trained_count() const {
  i64 total = 0;
  for (const ParamInfo& info : list_)
    if (info.trainable) total += info.count;
  return total;
}

namespace {
i64 elements_of(const ParamSet& set, i64 world_size, SlabOf of) {
  return of == SlabOf::kAll ? set.slab_elements(world_size) : set.trained_elements(world_size);
}
}  // namespace

ParamSlab::ParamSlab(const ParamSet& set, i64 world_size, SlabOf of)
    : set_(&set),
      storage_(Storage::cpu(elements_of(set, world_size, of) * 4)),
      elements_(elements_of(set, world_size, of)) {}

ParamSlab::ParamSlab(const ParamSet& set, i64 world_size, const Backend& backend, DType dtype,
                     SlabOf of)
    : set_(&set),
      storage_(backend.allocate(elements_of(set, world_size, of) * item_bytes(dtype))),
      elements_(elements_of(set, world_size, of)),
      dtype_(dtype) {
  backend.zero(storage_.data(), bytes());
}

Tensor ParamSlab::operator[](i32 param) const {
  LM_CHECK(set_ != nullptr && param >= 0 && param < set_->size(), "no such parameter");
  const ParamInfo& info = (*set_)[param];
  LM_CHECK(info.offset + info.count <= elements_, "the slab has this parameter");
  return make_tensor(storage_, info.offset, info.shape, dtype_);
}

f32* ParamSlab::data() const {
  LM_CHECK(dtype_ == DType::kF32, "an f32 slab");
  return reinterpret_cast<f32*>(storage_.data());
}

u16* ParamSlab::bf16_data() const {
  LM_CHECK(dtype_ == DType::kBf16, "a bf16 slab");
  return reinterpret_cast<u16*>(storage_.data());
}

void ParamSlab::zero() {
  LM_CHECK(device() == Device{}, "CPU memory");
  if (elements_ > 0) std::memset(storage_.data(), 0, usize(bytes()));
}

}  // namespace lm
