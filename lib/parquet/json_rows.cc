#include "parquet/json_rows.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::parquet {

namespace {

constexpr i64 kChunkBytes = 1 << 20;

}  // namespace

std::vector<std::string> row_keys(const RowReader& rows) {
  std::vector<std::string> keys;
  for (i64 i = 0; i < rows.column_count(); ++i)
    keys.push_back(cat(i == 0 ? '{' : ',', io::json_string(rows.column(i).name), ':'));
  return keys;
}

void append_row(const RowReader& rows, const std::vector<std::string>& keys, std::string& out) {
  if (keys.empty()) out.push_back('{');
  for (i64 i = 0; i < isize(keys); ++i) {
    out += keys[usize(i)];
    out += rows.value(i);
  }
  out += "}\n";
}

JsonRows::JsonRows(const std::string& path, const std::vector<std::string>& columns,
                   const Context& ctx)
    : file_(path, ctx), rows_(file_, file_.select(columns), ctx), keys_(row_keys(rows_)) {}

bool JsonRows::next(std::string& out) {
  const i64 begin = isize(out);
  while (isize(out) - begin < kChunkBytes && rows_.next())
    append_row(rows_, keys_, out);
  return isize(out) > begin;
}

}  // namespace lm::parquet
