#pragma once
// Verbs that print a text, a table or one JSON document, not a stream of records.

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "cli/tool.h"

namespace lm::tool_options {

/// What a run prints: to --output, a file that the tool completes, or standard output. As it is:
/// nothing is compressed.
class TextOutput {
 public:
  /// Opens it, so that a run fails at once and not at its end. Throws Error{kUsage} for a file
  /// whose name promises zstd.
  explicit TextOutput(cli::Tool& tool);
  void write(std::string_view text);

 private:
  io::AtomicFile* file_ = nullptr;  // null: standard output
};

/// Lines of columns as wide as their widest cell, in code points (valid UTF-8): the first flush
/// left, the others flush right. No line ends in blanks.
std::string aligned_table(const std::vector<std::vector<std::string>>& rows);

/// A cell that comes from users or data: what would break a table is shown as JSON.
std::string table_cell(const std::string& text);

/// Throws Error{kUsage} if one of these options is asked for, which every verb with streams has and
/// this one cannot follow. why: "the verb ...".
void refuse_options(const cli::Tool& tool, std::initializer_list<const char*> names,
                    std::string_view why, std::string_view hint = {});

/// The same for what frames an output, of verbs that read streams and print a text.
void refuse_output_options(const cli::Tool& tool);

}  // namespace lm::tool_options
