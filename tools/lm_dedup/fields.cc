#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "dedup.h"

namespace lm::dedup_tool {

Action action_of(const cli::Options& options) {
  const std::string& name = options.text("action");
  return name == "remove"   ? Action::kRemove
         : name == "report" ? Action::kReport
                            : Action::kAnnotate;
}

Fields::Fields(const cli::Options& options, const std::vector<std::string>& more) {
  const std::string& attribute = options.text("attr");
  for (const char c : attribute) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!allowed) {
      throw Error(ErrorKind::kUsage,
                  cat("--attr: ", quote(attribute), " has characters outside A-Z a-z 0-9 _ -"));
    }
  }
  paths_ = {options.text("field"), "attributes", cat("attributes.", attribute)};
  for (const std::string& path : more) {
    if (std::find(paths_.begin(), paths_.end(), path) == paths_.end()) paths_.push_back(path);
  }
}

i64 Fields::index(const std::string& path) const {
  const std::vector<std::string>::const_iterator at = std::find(paths_.begin(), paths_.end(), path);
  LM_CHECK(at != paths_.end(), "a field that is asked for is read");
  return at - paths_.begin();
}

std::optional<Fault> Fields::check(const io::JsonReader& json) const {
  return json.object_or_none(1);
}

std::string document_span(i64 length, f64 score) {
  std::string out = cat("[[0,", length, ",");
  io::append_json_number(out, score);
  return out + "]]";
}

std::string spans_json(const std::vector<dedup::Span>& spans) {
  std::string out = "[";
  for (const dedup::Span& span : spans) {
    append(out, out.size() > 1 ? "," : "", "[", span.begin, ",", span.end, ",1]");
  }
  return out + "]";
}

}  // namespace lm::dedup_tool
