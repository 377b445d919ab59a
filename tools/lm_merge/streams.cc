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

void refuse_options(const cli::Tool& tool, std::initializer_list<const char*> names,
                    std::string_view why) {
  for (const char* const name : names) {
    if (tool.options().asks(*tool.options().find(name)))
      throw Error(ErrorKind::kUsage, cat("--", name, ": ", tool.verb(), " ", why));
  }
}

}  // namespace lm::merge_tool
