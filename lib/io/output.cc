#include "io/output.h"

#include <algorithm>
#include <chrono>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "io/descriptor.h"

namespace lm::io {

namespace {
constexpr i64 kLatencyRecords = 256;
constexpr f64 kLatencySeconds = 1.0;
constexpr i64 kPlainBuffer = 256 << 10;
constexpr i64 kMuchWaiting = i64{32} << 20;  // bytes of a rare batch
}  // namespace

std::optional<Compression> parse_compression(std::string_view text) {
  if (text == "auto") return Compression{Codec::kAuto, 3};
  if (text == "none") return Compression{Codec::kNone, 3};
  if (text == "stored") return Compression{Codec::kStored, 3};
  if (text == "zstd") return Compression{Codec::kZstd, 3};
  if (text.starts_with("zstd:")) {
    const std::optional<i64> level = parse_int(text.substr(5));
    if (level && *level >= -50 && *level <= 22 && *level != 0) {
      return Compression{Codec::kZstd, static_cast<int>(*level)};
    }
  }
  return std::nullopt;
}

// The one data frame of a regular file: libzstd with worker threads (one worker at least, since the
// bytes are then the same for any number), or raw blocks for `stored`.
struct OutputStream::Single {
  ZSTD_CCtx* ctx = nullptr;  // null for stored
  Xxh64Stream checksum;      // stored only
  std::string block;         // stored: bytes of the block being filled
  bool started = false;
  Xxh64Stream wire;  // the frame as written

  Single() = default;
  Single(const Single&) = delete;
  Single& operator=(const Single&) = delete;
  ~Single() {
    if (ctx != nullptr) ZSTD_freeCCtx(ctx);
  }
};

OutputStream::OutputStream(StreamOutputOptions options, const Context& ctx)
    : options_(std::move(options)), ctx_(ctx), stage_(ctx.stages->stage("write")) {
  struct stat st {};
  const bool to_stdout = options_.path == "-";
  name_ = to_stdout ? "<stdout>" : options_.path;
  if (!to_stdout) {
    file_ = std::make_unique<AtomicFile>(options_.path, options_.file);
    fd_ = file_->fd();
  }
  if (::fstat(fd_, &st) != 0)
    throw os_error(ErrorKind::kCannotCreate, name_, "cannot write", errno);
  if (to_stdout) require_writable(fd_, name_);
  const bool pipe = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
  codec_ = options_.compression.codec;
  if (codec_ == Codec::kAuto) {
    codec_ = pipe ? Codec::kStored : options_.path.ends_with(".zst") ? Codec::kZstd : Codec::kNone;
  }
  if (options_.seekable && (codec_ == Codec::kNone || !S_ISREG(st.st_mode))) {
    throw Error(ErrorKind::kUsage, cat(name_, ": --seekable needs a compressed regular file"),
                "name it FILE.jsonl.zst, or give --compress zstd");
  }
  form_ = codec_ == Codec::kNone                      ? Form::kPlain
          : options_.seekable || !S_ISREG(st.st_mode) ? Form::kFrames
                                                      : Form::kSingle;
  if (ctx_.log->enabled(LogLevel::kInfo))
    ctx_.log->message(LogLevel::kInfo, cat(name_, ": ", describe_form()));
  // A wider pipe halves the wake-ups; whether it worked does not matter.
  if (pipe && ::fcntl(fd_, F_SETPIPE_SZ, 1 << 20) < 0) errno = 0;
  if (options_.latency) flusher_ = std::jthread([this] { flusher(); });
}

OutputStream::~OutputStream() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
}

std::string OutputStream::describe_form() const {
  if (form_ == Form::kPlain) return "written as plain lines";
  const std::string codec =
      codec_ == Codec::kStored ? "stored" : cat("zstd:", options_.compression.level);
  return cat("written as ", form_ == Form::kSingle ? "one frame" : "frames of 4 MiB", ", ", codec,
             options_.seekable ? ", with a seek table" : "");
}

void OutputStream::put(std::string_view bytes) {
  put_failed_ = true;
  write_full(fd_, bytes.data(), static_cast<i64>(bytes.size()), name_);
  put_failed_ = false;
  bytes_compressed_ += static_cast<i64>(bytes.size());
}

void OutputStream::send(std::string_view lines) {
  if (form_ == Form::kPlain) return put(lines);
  if (codec_ != Codec::kStored) return single_write(lines, false);
  // In pieces, so that a long record is not there twice more.
  for (; isize(lines) > kPlainBuffer; lines.remove_prefix(usize(kPlainBuffer)))
    single_write(lines.substr(0, usize(kPlainBuffer)), false);
  single_write(lines, false);
}

void OutputStream::begin(const StreamHeader& header) {
  header_ = header;
  if (form_ == Form::kFrames) {
    std::string frame;
    append_skippable(frame, kLmMagic, header_payload(header));
    digest_ = chain_digest(0, xxh64(frame));
    frames_.push_back({static_cast<u32>(frame.size()), 0});
    put(frame);
  } else if (form_ == Form::kSingle) {
    single_ = std::make_unique<Single>();
    if (codec_ == Codec::kZstd) {
      single_->ctx = ZSTD_createCCtx();
      if (single_->ctx == nullptr) throw Error(ErrorKind::kOs, "no memory for zstd compression");
      ZSTD_CCtx_setParameter(single_->ctx, ZSTD_c_compressionLevel, options_.compression.level);
      ZSTD_CCtx_setParameter(single_->ctx, ZSTD_c_checksumFlag, 1);
      ZSTD_CCtx_setParameter(single_->ctx, ZSTD_c_nbWorkers, std::max(1, ctx_.threads));
      if (options_.compression.level >= 20) {
        ZSTD_CCtx_setParameter(single_->ctx, ZSTD_c_windowLog, 23);
      }
    }
  }
}

void OutputStream::write(std::string_view lines, const StreamTotals& totals) {
  const std::lock_guard<std::mutex> lock(mutex_);
  add(lines, totals, nullptr);
}

void OutputStream::take(std::string& lines, const StreamTotals& totals) {
  const std::lock_guard<std::mutex> lock(mutex_);
  add(lines, totals, &lines);
}

void OutputStream::add(std::string_view lines, const StreamTotals& totals, std::string* own) {
  if (flush_error_) std::rethrow_exception(flush_error_);
  if (lines.empty()) return;
  const StageTimer timer(stage_);
  stage_.records += totals.records;
  if (pending_.empty()) oldest_s_ = monotonic_s();
  totals_.add(totals);
  if (form_ != Form::kFrames && isize(lines) >= kPlainBuffer) {
    flush_frames(true);
    return send(lines);
  }
  pending_records_ += totals.records;
  if (own != nullptr && isize(lines) > kMuchWaiting) {
    own->insert(0, pending_);
    pending_.swap(*own);
    std::string().swap(*own);
  } else {
    pending_.append(lines);
  }
  const bool due = options_.latency && (pending_records_ >= kLatencyRecords ||
                                        monotonic_s() - oldest_s_ >= kLatencySeconds);
  flush_frames(due);
}

// Sends what is due: full frames, or everything.
void OutputStream::flush_frames(bool all) {
  if (form_ != Form::kFrames) {
    if (all || isize(pending_) >= kPlainBuffer) {
      send(pending_);
      pending_.clear();
      pending_records_ = 0;
    }
    return;
  }
  std::vector<std::string_view> contents;
  std::size_t begin = 0;
  while (pending_.size() - begin >= usize(kFrameBytes)) {
    const std::size_t lf = pending_.find('\n', std::max(begin + usize(kFrameBytes) - 1, scanned_));
    if (lf == std::string::npos) break;
    contents.push_back(std::string_view(pending_).substr(begin, lf + 1 - begin));
    begin = lf + 1;
  }
  // Compression works on several frames at once; a serial writer would starve the pool.
  const i64 group = codec_ == Codec::kZstd ? std::max(1, ctx_.threads) : 1;
  if (!all && isize(contents) < group) {
    if (contents.empty() && isize(pending_) >= kFrameBytes) scanned_ = pending_.size();
    return;
  }
  if (all && begin < pending_.size()) {
    contents.push_back(std::string_view(pending_).substr(begin));
    begin = pending_.size();
  }
  std::vector<std::string> frames(contents.size());
  parallel_for(isize(contents), 1, [&](i64 first, i64 last) {
    for (i64 i = first; i < last; ++i) {
      if (codec_ == Codec::kStored) {
        append_stored_frame(frames[usize(i)], contents[usize(i)]);
      } else {
        append_compressed_frame(frames[usize(i)], contents[usize(i)], options_.compression.level);
      }
    }
  });
  for (std::size_t i = 0; i < frames.size(); ++i)
    emit_frame(contents[i], frames[i]);
  pending_.erase(0, begin);
  // What a rare batch grew to is not kept.
  if (static_cast<i64>(pending_.capacity()) > kMuchWaiting) std::string(pending_).swap(pending_);
  pending_records_ = 0;
  scanned_ = 0;
}

void OutputStream::emit_frame(std::string_view content, std::string_view frame) {
  digest_ = chain_digest(digest_, xxh64(frame));
  frames_.push_back({static_cast<u32>(frame.size()), static_cast<u32>(content.size())});
  put(frame);
}

void OutputStream::single_write(std::string_view lines, bool last) {
  Single& s = *single_;
  std::string out;
  if (codec_ == Codec::kStored) {
    if (!s.started) {
      append_u32le(out, kZstdMagic);
      out.push_back('\x04');                             // checksum, no content size
      out.push_back(static_cast<char>((23 - 10) << 3));  // window of 8 MiB
    }
    s.checksum.update(lines);
    s.block.append(lines);
    constexpr std::size_t kBlock = 128 << 10;
    std::size_t at = 0;
    while (s.block.size() - at > kBlock || last) {
      const std::size_t n = std::min(kBlock, s.block.size() - at);
      const bool final = last && at + n == s.block.size();
      const u32 header = static_cast<u32>(n) << 3 | (final ? 1u : 0u);
      out.push_back(static_cast<char>(header));
      out.push_back(static_cast<char>(header >> 8));
      out.push_back(static_cast<char>(header >> 16));
      out.append(s.block, at, n);
      at += n;
      if (final) break;
    }
    s.block.erase(0, at);
    if (last) append_u32le(out, static_cast<u32>(s.checksum.digest()));
  } else {
    ZSTD_inBuffer in{lines.data(), lines.size(), 0};
    std::size_t left = 1;
    while (in.pos < in.size || (last && left != 0)) {
      const std::size_t begin = out.size();
      out.resize(begin + ZSTD_CStreamOutSize());
      ZSTD_outBuffer to{out.data() + begin, out.size() - begin, 0};
      left = ZSTD_compressStream2(s.ctx, &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      out.resize(begin + to.pos);
      if (ZSTD_isError(left)) {
        throw Error(ErrorKind::kOs, cat("zstd compression failed: ", ZSTD_getErrorName(left)));
      }
    }
  }
  s.started = s.started || !out.empty();
  s.wire.update(out);
  if (last) digest_ = chain_digest(0, s.wire.digest());
  put(out);
}

void OutputStream::finish(const std::vector<StreamTotals>& inputs) {
  const StageTimer timer(stage_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (flush_error_) std::rethrow_exception(flush_error_);
    if (form_ == Form::kSingle) {
      single_write(pending_, true);
      single_.reset();
    } else {
      flush_frames(true);
    }
    if (form_ != Form::kPlain) {
      StreamEnd end;
      end.totals = totals_;
      end.inputs = inputs;
      end.frames = digest_;
      if (form_ == Form::kSingle) end.header = header_;
      std::string bytes;
      append_skippable(bytes, kLmMagic, end_payload(end));
      frames_.push_back({static_cast<u32>(bytes.size()), 0});
      // Behind LME1, because readers of the seekable format look at the file's last bytes.
      if (options_.seekable) append_skippable(bytes, kSeekMagic, seek_table_payload(frames_));
      put(bytes);
    }
    closing_ = true;
    // Thousands of outputs may wait for their commit.
    std::string().swap(pending_);  // assigning would keep its room
    std::vector<SeekEntry>().swap(frames_);
    header_ = StreamHeader();
  }
  wake_.notify_all();
  if (file_) file_->finish();
}

void OutputStream::commit() {
  if (file_) file_->commit();
}

void OutputStream::flush_after_failure() noexcept {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (file_ || put_failed_ || closing_ || pending_.empty()) return;
  try {
    flush_frames(true);
  } catch (...) {  // the failure that came first is the one to report
    put_failed_ = true;
  }
}

void OutputStream::flusher() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!closing_) {
    wake_.wait_for(lock, std::chrono::milliseconds(250));
    if (closing_ || pending_.empty() || monotonic_s() - oldest_s_ < kLatencySeconds) continue;
    try {
      flush_frames(true);
    } catch (...) {  // thread entry point: the writer rethrows it
      flush_error_ = std::current_exception();
      return;
    }
  }
}

}  // namespace lm::io
