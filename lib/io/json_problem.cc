#include "io/json_problem.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/str.h"

namespace lm::io {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kOutOfRange = 406;

std::string cut(std::string_view text) {
  constexpr std::size_t kMostShown = 60;
  if (text.size() <= kMostShown) return std::string(text);
  std::size_t end = kMostShown;
  while (end > 0 && (static_cast<u8>(text[end]) & 0xc0) == 0x80)
    --end;
  return cat(text.substr(0, end), "...");
}

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
  bool parse_error(std::size_t at, const std::string& token,
                   const Json::exception& error) override {
    byte = at;
    what = error.what();
    if (error.id == kOutOfRange) {
      reason = cat("the number ", cut(token), " is beyond what 64 bits hold");
    } else if (what.find("surrogate") != std::string::npos) {
      reason = "half of a surrogate pair (\\ud800 to \\udfff) is no character";
    }
    return false;
  }
  std::size_t byte = 0;  // from 1 on
  std::string what;      // as the parser says it
  std::string reason;    // of a value that is none
};

/// What the parser says behind its own name and the place: "unexpected X; expected Y". What it read
/// last may be as long as the text.
std::string plain_reason(std::string_view what) {
  const std::size_t dash = what.find(" - ");
  if (dash != std::string_view::npos) what.remove_prefix(dash + 3);
  constexpr std::string_view kLast = "; last read: ";
  const std::size_t last = what.find(kLast);
  if (last == std::string_view::npos) return std::string(what);
  const std::size_t next = what.rfind("; expected ");
  const bool expected = next != std::string_view::npos && next > last;
  const std::size_t read = last + kLast.size();
  return cat(what.substr(0, read), cut(what.substr(read, expected ? next - read : what.npos)),
             expected ? what.substr(next) : "");
}

}  // namespace

std::string JsonProblem::place() const {
  return cat(line, ":", column);
}

std::optional<JsonProblem> json_problem(std::string_view text) {
  Locator locator;
  if (Json::sax_parse(text.begin(), text.end(), &locator)) return std::nullopt;
  const std::size_t byte = std::clamp<std::size_t>(locator.byte, 1, text.size() + 1);
  const std::string_view before = text.substr(0, byte - 1);
  const std::size_t last = before.rfind('\n');  // npos + 1 is 0
  JsonProblem out;
  out.line = std::count(before.begin(), before.end(), '\n') + 1;
  out.column = static_cast<i64>(byte - (last + 1));
  out.byte = static_cast<i64>(byte) - 1;
  out.value = !locator.reason.empty();
  out.reason = out.value ? locator.reason : plain_reason(locator.what);
  return out;
}

}  // namespace lm::io
