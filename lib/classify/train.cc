#include "classify/train.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <limits>

#include <fasttext/fasttext.h>

#include "classify/classifier.h"
#include "classify/memory_stream.h"
#include "classify/model_file.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/spill.h"

namespace lm::classify {

namespace {

constexpr i64 kTableBytes = i64{30'000'000} * 4;  // the library's table of words, whatever it holds
constexpr i64 kMaxWords = 22'500'000;             // more, and the library drops the rarest
constexpr i64 kWordBytes = 40;  // of a word beside its characters: its parts, its rate
constexpr std::array<f64, 11> kThresholds = {0.1, 0.2, 0.3, 0.4,  0.5, 0.6,
                                             0.7, 0.8, 0.9, 0.95, 0.99};

fasttext::loss_name loss_of(TrainLoss loss) {
  switch (loss) {
    case TrainLoss::kHierarchical:
      return fasttext::loss_name::hs;
    case TrainLoss::kOneVsAll:
      return fasttext::loss_name::ova;
    case TrainLoss::kSoftmax:
      break;
  }
  return fasttext::loss_name::softmax;
}

fasttext::Args args_of(const TrainOptions& options, u64 seed, const std::string& input) {
  fasttext::Args args;
  args.input = input;
  args.model = fasttext::model_name::sup;
  args.loss = loss_of(options.loss);
  args.dim = static_cast<int>(options.dim);
  args.lr = options.rate;
  args.epoch = static_cast<int>(options.epochs);
  args.wordNgrams = static_cast<int>(options.word_grams);
  args.minCount = static_cast<int>(options.min_count);
  args.minn = static_cast<int>(options.min_subword);
  args.maxn = static_cast<int>(options.max_subword);
  const bool grams = options.word_grams > 1 || options.max_subword > 0;
  args.bucket = grams ? static_cast<int>(options.buckets) : 0;
  args.thread = 1;
  args.verbose = 0;
  args.seed = seed <= u64{std::numeric_limits<i32>::max()} ? static_cast<int>(seed)
                                                           : static_cast<int>(mix64(seed) >> 33);
  return args;
}

/// Lines for the library's readers. Reading throws std::ios_base::failure.
std::ifstream open_lines(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw os_error(ErrorKind::kIo, path, "cannot be opened again", errno);
  return in;
}

/// The library's training in steps, so that memory is known before it is taken, and its file
/// written so that a full disk is noticed.
class Trainer : public fasttext::FastText {
 public:
  Trainer(const Context& ctx, const TrainOptions& options, const std::string& input)
      : ctx_(ctx), options_(options) {
    args_ = std::make_shared<fasttext::Args>(args_of(options, ctx.seed, input));
  }
  ~Trainer() { ctx_.memory->release(charged_); }
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  void read_words() {
    // With what is known to follow, so that a refusal names a size that will do for it too.
    charge(kTableBytes + i64{args_->bucket} * args_->dim * 4);
    const i64 row = options_.min_count == 1 ? i64{args_->dim} * 4 : 0;  // no word is left out
    dict_ = std::make_shared<fasttext::Dictionary>(args_);
    std::ifstream in = open_lines(args_->input);
    std::string word;
    i64 words = 0;
    i64 least = 1;
    const i64 parts = std::max<i64>(options_.max_subword - options_.min_subword + 1, 0);
    while (dict_->readWord(in, word)) {
      if (dict_->getId(word) < 0) {
        make_room(++words);
        rows_charged_ += row;
        charge(row + kWordBytes + isize(word) +
               (options_.max_subword > 0 ? 4 * parts * isize(word) : 0));
      }
      dict_->add(word);
      if (words <= kMaxWords) continue;
      ++least;
      dict_->threshold(least, least);
      words = dict_->nwords() + dict_->nlabels();
    }
    dict_->threshold(args_->minCount, args_->minCountLabel);
    dict_->init();
    if (dict_->nlabels() < 2)
      throw Error(ErrorKind::kData,
                  dict_->nlabels() == 0
                      ? std::string("no record to train on")
                      : cat("every record has the label ", quote(label_name(dict_->getLabel(0)))),
                  "a classifier needs records of two labels or more");
    // The end of a line is a word, too.
    if (dict_->nwords() <= 1)
      throw Error(ErrorKind::kData,
                  args_->minCount == 1
                      ? std::string("there is no word in the texts")
                      : cat("no word occurs ", args_->minCount, " times or more in the texts"),
                  args_->minCount == 1 ? "--field names where texts are"
                                       : "a lower --min-count keeps some");
  }

  void make_matrices() {
    const i64 rows = i64{dict_->nwords()} + dict_->nlabels();
    charge(std::max<i64>(rows * args_->dim * 4 - rows_charged_, 0));
    input_ = createRandomMatrix();
    output_ = createTrainOutputMatrix();
    quant_ = false;
    auto loss = createLoss(output_);
    model_ = std::make_shared<fasttext::Model>(input_, output_, loss, true);
  }

  void run(const std::function<void(f64)>& progress) {
    const TrainCallback callback = [&](float done, float, double, double, int64_t) {
      progress(f64{done});
    };
    try {
      startThreads(callback);
      if (options_.quantise) quantise(callback);
    } catch (const fasttext::DenseMatrix::EncounteredNaNError&) {
      throw Error(ErrorKind::kData, cat("the weights overflow at --lr ", options_.rate),
                  "a lower --lr keeps them finite");
    }
  }

  void save(const std::function<void(std::string_view)>& write) {
    WriteBuffer buffer(write);
    std::ostream out(&buffer);
    out.exceptions(std::ios::badbit | std::ios::failbit);  // what write throws comes through
    signModel(out);
    args_->save(out);
    dict_->save(out);
    const char quantised = quant_ ? 1 : 0;
    out.write(&quantised, 1);
    input_->save(out);
    const char quantised_output = 0;
    out.write(&quantised_output, 1);
    output_->save(out);
    out.flush();
  }

  TestScore test(const LineFile& lines) const {
    TestScore score;
    for (i32 label = 0; label < dict_->nlabels(); ++label) {
      LabelScore& own = score.labels.emplace_back();
      own.label = label_name(dict_->getLabel(label));
      own.above.resize(kThresholds.size());
      own.right_above.resize(kThresholds.size());
    }
    std::ifstream in = open_lines(lines.path());
    std::vector<i32> words;
    std::vector<i32> labels;
    fasttext::Predictions guesses;
    for (i64 line = 0; line < lines.lines(); ++line) {
      dict_->getLine(in, words, labels);
      guesses.clear();
      predict(fasttext::Model::kUnlimitedPredictions, words, guesses);
      count(labels.empty() ? -1 : labels[0], guesses, score);
    }
    return score;
  }

  i64 words() const { return dict_->nwords(); }
  i64 tokens() const { return dict_->ntokens(); }
  f64 last_loss() const { return f64{loss_.load()}; }

 private:
  void charge(i64 bytes) {
    ctx_.memory->charge(bytes, "training a classifier");
    charged_ += bytes;
  }

  /// The library's list of words doubles when it is full, and is copied once more in the end.
  void make_room(i64 words) {
    if (words <= room_) return;
    const i64 more = std::max<i64>(room_, 1024);
    charge(more * i64{sizeof(fasttext::entry)} * 3 / 2);
    room_ += more;
  }

  void quantise(const TrainCallback& callback) {
    fasttext::Args args = *args_;
    args.qnorm = true;
    args.cutoff = static_cast<std::size_t>(options_.cutoff);
    args.retrain = options_.cutoff > 0;
    const i64 rows = i64{dict_->nwords()} + args_->bucket;
    charge(std::min(options_.cutoff, rows) * args_->dim * 4);
    charge(rows * ((args_->dim + 1) / 2 + 13));  // codes, norms and their order
    try {
      quantize(args, callback);
    } catch (const std::invalid_argument&) {
      throw Error(ErrorKind::kData, "fewer than 256 words and n-grams cannot be quantised",
                  "--no-quantise writes them as they are");
    }
  }

  static void count(i64 own, const fasttext::Predictions& guesses, TestScore& score) {
    ++score.records;
    if (own < 0) {
      ++score.unknown;
    } else {
      ++score.labels[usize(own)].records;
    }
    for (std::size_t i = 0; i < guesses.size(); ++i) {
      LabelScore& label = score.labels[usize(guesses[i].second)];
      const bool right = guesses[i].second == own;
      if (i == 0) {
        ++label.guessed;
        label.right += right;
        score.right += right;
      }
      const f64 probability = f64{std::exp(guesses[i].first)};
      for (std::size_t t = 0; t < kThresholds.size() && probability >= kThresholds[t]; ++t) {
        ++label.above[t];
        label.right_above[t] += right;
      }
    }
  }

  const Context& ctx_;
  const TrainOptions& options_;
  i64 charged_ = 0;
  i64 rows_charged_ = 0;  // of it, for rows of words in the matrix
  i64 room_ = 0;          // words that the list has room for
};

bool is_separator(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

}  // namespace

LineFile::LineFile(const std::string& folder) : fd_(io::open_spill(folder, name_)) {}

void LineFile::append(std::string_view lines, i64 count) {
  io::write_full(fd_.get(), lines.data(), isize(lines), name_);
  lines_ += count;
}

std::string LineFile::path() const {
  return cat("/proc/self/fd/", fd_.get());
}

std::span<const f64> thresholds() {
  return kThresholds;
}

std::optional<Fault> append_line(std::string& out, std::string_view label, std::string_view text) {
  if (label.empty() || std::any_of(label.begin(), label.end(), is_separator))
    return Fault{"label", cat("the label ", quote(label), " is empty or has white space")};
  append(out, label.starts_with(kLabelPrefix) ? "" : kLabelPrefix, label);
  for (std::size_t at = 0;;) {
    while (at < text.size() && is_separator(text[at]))
      ++at;
    if (at == text.size()) break;
    const std::size_t begin = at;
    while (at < text.size() && !is_separator(text[at]))
      ++at;
    const std::string_view word = text.substr(begin, at - begin);
    if (word == "</s>") break;  // the library ends a line here
    if (!word.starts_with(kLabelPrefix)) append(out, " ", word);
  }
  out += '\n';
  return std::nullopt;
}

TrainResult train(const Context& ctx, const TrainOptions& options, const LineFile& data,
                  const LineFile& test, const std::function<void(std::string_view)>& write,
                  const std::function<void(f64)>& progress) {
  Trainer trainer(ctx, options, data.path());
  const auto reading = [](const auto& step) {
    try {
      step();
    } catch (const std::ios_base::failure& failure) {
      throw Error(ErrorKind::kIo, cat("cannot read the texts again: ", failure.code().message()),
                  "they are in a temporary file, see --tmp-dir");
    }
  };
  reading([&] { trainer.read_words(); });
  trainer.make_matrices();
  reading([&] { trainer.run(progress); });
  trainer.save(write);
  TrainResult result;
  result.words = trainer.words();
  result.tokens = trainer.tokens();
  result.loss = trainer.last_loss();
  reading([&] { result.test = trainer.test(test); });
  return result;
}

}  // namespace lm::classify
