#pragma once
// The header (LMH1) and end (LME1) frames of a stream: provenance in, completeness out. Payload =
// 4-byte tag + compact JSON whose last field "check" is the XXH64 of the JSON before it, so a
// flipped bit in either is noticed; LME1's "frames" covers every frame since LMH1 as it was on the
// wire.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/types.h"

namespace lm::io {

inline constexpr i64 kStreamVersion = 1;

/// Records, bytes (lines with their newlines) and the order-independent digest: the sum modulo 2^64
/// of XXH64(line without newline).
struct StreamTotals {
  i64 records = 0;
  i64 bytes = 0;
  u64 digest = 0;
  void add_line(std::string_view line);
  void add(const StreamTotals& other);
  bool operator==(const StreamTotals&) const = default;
};

/// Who made a stream. params_json: every resolved option that can change the output, and nothing
/// else. chain: header JSON of the inputs, flattened, each without its own chain.
struct StreamHeader {
  i64 v = kStreamVersion;
  std::string tool;
  std::string version;
  std::string params_json = "{}";
  u64 seed = 0;
  std::vector<std::string> chain;

  /// {"v":1,"tool":...,"seed":0} without chain: what a consumer puts into its own chain.
  std::string self_json() const;
  /// The LMH1 JSON without "check".
  std::string json() const;
  /// Adds an input's header and its chain; equal entries merge; past 64 the oldest collapse into
  /// one entry {"older":N,"digest":"..."}.
  void add_input(const StreamHeader& input);
};

struct StreamEnd {
  i64 v = kStreamVersion;
  StreamTotals totals;
  std::vector<StreamTotals> inputs;
  u64 frames = 0;                      // chain_digest over the frames (frame.h)
  std::optional<StreamHeader> header;  // single-frame files carry it here
};

std::string header_payload(const StreamHeader& header);
std::string end_payload(const StreamEnd& end);
/// payload includes the tag. Faults: "json" (damaged), "version" (a newer v; detail names it).
Result<StreamHeader> parse_header(std::string_view payload);
Result<StreamEnd> parse_end(std::string_view payload);

/// True if the payload begins with one of our tags, whatever the frame's magic.
bool has_lm_tag(std::string_view payload);
bool is_header_tag(std::string_view payload);
bool is_end_tag(std::string_view payload);

}  // namespace lm::io
