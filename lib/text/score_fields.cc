#include "text/score_fields.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"

namespace lm::text {

namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

f64 companion_value(std::string_view companion, const Score& score) {
  if (companion == "nll") return score.nll_nats;
  if (companion == "tokens") return static_cast<f64>(score.tokens);
  if (companion == "oov") return static_cast<f64>(score.oov);
  if (companion == "bpb") return score.bits_per_byte();
  return score.value;
}

constexpr std::string_view kBlanks = " \t\r\n";

// Takes `c` after blanks; false if something else is there.
bool take(std::string_view& text, char c) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// Takes a number or null (NaN).
std::optional<f64> take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  const std::size_t size = std::min(text.find_first_of(" \t\r\n,]"), text.size());
  const std::string_view token = text.substr(0, size);
  text.remove_prefix(size);
  if (token == "null") return std::numeric_limits<f64>::quiet_NaN();
  return parse_float(token);
}

std::optional<f64> parse_span_list(std::string_view raw) {
  if (!take(raw, '[')) return std::nullopt;
  if (take(raw, ']')) return std::numeric_limits<f64>::quiet_NaN();
  if (!take(raw, '[')) return std::nullopt;
  std::optional<f64> value;
  for (int i = 0; i < 3; ++i) {
    if (i > 0 && !take(raw, ',')) return std::nullopt;
    value = take_number(raw);
    if (!value) return std::nullopt;
  }
  if (!take(raw, ']') || !take(raw, ']')) return std::nullopt;
  return value;
}

}  // namespace

ScoreFields::ScoreFields(const std::string& text_path, const std::string& name,
                         std::string_view measure, const std::vector<std::string>& more)
    : paths_{text_path, "attributes"}, companions_{std::string(measure)} {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_name_char)) {
    throw Error(ErrorKind::kUsage,
                cat("the name ", quote(name), " of a score has characters outside A-Z a-z 0-9 _"));
  }
  if (measure.starts_with("ppl"))
    companions_.insert(companions_.end(), {"nll", "tokens", "oov", "bpb"});
  if (measure == "contrast") companions_.emplace_back("tokens");
  own_ = companions_.size();
  companions_.insert(companions_.end(), more.begin(), more.end());
  for (const std::string& companion : companions_) {
    paths_.push_back(cat("attributes.lm_ppl__", name, "__", companion));
  }
}

i64 ScoreFields::index(std::string_view companion) const {
  const auto at = std::find(companions_.begin(), companions_.end(), companion);
  LM_CHECK(at != companions_.end(), "a score is stored in its own attributes");
  return at - companions_.begin() + 2;
}

std::optional<Fault> ScoreFields::check(const io::JsonReader& json) const {
  return json.object_or_none(1);
}

void ScoreFields::set(io::RecordEdit& edit, const Score& score, i64 length) const {
  const bool scored = std::isfinite(score.value);
  for (std::size_t i = 0; i < own_; ++i) {
    edit.set(static_cast<i64>(i) + 2,
             scored ? document_span(length, companion_value(companions_[i], score)) : "[]");
  }
}

std::string document_span(i64 length, f64 value) {
  if (!std::isfinite(value)) return "[]";
  std::string out = cat("[[0,", length, ",");
  io::append_json_number(out, value);
  return out + "]]";
}

Result<f64> read_document_span(const io::JsonReader& json, i64 field) {
  switch (json.field(field).type) {
    case io::JsonType::kMissing:
    case io::JsonType::kNull:
      return std::numeric_limits<f64>::quiet_NaN();
    case io::JsonType::kNumber:
      return json.number(field);
    case io::JsonType::kArray:
      if (const std::optional<f64> value = parse_span_list(json.raw(field))) return *value;
      break;
    default:
      break;
  }
  return Fault{"type",
               cat("field ", quote(json.path(field)), " is ", quote(json.raw(field)),
                   ", expected [[start,end,score]]"),
               json.field(field).begin};
}

std::string score_name(std::string_view path) {
  while (path.ends_with('/'))
    path.remove_suffix(1);
  std::string out(path.substr(path.rfind('/') + 1));
  const std::size_t dot = out.rfind('.');
  if (dot != std::string::npos && dot > 0) out.resize(dot);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !is_name_char(c); }, '_');
  return out;
}

}  // namespace lm::text
