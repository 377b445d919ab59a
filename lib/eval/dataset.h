#pragma once
// Documents of a task: local files of JSON lines, one JSON array, CSV or TSV with a header line,
// each plain or zstd-compressed. A document is a map from fields to values and the text it came
// from.

#include <memory>
#include <string>
#include <vector>

#include "core/context.h"
#include "eval/held_bytes.h"
#include "eval/task.h"
#include "text/value.h"

namespace lm::eval {

struct Doc {
  text::Value fields;  // a map
  std::string json;    // as it stands in the file, or made of the fields
  std::shared_ptr<const std::string> file = nullptr;  // all documents of a file share its name
  i64 line = 0;

  /// "FILE:LINE", or nothing where that is not known.
  std::string place() const;
};

/// Documents, charged to the budget.
class DocSet {
 public:
  explicit DocSet(MemoryBudget& memory) : held_(&memory, "the documents of a task") {}
  void add(Doc doc);
  const std::vector<Doc>& docs() const& { return docs_; }
  void docs() const&& = delete;  // of a temporary they would dangle

 private:
  std::vector<Doc> docs_;
  HeldBytes held_;
};

/// All documents of the files in order; most: 0 for all, else no more are read. Throws
/// Error{kNoInput}, Error{kData} "FILE:LINE: what" for what is no document, and Error{kOs} when the
/// budget has no room.
DocSet read_docs(const std::vector<std::string>& files, i64 most, const Context& ctx);

}  // namespace lm::eval
