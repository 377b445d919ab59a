#include "flow/graph_reader.h"

#include <algorithm>
#include <deque>

#include "core/str.h"

namespace lm::flow {

using text::ConfigField;
using text::ConfigNode;
using text::Value;

namespace {

bool is_name(std::string_view text) {
  const auto good = [](char c, bool first) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
  };
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (!good(text[i], i == 0)) return false;
  return true;
}

const ConfigNode& needed(const ConfigNode& at, const char* key, const char* what) {
  const ConfigNode* const found = at.find(key);
  if (found == nullptr) at.fail(cat(what, " has no ", key));
  return *found;
}

const ConfigNode& list_of_nodes(const ConfigNode& at) {
  const ConfigNode& nodes = needed(at, "nodes", "a graph");
  if (!nodes.value.is_list() || nodes.items.empty())
    nodes.fail(cat("nodes is ", nodes.shown(), ", expected a list of nodes"));
  return nodes;
}

/// Node indices that a node needs.
std::vector<i64> needs_of(const Node& node) {
  std::vector<i64> out;
  for (const Source& source : node.in)
    if (source.from == Source::From::kNode) out.push_back(source.index);
  return out;
}

ValueKind kind_of(const Node& node) {
  if (node.when) return ValueKind::kAny;
  switch (node.op) {
    case Op::kSplit:
    case Op::kMap:
    case Op::kMerge:
    case Op::kFilter:
      return ValueKind::kList;
    case Op::kSum:
      return ValueKind::kNumber;
    case Op::kMajority:
      return node.all ? ValueKind::kList : ValueKind::kAny;
    case Op::kFormat:
      return ValueKind::kText;
    case Op::kRegex:
      return node.all ? ValueKind::kList : node.otherwise ? ValueKind::kAny : ValueKind::kText;
    case Op::kLlm:
      if (node.llm->params.n > 1) return ValueKind::kList;
      if (node.llm->otherwise || !node.llm->parse.nothing.empty()) return ValueKind::kAny;
      if (node.llm->parse.kind == Parser::Kind::kLastInteger) return ValueKind::kNumber;
      if (node.llm->parse.kind == Parser::Kind::kLastList) return ValueKind::kList;
      if (node.llm->parse.kind == Parser::Kind::kJson) return ValueKind::kAny;
      return ValueKind::kText;
    default:
      return ValueKind::kAny;
  }
}

const char* kind_name(ValueKind kind) {
  return kind == ValueKind::kText ? "a text" : kind == ValueKind::kNumber ? "a number" : "a list";
}

/// What an operation can take as its only or first input.
bool takes(Op op, ValueKind kind) {
  if (kind == ValueKind::kAny) return true;
  switch (op) {
    case Op::kSum:
    case Op::kMax:
    case Op::kMean:
    case Op::kMajority:
    case Op::kMerge:
    case Op::kConcat:
    case Op::kFilter:
    case Op::kMap:
    case Op::kTree:
      return kind == ValueKind::kList;
    case Op::kSplit:
      return kind != ValueKind::kNumber;
    case Op::kRegex:
      return kind == ValueKind::kText;
    default:
      return true;
  }
}

}  // namespace

void GraphReader::read(const ConfigNode& root) {
  std::vector<const ConfigNode*> files = {&root};
  graph_.bodies.emplace_back().name = "the graph";
  if (const ConfigNode* const graphs = root.find("graphs")) {
    if (!graphs->value.is_map()) graphs->fail("graphs are keys with graphs");
    for (const ConfigField& field : graphs->fields) {
      if (!is_name(field.key)) field.node.fail(cat(quote(field.key), " is no name"));
      Body& body = graph_.bodies.emplace_back();
      body.name = field.key;
      files.push_back(&field.node);
      field.node.only({"inputs", "nodes", "answer"}, "a graph in graphs");
      for (const std::string& name : needed(field.node, "inputs", "a graph in graphs").texts()) {
        if (!is_name(name) || name == "input")
          field.node.fail(cat("an input cannot be named ", quote(name)));
        if (std::find(body.inputs.begin(), body.inputs.end(), name) != body.inputs.end())
          field.node.fail(cat("input ", quote(name), " stands twice"));
        body.inputs.push_back(name);
      }
    }
  }
  for (const auto& [name, value] : graph_.params)
    if (!is_name(name.to_text()) || name.to_text() == "input")
      needed(root, "params", "a graph").fail(cat(quote(name.to_text()), " names no parameter"));
  for (std::size_t i = 0; i < files.size(); ++i)
    read_body(*files[i], graph_.bodies[i], i == 0);
}

void GraphReader::read_body(const ConfigNode& at, Body& body, bool main) {
  const ConfigNode& list = list_of_nodes(at);
  Names names{&body, main, {}};
  for (i64 i = 0; i < isize(list.items); ++i) {
    const ConfigNode& one = list.items[usize(i)];
    if (!one.value.is_map()) one.fail(cat("a node is ", one.shown(), ", expected keys"));
    const ConfigNode& id = needed(one, "id", "a node");
    const std::string name = id.text();
    if (!is_name(name) || name == "input") id.fail(cat("a node cannot be named ", quote(name)));
    if (std::find(body.inputs.begin(), body.inputs.end(), name) != body.inputs.end())
      id.fail(cat(quote(name), " is the graph's input"));
    if (!names.nodes.emplace(name, i).second) id.fail(cat("node ", quote(name), " stands twice"));
  }
  std::vector<Node> nodes;
  for (const ConfigNode& one : list.items)
    nodes.push_back(read_node(one, names));
  for (i64 i = 0; i < isize(nodes); ++i)
    check_sources(list.items[usize(i)], nodes[usize(i)], nodes);
  const ConfigNode& answer = needed(at, "answer", "a graph");
  const auto found = names.nodes.find(answer.text());
  if (found == names.nodes.end()) answer.fail(cat("there is no node ", quote(answer.text())));
  body.answer = found->second;
  order_nodes(list, body, std::move(nodes));
}

/// Puts nodes behind what they need. Of those that could come next the first of the file does.
void GraphReader::order_nodes(const ConfigNode& at, Body& body, std::vector<Node> nodes) {
  const i64 n = isize(nodes);
  std::vector<char> used(usize(n), 0);
  std::vector<i64> todo = {body.answer};
  used[usize(body.answer)] = 1;
  while (!todo.empty()) {
    const i64 i = todo.back();
    todo.pop_back();
    for (const i64 need : needs_of(nodes[usize(i)]))
      if (!std::exchange(used[usize(need)], 1)) todo.push_back(need);
  }
  std::vector<i64> order;
  std::vector<i64> place(usize(n), -1);
  while (isize(order) < n) {
    const i64 before = isize(order);
    for (i64 i = 0; i < n && isize(order) == before; ++i) {
      if (place[usize(i)] >= 0) continue;
      const std::vector<i64> needs = needs_of(nodes[usize(i)]);
      if (std::all_of(needs.begin(), needs.end(), [&](i64 k) { return place[usize(k)] >= 0; })) {
        place[usize(i)] = isize(order);
        order.push_back(i);
      }
    }
    if (isize(order) > before) continue;
    // What is left waits for itself, or for what does.
    i64 i = 0;
    while (place[usize(i)] >= 0)
      ++i;
    std::vector<i64> way;
    while (std::find(way.begin(), way.end(), i) == way.end()) {
      way.push_back(i);
      for (const i64 need : needs_of(nodes[usize(i)]))
        if (place[usize(need)] < 0) i = need;
    }
    std::string circle;
    for (auto one = std::find(way.begin(), way.end(), i); one != way.end(); ++one)
      append(circle, nodes[usize(*one)].id, " needs ");
    at.items[usize(i)].fail(cat("nodes need each other in a circle: ", circle, nodes[usize(i)].id));
  }
  for (i64 i = 0; i < n; ++i)
    if (!used[usize(i)])
      at.items[usize(i)].fail(cat("the answer does not need node ", quote(nodes[usize(i)].id)));
  for (const i64 i : order) {
    for (Source& source : nodes[usize(i)].in)
      if (source.from == Source::From::kNode) source.index = place[usize(source.index)];
    body.nodes.push_back(std::move(nodes[usize(i)]));
  }
  body.answer = place[usize(body.answer)];
}

Node GraphReader::read_node(const ConfigNode& at, const Names& names) {
  Node node;
  node.id = at.find("id")->text();
  node.where = at.where;
  read_sources(at, names, node);
  read_work(at, node);
  check_names(at, node);
  return node;
}

void GraphReader::read_sources(const ConfigNode& at, const Names& names, Node& node) {
  const ConfigNode& in = needed(at, "in", "a node");
  if (in.value.is_map()) {
    for (const ConfigField& field : in.fields) {
      if (!is_name(field.key)) field.node.fail(cat(quote(field.key), " is no name"));
      node.in.push_back(read_source(field.node, field.node.text(), names));
      node.in.back().name = field.key;
    }
  } else if (in.value.is_list()) {
    for (const ConfigNode& item : in.items)
      node.in.push_back(read_source(item, item.text(), names));
  } else {
    node.in.push_back(read_source(in, in.text(), names));
  }
  if (node.in.empty()) in.fail("a node has an input at least");
  for (std::size_t i = 0; i < node.in.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (node.in[i].name == node.in[j].name)
        in.fail(cat("two inputs are called ", quote(node.in[i].name)),
                "in: {name: source, ...} gives them other names");
}

Source GraphReader::read_source(const ConfigNode& at, const std::string& spelt,
                                const Names& names) {
  Source out;
  out.spelt = spelt;
  std::vector<std::string> parts;
  for (const std::string_view part : split(spelt, '.'))
    parts.emplace_back(part);
  if (std::any_of(parts.begin(), parts.end(), [](const std::string& p) { return p.empty(); }))
    at.fail(cat(quote(spelt), " is no source"));
  const auto input = std::find(names.body->inputs.begin(), names.body->inputs.end(), parts[0]);
  const auto node = names.nodes.find(parts[0]);
  if (names.main && parts[0] == "input") {
    if (parts.size() == 1)
      at.fail("\"input\" is the record: name one of its fields", "in: [input.text]");
    out.from = Source::From::kField;
    const std::string path = spelt.substr(6);
    const auto known = std::find(graph_.fields.begin(), graph_.fields.end(), path);
    out.index = known - graph_.fields.begin();
    if (known == graph_.fields.end()) graph_.fields.push_back(path);
  } else if (input != names.body->inputs.end()) {
    out.from = Source::From::kInput;
    out.index = input - names.body->inputs.begin();
    out.path.assign(parts.begin() + 1, parts.end());
  } else if (node != names.nodes.end()) {
    out.index = node->second;
    out.path.assign(parts.begin() + 1, parts.end());
  } else {
    std::vector<std::string> known = names.body->inputs;
    if (names.main) known.emplace_back("input");
    for (const auto& [name, place] : names.nodes)
      known.push_back(name);
    const std::string near = nearest_name(parts[0], known);
    at.fail(cat("there is no ", quote(parts[0]), " to take an input from"),
            near.empty() ? cat("there are ", join(known, ", ")) : cat("did you mean ", near, "?"));
  }
  out.name = parts.back();
  // A number of an item names nothing: the item's list does.
  for (auto part = parts.rbegin(); part != parts.rend() && !is_name(out.name); ++part)
    out.name = *part;
  if (!is_name(out.name))
    at.fail(cat(quote(spelt), " has no name for templates"), "in: {name: source} gives it one");
  return out;
}

void GraphReader::check_sources(const ConfigNode& at, const Node& node,
                                const std::vector<Node>& nodes) const {
  const ConfigNode& in = *at.find("in");
  const bool many = node.in.size() > 1;
  switch (node.op) {
    case Op::kSplit:
    case Op::kFilter:
    case Op::kRegex:
    case Op::kJson:
      if (many && !(node.op == Op::kFilter)) in.fail(cat(op_name(node.op), " has one input"));
      break;
    case Op::kExpand:
    case Op::kLoop: {
      const Body& body = graph_.bodies[usize(node.body)];
      if (node.in.size() != body.inputs.size())
        in.fail(cat("graph ", quote(body.name), " has ", body.inputs.size(), " inputs, and ",
                    node.in.size(), " are given"));
      break;
    }
    case Op::kMap:
    case Op::kTree:
      if (node.inner->body >= 0) {
        const Body& body = graph_.bodies[usize(node.inner->body)];
        if (node.in.size() != body.inputs.size())
          in.fail(cat("graph ", quote(body.name), " has ", body.inputs.size(),
                      " inputs, and the item with the others are ", node.in.size()));
      }
      break;
    default:
      break;
  }
  // Several inputs of a reduction are its items.
  const bool items =
      many && (node.op == Op::kSum || node.op == Op::kMax || node.op == Op::kMean ||
               node.op == Op::kMajority || node.op == Op::kMerge || node.op == Op::kConcat);
  if (items || node.in[0].from != Source::From::kNode || !node.in[0].path.empty()) return;
  const Node& from = nodes[usize(node.in[0].index)];
  const ValueKind kind = kind_of(from);
  if (takes(node.op, kind)) return;
  in.fail(cat(op_name(node.op), " cannot take ", kind_name(kind), ", which node ", quote(from.id),
              " gives"));
}

void GraphReader::check_names(const ConfigNode& at, const Node& node) const {
  static const std::vector<std::string> kOwn = {"item",  "items", "index", "count",
                                                "level", "state", "round"};
  for (const Source& source : node.in) {
    if (std::find(kOwn.begin(), kOwn.end(), source.name) != kOwn.end())
      at.find("in")->fail(
          cat("an input cannot be called ", quote(source.name), ", which map, tree and loop use"),
          "in: {name: source, ...} gives it another name");
    for (const auto& [name, value] : graph_.params)
      if (name.to_text() == source.name)
        at.find("in")->fail(cat(quote(source.name), " is a parameter and an input"),
                            "in: {name: source, ...} gives it another name");
  }
}

}  // namespace lm::flow
