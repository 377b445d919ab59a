#pragma once
// Rows of a Parquet file as records, by the same map of columns as those of other tables.

#include <memory>
#include <string>

#include "ingest/columns.h"
#include "ingest/document.h"
#include "io/convert.h"

namespace lm::ingest {

/// Only the columns that the map uses are read; nested ones among them are refused by name. Values
/// keep their types in metadata; an id that is a whole number becomes its digits. Throws kNoInput
/// and Error{kData} as parquet::File does (a pipe is none: the footer is at the end), and for a
/// column of text, source, created or added that is not of strings. ctx outlives the converter.
std::unique_ptr<io::Converter> convert_parquet(const std::string& file,
                                               const ColumnOptions& columns,
                                               const DocumentOptions& document, const Context& ctx);

}  // namespace lm::ingest
