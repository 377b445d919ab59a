#include "io/convert.h"

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

#include <unistd.h>

#include "core/str.h"
#include "io/input.h"

namespace lm::io {

namespace {
constexpr std::size_t kKeptConsumed = std::size_t{1} << 20;  // before the buffer is moved down
}  // namespace

ByteSource::ByteSource(Fd fd, std::string name, const StopToken* stop)
    : raw_(std::move(fd), std::move(name), stop) {}

void ByteSource::detect() {
  raw_.fill(4);
  const std::string_view head = raw_.view();
  const u32 magic = head.size() >= 4 ? load_u32le(head.data()) : 0;
  if (head.starts_with(kGzipMagic)) {
    form_ = Form::kGzip;
    gzip_ = std::make_unique<GzipDecoder>();
  } else if (magic == kZstdMagic || (magic & 0xFFFFFFF0u) == kSkippableBase) {
    form_ = Form::kZstd;
    zstd_ = std::make_unique<StreamDecoder>();
    zstd_->start();
  } else {
    for (const auto& [start, what, command] :
         {std::tuple{"\xfd\x37zX", "xz", "xzcat"}, std::tuple{"BZh", "bzip2", "bzcat"}}) {
      if (head.starts_with(start)) {
        throw Error(ErrorKind::kData, cat(name(), ": is ", what, ", expected plain, gzip or zstd"),
                    cat(command, " FILE | lm-cat --from ... - reads it"));
      }
    }
    form_ = Form::kPlain;
  }
}

// False at the end of the input.
bool ByteSource::unpack_some() {
  if (begin_ > 0 && (begin_ == buf_.size() || begin_ >= kKeptConsumed)) {
    buf_.erase(0, begin_);
    begin_ = 0;
  }
  const char* problem = nullptr;
  if (form_ == Form::kGzip) {
    if (!raw_.fill(1)) {
      if (!gzip_->in_member()) return false;
      throw Error(ErrorKind::kData,
                  cat(name(), ": ended inside a gzip member at byte ", raw_.offset(),
                      " (the file is cut or the program before this one failed)"));
    }
    raw_.consume(gzip_->decode(raw_.view(), buf_, problem));
    if (problem != nullptr) {
      throw Error(ErrorKind::kData,
                  cat(name(), ": corrupt gzip near byte ", raw_.offset(), ": ", problem));
    }
    return true;
  }
  if (!held_back_ && !raw_.fill(1)) {
    if (!in_frame_) return false;
    throw Error(ErrorKind::kData, cat(name(), ": ended inside a zstd frame at byte ", raw_.offset(),
                                      " (the file is cut or the program before this one failed)"));
  }
  std::string_view decoded;
  bool done = false;
  const i64 used = zstd_->decode(raw_.view(), decoded, done, problem);
  raw_.consume(used);
  buf_ += decoded;
  if (problem != nullptr) {
    throw Error(ErrorKind::kData,
                cat(name(), ": corrupt zstd frame near byte ", raw_.offset(), ": ", problem));
  }
  in_frame_ = !done;
  held_back_ = !done && !decoded.empty();
  return true;
}

bool ByteSource::fill(i64 n) {
  if (form_ == Form::kUnknown) detect();
  if (form_ == Form::kPlain) return raw_.fill(n);
  while (available() < n && unpack_some()) {
  }
  return available() >= n;
}

std::string_view ByteSource::view() const {
  if (form_ == Form::kPlain) return raw_.view();
  return std::string_view(buf_).substr(begin_);
}

void ByteSource::consume(i64 n) {
  offset_ += n;
  if (form_ == Form::kPlain) return raw_.consume(n);
  begin_ += usize(n);
}

bool ByteSource::skip(i64 n) {
  while (n > 0) {
    if (!fill(1)) return false;
    const i64 now = std::min(n, available());
    consume(now);
    n -= now;
  }
  return true;
}

std::unique_ptr<ByteSource> open_bytes(const std::string& file, const Context& ctx) {
  Fd fd = file == "-" ? Fd(::dup(STDIN_FILENO)) : open_input(file);
  if (!fd.valid()) throw os_error(ErrorKind::kNoInput, "<stdin>", "cannot read", errno);
  enlarge_pipe(fd.get());
  return std::make_unique<ByteSource>(std::move(fd), input_display_name(file), ctx.stop);
}

}  // namespace lm::io
