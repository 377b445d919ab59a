#pragma once
// The small types of a node list: operator numbers, value handles, attributes.

#include <array>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "tensor/tensor.h"

namespace lm {

/// Index into the operator table; the enumerators are in ops/op.h. The table's first three entries
/// are those the graph itself emits.
enum class Op : u16;
inline constexpr Op kOpView{0};  // out aliases in
inline constexpr Op kOpCopy{1};  // out = in, or out += in
inline constexpr Op kOpFill{2};  // attr FillAttr, no inputs
struct FillAttr {
  f32 value = 0;
  Shape shape{};
};

/// Handle of a value of one Graph.
struct Value {
  i32 id = -1;
  explicit operator bool() const { return id >= 0; }
  bool operator==(const Value&) const = default;
};

/// At most 10 handles, inline.
class ValueList {
 public:
  static constexpr i64 kMax = 10;
  ValueList() = default;
  ValueList(std::initializer_list<Value> values) {
    for (const Value v : values)
      push_back(v);
  }
  void push_back(Value v) {
    LM_CHECK(size_ < kMax, "a node has at most 10 inputs and 10 outputs");
    items_[usize(size_++)] = v;
  }
  i64 size() const { return size_; }
  Value operator[](i64 i) const { return items_[usize(i)]; }
  Value& operator[](i64 i) { return items_[usize(i)]; }
  const Value* begin() const { return items_.data(); }
  const Value* end() const { return items_.data() + size_; }

 private:
  std::array<Value, kMax> items_{};
  i64 size_ = 0;
};

/// Operator attributes: any trivially copyable struct of at most 64 bytes (ops/op.h has them).
class Attr {
 public:
  Attr() = default;
  template <typename T>
  static Attr of(const T& value) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 64);
    Attr attr;
    std::memcpy(attr.raw_.data(), &value, sizeof(T));
    attr.type_ = &kTag<T>;
    return attr;
  }
  template <typename T>
  bool holds() const {
    return type_ == &kTag<T>;
  }
  /// Throws Error{kInternal} unless it was made of a T.
  template <typename T>
  T as() const {
    LM_CHECK(holds<T>(), "an attribute is read as the type it was made of");
    T value;
    std::memcpy(&value, raw_.data(), sizeof(T));
    return value;
  }

 private:
  template <typename T>
  static constexpr char kTag = 0;  // its address stands for the type

  std::array<u8, 64> raw_{};
  const char* type_ = nullptr;
};

}  // namespace lm
