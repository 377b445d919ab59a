#include "ingest/csv.h"

#include <cstring>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/str.h"
#include "io/input.h"
#include "io/json.h"

namespace lm::ingest {

namespace {

constexpr i64 kMaxCells = i64{1} << 20;  // bounds what a row of separators alone takes

u8 byte_of(char c) {
  return static_cast<u8>(c);
}

}  // namespace

RowReader::RowReader(std::string name, char delimiter, Quoting quoting, i64 max_row_bytes)
    : name_(std::move(name)),
      delimiter_(delimiter),
      quoting_(quoting),
      max_row_bytes_(max_row_bytes) {
  special_[byte_of(delimiter)] = true;
  special_[byte_of('\n')] = true;
  if (quoting == Quoting::kBackslash) special_[byte_of('\\')] = true;
}

void RowReader::fail(i64 line, std::string_view what, std::string hint) const {
  throw Error(ErrorKind::kData, cat(name_, ":", line, ": ", what), std::move(hint));
}

void RowReader::check_size(i64 more) const {
  if (isize(text_) + more <= max_row_bytes_) return;
  if (state_ == State::kQuoted) {
    fail(quote_line_,
         cat("the quote that opens here has no end within --max-record ",
             format_bytes(max_row_bytes_)),
         "--quoting none takes quotes as characters");
  }
  fail(row_line_, cat("a row longer than --max-record ", format_bytes(max_row_bytes_)));
}

void RowReader::begin_row() {
  complete_ = false;
  text_.clear();
  cells_.clear();
  cell_ = {};
  row_line_ = line_;
  state_ = State::kCell;
}

void RowReader::end_cell() {
  cell_.end = isize(text_);
  if (cell_.null && text_.substr(usize(cell_.begin)) != "N") cell_.null = false;
  if (isize(cells_) == kMaxCells) fail(row_line_, cat("a row of more than ", kMaxCells, " cells"));
  cells_.push_back(cell_);
  text_.push_back('\n');  // so that no character spans two cells
  cell_ = {isize(text_), 0, false, false};
  escaped_ = false;
  state_ = State::kCell;
}

void RowReader::end_row() {
  const bool carriage_return = !cell_.quoted && !escaped_ && isize(text_) > cell_.begin;
  if (carriage_return && text_.back() == '\r') text_.pop_back();
  end_cell();
  if (!is_utf8(text_)) fail_utf8();
  complete_ = true;
}

void RowReader::fail_utf8() const {
  i64 line = row_line_;
  for (const Cell& cell : cells_) {
    require_utf8(text(cell), name_, line);
    if (cell.quoted) line += count_byte(text(cell), '\n');
  }
  fail(row_line_, "is not UTF-8");
}

const char* RowReader::plain(const char* p, const char* end) {
  const char* const begin = p;
  while (p < end && !special_[byte_of(*p)])
    ++p;
  check_size(p - begin);
  if (p > begin) escaped_ = false;
  text_.append(begin, p);
  if (p == end) return p;
  const char c = *p++;
  if (c == delimiter_) {
    end_cell();
  } else if (c == '\n') {
    end_row();
    ++line_;
  } else {
    state_ = State::kEscape;
  }
  return p;
}

const char* RowReader::quoted(const char* p, const char* end) {
  const void* const close = std::memchr(p, '"', static_cast<std::size_t>(end - p));
  const char* const stop = close != nullptr ? static_cast<const char*>(close) : end;
  check_size(stop - p);
  text_.append(p, stop);
  line_ += count_byte({p, static_cast<std::size_t>(stop - p)}, '\n');
  if (close == nullptr) return end;
  state_ = State::kQuote;
  return stop + 1;
}

void RowReader::escape(char c) {
  static constexpr std::string_view kLetters = "bfnrtv";
  static constexpr std::string_view kMeant = "\b\f\n\r\t\v";
  const std::size_t at = kLetters.find(c);
  if ((c >= '0' && c <= '9') || c == 'x') {
    fail(line_, cat("escape \\", c, " by number, expected \\t, \\n, \\r, \\\\ or \\N"));
  }
  check_size(1);
  if (c == 'N') cell_.null = isize(text_) == cell_.begin;
  text_.push_back(at != std::string_view::npos ? kMeant[at] : c);
  escaped_ = true;
  if (c == '\n') ++line_;
  state_ = State::kPlain;
}

i64 RowReader::read(std::string_view piece) {
  if (complete_) begin_row();
  const char* const begin = piece.data();
  const char* const end = begin + piece.size();
  const char* p = begin;
  while (p < end && !complete_) {
    switch (state_) {
      case State::kCell:
        state_ = State::kPlain;
        if (quoting_ == Quoting::kQuotes && *p == '"') {
          ++p;
          cell_.quoted = true;
          quote_line_ = line_;
          state_ = State::kQuoted;
        }
        break;
      case State::kPlain:
        p = plain(p, end);
        break;
      case State::kQuoted:
        p = quoted(p, end);
        break;
      case State::kQuote:
      case State::kQuoteCr: {
        const char c = *p++;
        if (c == '"' && state_ == State::kQuote) {
          text_.push_back('"');
          state_ = State::kQuoted;
        } else if (c == '\n') {
          end_row();
          ++line_;
        } else if (state_ == State::kQuote && c == delimiter_) {
          end_cell();
        } else if (state_ == State::kQuote && c == '\r') {
          state_ = State::kQuoteCr;
        } else {
          fail(line_,
               cat(quote(std::string_view(&c, 1)), " behind a closing quote, expected ",
                   quote(std::string_view(&delimiter_, 1)), " or a line end"),
               "--quoting none takes quotes as characters");
        }
        break;
      }
      case State::kEscape:
        escape(*p++);
        break;
    }
  }
  return p - begin;
}

void RowReader::finish() {
  if (complete_) begin_row();
  if (state_ == State::kQuoted) {
    fail(quote_line_, "the quote that opens here is never closed",
         "the file is cut, or --quoting none takes quotes as characters");
  }
  if (state_ == State::kEscape) fail(line_, "ended inside an escape (the file is cut)");
  const bool nothing = state_ == State::kCell && cells_.empty();
  if (!nothing) end_row();
}

namespace {

class CsvConverter final : public io::Converter {
 public:
  CsvConverter(std::unique_ptr<io::ByteSource> bytes, const CsvOptions& options)
      : bytes_(std::move(bytes)),
        options_(options),
        rows_(bytes_->name(), options.delimiter, options.quoting,
              options.document.max_record_bytes) {}

  i64 bytes_read() const override { return bytes_->bytes_read(); }

  bool next(std::string& out) override {
    const std::size_t before = out.size();
    while (!ended_ && isize(out) - static_cast<i64>(before) < kPieceBytes) {
      if (bytes_->available() == 0 || !started_) {
        if (out.size() > before && bytes_->drained()) return true;  // rather than wait
        if (!more()) {
          rows_.finish();
          ended_ = true;
          if (rows_.row()) add_row(out);
          break;
        }
      }
      bytes_->consume(rows_.read(bytes_->view()));
      if (rows_.row()) add_row(out);
    }
    return out.size() > before;
  }

 private:
  bool more() {
    if (std::exchange(started_, true)) return bytes_->fill(1);
    if (bytes_->fill(3) && bytes_->view().starts_with(io::kByteOrderMark)) {
      bytes_->consume(isize(io::kByteOrderMark));
    }
    if (!options_.names.empty())
      map_.emplace(options_.names, options_.columns, source(), "--columns");
    return bytes_->fill(1);
  }

  const std::string& source() const { return options_.document.source; }

  void add_row(std::string& out) {
    if (rows_.blank()) {
      out.push_back('\n');
      return;
    }
    const std::vector<RowReader::Cell>& cells = rows_.cells();
    if (!map_) {
      std::vector<std::string> names;
      for (const RowReader::Cell& cell : cells)
        names.emplace_back(rows_.text(cell));
      map_.emplace(names, options_.columns, source(), cat(bytes_->name(), ":", rows_.line()));
      return;
    }
    if (isize(cells) != map_->columns()) {
      throw Error(ErrorKind::kData,
                  cat(bytes_->name(), ":", rows_.line(), ": ", isize(cells),
                      cells.size() == 1 ? " cell, expected " : " cells, expected ", map_->columns(),
                      options_.names.empty() ? " as in the header" : " as in --columns"));
    }
    Counts& counts = *options_.document.counts;
    ++counts.read;
    ++counts.kept;
    ++row_;
    map_->write(out, cat(bytes_->name(), ":", row_),
                [&](i64 column, ColumnMap::As as, std::string& to) {
                  const RowReader::Cell& cell = cells[usize(column)];
                  return add_cell(cell, as, to);
                });
  }

  bool add_cell(const RowReader::Cell& cell, ColumnMap::As as, std::string& to) const {
    if (cell.null) return false;
    const std::string_view text = rows_.text(cell);
    if (options_.guess_types && as == ColumnMap::As::kValue) {
      if (text.empty() && !cell.quoted) return false;
      if (text == "true" || text == "false" || is_json_number(text)) {
        to += text;
        return true;
      }
    }
    io::append_json_string(to, text);
    return true;
  }

  std::unique_ptr<io::ByteSource> bytes_;
  CsvOptions options_;
  RowReader rows_;
  std::optional<ColumnMap> map_;
  i64 row_ = 0;
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<io::Converter> convert_csv(std::unique_ptr<io::ByteSource> bytes,
                                           const CsvOptions& options) {
  return std::make_unique<CsvConverter>(std::move(bytes), options);
}

std::unique_ptr<io::Converter> convert_csv(const std::string& file, const CsvOptions& options,
                                           const Context& ctx) {
  return convert_csv(io::open_bytes(file, ctx), options);
}

}  // namespace lm::ingest
