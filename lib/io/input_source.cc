#include "io/input_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <zlib.h>
#include <zstd.h>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::io {

namespace {
constexpr i64 kReadBytes = i64{1} << 20;
constexpr int kStopCheckMs = 100;  // how long a stop request may go unseen
}  // namespace

void RawBuffer::await_bytes() const {
  if (stop_ == nullptr) return;
  pollfd wait = {fd_.get(), POLLIN, 0};
  // Anything but a timeout or a signal is for read() to report.
  for (int rc = 0; rc == 0 || (rc < 0 && errno == EINTR);) {
    rc = ::poll(&wait, 1, kStopCheckMs);
    if (rc <= 0 && stop_->requested())
      throw Error(ErrorKind::kTemporary, cat(name_, ": stopped while waiting for input"));
  }
}

bool RawBuffer::fill(i64 n) {
  while (available() < n && !eof_) {
    if (begin_ > 0 && (begin_ == buf_.size() || begin_ >= usize(kReadBytes))) {
      buf_.erase(0, begin_);
      begin_ = 0;
    }
    const std::size_t old = buf_.size();
    buf_.resize(old + usize(kReadBytes));
    i64 got = 0;
    try {
      await_bytes();
      got = read_some(fd_.get(), buf_.data() + old, kReadBytes, name_);
    } catch (...) {
      buf_.resize(old);  // the view stays what was really read
      throw;
    }
    buf_.resize(old + usize(got));
    bytes_read_ += got;
    eof_ = got == 0;
  }
  return available() >= n;
}

void RawBuffer::consume(i64 n) {
  begin_ += usize(n);
  offset_ += n;
}

bool RawBuffer::skip(i64 n) {
  while (n > 0) {
    if (!fill(1)) return false;
    const i64 now = std::min(n, available());
    consume(now);
    n -= now;
  }
  return true;
}

void LineCutter::append(std::string_view bytes) {
  if (skipping_) {
    const std::size_t lf = bytes.find('\n');
    if (lf == std::string_view::npos) {
      dropped_ += static_cast<i64>(bytes.size());
      return;
    }
    dropped_ += static_cast<i64>(lf);
    bytes.remove_prefix(lf);  // its line end closes the kept part
    skipping_ = false;
    line_begin_ = pending_.size() + 1;
    pending_.push_back('\n');
    bytes.remove_prefix(1);
  }
  const std::size_t last = bytes.rfind('\n');
  if (last != std::string_view::npos) line_begin_ = pending_.size() + last + 1;
  make_room(bytes.size());
  pending_.append(bytes);
  const std::size_t keep = line_begin_ + usize(max_line_) + 1;
  if (pending_.size() > keep) {
    dropped_ += static_cast<i64>(pending_.size() - keep);
    pending_.resize(keep);
    skipping_ = true;
  }
}

// A text of some size will become a full block: room for that, for what one step brings beyond it
// and for the padding behind it, so that a block is written once and never moves. Pages that are
// not reached cost nothing.
void LineCutter::make_room(std::size_t more) {
  constexpr std::size_t kSmall = std::size_t{256} << 10;
  constexpr std::size_t kFull = usize(kFrameBytes + kReadBytes + kJsonPadding);
  const std::size_t size = pending_.size() + more;
  if (size > kSmall && size <= kFull && pending_.capacity() < kFull) pending_.reserve(kFull);
}

LineCutter::Block LineCutter::take_prefix(std::size_t n) {
  Block block;
  std::string rest = pending_.substr(n);
  pending_.resize(n);
  block.text = std::move(pending_);
  pending_ = std::move(rest);
  line_begin_ = line_begin_ > n ? line_begin_ - n : 0;
  scanned_ = 0;
  return block;
}

std::optional<LineCutter::Block> LineCutter::take() {
  if (skipping_) return std::nullopt;
  if (dropped_ > 0) {
    // An overlong line ends its block, so that one count of dropped bytes per block is enough. It
    // is the last closed line unless more lines followed in the same append.
    std::size_t end = 0;
    std::size_t begin = 0;
    do {
      begin = end;
      end = pending_.find('\n', begin) + 1;
    } while (static_cast<i64>(end - begin) <= max_line_ + 1);
    Block block = take_prefix(end);
    block.dropped_bytes = dropped_;
    dropped_ = 0;
    return block;
  }
  const std::size_t target = usize(kFrameBytes) - 1;
  if (pending_.size() <= target) return std::nullopt;
  const std::size_t lf = pending_.find('\n', std::max(target, scanned_));
  if (lf == std::string::npos) {
    scanned_ = pending_.size();
    return std::nullopt;
  }
  return take_prefix(lf + 1);
}

LineCutter::Block LineCutter::take_lines() {
  if (skipping_) return {};
  if (std::optional<Block> block = take()) return *block;
  return take_prefix(line_begin_);
}

LineCutter::Block LineCutter::take_all() {
  Block block = take_prefix(pending_.size());
  block.dropped_bytes = dropped_;
  dropped_ = 0;
  skipping_ = false;
  line_begin_ = 0;
  return block;
}

StreamDecoder::StreamDecoder()
    : stream_(ZSTD_createDStream()), buf_(std::make_unique<char[]>(usize(kReadBytes))) {
  if (stream_ == nullptr) throw Error(ErrorKind::kOs, "no memory for zstd decompression");
}

StreamDecoder::~StreamDecoder() {
  ZSTD_freeDStream(static_cast<ZSTD_DStream*>(stream_));
}

void StreamDecoder::start() {
  ZSTD_initDStream(static_cast<ZSTD_DStream*>(stream_));
}

i64 StreamDecoder::decode(std::string_view raw, std::string_view& out, bool& done,
                          const char*& problem) {
  done = false;
  problem = nullptr;
  ZSTD_inBuffer in{raw.data(), raw.size(), 0};
  ZSTD_outBuffer to{buf_.get(), usize(kReadBytes), 0};
  const std::size_t rc = ZSTD_decompressStream(static_cast<ZSTD_DStream*>(stream_), &to, &in);
  out = {buf_.get(), to.pos};
  if (ZSTD_isError(rc)) {
    problem = ZSTD_getErrorName(rc);
  } else {
    done = rc == 0;
  }
  return static_cast<i64>(in.pos);
}

namespace {
constexpr int kGzipOnly = 15 + 16;  // the largest window, and the gzip wrapper instead of zlib's
}  // namespace

GzipDecoder::GzipDecoder() : stream_(std::make_unique<z_stream_s>()) {
  *stream_ = {};
  if (inflateInit2(stream_.get(), kGzipOnly) != Z_OK)
    throw Error(ErrorKind::kOs, "no memory for gzip decompression");
}

GzipDecoder::~GzipDecoder() {
  inflateEnd(stream_.get());
}

i64 GzipDecoder::decode(std::string_view raw, std::string& out, const char*& problem) {
  problem = nullptr;
  if (!in_member_ && raw[0] != kGzipMagic[0]) {
    problem = "what follows the last member is no gzip";
    return 0;
  }
  in_member_ = true;
  const std::size_t begin = out.size();
  out.resize(begin + usize(kReadBytes));
  z_stream_s& z = *stream_;
  const i64 given = std::min(isize(raw), kReadBytes);
  // zlib's interface of 1995 takes input it does not change by a pointer that would let it.
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
  z.avail_in = static_cast<uInt>(given);
  z.next_out = reinterpret_cast<Bytef*>(out.data() + begin);
  z.avail_out = static_cast<uInt>(kReadBytes);
  const int rc = inflate(&z, Z_NO_FLUSH);
  out.resize(out.size() - z.avail_out);
  if (rc == Z_STREAM_END) {
    in_member_ = false;
    if (inflateReset(&z) != Z_OK) problem = "cannot go on to the next member";
  } else if (rc != Z_OK) {
    problem = z.msg != nullptr ? z.msg : zError(rc);
  }
  return given - i64{z.avail_in};
}

}  // namespace lm::io
