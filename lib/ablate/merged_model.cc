#include "ablate/merged_model.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "merge/convert.h"
#include "model/family.h"

namespace lm::ablate {

ModelSink::ModelSink(const model::Model& model)
    : model_(model),
      prefix_(model::find_family(model.cfg.family, "model").prefix),
      maps_(model::tensor_maps(model.cfg, model.params->set)) {}

std::string_view ModelSink::bare(std::string_view name) const {
  if (!prefix_.empty() && name.starts_with(prefix_)) name.remove_prefix(prefix_.size());
  return name;
}

void ModelSink::declare(const std::string& name, DType dtype, const Shape& shape) {
  Target target;
  target.dtype = dtype;
  target.shape = shape;
  for (const model::TensorMap& map : maps_)
    if (bare(map.name) == bare(name)) target.maps.push_back(&map);
  for (const model::TensorMap* map : target.maps) {
    if (!(map->shape == shape))
      throw Error(ErrorKind::kData, cat("tensor ", quote(name, 200), " has shape ",
                                        to_string(shape), ", expected ", to_string(map->shape)));
  }
  order_.push_back(isize(order_));
  targets_.emplace(name, std::move(target));
}

void ModelSink::write(std::string_view name, std::string_view bytes) {
  const std::map<std::string, Target, std::less<>>::iterator at = targets_.find(name);
  LM_CHECK(at != targets_.end(), "a tensor is declared before it is written");
  Target& target = at->second;
  const i64 count = isize(bytes) / item_bytes(target.dtype);
  for (const model::TensorMap* map : target.maps) {
    if (map->transpose) continue;
    const Tensor rows = slice(model_.weights[map->param], map->row, map->rows);
    f32* const to = rows.f32_data() + target.done;
    const u8* const from = reinterpret_cast<const u8*>(bytes.data());
    if (target.dtype == DType::kF64) {
      std::vector<f64> wide(usize(count));
      merge::widen(target.dtype, from, count, wide.data());
      for (i64 i = 0; i < count; ++i)
        to[i] = static_cast<f32>(wide[usize(i)]);
    } else {
      merge::widen(target.dtype, from, count, to);
    }
  }
  target.done += count;
  const bool transposed = std::any_of(target.maps.begin(), target.maps.end(),
                                      [](const model::TensorMap* map) { return map->transpose; });
  if (!transposed) return;
  target.whole.append(bytes);
  if (target.done < target.shape.count()) return;
  const SafeEntry entry{std::string(name), target.dtype, target.shape,
                        reinterpret_cast<const u8*>(target.whole.data()), isize(target.whole)};
  for (const model::TensorMap* map : target.maps)
    if (map->transpose)
      model::read_rows(entry, *map, slice(model_.weights[map->param], map->row, map->rows));
  target.whole = {};
}

void ModelSink::commit() {
  for (const model::TensorMap& map : maps_) {
    const bool there = std::any_of(targets_.begin(), targets_.end(), [&](const auto& one) {
      return bare(one.first) == bare(map.name);
    });
    if (!there)
      throw Error(ErrorKind::kData, cat("tensor ", quote(map.name, 200),
                                        " is missing, expected shape ", to_string(map.shape)));
  }
}

MergedModel::MergedModel(const std::string& folder, const Context& ctx) : ctx_(ctx) {
  model_.cfg = model::load_config(folder);
  model_.folder = folder;
  model_.params = std::make_unique<const model::ModelParams>(model::make_params(model_.cfg));
  const i64 bytes = model_.params->set.slab_elements() * static_cast<i64>(sizeof(f32));
  charge_ = std::make_unique<MemoryCharge>(*ctx.memory, bytes, cat("a model like ", folder));
  model_.weights = ParamSlab(model_.params->set);
}

i64 MergedModel::mean_of(const std::vector<std::string>& folders, const std::vector<f64>& weights) {
  merge::Recipe recipe;
  recipe.method = merge::find_method("linear");
  recipe.where = "mean";
  for (std::size_t i = 0; i < folders.size(); ++i) {
    merge::RecipeModel one;
    one.path = one.where = folders[i];
    one.params["weight"] = {{"", {format_float(weights[i])}, folders[i]}};
    recipe.models.push_back(std::move(one));
  }
  merge::Plan plan = merge::make_plan(recipe, {}, ctx_);
  ModelSink sink(model_);
  try {
    return merge::run(plan.tensors, sink, {}, ctx_).bytes_in;
  } catch (const Error& e) {
    const bool named = std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
      return e.message().starts_with(cat(folder, ": "));
    });
    const Error bare(e.kind(), e.message());  // its hints are options of a merge
    throw named ? bare : bare.with_prefix(folders.front());
  }
}

}  // namespace lm::ablate
