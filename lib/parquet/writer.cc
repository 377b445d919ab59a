#include "parquet/writer.h"

#include <algorithm>
#include <unordered_set>

#include "core/error.h"
#include "core/str.h"
#include "io/frame.h"
#include "parquet/column_writer.h"
#include "parquet/thrift.h"

namespace lm::parquet {

namespace {

// Codes of parquet.thrift.
constexpr i64 kUtf8Converted = 0;
constexpr i64 kListConverted = 3;
constexpr i64 kJsonConverted = 19;
constexpr i64 kStringLogical = 1;
constexpr i64 kListLogical = 3;
constexpr i64 kJsonLogical = 12;

constexpr i64 kMaxValueBytes = i64{1} << 30;  // pages have sizes of 31 bits

Physical stored_as(ColumnType type) {
  switch (type) {
    case ColumnType::kInteger:
      return Physical::kInt64;
    case ColumnType::kNumber:
      return Physical::kDouble;
    case ColumnType::kBoolean:
      return Physical::kBoolean;
    default:
      return Physical::kByteArray;
  }
}

void annotate(ThriftWriter& out, i64 converted, i64 logical) {
  out.integer32(6, converted);
  out.begin(10);
  out.begin(logical);
  out.end();
  out.end();
}

void write_group_element(ThriftWriter& out, Repetition repetition, std::string_view name,
                         bool list) {
  out.begin_element();
  out.integer32(3, static_cast<i64>(repetition));
  out.binary(4, name);
  out.integer32(5, 1);
  if (list) annotate(out, kListConverted, kListLogical);
  out.end();
}

void write_leaf_element(ThriftWriter& out, const OutColumn& column, Repetition repetition,
                        std::string_view name) {
  out.begin_element();
  out.integer32(1, static_cast<i64>(stored_as(column.type)));
  out.integer32(3, static_cast<i64>(repetition));
  out.binary(4, name);
  if (column.type == ColumnType::kString || column.type == ColumnType::kStrings)
    annotate(out, kUtf8Converted, kStringLogical);
  if (column.type == ColumnType::kJson) annotate(out, kJsonConverted, kJsonLogical);
  out.end();
}

void write_schema(ThriftWriter& out, const std::vector<OutColumn>& columns) {
  i64 elements = 1;
  for (const OutColumn& column : columns)
    elements += column.type == ColumnType::kStrings ? 3 : 1;
  out.begin_list(2, ThriftType::kStruct, elements);
  out.begin_element();
  out.binary(4, "schema");
  out.integer32(5, isize(columns));
  out.end();
  for (const OutColumn& column : columns) {
    if (column.type != ColumnType::kStrings) {
      write_leaf_element(out, column, Repetition::kOptional, column.name);
      continue;
    }
    write_group_element(out, Repetition::kOptional, column.name, true);
    write_group_element(out, Repetition::kRepeated, "list", false);
    write_leaf_element(out, column, Repetition::kRequired, "element");
  }
}

}  // namespace

Writer::Writer(const std::string& path, std::vector<OutColumn> columns,
               const WriterOptions& options, const Context& ctx)
    : columns_(std::move(columns)),
      options_(options),
      file_(path, options.file),
      held_(ctx, "a row group of a Parquet file") {
  options_.row_group_bytes =
      std::clamp<i64>(options_.row_group_bytes, 1, std::max<i64>(ctx.memory->limit() / 4, 1));
  std::unordered_set<std::string_view> names;
  for (const OutColumn& column : columns_) {
    if (!names.insert(column.name).second)
      throw Error(ErrorKind::kUsage, cat("two columns are called ", quote(column.name)));
    buffers_.push_back(std::make_unique<ColumnWriter>(column.type));
  }
  file_.write("PAR1");
  at_ = 4;
}

Writer::~Writer() = default;

void Writer::string(i64 column, std::string_view value) {
  LM_CHECK(columns_[usize(column)].type == ColumnType::kString ||
               columns_[usize(column)].type == ColumnType::kJson,
           "a column of strings");
  if (isize(value) > kMaxValueBytes) {
    throw Error(
        ErrorKind::kData,
        cat(file_.path(), ": column ", quote(columns_[usize(column)].name), ", row ", rows_ + 1,
            ": a string of ", value.size(), " bytes, expected at most ", kMaxValueBytes));
  }
  buffers_[usize(column)]->string(value);
}

void Writer::integer(i64 column, i64 value) {
  LM_CHECK(columns_[usize(column)].type == ColumnType::kInteger, "a column of whole numbers");
  buffers_[usize(column)]->fixed(&value, 8);
}

void Writer::number(i64 column, f64 value) {
  LM_CHECK(columns_[usize(column)].type == ColumnType::kNumber, "a column of numbers");
  buffers_[usize(column)]->fixed(&value, 8);
}

void Writer::boolean(i64 column, bool value) {
  LM_CHECK(columns_[usize(column)].type == ColumnType::kBoolean, "a column of truth values");
  buffers_[usize(column)]->boolean(value);
}

void Writer::strings(i64 column, const std::vector<std::string>& values) {
  LM_CHECK(columns_[usize(column)].type == ColumnType::kStrings, "a column of lists");
  i64 bytes = 0;
  for (const std::string& value : values)
    bytes += isize(value) + 8;
  if (bytes > kMaxValueBytes) {
    throw Error(ErrorKind::kData,
                cat(file_.path(), ": column ", quote(columns_[usize(column)].name), ", row ",
                    rows_ + 1, ": a list of ", bytes, " bytes, expected at most ", kMaxValueBytes));
  }
  buffers_[usize(column)]->strings(values);
}

void Writer::end_row() {
  i64 gathered = 0;
  i64 held = 0;
  for (const std::unique_ptr<ColumnWriter>& buffer : buffers_) {
    buffer->end_row();
    gathered += buffer->gathered();
    held += buffer->held();
  }
  ++rows_;
  ++group_rows_;
  if (held != held_.bytes()) held_.set(held);
  if (gathered >= options_.row_group_bytes || group_rows_ >= options_.row_group_rows) write_group();
}

void Writer::write_group() {
  Group group;
  group.rows = group_rows_;
  for (const std::unique_ptr<ColumnWriter>& buffer : buffers_) {
    Chunk chunk;
    chunk.begin = at_;
    chunk.values = buffer->values();
    chunk.nulls = buffer->nulls();
    const ColumnWriter::Pages pages = buffer->finish(options_, file_);
    chunk.bytes = pages.bytes;
    chunk.uncompressed = pages.uncompressed;
    chunk.dictionary = pages.dictionary_bytes > 0;
    chunk.data_page = at_ + pages.dictionary_bytes;
    at_ += chunk.bytes;
    group.chunks.push_back(chunk);
  }
  groups_.push_back(std::move(group));
  group_rows_ = 0;
}

std::string Writer::footer() const {
  ThriftWriter out;
  out.integer32(1, 2);
  write_schema(out, columns_);
  out.integer64(3, rows_);
  out.begin_list(4, ThriftType::kStruct, isize(groups_));
  for (const Group& group : groups_) {
    out.begin_element();
    out.begin_list(1, ThriftType::kStruct, isize(group.chunks));
    i64 total = 0;
    for (std::size_t i = 0; i < group.chunks.size(); ++i) {
      const Chunk& chunk = group.chunks[i];
      const bool list = columns_[i].type == ColumnType::kStrings;
      total += chunk.uncompressed;
      out.begin_element();
      out.integer64(2, 0);  // deprecated: where a copy of the metadata lies
      out.begin(3);
      out.integer32(1, static_cast<i64>(stored_as(columns_[i].type)));
      out.begin_list(2, ThriftType::kI32, chunk.dictionary ? 3 : 2);
      out.element(static_cast<i64>(Encoding::kPlain));
      out.element(static_cast<i64>(Encoding::kRle));
      if (chunk.dictionary) out.element(static_cast<i64>(Encoding::kRleDictionary));
      out.begin_list(3, ThriftType::kBinary, list ? 3 : 1);
      out.element(std::string_view(columns_[i].name));
      if (list) out.element(std::string_view("list"));
      if (list) out.element(std::string_view("element"));
      out.integer32(4, static_cast<i64>(options_.codec));
      out.integer64(5, chunk.values);
      out.integer64(6, chunk.uncompressed);
      out.integer64(7, chunk.bytes);
      out.integer64(9, chunk.data_page);
      if (chunk.dictionary) out.integer64(11, chunk.begin);
      if (!list) {  // readers disagree whether an empty list counts
        out.begin(12);
        out.integer64(3, chunk.nulls);
        out.end();
      }
      out.end();
      out.end();
    }
    out.integer64(2, total);
    out.integer64(3, group.rows);
    out.end();
  }
  out.binary(6, options_.created_by);
  return out.finish();
}

void Writer::close() {
  if (group_rows_ > 0) write_group();
  std::string tail = footer();
  const u32 size = static_cast<u32>(tail.size());
  io::append_u32le(tail, size);
  file_.write(tail + "PAR1");
  file_.commit();
  buffers_.clear();
  held_.set(0);
}

}  // namespace lm::parquet
