#include "parquet/place.h"

#include "core/error.h"
#include "core/str.h"

namespace lm::parquet {

void Place::fail(std::string_view what, std::string_view hint) const {
  std::string where(file);
  if (column.empty() && row_group < 0) where += ": footer";
  if (!column.empty()) append(where, ": column ", quote(column));
  if (row_group >= 0) append(where, column.empty() ? ": " : ", ", "row group ", row_group);
  if (page >= 0) append(where, ", page at byte ", page);
  throw Error(ErrorKind::kData, cat(where, ": ", what), std::string(hint));
}

}  // namespace lm::parquet
