#include "census/part.h"

#include <bit>
#include <cmath>
#include <limits>

#include "core/str.h"
#include "io/json.h"

namespace lm::census {

void PartWriter::number(i64 value) {
  append(out_, out_.size() > 1 ? "," : "", value);
}

void PartWriter::real(f64 value) {
  bits(std::bit_cast<u64>(value));
}

void PartWriter::text(std::string_view value) {
  if (out_.size() > 1) out_ += ',';
  io::append_json_string(out_, value);
}

std::string PartWriter::take() {
  std::string out = std::move(out_);
  out_ = "[";
  return out + "]";
}

PartReader::PartReader(const io::JsonNode& node) : node_(node) {
  node_.each_item([this](const io::JsonNode& item) {
    if (const std::optional<i64> number = item.as_integer()) {
      values_.emplace_back(*number);
    } else if (const std::optional<std::string_view> text = item.as_string()) {
      values_.emplace_back(*text);
    } else {
      item.fail("expected a whole number or a string");
    }
  });
}

void PartReader::fail(std::string_view what) const {
  node_.fail(cat("item ", at_, ": ", what));
}

i64 PartReader::number() {
  if (done() || !std::holds_alternative<i64>(values_[at_])) fail("expected a whole number");
  return std::get<i64>(values_[at_++]);
}

i64 PartReader::number(i64 low, i64 high) {
  const i64 value = number();
  if (value < low || value > high)
    fail(cat("is ", value, ", expected a whole number from ", low, " to ", high));
  return value;
}

f64 PartReader::real() {
  const f64 value = std::bit_cast<f64>(bits());
  if (!std::isfinite(value)) fail("expected the bits of a finite number");
  return value;
}

std::string_view PartReader::text() {
  if (done() || !std::holds_alternative<std::string_view>(values_[at_])) fail("expected a string");
  return std::get<std::string_view>(values_[at_++]);
}

}  // namespace lm::census
