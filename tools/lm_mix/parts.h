#pragma once
// Outputs of several files, and the manifest by which a later run knows them.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/tool.h"
#include "io/made_folders.h"
#include "plan.h"

namespace lm::mix_tool {

/// Names of the files of an output: before, number, behind.
struct PartNames {
  std::string folder;  // "" or with a slash at its end
  std::string before;
  i64 digits = 5;
  std::string behind;

  std::string path(i64 part) const;
  /// Those that are there, sorted, by path.
  std::vector<std::string> existing() const;
};

/// Of "DIR/NAME-%05d.jsonl.zst". Throws Error{kUsage} for a text without one %d in its name.
PartNames part_names(const std::string& pattern);

/// A stream of records: the command line's, or one of a recipe.
struct Stream {
  std::string name;   // "" for the command line's
  std::string where;  // of a recipe: "FILE:LINE"
  StreamOptions options;
  std::vector<std::string> documents;
  std::vector<std::vector<std::string>> sidecars;  // files by folder, one for each of documents
  std::optional<PartNames> parts;                  // none: the tool's one output
  i64 max_bytes = 0;                               // of a part, uncompressed
};

/// Throws Error{kCannotCreate} for outputs that are there already. True, and a message, for those
/// that --skip-complete takes for this run's.
bool is_complete(cli::Tool& tool, const Stream& stream);

/// Files that end where the next line would make them larger than they may be; at least one. All
/// are put in place at the end.
class Parts {
 public:
  Parts(cli::Tool& tool, const Stream& stream, io::StreamHeader header);
  /// Whole lines.
  void write(std::string_view lines);
  /// Everything is complete under temporary names.
  void finish();
  /// The final renames, the manifest's last.
  void commit();
  io::StreamTotals totals() const;

 private:
  void open();
  std::string manifest() const;

  cli::Tool& tool_;
  const Stream& stream_;
  io::StreamHeader header_;
  io::StreamOutputOptions form_;
  io::MadeFolders folders_;  // before the files in them
  std::vector<std::unique_ptr<io::OutputStream>> outputs_;
  std::unique_ptr<io::AtomicFile> manifest_;
};

}  // namespace lm::mix_tool
