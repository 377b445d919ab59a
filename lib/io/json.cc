#include "io/json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include <simdjson.h>

#include "core/str.h"
#include "core/utf8.h"
#include "io/json_string.h"

namespace lm::io {

namespace od = simdjson::ondemand;

namespace {

// Whether one of eight bytes needs an escape. A subtraction leaves the high bit of some byte that
// had none exactly when a byte is below what is subtracted (equal to it, for 1 after xor).
bool needs_escape(const char* eight) {
  constexpr u64 kOnes = 0x0101010101010101;
  u64 word;
  std::memcpy(&word, eight, 8);
  const u64 quote = word ^ kOnes * '"';
  const u64 slash = word ^ kOnes * '\\';
  const u64 found =
      ((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash);
  return (found & kOnes * 0x80) != 0;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  static constexpr std::string_view kNamed = "\n\"\\\t\r\b\f";
  static constexpr std::string_view kLetters = "n\"\\trbf";
  out.push_back('"');
  std::size_t run = 0;
  std::size_t plain = 0;  // bytes before it were looked at, eight at a time
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i >= plain) {
      while (i + 8 <= text.size() && !needs_escape(text.data() + i))
        i += 8;
      if (i == text.size()) break;
      plain = i + 8;
    }
    const u8 c = static_cast<u8>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, run, i - run);
    run = i + 1;
    const std::size_t named = kNamed.find(text[i]);
    if (named == std::string_view::npos)
      append(out, "\\u00", kDigits[c >> 4], kDigits[c & 15]);
    else
      append(out, '\\', kLetters[named]);
  }
  out.append(text, run, text.size() - run);
  out.push_back('"');
}

namespace {
template <typename T>
void append_number(std::string& out, T value) {
  if (std::isfinite(value)) {
    append(out, value);
  } else {
    out.append("null");
  }
}
}  // namespace

void append_json_number(std::string& out, f64 value) {
  append_number(out, value);
}
void append_json_number(std::string& out, f32 value) {
  append_number(out, value);
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string base64(std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    u32 group = 0;
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < n ? static_cast<u8>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out.push_back(j <= n ? kAlphabet[(group >> (18 - 6 * j)) & 63] : '=');
    }
  }
  return out;
}

const char* json_type_name(JsonType type) {
  static constexpr std::array<const char*, 7> kNames = {
      "missing", "null", "a boolean", "a number", "a string", "an array", "an object"};
  return kNames[static_cast<std::size_t>(type)];
}

namespace {

// The wanted paths as a tree of keys; `fields` are the indices of the paths that end here.
struct Wanted {
  std::string key;
  std::vector<i64> fields;
  i64 depth = 0;                  // path components from the root
  i64 number = 0;                 // of all keys of the tree
  std::vector<i64> fields_below;  // every path strictly below this key
  std::vector<Wanted> below;
};

// keys: how many the tree has, counted up for every new one.
void add_path(Wanted& node, std::span<const std::string_view> parts, i64 field, i64& keys) {
  node.fields_below.push_back(field);
  for (Wanted& child : node.below) {
    if (child.key == parts[0]) {
      if (parts.size() == 1) {
        child.fields.push_back(field);
      } else {
        add_path(child, parts.subspan(1), field, keys);
      }
      return;
    }
  }
  node.below.push_back({std::string(parts[0]), {}, node.depth + 1, keys++, {}, {}});
  if (parts.size() == 1) {
    node.below.back().fields.push_back(field);
  } else {
    add_path(node.below.back(), parts.subspan(1), field, keys);
  }
}

// Exact nesting depth of a line, strings respected. Only run when there are enough brackets.
i64 nesting_depth(std::string_view line) {
  i64 depth = 0;
  i64 deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

// Whether the bracket that begins text closes at its end and not before, strings respected.
bool is_one_value(std::string_view text) {
  i64 depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if ((c == ']' || c == '}') && --depth == 0) {
      return text.find_first_not_of(" \t\r\n", i + 1) == std::string_view::npos;
    }
  }
  return false;
}

constexpr i64 kMaxDepth = 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = hex_digit(text[at + i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

}  // namespace

std::optional<Fault> unescape(std::string_view in, std::string& out) {
  out.clear();
  out.reserve(in.size());
  std::size_t at = 0;
  while (true) {
    const std::size_t slash = in.find('\\', at);
    if (slash == std::string_view::npos) break;
    out.append(in, at, slash - at);
    const char kind = slash + 1 < in.size() ? in[slash + 1] : '\0';
    at = slash + 2;
    switch (kind) {
      case '"':
      case '\\':
      case '/':
        out.push_back(kind);
        break;
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        const int high = hex4(in, at);
        if (high < 0) return Fault{"json", "bad \\u escape", static_cast<i64>(slash)};
        at += 4;
        u32 cp = static_cast<u32>(high);
        if (cp >= 0xD800 && cp < 0xE000) {
          const int low =
              at + 1 < in.size() && in[at] == '\\' && in[at + 1] == 'u' ? hex4(in, at + 2) : -1;
          if (cp >= 0xDC00 || low < 0xDC00 || low > 0xDFFF) {
            return Fault{"utf8", "lone surrogate escape", static_cast<i64>(slash)};
          }
          cp = 0x10000 + ((cp - 0xD800) << 10) + (static_cast<u32>(low) - 0xDC00);
          at += 6;
        }
        append_utf8(out, cp);
        break;
      }
      default:
        return Fault{"json", "bad escape", static_cast<i64>(slash)};
    }
  }
  out.append(in, at, in.size() - at);
  return std::nullopt;
}

// Length of a raw key starting at p (after its quote), up to the closing quote; sets escaped.
i64 raw_key_length(const char* p, const char* end, bool& escaped) {
  escaped = false;
  const char* q = p;
  while (q < end && *q != '"') {
    if (*q == '\\') {
      escaped = true;
      ++q;
    }
    ++q;
  }
  return q - p;
}

struct JsonReader::Impl {
  od::parser parser{std::size_t{4} << 30};
  Wanted root;
  std::vector<u8> seen;  // per wanted key, in the record at hand
};

JsonReader::JsonReader(std::vector<std::string> paths)
    : impl_(std::make_unique<Impl>()),
      paths_(std::move(paths)),
      fields_(paths_.size()),
      anchors_(paths_.size()),
      strings_(paths_.size()) {
  i64 keys = 0;
  for (i64 i = 0; i < isize(paths_); ++i) {
    const std::vector<std::string_view> parts = split(paths_[usize(i)], '.');
    for (const std::string_view part : parts) {
      if (part.empty()) {
        throw Error(ErrorKind::kUsage, cat("field path ", quote(paths_[usize(i)]),
                                           " has an empty part, expected NAME or NAME.NAME"));
      }
    }
    add_path(impl_->root, parts, i, keys);
  }
  impl_->seen.resize(usize(keys));
}

JsonReader::~JsonReader() = default;
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;

namespace {

Fault json_fault(simdjson::error_code code) {
  if (code == simdjson::UTF8_ERROR) return {"utf8", "invalid UTF-8", -1};
  if (code == simdjson::DEPTH_ERROR) return {"depth", "nested deeper than 1024", -1};
  if (code == simdjson::EMPTY) return {"json", "empty record", -1};
  std::string text = simdjson::error_message(code);
  while (!text.empty() && (text.back() == '.' || text.back() == ' '))
    text.pop_back();
  return {"json", cat("not a JSON object (", text, ")"), -1};
}

JsonType map_type(od::json_type type) {
  switch (type) {
    case od::json_type::array:
      return JsonType::kArray;
    case od::json_type::object:
      return JsonType::kObject;
    case od::json_type::number:
      return JsonType::kNumber;
    case od::json_type::string:
      return JsonType::kString;
    case od::json_type::boolean:
      return JsonType::kBool;
    case od::json_type::null:
      return JsonType::kNull;
  }
  return JsonType::kNull;
}

// One walk over an object and the wanted objects inside it.
class Walker {
 public:
  /// seen: a zero per wanted key. A key that occurs twice ends the walk, so its object is walked
  /// once and one mark is enough.
  Walker(std::string_view line, std::vector<u8>& seen, std::vector<JsonField>& fields,
         std::vector<JsonAnchor>& anchors)
      : line_(line), seen_(seen), fields_(fields), anchors_(anchors) {}
  std::optional<Fault> walk(od::object& object, const Wanted& wanted);

 private:
  std::optional<Fault> take_value(od::value value, const Wanted& wanted, i64 key_begin);
  std::optional<Fault> take_object(od::value value, const Wanted& wanted, std::string_view& raw);
  void leave_at(const Wanted& wanted, const JsonAnchor& here);
  i64 offset(const char* p) const { return p - line_.data(); }

  std::string_view line_;
  std::vector<u8>& seen_;
  std::vector<JsonField>& fields_;
  std::vector<JsonAnchor>& anchors_;
  std::string key_;
};

std::optional<Fault> Walker::walk(od::object& object, const Wanted& wanted) {
  for (simdjson::simdjson_result<od::field> item : object) {
    od::field field;
    if (const simdjson::error_code error = std::move(item).get(field)) return json_fault(error);
    const char* key_begin = field.key().raw();
    bool escaped = false;
    const i64 key_len = raw_key_length(key_begin, line_.data() + line_.size(), escaped);
    std::string_view key(key_begin, usize(key_len));
    if (escaped) {
      if (std::optional<Fault> fault = unescape(key, key_)) return fault;
      key = key_;
    }
    // simdjson takes an unread string before a colon for a key and loses count of the braces.
    const std::string_view token = field.value().raw_json_token();
    if (token.front() == '"' && token.data()[token.size()] == ':') {
      return Fault{"json", cat("the value of key ", quote(key), " is followed by a colon"),
                   offset(token.data())};
    }
    std::size_t which = 0;
    while (which < wanted.below.size() && wanted.below[which].key != key)
      ++which;
    if (which == wanted.below.size()) continue;
    const Wanted& child = wanted.below[which];
    if (std::exchange(seen_[usize(child.number)], u8{1}) != 0) {
      return Fault{"duplicate_key", cat("key ", quote(key), " occurs twice"), offset(key_begin)};
    }
    if (std::optional<Fault> fault = take_value(field.value(), child, offset(key_begin) - 1))
      return fault;
  }
  return std::nullopt;
}

std::optional<Fault> Walker::take_value(od::value value, const Wanted& wanted, i64 key_begin) {
  od::json_type type;
  if (const simdjson::error_code error = value.type().get(type)) return json_fault(error);
  std::string_view raw;
  if (type == od::json_type::object) {
    if (std::optional<Fault> fault = take_object(value, wanted, raw)) return fault;
  } else if (type == od::json_type::array) {
    od::array inner;
    if (const simdjson::error_code error = value.get_array().get(inner)) return json_fault(error);
    if (const simdjson::error_code error = inner.raw_json().get(raw)) return json_fault(error);
  } else {
    raw = value.raw_json_token();
  }
  // A misplaced comma makes simdjson skip to a bracket that belongs to something else.
  if ((type == od::json_type::array || type == od::json_type::object) && !is_one_value(raw)) {
    return Fault{"json", cat("the value of key ", quote(wanted.key), " has a misplaced comma"),
                 offset(raw.data())};
  }
  const i64 begin = offset(raw.data());
  const i64 end = begin + static_cast<i64>(raw.find_last_not_of(" \t\r\n")) + 1;
  for (const i64 i : wanted.fields)
    fields_[usize(i)] = {map_type(type), key_begin, begin, end};
  if (type != od::json_type::object)
    leave_at(wanted, {begin, end, true, wanted.depth, map_type(type)});
  return std::nullopt;
}

// What the fields below wanted would be added to, if nothing deeper was found for them.
void Walker::leave_at(const Wanted& wanted, const JsonAnchor& here) {
  for (const i64 i : wanted.fields_below) {
    if (anchors_[usize(i)].depth < here.depth) anchors_[usize(i)] = here;
  }
}

std::optional<Fault> Walker::take_object(od::value value, const Wanted& wanted,
                                         std::string_view& raw) {
  od::object inner;
  if (const simdjson::error_code error = value.get_object().get(inner)) return json_fault(error);
  if (const simdjson::error_code error = inner.raw_json().get(raw)) return json_fault(error);
  if (wanted.below.empty()) return std::nullopt;
  if (const simdjson::error_code error = inner.reset().error()) return json_fault(error);
  if (std::optional<Fault> fault = walk(inner, wanted)) return fault;
  const std::size_t last = raw.find_last_not_of(" \t\r\n");
  const i64 close = offset(raw.data()) + static_cast<i64>(last);
  const bool empty = raw.find_first_not_of(" \t\r\n", 1) == last;
  leave_at(wanted, {close, close, empty, wanted.depth, JsonType::kObject});
  return std::nullopt;
}

}  // namespace

std::optional<Fault> JsonReader::parse(std::string_view line) {
  line_ = line;
  std::fill(fields_.begin(), fields_.end(), JsonField{});
  const std::size_t last = line.find_last_not_of(" \t\r\n");
  const std::size_t first = line.find_first_not_of(" \t\r\n");
  if (last == std::string_view::npos) return Fault{"json", "empty record", 0};
  if (line[first] != '{' || line[last] != '}') {
    return Fault{"json",
                 cat("not a JSON object: starts with ", quote(line.substr(first, 1)),
                     " and ends with ", quote(line.substr(last, 1))),
                 static_cast<i64>(first)};
  }
  if (isize(line) > kMaxDepth &&
      count_byte(line, '[', kMaxDepth) + count_byte(line, '{', kMaxDepth) > kMaxDepth &&
      nesting_depth(line) > kMaxDepth) {
    return Fault{"depth", "nested deeper than 1024", -1};
  }
  root_close_ = static_cast<i64>(last);
  root_empty_ = line.find_first_not_of(" \t\r\n", first + 1) == last;

  od::document document;
  if (const simdjson::error_code error =
          impl_->parser.iterate(line.data(), line.size(), line.size() + usize(kJsonPadding))
              .get(document)) {
    return json_fault(error);
  }
  od::object object;
  if (const simdjson::error_code error = document.get_object().get(object))
    return json_fault(error);
  std::fill(anchors_.begin(), anchors_.end(), root());
  std::fill(impl_->seen.begin(), impl_->seen.end(), u8{0});
  Walker walker(line, impl_->seen, fields_, anchors_);
  if (std::optional<Fault> fault = walker.walk(object, impl_->root)) return fault;
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS)
    return Fault{"json", "bytes after the record's closing brace", -1};
  return std::nullopt;
}

namespace {
Fault wrong_type(std::string_view path, JsonType seen, std::string_view expected) {
  if (seen == JsonType::kMissing) {
    return {"missing", cat("field ", quote(path), " is missing, expected ", expected), -1};
  }
  return {"type", cat("field ", quote(path), " is ", json_type_name(seen), ", expected ", expected),
          -1};
}
}  // namespace

Result<std::string_view> JsonReader::string(i64 i) {
  const JsonField& f = field(i);
  if (f.type != JsonType::kString) return wrong_type(path(i), f.type, "a string");
  const std::string_view inside = line_.substr(usize(f.begin + 1), usize(f.end - f.begin - 2));
  if (inside.find('\\') == std::string_view::npos) return inside;
  std::string& text = strings_[usize(i)];
  if (std::optional<Fault> fault = unescape(inside, text)) {
    fault->detail = cat("field ", quote(path(i)), ": ", fault->detail);
    fault->offset += f.begin + 1;
    return *fault;
  }
  return std::string_view(text);
}

Result<f64> JsonReader::number(i64 i) const {
  const JsonField& f = field(i);
  if (f.type != JsonType::kNumber) return wrong_type(path(i), f.type, "a number");
  const std::optional<f64> value = parse_float(raw(i));
  if (!value)
    return Fault{
        "range",
        cat("field ", quote(path(i)), ": number ", quote(raw(i)), " cannot be represented"),
        f.begin};
  return *value;
}

Result<i64> JsonReader::integer(i64 i) const {
  const JsonField& f = field(i);
  if (f.type != JsonType::kNumber) return wrong_type(path(i), f.type, "a whole number");
  const std::optional<i64> value = parse_int(raw(i));
  if (!value)
    return Fault{"range",
                 cat("field ", quote(path(i)), ": ", quote(raw(i)), " is no 64-bit whole number"),
                 f.begin};
  return *value;
}

std::optional<Fault> JsonReader::integers(i64 i, i64 limit, std::vector<i32>& out) const {
  const JsonField& f = field(i);
  if (f.type != JsonType::kArray) return wrong_type(path(i), f.type, "an array of whole numbers");
  const std::string_view text = raw(i);
  std::size_t at = 1;
  const auto blanks = [&] {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r'))
      ++at;
  };
  blanks();
  if (at + 1 == text.size()) return std::nullopt;
  while (true) {
    blanks();
    i64 value = 0;
    const std::from_chars_result r =
        std::from_chars(text.data() + at, text.data() + text.size(), value);
    const std::size_t next = static_cast<std::size_t>(r.ptr - text.data());
    if (r.ec == std::errc::invalid_argument) {
      return Fault{"type",
                   cat("field ", quote(path(i)), ": element ", isize(out), " is no whole number"),
                   f.begin + static_cast<i64>(at)};
    }
    if (r.ec != std::errc() || value < 0 || value >= limit) {
      return Fault{"range",
                   cat("field ", quote(path(i)), ": ", quote(text.substr(at, next - at)),
                       " is not in [0, ", limit, ")"),
                   f.begin + static_cast<i64>(at)};
    }
    out.push_back(static_cast<i32>(value));
    at = next;
    blanks();
    if (at + 1 == text.size()) return std::nullopt;
    if (text[at] != ',') {
      return Fault{"type",
                   cat("field ", quote(path(i)), ": expected whole numbers separated by commas"),
                   f.begin + static_cast<i64>(at)};
    }
    ++at;
  }
}

std::optional<Fault> JsonReader::settable(i64 i) const {
  const JsonAnchor& at = anchor(i);
  if (field(i).type != JsonType::kMissing || at.type == JsonType::kObject ||
      at.type == JsonType::kNull) {
    return std::nullopt;
  }
  std::size_t parent = 0;  // its length in the path
  for (i64 part = 0; part < at.depth; ++part)
    parent = path(i).find('.', parent + 1);
  Fault fault = wrong_type(path(i).substr(0, parent), at.type, "an object");
  fault.offset = at.begin;
  return fault;
}

std::optional<Fault> JsonReader::object_or_none(i64 i) const {
  if (!has(i) || field(i).type == JsonType::kObject) return std::nullopt;
  Fault fault = wrong_type(path(i), field(i).type, "an object");
  fault.offset = field(i).begin;
  return fault;
}

std::optional<std::string> JsonReader::text_of(i64 i) {
  if (!has(i)) return std::nullopt;
  if (field(i).type == JsonType::kString) {
    const Result<std::string_view> value = string(i);
    return value ? std::string(*value) : std::string(raw(i));
  }
  return std::string(raw(i));
}

}  // namespace lm::io
