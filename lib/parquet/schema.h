#pragma once
// The columns of a file: the top-level fields of its schema, each flat, a list of flat values, or
// something that is refused by name when it is asked for.
// Source: apache/parquet-format, LogicalTypes.md (lists, backward compatibility rules).

#include <span>
#include <string>
#include <vector>

#include "core/types.h"
#include "parquet/metadata.h"
#include "parquet/place.h"

namespace lm::parquet {

struct Column {
  std::string name;
  /// Why it cannot be read ("a struct", "a map", "a list of lists", "of type INTERVAL"), or empty.
  std::string refused;
  bool list = false;
  i64 leaf = 0;  // its column chunk's number in every row group
  Physical physical = Physical::kAbsent;
  i32 type_length = 0;
  LogicalType logical;
  u32 max_def = 0;    // the definition level of a value that is there
  u32 empty_def = 0;  // lists: of an empty list; below it the list is null
  bool strings() const {
    return !list && (logical.kind == Logical::kString || logical.kind == Logical::kEnum ||
                     logical.kind == Logical::kJson);
  }
  /// "string", "int64", "list of string": for messages.
  std::string type_name() const;
};

struct Schema {
  std::vector<Column> columns;
  std::vector<Physical> leaves;  // of the column chunks
  std::vector<bool> flat;        // leaves that have one value a row
};

/// Throws Error{kData} for a tree that does not close, two columns of one name, and annotations
/// that do not fit the stored type.
Schema read_schema(std::span<const SchemaElement> elements, const Place& place);

}  // namespace lm::parquet
