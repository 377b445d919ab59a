#pragma once
// Typed reading of one JSON object from a file, where every failure is an Error{kData} that names
// the file, the key, the value seen and what was expected.

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/str.h"
#include "core/types.h"

namespace lm::model {

using Json = nlohmann::ordered_json;

class JsonFields {
 public:
  /// object must outlive this. path: "rope_scaling." for nested objects, empty at the top.
  JsonFields(const Json& object, std::string_view file, std::string_view path = {});

  /// Present and not null.
  bool has(const char* key) const;
  /// Whole number in [low, high]. The versions with a fallback return it when the key is absent or
  /// null.
  i64 integer(const char* key, i64 low, i64 high) const;
  i64 integer_or(const char* key, i64 fallback, i64 low, i64 high) const;
  /// Finite number in [low, high].
  f64 number(const char* key, f64 low, f64 high) const;
  f64 number_or(const char* key, f64 fallback, f64 low, f64 high) const;
  bool flag_or(const char* key, bool fallback) const;
  std::string text(const char* key) const;
  std::string text_or(const char* key, std::string_view fallback) const;
  JsonFields object(const char* key) const;

  /// "FILE: key "path.key" is VALUE, expected WHAT".
  [[noreturn]] void fail(const char* key, std::string_view expected) const;

 private:
  const Json& at(const char* key, std::string_view expected) const;
  const Json& object_;
  std::string file_;
  std::string path_;
};

/// Parses text into an object. Throws Error{kData} with the byte of the first error.
Json parse_object(std::string_view text, std::string_view file);

}  // namespace lm::model
