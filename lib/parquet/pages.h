#pragma once
// The pages of one column chunk, one after another: header, checksum, decompression. One page is in
// memory at a time, charged to the budget; an uncompressed one stays in the mapping.

#include <memory>
#include <string_view>

#include "core/context.h"
#include "core/types.h"
#include "parquet/codec.h"
#include "parquet/metadata.h"
#include "parquet/place.h"

namespace lm::parquet {

/// A page ready for decoding. The views live until the next page is asked for.
struct Page {
  bool dictionary = false;
  i64 num_values = 0;  // of a data page with nulls and empty lists, of a dictionary its entries
  Encoding encoding = Encoding::kPlain;
  std::string_view rep;  // runs of repetition levels; empty where the column has none
  std::string_view def;  // runs of definition levels
  std::string_view values;
};

class PageReader {
 public:
  explicit PageReader(const Context& ctx) : held_(ctx, "a page of a Parquet file") {}

  /// Pages of `chunk`, whose bytes lie inside file. has_rep, has_def: which levels its pages have.
  /// place is kept and told where each page begins; both outlive the reading of the chunk.
  void begin(std::string_view file, const ChunkMeta& chunk, bool has_rep, bool has_def,
             Place& place);
  /// The next dictionary or data page; throws Error{kData} when the chunk has no further one, and
  /// for everything that a damaged page shows.
  Page next();

 private:
  Page first_version(const PageHeader& header, std::string_view body);
  Page second_version(const PageHeader& header, std::string_view body);
  std::string_view content(PageCodec codec, std::string_view body, i64 size);

  std::string_view file_;
  ChunkMeta chunk_;
  bool has_rep_ = false;
  bool has_def_ = false;
  Place* place_ = nullptr;
  i64 at_ = 0;      // byte of the next header in the file
  i64 let_go_ = 0;  // what lies before it in the chunk has left this process's memory
  Decompressor decompressor_;
  std::unique_ptr<char[]> buf_;
  i64 capacity_ = 0;
  Held held_;
};

}  // namespace lm::parquet
