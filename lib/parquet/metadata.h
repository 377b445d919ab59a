#pragma once
// What a Parquet file says of itself: the footer and the headers of pages, as values. Numbers are
// as the file has them except where a comment says that they were checked.
// Source: apache/parquet-format, parquet.thrift (field ids) and LogicalTypes.md.

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "parquet/place.h"

namespace lm::parquet {

enum class Physical : u8 {
  kBoolean,
  kInt32,
  kInt64,
  kInt96,
  kFloat,
  kDouble,
  kByteArray,
  kFixed,
  kAbsent  // groups have none
};

enum class Encoding : u8 {
  kPlain = 0,
  kPlainDictionary = 2,
  kRle = 3,
  kBitPacked = 4,
  kDeltaBinaryPacked = 5,
  kDeltaLengthByteArray = 6,
  kDeltaByteArray = 7,
  kRleDictionary = 8,
  kByteStreamSplit = 9
};

enum class PageCodec : u8 {
  kNone = 0,
  kSnappy = 1,
  kGzip = 2,
  kLzo = 3,
  kBrotli = 4,
  kLz4 = 5,
  kZstd = 6,
  kLz4Raw = 7
};

enum class Repetition : u8 { kRequired, kOptional, kRepeated };

/// What the stored values mean. kUnsupported: something this room does not read; its name is in
/// LogicalType::name.
enum class Logical : u8 {
  kNone,
  kString,
  kEnum,
  kJson,
  kBson,
  kDecimal,
  kDate,
  kTime,
  kTimestamp,
  kInteger,
  kUuid,
  kFloat16,
  kList,
  kMap,
  kAllNull,
  kUnsupported
};

struct LogicalType {
  Logical kind = Logical::kNone;
  i32 scale = 0;          // decimal: digits after the point
  i32 digits = 0;         // time and timestamp: 3, 6 or 9 digits of a second
  bool utc = false;       // timestamp: an instant, not a wall clock's reading
  bool is_signed = true;  // integer
  std::string name;       // of what is not supported
};

struct SchemaElement {
  std::string name;
  Physical physical = Physical::kAbsent;
  Repetition repetition = Repetition::kRequired;
  i32 type_length = 0;  // bytes of a kFixed value
  i32 children = 0;
  LogicalType logical;
};

struct ChunkMeta {
  Physical physical = Physical::kAbsent;
  PageCodec codec = PageCodec::kNone;
  i64 num_values = 0;  // nulls and empty lists included
  i64 begin = 0;       // byte of the first page (dictionary or data)
  i64 bytes = 0;       // of all pages with their headers
};

struct RowGroupMeta {
  i64 rows = 0;
  std::vector<ChunkMeta> chunks;  // one a leaf of the schema
};

struct FileMeta {
  std::vector<SchemaElement> schema;  // depth first, the root first
  std::vector<RowGroupMeta> row_groups;
  i64 rows = 0;
  std::string created_by;
};

/// Reads a footer (without its length and magic). held is charged with the size of what is made.
/// Throws Error{kData}: cut, wrong types, required fields that are missing, unknown types or
/// codecs, encrypted columns, chunks in other files.
FileMeta read_file_meta(std::string_view footer, const Place& place, Held& held);

enum class PageKind : u8 { kData = 0, kIndex = 1, kDictionary = 2, kDataV2 = 3, kOther = 4 };

struct PageHeader {
  PageKind kind = PageKind::kOther;
  i64 uncompressed = 0;  // bytes; not negative
  i64 compressed = 0;    // bytes; not negative
  bool has_crc = false;
  u32 crc = 0;         // CRC-32 of the page's bytes as stored
  i64 num_values = 0;  // not negative
  Encoding encoding = Encoding::kPlain;
  Encoding def_encoding = Encoding::kRle;
  Encoding rep_encoding = Encoding::kRle;
  i64 def_bytes = 0;  // version 2; not negative
  i64 rep_bytes = 0;  // version 2; not negative
  bool is_compressed = true;
  i64 header_bytes = 0;  // of this header
};

/// Reads the header at the start of bytes. Throws Error{kData}.
PageHeader read_page_header(std::string_view bytes, const Place& place);

/// For messages.
std::string_view physical_name(Physical physical);
std::string encoding_name(Encoding encoding);
std::string codec_name(PageCodec codec);

}  // namespace lm::parquet
