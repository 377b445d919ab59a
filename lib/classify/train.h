#pragma once
// Training of supervised fastText models by the library, from labelled texts that are kept in a
// temporary file: the library reads its input once for the words and once per epoch. One thread:
// the library's several threads write to one matrix without order, and no two runs give one model.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/result.h"
#include "core/types.h"
#include "io/file.h"

namespace lm::classify {

enum class TrainLoss { kSoftmax, kHierarchical, kOneVsAll };

struct TrainOptions {
  i64 dim = 100;
  f64 rate = 0.1;
  i64 epochs = 5;
  i64 word_grams = 2;
  i64 buckets = 2'000'000;  // of n-grams of words and parts of words
  i64 min_count = 1;        // of a word
  i64 min_subword = 0;      // characters; max_subword 0: words have no parts
  i64 max_subword = 0;
  TrainLoss loss = TrainLoss::kSoftmax;
  bool quantise = false;
  i64 cutoff = 0;  // words and n-grams that a quantised model keeps, trained once more; 0: all
};

/// Appends the line of a labelled text: the words that a model would read of it. Words that begin
/// like a label are left out, as a model leaves them out. Fault "label" for an empty label and one
/// with white space.
std::optional<Fault> append_line(std::string& out, std::string_view label, std::string_view text);

/// Lines in a temporary file that has no name.
class LineFile {
 public:
  /// Throws Error{kCannotCreate} if the folder takes no file.
  explicit LineFile(const std::string& folder);
  /// Whole lines of append_line(). Throws Error{kIo}.
  void append(std::string_view lines, i64 count);
  i64 lines() const { return lines_; }
  /// A name by which this process can open it.
  std::string path() const;

 private:
  std::string name_;  // before fd_, which names it
  io::Fd fd_;
  i64 lines_ = 0;
};

/// How a model does on lines that it was not trained on.
struct LabelScore {
  std::string label;                    // without prefix
  i64 records = 0;                      // that have it
  i64 guessed = 0;                      // of which it was the likeliest
  i64 right = 0;                        // both
  std::vector<i64> above, right_above;  // [thresholds] records where its probability is as high
};
struct TestScore {
  i64 records = 0;
  i64 right = 0;
  i64 unknown = 0;  // with a label that is not in the model; in records too
  std::vector<LabelScore> labels;
};
/// Probabilities that LabelScore counts for.
std::span<const f64> thresholds();

struct TrainResult {
  i64 words = 0;
  i64 tokens = 0;
  f64 loss = 0;  // mean of the last lines, nats
  TestScore test;
};

/// Trains on the lines of data and gives the model file to write, piece by piece; then asks it
/// about test, unless that is empty. progress gets the part that is done. ctx.seed shapes the
/// weights; the bytes depend on data and options alone. Memory is charged: 120 MB, about 200 bytes
/// a word, and 4 * dim bytes per word and bucket, half as many again where it is quantised. Throws
/// Error{kData} for fewer than two labels, for no word that is frequent enough, for a rate at which
/// weights overflow, and for a matrix of fewer than 256 rows that is to be quantised; what write
/// throws.
TrainResult train(const Context& ctx, const TrainOptions& options, const LineFile& data,
                  const LineFile& test, const std::function<void(std::string_view)>& write,
                  const std::function<void(f64)>& progress);

}  // namespace lm::classify
