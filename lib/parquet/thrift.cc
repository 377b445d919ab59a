#include "parquet/thrift.h"

#include <limits>

#include "core/error.h"
#include "core/str.h"

namespace lm::parquet {

namespace {

constexpr int kMaxDepth = 32;  // Parquet's own structures nest nine deep

u64 zigzag(i64 value) {
  return (static_cast<u64>(value) << 1) ^ static_cast<u64>(value >> 63);
}

i64 unzigzag(u64 value) {
  return static_cast<i64>((value >> 1) ^ (~(value & 1) + 1));
}

}  // namespace

void ThriftReader::expect(bool good, std::string_view what) const {
  if (!good) place_.fail(cat("byte ", at_, " of the metadata is not ", what));
}

void ThriftReader::enter() {
  expect(++depth_ <= kMaxDepth, "metadata that nests like Parquet's");
}

u8 ThriftReader::byte() {
  if (at_ >= bytes_.size()) place_.fail("the metadata is cut");
  return static_cast<u8>(bytes_[at_++]);
}

u64 ThriftReader::varint() {
  u64 value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const u8 b = byte();
    value |= u64{b & 0x7Fu} << shift;
    if (b < 0x80) return value;
  }
  expect(false, "a number of at most 64 bits");
  return 0;
}

bool ThriftReader::next_field(ThriftField& field) {
  const u8 head = byte();
  field.type = static_cast<ThriftType>(head & 15);
  if (field.type == ThriftType::kStop) return false;
  if (head >> 4 != 0) {
    field.id += head >> 4;
  } else {
    field.id = unzigzag(varint());
  }
  return true;
}

i64 ThriftReader::list_header(ThriftType& type) {
  const u8 head = byte();
  type = static_cast<ThriftType>(head & 15);
  const u64 count = head >> 4 == 15 ? varint() : head >> 4;
  // Every element takes a byte or more.
  if (count > bytes_.size() - at_) place_.fail(cat("a list of ", count, " elements is cut"));
  return static_cast<i64>(count);
}

i64 ThriftReader::integer(ThriftField field) {
  if (field.type == ThriftType::kByte) return static_cast<i8>(byte());
  expect(field.type == ThriftType::kI16 || field.type == ThriftType::kI32 ||
             field.type == ThriftType::kI64,
         "a whole number");
  return unzigzag(varint());
}

i32 ThriftReader::integer32(ThriftField field) {
  const i64 value = integer(field);
  expect(value >= std::numeric_limits<i32>::min() && value <= std::numeric_limits<i32>::max(),
         "a number of at most 32 bits");
  return static_cast<i32>(value);
}

bool ThriftReader::boolean(ThriftField field) {
  expect(field.type == ThriftType::kTrue || field.type == ThriftType::kFalse, "a truth value");
  return field.type == ThriftType::kTrue;
}

std::string_view ThriftReader::binary(ThriftField field) {
  expect(field.type == ThriftType::kBinary, "a string");
  const u64 size = varint();
  if (size > bytes_.size() - at_) place_.fail(cat("a string of ", size, " bytes is cut"));
  const std::string_view out = bytes_.substr(at_, size);
  at_ += size;
  return out;
}

void ThriftReader::skip(ThriftType type) {
  switch (type) {
    case ThriftType::kTrue:
    case ThriftType::kFalse:
      return;
    case ThriftType::kByte:
      byte();
      return;
    case ThriftType::kI16:
    case ThriftType::kI32:
    case ThriftType::kI64:
      varint();
      return;
    case ThriftType::kDouble:
      for (int i = 0; i < 8; ++i)
        byte();
      return;
    case ThriftType::kBinary:
      binary({0, type});
      return;
    case ThriftType::kStruct:
      structure([](ThriftField) { return false; });
      return;
    case ThriftType::kList:
    case ThriftType::kSet: {
      enter();
      list({0, ThriftType::kList}, [&](ThriftField element) {
        // Truth values take a byte each in a list.
        const bool truth = element.type == ThriftType::kTrue || element.type == ThriftType::kFalse;
        skip(truth ? ThriftType::kByte : element.type);
      });
      --depth_;
      return;
    }
    default:  // Parquet has no maps
      expect(false, "a type of Parquet's metadata");
  }
}

void ThriftWriter::varint(u64 value) {
  for (; value >= 0x80; value >>= 7)
    out_.push_back(static_cast<char>(value | 0x80));
  out_.push_back(static_cast<char>(value));
}

void ThriftWriter::field(i64 id, ThriftType type) {
  const i64 step = id - ids_.back();
  LM_CHECK(step > 0, "fields are written with ascending ids");
  if (step <= 15) {
    out_.push_back(static_cast<char>(step << 4 | static_cast<i64>(type)));
  } else {
    out_.push_back(static_cast<char>(type));
    varint(zigzag(id));
  }
  ids_.back() = id;
}

void ThriftWriter::number(i64 id, ThriftType type, i64 value) {
  field(id, type);
  varint(zigzag(value));
}

void ThriftWriter::small(i64 id, i8 value) {
  field(id, ThriftType::kByte);
  out_.push_back(static_cast<char>(value));
}

void ThriftWriter::boolean(i64 id, bool value) {
  field(id, value ? ThriftType::kTrue : ThriftType::kFalse);
}

void ThriftWriter::binary(i64 id, std::string_view bytes) {
  field(id, ThriftType::kBinary);
  element(bytes);
}

void ThriftWriter::begin(i64 id) {
  field(id, ThriftType::kStruct);
  ids_.push_back(0);
}

void ThriftWriter::begin_list(i64 id, ThriftType type, i64 count) {
  field(id, ThriftType::kList);
  if (count < 15) {
    out_.push_back(static_cast<char>(count << 4 | static_cast<i64>(type)));
  } else {
    out_.push_back(static_cast<char>(0xF0 | static_cast<i64>(type)));
    varint(static_cast<u64>(count));
  }
}

void ThriftWriter::end() {
  out_.push_back('\0');
  ids_.pop_back();
}

void ThriftWriter::element(i64 value) {
  varint(zigzag(value));
}

void ThriftWriter::element(std::string_view bytes) {
  varint(bytes.size());
  out_.append(bytes);
}

std::string ThriftWriter::finish() {
  LM_CHECK(ids_.size() == 1, "every structure was ended");
  end();
  return std::move(out_);
}

}  // namespace lm::parquet
