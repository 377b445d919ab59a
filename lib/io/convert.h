#pragma once
// What turns a file of another format into lines.

#include <string>

namespace lm::io {

class Converter {
 public:
  virtual ~Converter() = default;
  /// Appends some whole lines (about 1 MiB) to out; false at the end, when nothing was appended.
  /// Throws Error{kData} "FILE: place: what".
  virtual bool next(std::string& out) = 0;
};

}  // namespace lm::io
