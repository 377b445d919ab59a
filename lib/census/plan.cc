#include "census/plan.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::census {

namespace {

std::string strings_json(const std::vector<std::string>& strings) {
  std::string out = "[";
  for (const std::string& one : strings)
    append(out, out.size() > 1 ? "," : "", io::json_string(one));
  return out + "]";
}

std::vector<std::string> read_strings(const io::JsonNode& node, std::string_view key) {
  std::vector<std::string> out;
  node.array(key).each_item([&out](const io::JsonNode& item) { out.emplace_back(item.str()); });
  return out;
}

}  // namespace

FieldKey FieldKey::parse(std::string_view text, std::string_view where) {
  FieldKey key;
  const std::size_t open = text.find('(');
  if (open != std::string_view::npos && text.ends_with(')')) {
    const std::string_view name = text.substr(0, open);
    if (name != "host" && name != "suffix")
      throw Error(ErrorKind::kUsage, cat(where, ": ", quote(text), ": no function ", quote(name)),
                  "a field's path, host(PATH) or suffix(PATH)");
    key.part = name == "host" ? Part::kHost : Part::kSuffix;
    text = text.substr(open + 1, text.size() - open - 2);
  }
  if (text.empty())
    throw Error(ErrorKind::kUsage, cat(where, ": the path of a field is empty"),
                "a field's path, host(PATH) or suffix(PATH)");
  key.path = text;
  return key;
}

std::string_view host_of(std::string_view url, std::string& out) {
  const std::size_t scheme = url.find("://");
  if (scheme != std::string_view::npos && url.substr(0, scheme).find('/') == std::string_view::npos)
    url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  const std::size_t user = url.rfind('@');
  if (user != std::string_view::npos) url.remove_prefix(user + 1);
  const std::size_t bracket = url.starts_with('[') ? url.find(']') : std::string_view::npos;
  if (bracket != std::string_view::npos) {
    url = url.substr(0, bracket + 1);
  } else {
    url = url.substr(0, url.find(':'));
  }
  while (url.ends_with('.'))
    url.remove_suffix(1);
  out = ascii_lower(url);
  std::string_view host = out;
  if (host.starts_with("www.") && host.find('.', 4) != std::string_view::npos)
    host.remove_prefix(4);
  return host;
}

std::string_view suffix_of(std::string_view host) {
  if (host.starts_with('[')) return {};
  const std::string_view last = host.substr(host.rfind('.') + 1);
  const bool digits =
      std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits ? std::string_view() : last;
}

EdgeLabel EdgeLabel::parse(std::string_view text) {
  EdgeLabel out;
  const std::size_t equals = text.rfind('=');
  const auto refuse = [&](std::string_view why) {
    throw Error(ErrorKind::kUsage, cat("--edges ", quote(text), ": ", why),
                "NAME=E1,E2,... with the name of a number and ascending edges");
  };
  if (equals == std::string_view::npos || equals == 0) refuse("expected NAME=E1,E2,...");
  out.name = text.substr(0, equals);
  for (const std::string_view part : split(text.substr(equals + 1), ',')) {
    const std::optional<f64> edge = parse_float(part);
    if (!edge || !std::isfinite(*edge)) refuse(cat(quote(part), " is no number"));
    if (!out.edges.empty() && *edge <= out.edges.back()) refuse("the edges do not ascend");
    out.edges.push_back(*edge);
  }
  return out;
}

i64 EdgeLabel::bin(f64 value) const {
  return std::upper_bound(edges.begin(), edges.end(), value) - edges.begin();
}

std::string Plan::json() const {
  std::string out =
      cat("{\"field\":", io::json_string(field), ",\"discover\":", discover,
          ",\"numbers\":", strings_json(numbers),
          ",\"number_expressions\":", strings_json(number_expressions), ",\"edges\":[");
  for (const EdgeLabel& label : edges) {
    append(out, out.back() == '[' ? "" : ",", "{\"name\":", io::json_string(label.name),
           ",\"edges\":[");
    for (const f64 edge : label.edges)
      append(out, out.back() == '[' ? "" : ",", edge);
    out += "]}";
  }
  append(out, "],\"tops\":", strings_json(tops), ",\"group\":", io::json_string(group),
         ",\"cross\":", strings_json(cross), ",\"rules\":[");
  for (const RuleLabel& rule : rules)
    append(out, out.back() == '[' ? "" : ",", "{\"name\":", io::json_string(rule.name),
           ",\"kind\":", io::json_string(rule.kind),
           ",\"expression\":", io::json_string(rule.expression), "}");
  append(out, "],\"on_missing\":", io::json_string(on_missing),
         ",\"tokens\":", io::json_string(tokens), ",\"examples\":", examples,
         ",\"extract\":", extract, ",\"exact\":", exact, ",\"values\":", values, ",\"ids\":", ids,
         ",\"seed\":", io::json_string(cat(seed)), ",\"attributes\":", strings_json(attributes),
         "}");
  return out;
}

Plan Plan::read(const io::JsonNode& node) {
  constexpr i64 kMost = i64{1} << 40;
  Plan plan;
  plan.field = node.text("field");
  plan.discover = node.flag("discover");
  plan.numbers = read_strings(node, "numbers");
  plan.number_expressions = read_strings(node, "number_expressions");
  if (plan.numbers.size() != plan.number_expressions.size())
    node.fail("number_expressions", "one for each of the numbers");
  node.array("edges").each_item([&plan](const io::JsonNode& item) {
    EdgeLabel label;
    label.name = item.text("name");
    item.array("edges").each_item(
        [&label](const io::JsonNode& edge) { label.edges.push_back(edge.number()); });
    if (label.edges.empty() || !std::is_sorted(label.edges.begin(), label.edges.end()))
      item.fail("edges", "numbers that ascend");
    plan.edges.push_back(std::move(label));
  });
  plan.tops = read_strings(node, "tops");
  plan.group = node.text("group");
  plan.cross = read_strings(node, "cross");
  if (!plan.cross.empty() && plan.cross.size() != 2) node.fail("cross", "two fields or none");
  node.array("rules").each_item([&plan](const io::JsonNode& item) {
    plan.rules.push_back({item.text("name"), item.text("kind"), item.text("expression")});
  });
  plan.on_missing = node.text("on_missing");
  plan.tokens = node.text("tokens");
  plan.examples = node.integer("examples", 0, kMost);
  plan.extract = node.integer("extract", 1, kMost);
  plan.exact = node.flag("exact");
  plan.values = node.integer("values", 1, kMost);
  plan.ids = node.integer("ids", 1, kMost);
  const std::optional<u64> seed = parse_u64(node.text("seed"));
  if (!seed) node.fail("seed", "a whole number in a string");
  plan.seed = *seed;
  plan.attributes = read_strings(node, "attributes");
  return plan;
}

}  // namespace lm::census
