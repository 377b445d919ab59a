#pragma once
// The writing side of the stream contract: plain lines, stored or compressed frames between LMH1
// and LME1 (pipes, --seekable), or one frame plus LME1 (files). Frames are cut at the first record
// end at or after 4 MiB of output, so the bytes do not depend on threads or batches.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/context.h"
#include "io/atomic_file.h"
#include "io/frame.h"
#include "io/tags.h"

namespace lm::io {

enum class Codec { kAuto, kNone, kStored, kZstd };

struct Compression {
  Codec codec = Codec::kAuto;
  int level = 3;
};

/// "auto", "none", "stored", "zstd", "zstd:LEVEL" (-50..22); nullopt otherwise.
std::optional<Compression> parse_compression(std::string_view text);

struct StreamOutputOptions {
  std::string path = "-";
  Compression compression;
  bool seekable = false;
  bool latency = false;  // data leaves after 1 s or 256 records
  OutputOptions file;
};

class OutputStream {
 public:
  /// Opens the target (temporary name for a regular file); writes nothing yet.
  OutputStream(StreamOutputOptions options, const Context& ctx);
  ~OutputStream();
  OutputStream(const OutputStream&) = delete;
  OutputStream& operator=(const OutputStream&) = delete;

  /// Writes LMH1 where the form has one. Call once, as soon as options and models are accepted.
  void begin(const StreamHeader& header);
  /// Whole lines and what they sum to. Throws PipeClosed when the reader has gone, kIo.
  void write(std::string_view lines, const StreamTotals& totals);
  /// The same, and may leave lines empty: much of them is not copied.
  void take(std::string& lines, const StreamTotals& totals);
  /// Writes everything that is still buffered, LME1 and the seek table, and closes with a check;
  /// the file is still under its temporary name.
  void finish(const std::vector<StreamTotals>& inputs);
  /// The final rename. Nothing for pipes.
  void commit();
  /// Sends what is still buffered to a pipe or terminal when the run has failed: what was done
  /// before the failure is seen, the end frame is not. Nothing for files. Never throws.
  void flush_after_failure() noexcept;

  bool to_stdout() const { return !file_; }
  bool committed() const { return file_ && file_->committed(); }
  const StreamTotals& totals() const { return totals_; }
  i64 bytes_compressed() const { return bytes_compressed_; }
  const std::string& name() const { return name_; }

 private:
  enum class Form { kPlain, kFrames, kSingle };
  std::string describe_form() const;
  void put(std::string_view bytes);
  void add(std::string_view lines, const StreamTotals& totals, std::string* own);
  /// Lines of a stream without frames.
  void send(std::string_view lines);
  void flush_frames(bool all);
  void emit_frame(std::string_view content, std::string_view frame);
  void single_write(std::string_view lines, bool last);
  void flusher();

  StreamOutputOptions options_;
  const Context& ctx_;
  Stage& stage_;  // compressing and writing
  std::string name_;
  std::unique_ptr<AtomicFile> file_;
  int fd_ = 1;
  Form form_ = Form::kPlain;
  Codec codec_ = Codec::kNone;
  StreamHeader header_;
  std::string pending_;  // lines of the frames being filled
  i64 pending_records_ = 0;
  std::size_t scanned_ = 0;
  StreamTotals totals_;
  u64 digest_ = 0;
  std::vector<SeekEntry> frames_;
  i64 bytes_compressed_ = 0;
  bool put_failed_ = false;  // part of the data may be out: writing again would repeat it

  struct Single;  // state of the one streamed frame
  std::unique_ptr<Single> single_;

  // Latency mode: a thread pushes out what has waited for a second.
  std::mutex mutex_;
  std::condition_variable wake_;
  bool closing_ = false;
  std::exception_ptr flush_error_;
  f64 oldest_s_ = 0;
  std::jthread flusher_;
};

}  // namespace lm::io
