#include "io/input.h"

#include <algorithm>

#include <sys/stat.h>

#include "core/hash.h"
#include "core/str.h"
#include "io/file_header.h"
#include "io/input_state.h"
#include "io/json.h"

namespace lm::io {

namespace {

// Frames up to this content size are decoded in parallel; larger or unsized ones are streamed.
constexpr i64 kParallelFrameBytes = i64{8} << 20;

}  // namespace

std::string input_display_name(const std::string& path) {
  return path == "-" ? "<stdin>" : path;
}

InputStream::InputStream(InputOptions options, const Context& ctx)
    : options_(std::move(options)),
      ctx_(ctx),
      read_stage_(ctx.stages->stage("read")),
      decode_stage_(ctx.stages->stage("decode")) {
  if (options_.files.empty()) options_.files.push_back("-");
  for (const std::string& file : options_.files) {
    InputSummary summary;
    summary.name = input_display_name(file);
    summaries_.push_back(summary);
    if (file == "-") {
      bytes_total_ = -1;
      continue;
    }
    struct stat st {};
    if (::stat(file.c_str(), &st) != 0) {
      throw os_error(ErrorKind::kNoInput, file, "cannot open", errno);
    }
    if (S_ISREG(st.st_mode)) {
      open_input(file).close(file);
      if (bytes_total_ >= 0) bytes_total_ += st.st_size;
    } else {
      bytes_total_ = -1;
    }
  }
}

InputStream::~InputStream() = default;

bool InputStream::unit_wanted(i64 unit) const {
  return options_.shard.by_file || unit % options_.shard.count == options_.shard.index;
}

std::unique_ptr<Batch> InputStream::next() {
  if (failed_ || stopped()) return nullptr;
  const StageTimer timer(read_stage_);
  try {
    std::unique_ptr<Batch> batch = next_batch();
    if (source_) bytes_read_.store(source_->bytes_read());
    if (batch) batch->number = batches_++;
    return batch;
  } catch (...) {
    failed_ = true;
    auto batch = std::make_unique<Batch>();
    batch->number = batches_++;
    batch->input = source_ ? source_->input : std::min(next_input_, isize(options_.files)) - 1;
    batch->error = std::current_exception();
    return batch;
  }
}

std::unique_ptr<Batch> InputStream::next_batch() {
  while (true) {
    if (stopped()) return nullptr;
    if (!source_) {
      const Shard& shard = options_.shard;
      while (shard.by_file && next_input_ < isize(options_.files) &&
             next_input_ % shard.count != shard.index) {
        ++next_input_;
      }
      if (next_input_ == isize(options_.files)) return nullptr;
      open_next();
    }
    if (source_->finished) {
      summaries_[usize(source_->input)].bytes_compressed = source_->bytes_read();
      source_.reset();
      continue;
    }
    if (source_->pending_error) throw Error(*source_->pending_error);
    std::unique_ptr<Batch> batch = !source_->framed     ? plain_batch()
                                   : source_->streaming ? stream_batch()
                                                        : frame_batch();
    if (batch) {
      batch->input = source_->input;
      return batch;
    }
  }
}

std::unique_ptr<Batch> InputStream::plain_batch() {
  Source& s = *source_;
  // An input of another shard needs not be converted, and is not counted as read.
  if (s.converter && !unit_wanted(s.whole_unit)) return end_of_input();
  LineCutter::Block block;
  while (true) {
    if (std::optional<LineCutter::Block> full = s.cutter.take()) {
      block = std::move(*full);
      break;
    }
    const bool more = s.pull();
    if (s.broken) {
      s.pending_error = std::exchange(s.broken, std::nullopt);
      block = s.cutter.take_lines();
      if (block.text.empty()) return nullptr;
      break;
    }
    if (!more) {
      block = s.cutter.take_all();
      if (block.text.empty()) return end_of_input();
      break;
    }
    if (options_.latency) {
      block = s.cutter.take_lines();
      if (!block.text.empty()) break;
    }
  }
  auto batch = std::make_unique<Batch>();
  batch->text = std::move(block.text);
  batch->dropped_bytes = block.dropped_bytes;
  batch->unit = s.gzip || s.converter ? s.whole_unit : next_unit_++;
  return batch;
}

// A frame of ours whose magic number was damaged still shows its tag, or the seek table's footer.
bool InputStream::looks_ours(const FrameInfo& info) {
  Source& s = *source_;
  if (s.raw.fill(12) && has_lm_tag(s.raw.view().substr(8))) return true;
  if (!s.ours || info.content > kMaxTagPayload || !s.raw.fill(info.total) || info.content < 4)
    return false;
  return load_u32le(s.raw.view().data() + info.total - 4) == kSeekFooterMagic;
}

std::unique_ptr<Batch> InputStream::frame_batch() {
  Source& s = *source_;
  if (!s.raw.fill(1)) return end_of_input();
  FrameInfo info = s.walker.peek(s.raw.view());
  while (info.kind == FrameKind::kNeedMore) {
    if (!s.raw.fill(s.raw.available() + 1)) s.cut("a frame header");
    info = s.walker.peek(s.raw.view());
  }
  if (info.kind == FrameKind::kBad) s.fail(cat(info.problem, " at byte ", s.raw.offset()));
  auto batch = std::make_unique<Batch>();
  if (info.kind == FrameKind::kSkippable) {
    const bool tagged = info.magic == kLmMagic || info.magic == kSeekMagic || looks_ours(info);
    if (!tagged || info.content > (info.magic == kSeekMagic ? i64{64} << 20 : kMaxTagPayload)) {
      if (tagged) s.fail(cat("oversized stream frame at byte ", s.raw.offset()));
      s.walked.push_back({static_cast<u32>(info.total), 0});
      if (!s.raw.skip(info.total)) s.cut("a skippable frame");
      return nullptr;
    }
    if (!s.raw.fill(info.total)) s.cut("a stream frame");
    const std::string bytes(s.raw.view().substr(0, usize(info.total)));
    skippable(*batch, bytes, info.magic);
    s.walked.push_back({static_cast<u32>(info.total), 0});
    s.raw.consume(info.total);
    return batch->begin || batch->end ? std::move(batch) : nullptr;
  }
  const i64 unit = next_unit_++;
  ++s.data_frames;
  s.ended = false;
  if (!s.in_header) s.fresh = true;
  if (info.content < 0 || info.content > kParallelFrameBytes) {
    ctx_.log->message(
        LogLevel::kInfo,
        cat(s.raw.name(), ": ", info.content < 0 ? "a frame of unknown size" : "one large frame",
            ", decoded by one thread"));
    s.streaming = true;
    s.stream_done = false;
    s.stream_begin = s.raw.offset();
    s.stream_content = 0;
    s.stream_hash.reset();
    if (!s.decoder) s.decoder = std::make_unique<StreamDecoder>();
    s.decoder->start();
    if (options_.shard.count > 1 && !options_.shard.by_file && s.data_frames == 1) {
      ctx_.log->message(LogLevel::kWarning, cat(s.raw.name(),
                                                ": one large frame is one shard unit; "
                                                "lm-cat --seekable makes it divisible"));
    }
    next_unit_ = unit + 1;
    return nullptr;
  }
  s.walker.reset();
  FrameInfo whole = s.walker.walk(s.raw.view());
  while (whole.kind == FrameKind::kNeedMore) {
    if (!s.raw.fill(s.raw.available() + 1)) s.cut("a zstd frame");
    whole = s.walker.walk(s.raw.view());
  }
  if (whole.kind == FrameKind::kBad) s.fail(cat(whole.problem, " at byte ", s.raw.offset()));
  batch->frame_offset = s.raw.offset();
  batch->unit = unit;
  batch->fresh = std::exchange(s.fresh, false);
  s.walked.push_back({static_cast<u32>(whole.total), static_cast<u32>(info.content)});
  // Frames of this toolkit are line-aligned: those of other shards need not even be decoded.
  if (unit_wanted(unit) || !s.in_header) {  // decode() also hashes it
    batch->frame.assign(s.raw.view().substr(0, usize(whole.total)));
  }
  s.raw.consume(whole.total);
  return batch;
}

void InputStream::skippable(Batch& batch, std::string_view bytes, u32 magic) {
  Source& s = *source_;
  const std::string_view payload = bytes.substr(8);
  const auto at = [&] { return cat(" at byte ", s.raw.offset()); };
  if (has_lm_tag(payload) != (magic == kLmMagic)) s.fail(cat("damaged stream frame", at()));
  if (magic == kSeekMagic) {
    std::vector<SeekEntry> table;
    const bool same =
        parse_seek_table(payload, table) && table.size() == s.walked.size() &&
        std::equal(table.begin(), table.end(), s.walked.begin(),
                   [](const SeekEntry& a, const SeekEntry& b) {
                     return a.compressed == b.compressed && a.decompressed == b.decompressed;
                   });
    // A foreign table may count frames in its own way; ours must agree with what was walked.
    if (s.ours && !same) s.fail(cat("seek table does not fit the frames", at()));
    return;
  }
  s.ours = true;
  summaries_[usize(s.input)].foreign = false;
  if (is_header_tag(payload)) {
    const Result<StreamHeader> header = parse_header(payload);
    if (!header) s.fail(cat(header.fault().detail, at()));
    if (s.in_header) {
      s.fail(cat("a second stream begins before the end frame of the first", at()));
    }
    if (s.raw.offset() == 0) leading_.emplace(s.input, *header);
    s.in_header = true;
    s.ended = false;
    s.walked.clear();
    batch.frame_hashes.push_back(xxh64(bytes));
    batch.begin = *header;
    return;
  }
  Result<StreamEnd> end = parse_end(payload);
  if (!end) s.fail(cat(end.fault().detail, at()));
  batch.end = std::move(*end);
  s.in_header = false;
  s.ended = true;
}

std::unique_ptr<Batch> InputStream::stream_batch() {
  Source& s = *source_;
  const i64 unit = next_unit_ - 1;
  const auto make = [&](LineCutter::Block block) {
    auto batch = std::make_unique<Batch>();
    batch->text = std::move(block.text);
    batch->dropped_bytes = block.dropped_bytes;
    batch->unit = unit;
    batch->frame_offset = s.stream_begin;
    batch->fresh = std::exchange(s.fresh, false);
    return batch;
  };
  std::string_view decoded;
  while (true) {
    if (std::optional<LineCutter::Block> full = s.cutter.take()) return make(std::move(*full));
    if (s.stream_done) {
      s.streaming = false;
      s.walked.push_back(
          {static_cast<u32>(s.raw.offset() - s.stream_begin), static_cast<u32>(s.stream_content)});
      std::unique_ptr<Batch> batch = make(s.cutter.take_all());
      batch->frame_hashes.push_back(s.stream_hash.digest());
      return batch;
    }
    // An empty view lets the decoder flush what it still holds before more input is needed.
    if (!s.raw.fill(1)) {
      s.pending_error =
          Error(ErrorKind::kData,
                cat(s.raw.name(), ": ended inside a zstd frame at byte ", s.raw.offset(),
                    " (the file is cut or the program before this one failed)"));
      return make(s.cutter.take_lines());
    }
    bool done = false;
    const char* problem = nullptr;
    const i64 used = s.decoder->decode(s.raw.view(), decoded, done, problem);
    s.stream_hash.update(s.raw.view().substr(0, usize(used)));
    s.raw.consume(used);
    s.stream_content += isize(decoded);
    s.cutter.append(decoded);
    if (problem != nullptr) {
      s.pending_error = Error(ErrorKind::kData, cat(s.raw.name(), ": corrupt zstd frame near byte ",
                                                    s.raw.offset(), ": ", problem));
      return make(s.cutter.take_lines());
    }
    s.stream_done = done;
    if (options_.latency && !done) {
      LineCutter::Block block = s.cutter.take_lines();
      if (!block.text.empty()) return make(std::move(block));
    }
  }
}

std::unique_ptr<Batch> InputStream::end_of_input() {
  Source& s = *source_;
  if (s.in_header) {
    s.fail(
        "stream ended without its end frame (the program before this one failed or the file is "
        "cut)");
  }
  if (options_.expect_end && !s.ended) {
    s.fail("has no end frame, and --expect-end asks for one");
  }
  if (s.converter && s.converter->bytes_read() == 0) check_empty();
  s.finished = true;
  auto batch = std::make_unique<Batch>();
  batch->last_of_input = true;
  return batch;
}

void InputStream::decode(Batch& batch) const {
  if (batch.error || batch.frame.empty()) return;
  const StageTimer timer(decode_stage_);
  batch.frame_hashes.push_back(xxh64(batch.frame));
  batch.text.reserve(usize(kFrameBytes + kJsonPadding));
  const std::string problem = decode_frame(batch.frame, batch.text, kParallelFrameBytes);
  if (!problem.empty()) {
    batch.text.clear();
    batch.error = std::make_exception_ptr(
        Error(ErrorKind::kData, cat(name(batch.input), ": corrupt zstd frame at byte ",
                                    batch.frame_offset, ": ", problem)));
  }
  std::string().swap(batch.frame);
}

void InputStream::stitch(Batch& batch) {
  const StageTimer timer(decode_stage_);
  if (batch.input != stitch_input_) {
    stitch_input_ = batch.input;
    line_ = 0;
    byte_ = 0;
  }
  batch.first_line = line_;
  batch.first_byte = byte_ - isize(carry_);
  std::string& text = batch.text;
  line_ += count_byte(text, '\n');
  byte_ += isize(text) + batch.dropped_bytes;
  if (batch.begin || batch.end || batch.last_of_input) {
    // Such a batch has no text of its own: it closes a last line that lacks its newline.
    if (!carry_.empty()) {
      carry_.push_back('\n');
      ++line_;
    }
    text = unit_wanted(carry_unit_) ? std::exchange(carry_, {}) : (carry_.clear(), std::string());
  } else if (!text.empty()) {
    join_lines(batch);
  }
  batch.text_size = isize(text);
  text.append(usize(kJsonPadding), '\0');
}

// Foreign frames may cut lines anywhere. A line belongs to the unit in which it begins, so a shard
// reads every line exactly once.
void InputStream::join_lines(Batch& batch) {
  std::string& text = batch.text;
  const bool wanted = unit_wanted(batch.unit);
  if (carry_.empty() && wanted && text.back() == '\n') return;
  const std::size_t first = text.find('\n');
  if (first == std::string::npos) {
    if (carry_.empty()) carry_unit_ = batch.unit;
    carry_ += text;
    text.clear();
    return;
  }
  const std::size_t last = text.rfind('\n');
  std::string joined;
  std::size_t body = 0;
  if (!carry_.empty()) {
    body = first + 1;
    if (unit_wanted(carry_unit_)) {
      joined = std::move(carry_);
      joined.append(text, 0, body);
    } else {
      batch.first_byte += isize(carry_) + static_cast<i64>(body);
      ++batch.first_line;
    }
  }
  if (wanted) joined.append(text, body, last + 1 - body);
  carry_ = text.substr(last + 1);
  carry_unit_ = batch.unit;
  text = std::move(joined);
}

std::vector<StreamHeader> InputStream::headers() {
  std::vector<StreamHeader> found;
  for (i64 i = 0; i < isize(options_.files); ++i) {
    if (options_.shard.by_file && i % options_.shard.count != options_.shard.index) continue;
    const std::string& file = options_.files[usize(i)];
    struct stat st {};
    if (file != "-" && ::stat(file.c_str(), &st) == 0 && S_ISREG(st.st_mode)) {
      if (std::optional<StreamHeader> header = file_header(file)) found.push_back(*header);
      continue;
    }
    if (i < next_input_) {  // cannot be read again
      if (const auto seen = leading_.find(i); seen != leading_.end()) found.push_back(seen->second);
      continue;
    }
    std::unique_ptr<Source>& s = opened_[i];
    if (!s) s = open_source(i);
    if (s->converter) continue;
    if (std::optional<StreamHeader> header = leading_header(s->raw))
      found.push_back(std::move(*header));
  }
  return found;
}

void InputStream::account(Batch& batch) {
  if (batch.error) std::rethrow_exception(batch.error);
  if (batch.fresh || batch.begin) {
    segment_ = {};
    segment_digest_ = 0;
  }
  if (!batch.begin) segment_.add(batch.in);
  for (const u64 hash : batch.frame_hashes) {
    segment_digest_ = chain_digest(segment_digest_, hash);
  }
  InputSummary& summary = summaries_[usize(batch.input)];
  summary.totals.add(batch.in);
  read_stage_.records += batch.in.records;
  decode_stage_.records += batch.in.records;
  if (!batch.end) return;
  const StreamEnd& end = *batch.end;
  const StreamTotals seen = std::exchange(segment_, StreamTotals{});
  const u64 digest = std::exchange(segment_digest_, 0);
  const bool partly = batch.number >= last_batch_.load();  // its last records may have been cut off
  if (options_.shard.count > 1 || partly) return;
  if (end.frames != digest) {
    throw Error(ErrorKind::kData,
                cat(summary.name, ": frames do not match the end frame (bytes were changed)"));
  }
  if (!(end.totals == seen)) {
    throw Error(ErrorKind::kData, cat(summary.name, ": end frame says ", end.totals.records,
                                      " records and digest ", hex64(end.totals.digest), ", seen ",
                                      seen.records, " and ", hex64(seen.digest)));
  }
}

}  // namespace lm::io
