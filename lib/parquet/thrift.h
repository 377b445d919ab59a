#pragma once
// Thrift's compact protocol, as much of it as Parquet's footer and page headers use: structures as
// fields with ids, whole numbers as zigzag varints, strings, lists. Reading never leaves the bytes
// it was given and never believes a length before it has looked how many bytes are left.
// Source: Apache Thrift, "Thrift Compact protocol encoding".

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "parquet/place.h"

namespace lm::parquet {

enum class ThriftType : u8 {
  kStop = 0,
  kTrue = 1,
  kFalse = 2,
  kByte = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kDouble = 7,
  kBinary = 8,
  kList = 9,
  kSet = 10,
  kMap = 11,
  kStruct = 12,
};

struct ThriftField {
  i64 id = 0;
  ThriftType type = ThriftType::kStop;
};

/// Every method throws Error{kData} at `place` when the bytes end early or are of another type.
class ThriftReader {
 public:
  /// place outlives the reader.
  ThriftReader(std::string_view bytes, const Place& place) : bytes_(bytes), place_(place) {}

  /// Calls visit(field) for every field of a structure; visit reads the value and returns true, or
  /// returns false to have it skipped.
  template <class Visit>
  void structure(Visit visit) {
    enter();
    ThriftField field;
    while (next_field(field)) {
      if (!visit(field)) skip(field.type);
    }
    --depth_;
  }
  /// The same for a field that must be a structure.
  template <class Visit>
  void structure(ThriftField field, Visit visit) {
    expect(field.type == ThriftType::kStruct, "a structure");
    structure(visit);
  }
  /// Calls visit(element) for every element of a list field; element.id is its index. visit reads
  /// it.
  template <class Visit>
  void list(ThriftField field, Visit visit) {
    expect(field.type == ThriftType::kList, "a list");
    ThriftField element;
    const i64 count = list_header(element.type);
    for (; element.id < count; ++element.id)
      visit(element);
  }
  i64 integer(ThriftField field);
  /// A whole number of 32 bits.
  i32 integer32(ThriftField field);
  bool boolean(ThriftField field);
  std::string_view binary(ThriftField field);
  void skip(ThriftType type);
  /// Bytes read so far.
  i64 at() const { return i64(at_); }

 private:
  void enter();
  bool next_field(ThriftField& field);
  i64 list_header(ThriftType& type);
  u64 varint();
  u8 byte();
  void expect(bool good, std::string_view what) const;

  std::string_view bytes_;
  std::size_t at_ = 0;
  const Place& place_;
  int depth_ = 0;
};

/// Builds a structure. Fields are given with ascending ids; begin() and end() nest.
class ThriftWriter {
 public:
  ThriftWriter() { ids_.push_back(0); }
  void integer32(i64 id, i64 value) { number(id, ThriftType::kI32, value); }
  void integer64(i64 id, i64 value) { number(id, ThriftType::kI64, value); }
  void small(i64 id, i8 value);
  void boolean(i64 id, bool value);
  void binary(i64 id, std::string_view bytes);
  void begin(i64 id);  // a structure as a field
  void begin_list(i64 id, ThriftType type, i64 count);
  void begin_element() { ids_.push_back(0); }  // a structure as an element of a list
  void end();                                  // of a structure
  void element(i64 value);                     // a whole number in a list
  void element(std::string_view bytes);
  /// Ends the outermost structure and gives its bytes.
  std::string finish();

 private:
  void field(i64 id, ThriftType type);
  void number(i64 id, ThriftType type, i64 value);
  void varint(u64 value);

  std::string out_;
  std::vector<i64> ids_;  // last field id of every open structure
};

}  // namespace lm::parquet
