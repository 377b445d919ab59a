// train: labelled records to a fastText model.

#include "classify/train.h"

#include <atomic>
#include <map>
#include <set>

#include "classify/classifier.h"
#include "common/text_output.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/input.h"
#include "io/json.h"
#include "tag/catalogue.h"
#include "tag_tool.h"

namespace lm::tag_tool {

namespace {

constexpr i64 kLabelBytes = 200;     // of a label beside its text
constexpr i64 kMaxTableLabels = 10;  // with more, thresholds are left out of what is printed

classify::TrainOptions train_options(const cli::Options& options) {
  classify::TrainOptions out;
  out.dim = options.integer("dim");
  out.rate = options.real("lr");
  out.epochs = options.integer("epochs");
  out.word_grams = options.integer("word-ngrams");
  out.buckets = options.integer("buckets");
  out.min_count = options.integer("min-count");
  out.max_subword = options.integer("max-subword");
  out.min_subword = out.max_subword == 0 ? 0 : options.integer("min-subword");
  if (out.min_subword > out.max_subword)
    throw Error(ErrorKind::kUsage, cat("--min-subword ", out.min_subword,
                                       " is above --max-subword ", out.max_subword));
  const std::string& loss = options.text("loss");
  out.loss = loss == "hs"    ? classify::TrainLoss::kHierarchical
             : loss == "ova" ? classify::TrainLoss::kOneVsAll
                             : classify::TrainLoss::kSoftmax;
  out.quantise = options.on("quantise");
  out.cutoff = options.maybe_integer("cutoff").value_or(0);
  return out;
}

/// Lines of one batch, those of the test apart.
struct Lines {
  std::string text[2];
  i64 count[2] = {0, 0};
  std::set<std::string> labels;  // of the training
};

/// Sorts labelled records into the lines of training and test.
class LineReader {
 public:
  explicit LineReader(cli::Tool& tool)
      : tool_(tool),
        part_(tool.options().real("test")),
        data_(tool.ctx().tmp_dir),
        test_(tool.ctx().tmp_dir),
        workers_([&options = tool.options()] {
          return std::make_unique<io::JsonReader>(
              std::vector<std::string>{options.text("field"), options.text("label")});
        }) {}

  void run() {
    tool_.records_only().run({{StageMode::kParallel, [this](io::Batch& batch) { read(batch); }},
                              {StageMode::kSerial, [this](io::Batch& batch) { keep(batch); }}});
  }
  const classify::LineFile& data() const { return data_; }
  const classify::LineFile& test() const { return test_; }

 private:
  static Lines& lines(io::Batch& batch) {
    return *std::any_cast<std::shared_ptr<Lines>&>(batch.user);
  }

  void read(io::Batch& batch) {
    // Shared only because std::any copies; the batch is the one owner.
    batch.user = std::make_shared<Lines>();
    workers_.with([&](io::JsonReader& json) {
      tool_.records_only().each_record(
          batch, json, [&](io::Record& record) { return add(record.json, lines(batch)); });
    });
  }

  std::optional<Fault> add(io::JsonReader& json, Lines& out) const {
    const io::JsonType type = json.field(1).type;
    if (type == io::JsonType::kArray || type == io::JsonType::kObject)
      return Fault{"type",
                   cat("field ", quote(json.path(1)), " is ", io::json_type_name(type),
                       ", expected a label"),
                   json.field(1).begin};
    const std::optional<std::string> label = json.text_of(1);
    if (!label) return Fault{"missing", cat("field ", quote(json.path(1)), " is missing"), -1};
    const Result<std::string_view> text = json.string(0);
    if (!text) return text.fault();
    const bool kept = static_cast<f64>(xxh3_64(*text, tool_.seed()) >> 11) * 0x1p-53 < part_;
    std::optional<Fault> fault = classify::append_line(out.text[kept], *label, *text);
    if (fault) return fault;
    ++out.count[kept];
    if (kept == 0) out.labels.insert(*label);
    return std::nullopt;
  }

  void keep(io::Batch& batch) {
    const Lines& all = lines(batch);
    for (const std::string& label : all.labels)
      check_label(label);
    data_.append(all.text[0], all.count[0]);
    test_.append(all.text[1], all.count[1]);
  }

  /// What two labels make one attribute is a model that no tagger could use.
  void check_label(const std::string& label) {
    const auto [at, fresh] =
        labels_.emplace(tag::key_part(classify::label_name(label)), std::string(label));
    if (!fresh && classify::label_name(at->second) != classify::label_name(label))
      throw Error(ErrorKind::kData,
                  cat("the labels ", quote(at->second), " and ", quote(label),
                      " make one attribute, ", at->first),
                  "names of attributes have A-Z a-z 0-9 and _, all else becomes _");
    if (!fresh) return;
    tool_.ctx().memory->charge(isize(label) + kLabelBytes, "labels");
  }

  cli::Tool& tool_;
  f64 part_;
  std::map<std::string, std::string> labels_;  // by their part of a key
  classify::LineFile data_;
  classify::LineFile test_;
  io::WorkerPool<io::JsonReader> workers_;
};

std::string share(i64 part, i64 whole) {
  return whole == 0 ? "-" : format_fixed(static_cast<f64>(part) / static_cast<f64>(whole), 4);
}

/// How the model did, as tables.
std::string test_text(const classify::TestScore& score) {
  std::string out = cat("records ", score.records, ", right ", share(score.right, score.records));
  if (score.unknown > 0) append(out, ", of labels without a record to train on ", score.unknown);
  std::vector<std::vector<std::string>> rows = {{"label", "records", "precision", "recall"}};
  for (const classify::LabelScore& label : score.labels)
    rows.push_back({label.label, cat(label.records), share(label.right, label.guessed),
                    share(label.right, label.records)});
  append(out, "\n\n", tool_options::aligned_table(rows));
  if (isize(score.labels) > kMaxTableLabels) return out;
  rows = {{"label", "probability", "records", "precision", "recall"}};
  for (const classify::LabelScore& label : score.labels)
    for (std::size_t t = 0; t < classify::thresholds().size(); ++t)
      rows.push_back({label.label, cat(">= ", format_fixed(classify::thresholds()[t], 2)),
                      cat(label.above[t]), share(label.right_above[t], label.above[t]),
                      share(label.right_above[t], label.records)});
  append(out, "\n", tool_options::aligned_table(rows));
  return out;
}

void report(cli::Tool& tool, const LineReader& lines, const classify::TrainResult& result) {
  tool.add_metric("train_records", cat(lines.data().lines()));
  tool.add_metric("words", cat(result.words));
  tool.add_metric("tokens", cat(result.tokens));
  std::string loss;
  io::append_json_number(loss, result.loss);
  tool.add_metric("loss_nats", loss);
  const classify::TestScore& score = result.test;
  tool.add_metric("test_records", cat(score.records));
  tool.add_metric("test_right", cat(score.right));
  std::string labels = "[";
  for (const classify::LabelScore& label : score.labels) {
    append(labels, labels.size() > 1 ? "," : "", "{\"label\":", io::json_string(label.label),
           ",\"records\":", label.records, ",\"guessed\":", label.guessed,
           ",\"right\":", label.right, ",\"thresholds\":[");
    for (std::size_t t = 0; t < classify::thresholds().size(); ++t)
      append(labels, t > 0 ? "," : "", "[", classify::thresholds()[t], ",", label.above[t], ",",
             label.right_above[t], "]");
    labels += "]}";
  }
  tool.add_metric("test_labels", labels + "]");
}

}  // namespace

void run_train(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const classify::TrainOptions how = train_options(options);
  tool_options::refuse_options(tool, {"compress", "seekable", "flush"}, "writes a model",
                               "the output is as it is, neither framed nor compressed");
  const std::string& path = options.text("output");
  if (path == "-")
    throw Error(ErrorKind::kUsage, "train needs a file for the model",
                cat("-o FILE", how.quantise ? ".ftz" : ".bin", " names it"));
  tool.input();
  io::AtomicFile& out = tool.other_output(path);
  LineReader lines(tool);
  lines.run();
  std::atomic<f64> done{0};
  classify::TrainResult result;
  {
    const cli::StatusScope status = tool.set_status(
        [&done] { return cat("training: ", format_fixed(100 * done.load(), 1), " %"); });
    result = classify::train(
        tool.ctx(), how, lines.data(), lines.test(),
        [&out](std::string_view bytes) { out.write(bytes); },
        [&done](f64 part) { done.store(part); });
  }
  report(tool, lines, result);
  const std::string text = test_text(result.test);
  if (options.real("test") > 0) io::write_full(1, text.data(), isize(text), "<stdout>");
}

}  // namespace lm::tag_tool
