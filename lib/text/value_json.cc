// Values from JSON and as JSON.

#include <algorithm>
#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"
#include "text/utf8.h"
#include "text/value.h"

namespace lm::text {

namespace {

Value from_dom(const simdjson::dom::element& element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY: {
      ValueList items;
      for (const simdjson::dom::element item : simdjson::dom::array(element))
        items.push_back(from_dom(item));
      return items;
    }
    case element_type::OBJECT: {
      Value out(ValueMap{});
      for (const simdjson::dom::key_value_pair field : simdjson::dom::object(element))
        out.set(field.key, from_dom(field.value));
      return out;
    }
    case element_type::INT64:
      return i64{element};
    case element_type::UINT64:
      return static_cast<f64>(u64{element});
    case element_type::DOUBLE:
      return f64{element};
    case element_type::STRING:
      return std::string_view(element);
    case element_type::BOOL:
      return bool{element};
    case element_type::NULL_VALUE:
      break;
  }
  return {};
}

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, std::string& out) : style_(style), out_(out) {}

  void write(const Value& value, i64 depth) {
    if (value.is_none()) {
      out_ += "null";
    } else if (value.is_bool()) {
      append(out_, value.flag());
    } else if (value.is_whole()) {
      append(out_, value.whole());
    } else if (value.is_real()) {
      out_ += std::isfinite(value.real()) ? python_float(value.real()) : "null";
    } else if (value.is_string()) {
      string(value.str());
    } else if (value.is_list()) {
      list(value.list(), depth);
    } else if (value.is_map()) {
      map(value.map(), depth);
    } else {
      throw Error(ErrorKind::kData, cat("a value of type ", value.type_name(), " is not JSON"));
    }
  }

 private:
  void line(i64 depth) {
    if (style_.indent < 0) return;
    out_ += '\n';
    out_.append(usize(depth * style_.indent), ' ');
  }
  void comma(bool first, i64 depth) {
    if (!first) out_ += style_.spaced && style_.indent < 0 ? ", " : ",";
    line(depth + 1);
  }

  void list(const ValueList& items, i64 depth) {
    out_ += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      comma(i == 0, depth);
      write(items[i], depth + 1);
    }
    if (!items.empty()) line(depth);
    out_ += ']';
  }

  void map(const ValueMap& fields, i64 depth) {
    std::vector<std::pair<std::string, const Value*>> order;
    for (const auto& [key, value] : fields)
      order.emplace_back(key.is_string() ? key.str() : key_text(key), &value);
    if (style_.sorted)
      std::sort(order.begin(), order.end(),
                [](const auto& a, const auto& b) { return a.first < b.first; });
    out_ += '{';
    for (std::size_t i = 0; i < order.size(); ++i) {
      comma(i == 0, depth);
      string(order[i].first);
      out_ += style_.spaced ? ": " : ":";
      write(*order[i].second, depth + 1);
    }
    if (!order.empty()) line(depth);
    out_ += '}';
  }

  static std::string key_text(const Value& key) {
    std::string out;
    JsonWriter({}, out).write(key, 0);
    return out;
  }

  void escape(u32 unit) {
    out_ += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4)
      out_ += "0123456789abcdef"[(unit >> shift) & 15];
  }

  void string(std::string_view text) {
    std::string plain;
    io::append_json_string(plain, text);
    if (!style_.ascii && !style_.html) {
      out_ += plain;
      return;
    }
    const char* at = plain.data();
    const char* const end = at + plain.size();
    while (at < end) {
      const char* const begin = at;
      const char32_t cp = next_valid(at);
      const bool marked = cp == '<' || cp == '>' || cp == '&' || cp == '\'';
      if ((style_.html && marked) || (style_.ascii && cp >= 0x80 && cp < 0x10000)) {
        escape(static_cast<u32>(cp));
      } else if (style_.ascii && cp >= 0x10000) {
        const u32 rest = static_cast<u32>(cp) - 0x10000;
        escape(0xD800 + (rest >> 10));
        escape(0xDC00 + (rest & 0x3FF));
      } else {
        out_.append(begin, at);
      }
    }
  }

  JsonStyle style_;
  std::string& out_;
};

/// Calls visit(number) for what stands where numbers do, outside of strings.
template <typename Visit>
void each_number(std::string_view json, Visit visit) {
  constexpr std::string_view kBegin = "-0123456789";
  constexpr std::string_view kInside = "+-.0123456789eE";
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at)
        if (json[at] == '\\') ++at;
      ++at;
    } else if (kBegin.find(json[at]) != std::string_view::npos) {
      const std::size_t end = std::min(json.find_first_not_of(kInside, at), json.size());
      visit(json.substr(at, end - at));
      at = end;
    } else {
      ++at;
    }
  }
}

/// The parser has no whole numbers beyond 64 bits; as floats they have an exponent.
std::string with_exponents(std::string_view json) {
  std::string out;
  const char* from = json.data();
  each_number(json, [&](std::string_view number) {
    if (number.size() < 19 || number.find_first_of(".eE") != std::string_view::npos) return;
    const char* const end = number.data() + number.size();
    i64 fits = 0;
    if (std::from_chars(number.data(), end, fits).ec == std::errc()) return;
    out.append(from, end);
    out += "e0";
    from = end;
  });
  out.append(from, json.data() + json.size());
  return out;
}

/// Why a text with whole numbers as floats still has a number that cannot be read.
Fault number_fault(std::string_view json) {
  std::optional<Fault> out;
  each_number(json, [&](std::string_view number) {
    f64 value = 0;
    const char* const end = number.data() + number.size();
    const std::from_chars_result read = std::from_chars(number.data(), end, value);
    if (out || read.ec != std::errc::result_out_of_range || read.ptr != end) return;
    out = Fault{"range",
                cat("the number ", number.substr(0, 40), number.size() > 40 ? "..." : "",
                    " is too large: numbers reach 1.8e308"),
                number.data() - json.data()};
  });
  return out ? *out : Fault{"json", "is not JSON: a number is spelt wrongly", -1};
}

}  // namespace

Result<Value> parse_json_value(std::string_view json) {
  if (json.empty()) json = "";  // it is copied: not from nowhere
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::error_code error = parser.parse(json.data(), json.size()).get(root);
  if (error == simdjson::NUMBER_ERROR) {
    error = parser.parse(with_exponents(json)).get(root);
    if (error == simdjson::NUMBER_ERROR) return number_fault(json);
  }
  if (error == simdjson::UTF8_ERROR) return Fault{"utf8", "is not UTF-8", find_invalid_utf8(json)};
  if (error != simdjson::SUCCESS)
    return Fault{"json", cat("is not JSON: ", simdjson::error_message(error)), -1};
  return from_dom(root);
}

std::string to_json(const Value& value, const JsonStyle& style) {
  std::string out;
  JsonWriter(style, out).write(value, 0);
  return out;
}

}  // namespace lm::text
