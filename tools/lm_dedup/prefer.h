#pragma once
// Which of several copies is kept: --prefer as a number per record, smaller is better.

#include <string>
#include <vector>

#include "core/result.h"
#include "core/types.h"
#include "dedup.h"
#include "io/json.h"

namespace lm::dedup_tool {

class Preference {
 public:
  /// first | longest | shortest | newest:FIELD | oldest:FIELD | source=a,b,c | attr:NAME:desc|asc.
  /// Throws Error{kUsage}.
  explicit Preference(const std::string& spec);
  /// True if the order of records decides alone.
  bool first() const { return kind_ == Kind::kFirst; }
  /// The field it reads besides the text; may be empty.
  const std::string& path() const { return path_; }
  /// The record's priority; the worst where the field is missing or null. Faults "type", "range".
  Result<u64> of(io::JsonReader& json, const Fields& fields) const;

 private:
  enum class Kind { kFirst, kLongest, kShortest, kNewest, kOldest, kSource, kAttrDesc, kAttrAsc };
  Kind kind_ = Kind::kFirst;
  std::string path_;
  std::vector<std::string> sources_;
};

}  // namespace lm::dedup_tool
