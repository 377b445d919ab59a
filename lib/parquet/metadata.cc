#include "parquet/metadata.h"

#include <array>

#include "core/str.h"
#include "parquet/thrift.h"

namespace lm::parquet {

namespace {

constexpr std::array<std::string_view, 9> kPhysicalNames = {
    "BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY",
    "no type"};
constexpr std::array<std::string_view, 10> kEncodingNames = {
    "PLAIN",          "GROUP_VAR_INT",       "PLAIN_DICTIONARY",        "RLE",
    "BIT_PACKED",     "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY",
    "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"};
constexpr std::array<std::string_view, 8> kCodecNames = {
    "UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"};

// The enumeration of the first versions; logical_type() reads the union that replaced it.
LogicalType converted_type(i32 code) {
  LogicalType out;
  switch (code) {
    case 0:
      out.kind = Logical::kString;
      break;
    case 1:
    case 2:
      out.kind = Logical::kMap;
      break;
    case 3:
      out.kind = Logical::kList;
      break;
    case 4:
      out.kind = Logical::kEnum;
      break;
    case 5:
      out.kind = Logical::kDecimal;
      break;
    case 6:
      out.kind = Logical::kDate;
      break;
    case 7:
    case 8:
      out.kind = Logical::kTime;
      out.digits = code == 7 ? 3 : 6;
      break;
    case 9:
    case 10:
      out.kind = Logical::kTimestamp;
      out.digits = code == 9 ? 3 : 6;
      out.utc = true;
      break;
    case 11:
    case 12:
    case 13:
    case 14:
      out.kind = Logical::kInteger;
      out.is_signed = false;
      break;
    case 15:
    case 16:
    case 17:
    case 18:
      out.kind = Logical::kInteger;
      break;
    case 19:
      out.kind = Logical::kJson;
      break;
    case 20:
      out.kind = Logical::kBson;
      break;
    case 21:
      out.kind = Logical::kUnsupported;
      out.name = "INTERVAL";
      break;
    default:
      out.kind = Logical::kUnsupported;
      out.name = cat("converted type ", code);
  }
  return out;
}

Logical logical_kind(i64 id) {
  static constexpr std::array<Logical, 16> kKinds = {
      Logical::kUnsupported, Logical::kString,      Logical::kMap,     Logical::kList,
      Logical::kEnum,        Logical::kDecimal,     Logical::kDate,    Logical::kTime,
      Logical::kTimestamp,   Logical::kUnsupported, Logical::kInteger, Logical::kAllNull,
      Logical::kJson,        Logical::kBson,        Logical::kUuid,    Logical::kFloat16};
  return id > 0 && id < isize(kKinds) ? kKinds[usize(id)] : Logical::kUnsupported;
}

std::string unsupported_name(i64 id) {
  if (id == 16) return "VARIANT";
  if (id == 17) return "GEOMETRY";
  if (id == 18) return "GEOGRAPHY";
  return cat("logical type ", id);
}

// A union has one field, whose structure may have parameters.
LogicalType logical_type(ThriftReader& in, ThriftField field) {
  LogicalType out;
  in.structure(field, [&](ThriftField one) {
    out = {};
    out.kind = logical_kind(one.id);
    if (out.kind == Logical::kUnsupported) out.name = unsupported_name(one.id);
    in.structure(one, [&](ThriftField parameter) {
      if (out.kind == Logical::kDecimal && parameter.id == 1) {
        out.scale = in.integer32(parameter);
      } else if (out.kind == Logical::kInteger && parameter.id == 2) {
        out.is_signed = in.boolean(parameter);
      } else if ((out.kind == Logical::kTime || out.kind == Logical::kTimestamp) &&
                 parameter.id == 1) {
        out.utc = in.boolean(parameter);
      } else if ((out.kind == Logical::kTime || out.kind == Logical::kTimestamp) &&
                 parameter.id == 2) {
        in.structure(parameter, [&](ThriftField unit) {
          if (unit.id >= 1 && unit.id <= 3) out.digits = static_cast<i32>(3 * unit.id);
          return false;
        });
      } else {
        return false;
      }
      return true;
    });
    return true;
  });
  return out;
}

SchemaElement schema_element(ThriftReader& in, const Place& place) {
  SchemaElement out;
  bool named = false;
  bool annotated = false;
  i32 scale = 0;
  in.structure([&](ThriftField field) {
    switch (field.id) {
      case 1: {
        const i32 type = in.integer32(field);
        if (type < 0 || type > 7) place.fail(cat("physical type ", type, " is not known"));
        out.physical = static_cast<Physical>(type);
        return true;
      }
      case 2:
        out.type_length = in.integer32(field);
        return true;
      case 3: {
        const i32 repetition = in.integer32(field);
        if (repetition < 0 || repetition > 2)
          place.fail(cat("repetition type ", repetition, " is not known"));
        out.repetition = static_cast<Repetition>(repetition);
        return true;
      }
      case 4:
        out.name = in.binary(field);
        named = true;
        return true;
      case 5:
        out.children = in.integer32(field);
        return true;
      case 6: {
        const i32 code = in.integer32(field);
        if (!annotated) out.logical = converted_type(code);
        return true;
      }
      case 7:
        scale = in.integer32(field);
        return true;
      case 10:
        out.logical = logical_type(in, field);
        annotated = true;
        return true;
      default:
        return false;
    }
  });
  if (!named) place.fail("an element of the schema has no name");
  if (out.logical.kind == Logical::kDecimal && !annotated) out.logical.scale = scale;
  return out;
}

void column_meta(ThriftReader& in, ThriftField field, const Place& place, ChunkMeta& out) {
  i64 data_offset = -1;
  i64 dictionary_offset = -1;
  u32 seen = 0;
  in.structure(field, [&](ThriftField one) {
    if (one.id >= 1 && one.id <= 9) seen |= 1u << one.id;
    switch (one.id) {
      case 1: {
        const i32 type = in.integer32(one);
        if (type < 0 || type > 7) place.fail(cat("physical type ", type, " is not known"));
        out.physical = static_cast<Physical>(type);
        return true;
      }
      case 4: {
        const i32 codec = in.integer32(one);
        if (codec < 0 || codec >= isize(kCodecNames))
          place.fail(cat("compression codec ", codec, " is not known"));
        out.codec = static_cast<PageCodec>(codec);
        return true;
      }
      case 5:
        out.num_values = in.integer(one);
        return true;
      case 7:
        out.bytes = in.integer(one);
        return true;
      case 9:
        data_offset = in.integer(one);
        return true;
      case 11:
        dictionary_offset = in.integer(one);
        return true;
      default:
        return false;
    }
  });
  constexpr u32 kRequired = 1u << 1 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 9;
  if ((seen & kRequired) != kRequired)
    place.fail("a column chunk lacks its type, codec, counts or place");
  // Writers that have no dictionary give 0 for its place, or none.
  out.begin =
      dictionary_offset > 0 && dictionary_offset < data_offset ? dictionary_offset : data_offset;
}

ChunkMeta column_chunk(ThriftReader& in, const Place& place) {
  ChunkMeta out;
  bool found = false;
  in.structure([&](ThriftField field) {
    if (field.id == 1) {
      place.fail(cat("a column chunk lies in another file, ", quote(in.binary(field))));
    } else if (field.id == 3) {
      column_meta(in, field, place, out);
      found = true;
      return true;
    } else if (field.id == 8) {
      place.fail("a column is encrypted, which is not supported");
    }
    return false;
  });
  if (!found) place.fail("a column chunk has no metadata");
  return out;
}

RowGroupMeta row_group(ThriftReader& in, const Place& place, Held& held) {
  RowGroupMeta out;
  bool rows = false;
  in.structure([&](ThriftField field) {
    if (field.id == 1) {
      in.list(field, [&](ThriftField element) {
        if (element.type != ThriftType::kStruct) place.fail("a column chunk is no structure");
        held.add(2 * i64{sizeof(ChunkMeta)});  // the vector may have twice the room
        out.chunks.push_back(column_chunk(in, place));
      });
      return true;
    }
    if (field.id == 3) {
      out.rows = in.integer(field);
      rows = true;
      return true;
    }
    return false;
  });
  if (!rows || out.rows < 0) place.fail("a row group has no number of rows");
  return out;
}

}  // namespace

std::string_view physical_name(Physical physical) {
  return kPhysicalNames[static_cast<std::size_t>(physical)];
}

std::string encoding_name(Encoding encoding) {
  const std::size_t code = static_cast<std::size_t>(encoding);
  return code < kEncodingNames.size() ? std::string(kEncodingNames[code]) : cat("number ", code);
}

std::string codec_name(PageCodec codec) {
  return std::string(kCodecNames[static_cast<std::size_t>(codec)]);
}

FileMeta read_file_meta(std::string_view footer, const Place& place, Held& held) {
  ThriftReader in(footer, place);
  FileMeta out;
  bool rows = false;
  in.structure([&](ThriftField field) {
    switch (field.id) {
      case 2:
        in.list(field, [&](ThriftField element) {
          if (element.type != ThriftType::kStruct) place.fail("a schema element is no structure");
          held.add(2 * i64{sizeof(SchemaElement)});
          out.schema.push_back(schema_element(in, place));
        });
        return true;
      case 3:
        out.rows = in.integer(field);
        rows = true;
        return true;
      case 4:
        in.list(field, [&](ThriftField element) {
          if (element.type != ThriftType::kStruct) place.fail("a row group is no structure");
          held.add(2 * i64{sizeof(RowGroupMeta)});
          Place at = place;
          at.row_group = element.id;
          out.row_groups.push_back(row_group(in, at, held));
        });
        return true;
      case 6:
        out.created_by = in.binary(field);
        return true;
      case 8:
        place.fail("the file is encrypted, which is not supported");
      default:
        return false;
    }
  });
  if (out.schema.empty()) place.fail("there is no schema");
  if (!rows || out.rows < 0) place.fail("there is no number of rows");
  return out;
}

namespace {

Encoding encoding_of(ThriftReader& in, ThriftField field, const Place& place) {
  const i32 code = in.integer32(field);
  if (code < 0 || code > 255) place.fail(cat("encoding ", code, " is not known"));
  return static_cast<Encoding>(code);
}

i64 count_of(ThriftReader& in, ThriftField field, const Place& place) {
  const i32 value = in.integer32(field);
  if (value < 0) place.fail(cat("the page header has a negative count, ", value));
  return value;
}

// DataPageHeader, DictionaryPageHeader and DataPageHeaderV2: ids of their fields differ.
void page_part(ThriftReader& in, ThriftField part, const Place& place, PageHeader& out) {
  const bool v2 = part.id == 8;
  const i64 encoding_id = v2 ? 4 : 2;
  in.structure(part, [&](ThriftField field) {
    if (field.id == 1) {
      out.num_values = count_of(in, field, place);
    } else if (field.id == encoding_id) {
      out.encoding = encoding_of(in, field, place);
    } else if (part.id == 5 && field.id == 3) {
      out.def_encoding = encoding_of(in, field, place);
    } else if (part.id == 5 && field.id == 4) {
      out.rep_encoding = encoding_of(in, field, place);
    } else if (v2 && field.id == 5) {
      out.def_bytes = count_of(in, field, place);
    } else if (v2 && field.id == 6) {
      out.rep_bytes = count_of(in, field, place);
    } else if (v2 && field.id == 7) {
      out.is_compressed = in.boolean(field);
    } else {
      return false;
    }
    return true;
  });
}

}  // namespace

PageHeader read_page_header(std::string_view bytes, const Place& place) {
  ThriftReader in(bytes, place);
  PageHeader out;
  i64 part = 0;
  u32 seen = 0;
  in.structure([&](ThriftField field) {
    if (field.id >= 1 && field.id <= 3) seen |= 1u << field.id;
    switch (field.id) {
      case 1: {
        const i32 kind = in.integer32(field);
        out.kind = kind >= 0 && kind <= 3 ? static_cast<PageKind>(kind) : PageKind::kOther;
        return true;
      }
      case 2:
        out.uncompressed = count_of(in, field, place);
        return true;
      case 3:
        out.compressed = count_of(in, field, place);
        return true;
      case 4:
        out.crc = static_cast<u32>(in.integer32(field));
        out.has_crc = true;
        return true;
      case 5:
      case 7:
      case 8:
        page_part(in, field, place, out);
        part = field.id;
        return true;
      default:
        return false;
    }
  });
  if (seen != (1u << 1 | 1u << 2 | 1u << 3)) place.fail("the page header lacks its kind or sizes");
  const i64 wanted = out.kind == PageKind::kData         ? 5
                     : out.kind == PageKind::kDictionary ? 7
                     : out.kind == PageKind::kDataV2     ? 8
                                                         : part;
  if (part != wanted) place.fail("the page header is of another kind than it says");
  out.header_bytes = in.at();
  return out;
}

}  // namespace lm::parquet
