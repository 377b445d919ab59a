#include "eval/dataset.h"

#include <zstd.h>

#include "core/error.h"
#include "core/str.h"
#include "core/utf8.h"
#include "io/file.h"
#include "io/input.h"

namespace lm::eval {

using text::Value;
using text::ValueMap;

namespace {

/// The content, unpacked.
std::string read_content(const std::string& path) {
  std::string raw = io::read_file(path);
  if (!raw.starts_with("\x28\xb5\x2f\xfd")) return raw;
  std::string out;
  ZSTD_DCtx* const ctx = ZSTD_createDCtx();
  if (ctx == nullptr) throw std::bad_alloc();
  std::string buf(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer in{raw.data(), raw.size(), 0};
  std::size_t left = 0;
  while (in.pos < in.size) {
    ZSTD_outBuffer to{buf.data(), buf.size(), 0};
    left = ZSTD_decompressStream(ctx, &to, &in);
    if (ZSTD_isError(left) != 0) break;
    out.append(buf, 0, to.pos);
  }
  ZSTD_freeDCtx(ctx);
  if (ZSTD_isError(left) != 0)
    throw Error(ErrorKind::kData, cat(path, ": zstd: ", ZSTD_getErrorName(left)));
  if (left != 0) throw Error(ErrorKind::kData, cat(path, ": the zstd frame is cut off"));
  return out;
}

class DocReader {
 public:
  DocReader(const std::string& path, i64 most, DocSet& docs)
      : path_(path), name_(std::make_shared<const std::string>(path)), most_(most), docs_(docs) {}

  void read() {
    std::string content = read_content(path_);
    std::string_view text = content;
    if (text.starts_with(io::kByteOrderMark)) text.remove_prefix(io::kByteOrderMark.size());
    std::string name = path_;
    if (name.ends_with(".zst")) name.resize(name.size() - 4);
    if (name.ends_with(".csv")) return table(text, ',');
    if (name.ends_with(".tsv")) return table(text, '\t');
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && text[first] == '[') return array(text);
    lines(text);
  }

 private:
  [[noreturn]] void fail(i64 line, const std::string& what) const {
    throw Error(ErrorKind::kData, cat(path_, ":", line, ": ", what));
  }
  bool full() const { return most_ > 0 && isize(docs_.docs()) >= most_; }

  void add(Value fields, std::string json, i64 line) {
    if (!fields.is_map())
      fail(line, cat("a document of type ", fields.type_name(), ", expected an object"));
    docs_.add({std::move(fields), std::move(json), name_, line});
  }

  void lines(std::string_view text) {
    i64 number = 0;
    while (!text.empty() && !full()) {
      const std::size_t end = std::min(text.size(), text.find('\n'));
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(text.size(), end + 1));
      ++number;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (trim(line).empty()) continue;
      Result<Value> value = text::parse_json_value(line);
      if (!value) fail(number, cat("the line ", value.fault().detail));
      add(std::move(*value), std::string(line), number);
    }
  }

  void array(std::string_view text) {
    Result<Value> value = text::parse_json_value(text);
    if (!value) fail(1, cat("the file ", value.fault().detail));
    for (Value& each : value->list()) {
      if (full()) return;
      std::string json = text::to_json(each, {.spaced = false});
      add(std::move(each), std::move(json), 1);
    }
  }

  /// RFC 4180: fields in double quotes may hold separators, line ends and doubled quotes. Whole
  /// columns of numbers become numbers, as data-frame libraries read them.
  void table(std::string_view text, char separator) {
    if (!is_valid_utf8(text)) fail(1, "is not UTF-8");
    std::vector<std::vector<std::string>> rows;
    std::vector<i64> at_line;
    i64 line = 1;
    while (!text.empty() && (most_ == 0 || isize(rows) <= most_ - isize(docs_.docs()))) {
      const i64 begin = line;
      std::vector<std::string> row = cells(text, separator, line);
      if (row.size() == 1 && row[0].empty()) continue;
      if (!rows.empty() && row.size() != rows[0].size())
        fail(begin, cat("a row of ", row.size(), " cells, expected ", rows[0].size()));
      rows.push_back(std::move(row));
      at_line.push_back(begin);
    }
    if (rows.empty()) return;
    std::vector<bool> numbers(rows[0].size(), rows.size() > 1);
    for (std::size_t r = 1; r < rows.size(); ++r)
      for (std::size_t c = 0; c < rows[r].size(); ++c)
        numbers[c] = numbers[c] && (parse_int_cell(rows[r][c]) || parse_float(rows[r][c]));
    for (std::size_t r = 1; r < rows.size(); ++r) {
      Value fields(ValueMap{});
      for (std::size_t c = 0; c < rows[r].size(); ++c)
        fields.set(rows[0][c], cell(rows[r][c], numbers[c]));
      std::string json = text::to_json(fields, {.spaced = false});
      add(std::move(fields), std::move(json), at_line[r]);
    }
  }

  static std::optional<i64> parse_int_cell(std::string_view text) {
    const bool negative = text.starts_with('-');
    const std::optional<i64> out = parse_int(negative ? text.substr(1) : text);
    return out && negative ? -*out : out;
  }
  static Value cell(const std::string& text, bool number) {
    if (!number) return text;
    if (const std::optional<i64> whole = parse_int_cell(text)) return *whole;
    return *parse_float(text);
  }

  /// One row, taken from the front of text.
  std::vector<std::string> cells(std::string_view& text, char separator, i64& line) const {
    const i64 begin = line;
    std::vector<std::string> out(1);
    bool quoted = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
      const char c = text[i];
      line += c == '\n' ? 1 : 0;
      if (quoted) {
        if (c != '"') {
          out.back() += c;
        } else if (i + 1 < text.size() && text[i + 1] == '"') {
          out.back() += text[++i];
        } else {
          quoted = false;
        }
      } else if (c == '"' && out.back().empty()) {
        quoted = true;
      } else if (c == separator) {
        out.emplace_back();
      } else if (c == '\n') {
        break;
      } else if (c != '\r' || i + 1 >= text.size() || text[i + 1] != '\n') {
        out.back() += c;
      }
    }
    if (quoted) fail(begin, "a quoted cell has no end");
    text.remove_prefix(std::min(text.size(), i + 1));
    return out;
  }

  const std::string& path_;
  const std::shared_ptr<const std::string> name_;
  i64 most_;
  DocSet& docs_;
};

}  // namespace

std::string Doc::place() const {
  return file ? cat(*file, ":", line) : "";
}

void DocSet::add(Doc doc) {
  // Values take several times the text; the measured ratio on GSM8K and BLiMP is below 6.
  held_.add(isize(doc.json) * 8 + 512);
  docs_.push_back(std::move(doc));
}

DocSet read_docs(const std::vector<std::string>& files, i64 most, const Context& ctx) {
  DocSet out(*ctx.memory);
  for (const std::string& file : files)
    DocReader(file, most, out).read();
  return out;
}

}  // namespace lm::eval
