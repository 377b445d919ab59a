#include "io/json_parse.h"

#include <algorithm>

#include "core/str.h"

namespace lm::io {

namespace {

/// Finds where a text stops being JSON, and nothing else.
class Locator final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(Json::number_integer_t) override { return true; }
  bool number_unsigned(Json::number_unsigned_t) override { return true; }
  bool number_float(Json::number_float_t, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(std::string&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t at, const std::string& token, const Json::exception& e) override {
    constexpr int kOutOfRange = 406;
    constexpr std::size_t kMostShown = 40;
    byte = std::max<std::size_t>(1, at);
    if (e.id == kOutOfRange) {
      what = cat("the number ", token.substr(0, kMostShown), token.size() > kMostShown ? "..." : "",
                 " is beyond what 64 bits hold");
    } else if (std::string_view(e.what()).find("surrogate") != std::string_view::npos) {
      what = "half of a surrogate pair (\\ud800 to \\udfff) is no character";
    }
    return false;
  }
  std::size_t byte = 0;  // from 1 on; 0: none
  std::string what = "not valid JSON";
};

}  // namespace

std::string JsonFlaw::place() const {
  return line == 0 ? std::string() : cat(line, ":", column);
}

JsonFlaw json_flaw(std::string_view text) {
  Locator locator;
  Json::sax_parse(text.begin(), text.end(), &locator);
  JsonFlaw out;
  out.what = std::move(locator.what);
  if (locator.byte == 0) return out;
  out.byte = static_cast<i64>(locator.byte) - 1;
  const std::string_view before = text.substr(0, usize(out.byte));
  const std::size_t last = before.rfind('\n');  // npos + 1 is 0
  out.line = std::count(before.begin(), before.end(), '\n') + 1;
  out.column = static_cast<i64>(locator.byte - (last + 1));
  return out;
}

Result<Json> parse_json(std::string_view text) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!json.is_discarded()) return json;
  const JsonFlaw flaw = json_flaw(text);
  return Fault{"json", cat("line ", flaw.line, ", column ", flaw.column, ": ", flaw.what),
               flaw.byte};
}

}  // namespace lm::io
