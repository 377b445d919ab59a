#include "parquet/reader.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "parquet/bits.h"

namespace lm::parquet {

namespace {

constexpr std::string_view kMagic = "PAR1";
constexpr i64 kTailBytes = 8;  // the footer's length and the magic again

io::Mapping map_regular(const std::string& path) {
  if (!io::is_regular(io::open_input(path).get())) {
    throw Error(ErrorKind::kData,
                cat(path, ": not a regular file, and a Parquet file is read from its end"),
                "write it to a file first");
  }
  return io::Mapping(path);
}

// The footer's bytes.
std::string_view find_footer(std::string_view bytes, const std::string& path) {
  const auto bad = [&](const std::string& what) {
    throw Error(ErrorKind::kData, cat(path, ": ", what));
  };
  if (!bytes.starts_with(kMagic)) {
    if (bytes.starts_with("PARE")) bad("the file is encrypted, which is not supported");
    bad(cat("no Parquet file: it begins with ", quote(bytes.substr(0, 4)), ", expected \"PAR1\""));
  }
  if (bytes.ends_with("PARE")) bad("the file is encrypted, which is not supported");
  if (isize(bytes) < isize(kMagic) + kTailBytes || !bytes.ends_with(kMagic))
    bad("the Parquet file is cut: it does not end with \"PAR1\"");
  const i64 size = load<u32>(bytes.data() + bytes.size() - usize(kTailBytes));
  if (size > isize(bytes) - isize(kMagic) - kTailBytes) {
    bad(cat("footer: ", size, " bytes by its length, the file has ", bytes.size()));
  }
  return bytes.substr(bytes.size() - usize(kTailBytes + size), usize(size));
}

}  // namespace

File::File(const std::string& path, const Context& ctx)
    : path_(path), map_(map_regular(path)), held_(ctx, "the footer of a Parquet file") {
  const std::string_view footer = find_footer(map_.bytes(), path_);
  const Place place{.file = path_};
  meta_ = read_file_meta(footer, place, held_);
  schema_ = read_schema(meta_.schema, place);
  meta_.schema = {};
  check_chunks(footer.data() - map_.bytes().data());
}

void File::check_chunks(i64 footer_begin) const {
  i64 rows = 0;
  Place place{.file = path_};
  for (const RowGroupMeta& group : meta_.row_groups) {
    ++place.row_group;
    if (group.rows > meta_.rows - rows)
      place.fail(cat("the row groups have more rows than the file, ", meta_.rows));
    rows += group.rows;
    if (group.chunks.size() != schema_.leaves.size()) {
      place.fail(cat(group.chunks.size(), " column chunks, the schema has ", schema_.leaves.size(),
                     " columns"));
    }
    for (std::size_t i = 0; i < group.chunks.size(); ++i) {
      const ChunkMeta& chunk = group.chunks[i];
      const std::string name = cat("column chunk ", i, ": ");
      if (chunk.physical != schema_.leaves[i]) {
        place.fail(cat(name, "values of type ", physical_name(chunk.physical), ", the schema says ",
                       physical_name(schema_.leaves[i])));
      }
      if (chunk.num_values < group.rows || (schema_.flat[i] && chunk.num_values != group.rows))
        place.fail(cat(name, chunk.num_values, " values for ", group.rows, " rows"));
      if (chunk.num_values == 0) continue;  // such a chunk may lie nowhere
      if (chunk.begin < isize(kMagic) || chunk.bytes < 0 || chunk.begin > footer_begin ||
          chunk.bytes > footer_begin - chunk.begin) {
        place.fail(cat(name, "bytes ", chunk.begin, " and ", chunk.bytes,
                       " more, expected them between 4 and the footer at ", footer_begin));
      }
    }
  }
  place.row_group = -1;
  if (rows != meta_.rows)
    place.fail(cat("the row groups have ", rows, " rows, the file says ", meta_.rows));
}

void File::check_readable(const Column& column) const {
  if (column.refused.empty()) return;
  throw Error(ErrorKind::kData,
              cat(path_, ": column ", quote(column.name), " is ", column.refused,
                  ", which is not supported"),
              "name the columns that are wanted to leave it out");
}

i64 File::column(std::string_view name) const {
  const auto found = std::find_if(schema_.columns.begin(), schema_.columns.end(),
                                  [&](const Column& column) { return column.name == name; });
  if (found != schema_.columns.end()) {
    check_readable(*found);
    return found - schema_.columns.begin();
  }
  std::vector<std::string> names;
  for (const Column& column : schema_.columns)
    names.push_back(column.name);
  const std::string near = nearest_name(name, names);
  throw Error(ErrorKind::kData, cat(path_, ": there is no column ", quote(name)),
              !near.empty() ? cat("did you mean ", quote(near), "?")
                            : cat("the columns are ", quote(join(names, ", "), 400)));
}

std::vector<i64> File::select(std::span<const std::string> names) const {
  std::vector<i64> out;
  for (const std::string& name : names)
    out.push_back(column(name));
  if (!names.empty()) return out;
  for (const Column& column : schema_.columns) {
    check_readable(column);
    out.push_back(isize(out));
  }
  return out;
}

RowReader::RowReader(const File& file, std::span<const i64> columns, const Context& ctx)
    : file_(file), ctx_(ctx) {
  for (const i64 number : columns) {
    const Column& column = file.columns()[usize(number)];
    LM_CHECK(column.refused.empty(), "a column that is read can be read");
    columns_.push_back(std::make_unique<ColumnReader>(file.bytes(), file.path(), column, ctx));
  }
}

bool RowReader::next() {
  while (left_ == 0) {
    if (group_ + 1 >= isize(file_.row_groups())) {
      if (group_ < isize(file_.row_groups())) warn_of_floats();
      group_ = isize(file_.row_groups());
      return false;
    }
    const RowGroupMeta& group = file_.row_groups()[usize(++group_)];
    left_ = group.rows;
    for (const std::unique_ptr<ColumnReader>& column : columns_)
      column->begin(group_, group.chunks[usize(column->column().leaf)], group.rows);
  }
  --left_;
  ++row_;
  for (const std::unique_ptr<ColumnReader>& column : columns_)
    column->advance();
  return true;
}

void RowReader::warn_of_floats() const {
  for (const std::unique_ptr<ColumnReader>& column : columns_) {
    if (!column->lost_float()) continue;
    ctx_.log->message(
        LogLevel::kWarning,
        cat(file_.path(), ": column ", quote(column->column().name),
            ": values that are NaN or infinite became null, JSON has no such number"));
  }
}

}  // namespace lm::parquet
