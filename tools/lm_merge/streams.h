#pragma once
// The options of record streams, for verbs that read or write some beside the tool's own.

#include <functional>
#include <string>

#include "cli/tool.h"
#include "io/input.h"

namespace lm::merge_tool {

/// A further file of records, read as --max-record, --allow-empty and --expect-end say where the
/// verb has them.
io::InputOptions input_options(const cli::Options& options, const std::string& file);

/// The file that --sets names, if it does: no output may be it.
void add_sets_input(cli::Tool& tool);

/// Runs read, whose records have no --on-error: what it throws does not hint at that.
void without_policy_hint(const std::function<void()>& read);

}  // namespace lm::merge_tool
