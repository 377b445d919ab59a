#include "model/adapter_bank.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "model/adapter.h"
#include "model/mapping.h"

namespace lm::model {

namespace {

/// A factor as f32.
OwnedTensor widened(const SafeEntry& entry) {
  OwnedTensor out(entry.shape);
  load_entry(entry, out.view);
  return out;
}

/// What one adapter adds to one tensor.
struct Addition {
  i64 adapter = 0;
  const LowRank* delta = nullptr;
  bool turned = false;  // the parameter is the transpose of what the factors make
};

/// Copies the factors of an addition to their columns. (B A)^T = A^T B^T: turned, they change
/// places.
void place(const Addition& one, i64 first, const Tensor& a, const Tensor& b) {
  const OwnedTensor fa = widened(*one.delta->a);
  const OwnedTensor fb = widened(*one.delta->b);
  const i64 rank = one.delta->rank();
  const f32 scale = static_cast<f32>(one.delta->scale);
  const auto in_at = [&](i64 k, i64 j) {  // A of the parameter, [rank, in]
    return one.turned ? fb.view.f32_data()[j * rank + k] : fa.view.f32_data()[k * a.cols() + j];
  };
  const auto out_at = [&](i64 i, i64 k) {  // B of the parameter, [rows, rank]
    return one.turned ? fa.view.f32_data()[k * b.rows() + i] : fb.view.f32_data()[i * rank + k];
  };
  for (i64 k = 0; k < rank; ++k)
    for (i64 j = 0; j < a.cols(); ++j)
      a.f32_data()[(first + k) * a.cols() + j] = in_at(k, j);
  for (i64 i = 0; i < b.rows(); ++i)
    for (i64 k = 0; k < rank; ++k)
      b.f32_data()[i * b.cols() + first + k] = scale * out_at(i, k);
}

[[noreturn]] void refuse(const std::string& folder, const std::string& what) {
  throw Error(ErrorKind::kData, cat(folder, ": ", what, ", which cannot run beside the model"),
              "lm-merge --method passthrough BASE+ADAPTER -o MODEL makes a model of both");
}

}  // namespace

struct AdapterBank::Unread {
  std::vector<Adapter> adapters;
  std::vector<std::vector<Addition>> additions;  // by part
};

AdapterBank::~AdapterBank() = default;

AdapterBank::AdapterBank(const std::vector<std::string>& folders, const SafeModel& files,
                         const std::string& base_folder, const ModelCfg& cfg,
                         const ParamSet& params)
    : first_(1, 0), params_(std::make_unique<ParamSet>()), unread_(std::make_unique<Unread>()) {
  const std::vector<TensorMap> maps = tensor_maps(cfg, params);
  const std::vector<const SafeEntry*> entries = match_weights(files, cfg, maps);
  std::vector<Adapter>& adapters = unread_->adapters;
  for (const std::string& folder : folders) {
    adapters.push_back(Adapter::open(folder, files, base_folder));
    if (const std::vector<std::string> whole = adapters.back().whole_names(); !whole.empty())
      refuse(folder, cat("it has the whole tensor ", quote(whole.front(), 200)));
  }
  std::vector<i64> ranks(adapters.size(), 0);
  std::vector<std::vector<Addition>> by_map(maps.size());
  std::vector<i64> used(adapters.size(), 0);
  for (i64 m = 0; m < isize(maps); ++m) {
    const TensorMap& map = maps[usize(m)];
    for (i64 k = 0; k < isize(adapters); ++k) {
      const LowRank* const delta = adapters[usize(k)].delta(*entries[usize(m)]);
      if (delta == nullptr) continue;
      if (map.shape.rank != 2 || !params[map.param].name.starts_with("blocks."))
        refuse(folders[usize(k)], cat("it adapts ", quote(map.name, 200)));
      by_map[usize(m)].push_back({k, delta, delta->transposed != map.transpose});
      ranks[usize(k)] = std::max(ranks[usize(k)], delta->rank());
      ++used[usize(k)];
    }
  }
  for (i64 k = 0; k < isize(adapters); ++k) {
    if (used[usize(k)] != adapters[usize(k)].deltas())
      refuse(folders[usize(k)], "it adapts a tensor that the model does not use");
    first_.push_back(first_.back() + ranks[usize(k)]);
  }
  std::vector<i64> order(maps.size());
  for (i64 m = 0; m < isize(order); ++m)
    order[usize(m)] = m;
  std::stable_sort(order.begin(), order.end(), [&](i64 x, i64 y) {
    const TensorMap& mx = maps[usize(x)];
    const TensorMap& my = maps[usize(y)];
    return mx.param != my.param ? mx.param < my.param : mx.row < my.row;
  });
  for (const i64 m : order) {
    if (by_map[usize(m)].empty()) continue;
    const TensorMap& map = maps[usize(m)];
    const std::string& name = params[map.param].name;
    constexpr std::string_view kWeight = ".weight";
    Part part;
    part.param = name.substr(0, name.size() - kWeight.size());
    part.row = map.row;
    part.rows = map.rows;
    const i64 in = params[map.param].shape[1];
    part.a = params_->add(cat(part.param, ".adapter_a.", map.row), {columns(), in}, false, false);
    part.b =
        params_->add(cat(part.param, ".adapter_b.", map.row), {map.rows, columns()}, false, false);
    parts_.push_back(part);
    unread_->additions.push_back(std::move(by_map[usize(m)]));
  }
}

void AdapterBank::load() {
  LM_CHECK(unread_ != nullptr, "adapters are read once");
  weights_ = ParamSlab(*params_);
  for (i64 i = 0; i < isize(parts_); ++i)
    for (const Addition& one : unread_->additions[usize(i)])
      place(one, first_[usize(one.adapter)], weights_[parts_[usize(i)].a],
            weights_[parts_[usize(i)].b]);
  unread_.reset();
}

const ParamSlab& AdapterBank::weights() const {
  LM_CHECK(unread_ == nullptr, "adapters are loaded before they run");
  return weights_;
}

void AdapterBank::fill(std::span<const f32> weights, std::span<f32> row) const {
  LM_CHECK(isize(weights) == count() && isize(row) == columns(), "a weight for each adapter");
  for (i64 k = 0; k < count(); ++k)
    std::fill(row.begin() + first_[usize(k)], row.begin() + first_[usize(k + 1)],
              weights[usize(k)]);
}

}  // namespace lm::model
