#pragma once
// A batch is a run of whole lines on its way through a pipeline: read (serial), decoded (parallel),
// stitched to whole lines (serial), worked on (parallel and serial stages), accounted and written
// (serial). Errors travel inside the batch, so that the first one in stream order is the one
// reported, whatever the thread count.

#include <any>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/memory_hold.h"
#include "core/parallel.h"
#include "core/result.h"
#include "core/types.h"
#include "io/tags.h"

namespace lm::io {

/// A bad record: where it was and why.
struct BadRecord {
  Fault fault;
  i64 line = 0;      // 1-based in its input
  i64 byte = 0;      // 0-based offset of the line in the uncompressed input
  std::string id;    // the record's id when it could be read
  std::string raw;   // the line, kept only when the policy stores or annotates it
  std::string hint;  // what to do about it, where that is known
};

struct Batch final : PipelineItem {
  // Set by the reader.
  i64 number = 0;         // 0, 1, ... in the order of reading
  i64 input = 0;          // index into the list of inputs
  std::string frame;      // one compressed frame still to decode, or empty
  i64 frame_offset = -1;  // where its frame begins in the compressed input; -1: plain lines
  i64 unit = 0;           // shard unit
  bool fresh = false;     // the first batch of a segment: totals start again
  i64 dropped_bytes = 0;  // bytes of an overlong last line that were not kept
  bool last_of_input = false;
  std::optional<StreamHeader> begin;  // a header frame stood behind this batch's text
  std::optional<StreamEnd> end;       // an end frame stood behind it
  std::vector<u64> frame_hashes;      // XXH64 of the frames that ended in this batch, in order

  // Whole lines; kJsonPadding readable bytes follow. Valid after stitching.
  std::string text;
  i64 text_size = 0;
  i64 first_line = 0;  // 0-based number of the first line in its input
  i64 first_byte = 0;  // offset of the first line in the uncompressed input

  // Set by the stages.
  StreamTotals in;
  i64 blank_lines = 0;
  std::string out;
  std::vector<std::shared_ptr<MemoryHold>> holds;  // charges of what is in out, till it is written
  StreamTotals out_totals;
  std::vector<BadRecord> bad;
  std::any user;  // a program's own per-batch data between its stages
  std::exception_ptr error;

  std::string_view lines() const { return std::string_view(text).substr(0, usize(text_size)); }
};

/// An ordered_pipeline() of batches, two for each thread and two more at once. Of batches with much
/// more text than others, such as those of one long record, only two: what a run holds does not
/// grow with threads times the longest record. Such batches and others are not at work together.
void batch_pipeline(i64 threads, const std::function<std::unique_ptr<Batch>()>& source,
                    const std::vector<PipelineStage>& stages);

}  // namespace lm::io
