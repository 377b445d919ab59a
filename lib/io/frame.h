#pragma once
// zstd frames: walking them without decoding, stored frames at memcpy cost, skippable frames.
// Format: RFC 8878; seek table: the Zstandard seekable format 0.1.0.

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::io {

inline constexpr u32 kZstdMagic = 0xFD2FB528u;
inline constexpr u32 kSkippableBase = 0x184D2A50u;  // ..5F
inline constexpr u32 kLmMagic = 0x184D2A5Au;        // header and end frames of this toolkit
inline constexpr u32 kSeekMagic = 0x184D2A5Eu;
inline constexpr u32 kSeekFooterMagic = 0x8F92EAB1u;
inline constexpr i64 kFrameBytes = i64{4}
                                   << 20;  // a data frame is cut at the first record end here
inline constexpr i64 kMaxTagPayload = 64 << 10;

enum class FrameKind { kNeedMore, kData, kSkippable, kBad };

/// What stands at the start of a buffer.
struct FrameInfo {
  FrameKind kind = FrameKind::kNeedMore;
  i64 total = 0;     // bytes of the whole frame (data and skippable)
  i64 header = 0;    // bytes before the first block / before the payload
  i64 content = -1;  // decompressed size, -1 if the frame does not say
  u32 magic = 0;
  const char* problem = nullptr;  // for kBad
};

/// Resumable walk over the frame at the start of a growing buffer: blocks already walked are not
/// visited again when more bytes arrive.
class FrameWalker {
 public:
  /// buf: from the frame's first byte. kNeedMore until the whole frame is there.
  FrameInfo walk(std::string_view buf);
  /// The frame's header as soon as it is readable (kind kData or kSkippable, total unset for
  /// kData).
  FrameInfo peek(std::string_view buf) const;
  void reset() { at_ = 0; }

 private:
  i64 at_ = 0;  // offset of the next block header; 0 = header not yet read
};

/// Appends a skippable frame. payload <= 4 GiB - 1.
void append_skippable(std::string& out, u32 magic, std::string_view payload);

/// Appends a data frame of raw blocks with content size and checksum: a valid zstd frame at the
/// cost of one copy and one XXH64 pass. Cut content to <= 8 MiB where a reader's window matters.
void append_stored_frame(std::string& out, std::string_view content);

/// Appends one independent compressed frame with content size and checksum; window <= 8 MiB.
/// Bytes depend on content and level only. Throws Error{kOs} when libzstd has no memory.
void append_compressed_frame(std::string& out, std::string_view content, int level);

/// Decodes a whole data frame. Appends to out (at most `limit` bytes of content). Returns an empty
/// string, or what is wrong.
std::string decode_frame(std::string_view frame, std::string& out, i64 limit);

/// Running digest of a stream's frames as they are on the wire (content checksums do not cover
/// headers and the unused bits inside compressed blocks): frame_hash = XXH64 of a whole frame.
constexpr u64 chain_digest(u64 digest, u64 frame_hash) {
  return (digest ^ frame_hash) * 0x9E3779B97F4A7C15ULL + 1;
}

struct SeekEntry {
  u32 compressed = 0;
  u32 decompressed = 0;
};
/// Payload of the seek-table frame for the given frames (no per-frame checksums).
std::string seek_table_payload(const std::vector<SeekEntry>& entries);
/// Reads such a payload; false when it is malformed.
bool parse_seek_table(std::string_view payload, std::vector<SeekEntry>& entries);

u32 load_u32le(const char* p);
void append_u32le(std::string& out, u32 value);

}  // namespace lm::io
