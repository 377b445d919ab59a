#pragma once
// Text of any encoding to UTF-8, for web pages. Labels mean what browsers take them for (WHATWG
// Encoding: iso-8859-1 is windows-1252, gb2312 is GB18030, ...).

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::ingest {

/// The charset that a <meta> among the first 4 KiB of a page names, in lower case; "" without one.
std::string meta_charset(std::string_view html);

/// With U+FFFD for each maximal ill-formed part.
std::string repair_utf8(std::string_view bytes);

/// Not for several threads at once.
class CharsetDecoder {
 public:
  CharsetDecoder();
  ~CharsetDecoder();
  CharsetDecoder(const CharsetDecoder&) = delete;
  CharsetDecoder& operator=(const CharsetDecoder&) = delete;

  struct Decoded {
    std::string text;       // UTF-8
    bool repaired = false;  // U+FFFD stands for bytes that are no character
  };
  /// By a byte-order mark; else the first label that is known; else UTF-8 if it is that; else what
  /// the bytes look like (uchardet); else windows-1252.
  Decoded decode(std::string_view bytes, const std::vector<std::string>& labels);

 private:
  struct Conversion;
  /// Null for a name that is not known.
  Conversion* conversion(const std::string& label);
  std::map<std::string, std::unique_ptr<Conversion>> known_;
};

}  // namespace lm::ingest
