#pragma once
// lm-tag: its options, and what it does with the taggers of lib/tag.

#include <memory>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "tag/plan.h"

namespace lm::tag_tool {

std::vector<cli::Flag> flags();
void run(cli::Tool& tool);

/// The taggers that the options name, and the files they need.
class Chosen {
 public:
  /// Throws Error{kUsage} for names that are not there, kData and kNoInput for the files.
  explicit Chosen(cli::Tool& tool);
  const tag::TagPlan& plan() const { return *plan_; }
  /// Attributes without spans are written too.
  bool declare() const { return declare_; }
  /// The taggers for one thread. Throws what making them throws.
  tag::TagWorker worker() const { return tag::TagWorker(*plan_, long_texts_.get()); }

 private:
  tag::TagFiles files_;
  std::unique_ptr<tag::WordList> naughty_;
  std::unique_ptr<tag::TagPlan> plan_;
  std::unique_ptr<LongTexts> long_texts_;
  bool declare_;
};

/// Throws Error{kUsage} if options that frame records go with one that prints a text.
void refuse_stream_options(const cli::Tool& tool, const char* printing);

/// The taggers on a record. What ends the run, as an answer of a user's program may, names it.
std::optional<Fault> tag_record(const io::InputStream& input, io::Record& record,
                                tag::TagWorker& tags, const tag::FieldPlaces& places,
                                tag::LongForm form = tag::LongForm::kSpans);

/// Attributes inside the records.
void run_inline(cli::Tool& tool, const Chosen& chosen);
/// Attributes in files beside the documents.
void run_sidecar(cli::Tool& tool, const Chosen& chosen);
/// What was found, as a text.
void run_explain(cli::Tool& tool, const Chosen& chosen);

/// Of the verb train.
std::vector<cli::Flag> train_flags();
void run_train(cli::Tool& tool);

}  // namespace lm::tag_tool
