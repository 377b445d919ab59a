#pragma once
// Tiny models that tests train themselves.

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "classify/train.h"

namespace lm::classify {

using Samples = std::vector<std::pair<std::string, std::string>>;  // label, text

inline TrainOptions tiny_options() {
  TrainOptions options;
  options.dim = 8;
  options.rate = 0.5;
  options.epochs = 40;
  options.buckets = 1000;
  return options;
}

/// The bytes of a model of these samples; score, if given, of the same samples.
inline std::string train_model(const Samples& samples, const TrainOptions& options,
                               TrainResult* result = nullptr, u64 seed = 0) {
  LocalContext ctx(1);
  Context own = *ctx;
  own.seed = seed;
  LineFile data("/tmp");
  LineFile test("/tmp");
  std::string lines;
  for (const auto& [label, text] : samples)
    REQUIRE_FALSE(append_line(lines, label, text));
  data.append(lines, static_cast<i64>(samples.size()));
  if (result != nullptr) test.append(lines, static_cast<i64>(samples.size()));
  std::string out;
  const TrainResult got = train(
      own, options, data, test, [&](std::string_view bytes) { out += bytes; }, [](f64) {});
  if (result != nullptr) *result = got;
  return out;
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline Samples cats_and_dogs() {
  return {{"cat", "the cat purrs and drinks milk"}, {"dog", "the dog barks at the postman"},
          {"cat", "a cat sleeps all day"},          {"dog", "a dog runs after a ball"},
          {"cat", "milk for the small cat"},        {"dog", "the ball of the big dog"}};
}

}  // namespace lm::classify
