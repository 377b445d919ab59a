#include <array>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "dedup/minhash.h"

namespace lm::dedup {

namespace {

constexpr i64 kMaxMinima = 16384;
constexpr i64 kMaxShingleUnits = 1024;
constexpr i64 kGridSteps = 400;  // of the similarity axis

MinhashParams make(text::Normaliser normaliser, ShingleUnit unit, i64 n, BandShape shape) {
  MinhashParams p;
  p.normaliser = normaliser;
  p.unit = unit;
  p.n = n;
  p.bands = shape.bands;
  p.rows = shape.rows;
  return p;
}

/// Half the false-positive area plus half the false-negative area, by the midpoint rule.
f64 band_cost(f64 threshold, i64 bands, i64 rows) {
  const f64 step = 1.0 / static_cast<f64>(kGridSteps);
  f64 area = 0;
  for (i64 i = 0; i < kGridSteps; ++i) {
    const f64 j = (static_cast<f64>(i) + 0.5) * step;
    const f64 p = candidate_probability(j, bands, rows);
    area += j < threshold ? p : 1 - p;
  }
  return 0.5 * area * step;
}

}  // namespace

std::span<const MinhashPreset> minhash_presets() {
  using text::Normaliser;
  static const std::array<MinhashPreset, 8> all = {{
      {"fineweb", make(Normaliser::kDatatrove, ShingleUnit::kWord, 5, {14, 8}),
       "FineWeb, datatrove's default"},
      {"nemo", make(Normaliser::kRaw, ShingleUnit::kChar, 24, {20, 13}),
       "NeMo-Curator fuzzy deduplication"},
      {"olmo3", make(Normaliser::kSlimPajama, ShingleUnit::kToken, 5, {26, 11}),
       "OLMo 3, duplodocus (cl100k tokens)"},
      {"slimpajama", make(Normaliser::kSlimPajama, ShingleUnit::kChar, 13, {9, 13}),
       "SlimPajama's code"},
      {"refinedweb", make(Normaliser::kDatatrove, ShingleUnit::kToken, 5, {450, 20}),
       "RefinedWeb, Lee et al. 2022"},
      {"dclm", make(Normaliser::kDatatrove, ShingleUnit::kToken, 5, {93, 15}), "DCLM"},
      {"gopher", make(Normaliser::kDatatrove, ShingleUnit::kWord, 13, {9, 13}),
       "Gopher: 13 words, threshold 0.8 (bands: our search over 128 permutations)"},
      {"bigcode", make(Normaliser::kDatatrove, ShingleUnit::kWord, 5, {25, 10}), "BigCode"},
  }};
  return all;
}

std::optional<MinhashPreset> find_minhash_preset(std::string_view name) {
  for (const MinhashPreset& preset : minhash_presets()) {
    if (preset.name == name) return preset;
  }
  return std::nullopt;
}

f64 candidate_probability(f64 j, i64 bands, i64 rows) {
  return 1 - std::pow(1 - std::pow(j, static_cast<f64>(rows)), static_cast<f64>(bands));
}

BandShape best_bands(f64 threshold, i64 perms) {
  if (!(threshold > 0 && threshold < 1)) {
    throw Error(ErrorKind::kUsage,
                cat("a similarity threshold lies between 0 and 1, got ", threshold));
  }
  if (perms < 2 || perms > 1024) {
    throw Error(ErrorKind::kUsage, cat("the number of permutations is 2 to 1024, got ", perms));
  }
  BandShape best;
  f64 best_cost = 2;
  for (i64 bands = 1; bands <= perms; ++bands) {
    // The cost has one valley in rows: few rows let everything through, many rows nothing.
    f64 last = 2;
    for (i64 rows = 1; rows <= perms / bands; ++rows) {
      const f64 cost = band_cost(threshold, bands, rows);
      if (cost < best_cost) {
        best_cost = cost;
        best = {bands, rows};
      }
      if (cost > last) break;
      last = cost;
    }
  }
  return best;
}

void check_minhash(const MinhashParams& params, const text::Tokenizer* tokenizer) {
  const auto in_range = [](std::string_view what, i64 value, i64 most) {
    if (value < 1 || value > most) {
      throw Error(ErrorKind::kUsage, cat(what, " must be 1 to ", most, ", got ", value));
    }
  };
  in_range("units per shingle", params.n, kMaxShingleUnits);
  in_range("bands", params.bands, kMaxMinima);
  in_range("rows", params.rows, kMaxMinima);
  in_range("bands x rows", params.minima(), kMaxMinima);
  if (params.unit == ShingleUnit::kToken && tokenizer == nullptr) {
    throw Error(ErrorKind::kUsage, "shingles of tokens need a tokenizer",
                "give --tokenizer FILE, or --unit word");
  }
}

}  // namespace lm::dedup
