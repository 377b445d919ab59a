#pragma once
// The options of record streams, for verbs that read or write some beside the tool's own.

#include <initializer_list>
#include <string>
#include <string_view>

#include "cli/tool.h"
#include "io/input.h"

namespace lm::merge_tool {

/// A further file of records, read as --max-record, --allow-empty and --expect-end say where the
/// verb has them.
io::InputOptions input_options(const cli::Options& options, const std::string& file);

/// Throws Error{kUsage} if one of these options is asked for, which every verb with streams has and
/// this one cannot follow. why: "the verb ...".
void refuse_options(const cli::Tool& tool, std::initializer_list<const char*> names,
                    std::string_view why);

}  // namespace lm::merge_tool
