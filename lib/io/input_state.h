#pragma once
// The one open input of an InputStream: what its readers have to remember. Internal to InputStream.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/input.h"
#include "io/input_source.h"

namespace lm::io {

struct InputStream::Source {
  Source(i64 index, Fd fd, const std::string& name, i64 max_record, const StopToken* stop)
      : input(index), raw(std::move(fd), name, stop), cutter(max_record) {}

  i64 input;
  RawBuffer raw;
  LineCutter cutter;
  FrameWalker walker;
  std::unique_ptr<StreamDecoder> decoder;
  bool framed = false;
  bool streaming = false;         // inside a frame that is decoded serially
  bool stream_done = false;       // its last byte was decoded, lines may be left in the cutter
  bool fresh = false;             // the next batch starts a segment
  bool in_header = false;         // LMH1 seen, LME1 not yet
  bool ended = false;             // the last thing seen was LME1
  bool ours = false;              // any tag seen in this input
  bool finished = false;          // the end-of-input batch was handed out
  std::vector<SeekEntry> walked;  // every frame so far, to check a seek table
  i64 stream_begin = 0;
  i64 stream_content = 0;
  Xxh64Stream stream_hash;
  i64 data_frames = 0;
  std::unique_ptr<GzipDecoder> gzip;
  std::unique_ptr<Converter> converter;  // of an input of another format, instead of `raw`
  i64 whole_unit = 0;                    // shard unit of an input that cannot be divided
  std::optional<Error> broken;           // what is wrong behind the text decoded so far
  std::optional<Error> pending_error;

  [[noreturn]] void fail(std::string_view what, std::string hint = {}) const {
    throw Error(ErrorKind::kData, cat(raw.name(), ": ", what), std::move(hint));
  }
  [[noreturn]] void cut(std::string_view where) const {
    fail(cat("ended inside ", where, " at byte ", raw.offset() + raw.available(),
             " (the file is cut or the program before this one failed)"));
  }
  i64 bytes_read() const {
    return converter ? std::max<i64>(converter->bytes_read(), 0) : raw.bytes_read();
  }
  /// Appends some of a gzip input's text to out; false at its end, which may be `broken`.
  bool inflate_some(std::string& out);
  /// The same for a converted input, into the cutter.
  bool convert_some();
  /// The same for any input that is text.
  bool pull();
};

}  // namespace lm::io
