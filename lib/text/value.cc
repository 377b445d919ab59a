#include "text/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/str.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

Value::Value(std::string text) {
  // Space that a text has outgrown, or never needed, would be kept as long as the value.
  if (text.capacity() > text.size() + text.size() / 4 + kOwnText) text.shrink_to_fit();
  if (text.size() <= kOwnText) {
    state_ = std::move(text);
  } else {
    state_ = std::make_shared<const std::string>(std::move(text));
  }
}

Value Value::tuple(ValueList list) {
  return {std::move(list), true};
}

const char* Value::type_name() const {
  if (is_undefined()) return "undefined";
  if (is_none()) return "None";
  if (is_bool()) return "bool";
  if (is_whole()) return "int";
  if (is_real()) return "float";
  if (is_string()) return "str";
  if (is_list()) return is_tuple() ? "tuple" : "list";
  return is_map() ? "dict" : "function";
}

Value::Shared Value::shared() const {
  // Of the blocks themselves, their counts and what the system keeps beside an allocation.
  constexpr i64 kBlock = 64;
  const auto bytes = [](std::size_t parts, std::size_t size) {
    return kBlock + static_cast<i64>(parts * size);
  };
  if (const Text* const text = std::get_if<Text>(&state_))
    return {text->get(), bytes((*text)->capacity(), 1)};
  if (is_list()) return {&list(), bytes(list().capacity(), sizeof(Value))};
  if (is_map()) return {&map(), bytes(map().capacity(), sizeof(ValueMap::value_type))};
  return {};
}

f64 Value::number() const {
  if (is_bool()) return flag() ? 1 : 0;
  return is_whole() ? static_cast<f64>(whole()) : real();
}

std::optional<i64> Value::as_whole() const {
  if (is_bool()) return flag() ? 1 : 0;
  if (is_whole()) return whole();
  return std::nullopt;
}

const Value* Value::find(const Value& key) const {
  for (const auto& [name, value] : map())
    if (name == key) return &value;
  return nullptr;
}

void Value::set(const Value& key, Value value) {
  for (auto& [name, old] : map()) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  map().emplace_back(key, std::move(value));
}

bool Value::truth() const {
  if (is_undefined() || is_none()) return false;
  if (is_number()) return number() != 0;
  if (is_string()) return !str().empty();
  if (is_list()) return !list().empty();
  if (is_map()) return !map().empty();
  return true;
}

std::string Value::to_text() const {
  return is_string() ? str() : repr();
}

namespace {

void append_repr(std::string& out, const Value& value);

void append_items(std::string& out, const ValueList& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr(out, items[i]);
  }
}

void append_repr(std::string& out, const Value& value) {
  if (value.is_none()) {
    out += "None";
  } else if (value.is_bool()) {
    out += value.flag() ? "True" : "False";
  } else if (value.is_whole()) {
    append(out, value.whole());
  } else if (value.is_real()) {
    out += python_float(value.real());
  } else if (value.is_string()) {
    out += python_string(value.str());
  } else if (value.is_list()) {
    out += value.is_tuple() ? '(' : '[';
    append_items(out, value.list());
    if (value.is_tuple() && value.list().size() == 1) out += ',';
    out += value.is_tuple() ? ')' : ']';
  } else if (value.is_map()) {
    out += '{';
    for (std::size_t i = 0; i < value.map().size(); ++i) {
      if (i > 0) out += ", ";
      append_repr(out, value.map()[i].first);
      out += ": ";
      append_repr(out, value.map()[i].second);
    }
    out += '}';
  } else {
    out += value.is_undefined() ? "Undefined" : "<function>";
  }
}

bool printable(char32_t cp) {
  if (cp == ' ') return true;
  constexpr u32 hidden = category_bit(Category::kCn) | category_bit(Category::kZs) |
                         category_bit(Category::kZl) | category_bit(Category::kZp) |
                         category_bit(Category::kCc) | category_bit(Category::kCf) |
                         category_bit(Category::kCs) | category_bit(Category::kCo);
  return !in_categories(cp, hidden);
}

void append_hex(std::string& out, char32_t cp) {
  const int digits = cp < 0x100 ? 2 : cp < 0x10000 ? 4 : 8;
  out += digits == 2 ? "\\x" : digits == 4 ? "\\u" : "\\U";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
    out += "0123456789abcdef"[(cp >> shift) & 15];
}

}  // namespace

std::string Value::repr() const {
  std::string out;
  append_repr(out, *this);
  return out;
}

bool Value::operator==(const Value& other) const {
  if (is_number() && other.is_number()) {
    const std::optional<i64> a = as_whole();
    const std::optional<i64> b = other.as_whole();
    return a && b ? *a == *b : number() == other.number();
  }
  if (state_.index() != other.state_.index()) return false;
  if (is_string()) return str() == other.str();
  if (is_list()) return is_tuple() == other.is_tuple() && list() == other.list();
  if (is_map()) {
    return map().size() == other.map().size() &&
           std::all_of(map().begin(), map().end(), [&](const std::pair<Value, Value>& item) {
             const Value* found = other.find(item.first);
             return found != nullptr && *found == item.second;
           });
  }
  if (is_function()) return &function() == &other.function();
  return true;  // None and None, undefined and undefined
}

std::optional<int> compare(const Value& a, const Value& b) {
  const auto sign = [](auto x, auto y) { return x < y ? -1 : y < x ? 1 : 0; };
  if (a.is_number() && b.is_number()) {
    const std::optional<i64> x = a.as_whole();
    const std::optional<i64> y = b.as_whole();
    if (x && y) return sign(*x, *y);
    if (std::isnan(a.number()) || std::isnan(b.number())) return std::nullopt;
    return sign(a.number(), b.number());
  }
  // UTF-8 has the order of code points.
  if (a.is_string() && b.is_string()) return sign(a.str(), b.str());
  if (a.is_list() && b.is_list()) {
    for (std::size_t i = 0; i < std::min(a.list().size(), b.list().size()); ++i) {
      if (a.list()[i] == b.list()[i]) continue;
      return compare(a.list()[i], b.list()[i]);
    }
    return sign(a.list().size(), b.list().size());
  }
  return std::nullopt;
}

std::string python_float(f64 value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buf[40];
  const std::to_chars_result end =
      std::to_chars(buf, buf + sizeof buf, value, std::chars_format::scientific);
  const std::string_view text(buf, static_cast<std::size_t>(end.ptr - buf));
  const std::size_t e = text.find('e');
  const i64 exponent = *parse_int(text.substr(text[e + 1] == '+' ? e + 2 : e + 1));
  if (exponent < -4 || exponent >= 16) return std::string(text);
  char fixed[40];
  const std::to_chars_result stop =
      std::to_chars(fixed, fixed + sizeof fixed, value, std::chars_format::fixed);
  std::string out(fixed, stop.ptr);
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

std::string python_string(std::string_view text) {
  const bool doubled =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char mark = doubled ? '"' : '\'';
  std::string out(1, mark);
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const char* const begin = at;
    const char32_t cp = next_valid(at);
    if (cp == static_cast<u8>(mark) || cp == '\\') {
      append(out, '\\', static_cast<char>(cp));
    } else if (cp == '\n' || cp == '\r' || cp == '\t') {
      append(out, '\\', cp == '\n' ? 'n' : cp == '\r' ? 'r' : 't');
    } else if (printable(cp)) {
      out.append(begin, at);
    } else {
      append_hex(out, cp);
    }
  }
  out += mark;
  return out;
}

namespace {

/// Reads Python literals by recursive descent; any surprise gives nothing.
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  std::optional<Value> whole() {
    std::optional<Value> out = value(0);
    blanks();
    return at_ == text_.size() ? out : std::nullopt;
  }

 private:
  static constexpr int kDeepest = 200;

  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
      ++at_;
  }
  bool take(char c) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string_view name) {
    if (text_.substr(at_, name.size()) != name) return false;
    at_ += name.size();
    return true;
  }

  std::optional<Value> value(int depth) {
    blanks();
    if (depth > kDeepest || at_ >= text_.size()) return std::nullopt;
    const char c = text_[at_];
    if (c == '\'' || c == '"') return joined_strings();
    if (c == '[' || c == '(') return sequence(c, depth);
    if (c == '{') return map(depth);
    if (word("True")) return Value(true);
    if (word("False")) return Value(false);
    if (word("None")) return Value();
    return number();
  }

  std::optional<Value> number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::string_view("+-.eE").find(text_[at_]) != std::string::npos ||
                                  (text_[at_] >= '0' && text_[at_] <= '9')))
      ++at_;
    std::string_view digits = text_.substr(begin, at_ - begin);
    const bool negative = !digits.empty() && digits[0] == '-';
    if (!digits.empty() && (negative || digits[0] == '+')) digits.remove_prefix(1);
    if (digits.size() > 1 && digits[0] == '0' &&
        digits.find_first_not_of("0123456789") == std::string_view::npos)
      return std::nullopt;  // Python has no octal of this form
    if (const std::optional<i64> number = parse_int(digits))
      return Value(negative ? -*number : *number);
    if (const std::optional<f64> number = parse_float(digits))
      return Value(negative ? -*number : *number);
    return std::nullopt;
  }

  std::optional<Value> joined_strings() {
    std::string out;
    while (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
      if (!string(out)) return std::nullopt;
      blanks();
    }
    return Value(std::move(out));
  }

  bool string(std::string& out) {
    const char mark = text_[at_++];
    while (at_ < text_.size() && text_[at_] != mark) {
      if (text_[at_] == '\n') return false;
      if (text_[at_] != '\\') {
        out += text_[at_++];
        continue;
      }
      if (++at_ >= text_.size()) return false;
      const char c = text_[at_++];
      constexpr std::string_view kFrom = "ntr\\'\"abfv0";
      constexpr std::string_view kTo("\n\t\r\\'\"\a\b\f\v\0", 11);
      if (const std::size_t found = kFrom.find(c); found != std::string_view::npos) {
        out += kTo[found];
      } else if (c == 'x' || c == 'u' || c == 'U') {
        if (!code_point(c == 'x' ? 2 : c == 'u' ? 4 : 8, out)) return false;
      } else {
        append(out, '\\', c);
      }
    }
    if (at_ >= text_.size()) return false;
    ++at_;
    return true;
  }

  bool code_point(std::size_t digits, std::string& out) {
    u32 cp = 0;
    const char* const begin = text_.data() + at_;
    if (at_ + digits > text_.size()) return false;
    const std::from_chars_result read = std::from_chars(begin, begin + digits, cp, 16);
    if (read.ptr != begin + digits || cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000)) return false;
    at_ += digits;
    append_utf8(out, static_cast<char32_t>(cp));
    return true;
  }

  std::optional<Value> sequence(char open, int depth) {
    const char close = open == '[' ? ']' : ')';
    ++at_;
    ValueList items;
    bool comma = false;
    while (!take(close)) {
      if (!items.empty() && !comma) return std::nullopt;
      std::optional<Value> item = value(depth + 1);
      if (!item) return std::nullopt;
      items.push_back(std::move(*item));
      comma = take(',');
    }
    if (open == '[') return Value(std::move(items));
    if (items.size() == 1 && !comma) return items[0];  // a value in parentheses
    return Value::tuple(std::move(items));
  }

  std::optional<Value> map(int depth) {
    ++at_;
    Value out(ValueMap{});
    bool comma = true;
    while (!take('}')) {
      if (!comma) return std::nullopt;
      std::optional<Value> key = value(depth + 1);
      if (!key || !take(':')) return std::nullopt;
      std::optional<Value> item = value(depth + 1);
      if (!item) return std::nullopt;
      out.set(*key, std::move(*item));
      comma = take(',');
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<Value> parse_python_literal(std::string_view text) {
  return Literal(text).whole();
}

}  // namespace lm::text
