#include "classify/train.h"

#include <fstream>

#include <fasttext/fasttext.h>

#include "core/error.h"
#include "io/file.h"
#include "models.h"

using namespace lm;
using namespace lm::classify;

namespace {

std::string line_of(const std::string& label, std::string_view text) {
  std::string out;
  const std::optional<Fault> fault = append_line(out, label, text);
  return fault ? "fault " + fault->code : out;
}

}  // namespace

TEST_CASE("a text becomes the words that a model reads of it", "[classify]") {
  using namespace std::string_view_literals;
  CHECK(line_of("good", " Two\n\nwords\0there\t"sv) == "__label__good Two words there\n");
  CHECK(line_of("__label__good", "") == "__label__good\n");
  CHECK(line_of("good", "a __label__bad b __label__ c") == "__label__good a b c\n");
  CHECK(line_of("good", "a </s> b") == "__label__good a\n");
  CHECK(line_of("", "a") == "fault label");
  CHECK(line_of("very good", "a") == "fault label");
}

TEST_CASE("training is the library's, byte for byte", "[classify]") {
  const test::TempDir dir;
  std::string lines;
  for (const auto& [label, text] : cats_and_dogs())
    REQUIRE_FALSE(append_line(lines, label, text));
  std::ofstream(dir.file("lines")) << lines;
  TrainOptions options = tiny_options();
  options.min_subword = 2;
  options.max_subword = 3;
  options.min_count = 2;
  fasttext::Args args;
  args.input = dir.file("lines");
  args.model = fasttext::model_name::sup;
  args.loss = fasttext::loss_name::softmax;
  args.dim = 8;
  args.lr = 0.5;
  args.epoch = 40;
  args.wordNgrams = 2;
  args.bucket = 1000;
  args.minn = 2;
  args.maxn = 3;
  args.minCount = 2;
  args.thread = 1;
  args.verbose = 0;
  args.seed = 5;
  fasttext::FastText library;
  library.train(args);
  library.saveModel(dir.file("model"));
  CHECK(train_model(cats_and_dogs(), options, nullptr, 5) == io::read_file(dir.file("model")));
  CHECK(train_model(cats_and_dogs(), options, nullptr, 6) != io::read_file(dir.file("model")));
}

TEST_CASE("a test counts every record once", "[classify]") {
  TrainResult result;
  train_model(cats_and_dogs(), tiny_options(), &result);
  const TestScore& score = result.test;
  CHECK(score.records == 6);
  CHECK(score.right == 6);
  CHECK(score.unknown == 0);
  REQUIRE(score.labels.size() == 2);
  CHECK(score.labels[0].records + score.labels[1].records == 6);
  CHECK(score.labels[0].guessed + score.labels[1].guessed == 6);
  for (const LabelScore& label : score.labels) {
    // 0.5: with two labels the likeliest has at least that.
    CHECK(label.above[4] == label.guessed);
    CHECK(label.right_above[4] == label.right);
    CHECK(std::is_sorted(label.above.rbegin(), label.above.rend()));
  }
}

TEST_CASE("what cannot be trained on is refused", "[classify]") {
  const auto message = [](const Samples& samples, const TrainOptions& options) -> std::string {
    try {
      train_model(samples, options);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kData);
      return error.what();
    }
    return "none";
  };
  CHECK(message({}, tiny_options()) == "no record to train on");
  CHECK(message({{"one", "a b"}}, tiny_options()) == "every record has the label \"one\"");
  TrainOptions options = tiny_options();
  options.quantise = true;
  options.word_grams = 1;
  CHECK(message(cats_and_dogs(), options) ==
        "fewer than 256 words and n-grams cannot be quantised");
}

TEST_CASE("memory is asked for before it is taken", "[classify]") {
  const LocalContext ctx(1, i64{200} << 20);
  LineFile data("/tmp");
  const LineFile test("/tmp");
  data.append("__label__a b\n__label__c d\n", 2);
  TrainOptions options;
  try {
    train(
        ctx, options, data, test, [](std::string_view) {}, [](f64) {});
    FAIL("800 MB fit into 200");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kOs);
  }
  CHECK(ctx->memory->used() == 0);
}

TEST_CASE("what quantising needs beside the matrix is asked for too", "[classify]") {
  TrainOptions options = tiny_options();
  options.dim = 2;
  options.epochs = 1;
  options.buckets = 3'000'000;  // rows of 8 bytes: their codes and norms take more
  const auto fits = [&](bool quantise, i64 mebibytes) {
    const LocalContext ctx(1, mebibytes << 20);
    LineFile data("/tmp");
    const LineFile test("/tmp");
    data.append("__label__a b\n__label__c d\n", 2);
    options.quantise = quantise;
    try {
      train(
          ctx, options, data, test, [](std::string_view) {}, [](f64) {});
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kOs);
      return false;
    }
    return true;
  };
  CHECK(fits(false, 140));  // 115 and 23
  CHECK_FALSE(fits(true, 140));
  CHECK(fits(true, 220));
}
