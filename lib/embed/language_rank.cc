#include "embed/language_rank.h"

#include <limits>

#include "core/error.h"
#include "core/parallel.h"
#include "embed/pooling.h"

namespace lm::embed {
namespace {

constexpr f64 kUndefined = std::numeric_limits<f64>::quiet_NaN();

f64 dot(const f32* a, const f32* b, i64 n) {
  f64 sum = 0;
  for (i64 i = 0; i < n; ++i)
    sum += static_cast<f64>(a[i]) * static_cast<f64>(b[i]);
  return sum;
}

f64 dot(const std::vector<f64>& a, const std::vector<f64>& b) {
  f64 sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}

std::vector<f32> unit_vectors(std::span<const f32> vectors, i64 width) {
  std::vector<f32> out(vectors.begin(), vectors.end());
  for (i64 at = 0; at < isize(out); at += width)
    normalize(std::span(out).subspan(usize(at), usize(width)));
  return out;
}

}  // namespace

f64 mexa(std::span<const f64> similarity, i64 n) {
  LM_CHECK(isize(similarity) == n * n, "a square matrix");
  if (n == 0) return kUndefined;
  i64 best = 0;
  for (i64 i = 0; i < n; ++i) {
    const f64 own = similarity[usize(i * n + i)];
    bool good = true;
    for (i64 j = 0; j < n && good; ++j)
      good = j == i || (own > similarity[usize(i * n + j)] && own > similarity[usize(j * n + i)]);
    best += good ? 1 : 0;
  }
  return static_cast<f64>(best) / static_cast<f64>(n);
}

PivotVectors::PivotVectors(const SentenceShape& shape, MemoryBudget& memory)
    : shape_(shape), memory_(memory) {}

PivotVectors::~PivotVectors() {
  memory_.release(charged_);
}

void PivotVectors::add(i64 pair, std::span<const f32> vectors) {
  LM_CHECK(isize(vectors) == shape_.count(), "vectors of one shape");
  const i64 bytes = static_cast<i64>(vectors.size_bytes()) + 64;
  memory_.charge(bytes, "vectors of the pivot's sentences");
  charged_ += bytes;
  const bool fresh = slots_.emplace(pair, isize(vectors_)).second;
  LM_CHECK(fresh, "a pair has one sentence of the pivot");
  vectors_.push_back(unit_vectors(vectors, shape_.width));
}

std::span<const f32> PivotVectors::find(i64 pair) const {
  const std::unordered_map<i64, i64>::const_iterator at = slots_.find(pair);
  if (at == slots_.end()) return {};
  return vectors_[usize(at->second)];
}

LanguageScorer::LanguageScorer(const PivotVectors& pivot, i64 mexa_pairs)
    : pivot_(pivot),
      most_kept_(mexa_pairs > 0 ? mexa_pairs : std::numeric_limits<i64>::max()),
      layers_(usize(pivot.shape().layers)) {
  for (Layer& layer : layers_) {
    layer.sum_e.assign(usize(pivot.shape().width), 0.0);
    layer.sum_x.assign(usize(pivot.shape().width), 0.0);
  }
}

LanguageScorer::~LanguageScorer() {
  pivot_.memory().release(charged_);
}

bool LanguageScorer::add(i64 pair, std::span<const f32> vectors) {
  const SentenceShape& shape = pivot_.shape();
  LM_CHECK(isize(vectors) == shape.count(), "vectors of one shape");
  const std::span<const f32> e = pivot_.find(pair);
  if (e.empty()) return false;
  const std::vector<f32> x = unit_vectors(vectors, shape.width);
  const f64 n = static_cast<f64>(++pairs_);
  for (i64 l = 0; l < shape.layers; ++l) {
    Layer& layer = layers_[usize(l)];
    const f32* const xl = x.data() + l * shape.width;
    const f32* const el = e.data() + l * shape.width;
    const f64 cosine = dot(el, xl, shape.width);
    layer.mean += (cosine - layer.mean) / n;
    layer.paired += cosine;
    layer.own += dot(xl, xl, shape.width);
    for (i64 c = 0; c < shape.width; ++c) {
      layer.sum_e[usize(c)] += static_cast<f64>(el[c]);
      layer.sum_x[usize(c)] += static_cast<f64>(xl[c]);
    }
  }
  if (isize(kept_) < most_kept_) {
    const i64 block = shape.layers * shape.width;
    const i64 bytes = block * static_cast<i64>(sizeof(f32)) + 64;
    pivot_.memory().charge(bytes, "vectors that MEXA compares");
    charged_ += bytes;
    kept_.push_back({pair, {x.end() - block, x.end()}});
  }
  return true;
}

f64 LanguageScorer::layer_mexa(i64 layer) const {
  const SentenceShape& shape = pivot_.shape();
  const i64 n = isize(kept_);
  const i64 block = shape.count() - shape.layers * shape.width + layer * shape.width;
  std::vector<f64> similarity(usize(n * n));
  parallel_for(n, 1, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      const f32* const e = pivot_.find(kept_[usize(i)].pair).data() + block;
      for (i64 j = 0; j < n; ++j)
        similarity[usize(i * n + j)] =
            dot(e, kept_[usize(j)].vectors.data() + layer * shape.width, shape.width);
    }
  });
  return mexa(similarity, n);
}

std::vector<LayerScore> LanguageScorer::scores() const {
  std::vector<LayerScore> out;
  const f64 n = static_cast<f64>(pairs_);
  for (i64 l = 0; l < isize(layers_); ++l) {
    const Layer& layer = layers_[usize(l)];
    LayerScore score;
    score.cos = pairs_ > 0 ? layer.mean : kUndefined;
    score.corrected = score.anisotropy = kUndefined;
    if (pairs_ > 1) {
      const f64 others = n * (n - 1);
      score.corrected = score.cos - (dot(layer.sum_e, layer.sum_x) - layer.paired) / others;
      score.anisotropy = (dot(layer.sum_x, layer.sum_x) - layer.own) / others;
    }
    score.mexa = layer_mexa(l);
    out.push_back(score);
  }
  return out;
}

}  // namespace lm::embed
