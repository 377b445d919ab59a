#pragma once
// What the converters of this room share: counts of what was read, and the beginning of a document
// record (id, text, source). Source of the record's form: the Dolma document format.

#include <map>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::ingest {

/// Enough lines for one call of Converter::next().
inline constexpr i64 kPieceBytes = i64{1} << 20;

/// Of all inputs of a run: kept + the sum of left_out = read. One thread at a time.
struct Counts {
  i64 read = 0;  // rows, documents or WARC records
  i64 kept = 0;
  std::map<std::string, i64> left_out;  // by reason
  i64 repaired = 0;                     // kept ones with U+FFFD for bytes of no character

  void leave(const std::string& reason) {
    ++read;
    ++left_out[reason];
  }
  /// {"read":3,"kept":2,"left_out":{"status":1},"repaired":0}
  std::string json() const;
  /// "3 read, 2 kept, left out: 1 status"
  std::string text() const;
};

/// What all converters are told.
struct DocumentOptions {
  std::string source;                    // "" for none
  i64 max_record_bytes = i64{64} << 20;  // of one row or document
  Counts* counts = nullptr;              // never null
};

/// Appends {"id":...,"text":...,"source":... without the closing brace. What in id is no UTF-8, as
/// in names of files, becomes U+FFFD.
void begin_document(std::string& out, std::string_view id, std::string_view text,
                    std::string_view source);

/// text is a number as JSON spells it.
bool is_json_number(std::string_view text);

bool is_utf8(std::string_view text);
/// Throws Error{kData} "name:line: ..." if text is not UTF-8; line is that of text's first byte.
void require_utf8(std::string_view text, std::string_view name, i64 line);

}  // namespace lm::ingest
