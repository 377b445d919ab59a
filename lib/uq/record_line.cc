#include "uq/record_line.h"

#include "core/str.h"

namespace lm::uq {

namespace dom = simdjson::dom;

std::optional<Fault> LineParser::parse(std::string_view line, dom::element& root) {
  if (parser_.parse(line.data(), line.size(), false).get(root) == simdjson::SUCCESS)
    return std::nullopt;
  if (std::optional<Fault> fault = raw_.parse(line)) return fault;
  reduced_ = "{";
  for (i64 i = 0; i < raw_.path_count(); ++i) {
    if (raw_.has(i)) append_field(i);
  }
  if (parse_reduced(root) == simdjson::SUCCESS) return std::nullopt;
  // Which of them it is.
  for (i64 i = 0; i < raw_.path_count(); ++i) {
    if (!raw_.has(i)) continue;
    reduced_ = "{";
    append_field(i);
    if (const simdjson::error_code error = parse_reduced(root))
      return Fault{"json", cat("field ", quote(raw_.path(i)), ": ", simdjson::error_message(error)),
                   -1};
  }
  return Fault{"json", "not a JSON object", -1};
}

void LineParser::append_field(i64 i) {
  append(reduced_, reduced_.size() > 1 ? "," : "", io::json_string(raw_.path(i)), ":");
  // A number is an id as it is spelt, however large.
  if (i == 0 && raw_.field(i).type == io::JsonType::kNumber) {
    append(reduced_, io::json_string(raw_.raw(i)));
  } else {
    append(reduced_, raw_.raw(i));
  }
}

simdjson::error_code LineParser::parse_reduced(dom::element& root) {
  reduced_ += '}';
  const std::size_t size = reduced_.size();
  reduced_.append(usize(io::kJsonPadding), ' ');
  return parser_.parse(reduced_.data(), size, false).get(root);
}

}  // namespace lm::uq
