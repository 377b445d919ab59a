#pragma once
// Resuming a run whose records take long: lines that an earlier run finished are taken from a file
// instead of being made again; on a stop request what is finished is stored there. A line is reused
// only if its key is the same: the hash of everything that shaped it. Output is then that of an
// undisturbed run.

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/context.h"
#include "io/atomic_file.h"
#include "io/file.h"

namespace lm::io {

/// 16 hexadecimal digits of what shapes a finished line: run_key (program and version, options,
/// models), the record's id and its input line. Lines carry it in the field "lm.key".
std::string record_key(u64 run_key, std::string_view id, std::string_view line);

class ResumeFile {
 public:
  /// Reads the file if it exists. A stream that was cut counts up to the cut; lines with an error
  /// or without a key, and a last line without its end do not count. Temporary files lie in
  /// ctx.tmp_dir and hold all lines. Throws Error{kData} for a file of other things, which store()
  /// would replace: one with lines, none of which an earlier run can have written.
  ResumeFile(const std::string& path, i64 max_record_bytes, const OutputOptions& out,
             const Context& ctx);
  /// The finished line with this key and id.
  std::optional<std::string> find(const std::string& id, std::string_view key);
  /// A record was finished by this run: whole lines.
  void note(std::string_view lines);
  /// Writes what was found and noted to the file, atomically; returns how many records.
  i64 store() const;
  /// Lines of the file that no record asked for.
  i64 unused() const { return isize(order_) - used_; }
  const std::string& path() const { return path_; }

 private:
  struct Place {
    i64 offset = 0;
    i64 size = 0;
    std::string id;
    bool used = false;
  };
  std::string read(const Place& place) const;

  std::string path_;
  OutputOptions out_;
  TempFile found_;                                 // lines of the earlier run
  TempFile made_;                                  // lines of this run
  std::unordered_map<std::string, Place> places_;  // by key, never iterated
  std::vector<std::string> order_;                 // keys as they stand in the file
  i64 used_ = 0;
  i64 noted_ = 0;
};

}  // namespace lm::io
