#include "merge/linear.h"

#include <cstring>

#include "catch.h"
#include "core/hash.h"
#include "merge/convert.h"

using namespace lm;

namespace {

/// Stored bf16 elements of any bits but those of infinities and NaN.
std::vector<u16> finite_bits(i64 count, u64 seed) {
  std::vector<u16> out;
  for (u64 i = 0; isize(out) < count; ++i) {
    const u16 bits = static_cast<u16>(mix64(seed << 32 | i));
    if ((bits & 0x7f80) != 0x7f80) out.push_back(bits);
  }
  return out;
}

const u8* bytes_of(const std::vector<u16>& bits) {
  return reinterpret_cast<const u8*>(bits.data());
}

/// Through widened copies. False if a result is not finite.
bool by_chunks(const merge::LinearKernel<f32>& kernel, const std::vector<std::vector<u16>>& models,
               std::vector<u16>& to) {
  const i64 count = isize(models[0]);
  std::vector<std::vector<f32>> wide;
  std::vector<const f32*> pointers;
  for (const std::vector<u16>& model : models) {
    wide.emplace_back(usize(count));
    merge::widen(DType::kBf16, bytes_of(model), count, wide.back().data());
  }
  for (const std::vector<f32>& one : wide)
    pointers.push_back(one.data());
  merge::Workspace<f32> work;
  merge::Chunk<f32> chunk;
  chunk.count = count;
  chunk.x = pointers;
  chunk.work = &work;
  std::vector<f32> out(usize(count), 0.0f);
  kernel.combine(chunk, out.data());
  to.resize(usize(count));
  return merge::narrow(DType::kBf16, out.data(), count, reinterpret_cast<u8*>(to.data()));
}

/// As stored, with guards behind the output.
bool by_words(const merge::LinearKernel<f32>& kernel, const std::vector<std::vector<u16>>& models,
              std::vector<u16>& to) {
  const std::size_t count = models[0].size();
  std::vector<const u8*> pointers;
  for (const std::vector<u16>& model : models)
    pointers.push_back(bytes_of(model));
  to.assign(count + 8, 0xabcd);
  const bool done =
      kernel.combine_bf16(pointers, isize(models[0]), reinterpret_cast<u8*>(to.data()));
  for (std::size_t i = count; i < to.size(); ++i)
    REQUIRE(to[i] == 0xabcd);
  to.resize(count);
  return done;
}

}  // namespace

TEST_CASE("sums of stored bf16 have the bits of widened, added, narrowed ones", "[merge]") {
  const std::vector<std::pair<std::vector<f64>, f64>> rules = {
      {{0.6, 0.4}, 1},      {{1, 1}, 2}, {{3, -0.25}, 2.75},
      {{1e-3, 0.7}, 0.701}, {{0.37}, 1}, {{5}, 3}};
  u64 seed = 0;
  for (const auto& [weights, divisor] : rules) {
    const merge::LinearKernel<f32> kernel(weights, divisor);
    for (const i64 count : {1, 2, 3, 127, 128, 129, 255, 4096, 65535}) {
      std::vector<std::vector<u16>> models;
      for (std::size_t i = 0; i < weights.size(); ++i)
        models.push_back(finite_bits(count, ++seed));
      // Sums that would be rounded to infinity have a test of their own.
      for (std::vector<u16>& model : models)
        for (u16& bits : model)
          if ((bits & 0x7f80) > 0x7e00) bits = static_cast<u16>(bits & 0x81ff);
      std::vector<u16> want, got;
      INFO("seed " << seed << ", " << count << " elements");
      REQUIRE(by_chunks(kernel, models, want));
      REQUIRE(by_words(kernel, models, got));
      CHECK(got == want);
    }
  }
}

TEST_CASE("sums of stored bf16 that are not finite are left to the chunks", "[merge]") {
  const merge::LinearKernel<f32> kernel({0.5, 0.5}, 1);
  const merge::LinearKernel<f32> twice({2, 2}, 1);
  std::vector<u16> got;
  for (const i64 count : {1, 2, 131, 300}) {
    for (const i64 at : {i64{0}, count / 2, count - 1}) {
      for (const int bits : {0x7f80, 0xff80, 0x7fc0, 0xff81}) {
        std::vector<std::vector<u16>> models = {finite_bits(count, 1), finite_bits(count, 2)};
        for (std::vector<u16>& model : models)
          for (u16& one : model)
            one = static_cast<u16>(one & 0xbfff);
        REQUIRE(by_words(kernel, models, got));
        models[1][usize(at)] = static_cast<u16>(bits);
        CHECK_FALSE(by_words(kernel, models, got));
      }
      std::vector<std::vector<u16>> large(2, std::vector<u16>(usize(count), 0x3f80));
      REQUIRE(by_words(twice, large, got));
      large[0][usize(at)] = large[1][usize(at)] = 0x7f7f;  // the largest that there is
      REQUIRE(by_words(kernel, large, got));
      CHECK(got[usize(at)] == 0x7f7f);
      CHECK_FALSE(by_words(twice, large, got));
    }
  }
}

TEST_CASE("three models have no sum of stored elements", "[merge]") {
  const merge::LinearKernel<f32> three({1, 1, 1}, 3);
  const std::vector<std::vector<u16>> models(3, std::vector<u16>(4, 0x3f80));
  std::vector<u16> got;
  CHECK_FALSE(by_words(three, models, got));
}
