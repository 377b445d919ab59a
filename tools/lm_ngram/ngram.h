#pragma once
// The verbs of lm-ngram. Each reads its options from the tool and runs to the end.

#include <memory>
#include <optional>
#include <string>

#include "cli/tool.h"
#include "ngram/cutter.h"
#include "ngram/image_writer.h"

namespace lm::ngram_tool {

void run_train(cli::Tool& tool);
void run_score(cli::Tool& tool);
void run_convert(cli::Tool& tool);
void run_info(cli::Tool& tool);

/// The text form that --unit, --tokenizer, --ids-field and --normalise describe, with the
/// tokenizer.
struct AskedForm {
  ngram::TextForm form;
  std::unique_ptr<text::Tokenizer> tokenizer;
};
AskedForm asked_form(const cli::Options& options);

/// True if the output is to be an LMNG file: by --format, else by the suffix of --output.
/// Throws Error{kUsage} for LMNG to standard output.
bool wants_image(const cli::Options& options);

/// What a run writes to --output: a file that the tool completes, or standard output.
class ModelOutput {
 public:
  explicit ModelOutput(cli::Tool& tool);
  void write(std::string_view bytes);
  io::AtomicFile* file() { return file_; }
  /// Where the sections of an image go: into the file, or, when it is no regular one (a fifo),
  /// into memory first.
  ngram::ImageTarget& image_target(const Context& ctx);
  std::unique_ptr<ngram::ModelSink> image_sink(const Context& ctx, const std::string& form);
  std::unique_ptr<ngram::ModelSink> arpa_sink();
  /// After the sink's end.
  void complete();

 private:
  io::AtomicFile* file_ = nullptr;  // null: standard output
  std::optional<ngram::FileTarget> direct_;
  std::optional<ngram::PagedTarget> held_;
};

}  // namespace lm::ngram_tool
