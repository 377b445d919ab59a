#include "parquet/json_rows.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::parquet {

namespace {

constexpr i64 kChunkBytes = 1 << 20;

void check_strings(const File& file, i64 number, std::string_view field) {
  const Column& column = file.columns()[usize(number)];
  if (column.strings()) return;
  throw Error(ErrorKind::kData,
              cat(file.path(), ": column ", quote(column.name), " is ", column.type_name(),
                  ", expected string for the field \"", field, "\""));
}

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

RecordRows::RecordRows(const std::string& path, const RecordColumns& columns, const Context& ctx)
    : file_(path, ctx) {
  std::vector<i64> numbers;
  const auto take = [&](std::string_view name) {
    const i64 number = file_.column(name);
    if (std::find(numbers.begin(), numbers.end(), number) != numbers.end())
      throw Error(ErrorKind::kUsage, cat("the column ", quote(name), " is given twice"));
    numbers.push_back(number);
    return isize(numbers) - 1;
  };
  text_ = take(columns.text);
  check_strings(file_, numbers.back(), "text");
  if (!columns.id.empty()) {
    id_ = take(columns.id);
    const Column& column = file_.columns()[usize(numbers.back())];
    const bool whole = !column.list &&
                       (column.physical == Physical::kInt32 || column.physical == Physical::kInt64);
    if (!whole && column.logical.kind != Logical::kUuid) check_strings(file_, numbers.back(), "id");
  }
  if (!columns.source.empty()) {
    source_ = take(columns.source);
    check_strings(file_, numbers.back(), "source");
  }
  metadata_ = isize(numbers);
  for (const std::string& name : columns.metadata)
    take(name);
  for (i64 i = 0; columns.all && i < isize(file_.columns()); ++i) {
    if (std::find(numbers.begin(), numbers.end(), i) == numbers.end())
      take(file_.columns()[usize(i)].name);
  }
  id_prefix_ = io::json_string(cat(path, ':'));
  id_prefix_.pop_back();
  for (i64 i = metadata_; i < isize(numbers); ++i) {
    keys_.push_back(cat(i == metadata_ ? ",\"metadata\":{" : ",",
                        io::json_string(file_.columns()[usize(numbers[usize(i)])].name), ':'));
  }
  rows_ = std::make_unique<RowReader>(file_, numbers, ctx);
}

void RecordRows::append_record(std::string& out) const {
  const std::string_view id = id_ >= 0 ? rows_->value(id_) : "null";
  out += "{\"id\":";
  if (id == "null") {
    append(out, id_prefix_, rows_->row() + 1, '"');
  } else if (id[0] == '"') {
    out += id;
  } else {
    append(out, '"', id, '"');
  }
  append(out, ",\"text\":", rows_->value(text_));
  if (source_ >= 0) append(out, ",\"source\":", rows_->value(source_));
  for (std::size_t i = 0; i < keys_.size(); ++i)
    append(out, keys_[i], rows_->value(metadata_ + static_cast<i64>(i)));
  out += keys_.empty() ? "}\n" : "}}\n";
}

bool RecordRows::next(std::string& out) {
  const i64 begin = isize(out);
  while (isize(out) - begin < kChunkBytes && rows_->next())
    append_record(out);
  return isize(out) > begin;
}

}  // namespace lm::parquet
