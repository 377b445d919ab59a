#pragma once
// Attributes of two sources for one document, put together: by whoever writes them into records and
// whoever reads them from files beside the records.

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace lm::text {

/// What happens to an attribute that the document has already.
enum class AttributeMerge { kReplace, kAppend, kError };

/// Appends to out the list of a's elements, then b's, as they are spelt. key is for messages. Fault
/// "type" if a or b is no list.
std::optional<Fault> append_lists(std::string_view key, std::string_view a, std::string_view b,
                                  std::string& out);

/// Appends to out the object of both: a's attributes, then b's, by the rule of merge. Both are
/// well-formed objects, or a is empty. Fault "duplicate_key" where merge refuses, "type" where
/// append meets what is no list.
std::optional<Fault> merge_attributes(std::string_view a, std::string_view b, AttributeMerge merge,
                                      std::string& out);

}  // namespace lm::text
