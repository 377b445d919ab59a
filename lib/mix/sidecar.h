#pragma once
// Attributes in files beside the documents: for documents/P/X.jsonl.zst a file FOLDER/P/X.jsonl.zst
// with one row per document, in the same order: {"id": ..., "attributes": {...}}. Rows that do not
// match, are too few or too many end the run: documents would pass unfiltered.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/result.h"
#include "io/input.h"
#include "io/json.h"
#include "text/attributes.h"

namespace lm::mix {

using text::AttributeMerge;
using text::merge_attributes;

/// The file of attributes for a file of documents: what follows the last "documents" folder of its
/// path, else its name, in folder. Throws Error{kUsage} for standard input, which has no name.
std::string sidecar_path(std::string_view folder, std::string_view documents);

/// The same for one of the folders that lie beside "documents", as other mixers name it: of
/// A/documents/P/X it is A/attributes/NAME/P/X. Throws Error{kUsage} for a path without such a
/// folder.
std::string named_sidecar_path(std::string_view name, std::string_view documents);

/// The rows of one folder, file by file beside the documents' files.
/// Thread rule: one thread at a time.
class SidecarRows {
 public:
  /// documents: paths of the inputs; paths: the files beside them. Throws Error{kNoInput} for a
  /// file that is not there.
  SidecarRows(std::vector<std::string> paths, std::vector<std::string> documents,
              i64 max_record_bytes, const Context& ctx);
  ~SidecarRows();
  /// The next `count` rows of the file beside input `input`, appended to rows; lines: their
  /// numbers. Inputs ascend. Throws Error{kData} where the file ends early.
  void take(i64 input, i64 count, std::vector<std::string>& rows, std::vector<i64>& lines);
  /// No document is left of input `input` and those before it. Throws Error{kData} for rows that
  /// are left.
  void end(i64 input);
  const std::string& path(i64 input) const { return paths_[usize(input)]; }
  /// All files, for those who must not write to them.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  class Reader;
  void open(i64 input);

  const Context* ctx_;
  i64 max_record_bytes_;
  std::vector<std::string> documents_;
  std::vector<std::string> paths_;
  i64 at_ = -1;
  i64 ended_ = -1;
  std::unique_ptr<Reader> reader_;
};

}  // namespace lm::mix
