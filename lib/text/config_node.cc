#include "text/config_node.h"

#include <algorithm>

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/yaml.h>

#include "core/error.h"
#include "core/str.h"
#include "core/utf8.h"
#include "io/file.h"
#include "io/json_problem.h"

namespace lm::text {

namespace {

constexpr i64 kMostNodes = 1'000'000;
constexpr i64 kDeepest = 100;
constexpr i64 kMostBytes = i64{16} << 20;

bool one_of(std::string_view text, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

/// A plain scalar as YAML 1.1 types it.
Value typed(const std::string& text) {
  if (one_of(text, {"", "~", "null", "Null", "NULL"})) return {};
  if (one_of(text, {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})) return true;
  if (one_of(text, {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}))
    return false;
  std::string_view digits = text;
  const bool negative = digits[0] == '-';
  if (negative || digits[0] == '+') digits.remove_prefix(1);
  if (digits.starts_with('-')) return text;
  if (const std::optional<i64> whole = parse_int(digits)) return negative ? -*whole : *whole;
  if (one_of(digits, {".inf", ".Inf", ".INF"}))
    return negative ? -std::numeric_limits<f64>::infinity() : std::numeric_limits<f64>::infinity();
  const bool number =
      !digits.empty() && (digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9'));
  if (const std::optional<f64> real = number ? parse_float(digits) : std::nullopt)
    return negative ? -*real : *real;
  return text;
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  ConfigNode read(const YAML::Node& node, const std::string& fallback, i64 depth) {
    ConfigNode out;
    const YAML::Mark mark = node.Mark();
    out.where = mark.is_null() ? fallback : cat(path_, ":", mark.line + 1);
    if (depth > kDeepest) out.fail(cat("is nested more than ", kDeepest, " levels deep"));
    if (++nodes_ > kMostNodes)
      out.fail(cat("the file has more than ", kMostNodes, " nodes"),
               "aliases that contain each other multiply");
    const std::string& tag = node.Tag();
    if (tag == "!function")
      out.fail(cat("the Python function ", quote(node.IsScalar() ? node.Scalar() : ""),
                   " cannot run here"),
               "no Python runs here: say the same with keys of the file");
    if (!tag.empty() && tag != "?" && tag != "!" && !tag.starts_with("tag:yaml.org,2002:"))
      out.fail(cat("the tag ", quote(tag), " is not understood"));
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        break;
      case YAML::NodeType::Scalar:
        out.value = tag == "?" ? typed(node.Scalar()) : Value(node.Scalar());
        break;
      case YAML::NodeType::Sequence:
        read_list(node, out, depth);
        break;
      case YAML::NodeType::Map:
        read_map(node, out, depth);
        break;
    }
    return out;
  }

 private:
  void read_list(const YAML::Node& node, ConfigNode& out, i64 depth) {
    ValueList values;
    for (const YAML::Node& item : node) {
      out.items.push_back(read(item, out.where, depth + 1));
      values.push_back(out.items.back().value);
    }
    out.value = std::move(values);
  }

  void read_map(const YAML::Node& node, ConfigNode& out, i64 depth) {
    out.value = ValueMap{};
    for (const auto& item : node) {
      const ConfigNode key = read(item.first, out.where, depth + 1);
      if (!key.items.empty() || !key.fields.empty()) key.fail("a key is no word");
      const std::string name = item.first.Scalar();
      for (const auto& [known, other] : out.fields)
        if (known == name) key.fail(cat("key ", quote(name), " stands twice"));
      out.fields.push_back({name, read(item.second, key.where, depth + 1)});
      out.value.set(key.value.is_none() ? Value(name) : key.value, out.fields.back().node.value);
    }
  }

  const std::string& path_;
  i64 nodes_ = 0;
};

}  // namespace

void ConfigNode::fail(const std::string& what, const std::string& hint) const {
  throw Error(ErrorKind::kConfig, cat(where, ": ", what), hint);
}

const ConfigNode* ConfigNode::find(std::string_view key) const {
  for (const auto& [name, node] : fields)
    if (name == key) return node.value.is_none() ? nullptr : &node;
  return nullptr;
}

void ConfigNode::only(std::initializer_list<const char*> known, const char* what) const {
  if (!value.is_map()) fail(cat(what, " is ", shown(), ", expected keys"));
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& [name, node] : fields) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string near = nearest_name(name, names, 3);
    node.fail(
        cat("unknown key ", quote(name), " of ", what),
        near.empty() ? cat("known keys: ", join(names, ", ")) : cat("did you mean ", near, "?"));
  }
}

std::string ConfigNode::shown() const {
  if (value.is_none()) return "nothing";
  if (value.is_bool()) return value.flag() ? "true" : "false";
  if (value.is_string()) return quote(value.str());
  if (value.is_list()) return "a list";
  if (value.is_map()) return "a map of keys";
  return value.to_text();
}

std::string ConfigNode::text() const {
  if (value.is_string()) return value.str();
  if (!value.is_number()) fail(cat(shown(), " stands here, expected a text"));
  return value.to_text();
}

i64 ConfigNode::whole(i64 least) const {
  if (!value.is_whole()) fail(cat(shown(), " is no whole number"));
  if (value.whole() < least) fail(cat(value.whole(), " is less than ", least));
  return value.whole();
}

f64 ConfigNode::number() const {
  if (value.is_whole() || value.is_real()) return value.number();
  fail(cat(shown(), " is no number"));
}

bool ConfigNode::flag() const {
  if (!value.is_bool()) fail(cat(shown(), " is neither true nor false"));
  return value.flag();
}

std::vector<std::string> ConfigNode::texts() const {
  if (!value.is_list()) return {text()};
  std::vector<std::string> out;
  for (const ConfigNode& item : items)
    out.push_back(item.text());
  return out;
}

namespace {

/// Whether a text is meant as JSON: behind brackets, if any, it begins with a string in quotes.
bool looks_like_json(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos || (text[first] != '{' && text[first] != '[')) return false;
  const std::size_t behind = text.find_first_not_of(" \t\r\n[{", first);
  return behind == std::string_view::npos || text[behind] == '"';
}

/// Refuses what a reader that calls itself for every level should not see.
void check_depth(std::string_view text, const std::string& name) {
  i64 depth = 0;
  i64 line = 1;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    line += c == '\n' ? 1 : 0;
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++at;
    if (quoted) continue;
    depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
    if (depth > kDeepest)
      throw Error(ErrorKind::kConfig,
                  cat(name, ":", line, ": is JSON nested more than ", kDeepest, " levels deep"));
  }
}

}  // namespace

ConfigNode parse_config(std::string_view text, const std::string& name) {
  if (!is_valid_utf8(text)) throw Error(ErrorKind::kConfig, cat(name, ": is not UTF-8"));
  const bool json = looks_like_json(text);
  if (json) check_depth(text, name);
  try {
    return Reader(name).read(YAML::Load(std::string(text)), name, 0);
  } catch (const YAML::Exception& e) {
    if (const std::optional<io::JsonProblem> why = json ? io::json_problem(text) : std::nullopt)
      throw Error(ErrorKind::kConfig, cat(name, ":", why->line, ": is not JSON: ", why->reason,
                                          " (column ", why->column, ")"));
    const std::string where = e.mark.is_null() ? name : cat(name, ":", e.mark.line + 1);
    if (dynamic_cast<const YAML::DeepRecursion*>(&e) != nullptr)
      throw Error(ErrorKind::kConfig, cat(where, ": is nested too deep"));
    throw Error(ErrorKind::kConfig, cat(where, ": is not YAML: ", e.msg));
  }
}

ConfigNode read_config(const std::string& path) {
  return parse_config(io::read_file(path, kMostBytes), path);
}

}  // namespace lm::text
