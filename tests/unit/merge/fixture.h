#pragma once
// Small models on disk, and merging them in memory.

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "catch.h"
#include "core/context.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "merge/convert.h"
#include "merge/folder.h"
#include "tensor/safe_writer.h"

namespace lm::test {

using Numbers = std::vector<f64>;

struct TestTensor {
  std::string name;
  DType dtype = DType::kF64;
  Shape shape;
  Numbers values;  // or, for types that are no numbers, bytes
};

inline std::string stored(const TestTensor& tensor) {
  std::string bytes(tensor.values.size() * usize(item_bytes(tensor.dtype)), '\0');
  if (is_floating(tensor.dtype)) {
    merge::narrow(tensor.dtype, tensor.values.data(), isize(tensor.values),
                  reinterpret_cast<u8*>(bytes.data()));
  } else {
    for (std::size_t i = 0; i < tensor.values.size(); ++i)
      bytes[i * usize(item_bytes(tensor.dtype))] = static_cast<char>(tensor.values[i]);
  }
  return bytes;
}

inline Numbers numbers(DType dtype, std::string_view bytes) {
  Numbers out(bytes.size() / usize(item_bytes(dtype)));
  merge::widen(dtype, reinterpret_cast<const u8*>(bytes.data()), isize(out), out.data());
  return out;
}

/// A model folder. config: config.json's text, or none.
inline std::string write_model(const TempDir& dir, const std::string& name,
                               const std::vector<TestTensor>& tensors,
                               const std::string& config = {}, i64 shard_bytes = kMaxShardBytes) {
  const std::string folder = dir.file(name);
  std::filesystem::create_directories(folder);
  SafeWriter writer = SafeWriter::to_folder(folder, shard_bytes);
  for (const TestTensor& one : tensors)
    writer.declare(one.name, one.dtype, one.shape);
  writer.begin();
  for (const i64 number : writer.order())
    writer.write_bytes(tensors[usize(number)].name, stored(tensors[usize(number)]));
  writer.commit();
  if (!config.empty()) io::write_file(folder + "/config.json", config);
  return folder;
}

/// Normal deviates, a function of seed.
inline Numbers normal(i64 count, u64 seed, f64 scale = 1) {
  const RandomStream random(seed, RandomPurpose::kOther);
  Numbers out;
  for (i64 i = 0; i < count; ++i)
    out.push_back(scale * random.normal(static_cast<u64>(i)));
  return out;
}

/// As they are after storing them.
inline Numbers rounded(DType dtype, const Numbers& values) {
  return numbers(dtype, stored({"", dtype, {isize(values)}, values}));
}

inline merge::Plan plan_of(const merge::Recipe& recipe, const Context& ctx,
                           const merge::PlanOptions& options = {}) {
  return merge::make_plan(recipe, options, ctx);
}

/// The merged tensors as they would be stored.
inline merge::MemorySink merged(const merge::Recipe& recipe, const Context& ctx,
                                const merge::PlanOptions& options = {},
                                const merge::EngineOptions& engine = {}) {
  merge::Plan plan = plan_of(recipe, ctx, options);
  merge::MemorySink sink;
  merge::run(plan.tensors, sink, engine, ctx);
  return sink;
}

inline merge::MemorySink merged_yaml(const std::string& yaml,
                                     const merge::PlanOptions& options = {},
                                     const merge::EngineOptions& engine = {}) {
  return merged(merge::parse_recipe(yaml, "r.yaml"), *LocalContext(), options, engine);
}

/// Merges vectors as tensors "x" of one type and shape. models: the vectors, with operands'
/// settings
/// (":0.5:density=.3").
struct VectorMerge {
  std::string method;
  DType dtype = DType::kF64;
  Shape shape;
  Numbers base;  // empty: none
  std::vector<Numbers> models;
  std::vector<std::string> settings = {};  // by model
  std::vector<std::string> set = {};       // of the whole merge
  u64 seed = 0;
  bool allow_nonfinite = false;

  Numbers operator()() const {
    const TempDir dir;
    merge::Recipe recipe;
    recipe.method = merge::find_method(method);
    REQUIRE(recipe.method != nullptr);
    recipe.where = "test";
    const Shape form = shape.rank > 0 ? shape : Shape{isize(models[0])};
    if (!base.empty()) recipe.base = write_model(dir, "base", {{"x", dtype, form, base}});
    for (std::size_t i = 0; i < models.size(); ++i) {
      const std::string path = write_model(dir, cat("m", i), {{"x", dtype, form, models[i]}});
      const std::string words = i < settings.size() ? settings[i] : std::string();
      recipe.models.push_back(merge::parse_operand(path + words, *recipe.method));
      merge::RecipeModel& model = recipe.models.back();
      if (recipe.method->find("weight") != nullptr && model.params.count("weight") == 0)
        model.params["weight"] = {{"", {"1"}, path}};
    }
    for (const std::string& one : set)
      merge::parse_setting(one, *recipe.method, "--set", recipe.params);
    merge::check_recipe(recipe, ErrorKind::kUsage);
    LocalContext local(2);
    Context ctx = *local;
    ctx.seed = seed;
    const merge::MemorySink sink =
        merged(recipe, ctx, {}, {.tile_bytes = 1 << 16, .allow_nonfinite = allow_nonfinite});
    const merge::MemorySink::Stored& out = sink.tensors().find("x")->second;
    return numbers(out.dtype, out.bytes);
  }
};

inline void check_close(const Numbers& got, const Numbers& want, f64 tolerance = 1e-12) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("element " << i << ": " << got[i] << ", expected " << want[i]);
    if (std::fabs(got[i] - want[i]) > tolerance * (1 + std::fabs(want[i]))) {
      CHECK(got[i] == want[i]);
      return;
    }
  }
  CHECK(true);
}

}  // namespace lm::test
