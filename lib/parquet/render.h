#pragma once
// Stored values as JSON text. Whole numbers, floats and truth values become JSON's; strings, enums
// and JSON columns strings; everything else strings too:
//   decimal    "-12.50", all digits of the scale
//   date       "2024-02-29"; years outside 0 to 9999 have a sign and six digits
//   time       "13:05:09.000250"
//   timestamp  "2024-02-29T13:05:09.250Z"; Z where the column holds instants
//   uuid       "01234567-89ab-cdef-0123-456789abcdef"
//   other bytes  base64
// Fractions of a second have the 3, 6 or 9 digits of the column's unit, none where they are zero.
// Floats that are not numbers become null.

#include <string>
#include <string_view>

#include "core/types.h"
#include "parquet/place.h"
#include "parquet/schema.h"

namespace lm::parquet {

class Renderer {
 public:
  /// column and place outlive the renderer.
  Renderer(const Column& column, const Place& place);

  /// Appends the value whose bytes are raw (values.h). Throws Error{kData} at the place for a
  /// string that is not UTF-8.
  void append(std::string_view raw, std::string& out) { render_(*this, raw, out); }
  /// Whether some float became null.
  bool lost_float() const { return lost_float_; }

 private:
  using Function = void (*)(Renderer&, std::string_view, std::string&);
  struct Forms;
  static Function choose(const Column& column);

  const Column& column_;
  const Place& place_;
  Function render_;
  bool lost_float_ = false;
};

}  // namespace lm::parquet
