#pragma once
// lm-cat --from: inputs of other formats.

#include <vector>

#include "cli/tool.h"
#include "ingest/document.h"

namespace lm::cat_tool {

std::vector<cli::Flag> from_flags();

/// What the options of from_flags() ask for. Outlives the run.
class From {
 public:
  /// Puts the files of named folders in their place and sets the tool's converter; nothing for
  /// JSON lines. Before input() and output(). Throws kUsage, kNoInput.
  explicit From(cli::Tool& tool);
  From(const From&) = delete;
  From& operator=(const From&) = delete;
  /// After the run: counts for the report, and with -v.
  void finish();

 private:
  void expand_folders();
  void set_params();

  cli::Tool& tool_;
  bool active_ = false;
  ingest::Counts counts_;
};

}  // namespace lm::cat_tool
