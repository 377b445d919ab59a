#include "io/frame.h"

#include <algorithm>
#include <array>
#include <memory>

#include <zstd.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"

namespace lm::io {

namespace {

constexpr i64 kMaxBlock = 128 << 10;
constexpr int kMaxWindowLog = 23;  // 8 MiB, so that every default reader accepts our frames

u64 load_le(const char* p, int bytes) {
  u64 value = 0;
  for (int i = 0; i < bytes; ++i)
    value |= u64{static_cast<u8>(p[i])} << (8 * i);
  return value;
}

bool is_skippable(u32 magic) {
  return (magic & 0xFFFFFFF0u) == kSkippableBase;
}

struct ContextDeleter {
  void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

}  // namespace

u32 load_u32le(const char* p) {
  return static_cast<u32>(load_le(p, 4));
}

void append_u32le(std::string& out, u32 value) {
  for (int i = 0; i < 4; ++i)
    out.push_back(static_cast<char>(value >> (8 * i)));
}

FrameInfo FrameWalker::peek(std::string_view buf) const {
  FrameInfo info;
  if (buf.size() < 4) return info;
  info.magic = load_u32le(buf.data());
  if (is_skippable(info.magic)) {
    if (buf.size() < 8) return info;
    info.kind = FrameKind::kSkippable;
    info.header = 8;
    info.content = load_u32le(buf.data() + 4);
    info.total = 8 + info.content;
    return info;
  }
  if (info.magic != kZstdMagic) {
    info.kind = FrameKind::kBad;
    info.problem = "no zstd frame here (trailing garbage)";
    return info;
  }
  if (buf.size() < 5) return info;
  const u8 descriptor = static_cast<u8>(buf[4]);
  if (descriptor & 0x18) {
    info.kind = FrameKind::kBad;
    info.problem = "reserved bits set in a frame header";
    return info;
  }
  const bool single = descriptor & 0x20;
  static constexpr std::array<int, 4> kDictBytes = {0, 1, 2, 4};
  static constexpr std::array<int, 4> kSizeBytes = {0, 2, 4, 8};
  const int dict = kDictBytes[descriptor & 3];
  int size_bytes = kSizeBytes[descriptor >> 6];
  if (size_bytes == 0 && single) size_bytes = 1;
  const i64 header = 5 + (single ? 0 : 1) + dict + size_bytes;
  if (static_cast<i64>(buf.size()) < header) return info;
  if (size_bytes > 0) {
    const u64 content =
        load_le(buf.data() + header - size_bytes, size_bytes) + (size_bytes == 2 ? 256 : 0);
    if (content > u64{1} << 62) {
      info.kind = FrameKind::kBad;
      info.problem = "impossible content size in a frame header";
      return info;
    }
    info.content = static_cast<i64>(content);
  }
  info.kind = FrameKind::kData;
  info.header = header;
  return info;
}

FrameInfo FrameWalker::walk(std::string_view buf) {
  FrameInfo info = peek(buf);
  if (info.kind == FrameKind::kSkippable) {
    if (static_cast<i64>(buf.size()) < info.total) info.kind = FrameKind::kNeedMore;
    return info;
  }
  if (info.kind != FrameKind::kData) return info;
  i64 at = std::max(at_, info.header);
  while (true) {
    at_ = at;
    if (static_cast<i64>(buf.size()) < at + 3) break;
    const u32 block = static_cast<u32>(load_le(buf.data() + at, 3));
    const u32 type = block >> 1 & 3;
    const i64 size = block >> 3;
    if (type == 3 || size > kMaxBlock) {
      info.kind = FrameKind::kBad;
      info.problem = "corrupt block header in a zstd frame";
      return info;
    }
    at += 3 + (type == 1 ? 1 : size);
    if (block & 1) {
      info.total = at + ((static_cast<u8>(buf[4]) & 4) ? 4 : 0);
      if (static_cast<i64>(buf.size()) < info.total) break;
      return info;
    }
  }
  info.kind = FrameKind::kNeedMore;
  return info;
}

void append_skippable(std::string& out, u32 magic, std::string_view payload) {
  append_u32le(out, magic);
  append_u32le(out, static_cast<u32>(payload.size()));
  out.append(payload);
}

void append_stored_frame(std::string& out, std::string_view content) {
  const i64 size = static_cast<i64>(content.size());
  LM_CHECK(size <= 0xFFFFFFFFLL, "a stored frame holds less than 4 GiB");
  out.reserve(out.size() + content.size() + 16 + usize(3 * (size / kMaxBlock + 1)));
  append_u32le(out, kZstdMagic);
  out.push_back(static_cast<char>(0x80 | 0x20 | 0x04));  // 4-byte size, single segment, checksum
  append_u32le(out, static_cast<u32>(size));
  i64 at = 0;
  do {
    const i64 n = std::min(kMaxBlock, size - at);
    const u32 block = static_cast<u32>(n) << 3 | (at + n == size ? 1u : 0u);
    out.push_back(static_cast<char>(block));
    out.push_back(static_cast<char>(block >> 8));
    out.push_back(static_cast<char>(block >> 16));
    out.append(content, usize(at), usize(n));
    at += n;
  } while (at < size);
  append_u32le(out, static_cast<u32>(xxh64(content)));
}

void append_compressed_frame(std::string& out, std::string_view content, int level) {
  const std::unique_ptr<ZSTD_CCtx, ContextDeleter> ctx(ZSTD_createCCtx());
  if (!ctx) throw Error(ErrorKind::kOs, "no memory for zstd compression");
  ZSTD_CCtx_setParameter(ctx.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(ctx.get(), ZSTD_c_checksumFlag, 1);
  // Levels from 20 on would ask for more than 8 MiB.
  if (level >= 20) ZSTD_CCtx_setParameter(ctx.get(), ZSTD_c_windowLog, kMaxWindowLog);
  const std::size_t begin = out.size();
  out.resize(begin + ZSTD_compressBound(content.size()));
  const std::size_t n = ZSTD_compress2(ctx.get(), out.data() + begin, out.size() - begin,
                                       content.data(), content.size());
  if (ZSTD_isError(n)) {
    throw Error(ErrorKind::kOs, cat("zstd compression failed: ", ZSTD_getErrorName(n)));
  }
  out.resize(begin + n);
}

std::string decode_frame(std::string_view frame, std::string& out, i64 limit) {
  const FrameInfo info = FrameWalker().peek(frame);
  if (info.kind != FrameKind::kData || info.content < 0) return "frame without content size";
  if (info.content > limit) return "frame larger than its limit";
  const std::unique_ptr<ZSTD_DCtx, ContextDeleter> ctx(ZSTD_createDCtx());
  if (!ctx) throw Error(ErrorKind::kOs, "no memory for zstd decompression");
  const std::size_t begin = out.size();
  out.resize(begin + usize(info.content));
  const std::size_t n = ZSTD_decompressDCtx(ctx.get(), out.data() + begin, out.size() - begin,
                                            frame.data(), frame.size());
  if (ZSTD_isError(n)) return ZSTD_getErrorName(n);
  if (n != usize(info.content)) return "frame content is shorter than its header says";
  return {};
}

std::string seek_table_payload(const std::vector<SeekEntry>& entries) {
  std::string out;
  for (const SeekEntry& entry : entries) {
    append_u32le(out, entry.compressed);
    append_u32le(out, entry.decompressed);
  }
  append_u32le(out, static_cast<u32>(entries.size()));
  out.push_back('\0');  // no checksums
  append_u32le(out, kSeekFooterMagic);
  return out;
}

bool parse_seek_table(std::string_view payload, std::vector<SeekEntry>& entries) {
  entries.clear();
  if (payload.size() < 9) return false;
  const char* footer = payload.data() + payload.size() - 9;
  const u64 count = load_u32le(footer);
  const u8 descriptor = static_cast<u8>(footer[4]);
  if (load_u32le(footer + 5) != kSeekFooterMagic || (descriptor & 0x7F)) return false;
  const u64 width = descriptor & 0x80 ? 12 : 8;
  if (payload.size() != count * width + 9) return false;
  for (u64 i = 0; i < count; ++i) {
    const char* p = payload.data() + i * width;
    entries.push_back({load_u32le(p), load_u32le(p + 4)});
  }
  return true;
}

}  // namespace lm::io
