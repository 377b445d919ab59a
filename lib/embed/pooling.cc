#include "embed/pooling.h"

#include <cmath>

#include "core/error.h"
#include "core/str.h"

namespace lm::embed {
namespace {

struct Name {
  Pooling pool;
  const char* name;
};
constexpr Name kNames[] = {{Pooling::kLast, "last"},
                           {Pooling::kMean, "mean"},
                           {Pooling::kWeighted, "weighted"},
                           {Pooling::kBegin, "bos"},
                           {Pooling::kClass, "cls"}};

}  // namespace

std::string_view pooling_name(Pooling pool) {
  return kNames[static_cast<std::size_t>(pool)].name;
}

std::vector<std::string> pooling_names() {
  std::vector<std::string> out;
  for (const Name& one : kNames)
    out.emplace_back(one.name);
  return out;
}

Pooling pooling_of(std::string_view name) {
  for (const Name& one : kNames)
    if (name == one.name) return one.pool;
  throw Error(ErrorKind::kUsage,
              cat("pooling ", quote(name), " is not one of ", join(pooling_names(), ", ")));
}

bool pools_row(Pooling pool, i64 row, i64 rows) {
  switch (pool) {
    case Pooling::kLast:
      return row + 1 == rows;
    case Pooling::kMean:
    case Pooling::kWeighted:
      return true;
    case Pooling::kBegin:
    case Pooling::kClass:
      return row == 0;
  }
  return false;
}

void Pooler::add(i64 row, std::span<const f32> state) {
  const f64 weight = pool_ == Pooling::kWeighted ? static_cast<f64>(row + 1) : 1.0;
  weight_ += weight;
  for (std::size_t c = 0; c < sums_.size(); ++c)
    sums_[c] += weight * static_cast<f64>(state[c]);
}

void Pooler::write(std::span<f32> out) const {
  for (std::size_t c = 0; c < sums_.size(); ++c)
    out[c] = static_cast<f32>(sums_[c] / weight_);
}

void normalize(std::span<f32> vector) {
  f64 sum = 0;
  for (const f32 x : vector)
    sum += static_cast<f64>(x) * static_cast<f64>(x);
  if (!(sum > 0)) return;
  const f64 factor = 1.0 / std::sqrt(sum);
  for (f32& x : vector)
    x = static_cast<f32>(static_cast<f64>(x) * factor);
}

}  // namespace lm::embed
