#pragma once
// MinHash signatures and their bands. A text is normalised, cut into units, and every n consecutive
// units make one 64-bit shingle; K = bands * rows minima over the shingles estimate Jaccard
// similarity, and two texts are candidates when all rows of at least one band agree, which happens
// with probability 1 - (1 - J^rows)^bands.
// Permutation i is h_i(x) = high 32 bits of (a_i x + c_i mod 2^64), a_i odd, from the seed.
// Thread rule: const methods are safe to call concurrently, each caller with its own scratch.
// Sources: Broder 1997; Indyk and Motwani 1998; Dietzfelbinger 1996 (multiply-shift).

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "text/normalize.h"
#include "text/tokenizer.h"

namespace lm::dedup {

enum class ShingleUnit : u8 { kWord, kChar, kByte, kToken };

struct MinhashParams {
  text::Normaliser normaliser = text::Normaliser::kDatatrove;
  ShingleUnit unit = ShingleUnit::kWord;
  i64 n = 5;  // units per shingle
  i64 bands = 14;
  i64 rows = 8;
  u64 seed = 0;
  i64 minima() const { return bands * rows; }
};

struct MinhashPreset {
  std::string name;
  MinhashParams params;
  std::string origin;  // one line: whose numbers these are
};
/// fineweb (the default), nemo, olmo3, slimpajama, refinedweb, dclm, gopher, bigcode.
std::span<const MinhashPreset> minhash_presets();
std::optional<MinhashPreset> find_minhash_preset(std::string_view name);

/// Probability that two texts of similarity j share a band.
f64 candidate_probability(f64 j, i64 bands, i64 rows);
struct BandShape {
  i64 bands = 0;
  i64 rows = 0;
};
/// The bands x rows <= perms with the least 0.5 * (area below the candidate curve left of
/// threshold)
/// + 0.5 * (area above it right of threshold). Ties: fewer bands. Throws Error{kUsage} unless
/// 0 < threshold < 1 and 2 <= perms <= 1024.
BandShape best_bands(f64 threshold, i64 perms);

/// Checks n, bands, rows and that unit token has a tokenizer; throws Error{kUsage}.
void check_minhash(const MinhashParams& params, const text::Tokenizer* tokenizer);

/// Cuts texts into shingle hashes.
class Shingler {
 public:
  /// Reused between texts by one thread.
  struct Scratch {
    std::string normal;
    std::vector<u64> units;
    std::vector<i32> ids;
    std::unique_ptr<text::EncodeState> encode;
    i64 unit_count = 0;  // of all texts so far, and their bytes: mean unit length
    i64 unit_bytes = 0;
  };
  /// tokenizer: for ShingleUnit::kToken only; outlives the shingler.
  explicit Shingler(const MinhashParams& params, const text::Tokenizer* tokenizer = nullptr);

  /// The text's shingles in order, with repeats, into out (replaced). Throws what a tokenizer
  /// throws that gives up on the text. Fewer than n units make one shingle of all of them; no unit
  /// makes none. A shingle is mix64 of the polynomial sum u_j B^(n-1-j) mod 2^64 in its unit hashes
  /// u (XXH3-64 of a word, mix64 of a code point).
  void shingles(std::string_view text, Scratch& scratch, std::vector<u64>& out) const;
  /// The same as a set: ascending, each once.
  void shingle_set(std::string_view text, Scratch& scratch, std::vector<u64>& out) const;

 private:
  void hash_units(std::string_view text, Scratch& scratch) const;
  void hash_words(std::string_view text, Scratch& scratch) const;

  MinhashParams params_;
  const text::Tokenizer* tokenizer_;
  bool single_blanks_;     // the normaliser leaves exactly one blank between words
  u64 leading_power_ = 1;  // B^n
};

/// Computes minima and band keys from shingles.
class Signer {
 public:
  explicit Signer(const MinhashParams& params);
  /// minima [K]: per permutation the least h_i over shingles; 2^32 - 1 without any.
  /// O(shingles * K); 8 permutations per AVX2 instruction where the processor has it, same values
  /// everywhere.
  void minima(std::span<const u64> shingles, std::span<u32> minima) const;
  /// keys [bands]: XXH3-64 of each band's rows with the band's number as seed.
  void band_keys(std::span<const u32> minima, std::span<u64> keys) const;

 private:
  MinhashParams params_;
  std::vector<u32> a_low_;  // [K padded to 16]
  std::vector<u32> a_high_;
  std::vector<u64> c_;
};

/// |A intersect B| / |A union B| of two ascending sets; 0 when both are empty.
f64 jaccard(std::span<const u64> a, std::span<const u64> b);

}  // namespace lm::dedup
