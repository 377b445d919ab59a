#pragma once
// The verbs of lm-ppl-filter, and the scoring part they share.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/tool.h"
#include "core/long_texts.h"
#include "decode/neural_scorer.h"
#include "ngram/select.h"
#include "text/score_fields.h"
#include "text/scorer.h"

namespace lm::filter_tool {

void run_score(cli::Tool& tool);
void run_select(cli::Tool& tool);
void run_bucket(cli::Tool& tool);
void run_cutoffs(cli::Tool& tool);
void run_responses(cli::Tool& tool);
std::vector<cli::Flag> responses_flags();
void run_eval(cli::Tool& tool);
std::vector<cli::Flag> eval_flags();

/// The records of a file beside the inputs, one after the other, with these fields. Throws
/// Error{kData} naming file and line of the first bad one.
void read_aside(cli::Tool& tool, const std::string& file, const std::vector<std::string>& paths,
                const std::function<std::optional<Fault>(io::JsonReader& json)>& take);

/// The scorer that -m, --zlib or --contrast ask for; null for --from-attr. Throws Error{kUsage}
/// unless it is exactly one and every option given has a model that it goes with.
std::unique_ptr<text::Scorer> open_scorer(cli::Tool& tool);
/// A model folder with the options of such folders, and form. later: further models, which are
/// opened after this one and share --memory with it.
std::unique_ptr<decode::NeuralScorer> open_folder(cli::Tool& tool, const std::string& path,
                                                  decode::NeuralScorerOptions form,
                                                  std::span<const std::string> later = {});
/// --name, or the name of the model.
std::string name_of(const cli::Options& options);

/// The good records of a batch with their scores; lives in batch.user.
struct Scored {
  std::vector<std::string> lines;  // as they go out
  std::vector<text::Score> scores;
  std::vector<std::string> groups;
  std::vector<ngram::Selection::Verdict> verdicts;

  // Between reading and scoring.
  std::vector<std::string> texts;
  std::vector<std::string> prompts;         // with --condition
  std::vector<std::pair<i64, i64>> places;  // line number and byte of each record
};

/// Reads records, scores them or reads stored scores, and adds attributes when asked to.
class Scoring {
 public:
  /// Opens the scorer and sets the stream's parameters. annotate: attributes are added.
  Scoring(cli::Tool& tool, bool annotate);
  /// Stages after which batch.user holds a Scored; to be followed by the verb's own.
  std::vector<io::BatchStage> stages();
  /// Sums of the scores of a batch, in stream order, and what they come to for the report.
  void add(const Scored& scored);
  void report() const;
  static Scored& of(io::Batch& batch) {
    return *std::any_cast<std::shared_ptr<Scored>&>(batch.user);
  }

 private:
  void read(io::Batch& batch);
  void score(io::Batch& batch);
  void score_slices(Scored& scored, std::span<const std::string_view> texts);
  void drop_bad(io::Batch& batch);
  void show_progress();
  void annotate(io::Batch& batch);
  std::optional<Fault> take(io::Record& record, Scored& scored) const;
  void charge(const io::Record& record, std::string_view text) const;

  struct Live {
    std::atomic<i64> records{0};
    std::atomic<i64> tokens{0};
  };

  cli::Tool& tool_;
  bool annotate_;
  std::shared_ptr<Live> live_ =
      std::make_shared<Live>();  // shared: progress may outlive the scoring
  std::unique_ptr<cli::StatusScope> status_;
  std::unique_ptr<text::Scorer> scorer_;  // null: stored scores
  text::Norm norm_ = text::Norm::kTokens;
  text::Score total_;
  i64 documents_ = 0;
  std::unique_ptr<LongTexts> long_texts_;
  std::unique_ptr<text::ScoreFields> fields_;  // null: stored scores
  std::vector<std::string> paths_;
  i64 before_ = 0;  // bytes of the budget that models take
  i64 attribute_ = -1;
  i64 prompt_ = -1;
  i64 group_ = -1;
  i64 metadata_ = -1;
  std::unique_ptr<io::WorkerPool<io::JsonReader>> readers_;
};

/// Group names to numbers in order of first appearance, and the rules.
class Judge {
 public:
  /// Rules and --cutoffs of the options.
  Judge(cli::Tool& tool, ngram::SelectRules rules);
  /// True if verdicts need all scores first.
  bool two_passes() const { return two_passes_; }
  /// One pass: by limits and the table of cut-offs alone.
  void decide(Scored& scored);
  /// Two passes: add in stream order, finish, then take verdicts in stream order.
  void add(const Scored& scored);
  void finish();
  ngram::Selection::Verdict next() { return selection_.next(); }
  /// The percentiles of what was added, as CSV.
  std::string csv() const;
  /// "head", ..., "all" where the table has no column for the group, "unscored".
  std::string bucket_name(i32 bucket) const;
  std::vector<std::string> bucket_names() const;
  /// Counts for the report; says how many documents had no score.
  void report(i64 documents, i64 kept);
  i64 unscored() const { return unscored_; }

  static constexpr i32 kAll = -2;

 private:
  u32 group_number(const std::string& name);
  ngram::Selection::Verdict by_table(f64 score, const std::string& group) const;

  cli::Tool& tool_;
  ngram::SelectRules rules_;
  bool table_given_;
  bool two_passes_;
  std::map<std::string, std::array<f64, 101>> table_;
  std::vector<std::string> names_;
  std::map<std::string, u32> numbers_;
  ngram::Selection selection_;
  i64 unscored_ = 0;
};

}  // namespace lm::filter_tool
