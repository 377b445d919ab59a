#include "parquet/json_writer.h"

#include <simdjson.h>

#include "core/error.h"
#include "core/str.h"

namespace lm::parquet {

struct JsonWriter::Parser {
  simdjson::dom::parser parser;
};

OutColumn parse_column(std::string_view text) {
  static constexpr std::pair<std::string_view, ColumnType> kTypes[] = {
      {"string", ColumnType::kString}, {"json", ColumnType::kJson},
      {"int", ColumnType::kInteger},   {"float", ColumnType::kNumber},
      {"bool", ColumnType::kBoolean},  {"strings", ColumnType::kStrings}};
  OutColumn out;
  const std::size_t colon = text.rfind(':');
  out.name = text.substr(0, colon);
  if (out.name.empty())
    throw Error(ErrorKind::kUsage, cat("a column ", quote(text), ", expected PATH or PATH:TYPE"));
  if (colon == std::string_view::npos) return out;
  for (const auto& [name, type] : kTypes) {
    if (name != text.substr(colon + 1)) continue;
    out.type = type;
    return out;
  }
  throw Error(ErrorKind::kUsage, cat("a column of type ", quote(text.substr(colon + 1)),
                                     ", expected string, json, int, float, bool or strings"));
}

JsonWriter::JsonWriter(const std::string& path, const std::vector<OutColumn>& columns,
                       const WriterOptions& options, const Context& ctx)
    : writer_(path, columns, options, ctx),
      row_(columns.size()),
      parser_(std::make_unique<Parser>()) {}

JsonWriter::~JsonWriter() = default;

std::vector<std::string> JsonWriter::paths(const std::vector<OutColumn>& columns) {
  std::vector<std::string> out;
  for (const OutColumn& column : columns)
    out.push_back(column.name);
  return out;
}

std::optional<Fault> JsonWriter::take_strings(io::JsonReader& record, i64 column) {
  const auto type_fault = [&](std::string_view what) {
    return Fault{
        "type",
        cat("field ", quote(record.path(column)), " is ", what, ", expected an array of strings"),
        record.field(column).begin};
  };
  const io::JsonField& field = record.field(column);
  if (field.type != io::JsonType::kArray) return type_fault(io::json_type_name(field.type));
  // The line is padded, and so is a part of it.
  const std::string_view raw = record.raw(column);
  simdjson::dom::array items;
  if (parser_->parser.parse(raw.data(), raw.size(), false).get(items) != simdjson::SUCCESS)
    return type_fault("an array that is no JSON");
  std::vector<std::string>& out = row_[usize(column)].strings;
  out.clear();
  for (const simdjson::dom::element item : items) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS) return type_fault("an array of other things");
    out.emplace_back(text);
  }
  return std::nullopt;
}

std::optional<Fault> JsonWriter::take(io::JsonReader& record, i64 column) {
  Value& value = row_[usize(column)];
  value.there = record.has(column);
  if (!value.there) return std::nullopt;
  switch (writer_.columns()[usize(column)].type) {
    case ColumnType::kString: {
      const Result<std::string_view> text = record.string(column);
      if (!text) return text.fault();
      value.text = *text;
      return std::nullopt;
    }
    case ColumnType::kJson:
      value.text = trim(record.raw(column));
      return std::nullopt;
    case ColumnType::kInteger: {
      const Result<i64> number = record.integer(column);
      if (!number) return number.fault();
      value.integer = *number;
      return std::nullopt;
    }
    case ColumnType::kNumber: {
      const Result<f64> number = record.number(column);
      if (!number) return number.fault();
      value.number = *number;
      return std::nullopt;
    }
    case ColumnType::kBoolean: {
      const io::JsonType type = record.field(column).type;
      if (type != io::JsonType::kBool) {
        return Fault{"type",
                     cat("field ", quote(record.path(column)), " is ", io::json_type_name(type),
                         ", expected a boolean"),
                     record.field(column).begin};
      }
      value.boolean = record.raw(column).starts_with('t');
      return std::nullopt;
    }
    case ColumnType::kStrings:
      return take_strings(record, column);
  }
  return std::nullopt;
}

void JsonWriter::give(i64 column) {
  const Value& value = row_[usize(column)];
  if (!value.there) return;
  switch (writer_.columns()[usize(column)].type) {
    case ColumnType::kString:
    case ColumnType::kJson:
      writer_.string(column, value.text);
      break;
    case ColumnType::kInteger:
      writer_.integer(column, value.integer);
      break;
    case ColumnType::kNumber:
      writer_.number(column, value.number);
      break;
    case ColumnType::kBoolean:
      writer_.boolean(column, value.boolean);
      break;
    case ColumnType::kStrings:
      writer_.strings(column, value.strings);
      break;
  }
}

std::optional<Fault> JsonWriter::add(io::JsonReader& record) {
  for (i64 i = 0; i < isize(row_); ++i) {
    if (std::optional<Fault> fault = take(record, i)) return fault;
  }
  for (i64 i = 0; i < isize(row_); ++i)
    give(i);
  writer_.end_row();
  return std::nullopt;
}

}  // namespace lm::parquet
