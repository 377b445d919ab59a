#pragma once
// Compressed bytes of pages. Snappy and LZ4 through Debian's libraries: their decoders are hardened
// against hostile input by years of fuzzing and run at memory speed, which code of our own would
// have to earn first.

#include <memory>
#include <string>
#include <string_view>

#include "core/types.h"
#include "parquet/metadata.h"
#include "parquet/place.h"

namespace lm::parquet {

/// Decompresses pages of all codecs but LZO, BROTLI and the framed LZ4 of Hadoop. Not thread-safe.
class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  /// Throws Error{kData} naming the codec if it is one of those three, or if a page of `compressed`
  /// bytes cannot have `uncompressed` bytes of content in it: to be asked before memory is taken.
  static void check(PageCodec codec, i64 compressed, i64 uncompressed, const Place& place);
  /// Fills out[0, size). Throws Error{kData} unless the content has exactly that size.
  void run(PageCodec codec, std::string_view bytes, char* out, i64 size, const Place& place);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Appends the compressed form of bytes: kNone, kSnappy, kGzip, kZstd or kLz4Raw.
void compress(PageCodec codec, int level, std::string_view bytes, std::string& out);

}  // namespace lm::parquet
