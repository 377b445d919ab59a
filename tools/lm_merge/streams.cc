#include "streams.h"

#include "core/error.h"
#include "core/str.h"

namespace lm::merge_tool {

io::InputOptions input_options(const cli::Options& options, const std::string& file) {
  io::InputOptions out;
  out.files = {file};
  if (options.find("max-record") == nullptr) return out;
  out.max_record_bytes = options.integer("max-record");
  out.allow_empty = options.on("allow-empty");
  out.expect_end = options.on("expect-end");
  return out;
}

void add_sets_input(cli::Tool& tool) {
  const std::string& how = tool.options().text("sets");
  if (!how.empty() && how != "pairs" && how != "all") tool.add_input(how);
}

void without_policy_hint(const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& e) {
    if (!e.hint().starts_with("--on-error")) throw;
    throw Error(e.kind(), e.message());
  }
}

}  // namespace lm::merge_tool
