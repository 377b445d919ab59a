// Hashed n-grams, whitening, vectors in files.

#include <cmath>

#include "catch.h"
#include "core/context.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "embed/hash_embedder.h"
#include "embed/pooling.h"
#include "embed/vector_file.h"
#include "embed/whitening.h"
#include "tensor/convert.h"
#include "tensor/safe_writer.h"
#include "tensor/safetensors.h"

using namespace lm;
using namespace lm::embed;

namespace {

std::vector<f32> hashed(const std::string& shape, const std::string& text) {
  HashEmbedder embedder(parse_hash_shape(shape));
  Result<PreparedText> made = embedder.prepare(text);
  REQUIRE(made);
  embedder.add(std::move(*made));
  CHECK(embedder.pending() == 1);
  return *embedder.take();
}

/// The same by the definition.
std::vector<f32> slow_grams(const std::vector<std::pair<std::string, u64>>& grams, i64 dim) {
  std::vector<f32> out(usize(dim), 0.0f);
  for (const auto& [gram, seed] : grams) {
    const u64 hash = xxh3_64(gram, seed);
    out[usize(static_cast<i64>(hash % (u64{1} << 63) % static_cast<u64>(dim)))] +=
        hash >= u64{1} << 63 ? -1.0f : 1.0f;
  }
  normalize(out);
  return out;
}

std::vector<f32> random_vector(u64 seed, i64 n) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<f32> out;
  const f64 common = random.normal(1000);
  for (i64 i = 0; i < n; ++i)  // components of different size that depend on each other
    out.push_back(static_cast<f32>(3.0 + static_cast<f64>(i + 1) *
                                             (random.normal(static_cast<u64>(i)) + common)));
  return out;
}

}  // namespace

TEST_CASE("hashed n-grams are those of the folded text", "[embed]") {
  CHECK(hashed("char2-3,dim=64", "\xC3\x89  a\n") == slow_grams({{" \xC3\xA9", 0},
                                                                 {"\xC3\xA9 ", 0},
                                                                 {" a", 0},
                                                                 {"a ", 0},
                                                                 {" \xC3\xA9 ", 0},
                                                                 {"\xC3\xA9 a", 0},
                                                                 {" a ", 0}},
                                                                64));
  CHECK(hashed("word1-2,dim=32", "One two ONE") ==
        slow_grams({{"one", 1}, {"two", 1}, {"one", 1}, {"one two", 1}, {"two one", 1}}, 32));
  CHECK(hashed("char1-1,word1-1,dim=16", "ab") ==
        slow_grams({{" ", 0}, {"a", 0}, {"b", 0}, {" ", 0}, {"ab", 1}}, 16));
  CHECK(hashed("char3-5", "same Text") == hashed("char3-5,dim=1024", "  SAME   text "));
  for (const f32 x : hashed("char3-5", " \n"))
    CHECK(x == 0.0f);
  CHECK(hash_shape_text(parse_hash_shape("dim=8,char3")) == "hash:char3-3,dim=8");
  for (const char* const wrong :
       {"", "char", "char0-3", "char5-3", "char3-99", "dim=4", "char3-5,dim=0", "char3,char4", "x"})
    CHECK_THROWS_AS(parse_hash_shape(wrong), Error);
  const auto reason = [](std::string_view wrong) -> std::string {
    try {
      parse_hash_shape(wrong);
    } catch (const Error& e) {
      return e.message();
    }
    return "taken";
  };
  // A number out of range is understood, and refused with the range.
  CHECK(reason("char3,dim=1e12") == "--model hash: dim is 1000000000000, expected 1 to 16777216");
  CHECK(reason("char3-99") == "--model hash: \"char3-99\", expected lengths from 1 to 16, rising");
  CHECK(reason("char3,char4") == "--model hash: \"char4\" is a second range");
  CHECK(reason("char3,dim=x") == "--model hash: \"dim=x\" is not understood");
}

TEST_CASE("whitened vectors have mean zero and the identity as covariance", "[embed]") {
  constexpr i64 kWidth = 7;
  constexpr i64 kCount = 400;
  const LocalContext ctx;
  const test::TempDir dir;
  WhiteningFit fit(kWidth, *ctx->memory);
  for (u64 i = 0; i < kCount; ++i)
    fit.add(random_vector(i, kWidth));
  {
    io::AtomicFile file(dir.file("w"));
    fit.write(file);
    file.commit();
  }
  const Whitening whiten(dir.file("w"), 0);
  const Whitening first(dir.file("w"), 3);
  CHECK(whiten.dim() == kWidth);
  CHECK(first.dim() == 3);
  CHECK(first.key() != whiten.key());
  std::vector<f64> mean(kWidth, 0.0);
  std::vector<f64> second(kWidth * kWidth, 0.0);
  for (u64 i = 0; i < kCount; ++i) {
    std::vector<f32> y(kWidth);
    std::vector<f32> start(3);
    whiten.apply(random_vector(i, kWidth), y);
    first.apply(random_vector(i, kWidth), start);
    CHECK(std::equal(start.begin(), start.end(), y.begin()));
    for (std::size_t a = 0; a < kWidth; ++a) {
      mean[a] += static_cast<f64>(y[a]) / kCount;
      for (std::size_t b = 0; b < kWidth; ++b)
        second[a * kWidth + b] += static_cast<f64>(y[a]) * static_cast<f64>(y[b]) / (kCount - 1);
    }
  }
  for (std::size_t a = 0; a < kWidth; ++a) {
    CHECK(std::abs(mean[a]) < 1e-5);
    for (std::size_t b = 0; b < kWidth; ++b)
      CHECK(std::abs(second[a * kWidth + b] - (a == b ? 1.0 : 0.0)) < 1e-4);
  }
  CHECK_THROWS_AS(Whitening(dir.file("w"), 8), Error);
}

TEST_CASE("a whitening leaves out axes that nothing is known of", "[embed]") {
  const LocalContext ctx;
  const test::TempDir dir;
  WhiteningFit fit(3, *ctx->memory);
  io::AtomicFile none(dir.file("none"));
  fit.add(std::vector<f32>{1, 2, 5});
  CHECK_THROWS_AS(fit.write(none), Error);  // one vector has no variance
  fit.add(std::vector<f32>{3, 6, 5});
  io::AtomicFile file(dir.file("w"));
  fit.write(file);
  file.commit();
  const Whitening whiten(dir.file("w"), 0);
  std::vector<f32> y(3);
  whiten.apply(std::vector<f32>{3, 6, 5}, y);
  CHECK(std::abs(y[0]) == Approx(std::sqrt(0.5)));  // deviations +-sqrt(1/2) from the mean
  CHECK(y[1] == 0.0f);
  CHECK(y[2] == 0.0f);

  const std::vector<SafeWrite> nothing;
  write_safetensors(dir.file("empty"), nothing);
  try {
    Whitening(dir.file("empty"), 0);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.message().find("has no tensor \"mean\"") != std::string::npos);
  }
  OwnedTensor mean({4}, DType::kF64);
  OwnedTensor matrix({2, 3}, DType::kF64);
  const SafeWrite apart[] = {{"mean", mean.view}, {"matrix", matrix.view}};
  write_safetensors(dir.file("apart"), apart);
  try {
    Whitening(dir.file("apart"), 0);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.message().find("has shape [2, 3], expected rows of 4") != std::string::npos);
  }
}

TEST_CASE("a vector file holds what was added", "[embed]") {
  const LocalContext ctx;
  const test::TempDir dir;
  for (const DType dtype : {DType::kF32, DType::kF16}) {
    {
      VectorFile vectors(ctx, Shape{2, 3}, dtype);
      vectors.add("\"a\"", std::vector<f32>{1, 2, 3, 4, 5, 6});
      vectors.add("7", std::vector<f32>{-1, 0.5f, 0, 0, 0, 1.0f / 3});
      io::AtomicFile file(dir.file("v"));
      vectors.write(file, {{"model", "m"}});
      file.commit();
    }
    const SafeFile read(dir.file("v"));
    CHECK(read.metadata().at("ids") == "[\"a\",7]");
    CHECK(read.metadata().at("model") == "m");
    const SafeEntry* const entry = read.find("embeddings");
    REQUIRE(entry != nullptr);
    CHECK(entry->shape == Shape{2, 2, 3});
    CHECK(entry->dtype == dtype);
    OwnedTensor wide({2, 2, 3});
    load_entry(*entry, wide.view);
    CHECK(wide.view.f32_data()[7] == 0.5f);
    CHECK(wide.view.f32_data()[11] ==
          (dtype == DType::kF32 ? 1.0f / 3 : f16_to_f32(f32_to_f16(1.0f / 3))));
  }
  VectorFile nothing(ctx, Shape{3}, DType::kF32);
  io::AtomicFile file(dir.file("n"));
  nothing.write(file, {});
  file.commit();
  CHECK(SafeFile(dir.file("n")).find("embeddings")->shape == Shape{0, 3});
}
