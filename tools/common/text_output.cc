#include "common/text_output.h"

#include <algorithm>

#include "core/str.h"
#include "io/descriptor.h"
#include "io/file.h"
#include "io/json.h"
#include "text/utf8.h"

namespace lm::tool_options {

TextOutput::TextOutput(cli::Tool& tool) {
  const std::string& path = tool.options().text("output");
  if (path == "-") {
    io::require_writable(1, "<stdout>");
    return;
  }
  if (path.ends_with(".zst"))
    throw Error(ErrorKind::kUsage, cat(path, ": what is printed here is text, not compressed"),
                "name it without .zst");
  file_ = &tool.other_output(path);
}

void TextOutput::write(std::string_view text) {
  if (file_ != nullptr) {
    file_->write(text);
  } else {
    io::write_full(1, text.data(), isize(text), "<stdout>");
  }
}

std::string aligned_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<i64> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], text::count_code_points(row[c]));
  }
  std::string out;
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string pad(usize(widths[c] - text::count_code_points(row[c])), ' ');
      append(out, c > 0 ? "  " : "", c > 0 ? pad : "", row[c]);
      if (c == 0 && row.size() > 1) out += pad;
    }
    out.resize(out.find_last_not_of(' ') + 1);
    out.push_back('\n');
  }
  return out;
}

std::string table_cell(const std::string& text) {
  const auto control = [](char c) { return static_cast<u8>(c) < 0x20; };
  return std::any_of(text.begin(), text.end(), control) ? io::json_string(text) : text;
}

void refuse_options(const cli::Tool& tool, std::initializer_list<const char*> names,
                    std::string_view why, std::string_view hint) {
  for (const char* const name : names) {
    if (tool.options().asks(*tool.options().find(name)))
      throw Error(ErrorKind::kUsage,
                  cat("--", name, ": ", tool.verb().empty() ? tool.name() : tool.verb(), " ", why),
                  std::string(hint));
  }
}

void refuse_output_options(const cli::Tool& tool) {
  refuse_options(tool, {"compress", "seekable", "flush"}, "prints text",
                 "the output is as it is, neither framed nor compressed");
}

}  // namespace lm::tool_options
