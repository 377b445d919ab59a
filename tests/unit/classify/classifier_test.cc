#include "classify/classifier.h"

#include <cmath>
#include <cstring>
#include <random>
#include <sstream>
#include <thread>

#include <fasttext/fasttext.h>

#include "classify/model_file.h"
#include "core/error.h"
#include "core/random.h"
#include "models.h"

using namespace lm;
using namespace lm::classify;

namespace {

/// Models of every kind that the library has: word bigrams, parts of words, both and pruned codes,
/// hierarchical softmax, one against all.
std::vector<std::pair<std::string, std::string>> every_kind() {
  Samples samples = cats_and_dogs();
  for (i64 i = 0; i < 300; ++i)  // quantising needs 256 rows
    samples.push_back({i % 3 == 0 ? "bird" : "fish", "word" + std::to_string(i * 7919 % 1000) +
                                                         (i % 3 == 0 ? " wings" : " fins")});
  std::vector<std::pair<std::string, std::string>> out;
  TrainOptions options = tiny_options();
  options.epochs = 5;
  out.push_back({"bigrams", train_model(samples, options)});
  options.word_grams = 3;
  options.min_subword = 2;
  options.max_subword = 4;
  out.push_back({"subwords", train_model(samples, options)});
  options.quantise = true;
  out.push_back({"quantised", train_model(samples, options)});
  options.cutoff = 400;
  out.push_back({"pruned", train_model(samples, options)});
  options = tiny_options();
  options.loss = TrainLoss::kHierarchical;
  out.push_back({"hierarchical", train_model(samples, options)});
  options.loss = TrainLoss::kOneVsAll;
  options.word_grams = 1;
  out.push_back({"one against all", train_model(samples, options)});
  return out;
}

std::vector<std::string> lines() {
  using namespace std::string_literals;
  std::vector<std::string> out = {
      "",
      "   \t ",
      "the cat",
      "The Cat  PURRS\tand\vdrinks\fmilk\r",
      "a\0dog\0runs"s,
      "ball </s> cat cat cat",
      "</s>",
      "__label__cat dog __label__nothing __label__",
      "unseenword another",
      "\xE7\x8C\xAB\xE3\x81\x8C\xE5\xA5\xBD\xE3\x81\x8D \xF0\x9F\x90\xB6 na\xC3\xAFve",
      std::string(100000, 'x'),
      "word1 word2 word3 word4 word5 word6 word7 word8 wings fins"};
  std::string lots;
  for (i64 i = 0; i < 50000; ++i)  // more than a thread keeps
    lots += "w" + std::to_string(i) + " ";
  out.push_back(lots);
  out.push_back("the cat");
  return out;
}

std::string refusal(const std::string& bytes) {
  try {
    check_model(bytes, "m.bin");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kData);
    return error.what();
  }
  return "none";
}

template <typename T>
void put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

}  // namespace

TEST_CASE("a predictor says what the library says, for every kind of model", "[classify]") {
  const test::TempDir dir;
  for (const auto& [name, bytes] : every_kind()) {
    INFO(name);
    const std::string path = dir.file("model");
    write_bytes(path, bytes);
    fasttext::FastText library;
    library.loadModel(path);
    const auto model = std::make_shared<const Classifier>(path);
    Predictor predictor(model);
    for (const std::string& line : lines()) {
      INFO(line.substr(0, 60));
      std::istringstream in(line + "\n");
      std::vector<std::pair<float, std::string>> expected;
      library.predictLine(in, expected, -1, 0);
      const std::span<const Guess> guesses = predictor.predict(line);
      REQUIRE(guesses.size() == expected.size());
      for (std::size_t i = 0; i < guesses.size(); ++i) {
        CHECK(model->labels()[usize(guesses[i].label)] == expected[i].second);
        CHECK(guesses[i].probability == f64{expected[i].first});
      }
    }
  }
}

TEST_CASE("threads share a model", "[classify]") {
  const test::TempDir dir;
  const std::string path = dir.file("model");
  write_bytes(path, train_model(cats_and_dogs(), tiny_options()));
  const auto model = std::make_shared<const Classifier>(path);
  std::vector<f64> sums(7, 0);
  {
    std::vector<std::jthread> threads;
    for (f64& sum : sums)
      threads.emplace_back([&] {
        Predictor predictor(model);
        for (i64 i = 0; i < 200; ++i)
          for (const auto& [label, text] : cats_and_dogs())
            sum += predictor.predict(text)[0].probability;
      });
  }
  for (const f64 sum : sums)
    CHECK(sum == sums[0]);
}

TEST_CASE("every cut of a model is refused", "[classify]") {
  for (const auto& [name, bytes] : every_kind()) {
    INFO(name);
    CHECK(refusal(bytes) == "none");
    CHECK(refusal(bytes + "x") != "none");
    const std::size_t step = bytes.size() / 997 + 1;
    for (std::size_t size = 0; size < bytes.size(); size += size < 600 ? 1 : step)
      REQUIRE(refusal(bytes.substr(0, size)) != "none");
  }
}

TEST_CASE("sizes and weights that a library would follow are refused", "[classify]") {
  const std::string good = train_model(cats_and_dogs(), tiny_options());
  const std::size_t dictionary = 8 + 12 * 4 + 8;
  const auto with = [&](std::size_t at, auto value) {
    std::string bytes = good;
    put(bytes, at, value);
    return refusal(bytes);
  };
  CHECK(with(0, i32{1}) == "m.bin: is no fastText model");
  CHECK(with(4, i32{13}) == "m.bin: the fastText model has version 13, expected 11 or 12");
  CHECK(with(8, i32{0}) == "m.bin: the fastText model has 0 dimensions, expected 1 or more");
  CHECK(with(8, i32{1 << 30}) != "none");
  CHECK(with(28, i32{1 << 30}) ==
        "m.bin: the fastText model has n-grams of 1073741824 words, expected at most 32");
  CHECK(with(32, i32{9}) == "m.bin: the fastText model has loss 9, expected 1 to 4");
  CHECK(with(36, i32{2}) == "m.bin: the fastText model has word vectors, no labels");
  CHECK(with(40, i32{0}) == "m.bin: the fastText model has 0 buckets for n-grams");
  CHECK(with(40, i32{1 << 30}) != "none");
  CHECK(with(48, i32{-1}) != "none");
  CHECK(with(48, i32{1 << 20}) != "none");
  CHECK(with(dictionary, i32{1 << 30}) != "none");
  CHECK(with(dictionary + 8, i32{0}) != "none");
  CHECK(with(dictionary + 20, i64{1} << 60) != "none");
  CHECK(with(good.size() - 4, std::nanf("")) ==
        "m.bin: the fastText model has a weight of the output matrix out of range");
}

TEST_CASE("a model with changed bytes is refused or gives probabilities", "[classify]") {
  const test::TempDir dir;
  const std::string path = dir.file("model");
  std::minstd_rand random(7);
  for (const auto& [name, good] : every_kind()) {
    const std::size_t head = std::min<std::size_t>(good.size(), 2000);
    for (i64 i = 0; i < 60; ++i) {
      std::string bytes = good;
      bytes[random() % (i % 2 == 0 ? head : good.size())] ^= static_cast<char>(1 << random() % 8);
      if (refusal(bytes) != "none") continue;
      write_bytes(path, bytes);
      Predictor predictor(std::make_shared<const Classifier>(path));
      INFO(name << " " << i);
      for (const char* line : {"", "the cat", "word1 wings of a dog"})
        for (const Guess& guess : predictor.predict(line))
          REQUIRE((guess.probability >= 0 && guess.probability < 1.0001));
    }
  }
}
