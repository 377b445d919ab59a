#pragma once
// Packs documents into rows of exactly L tokens. A plan is made from document lengths alone, so it
// is small, deterministic and the same for any reader; rows are then filled from the tokens.
//
//   concat       one stream of documents, cut every L; nothing is lost
//   bestfit      documents longer than L are first cut into pieces of L; the pieces go, longest
//                first, into the fullest row that still has room; nothing is lost, rows are padded
//   bos-bestfit  every row starts with BOS; of a buffer of documents the longest that fits is
//   placed
//                next; if none fits, the shortest is cut to fill the row and its rest is lost
//                (with insert_bos one place stays free where only a BOS would fit)
// Source: bestfit: Ding et al. 2024, "Fewer Truncations Improve Language Modeling".

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/types.h"

namespace lm::text {

enum class PackMode { kConcat, kBestFit, kBosBestFit };
/// "concat", "bestfit", "bos-bestfit"; throws Error{kUsage}.
PackMode parse_pack_mode(std::string_view name);

struct PackOptions {
  PackMode mode = PackMode::kConcat;
  i64 seq_len = 1024;      // L
  bool overlap = false;    // concat: rows of L+1 tokens that overlap by one (inputs and targets)
  bool drop_last = false;  // concat: drop an incomplete last row instead of padding it
  i64 buffer_documents = 1000;  // bos-bestfit
  bool insert_bos = false;  // bos-bestfit: put BOS before each document; else documents bring it
};

/// Tokens [begin, end) of a document inside one row. With insert_bos one BOS comes before them.
struct PackSegment {
  i64 document = 0;
  i64 begin = 0, end = 0;
  bool operator==(const PackSegment&) const = default;
};

struct PackPlan {
  PackOptions options;
  std::vector<PackSegment> segments;
  std::vector<i64> row_begin;  // [rows + 1] into segments
  i64 tokens_in = 0;           // of all documents
  i64 tokens_placed = 0;       // distinct document tokens in rows
  i64 tokens_lost = 0;         // tokens_in - tokens_placed
  i64 padding = 0;             // row positions without a token

  i64 rows() const { return isize(row_begin) - 1; }
  /// Tokens per row: L, or L + 1 with overlap.
  i64 width() const { return options.seq_len + (options.overlap ? 1 : 0); }
  std::span<const PackSegment> row(i64 r) const {
    return std::span(segments).subspan(usize(row_begin[usize(r)]),
                                       usize(row_begin[usize(r + 1)] - row_begin[usize(r)]));
  }
  /// Part of all row positions that hold a token, in [0, 1]; 1 without rows.
  f64 utilisation() const;
};

/// Plans rows for documents of these lengths (tokens, >= 0; empty ones are never placed).
/// concat O(n + rows), bestfit O(n log L), bos-bestfit O(n log buffer). Memory is charged to
/// ctx.memory while planning. Throws Error{kUsage} for options out of range, Error{kOs} over
/// budget.
PackPlan plan_packing(std::span<const i64> lengths, const PackOptions& options, const Context& ctx);

/// One row ready for a model. Padding has document -1, segment id 0 and position 0.
struct PackedRow {
  std::vector<i32> tokens;        // [width]
  std::vector<i64> documents;     // [width] index of the document of each token
  std::vector<u16> segment_ids;   // [width] 1, 2, ... per segment of the row; 0 is padding
  std::vector<i32> position_ids;  // [width] from 0 in each segment
  std::vector<i32> cu_seqlens;    // [segments + 1] starts of segments, then the end of the last
};

/// Copies tokens [begin, end) of a document to out.
using DocumentReader = std::function<void(i64 document, i64 begin, i64 end, std::span<i32> out)>;

/// Fills row r of the plan; bos is needed with insert_bos. Throws Error{kData} when bos-bestfit is
/// to start a row with a document that does not begin with bos, Error{kUsage} for r out of range or
/// above 65535 segments in a row.
void fill_row(const PackPlan& plan, i64 r, const DocumentReader& read, i32 pad,
              std::optional<i32> bos, PackedRow& out);

}  // namespace lm::text
