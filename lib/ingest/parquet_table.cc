#include "ingest/parquet_table.h"

#include <vector>

#include "core/error.h"
#include "core/str.h"
#include "io/input.h"
#include "parquet/reader.h"

namespace lm::ingest {

namespace {

class ParquetConverter final : public io::Converter {
 public:
  ParquetConverter(const std::string& path, const ColumnOptions& columns,
                   const DocumentOptions& document, const Context& ctx)
      : file_(path, ctx),
        document_(document),
        map_(names_of(file_), columns, document.source, path),
        place_(file_.columns().size(), -1) {
    std::vector<i64> used;
    for (const i64 column : map_.used()) {
      check_readable(file_.columns()[usize(column)]);
      place_[usize(column)] = isize(used);
      used.push_back(column);
    }
    for (const i64 column : map_.strings())
      check_strings(column);
    rows_.emplace(file_, used, ctx);
  }

  bool next(std::string& out) override {
    const std::size_t before = out.size();
    while (isize(out) - static_cast<i64>(before) < kPieceBytes && rows_->next()) {
      ++document_.counts->read;
      ++document_.counts->kept;
      map_.write(out, cat(file_.path(), ":", rows_->row() + 1),
                 [&](i64 column, ColumnMap::As as, std::string& to) {
                   return add_value(rows_->value(place_[usize(column)]), as, to);
                 });
    }
    return out.size() > before;
  }

 private:
  static std::vector<std::string> names_of(const parquet::File& file) {
    std::vector<std::string> out;
    for (const parquet::Column& column : file.columns())
      out.push_back(column.name);
    return out;
  }

  void check_readable(const parquet::Column& column) const {
    if (column.refused.empty()) return;
    throw Error(ErrorKind::kData,
                cat(file_.path(), ": column ", quote(column.name), " is ", column.refused,
                    ", which is not supported"),
                "--metadata-columns A,B names those that are wanted");
  }

  void check_strings(i64 number) const {
    const parquet::Column& column = file_.columns()[usize(number)];
    if (column.strings()) return;
    throw Error(ErrorKind::kData,
                cat(file_.path(), ": column ", quote(column.name), " is ", column.type_name(),
                    ", expected string"),
                "--text-column NAME chooses another for the text");
  }

  static bool add_value(std::string_view json, ColumnMap::As as, std::string& to) {
    if (json == "null") return false;
    const bool digits = as == ColumnMap::As::kString && json[0] != '"';
    append(to, digits ? "\"" : "", json, digits ? "\"" : "");
    return true;
  }

  parquet::File file_;
  DocumentOptions document_;
  ColumnMap map_;
  std::vector<i64> place_;  // of a file's column among those that are read
  std::optional<parquet::RowReader> rows_;
};

}  // namespace

std::unique_ptr<io::Converter> convert_parquet(const std::string& file,
                                               const ColumnOptions& columns,
                                               const DocumentOptions& document,
                                               const Context& ctx) {
  if (file == "-")
    throw Error(ErrorKind::kUsage,
                cat(io::input_display_name(file), ": a Parquet file is read from its end"),
                "name the file");
  return std::make_unique<ParquetConverter>(file, columns, document, ctx);
}

}  // namespace lm::ingest
