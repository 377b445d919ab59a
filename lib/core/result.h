#pragma once
// Value or Fault, for outcomes that are expected: a bad record, a look-up that may fail.

#include <string>
#include <utility>
#include <variant>

#include "core/error.h"
#include "core/types.h"

namespace lm {

/// Why one record is bad. code is one of the documented record codes ("json", "utf8", "type", ...).
struct Fault {
  std::string code;
  std::string detail;  // what was seen and what was expected, one line
  i64 offset = -1;     // byte inside the record, -1 if unknown
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: implicit by design
  Result(Fault fault) : state_(std::move(fault)) {}  // NOLINT: implicit by design
  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& value() {
    LM_CHECK(state_.index() == 0, "Result read without a value");
    return std::get<0>(state_);
  }
  const T& value() const {
    LM_CHECK(state_.index() == 0, "Result read without a value");
    return std::get<0>(state_);
  }
  const Fault& fault() const {
    LM_CHECK(state_.index() == 1, "Result read without a fault");
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Fault> state_;
};

}  // namespace lm
