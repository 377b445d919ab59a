#pragma once
// Programs that hold many records in work: their options, and io::run_held as the options say.

#include <string_view>
#include <vector>

#include "cli/tool.h"
#include "io/held.h"

namespace lm::tool_options {

/// --drop-extra --resume.
std::vector<cli::Flag> held_flags();

/// Whether the results are records, or what the mapper keeps.
enum class HeldOutput : u8 { kRecords, kNone };

/// Runs the mapper over the tool's records with up to `queue` pieces of work at once. models: keys
/// of what the results are made with beside the options (Session::key).
void run_held(cli::Tool& tool, io::HeldMapper& mapper, i64 queue, const std::vector<u64>& models,
              HeldOutput output = HeldOutput::kRecords);

/// The value of a finished line's field "lm": program, version and key; more: further fields, each
/// with a comma before it.
std::string made_by(const cli::Tool& tool, const io::HeldWork& work, std::string_view more = {});

}  // namespace lm::tool_options
