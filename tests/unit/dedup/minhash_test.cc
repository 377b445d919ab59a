#include "dedup/minhash.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <vector>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "dedup/minhash_kernel.h"

using namespace lm;
using namespace lm::dedup;

namespace {

std::vector<u64> shingles_of(const MinhashParams& params, std::string_view text) {
  const Shingler shingler(params);
  Shingler::Scratch scratch;
  std::vector<u64> out;
  shingler.shingles(text, scratch, out);
  return out;
}

MinhashParams words(i64 n) {
  MinhashParams p;
  p.n = n;
  return p;
}

/// Two sets of 64-bit values with |A and B| = common and |A or B| = total.
std::pair<std::vector<u64>, std::vector<u64>> sets_with(i64 common, i64 total, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther, 9);
  std::pair<std::vector<u64>, std::vector<u64>> result;
  for (i64 i = 0; i < total; ++i) {
    const u64 x = random.bits(static_cast<u64>(i));
    const bool both = i < common;
    if (both || i % 2 == 0) result.first.push_back(x);
    if (both || i % 2 == 1) result.second.push_back(x);
  }
  return result;
}

}  // namespace

TEST_CASE("a text of w words has w - n + 1 shingles", "[dedup]") {
  CHECK(shingles_of(words(3), "a b c d e").size() == 3);
  CHECK(shingles_of(words(5), "a b c d e").size() == 1);
  CHECK(shingles_of(words(5), "a b").size() == 1);  // fewer units than n: one shingle of all
  CHECK(shingles_of(words(5), "").empty());
  CHECK(shingles_of(words(5), " .,! \n").empty());
}

TEST_CASE("a rolling shingle depends on its own words alone", "[dedup]") {
  // The middle window of the long text equals the short text's only window.
  const std::vector<u64> long_text = shingles_of(words(3), "x y one two three z");
  const std::vector<u64> short_text = shingles_of(words(3), "one two three");
  REQUIRE(short_text.size() == 1);
  CHECK(long_text[2] == short_text[0]);
  CHECK(long_text[1] != short_text[0]);
  CHECK(shingles_of(words(3), "three two one") != short_text);
}

TEST_CASE("units are words, code points or bytes", "[dedup]") {
  MinhashParams p = words(2);
  p.normaliser = text::Normaliser::kRaw;
  CHECK(shingles_of(p, "a\xC3\xA9  b").size() == 1);
  p.unit = ShingleUnit::kChar;
  CHECK(shingles_of(p,
                    "a\xC3\xA9"
                    "b")
            .size() == 2);
  p.unit = ShingleUnit::kByte;
  CHECK(shingles_of(p,
                    "a\xC3\xA9"
                    "b")
            .size() == 3);
  p.unit = ShingleUnit::kToken;
  CHECK_THROWS_AS(Shingler(p), Error);
}

TEST_CASE("the vector kernel equals the definition", "[dedup]") {
  const RandomStream random(8, RandomPurpose::kOther);
  for (const i64 count : {16, 112, 288}) {
    std::vector<u32> low;
    std::vector<u32> high;
    std::vector<u64> c;
    for (i64 i = 0; i < count; ++i) {
      low.push_back(static_cast<u32>(random.bits(static_cast<u64>(3 * i))) | 1);
      high.push_back(static_cast<u32>(random.bits(static_cast<u64>(3 * i + 1))));
      c.push_back(random.bits(static_cast<u64>(3 * i + 2)));
    }
    for (const i64 n : {0, 1, 2, 333}) {
      std::vector<u64> shingles;
      for (i64 i = 0; i < n; ++i)
        shingles.push_back(mix64(static_cast<u64>(i + 1)));
      if (n == 333) {
        shingles[5] = 0;
        shingles[6] = ~u64{0};
        shingles[7] = 0xFFFFFFFF;
      }
      const PermTable table{low.data(), high.data(), c.data(), count};
      std::vector<u32> fast(usize(count));
      std::vector<u32> slow(usize(count));
      minhash_minima(table, shingles, fast.data());
      minhash_minima_plain(table, shingles, slow.data());
      CHECK(fast == slow);
    }
  }
}

TEST_CASE("band collisions happen with probability 1 - (1 - J^r)^b", "[dedup]") {
  // 3000 pairs of random sets per similarity and shape; each pair has its own values.
  MinhashParams fineweb;
  MinhashParams small = fineweb;
  small.bands = 9;
  small.rows = 13;
  for (const MinhashParams& p : {fineweb, small}) {
    const Signer signer(p);
    for (const i64 common : {50, 70, 80, 90}) {
      const i64 trials = 3000;
      i64 hits = 0;
      std::vector<u32> minima(usize(p.minima()));
      std::vector<u64> a(usize(p.bands));
      std::vector<u64> b(usize(p.bands));
      for (i64 t = 0; t < trials; ++t) {
        const auto [left, right] = sets_with(common, 100, static_cast<u64>(t * 100 + common));
        signer.minima(left, minima);
        signer.band_keys(minima, a);
        signer.minima(right, minima);
        signer.band_keys(minima, b);
        bool hit = false;
        for (std::size_t i = 0; i < a.size(); ++i)
          hit = hit || a[i] == b[i];
        hits += hit;
      }
      const f64 expected = candidate_probability(static_cast<f64>(common) / 100, p.bands, p.rows);
      const f64 sigma = std::sqrt(expected * (1 - expected) / static_cast<f64>(trials));
      const f64 measured = static_cast<f64>(hits) / static_cast<f64>(trials);
      INFO("J 0." << common << " bands " << p.bands << " expected " << expected);
      CHECK(std::abs(measured - expected) <= 3 * sigma);
    }
  }
}

TEST_CASE("the candidate curve has the published values", "[dedup]") {
  CHECK(candidate_probability(0.5, 14, 8) == Approx(0.053).margin(0.0006));
  CHECK(candidate_probability(0.7, 14, 8) == Approx(0.565).margin(0.0006));
  CHECK(candidate_probability(0.8, 20, 13) == Approx(0.677).margin(0.0006));
  CHECK(candidate_probability(0.85, 26, 11) == Approx(0.991).margin(0.0006));
}

TEST_CASE("the best bands are those of an exhaustive search", "[dedup]") {
  // Threshold 0.9 with 128 permutations is 5 bands of 25: datasketch's documented example.
  const BandShape documented = best_bands(0.9, 128);
  CHECK(documented.bands == 5);
  CHECK(documented.rows == 25);
  for (const f64 threshold : {0.3, 0.5, 0.8}) {
    const i64 perms = 40;
    f64 least = 1000;
    BandShape best;
    for (i64 b = 1; b <= perms; ++b) {
      for (i64 r = 1; b * r <= perms; ++r) {
        f64 area = 0;
        for (i64 i = 0; i < 400; ++i) {
          const f64 j = (static_cast<f64>(i) + 0.5) / 400;
          const f64 q = candidate_probability(j, b, r);
          area += j < threshold ? q : 1 - q;
        }
        if (area < least) {
          least = area;
          best = {b, r};
        }
      }
    }
    const BandShape found = best_bands(threshold, perms);
    CHECK(found.bands == best.bands);
    CHECK(found.rows == best.rows);
  }
  CHECK_THROWS_AS(best_bands(1, 128), Error);
  CHECK_THROWS_AS(best_bands(0.5, 1), Error);
}

TEST_CASE("gopher's preset is the search's answer for its threshold", "[dedup]") {
  const BandShape shape = best_bands(0.8, 128);
  const std::optional<MinhashPreset> gopher = find_minhash_preset("gopher");
  REQUIRE(gopher);
  CHECK(gopher->params.bands == shape.bands);
  CHECK(gopher->params.rows == shape.rows);
  CHECK_FALSE(find_minhash_preset("nothing"));
}

TEST_CASE("seeds give different permutations, equal seeds the same", "[dedup]") {
  MinhashParams p;
  const auto sign = [&p] {
    std::vector<u32> minima(usize(p.minima()));
    Signer(p).minima(std::vector<u64>{1, 2, 3}, minima);
    return minima;
  };
  const std::vector<u32> zero = sign();
  CHECK(sign() == zero);
  p.seed = 1;
  CHECK(sign() != zero);
}

TEST_CASE("jaccard counts common and distinct elements", "[dedup]") {
  CHECK(jaccard(std::vector<u64>{1, 2, 3, 4}, std::vector<u64>{3, 4, 5}) == 0.4);
  CHECK(jaccard(std::vector<u64>{}, std::vector<u64>{}) == 0);
  CHECK(jaccard(std::vector<u64>{7}, std::vector<u64>{7}) == 1);
  CHECK(jaccard(std::vector<u64>{1}, std::vector<u64>{}) == 0);
}

TEST_CASE("shingles of tokens follow a real tokenizer's ids", "[dedup]") {
  const std::filesystem::path file = test::data_dir() / "tokenizers/gpt2/tokenizer.json.zst";
  if (!std::filesystem::exists(file)) LM_SKIP("no tokenizer data");
  text::LoadOptions options;
  options.add_specials = false;
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(file.string(), options);
  MinhashParams p = words(3);
  p.normaliser = text::Normaliser::kRaw;
  p.unit = ShingleUnit::kToken;
  const Shingler shingler(p, tokenizer.get());
  Shingler::Scratch scratch;
  std::vector<u64> out;
  const std::string text = "The quick brown fox jumps over the lazy dog, unbelievably.";
  const std::unique_ptr<text::EncodeState> state = tokenizer->new_state();
  std::vector<i32> ids;
  tokenizer->encode(text, *state, ids);
  shingler.shingles(text, scratch, out);
  CHECK(isize(out) == isize(ids) - 2);
  CHECK(scratch.unit_count == isize(ids));
  // " fox jumps over" are three tokens of GPT-2, wherever they stand.
  std::vector<u64> part;
  shingler.shingles(" fox jumps over", scratch, part);
  REQUIRE(part.size() == 1);
  CHECK(std::count(out.begin(), out.end(), part[0]) == 1);
}
