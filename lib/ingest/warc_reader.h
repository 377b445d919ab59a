#pragma once
// Records of WARC files (ISO 28500: versions 1.0 and 1.1), one behind the other in unpacked bytes:
// a version line, named fields, an empty line, a block of Content-Length bytes, two line ends.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "io/convert.h"

namespace lm::ingest {

/// Named fields, the names in lower case, as WARC and HTTP heads have them.
class HeadFields {
 public:
  /// The lines behind the first of a head; false if one is no field. A line that begins with a
  /// blank continues the one before.
  bool parse(std::string_view lines);
  /// The first of that name, or "".
  std::string_view get(std::string_view name) const;
  i64 count(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Media type and charset of a Content-Type, in lower case: {"text/html", "utf-8"}.
std::pair<std::string, std::string> parse_content_type(std::string_view value);

class WarcReader {
 public:
  /// bytes outlives the reader.
  explicit WarcReader(io::ByteSource& bytes) : bytes_(bytes) {}

  struct Record {
    i64 offset = 0;  // of the version line, in the unpacked bytes
    i64 length = 0;  // of the block
    HeadFields fields;
  };
  /// Reads the head of the next record; false at the end of the input. One of block() and skip()
  /// must follow. All throw Error{kData} "NAME: byte N: ..." for what is no WARC record, is cut or
  /// has another length than it says.
  bool next(Record& record);
  /// Appends the block.
  void block(const Record& record, std::string& out);
  void skip(const Record& record);

 private:
  void end_record(const Record& record);
  [[noreturn]] void fail(i64 offset, std::string_view what, std::string hint = {}) const;
  [[noreturn]] void cut(i64 offset) const;

  io::ByteSource& bytes_;
};

}  // namespace lm::ingest
