#include "flow/graph.h"

#include <algorithm>

#include "core/hash.h"
#include "core/str.h"
#include "flow/graph_reader.h"

namespace lm::flow {

using text::ConfigField;
using text::ConfigNode;
using text::Value;
using text::ValueMap;

i64 Graph::find(std::string_view id) const {
  const std::vector<Node>& nodes = main().nodes;
  for (i64 i = 0; i < isize(nodes); ++i)
    if (nodes[usize(i)].id == id) return i;
  return -1;
}

text::Template condition(const std::string& expression, const std::string& where) {
  return text::Template(cat("{% if ", expression, " %}1{% endif %}"), where);
}

bool holds(const text::Template& condition, const Value& vars) {
  return condition.render(vars) == "1";
}

namespace {

/// The parameters of the file, those that are set replaced.
ValueMap params_of(const ConfigNode& root, const Settings& set, const std::string& name) {
  ValueMap out;
  if (const ConfigNode* const params = root.find("params")) {
    if (!params->value.is_map()) params->fail("params are keys with values");
    for (const ConfigField& field : params->fields)
      out.emplace_back(Value(field.key), field.node.value);
  }
  for (const auto& setting : set) {
    const std::string& key = setting.first;
    const Value& value = setting.second;
    const auto found = std::find_if(out.begin(), out.end(),
                                    [&](const auto& one) { return one.first.str() == key; });
    if (found == out.end()) {
      std::vector<std::string> names;
      for (const auto& one : out)
        names.push_back(one.first.str());
      const std::string near = nearest_name(key, names);
      throw Error(ErrorKind::kUsage, cat(name, ": has no parameter ", quote(key)),
                  !near.empty()   ? cat("did you mean ", near, "?")
                  : names.empty() ? "it has none"
                                  : cat("it has ", join(names, ", ")));
    }
    found->second = value;
  }
  return out;
}

Graph graph_of(const ConfigNode& root, const std::string& name, const Settings& set) {
  root.only({"about", "params", "graphs", "nodes", "answer"}, "a graph");
  Graph out;
  out.name = name;
  if (const ConfigNode* const about = root.find("about")) out.about = about->text();
  out.params = params_of(root, set, name);
  out.key = xxh3_64(cat(text::to_json(root.value), "\n", text::to_json(Value(out.params))));
  GraphReader(out).read(root);
  return out;
}

}  // namespace

Graph read_graph(const std::string& path, const Settings& set) {
  return graph_of(text::read_config(path), path, set);
}

Graph parse_graph(std::string_view text, const std::string& name, const Settings& set) {
  return graph_of(text::parse_config(text, name), name, set);
}

}  // namespace lm::flow
