#pragma once
// --resume FILE: records that an earlier run finished are taken from FILE instead of being made
// again; on a stop request what is finished is stored there.

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cli/tool.h"
#include "io/file.h"

namespace lm::decode_tool {

class ResumeFile {
 public:
  /// Reads FILE if it exists. A stream that was cut counts up to the cut; lines with an error or
  /// without a key, and a last line without its end do not count.
  explicit ResumeFile(cli::Tool& tool);
  /// The finished line with this key (record_key) and id. Called from the reading thread.
  std::optional<std::string> find(const std::string& id, std::string_view key);
  /// A record was finished by this run: whole lines.
  void note(std::string_view lines);
  /// Writes what was found and noted to FILE, atomically; returns how many records.
  i64 store() const;
  /// Lines of FILE that no record asked for.
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

  cli::Tool& tool_;
  std::string path_;
  io::TempFile found_;                             // lines of the earlier run
  io::TempFile made_;                              // lines of this run
  std::unordered_map<std::string, Place> places_;  // by key, never iterated
  std::vector<std::string> order_;                 // keys as they stand in FILE
  i64 used_ = 0;
  i64 noted_ = 0;
};

}  // namespace lm::decode_tool
