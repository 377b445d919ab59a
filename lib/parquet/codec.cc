#include "parquet/codec.h"

#include <algorithm>
#include <cstring>

#include <lz4.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include "core/error.h"
#include "core/str.h"

namespace lm::parquet {

namespace {

struct ContextDeleter {
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

/// Bytes of content that one compressed byte can stand for at most: a snappy copy of 64 bytes takes
/// 3, an LZ4 match length grows by 255 a byte, deflate reaches 1032, a zstd block of one repeated
/// byte holds 128 KiB in 4.
i64 max_expansion(PageCodec codec) {
  switch (codec) {
    case PageCodec::kSnappy:
      return 64;
    case PageCodec::kLz4Raw:
      return 256;
    case PageCodec::kGzip:
      return 1100;
    default:
      return 32768;
  }
}

class Inflate {
 public:
  Inflate() {
    // 32: zlib's and gzip's headers are told apart.
    if (inflateInit2(&stream_, 15 + 32) != Z_OK) throw std::bad_alloc();
  }
  ~Inflate() { inflateEnd(&stream_); }
  Inflate(const Inflate&) = delete;
  Inflate& operator=(const Inflate&) = delete;

  // Members that follow one another are one content, as gunzip has it.
  bool run(std::string_view bytes, char* out, i64 size) {
    u8 none = 0;  // zlib wants a place to write to even where nothing is expected
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    stream_.next_out = size > 0 ? reinterpret_cast<Bytef*>(out) : &none;
    stream_.avail_out = static_cast<uInt>(size > 0 ? size : 1);
    const uInt left = size > 0 ? 0 : 1;
    while (true) {
      if (inflateReset(&stream_) != Z_OK) return false;
      if (inflate(&stream_, Z_FINISH) != Z_STREAM_END) return false;
      if (stream_.avail_in == 0) return stream_.avail_out == left;
    }
  }

 private:
  z_stream stream_{};
};

}  // namespace

struct Decompressor::State {
  std::unique_ptr<ZSTD_DCtx, ContextDeleter> zstd;
  std::unique_ptr<Inflate> inflate;
};

Decompressor::Decompressor() : state_(std::make_unique<State>()) {}
Decompressor::~Decompressor() = default;

void Decompressor::check(PageCodec codec, i64 compressed, i64 uncompressed, const Place& place) {
  if (codec == PageCodec::kLzo || codec == PageCodec::kBrotli || codec == PageCodec::kLz4) {
    place.fail(cat("compressed with ", codec_name(codec), ", which is not supported"),
               "write the file anew with snappy, gzip, zstd or lz4_raw pages");
  }
  const bool fits = codec == PageCodec::kNone
                        ? compressed == uncompressed
                        : uncompressed <= (compressed + 16) * max_expansion(codec);
  if (!fits) {
    place.fail(cat("the page header promises ", uncompressed, " bytes from ", compressed, " of ",
                   codec_name(codec)));
  }
}

void Decompressor::run(PageCodec codec, std::string_view bytes, char* out, i64 size,
                       const Place& place) {
  bool good = false;
  switch (codec) {
    case PageCodec::kNone:
      good = isize(bytes) == size;
      if (good) std::copy(bytes.begin(), bytes.end(), out);
      break;
    case PageCodec::kSnappy: {
      std::size_t length = 0;
      good = snappy::GetUncompressedLength(bytes.data(), bytes.size(), &length) &&
             length == usize(size) && snappy::RawUncompress(bytes.data(), bytes.size(), out);
      break;
    }
    case PageCodec::kGzip:
      if (!state_->inflate) state_->inflate = std::make_unique<Inflate>();
      good = state_->inflate->run(bytes, out, size);
      break;
    case PageCodec::kZstd: {
      if (!state_->zstd) state_->zstd.reset(ZSTD_createDCtx());
      if (!state_->zstd) throw std::bad_alloc();
      good = ZSTD_decompressDCtx(state_->zstd.get(), out, usize(size), bytes.data(),
                                 bytes.size()) == usize(size);
      break;
    }
    case PageCodec::kLz4Raw:
      good = LZ4_decompress_safe(bytes.data(), out, static_cast<int>(bytes.size()),
                                 static_cast<int>(size)) == static_cast<int>(size);
      break;
    default:
      break;
  }
  if (!good) {
    place.fail(cat("the ", codec_name(codec), " content is damaged or not the ", size,
                   " bytes that the page header promises"));
  }
}

namespace {

void gzip(int level, std::string_view bytes, std::string& out) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  const std::size_t begin = out.size();
  out.resize(begin + deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + begin);
  stream.avail_out = static_cast<uInt>(out.size() - begin);
  const int end = deflate(&stream, Z_FINISH);
  out.resize(begin + stream.total_out);
  deflateEnd(&stream);
  LM_CHECK(end == Z_STREAM_END, "a page fits its bound");
}

}  // namespace

void compress(PageCodec codec, int level, std::string_view bytes, std::string& out) {
  const std::size_t begin = out.size();
  switch (codec) {
    case PageCodec::kNone:
      out.append(bytes);
      return;
    case PageCodec::kSnappy: {
      out.resize(begin + snappy::MaxCompressedLength(bytes.size()));
      std::size_t size = 0;
      snappy::RawCompress(bytes.data(), bytes.size(), out.data() + begin, &size);
      out.resize(begin + size);
      return;
    }
    case PageCodec::kGzip:
      gzip(level, bytes, out);
      return;
    case PageCodec::kZstd: {
      out.resize(begin + ZSTD_compressBound(bytes.size()));
      const std::size_t size =
          ZSTD_compress(out.data() + begin, out.size() - begin, bytes.data(), bytes.size(), level);
      LM_CHECK(ZSTD_isError(size) == 0, "a page fits its bound");
      out.resize(begin + size);
      return;
    }
    case PageCodec::kLz4Raw: {
      out.resize(begin + usize(LZ4_compressBound(static_cast<int>(bytes.size()))));
      const int size =
          LZ4_compress_default(bytes.data(), out.data() + begin, static_cast<int>(bytes.size()),
                               static_cast<int>(out.size() - begin));
      LM_CHECK(size > 0, "a page fits its bound");
      out.resize(begin + usize(size));
      return;
    }
    default:
      LM_CHECK(false, "pages are written with a codec that is written");
  }
}

}  // namespace lm::parquet
