#pragma once
// How near the sentences of a language lie to their translations in a pivot language, layer by
// layer. Sources: Li et al. 2024, "Language Ranker" (mean cosine of the last token's states);
// Kargaran et al. 2024, "MEXA" (share of sentences whose translation is the nearest both ways);
// Ethayarajh 2019 (mean cosine of unrelated sentences, "anisotropy", which the corrected score
// takes off). Vectors stream: what is kept is the pivot's, and of a language a few sums and the
// vectors that MEXA compares.

#include <span>
#include <unordered_map>
#include <vector>

#include "core/context.h"
#include "core/types.h"

namespace lm::embed {

/// similarity: [n, n], rows the pivot's sentences, columns the language's. The share of i whose
/// diagonal entry exceeds every other entry of its row and of its column, strictly. NaN for n = 0.
f64 mexa(std::span<const f64> similarity, i64 n);

/// The statistics of one layer; NaN where undefined (no pairs; fewer than two).
struct LayerScore {
  f64 cos = 0;         // mean over pairs of cos(e_i, x_i)
  f64 corrected = 0;   // cos less the mean of cos(e_i, x_j), i != j
  f64 anisotropy = 0;  // mean of cos(x_i, x_j), i != j
  f64 mexa = 0;
};

/// A sentence's vectors are two blocks of [layers, width]: for the cosines, then for MEXA; with one
/// pooling for both the block stands once.
struct SentenceShape {
  i64 layers = 0;
  i64 width = 0;
  bool two_blocks = false;
  i64 count() const { return layers * width * (two_blocks ? 2 : 1); }
};

/// Unit vectors of the pivot's sentences by pair number. Charged to --memory.
class PivotVectors {
 public:
  PivotVectors(const SentenceShape& shape, MemoryBudget& memory);
  ~PivotVectors();
  PivotVectors(const PivotVectors&) = delete;
  PivotVectors& operator=(const PivotVectors&) = delete;
  void add(i64 pair, std::span<const f32> vectors);
  /// [shape.count()], each vector of length 1, or zero; empty if the pair is not there.
  std::span<const f32> find(i64 pair) const;
  const SentenceShape& shape() const { return shape_; }
  i64 count() const { return isize(slots_); }
  MemoryBudget& memory() const { return memory_; }

 private:
  SentenceShape shape_;
  MemoryBudget& memory_;
  i64 charged_ = 0;
  std::vector<std::vector<f32>> vectors_;
  std::unordered_map<i64, i64> slots_;  // looked up, never iterated
};

class LanguageScorer {
 public:
  /// mexa_pairs: pairs that MEXA compares, the first ones; 0: all, whose vectors are then kept.
  LanguageScorer(const PivotVectors& pivot, i64 mexa_pairs);
  ~LanguageScorer();
  LanguageScorer(const LanguageScorer&) = delete;
  LanguageScorer& operator=(const LanguageScorer&) = delete;
  /// False if the pivot lacks the pair.
  bool add(i64 pair, std::span<const f32> vectors);
  i64 pairs() const { return pairs_; }
  i64 mexa_pairs() const { return isize(kept_); }
  /// By layer.
  std::vector<LayerScore> scores() const;

 private:
  struct Layer {
    f64 mean = 0;                   // Welford, of the cosines
    f64 paired = 0;                 // sum of cos(e_i, x_i)
    f64 own = 0;                    // sum of |x_i|^2: pairs, but for zero vectors
    std::vector<f64> sum_e, sum_x;  // of unit vectors
  };
  struct Kept {
    i64 pair = 0;
    std::vector<f32> vectors;  // [layers, width] of the MEXA block
  };
  f64 layer_mexa(i64 layer) const;

  const PivotVectors& pivot_;
  i64 most_kept_;
  i64 pairs_ = 0;
  i64 charged_ = 0;
  std::vector<Layer> layers_;
  std::vector<Kept> kept_;
};

}  // namespace lm::embed
