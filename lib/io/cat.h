#pragma once
// The work of lm-cat: copying, checking and dealing out record streams.

#include <optional>
#include <string>

#include "core/context.h"
#include "io/run.h"

namespace lm::io {

struct CheckResult {
  bool complete = false;  // ended by an end frame that agrees with what was read
  StreamTotals totals;
  std::string detail;
};

/// Walks frame headers only; the counts are what the end frames say. Reads the file once without
/// decoding. Never throws for bad content: the detail says what is wrong. Throws kNoInput.
CheckResult check_frames(const std::string& file);

/// Reads every record and compares counts and digest with the end frames. totals are of what was
/// read (none when the stream is cut or changed). Plain and foreign inputs give totals and complete
/// = false. Throws kNoInput.
CheckResult check_records(const std::string& file, const Context& ctx);

/// Totals of every record of the input, framed or not. Throws kNoInput, and kData for a stream that
/// is cut or changed.
StreamTotals count_records(const std::string& file, const Context& ctx);

struct CatOptions {
  std::optional<i64> head;     // stop after that many records
  bool validate_full = false;  // every JSON value, not only the structure
};

/// Copies records unchanged. With head the input is not read further than needed.
void cat_records(RecordRun& run, InputStream& in, const CatOptions& options);

/// Deals the records to `parts` files named by a printf pattern with one or two %d (index, parts),
/// in turns of 4 MiB blocks. Every file appears only when all are complete.
void split_records(RecordRun& run, const std::string& pattern, i64 parts,
                   const StreamOutputOptions& form, StreamHeader header, InputStream& in,
                   const CatOptions& options, const Context& ctx);

/// Expands the pattern; throws kUsage when it has no %d, more than two, or anything else after %.
std::string part_name(const std::string& pattern, i64 index, i64 parts);

}  // namespace lm::io
