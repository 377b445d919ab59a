#pragma once
// One open input: raw bytes with look-ahead, the streaming decoders for gzip and for frames that
// are decoded serially, and the cutter that makes blocks of whole lines. Internal to InputStream.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/types.h"
#include "io/file.h"
#include "io/frame.h"

struct z_stream_s;

namespace lm::io {

/// Look-ahead over a descriptor.
class RawBuffer {
 public:
  /// stop: with a stop requested, waiting for an input that has nothing to read ends with
  /// Error{kTemporary}; null waits for ever.
  RawBuffer(Fd fd, std::string name, const StopToken* stop = nullptr)
      : fd_(std::move(fd)), name_(std::move(name)), stop_(stop) {}
  /// Reads until at least n bytes are available or the input ends; true if n are there. One read at
  /// a time, so a slow pipe is never waited on for more than n bytes.
  bool fill(i64 n);
  std::string_view view() const { return std::string_view(buf_).substr(begin_); }
  i64 available() const { return static_cast<i64>(buf_.size() - begin_); }
  void consume(i64 n);
  /// Drops n bytes, reading as needed; false if the input ends before.
  bool skip(i64 n);
  i64 offset() const { return offset_; }  // of view()[0] in the input
  i64 bytes_read() const { return bytes_read_; }
  int fd() const { return fd_.get(); }
  const std::string& name() const { return name_; }

 private:
  void await_bytes() const;

  Fd fd_;
  std::string name_;
  const StopToken* stop_;
  std::string buf_;
  std::size_t begin_ = 0;
  i64 offset_ = 0;
  i64 bytes_read_ = 0;
  bool eof_ = false;
};

/// Cuts a byte stream into blocks that end at the first line end at or after kFrameBytes, so blocks
/// depend on the content only. Of a line above the limit, limit + 1 bytes are kept (enough for the
/// worker to see that it is too long); such a line ends its block.
class LineCutter {
 public:
  explicit LineCutter(i64 max_line_bytes) : max_line_(max_line_bytes) {}
  struct Block {
    std::string text;
    i64 dropped_bytes = 0;
  };
  void append(std::string_view bytes);
  /// The next full block, if there is one.
  std::optional<Block> take();
  /// What is there up to the last line end (latency), or everything (end of data); may be empty.
  Block take_lines();
  Block take_all();

 private:
  Block take_prefix(std::size_t n);
  void make_room(std::size_t more);
  i64 max_line_;
  std::string pending_;
  std::size_t scanned_ = 0;     // no line end at or after kFrameBytes before this offset
  std::size_t line_begin_ = 0;  // start of the last, still open line
  bool skipping_ = false;
  i64 dropped_ = 0;
};

/// zstd streaming decompression of one frame.
class StreamDecoder {
 public:
  StreamDecoder();
  ~StreamDecoder();
  StreamDecoder(const StreamDecoder&) = delete;
  StreamDecoder& operator=(const StreamDecoder&) = delete;
  void start();
  /// Decodes some of raw; out lives until the next call. Returns bytes consumed; done is set at the
  /// frame's end; problem is set when the data is corrupt.
  i64 decode(std::string_view raw, std::string_view& out, bool& done, const char*& problem);

 private:
  void* stream_;
  std::unique_ptr<char[]> buf_;
};

/// First two bytes of a gzip member.
inline constexpr std::string_view kGzipMagic = "\x1f\x8b";

/// Streaming decompression of gzip (RFC 1952): members, one after another, are one text.
class GzipDecoder {
 public:
  GzipDecoder();
  ~GzipDecoder();
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;
  /// Decodes some of raw (not empty) into out (appended, at most 1 MiB at a time). Returns the
  /// bytes consumed; problem is set when the data is corrupt, its check value wrong, or no member
  /// stands where the next one should begin.
  i64 decode(std::string_view raw, std::string& out, const char*& problem);
  /// True from a member's first byte to its last: an input that ends here is cut.
  bool in_member() const { return in_member_; }

 private:
  std::unique_ptr<z_stream_s> stream_;
  bool in_member_ = false;
};

}  // namespace lm::io
