#pragma once
// The folder of a run: step-NNNNNNNN checkpoints, `latest`, `best` and `final`, metrics. One
// process at a time (a lock file). A checkpoint appears complete or not at all; `latest` is a text
// file that is replaced by rename after it, so a crash at any moment leaves the previous state.

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/context.h"
#include "io/atomic_file.h"
#include "io/file.h"

namespace lm::train {

class RunFolder {
 public:
  /// Makes the folder and locks it. Throws Error{kCannotCreate} if it cannot be made, holds other
  /// things than a run, or another process trains there. Temporaries that a killed run left are
  /// removed. Of the ranks of a run one owns the folder; others touch nothing and may only ask for
  /// names.
  RunFolder(const std::string& path, const io::OutputOptions& options, bool owner = true);
  /// Removes the folder again if it was made here and nothing came into it.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string step_path(i64 step) const;
  /// Steps of the complete checkpoints, ascending. Nothing is read but names.
  std::vector<i64> steps() const;
  /// The newest checkpoint of step `most` or before whose files match its manifest, looking at
  /// `latest` first; older ones are tried after a warning that says what is wrong. nullopt without
  /// checkpoints; Error{kData} when there are some and none is good.
  std::optional<i64> newest_good(Log& log, i64 most = std::numeric_limits<i64>::max()) const;
  /// The step that `final` links to.
  std::optional<i64> final_step() const;

  /// Writes `latest` (and `best`): the name of a step folder.
  void point(const std::string& name, i64 step) const;
  /// Makes `final` a link to a step folder, by rename.
  void link_final(i64 step) const;
  /// Deletes checkpoints but `protect`, those divisible by keep_every (0: none), and the newest
  /// `keep` of the rest.
  void retire(i64 keep, i64 keep_every, const std::vector<i64>& protect) const;

 private:
  std::string path_;
  io::OutputOptions options_;
  io::Fd lock_;
  bool created_ = false;
};

}  // namespace lm::train
