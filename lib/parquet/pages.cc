#include "parquet/pages.h"

#include <zlib.h>

#include "core/str.h"
#include "io/pages.h"
#include "parquet/bits.h"

namespace lm::parquet {

namespace {

constexpr i64 kLetGoBytes = 4 << 20;

// Levels of version 1: a length of four bytes, then runs.
std::string_view take_levels(std::string_view& content, Encoding encoding, const char* which,
                             const Place& place) {
  if (encoding != Encoding::kRle) {
    place.fail(cat(which, " levels in the encoding ", encoding_name(encoding),
                   ", which is not supported"));
  }
  if (content.size() < 4 || load<u32>(content.data()) > content.size() - 4)
    place.fail(cat("the ", which, " levels are cut"));
  const u32 size = load<u32>(content.data());
  const std::string_view levels = content.substr(4, size);
  content.remove_prefix(4 + usize(size));
  return levels;
}

}  // namespace

void PageReader::begin(std::string_view file, const ChunkMeta& chunk, bool has_rep, bool has_def,
                       Place& place) {
  file_ = file;
  chunk_ = chunk;
  has_rep_ = has_rep;
  has_def_ = has_def;
  place_ = &place;
  at_ = chunk.begin;
  let_go_ = chunk.begin;
}

std::string_view PageReader::content(PageCodec codec, std::string_view body, i64 size) {
  if (size == 0 && body.empty()) return {};
  Decompressor::check(codec, isize(body), size, *place_);
  if (codec == PageCodec::kNone) return body;
  if (size > capacity_) {
    buf_.reset();
    capacity_ = 0;
    held_.set(size);
    buf_ = std::make_unique_for_overwrite<char[]>(usize(size));
    capacity_ = size;
  }
  decompressor_.run(codec, body, buf_.get(), size, *place_);
  return {buf_.get(), usize(size)};
}

Page PageReader::first_version(const PageHeader& header, std::string_view body) {
  Page page;
  page.num_values = header.num_values;
  page.encoding = header.encoding;
  std::string_view values = content(chunk_.codec, body, header.uncompressed);
  if (has_rep_) page.rep = take_levels(values, header.rep_encoding, "repetition", *place_);
  if (has_def_) page.def = take_levels(values, header.def_encoding, "definition", *place_);
  page.values = values;
  return page;
}

// Levels stand in front of what is compressed, without their lengths.
Page PageReader::second_version(const PageHeader& header, std::string_view body) {
  Page page;
  page.num_values = header.num_values;
  page.encoding = header.encoding;
  const i64 levels = header.rep_bytes + header.def_bytes;
  if (levels > isize(body) || levels > header.uncompressed) place_->fail("the levels are cut");
  page.rep = body.substr(0, usize(header.rep_bytes));
  page.def = body.substr(usize(header.rep_bytes), usize(header.def_bytes));
  page.values = content(header.is_compressed ? chunk_.codec : PageCodec::kNone,
                        body.substr(usize(levels)), header.uncompressed - levels);
  return page;
}

Page PageReader::next() {
  const i64 end = chunk_.begin + chunk_.bytes;
  while (true) {
    place_->page = at_;
    if (at_ == end) place_->fail("the column chunk ends before all its values are there");
    const PageHeader header = read_page_header(file_.substr(usize(at_), usize(end - at_)), *place_);
    const i64 begin = at_ + header.header_bytes;
    if (header.compressed > end - begin) {
      place_->fail(cat("the page is cut: ", header.compressed, " bytes, of which ", end - begin,
                       " are left in the column chunk"));
    }
    const std::string_view body = file_.substr(usize(begin), usize(header.compressed));
    if (at_ - let_go_ >= kLetGoBytes) {
      io::let_go(file_.data() + let_go_, at_ - let_go_);
      let_go_ = at_;
    }
    at_ = begin + header.compressed;
    if (header.kind == PageKind::kIndex || header.kind == PageKind::kOther) continue;
    if (header.has_crc) {
      const u32 crc =
          static_cast<u32>(::crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size()));
      if (crc != header.crc)
        place_->fail(cat("the page has the checksum ", crc, ", its header says ", header.crc));
    }
    if (header.kind == PageKind::kDataV2) return second_version(header, body);
    if (header.kind == PageKind::kData) return first_version(header, body);
    Page page;
    page.dictionary = true;
    page.num_values = header.num_values;
    page.encoding = header.encoding;
    page.values = content(chunk_.codec, body, header.uncompressed);
    return page;
  }
}

}  // namespace lm::parquet
