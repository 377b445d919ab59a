#pragma once
// --resume FILE: records that an earlier run finished are taken from FILE instead of being made
// again; on a stop request what is finished is stored there.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "cli/tool.h"
#include "io/file.h"

namespace lm::decode_tool {

class ResumeFile {
 public:
  /// Reads FILE if it exists; made_path: the field that says what a line was made with. A stream
  /// that was cut counts up to the cut; lines with an error, a last line without its end and ids
  /// that stand there twice do not count. Throws Error{kData} for records of another model.
  ResumeFile(cli::Tool& tool, const std::string& made_path);
  /// The line of a finished record; made_with: the text that its field must have, empty: none.
  /// Throws Error{kData} for a record made with others. Called from the reading thread.
  std::optional<std::string> find(const std::string& id, std::string_view made_with) const;
  /// False if the input had this id before: its lines could not be told apart. From the same
  /// thread.
  bool first(const std::string& id);
  /// A record was finished by this run: whole lines.
  void note(std::string_view lines);
  /// Writes what was found and noted to FILE, atomically; returns how many records.
  i64 store() const;
  const std::string& path() const { return path_; }

 private:
  struct Place {
    i64 offset = 0;
    i64 size = 0;
    u64 made_with = 0;  // hash of the field's text
  };
  std::string read(Place place) const;

  cli::Tool& tool_;
  std::string path_;
  io::TempFile found_;  // lines of the earlier run
  io::TempFile made_;   // lines of this run
  std::map<std::string, Place> places_;
  std::unordered_set<u64> seen_;  // hashes of the input's ids, never iterated
  i64 noted_ = 0;
};

}  // namespace lm::decode_tool
