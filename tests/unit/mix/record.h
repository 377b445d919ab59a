#pragma once
// One record as rules see it.

#include <string>

#include "catch.h"
#include "io/json.h"
#include "mix/names.h"
#include "mix/values.h"

namespace lm::test {

struct Record {
  /// names: complete. line: a good record.
  Record(const mix::Names& names, const std::string& line)
      : text(line), reader(names.paths()), values(names) {
    const std::size_t size = text.size();
    text.resize(size + usize(io::kJsonPadding));
    const std::optional<Fault> fault = reader.parse(std::string_view(text).substr(0, size));
    INFO(line << ": " << (fault ? fault->detail : ""));
    REQUIRE(!fault);
    values.open(reader);
  }
  std::string text;
  io::JsonReader reader;
  mix::Values values;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace lm::test
