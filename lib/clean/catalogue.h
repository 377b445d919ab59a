#pragma once
// Every cleaner by name, and how commands name one.

#include <string>
#include <string_view>
#include <vector>

#include "clean/cleaner.h"
#include "core/error.h"

namespace lm::clean {

/// Names are unique. Made once per process.
const std::vector<CleanerDef>& catalogue();

struct ParsedCleaner {
  const CleanerDef* def;
  OptionValues values;
};

/// NAME[:OPTION=VALUE,...]; reads files that options name. Throws Error{kind} "WHERE: ..." with
/// the nearest names for what is not there, and for values outside their range; Error{kNoInput} for
/// files that cannot be read.
ParsedCleaner parse_cleaner(std::string_view spec, const std::string& where,
                            ErrorKind kind = ErrorKind::kUsage);

/// clean__NAME__TYPE with _ for what is outside A-Z a-z 0-9 _.
std::string attribute_key(const CleanerDef& def, std::string_view type);
/// The type under which the drop for a reason is written.
std::string drop_type(const Named& reason);

}  // namespace lm::clean
