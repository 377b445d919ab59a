#pragma once
// Partial results as JSON: a flat array of whole numbers and strings in a fixed order. What is read
// is checked, since it comes from files.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/types.h"
#include "io/json_node.h"

namespace lm::census {

class PartWriter {
 public:
  void number(i64 value);
  /// All 64 bits.
  void bits(u64 value) { number(static_cast<i64>(value)); }
  void real(f64 value);
  void text(std::string_view value);
  /// Bytes so far.
  i64 size() const { return isize(out_); }
  /// The array; begins anew.
  std::string take();

 private:
  std::string out_ = "[";
};

/// Throws Error{kData} "FILE.data: ..." for what does not fit.
class PartReader {
 public:
  /// node: an array; it and its document outlive this.
  explicit PartReader(const io::JsonNode& node);
  i64 number();
  /// In [low, high].
  i64 number(i64 low, i64 high);
  /// >= 0.
  i64 count() { return number(0, i64{1} << 62); }
  u64 bits() { return static_cast<u64>(number()); }
  /// Finite.
  f64 real();
  std::string_view text();
  bool done() const { return at_ == values_.size(); }
  [[noreturn]] void fail(std::string_view what) const;

 private:
  io::JsonNode node_;
  std::vector<std::variant<i64, std::string_view>> values_;
  std::size_t at_ = 0;
};

}  // namespace lm::census
