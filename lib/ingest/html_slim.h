#pragma once
// A page made ready for libgumbo, in one pass over its tags (HTML, section 13.2.5): without what
// is never text, which is most of many pages and would cost it most of its time.

#include <optional>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::ingest {

/// The page without the content of scripts, styles and comments, and with forms closed in a way
/// that libgumbo understands. nullopt if elements may stand more than max_depth deep in each other
/// (a bound by tags alone: void elements and those that end each other do not count, end tags only
/// where such an element is open): the parser's time grows with the depth. Where it is not plain
/// how the parser reads on, the rest stays as it is. O(n).
std::optional<std::string> slim_html(std::string_view html, i64 max_depth);

}  // namespace lm::ingest
