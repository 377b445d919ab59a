#pragma once
// Outputs that appear complete under their final name or not at all: written beside the target as
// .NAME.lm-PID-RANDOM, synced, closed with a check, renamed, folder synced. An output that is
// destroyed without commit() leaves nothing. Temporaries of dead processes on this host are removed
// when the same target is opened again.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "io/file.h"
#include "io/made_folders.h"

namespace lm::io {

struct OutputOptions {
  bool sync = true;    // fsync file and folder (--no-sync turns it off)
  bool rename = true;  // false: write in place (--no-rename), for mounts without atomic rename
};

/// One output file. Not a regular file (/dev/null, fifo): written directly. A symbolic link is
/// resolved and its target replaced. Throws kCannotCreate, kPermission, kIo.
class AtomicFile {
 public:
  AtomicFile(const std::string& path, const OutputOptions& options = {});
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  void write(std::string_view bytes);
  void write_at(std::string_view bytes, i64 offset);
  /// fsync and close, so that commit() can only fail in rename. Called by commit when needed; call
  /// it on every file first when several must appear together.
  void finish();
  /// Renames into place. After it the output is complete.
  void commit();
  bool committed() const { return committed_; }

 private:
  std::string path_;  // resolved target
  std::string temp_;  // empty when written directly
  OutputOptions options_;
  Fd fd_;
  bool finished_ = false;
  bool committed_ = false;
};

/// A folder output: files are written into .NAME.lm-PID-RANDOM/ beside the target, then the folder
/// is renamed. An existing target is kept until then and replaced, with all it holds, only when
/// replace is set; of a symbolic link it is the folder that the link leads to. Missing folders
/// above it are made, and go again with a target that is not committed, unless something else is
/// there.
class AtomicDir {
 public:
  AtomicDir(const std::string& path, const OutputOptions& options = {}, bool replace = false);
  ~AtomicDir();
  AtomicDir(const AtomicDir&) = delete;
  AtomicDir& operator=(const AtomicDir&) = delete;
  /// Where to write the file called name (sub-folders are made).
  std::string file(const std::string& name) const;
  const std::string& temp_path() const { return temp_; }
  /// Syncs every file and the folder, renames, syncs the parent. Throws Error{kCannotCreate} if
  /// somebody else has put a folder there meanwhile that is not to be replaced.
  void commit();

 private:
  MadeFolders parents_;  // before what is in them
  std::string path_;
  std::string temp_;
  OutputOptions options_;
  bool replace_;
  bool committed_ = false;
};

/// Throws Error{kCannotCreate} unless folder is absent, empty, or holds an entry whose name is
/// known as part of an older output of this kind ("model", "run"): what somebody else put there is
/// neither replaced nor added to.
void check_replaceable(const std::string& folder, std::string_view kind,
                       const std::function<bool(const std::string& name)>& known);

/// Writes a whole small file atomically.
void write_file(const std::string& path, std::string_view bytes, const OutputOptions& options = {});

/// Removes every unfinished temporary of this process. For the signal waiter just before the
/// process dies, while other threads may still be writing; commit() is excluded while it runs, and
/// no output can be begun after it.
void discard_unfinished_outputs();

}  // namespace lm::io
