// Equal models give themselves, bit for bit; weights of zero leave no trace; the order of models
// does not matter.

#include <algorithm>
#include <bit>
#include <numeric>

#include "fixture.h"
#include "merge/linear.h"
#include "merge/makers.h"
#include "merge/tiles.h"
#include "tensor/convert.h"

using namespace lm;
using lm::test::Numbers;
using lm::test::TestTensor;

namespace {

merge::Job linear_job(const std::vector<f64>& weights) {
  merge::Job job;
  job.method = merge::find_method("linear");
  job.name = "x";
  for (std::size_t m = 0; m < weights.size(); ++m)
    job.models.push_back(static_cast<i64>(m));
  job.params = {{job.method->find("weight"), weights}, {job.method->find("normalize"), {1}}};
  return job;
}

std::vector<f64> random_weights(i64 k, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<f64> out;
  for (i64 i = 0; i < k; ++i)
    out.push_back(0.01 + random.uniform(static_cast<u64>(i)));
  return out;
}

// Merges k times the same elements and returns how many bits of the result differ.
template <class A>
i64 wrong_after_merge(DType dtype, const std::string& bytes, const std::vector<f64>& weights) {
  const merge::KernelPtr<A> kernel = merge::make_kernel<A>(linear_job(weights));
  const i64 count = isize(bytes) / item_bytes(dtype);
  std::vector<A> in(usize(count));
  std::vector<A> out(usize(count));
  merge::widen(dtype, reinterpret_cast<const u8*>(bytes.data()), count, in.data());
  merge::Workspace<A> work;
  std::vector<const A*> inputs(weights.size(), in.data());
  merge::Chunk<A> chunk;
  chunk.count = count;
  chunk.x = inputs;
  chunk.work = &work;
  kernel->combine(chunk, out.data());
  std::string back(bytes.size(), '\0');
  merge::narrow(dtype, out.data(), count, reinterpret_cast<u8*>(back.data()));
  i64 wrong = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    wrong += back[i] != bytes[i] ? 1 : 0;
  return wrong;
}

}  // namespace

TEST_CASE("k equal models give every finite 16-bit pattern back, and infinities", "[merge]") {
  for (const DType dtype : {DType::kBf16, DType::kF16}) {
    std::string bytes;
    const u16 infinity = dtype == DType::kBf16 ? 0x7f80 : 0x7c00;
    for (u32 code = 0; code < 65536; ++code) {
      if ((code & 0x7fff) > infinity) continue;
      bytes.push_back(static_cast<char>(code & 0xff));
      bytes.push_back(static_cast<char>(code >> 8));
    }
    for (i64 k = 2; k <= 16; ++k) {
      INFO(dtype_name(dtype) << " " << k);
      CHECK(wrong_after_merge<f32>(dtype, bytes, std::vector<f64>(usize(k), 1.0)) == 0);
      CHECK(wrong_after_merge<f32>(dtype, bytes, std::vector<f64>(usize(k), 1.0 / 3)) == 0);
      for (u64 seed = 0; seed < 4; ++seed) {
        CHECK(wrong_after_merge<f32>(dtype, bytes,
                                     random_weights(k, seed * 100 + static_cast<u64>(k))) == 0);
      }
    }
  }
}

TEST_CASE("k equal f32 models give their bits back", "[merge]") {
  const RandomStream random(5, RandomPurpose::kOther);
  std::string bytes;
  for (u64 i = 0; i < 50000; ++i) {
    u32 bits = static_cast<u32>(random.bits(i));
    if (i % 7 == 0) bits &= 0x807fffffu;  // subnormals and zeros
    if ((bits & 0x7f800000u) == 0x7f800000u) continue;
    bytes.append(reinterpret_cast<const char*>(&bits), 4);
  }
  for (i64 k = 2; k <= 16; ++k) {
    INFO(k);
    CHECK(wrong_after_merge<f64>(DType::kF32, bytes, std::vector<f64>(usize(k), 1.0)) == 0);
    CHECK(wrong_after_merge<f64>(DType::kF32, bytes, random_weights(k, static_cast<u64>(k))) == 0);
  }
}

TEST_CASE("a mean of bf16 models is the exact mean rounded once", "[merge]") {
  for (const i64 k : {i64{2}, i64{3}, i64{5}, i64{8}}) {
    std::vector<Numbers> models;
    for (i64 m = 0; m < k; ++m)
      models.push_back(test::rounded(DType::kBf16, test::normal(20000, static_cast<u64>(m) + 1)));
    const Numbers got = test::VectorMerge{"linear", DType::kBf16, {}, {}, models}();
    i64 off = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      f64 sum = 0;  // exact: 8 bits each, within few powers of two
      for (const Numbers& model : models)
        sum += model[i];
      u16 code = 0;
      const f64 mean = sum / static_cast<f64>(k);
      merge::narrow(DType::kBf16, &mean, 1, reinterpret_cast<u8*>(&code));
      off += got[i] != static_cast<f64>(bf16_to_f32(code)) ? 1 : 0;
    }
    INFO(k);
    CHECK(off == 0);
  }
}

TEST_CASE("weight 0 leaves a model unread, NaN and all", "[merge]") {
  const test::TempDir dir;
  const Numbers x = test::normal(70000, 1);
  const f64 nan = std::nan("");
  for (const DType dtype : {DType::kBf16, DType::kF32}) {
    const auto model = [&](const char* name, const Numbers& values) {
      return test::write_model(dir, cat(name, dtype_name(dtype)),
                               {{"x", dtype, {70, 1000}, values}});
    };
    const std::string a = model("a", x);
    const std::string b = model("b", Numbers(x.size(), nan));
    for (const std::string method : {"linear", "karcher", "multislerp", "nuslerp"}) {
      const std::string third =
          method == "nuslerp" ? "" : cat(", {model: ", b, ", parameters: {weight: 0}}");
      const merge::MemorySink sink = test::merged_yaml(cat(
          "merge_method: ", method, "\nmodels: [{model: ", a,
          ", parameters: {weight: 1}}, {model: ", b, ", parameters: {weight: 0}}", third, "]\n"));
      INFO(method);
      CHECK(sink.tensors().find("x")->second.bytes == test::stored({"x", dtype, {}, x}));
    }
    CHECK_THROWS_WITH(test::merged_yaml(cat("merge_method: linear\nmodels: [{model: ", a,
                                            ", parameters: {weight: 1}}, {model: ", b,
                                            ", parameters: {weight: 1e-9}}]\n")),
                      Catch::Matchers::ContainsSubstring("tensor \"x\": element 0 is nan"));
  }
}

TEST_CASE("every order of the models gives the same bits", "[merge]") {
  for (const DType dtype : {DType::kBf16, DType::kF32}) {
    std::vector<Numbers> models;
    for (u64 m = 0; m < 5; ++m) {
      models.push_back(test::rounded(dtype, test::normal(9000, m + 1)));
      for (std::size_t i = 0; i < 100; ++i)
        models[m][i] = m % 2 == 0 ? 0.0 : -0.0;
    }
    std::vector<std::size_t> order = {0, 1, 2, 3, 4};
    const std::vector<std::string> weights = {":.1", ":.7", ":.33", ":1", ":.21"};
    Numbers equal_weights;
    Numbers own_weights;
    do {
      test::VectorMerge merge{"linear", dtype, {}, {}, {}};
      for (const std::size_t m : order)
        merge.models.push_back(models[m]);
      const Numbers equal = merge();
      for (const std::size_t m : order)
        merge.settings.push_back(weights[m]);
      const Numbers own = merge();
      if (equal_weights.empty()) {
        equal_weights = equal;
        own_weights = own;
      }
      REQUIRE(std::memcmp(equal.data(), equal_weights.data(), equal.size() * 8) == 0);
      REQUIRE(std::memcmp(own.data(), own_weights.data(), own.size() * 8) == 0);
      // A few of the 120 orders: every 7th.
      for (int skip = 0; skip < 7; ++skip)
        if (!std::next_permutation(order.begin(), order.end())) return;
    } while (true);
  }
}

TEST_CASE("dare's mean over seeds is the dense delta", "[merge]") {
  const i64 n = 64;
  const Numbers delta = test::normal(n, 3);
  Numbers sum(usize(n), 0.0);
  constexpr u64 kSeeds = 2000;
  const f64 p = 0.3;
  const test::TempDir dir;
  const std::string base =
      test::write_model(dir, "base", {{"x", DType::kF64, {n}, Numbers(usize(n), 0.0)}});
  const std::string model = test::write_model(dir, "m", {{"x", DType::kF64, {n}, delta}});
  const merge::Recipe recipe = merge::parse_recipe(
      cat("merge_method: dare_linear\nbase_model: ", base, "\nmodels: [{model: ", model,
          "}]\nparameters: {weight: 1, density: ", p, ", rescale: inverse}\n"),
      "r.yaml");
  LocalContext local;
  Context ctx = *local;
  for (u64 seed = 0; seed < kSeeds; ++seed) {
    ctx.seed = seed;
    const merge::MemorySink sink = test::merged(recipe, ctx);
    const Numbers out = test::numbers(DType::kF64, sink.tensors().find("x")->second.bytes);
    for (std::size_t i = 0; i < out.size(); ++i)
      sum[i] += out[i];
  }
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const f64 error = std::fabs(delta[i]) * std::sqrt((1 - p) / p / static_cast<f64>(kSeeds));
    CHECK(std::fabs(sum[i] / static_cast<f64>(kSeeds) - delta[i]) < 4.5 * error);
  }
}

TEST_CASE("della keeps elements as often as their rank says", "[merge]") {
  // Magnitude ranks (3, 1, 4, 2): probabilities .566667, .3, .7, .433333.
  constexpr i64 kRows = 250000;
  Numbers x;
  for (i64 row = 0; row < kRows; ++row)
    for (const f64 value : {3.0, 1.0, 4.0, 2.0})
      x.push_back(value);
  const Numbers out =
      test::VectorMerge{"della_linear",         DType::kF32, {kRows, 4},
                        Numbers(x.size(), 0.0), {x},         {":density=.5:epsilon=.2"},
                        {"rescale=none"}}();
  const f64 p[] = {.5 - .2 + .4 * 2 / 3, .3, .7, .5 - .2 + .4 / 3};
  for (std::size_t c = 0; c < 4; ++c) {
    i64 kept = 0;
    for (std::size_t i = c; i < out.size(); i += 4)
      kept += out[i] != 0 ? 1 : 0;
    const f64 error = std::sqrt(p[c] * (1 - p[c]) / static_cast<f64>(kRows));
    CHECK(std::fabs(static_cast<f64>(kept) / static_cast<f64>(kRows) - p[c]) < 4.5 * error);
  }
}
