// Methods of strings, lists and dicts, as Python's.

#include <algorithm>

#include "core/str.h"
#include "text/template_tree.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

struct MethodCall {
  const std::string& text;
  const std::string& name;
  CallArgs& args;
  const TemplatePlace& place;

  ArgReader read(std::initializer_list<const char*> names) const {
    return {name.c_str(), args, names, place};
  }
};

/// Upper case where one character becomes several; the Greek letters with a written iota below
/// stay one.
constexpr std::pair<char32_t, std::u32string_view> kLongUpper[] = {
    {0xDF, U"SS"},
    {0x149, U"\u02BCN"},
    {0x1F0, U"J\u030C"},
    {0x390, U"\u0399\u0308\u0301"},
    {0x3B0, U"\u03A5\u0308\u0301"},
    {0x587, U"\u0535\u0552"},
    {0x1E96, U"H\u0331"},
    {0x1E97, U"T\u0308"},
    {0x1E98, U"W\u030A"},
    {0x1E99, U"Y\u030A"},
    {0x1E9A, U"A\u02BE"},
    {0xFB00, U"FF"},
    {0xFB01, U"FI"},
    {0xFB02, U"FL"},
    {0xFB03, U"FFI"},
    {0xFB04, U"FFL"},
    {0xFB05, U"ST"},
    {0xFB06, U"ST"},
};

std::string upper(std::string_view text) {
  std::string out;
  for (const char32_t cp : to_utf32(text)) {
    const auto found = std::find_if(std::begin(kLongUpper), std::end(kLongUpper),
                                    [&](const auto& row) { return row.first == cp; });
    if (found != std::end(kLongUpper)) {
      out += to_utf8(found->second);
    } else {
      append_utf8(out, simple_upper(cp));
    }
  }
  return out;
}

std::string capitalize(std::string_view text) {
  if (text.empty()) return {};
  const std::size_t head = static_cast<std::size_t>(sequence_size(text[0]));
  return upper(text.substr(0, head)) + to_lower(text).substr(to_lower(text.substr(0, head)).size());
}

std::string title(std::string_view text) {
  std::string out;
  bool inside = false;
  for (const char32_t cp : to_utf32(text)) {
    const bool cased = in_categories(cp, category_bit(Category::kLu) | category_bit(Category::kLl) |
                                             category_bit(Category::kLt));
    append_utf8(out, inside ? simple_lower(cp) : simple_upper(cp));
    inside = cased;
  }
  return out;
}

/// Without the characters of set (white space if null) at the ends.
std::string stripped(const std::string& text, const Value* set, bool left, bool right) {
  const std::u32string all = to_utf32(text);
  const std::u32string chars = set != nullptr && set->is_string() ? to_utf32(set->str()) : U"";
  const auto drop = [&](char32_t cp) {
    return set == nullptr || set->is_none() ? is_py_space(cp)
                                            : chars.find(cp) != std::u32string::npos;
  };
  std::size_t begin = 0;
  std::size_t end = all.size();
  while (left && begin < end && drop(all[begin]))
    ++begin;
  while (right && end > begin && drop(all[end - 1]))
    --end;
  return to_utf8(std::u32string_view(all).substr(begin, end - begin));
}

ValueList split_blanks(std::string_view text, i64 most) {
  ValueList out;
  const std::u32string all = to_utf32(text);
  std::size_t at = 0;
  for (;;) {
    while (at < all.size() && is_py_space(all[at]))
      ++at;
    if (at == all.size()) return out;
    if (most >= 0 && isize(out) == most) {
      out.emplace_back(to_utf8(std::u32string_view(all).substr(at)));
      return out;
    }
    const std::size_t begin = at;
    while (at < all.size() && !is_py_space(all[at]))
      ++at;
    out.emplace_back(to_utf8(std::u32string_view(all).substr(begin, at - begin)));
  }
}

ValueList split_at(std::string_view text, std::string_view separator, i64 most, bool from_end) {
  ValueList out;
  std::vector<std::size_t> cuts;
  if (from_end) {
    std::size_t end = text.size();
    while (most < 0 || isize(cuts) < most) {
      if (end < separator.size()) break;
      const std::size_t found = text.rfind(separator, end - separator.size());
      if (found == std::string_view::npos) break;
      cuts.insert(cuts.begin(), found);
      end = found;
    }
  } else {
    for (std::size_t at = 0; most < 0 || isize(cuts) < most;) {
      const std::size_t found = text.find(separator, at);
      if (found == std::string_view::npos) break;
      cuts.push_back(found);
      at = found + separator.size();
    }
  }
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    out.emplace_back(text.substr(begin, cut - begin));
    begin = cut + separator.size();
  }
  out.emplace_back(text.substr(begin));
  return out;
}

Value split_method(const MethodCall& c, bool from_end) {
  const ArgReader args = c.read({"sep", "maxsplit"});
  const i64 most = args.whole(1, -1);
  if (args.has(0)) {
    if (args.text(0).empty()) template_fault(c.place, "split() by an empty separator");
    return split_at(c.text, args.text(0), most, from_end);
  }
  if (from_end && most >= 0) template_fault(c.place, "rsplit() by blanks is not understood");
  return split_blanks(c.text, most);
}

ValueList lines(std::string_view text, bool keep) {
  ValueList out;
  std::size_t begin = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    const std::size_t here = static_cast<std::size_t>(at - text.data());
    const char32_t cp = next_valid(at);
    const bool ends = (cp >= 0x0A && cp <= 0x0D) || (cp >= 0x1C && cp <= 0x1E) || cp == 0x85 ||
                      cp == 0x2028 || cp == 0x2029;
    if (!ends) continue;
    if (cp == '\r' && at < end && *at == '\n') ++at;
    const std::size_t stop = static_cast<std::size_t>(at - text.data());
    out.emplace_back(text.substr(begin, (keep ? stop : here) - begin));
    begin = stop;
  }
  if (begin < text.size()) out.emplace_back(text.substr(begin));
  return out;
}

Value replace(const MethodCall& c) {
  const ArgReader args = c.read({"old", "new", "count"});
  const std::string& old = args.text(0);
  const std::string& now = args.text(1);
  i64 left = args.whole(2, -1);
  check_template_bytes(static_cast<f64>(c.text.size() + 1) * static_cast<f64>(now.size() + 1) /
                           static_cast<f64>(std::max<std::size_t>(1, old.size())),
                       c.place);
  std::string out;
  if (old.empty()) {  // between all characters
    const char* at = c.text.data();
    const char* const end = at + c.text.size();
    for (;;) {
      if (left != 0) {
        out += now;
        --left;
      }
      if (at == end) return out;
      out.append(at, at + sequence_size(*at));
      at += sequence_size(*at);
    }
  }
  std::size_t begin = 0;
  for (; left != 0; --left) {
    const std::size_t found = c.text.find(old, begin);
    if (found == std::string::npos) break;
    append(out, std::string_view(c.text).substr(begin, found - begin), now);
    begin = found + old.size();
  }
  return out + c.text.substr(begin);
}

Value affix(const MethodCall& c, bool at_end) {
  const ArgReader args = c.read({"affix"});
  const auto has = [&](const Value& part) {
    if (!part.is_string())
      template_fault(c.place, cat(quote(c.name), " takes a string or a tuple of strings"));
    return at_end ? c.text.ends_with(part.str()) : c.text.starts_with(part.str());
  };
  if (!args.need(0).is_tuple()) return has(args.need(0));
  const ValueList& parts = args.need(0).list();
  return std::any_of(parts.begin(), parts.end(), has);
}

Value find(const MethodCall& c, bool last, bool needed) {
  const ArgReader args = c.read({"sub"});
  const std::size_t found = last ? c.text.rfind(args.text(0)) : c.text.find(args.text(0));
  if (found != std::string::npos)
    return count_code_points(std::string_view(c.text).substr(0, found));
  if (needed) template_fault(c.place, cat(quote(args.text(0)), " is not in the string"));
  return i64{-1};
}

Value count(const MethodCall& c) {
  const ArgReader args = c.read({"sub"});
  const std::string& part = args.text(0);
  if (part.empty()) return count_code_points(c.text) + 1;
  i64 n = 0;
  for (std::size_t at = c.text.find(part); at != std::string::npos;
       at = c.text.find(part, at + part.size()))
    ++n;
  return n;
}

Value padded(const MethodCall& c, bool left, bool right) {
  const ArgReader args = c.read({"width", "fillchar"});
  args.need(0);
  const std::string fill = args.has(1) ? args.text(1) : " ";
  if (count_code_points(fill) != 1) template_fault(c.place, "the fill is one character");
  const i64 n = std::max<i64>(0, args.whole(0, 0) - count_code_points(c.text));
  if (n > (i64{1} << 20)) template_fault(c.place, "a width of more than 1048576");
  // Python's center puts the odd one left if the width is odd.
  const i64 before = left && right ? n / 2 + (n & args.whole(0, 0) & 1) : left ? n : 0;
  std::string out;
  for (i64 i = 0; i < before; ++i)
    out += fill;
  out += c.text;
  for (i64 i = 0; i < n - before; ++i)
    out += fill;
  return out;
}

Value partition(const MethodCall& c, bool last) {
  const ArgReader args = c.read({"sep"});
  const std::string& separator = args.text(0);
  const std::size_t at = last ? c.text.rfind(separator) : c.text.find(separator);
  if (at == std::string::npos)
    return last ? Value::tuple({"", "", c.text}) : Value::tuple({c.text, "", ""});
  return Value::tuple({c.text.substr(0, at), separator, c.text.substr(at + separator.size())});
}

bool all_are(std::string_view text, bool (*test)(char32_t)) {
  const std::u32string all = to_utf32(text);
  return !all.empty() && std::all_of(all.begin(), all.end(), test);
}

/// isupper, islower: some character has case, and none has the other.
bool cased(std::string_view text, bool up) {
  bool some = false;
  for (const char32_t cp : to_utf32(text)) {
    const bool is_up = simple_lower(cp) != cp;
    const bool is_low = simple_upper(cp) != cp;
    if (up ? is_low : is_up) return false;
    some = some || (up ? is_up : is_low);
  }
  return some;
}

Value join(const MethodCall& c) {
  const ArgReader args = c.read({"iterable"});
  std::string out;
  bool first = true;
  for (const Value& item : template_items(args.need(0), c.place)) {
    check_template_bytes(static_cast<f64>(out.size() + c.text.size()), c.place);
    if (!item.is_string())
      template_fault(c.place,
                     cat("join() of a value of type ", item.type_name(), ", expected str"));
    append(out, first ? "" : c.text, item.str());
    first = false;
  }
  return out;
}

std::optional<Value> string_method(const MethodCall& c) {
  const std::string& name = c.name;
  const auto none = [&] { c.read({}); };
  const auto strip_args = [&](bool left, bool right) {
    const ArgReader args = c.read({"chars"});
    return Value(stripped(c.text, args.get(0), left, right));
  };
  if (name == "strip") return strip_args(true, true);
  if (name == "lstrip") return strip_args(true, false);
  if (name == "rstrip") return strip_args(false, true);
  if (name == "split") return split_method(c, false);
  if (name == "rsplit") return split_method(c, true);
  if (name == "splitlines") return lines(c.text, c.read({"keepends"}).flag(0, false));
  if (name == "replace") return replace(c);
  if (name == "startswith") return affix(c, false);
  if (name == "endswith") return affix(c, true);
  if (name == "find") return find(c, false, false);
  if (name == "rfind") return find(c, true, false);
  if (name == "index") return find(c, false, true);
  if (name == "count") return count(c);
  if (name == "join") return join(c);
  if (name == "ljust") return padded(c, false, true);
  if (name == "rjust") return padded(c, true, false);
  if (name == "center") return padded(c, true, true);
  if (name == "partition") return partition(c, false);
  if (name == "rpartition") return partition(c, true);
  if (name == "removeprefix" || name == "removesuffix") {
    const std::string part = c.read({"affix"}).text(0);
    const bool prefix = name == "removeprefix";
    if (!(prefix ? c.text.starts_with(part) : c.text.ends_with(part))) return c.text;
    return prefix ? c.text.substr(part.size()) : c.text.substr(0, c.text.size() - part.size());
  }
  none();
  if (name == "lower") return to_lower(c.text);
  if (name == "upper") return upper(c.text);
  if (name == "capitalize") return capitalize(c.text);
  if (name == "title") return title(c.text);
  if (name == "isdigit" || name == "isdecimal" || name == "isnumeric")
    return all_are(c.text, name == "isnumeric" ? is_number : is_decimal_digit);
  if (name == "isalpha") return all_are(c.text, is_alpha);
  if (name == "isalnum") return all_are(c.text, is_alnum);
  if (name == "isspace") return all_are(c.text, is_py_space);
  if (name == "isupper") return cased(c.text, true);
  if (name == "islower") return cased(c.text, false);
  return std::nullopt;
}

std::optional<Value> list_method(const ValueList& list, const std::string& name, CallArgs& args,
                                 const TemplatePlace& place) {
  if (name != "index" && name != "count") return std::nullopt;
  const ArgReader reader(name.c_str(), args, {"value"}, place);
  const Value& sought = reader.need(0);
  if (name == "count") return static_cast<i64>(std::count(list.begin(), list.end(), sought));
  const auto found = std::find(list.begin(), list.end(), sought);
  if (found == list.end()) template_fault(place, cat(sought.repr(), " is not in the list"));
  return static_cast<i64>(found - list.begin());
}

std::optional<Value> map_method(const Value& map, const std::string& name, CallArgs& args,
                                const TemplatePlace& place) {
  if (name == "get") {
    const ArgReader reader("get", args, {"key", "default"}, place);
    if (const Value* found = map.find(reader.need(0))) return *found;
    return reader.get(1) != nullptr ? *reader.get(1) : Value();
  }
  if (name != "items" && name != "keys" && name != "values") return std::nullopt;
  const ArgReader none(name.c_str(), args, {}, place);
  ValueList out;
  for (const auto& [key, value] : map.map())
    out.push_back(name == "keys" ? key : name == "values" ? value : Value::tuple({key, value}));
  return out;
}

}  // namespace

std::optional<Value> call_method(Value& object, const std::string& name, CallArgs& args,
                                 const TemplatePlace& place) {
  if (object.is_string()) return string_method({object.str(), name, args, place});
  if (object.is_list()) return list_method(object.list(), name, args, place);
  if (object.is_map()) return map_method(object, name, args, place);
  return std::nullopt;
}

}  // namespace lm::text
