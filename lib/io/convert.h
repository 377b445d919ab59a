#pragma once
// Inputs of other formats: a Converter makes JSON lines of one, and InputStream takes them in place
// of the input's own bytes, so that shards, batches, limits, digests and reports stay as they are.
// ByteSource is what most converters read: the bytes of an input, unpacked.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/context.h"
#include "core/types.h"
#include "io/input_source.h"

namespace lm::io {

/// Makes JSON lines of an input of another format. One thread. The constructor opens the input and
/// reads nothing yet, so that a run fails early and never waits for a pipe before its turn.
class Converter {
 public:
  virtual ~Converter() = default;
  /// Appends some whole lines (about 1 MiB; of a pipe, what it has delivered) to out; an empty line
  /// stands for a blank one of the input. False at the end, when nothing was appended. Throws
  /// Error{kData} "FILE: place: what" for what is torn or of another form; lines appended before
  /// count.
  virtual bool next(std::string& out) = 0;
  /// Bytes taken from the input so far, for progress and reports; -1 if that is not known.
  virtual i64 bytes_read() const { return -1; }
};

/// file: "-" is standard input. Null: the input is JSON lines already.
using MakeConverter = std::function<std::unique_ptr<Converter>(const std::string& file)>;

/// Bytes of an input in order with look-ahead, as RawBuffer gives them, with gzip (members) and
/// zstd (frames) unpacked. What packs it is told by its first bytes, at the first fill(). One
/// thread. Throws Error{kData} for what is cut, corrupt or packed otherwise, after everything
/// before that place was in view; kIo; kTemporary when stopped while waiting.
class ByteSource {
 public:
  /// name: for messages.
  ByteSource(Fd fd, std::string name, const StopToken* stop);
  /// Reads until at least n bytes are in view or the input ends; true if n are there. Never waits
  /// for more than that.
  bool fill(i64 n);
  std::string_view view() const;
  i64 available() const { return isize(view()); }
  /// Whether the next byte must be read: of a pipe it may take long to come.
  bool drained() const { return available() == 0 && raw_.available() == 0 && !held_back_; }
  void consume(i64 n);
  /// Drops n bytes, reading as needed; false if the input ends before.
  bool skip(i64 n);
  i64 offset() const { return offset_; }  // of view()[0] in the unpacked bytes
  i64 bytes_read() const { return raw_.bytes_read(); }
  const std::string& name() const { return raw_.name(); }

 private:
  enum class Form { kUnknown, kPlain, kGzip, kZstd };
  void detect();
  bool unpack_some();

  RawBuffer raw_;
  Form form_ = Form::kUnknown;
  std::unique_ptr<GzipDecoder> gzip_;
  std::unique_ptr<StreamDecoder> zstd_;
  bool in_frame_ = false;
  bool held_back_ = false;  // the zstd decoder may give more without further input
  std::string buf_;         // unpacked
  std::size_t begin_ = 0;
  i64 offset_ = 0;
};

/// Opens an input for a converter. Throws kNoInput, kPermission.
std::unique_ptr<ByteSource> open_bytes(const std::string& file, const Context& ctx);

}  // namespace lm::io
