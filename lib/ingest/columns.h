#pragma once
// Which columns of a table become which fields of a record: id, text, source, added, created,
// metadata, in this order.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/document.h"

namespace lm::ingest {

struct ColumnOptions {
  std::string text = "text";
  std::optional<std::string> id;      // without: the column id if there is one, else FILE:ROW
  bool all_metadata = true;           // every column that has no other use
  std::vector<std::string> metadata;  // otherwise these
};

/// The columns of one table. A column source is the record's source unless the options name one;
/// created and added are the record's own. Immutable.
class ColumnMap {
 public:
  /// place: "FILE:1", for messages. Throws Error{kData} for a column that is asked for and not
  /// there, and for one that is used and stands there twice.
  ColumnMap(const std::vector<std::string>& names, const ColumnOptions& options,
            const std::string& source, const std::string& place);

  enum class As { kString, kValue };
  /// Appends one record and a newline. value appends the cell of a column as JSON, id, text and
  /// source as strings, metadata as it is typed; it returns false, and appends nothing, for null.
  /// made_id: for rows without id, or with an empty one.
  void write(std::string& out, std::string_view made_id,
             const std::function<bool(i64 column, As as, std::string& out)>& value) const;

  i64 columns() const { return columns_; }
  /// The columns that write() asks for, each once.
  std::vector<i64> used() const;
  /// Those of them that hold text by their use: not the id, not metadata.
  std::vector<i64> strings() const;

 private:
  struct Field {
    std::string key;  // ,"name":
    i64 column;
  };
  i64 columns_ = 0;
  i64 id_ = -1;
  i64 text_ = -1;
  std::string source_json_;     // ,"source":"..." of the options
  std::vector<Field> strings_;  // source, added, created
  std::vector<Field> metadata_;
};

}  // namespace lm::ingest
