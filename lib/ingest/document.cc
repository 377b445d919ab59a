#include "ingest/document.h"

#include <simdjson.h>

#include "core/error.h"
#include "core/str.h"
#include "core/utf8.h"
#include "ingest/charset.h"
#include "io/json.h"

namespace lm::ingest {

std::string Counts::json() const {
  std::string reasons;
  for (const auto& [reason, count] : left_out)
    append(reasons, reasons.empty() ? "" : ",", io::json_string(reason), ":", count);
  return cat("{\"read\":", read, ",\"kept\":", kept, ",\"left_out\":{", reasons,
             "},\"repaired\":", repaired, "}");
}

std::string Counts::text() const {
  std::string reasons;
  for (const auto& [reason, count] : left_out)
    append(reasons, reasons.empty() ? ", left out: " : ", ", count, " ", reason);
  return cat(read, " read, ", kept, " kept", reasons,
             repaired > 0 ? cat(", ", repaired, " with bytes of no character replaced") : "");
}

void begin_document(std::string& out, std::string_view id, std::string_view text,
                    std::string_view source) {
  out += "{\"id\":";
  io::append_json_string(out, is_utf8(id) ? std::string(id) : repair_utf8(id));
  out += ",\"text\":";
  io::append_json_string(out, text);
  if (source.empty()) return;
  out += ",\"source\":";
  io::append_json_string(out, source);
}

bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9')
      ++at;
    return at - begin;
  };
  const auto take = [&](std::string_view any) {
    if (at == text.size() || any.find(text[at]) == std::string_view::npos) return false;
    ++at;
    return true;
  };
  take("-");
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (take(".") && digits() == 0) return false;
  if (take("eE")) {
    take("+-");
    if (digits() == 0) return false;
  }
  return at == text.size();
}

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

void require_utf8(std::string_view text, std::string_view name, i64 line) {
  if (is_utf8(text)) return;
  const i64 at = find_invalid_utf8(text);
  LM_CHECK(at >= 0, "two checks of UTF-8 agree");
  const std::string_view from = text.substr(usize(at), 1);
  throw Error(ErrorKind::kData,
              cat(name, ":", line + count_byte(text.substr(0, usize(at)), '\n'), ": byte ",
                  quote(from), " is not UTF-8"),
              "iconv -f ENCODING -t utf-8 FILE | lm-cat --from ... - converts other encodings");
}

}  // namespace lm::ingest
