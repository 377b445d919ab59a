#include "flow/reply.h"

#include <algorithm>

#include "core/str.h"

namespace lm::flow {

using text::Value;

const std::vector<std::string>& parser_names() {
  static const std::vector<std::string> kNames = {
      "text", "raw", "last_digits", "last_integer", "last_list", "json", "regex", "choice"};
  return kNames;
}

std::string_view last_digits(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  const std::size_t last = text.find_last_of(kDigits);
  if (last == std::string_view::npos) return {};
  const std::size_t before = text.find_last_not_of(kDigits, last);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return text.substr(begin, last + 1 - begin);
}

namespace {

/// The bracket that closes the one at `open`, outside of strings, or npos.
std::size_t closing(std::string_view text, std::size_t open) {
  i64 depth = 0;
  bool quoted = false;
  for (std::size_t at = open; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '[') ++depth;
    if (c == ']' && --depth == 0) return at;
  }
  return std::string_view::npos;
}

std::string plain(std::string_view text) {
  text = trim(text);
  if (text.ends_with('.')) text.remove_suffix(1);
  return ascii_lower(trim(text));
}

}  // namespace

std::optional<Value> last_list(std::string_view text) {
  // From left to right, so that an outer list hides those inside; what closes nowhere, or is no
  // JSON, hides nothing. A reply has few brackets; a bound keeps one of nothing else from taking
  // quadratic time.
  constexpr i64 kMostTries = 1000;
  std::optional<Value> out;
  i64 tries = 0;
  std::size_t open = text.find('[');
  while (open != std::string_view::npos && ++tries <= kMostTries) {
    const std::size_t end = closing(text, open);
    if (end != std::string_view::npos) {
      Result<Value> value = text::parse_json_value(std::string(text.substr(open, end + 1 - open)));
      if (value) {
        out = std::move(*value);
        open = text.find('[', end + 1);
        continue;
      }
    }
    open = text.find('[', open + 1);
  }
  return out;
}

std::optional<Value> parse_reply(const Parser& parser, std::string_view reply) {
  if (!parser.nothing.empty()) {
    const std::string said = plain(reply);
    for (const std::string& word : parser.nothing)
      if (said == ascii_lower(word)) return Value();
  }
  switch (parser.kind) {
    case Parser::Kind::kText:
      return Value(trim(reply));
    case Parser::Kind::kRaw:
      return Value(reply);
    case Parser::Kind::kLastDigits: {
      const std::string_view digits = last_digits(reply);
      if (digits.empty()) return std::nullopt;
      return Value(digits);
    }
    case Parser::Kind::kLastInteger: {
      const std::string_view digits = last_digits(reply);
      if (digits.empty()) return std::nullopt;
      const bool minus = digits.data() > reply.data() && digits.data()[-1] == '-';
      const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size() - 1);
      const std::optional<i64> value = parse_int(digits.substr(zeros));
      if (!value) return std::nullopt;
      return Value(minus ? -*value : *value);
    }
    case Parser::Kind::kLastList:
      return last_list(reply);
    case Parser::Kind::kJson: {
      Result<Value> value = text::parse_json_value(std::string(trim(reply)));
      if (!value) return std::nullopt;
      return std::move(*value);
    }
    case Parser::Kind::kRegex: {
      const std::vector<std::vector<std::string>> found = parser.regex->find_all(reply);
      if (found.empty()) return std::nullopt;
      return Value(found.back()[0]);
    }
    case Parser::Kind::kChoice: {
      const std::string said = ascii_lower(trim(reply));
      const std::string* best = nullptr;  // the longest, so that "no" does not hide "none"
      for (const std::string& choice : parser.choices)
        if (said.starts_with(ascii_lower(choice)) && (!best || choice.size() > best->size()))
          best = &choice;
      if (best == nullptr) return std::nullopt;
      return Value(*best);
    }
  }
  return std::nullopt;
}

}  // namespace lm::flow
