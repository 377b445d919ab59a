// select, bucket, cutoffs: the passes over the records.

#include "common/text_output.h"
#include "core/str.h"
#include "filter.h"
#include "io/json.h"
#include "io/spool.h"

namespace lm::filter_tool {

namespace {

bool given(const cli::Options& options, const char* name) {
  return options.find(name) != nullptr && options.given(name);
}

/// Files of --split-output, one per bucket, completed together.
class SplitOutputs {
 public:
  SplitOutputs(cli::Tool& tool, const std::vector<std::string>& buckets) {
    const std::string& pattern = tool.options().text("split-output");
    const std::size_t place = pattern.find("%s");
    if (place == std::string::npos) {
      throw Error(ErrorKind::kUsage,
                  cat("--split-output: ", quote(pattern), " has no %s for the bucket"));
    }
    const std::optional<io::Compression> compression =
        io::parse_compression(tool.options().text("compress"));
    if (!compression) {
      throw Error(ErrorKind::kUsage,
                  cat("--compress: ", quote(tool.options().text("compress")), " is unknown"));
    }
    io::StreamHeader header = tool.header();
    for (const io::StreamHeader& above : tool.input().headers())
      header.add_input(above);
    for (const std::string& bucket : buckets) {
      if (bucket.find('/') != std::string::npos) {
        throw Error(ErrorKind::kUsage,
                    cat("bucket ", quote(bucket), " cannot be part of a file name"));
      }
      io::StreamOutputOptions form;
      form.path = std::string(pattern).replace(place, 2, bucket);
      tool.claim_output(form.path);
      form.compression = *compression;
      form.seekable = tool.options().on("seekable");
      form.file = tool.output_options();
      outputs_.push_back(std::make_unique<io::OutputStream>(form, tool.ctx()));
      outputs_.back()->begin(header);
      numbers_[bucket] = outputs_.size() - 1;
    }
  }
  /// Adds one line, given without its newline, to what flush() writes.
  void add(const std::string& bucket, std::string_view line) {
    Pending& pending = pending_[numbers_.at(bucket)];
    append(pending.lines, line, "\n");
    pending.totals.add_line(line);
  }
  void flush() {
    for (auto& [number, pending] : pending_)
      outputs_[number]->write(pending.lines, pending.totals);
    pending_.clear();
  }
  void finish(const std::vector<io::StreamTotals>& inputs) {
    for (const std::unique_ptr<io::OutputStream>& out : outputs_)
      out->finish(inputs);
    for (const std::unique_ptr<io::OutputStream>& out : outputs_)
      out->commit();
  }

 private:
  struct Pending {
    std::string lines;
    io::StreamTotals totals;
  };
  std::map<std::size_t, Pending> pending_;
  std::vector<std::unique_ptr<io::OutputStream>> outputs_;
  std::map<std::string, std::size_t> numbers_;
};

class FilterRun {
 public:
  FilterRun(cli::Tool& tool, ngram::SelectRules rules)
      : tool_(tool),
        buckets_(tool.verb() == "bucket"),
        scoring_(tool, given(tool.options(), "annotate") && tool.options().on("annotate")),
        judge_(tool, std::move(rules)),
        readers_([] {
          return std::make_unique<io::JsonReader>(
              std::vector<std::string>{"metadata.lm_ppl.bucket"});
        }) {
    if (given(tool.options(), "split-output"))
      split_ = std::make_unique<SplitOutputs>(tool, judge_.bucket_names());
  }

  void run() {
    io::AtomicFile* const cutoffs = given(tool_.options(), "cutoffs-out")
                                        ? &tool_.other_output(tool_.options().text("cutoffs-out"))
                                        : nullptr;
    io::OutputStream* const out = split_ ? nullptr : &tool_.output();
    std::vector<io::BatchStage> stages = scoring_.stages();
    if (judge_.two_passes()) {
      io::Spool spool(tool_.ctx());
      stages.push_back(
          {StageMode::kSerial, [&](io::Batch& batch) {
             const Scored& scored = Scoring::of(batch);
             judge_.add(scored);
             spool.append(std::vector<std::string_view>(scored.lines.begin(), scored.lines.end()));
             batch.user.reset();
           }});
      tool_.records_only().run(stages);
      judge_.finish();
      if (cutoffs != nullptr) cutoffs->write(judge_.csv());
      stages = {{StageMode::kSerial, [this](io::Batch& batch) { recall(batch); }}};
      add_writers(stages);
      spool.replay(stages, out);
      tool_.add_metric("spool_bytes", cat(spool.bytes()));
    } else {
      stages.push_back(
          {StageMode::kSerial, [this](io::Batch& batch) { judge_.decide(Scoring::of(batch)); }});
      add_writers(stages);
      (split_ ? tool_.records_only() : tool_.records()).run(stages);
    }
    judge_.report(documents_, kept_);
    if (split_) split_->finish(tool_.records_only().input_totals());
  }

 private:
  /// A spooled batch's lines with their verdicts.
  void recall(io::Batch& batch) {
    batch.user = std::make_shared<Scored>();
    Scored& scored = Scoring::of(batch);
    std::string_view rest = batch.lines();
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      scored.lines.emplace_back(line);
      scored.verdicts.push_back(judge_.next());
      rest.remove_prefix(line.size() + 1);
    }
  }

  void add_writers(std::vector<io::BatchStage>& stages) {
    if (buckets_)
      stages.push_back({StageMode::kParallel, [this](io::Batch& batch) { mark(batch); }});
    stages.push_back({StageMode::kSerial, [this](io::Batch& batch) { write(batch); }});
  }

  void mark(io::Batch& batch) {
    Scored& scored = Scoring::of(batch);
    readers_.with([&](io::JsonReader& json) {
      std::string padded;
      for (std::size_t i = 0; i < scored.lines.size(); ++i) {
        padded.assign(scored.lines[i]).append(usize(io::kJsonPadding), '\0');
        LM_CHECK(!json.parse(std::string_view(padded).substr(0, scored.lines[i].size())),
                 "the record was good a moment ago");
        io::RecordEdit edit(json);
        edit.set(0, io::json_string(judge_.bucket_name(scored.verdicts[i].bucket)));
        scored.lines[i].clear();
        edit.write(scored.lines[i]);
        scored.lines[i].pop_back();
      }
    });
  }

  void write(io::Batch& batch) {
    const Scored& scored = Scoring::of(batch);
    for (std::size_t i = 0; i < scored.lines.size(); ++i) {
      ++documents_;
      if (!scored.verdicts[i].keep) continue;
      ++kept_;
      if (split_) {
        split_->add(judge_.bucket_name(scored.verdicts[i].bucket), scored.lines[i]);
      } else {
        append(batch.out, scored.lines[i], "\n");
      }
    }
    if (split_) split_->flush();
  }

  cli::Tool& tool_;
  bool buckets_;
  Scoring scoring_;
  Judge judge_;
  io::WorkerPool<io::JsonReader> readers_;
  std::unique_ptr<SplitOutputs> split_;
  i64 documents_ = 0;
  i64 kept_ = 0;
};

}  // namespace

void run_select(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  ngram::SelectRules rules;
  rules.min = options.maybe_real("min");
  rules.max = options.maybe_real("max");
  rules.keep_lowest = options.maybe_real("keep-lowest");
  rules.keep_highest = options.maybe_real("keep-highest");
  if (options.given("percentile")) {
    const std::vector<std::string_view> parts = split(options.text("percentile"), ',');
    if (parts.size() == 2) {
      rules.percentile_low = parse_float(parts[0]);
      rules.percentile_high = parse_float(parts[1]);
    }
    if (!rules.percentile_low || !rules.percentile_high) {
      throw Error(ErrorKind::kUsage,
                  cat("--percentile: ", quote(options.text("percentile")), " is not LOW,HIGH"));
    }
  }
  ngram::check_rules(rules);
  if (!rules.min && !rules.max && !rules.keep_lowest && !rules.keep_highest &&
      !rules.percentile_low) {
    throw Error(
        ErrorKind::kUsage,
        "nothing to select by: give --min, --max, --keep-lowest, --keep-highest or --percentile");
  }
  tool.input();
  FilterRun(tool, std::move(rules)).run();
}

void run_bucket(cli::Tool& tool) {
  ngram::SelectRules rules;
  rules.buckets = ngram::parse_buckets(tool.options().text("buckets"));
  for (const ngram::BucketRule& bucket : rules.buckets) {
    if (bucket.name == "all" || bucket.name == "unscored") {
      throw Error(ErrorKind::kUsage, cat("a bucket cannot be called ", quote(bucket.name),
                                         ": that name has a meaning"));
    }
  }
  tool.input();
  FilterRun(tool, std::move(rules)).run();
}

void run_cutoffs(cli::Tool& tool) {
  tool.input();
  tool_options::TextOutput out(tool);
  Scoring scoring(tool, false);
  Judge judge(tool, {});
  i64 documents = 0;
  std::vector<io::BatchStage> stages = scoring.stages();
  stages.push_back({StageMode::kSerial, [&](io::Batch& batch) {
                      documents += isize(Scoring::of(batch).scores);
                      judge.add(Scoring::of(batch));
                    }});
  tool.records_only().run(stages);
  judge.finish();
  const std::string csv = judge.csv();
  judge.report(documents, documents);
  out.write(csv);
}

}  // namespace lm::filter_tool
