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

/// What is there of a stream's outputs. Of a recipe: kComplete, with a manifest of the same
/// settings and inputs; kUnfinished, what such a run was putting in place when it was cut short,
/// unchanged.
enum class Found { kNothing, kUnfinished, kComplete };
/// Throws Error{kCannotCreate} for anything else that is there.
Found find_outputs(const cli::Tool& tool, const Stream& stream);
/// Throws Error{kCannotCreate} for outputs that are there and complete.
[[noreturn]] void refuse_outputs(const Stream& stream);

/// Files that end where the next line would make them larger than they may be; at least one. All
/// are put in place at the end: those of a recipe between a list of them, NAME.unfinished.json, and
/// the manifest. What both tell, a later run may replace.
class Parts {
 public:
  Parts(cli::Tool& tool, const Stream& stream, io::StreamHeader header);
  /// Whole lines.
  void write(std::string_view lines);
  /// Everything is complete under temporary names.
  void finish();
  /// The final renames. The list of the outputs of every stream first, then what it lists, then the
  /// manifest.
  void commit_list();
  void commit_outputs();
  void commit_manifest();
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
  std::unique_ptr<io::AtomicFile> list_;  // while it is there outputs may be
  std::unique_ptr<io::AtomicFile> manifest_;
};

}  // namespace lm::mix_tool
