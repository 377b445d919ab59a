#pragma once
// The values of one data page, whatever their encoding, one after another as raw bytes: what PLAIN
// would store, without the length in front of byte arrays. render.h makes text of them.
// Source: apache/parquet-format, Encodings.md.

#include <memory>
#include <string_view>

#include "core/types.h"
#include "parquet/metadata.h"
#include "parquet/place.h"

namespace lm::parquet {

class Values {
 public:
  virtual ~Values() = default;
  /// Valid until the next call. Throws Error{kData} when the page has no further value.
  virtual std::string_view next() = 0;
};

/// bytes and place outlive the values. type_length: bytes of a kFixed value. Throws Error{kData}
/// for an encoding that does not fit the type (dictionary indices are not read here) or damage that
/// shows at once.
std::unique_ptr<Values> make_values(Encoding encoding, Physical physical, i32 type_length,
                                    std::string_view bytes, const Place& place);

/// Bytes of a value of fixed size, 0 for byte arrays and truth values.
i64 value_width(Physical physical, i32 type_length);

}  // namespace lm::parquet
