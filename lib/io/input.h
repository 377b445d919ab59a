#pragma once
// The reading side of the stream contract: several inputs in order, detected by their first bytes
// (zstd or skippable frames, gzip, plain JSONL), cut into batches of whole lines, completeness
// checked. Throws Error{kNoInput} for inputs that cannot be opened and Error{kData} for what is not
// a complete stream: cut or corrupt frames, a missing end frame, wrong counts, other formats.

#include <atomic>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/context.h"
#include "io/batch.h"
#include "io/convert.h"
#include "io/file.h"
#include "io/frame.h"

namespace lm::io {

/// May stand before the first record of an input.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct Shard {
  i64 index = 0;
  i64 count = 1;
  bool by_file = false;
};

struct InputOptions {
  std::vector<std::string> files;  // "-" is stdin; empty means stdin
  Shard shard;
  i64 max_record_bytes = i64{64} << 20;
  bool allow_empty = false;
  bool expect_end = false;
  MakeConverter convert;  // for inputs of another format; empty: all are JSON lines
  bool latency = false;   // hand out whole lines as soon as a pipe delivers them
};

/// What was read of one input.
struct InputSummary {
  std::string name;
  StreamTotals totals;
  i64 bytes_compressed = 0;
  bool foreign = true;           // no header or end frame of this toolkit seen
  const char* unpack = nullptr;  // the command that makes plain text of it, once it is open
};

/// Display name of an input ("<stdin>" for "-").
std::string input_display_name(const std::string& path);

class InputStream {
 public:
  /// Opens every regular file once to fail early; reads nothing else yet.
  InputStream(InputOptions options, const Context& ctx);
  ~InputStream();

  /// Headers of the inputs for the output's chain. Reads the start of stdin when it is an input
  /// (blocks until the program before has written its header), start and end of files otherwise.
  /// Of inputs that were read already: what they began with. Not while records are read.
  std::vector<StreamHeader> headers();

  // The four stages, to be called in this order for each batch; next and stitch and account
  // serially in batch order, decode from any thread.
  /// Null at the end or some time after stop(). Never throws for bad data: such a batch carries
  /// `error`.
  std::unique_ptr<Batch> next();
  void decode(Batch& batch) const;
  void stitch(Batch& batch);
  /// Rethrows the batch's error; checks end frames; adds the batch's totals. Call after `in` is
  /// set.
  void account(Batch& batch);

  /// Makes `last` the last batch that counts: next() returns null from now on, and batches behind
  /// it that were read already are as if they had not been, whatever is wrong with them. Call from
  /// a serial stage.
  void stop(const Batch& last) { last_batch_.store(last.number); }
  /// True for batches behind the one given to stop().
  bool behind_stop(const Batch& batch) const { return batch.number > last_batch_.load(); }

  const std::vector<InputSummary>& inputs() const { return summaries_; }
  /// Compressed bytes consumed so far and in total (-1 unknown), for progress.
  i64 bytes_read() const { return bytes_read_.load(); }
  i64 bytes_total() const { return bytes_total_; }
  i64 max_record_bytes() const { return options_.max_record_bytes; }
  const std::string& name(i64 input) const { return summaries_[usize(input)].name; }
  /// For an input whose text begins with this line: the command that makes JSON lines of it, if it
  /// looks like one array or like objects over several lines; else empty.
  std::string conversion(i64 input, std::string_view first_line) const;

 private:
  struct Source;  // one open input
  std::unique_ptr<Batch> next_batch();
  std::unique_ptr<Batch> frame_batch();
  std::unique_ptr<Batch> plain_batch();
  std::unique_ptr<Batch> stream_batch();
  std::unique_ptr<Batch> end_of_input();
  void open_next();
  void open_gzip();
  void open_whole(std::string_view form);
  void check_empty() const;
  void check_first(std::string_view text) const;
  std::unique_ptr<Source> open_source(i64 index) const;
  void join_lines(Batch& batch);
  bool looks_ours(const FrameInfo& info);
  void skippable(Batch& batch, std::string_view payload, u32 magic);
  bool unit_wanted(i64 unit) const;
  bool stopped() const { return last_batch_.load() != std::numeric_limits<i64>::max(); }

  InputOptions options_;
  const Context& ctx_;
  Stage& read_stage_;    // next(): reading, and decoding of frames that are streamed
  Stage& decode_stage_;  // decode() and stitch()
  std::vector<InputSummary> summaries_;
  std::unique_ptr<Source> source_;
  std::map<i64, std::unique_ptr<Source>> opened_;  // pipes that headers() had to open early
  std::map<i64, StreamHeader> leading_;            // of the inputs opened so far
  i64 next_input_ = 0;
  i64 next_unit_ = 0;
  i64 batches_ = 0;
  std::atomic<i64> last_batch_{std::numeric_limits<i64>::max()};
  std::atomic<i64> bytes_read_{0};
  i64 bytes_total_ = 0;
  bool failed_ = false;

  // stitch()
  std::string carry_;
  i64 carry_unit_ = 0;
  i64 line_ = 0;
  i64 byte_ = 0;
  i64 stitch_input_ = -1;

  // account()
  StreamTotals segment_;
  u64 segment_digest_ = 0;
};

}  // namespace lm::io
