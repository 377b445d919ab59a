#include "fitted_file.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>

#include "core/str.h"
#include "tensor/safe_writer.h"
#include "tensor/safetensors.h"

namespace lm::uq_tool {

namespace {

constexpr const char* kWidth = "state_width";

/// Tensors on their way into a file; the vectors outlive it.
class Tensors {
 public:
  void add(std::string name, const std::vector<f64>& values, i64 columns = 0) {
    std::vector<f64>& kept = kept_.emplace_back(values);
    const Shape shape =
        columns > 0 ? Shape{isize(values) / columns, columns} : Shape{isize(values)};
    list_.push_back({std::move(name), make_tensor(kept.data(), shape, DType::kF64)});
  }
  std::span<const SafeWrite> list() const { return list_; }

 private:
  std::deque<std::vector<f64>> kept_;
  std::vector<SafeWrite> list_;
};

class Reader {
 public:
  explicit Reader(const std::string& path) : file_(path) {}
  bool has(const char* name) const { return file_.find(name) != nullptr; }
  /// rows x columns numbers, -1: any; a vector where columns is 0.
  std::vector<f64> numbers(const char* name, i64 rows, i64 columns) const {
    const SafeEntry* const entry = file_.find(name);
    if (entry == nullptr) bad(name, "is missing");
    const Shape& shape = entry->shape;
    const bool fits = entry->dtype == DType::kF64 && shape.rank == (columns == 0 ? 1 : 2) &&
                      (rows < 0 || shape[0] == rows) && (columns <= 0 || shape[1] == columns) &&
                      shape.count() > 0;
    if (!fits) bad(name, cat("is ", dtype_name(entry->dtype), " ", to_string(shape)));
    const f64* const from = static_cast<const f64*>(entry_tensor(*entry).data);
    std::vector<f64> out(from, from + shape.count());
    if (!std::all_of(out.begin(), out.end(), [](f64 x) { return std::isfinite(x); }))
      bad(name, "has numbers that are not finite");
    return out;
  }
  uq::Cholesky factor(const char* name, i64 n) const {
    std::vector<f64> lower = numbers(name, n, n);
    for (i64 i = 0; i < n; ++i) {
      if (!(lower[usize(i * (n + 1))] > 0)) bad(name, "is no triangular factor");
    }
    return uq::Cholesky::of(std::move(lower), n);
  }
  std::string source(const std::string& name) const {
    const auto found = file_.metadata().find(name);
    return found == file_.metadata().end() ? "" : found->second;
  }
  i64 width() const {
    const auto found = file_.metadata().find(kWidth);
    const std::optional<i64> width =
        found == file_.metadata().end() ? std::nullopt : parse_int(found->second);
    if (!width || *width < 1)
      throw Error(ErrorKind::kData, cat(file_.path(), ": is no file of lm-uq fit"));
    return *width;
  }

 private:
  [[noreturn]] void bad(const char* name, std::string_view what) const {
    throw Error(ErrorKind::kData,
                cat(file_.path(), ": tensor \"", name, "\" ", what, ", not what lm-uq fit writes"));
  }
  SafeFile file_;
};

}  // namespace

void write_fitted(io::AtomicFile& file, const uq::Fitted& fitted) {
  Tensors out;
  const i64 d = fitted.width;
  if (fitted.probe) {
    out.add("probe.weight", fitted.probe->weight);
    out.add("probe.bias", {fitted.probe->bias});
  }
  if (fitted.density) {
    out.add("density.mean", fitted.density->mean);
    const std::span<const f64> lower = fitted.density->covariance.lower();
    out.add("density.factor", {lower.begin(), lower.end()}, d);
  }
  if (fitted.robust) {
    const uq::KernelPca& pca = fitted.robust->pca;
    out.add("robust.states", pca.states, d);
    out.add("robust.axes", pca.axes, pca.components);
    out.add("robust.row_means", pca.row_means);
    out.add("robust.kernel", {pca.gamma, pca.mean});
    out.add("robust.mean", fitted.robust->gaussian.mean);
    const std::span<const f64> lower = fitted.robust->gaussian.covariance.lower();
    out.add("robust.factor", {lower.begin(), lower.end()}, pca.components);
  }
  if (fitted.ranks) {
    out.add("ranks.perplexity", fitted.ranks->perplexity());
    out.add("ranks.distance", fitted.ranks->distance());
  }
  std::map<std::string, std::string> source = {{kWidth, cat(d)}};
  if (!fitted.model.empty()) source["model"] = fitted.model;
  if (!fitted.layer.empty()) source["layer"] = fitted.layer;
  write_safetensors(file, out.list(), source);
}

std::shared_ptr<const uq::Fitted> read_fitted(const std::string& path) {
  const Reader file(path);
  uq::Fitted out;
  out.width = file.width();
  out.model = file.source("model");
  out.layer = file.source("layer");
  const i64 d = out.width;
  if (file.has("probe.weight"))
    out.probe = uq::Probe{file.numbers("probe.weight", d, 0), file.numbers("probe.bias", 1, 0)[0]};
  if (file.has("density.mean"))
    out.density =
        uq::Gaussian{file.numbers("density.mean", d, 0), file.factor("density.factor", d)};
  if (file.has("robust.states")) {
    uq::RobustDensity& robust = out.robust.emplace();
    robust.gaussian.mean = file.numbers("robust.mean", -1, 0);
    uq::KernelPca& pca = robust.pca;
    pca.width = d;
    pca.components = isize(robust.gaussian.mean);
    pca.row_means = file.numbers("robust.row_means", -1, 0);
    pca.states = file.numbers("robust.states", pca.count(), d);
    pca.axes = file.numbers("robust.axes", pca.count(), pca.components);
    const std::vector<f64> kernel = file.numbers("robust.kernel", 2, 0);
    pca.gamma = kernel[0];
    pca.mean = kernel[1];
    robust.gaussian.covariance = file.factor("robust.factor", pca.components);
  }
  if (file.has("ranks.perplexity")) {
    std::vector<f64> perplexity = file.numbers("ranks.perplexity", -1, 0);
    std::vector<f64> distance = file.numbers("ranks.distance", isize(perplexity), 0);
    out.ranks.emplace(std::move(perplexity), std::move(distance));
  }
  return std::make_shared<const uq::Fitted>(std::move(out));
}

}  // namespace lm::uq_tool
