#pragma once
// XXH3 of bytes that come in parts: the value of xxh3_64 (hash.h) with seed 0 over all of them.

#include <string_view>

#include "core/types.h"

namespace lm {

class Xxh3Stream {
 public:
  /// Throws std::bad_alloc.
  Xxh3Stream();
  ~Xxh3Stream();
  Xxh3Stream(const Xxh3Stream&) = delete;
  Xxh3Stream& operator=(const Xxh3Stream&) = delete;
  void update(std::string_view bytes);
  /// Of everything given so far.
  u64 digest() const;

 private:
  void* state_;
};

}  // namespace lm
