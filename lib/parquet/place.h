#pragma once
// Where in a file something is wrong. Cheap to carry: the message is composed when it is needed.

#include <string_view>

#include "core/context.h"
#include "core/types.h"

namespace lm::parquet {

/// The views outlive the place.
struct Place {
  std::string_view file;
  std::string_view column = {};  // empty: the footer
  i64 row_group = -1;            // 0-based
  i64 page = -1;                 // byte of the page's header in the file

  /// Throws Error{kData} `FILE: column "x", row group 2, page at byte 1234: what`, or
  /// `FILE: footer: what`.
  [[noreturn]] void fail(std::string_view what, std::string_view hint = {}) const;
};

/// Bytes charged to the memory budget until the object dies; set() changes how many.
class Held {
 public:
  Held(const Context& ctx, std::string_view what) : budget_(*ctx.memory), what_(what) {}
  ~Held() { budget_.release(bytes_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  /// Throws Error{kOs} when the budget has no room for what is added.
  void set(i64 bytes) {
    if (bytes > bytes_) budget_.charge(bytes - bytes_, what_);
    if (bytes < bytes_) budget_.release(bytes_ - bytes);
    bytes_ = bytes;
  }
  void add(i64 bytes) { set(bytes_ + bytes); }
  i64 bytes() const { return bytes_; }

 private:
  MemoryBudget& budget_;
  std::string_view what_;
  i64 bytes_ = 0;
};

}  // namespace lm::parquet
