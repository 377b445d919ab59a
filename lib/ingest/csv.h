#pragma once
// Tables of delimited text: CSV (RFC 4180), and TSV plain, quoted or with backslash escapes (the
// text form of PostgreSQL's COPY and MySQL's dumps). A row may span lines; LF and CRLF end it; a
// byte-order mark is dropped; an empty line is no row. What RFC 4180 leaves open: a quote inside an
// unquoted cell is a character, anything but a separator behind a closing quote is an error.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/columns.h"
#include "ingest/document.h"
#include "io/convert.h"

namespace lm::ingest {

enum class Quoting {
  kNone,       // cells are taken as they are
  kQuotes,     // "a, ""b"""
  kBackslash,  // \t \n \\ and so on; \N is null
};

struct CsvOptions {
  char delimiter = ',';
  Quoting quoting = Quoting::kQuotes;
  std::vector<std::string> names;  // of the columns; empty: the first row has them
  ColumnOptions columns;
  bool guess_types = false;  // metadata: JSON numbers and booleans as such, empty cells as null
  DocumentOptions document;
};

/// Rows out of pieces of text, cut anywhere. One thread.
class RowReader {
 public:
  struct Cell {
    i64 begin;
    i64 end;
    bool quoted;
    bool null;
  };
  RowReader(std::string name, char delimiter, Quoting quoting, i64 max_row_bytes);

  /// Reads to the end of a row or of the piece; returns the bytes read. With row() true a row is
  /// complete and the next call begins another.
  i64 read(std::string_view piece);
  /// At the end of the input: completes a last row without line end. Throws for an open quote.
  void finish();
  /// Both throw Error{kData} "NAME:LINE: ..." for a quote that is torn, an escape that is not
  /// known, a row above the limit and text that is not UTF-8.

  bool row() const { return complete_; }
  /// Of the complete row.
  const std::vector<Cell>& cells() const { return cells_; }
  std::string_view text(const Cell& cell) const {
    return std::string_view(text_).substr(usize(cell.begin), usize(cell.end - cell.begin));
  }
  /// The row is an empty line.
  bool blank() const { return cells_.size() == 1 && !cells_[0].quoted && text_.size() == 1; }
  i64 line() const { return row_line_; }  // 1-based, where the row begins

 private:
  enum class State { kCell, kPlain, kQuoted, kQuote, kQuoteCr, kEscape };
  const char* plain(const char* p, const char* end);
  const char* quoted(const char* p, const char* end);
  void escape(char c);
  void end_cell();
  void end_row();
  void begin_row();
  void check_size(i64 more) const;
  [[noreturn]] void fail_utf8() const;
  [[noreturn]] void fail(i64 line, std::string_view what, std::string hint = {}) const;

  std::string name_;
  char delimiter_;
  Quoting quoting_;
  i64 max_row_bytes_;
  bool special_[256] = {};  // what ends a run of plain characters
  State state_ = State::kCell;
  bool complete_ = false;
  std::string text_;  // the cells, unescaped, each followed by a newline
  std::vector<Cell> cells_;
  Cell cell_ = {};
  bool escaped_ = false;  // the last character came from an escape
  i64 line_ = 1;          // of the next byte
  i64 row_line_ = 1;
  i64 quote_line_ = 1;
};

/// name: "-" is standard input. Throws kNoInput.
std::unique_ptr<io::Converter> convert_csv(const std::string& file, const CsvOptions& options,
                                           const Context& ctx);
/// The same for bytes that are there already.
std::unique_ptr<io::Converter> convert_csv(std::unique_ptr<io::ByteSource> bytes,
                                           const CsvOptions& options);

}  // namespace lm::ingest
