// Which scorer, and the stages that give every record of a batch its score.

#include <filesystem>

#include "core/str.h"
#include "filter.h"
#include "io/json.h"
#include "ngram/scorer.h"
#include "text/utf8.h"

namespace lm::filter_tool {

namespace {

std::pair<std::string, std::string> contrast_models(const cli::Options& options) {
  const std::string& text = options.text("contrast");
  const std::size_t comma = text.find(',');
  if (comma == std::string::npos || comma == 0 || comma + 1 == text.size()) {
    throw Error(ErrorKind::kUsage, cat("--contrast: ", quote(text), " is not GOOD,BAD"));
  }
  return {text.substr(0, comma), text.substr(comma + 1)};
}

bool stored_scores(const cli::Options& options) {
  return options.find("from-attr") != nullptr && options.given("from-attr");
}

const std::string& attribute_name(const cli::Options& options) {
  const std::string& name = options.text("from-attr");
  if (name.find('.') != std::string::npos) {
    throw Error(ErrorKind::kUsage, cat("--from-attr: ", quote(name), " has a dot; give the attribute's key alone"));
  }
  return name;
}

}  // namespace

std::unique_ptr<text::Scorer> open_model(const cli::Options& options, const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    throw Error(ErrorKind::kUsage, cat(path, ": is a folder, expected an ARPA or LMNG file"));
  }
  ngram::NgramSource source;
  source.path = path;
  source.tokenizer = options.text("tokenizer");
  if (options.given("unit")) {
    source.unit = options.text("unit") == "line" ? ngram::SentenceUnit::kLine : ngram::SentenceUnit::kDoc;
  }
  source.default_unit = ngram::SentenceUnit::kDoc;
  if (options.on("ccnet")) {
    source.ccnet = true;
    source.round = true;
  }
  return ngram::open_ngram_scorer(source);
}

std::unique_ptr<text::Scorer> open_scorer(const cli::Options& options) {
  const int given = (options.given("model") ? 1 : 0) + (options.on("zlib") ? 1 : 0) +
                    (options.given("contrast") ? 1 : 0) + (stored_scores(options) ? 1 : 0);
  if (given != 1) {
    const bool stored = options.find("from-attr") != nullptr;
    throw Error(ErrorKind::kUsage, cat(given == 0 ? "no scorer" : "more than one scorer", ": give one of -m MODEL, --zlib",
                                       stored ? ", --contrast GOOD,BAD and --from-attr NAME" : " and --contrast GOOD,BAD"));
  }
  if (stored_scores(options)) return nullptr;
  if (options.on("zlib")) return std::make_unique<ngram::ZlibScorer>(options.integer("zlib-min-bytes"));
  if (options.given("contrast")) {
    const auto [good, bad] = contrast_models(options);
    return std::make_unique<ngram::ContrastScorer>(open_model(options, good), open_model(options, bad));
  }
  return open_model(options, options.text("model"));
}

std::string name_of(const cli::Options& options) {
  if (options.given("name")) return options.text("name");
  if (options.on("zlib")) return "zlib";
  if (options.given("contrast")) {
    const auto [good, bad] = contrast_models(options);
    return cat(text::score_name(good), "_", text::score_name(bad));
  }
  return text::score_name(options.text("model"));
}

Scoring::Scoring(cli::Tool& tool, bool annotate)
    : tool_(tool), annotate_(annotate), scorer_(open_scorer(tool.options())) {
  const cli::Options& options = tool.options();
  if (scorer_) {
    tool.set_param("scorer", io::json_string(scorer_->digest()));
    fields_ = std::make_unique<text::ScoreFields>(options.text("field"), name_of(options), scorer_->measure());
    paths_ = fields_->paths();
  } else {
    if (annotate) throw Error(ErrorKind::kUsage, "--annotate adds computed scores; --from-attr computes none");
    attribute_ = 0;
    paths_ = {cat("attributes.", attribute_name(options))};
  }
  const auto add = [this](const std::string& path) {
    paths_.push_back(path);
    return isize(paths_) - 1;
  };
  if (options.find("group") != nullptr && options.given("group")) group_ = add(options.text("group"));
  if (tool.verb() == "bucket") {
    metadata_ = add("metadata");
    add("metadata.lm_ppl");
  }
  readers_ = std::make_unique<io::WorkerPool<io::JsonReader>>(
      [paths = paths_] { return std::make_unique<io::JsonReader>(paths); });
}

std::vector<io::BatchStage> Scoring::stages() {
  std::vector<io::BatchStage> out = {{StageMode::kParallel, [this](io::Batch& batch) { read(batch); }}};
  if (scorer_) {
    out.push_back({scorer_->concurrent() ? StageMode::kParallel : StageMode::kSerial,
                   [this](io::Batch& batch) { score(batch); }});
  }
  if (annotate_) out.push_back({StageMode::kParallel, [this](io::Batch& batch) { annotate(batch); }});
  return out;
}

std::optional<Fault> Scoring::take(io::Record& record, Scored& scored) const {
  io::JsonReader& json = record.json;
  const auto object = [&json](i64 field) -> std::optional<Fault> {
    const io::JsonType type = json.field(field).type;
    if (type == io::JsonType::kMissing || type == io::JsonType::kObject) return std::nullopt;
    return Fault{"type", cat("field ", quote(json.path(field)), " is ", io::json_type_name(type), ", expected an object"),
                 json.field(field).begin};
  };
  if (metadata_ >= 0) {
    if (std::optional<Fault> fault = object(metadata_)) return fault;
    if (std::optional<Fault> fault = object(metadata_ + 1)) return fault;
  }
  text::Score score;
  std::string text;
  if (scorer_) {
    if (annotate_) {
      if (std::optional<Fault> fault = fields_->check(json)) return fault;
    }
    const Result<std::string_view> value = json.string(0);
    if (!value) return value.fault();
    text = *value;
  } else {
    const Result<f64> value = text::read_document_span(json, attribute_);
    if (!value) return value.fault();
    score.value = *value;
  }
  std::string group = "all";
  if (group_ >= 0) {
    group = json.has(group_) ? json.text_of(group_).value_or("") : std::string();
    if (group.empty()) group = "none";
  }
  scored.texts.push_back(std::move(text));
  scored.scores.push_back(score);
  scored.groups.push_back(std::move(group));
  scored.lines.emplace_back(record.line);
  return std::nullopt;
}

void Scoring::read(io::Batch& batch) {
  // Shared only because std::any copies; the batch is the one owner.
  batch.user = std::make_shared<Scored>();
  Scored& scored = of(batch);
  readers_->with([&](io::JsonReader& json) {
    tool_.records_only().each_record(batch, json, [&](io::Record& record) { return take(record, scored); });
  });
}

void Scoring::score(io::Batch& batch) {
  Scored& scored = of(batch);
  const std::vector<std::string_view> texts(scored.texts.begin(), scored.texts.end());
  scorer_->score(texts, scored.scores);
}

void Scoring::annotate(io::Batch& batch) {
  Scored& scored = of(batch);
  readers_->with([&](io::JsonReader& json) {
    std::string padded;
    for (std::size_t i = 0; i < scored.lines.size(); ++i) {
      padded.assign(scored.lines[i]).append(usize(io::kJsonPadding), '\0');
      LM_CHECK(!json.parse(std::string_view(padded).substr(0, scored.lines[i].size())),
               "the record was good a moment ago");
      io::RecordEdit edit(json);
      fields_->set(edit, scored.scores[i], text::count_code_points(scored.texts[i]));
      scored.lines[i].clear();
      edit.write(scored.lines[i]);
      scored.lines[i].pop_back();
    }
  });
}

void run_score(cli::Tool& tool) {
  tool.input();
  Scoring scoring(tool, true);
  std::vector<io::BatchStage> stages = scoring.stages();
  stages.push_back({StageMode::kParallel, [](io::Batch& batch) {
                      for (const std::string& line : Scoring::of(batch).lines) append(batch.out, line, "\n");
                    }});
  tool.records().run(stages);
}

}  // namespace lm::filter_tool
