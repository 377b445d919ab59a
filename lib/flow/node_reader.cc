// What a node does: the rest of GraphReader.

#include <algorithm>
#include <array>
#include <limits>

#include "core/str.h"
#include "decode/params.h"
#include "flow/graph_reader.h"

namespace lm::flow {

using text::ConfigField;
using text::ConfigNode;
using text::Value;
using text::ValueMap;

namespace {

constexpr i64 kMostDepth = 1000;  // of expansions, which are evaluated inside each other

constexpr std::array kOps = {"llm",      "split",  "map",    "sum",    "max",   "mean",
                             "majority", "merge",  "concat", "filter", "regex", "json",
                             "format",   "choose", "expand", "loop",   "tree"};

Op op_of(const ConfigNode& at) {
  const std::string name = at.text();
  const auto found = std::find(kOps.begin(), kOps.end(), name);
  if (found != kOps.end()) return static_cast<Op>(found - kOps.begin());
  const std::vector<std::string> names(kOps.begin(), kOps.end());
  const std::string near = nearest_name(name, names);
  at.fail(cat("unknown operation ", quote(name)),
          near.empty() ? cat("known: ", join(names, ", ")) : cat("did you mean ", near, "?"));
}

/// One of several names, by its place.
i64 one_of(const ConfigNode& at, const std::vector<std::string>& names, const char* what) {
  const std::string name = at.text();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    at.fail(cat(quote(name), " is no ", what), cat("known: ", join(names, ", ")));
  return found - names.begin();
}

/// The field even if it is null, which find() leaves out.
const ConfigNode* present(const ConfigNode& at, std::string_view key) {
  for (const ConfigField& field : at.fields)
    if (field.key == key) return &field.node;
  return nullptr;
}

}  // namespace

const char* op_name(Op op) {
  return kOps[static_cast<std::size_t>(op)];
}

namespace {

/// What templates say of themselves, as a mistake of the file.
template <typename Make>
auto of_config(Make make) {
  try {
    return make();
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kData) throw;
    throw Error(ErrorKind::kConfig, e.message(), e.hint());
  }
}

}  // namespace

std::string GraphReader::made(const ConfigNode& at) const {
  return std::string(trim(of_config([&] { return template_of(at).render(Value(graph_.params)); })));
}

i64 GraphReader::whole(const ConfigNode& at, const char* what, i64 least) const {
  const std::string expected =
      least == std::numeric_limits<i64>::min()
          ? std::string("a whole number")
          : cat("a whole number from ", least, " to ", std::numeric_limits<i64>::max());
  if (!at.value.is_string()) {
    if (!at.value.is_whole() || at.value.whole() < least)
      at.fail(cat(what, " is ", at.shown(), ", expected ", expected));
    return at.value.whole();
  }
  const std::string text = made(at);
  const std::optional<i64> value = parse_int(text);
  if (!value || *value < least)
    at.fail(
        cat(what, ": ", quote(at.value.str()), " makes ", quote(text), ", expected ", expected));
  return *value;
}

u64 GraphReader::seed(const ConfigNode& at) const {
  std::optional<u64> value;
  if (at.value.is_string()) value = parse_u64(made(at));
  if (at.value.is_whole() && at.value.whole() >= 0) value = static_cast<u64>(at.value.whole());
  if (!value)
    at.fail(cat("seed is ", at.shown(), ", expected a whole number from 0 to ",
                std::numeric_limits<u64>::max()),
            at.value.is_real() ? "numbers beyond 9223372036854775807 stand in quotes here" : "");
  return *value;
}

text::Template GraphReader::template_of(const ConfigNode& at) const {
  return of_config([&] { return text::Template(at.text(), at.where); });
}

text::Template GraphReader::condition_of(const ConfigNode& at) const {
  return of_config([&] { return condition(at.text(), at.where); });
}

void GraphReader::read_work(const ConfigNode& at, Node& node) {
  const ConfigNode* const op = at.find("op");
  if (op == nullptr) at.fail("a node has no op");
  node.op = op_of(*op);
  switch (node.op) {
    case Op::kLlm:
      at.only({"id", "op", "in", "if", "template", "messages", "params", "parse", "form", "role"},
              "an llm node");
      read_llm(at, node);
      break;
    case Op::kMap:
    case Op::kTree:
      at.only({"id", "op", "in", "if", "do", "params"}, "a node with do");
      node.inner = read_inner(at, node, node.op == Op::kMap ? "item" : "items");
      break;
    case Op::kFormat:
      at.only({"id", "op", "in", "if", "template", "params"}, "a format node");
      if (at.find("template") == nullptr) at.fail("format has no template");
      node.text = template_of(*at.find("template"));
      break;
    default:
      at.only({"id", "op", "in", "if", "params"}, "a node of a program");
  }
  if (const ConfigNode* const when = at.find("if")) node.when = condition_of(*when);
  if (node.op != Op::kLlm) read_params(at.find("params"), node);
  const bool bare = at.find("params") == nullptr;
  if (bare && node.op == Op::kRegex) at.fail("regex has no params.pattern");
  if (bare && (node.op == Op::kExpand || node.op == Op::kLoop))
    at.fail(cat(op_name(node.op), " has no params.graph"));
  if (bare && node.op == Op::kSplit) at.fail("split has no params.by and params.size");
}

std::unique_ptr<Node> GraphReader::read_inner(const ConfigNode& at, const Node& around,
                                              const char* item) {
  const ConfigNode* const inside = at.find("do");
  if (inside == nullptr) at.fail(cat(op_name(around.op), " has no do"));
  if (!inside->value.is_map()) inside->fail(cat("do is ", inside->shown(), ", expected a node"));
  for (const char* const key : {"id", "in", "if"})
    if (const ConfigNode* const found = inside->find(key))
      found->fail(cat("the node in do has no ", key, ": it has ", item,
                      " and the other inputs of the node around it"));
  std::unique_ptr<Node> node = std::make_unique<Node>();
  node->id = around.id;
  node->where = inside->where;
  read_work(*inside, *node);
  return node;
}

void GraphReader::read_params(const ConfigNode* params, Node& node) {
  if (params == nullptr) return;
  const std::string what = cat("the params of ", op_name(node.op));
  const char* const name = what.c_str();
  const auto find = [&](const char* key) { return params->find(key); };
  switch (node.op) {
    case Op::kSplit:
      read_split(params, node);
      return;
    case Op::kMajority:
      params->only({"all"}, name);
      if (const ConfigNode* const all = find("all")) node.all = all->flag();
      return;
    case Op::kMerge:
      params->only({"way"}, name);
      if (const ConfigNode* const way = find("way"))
        node.way = static_cast<MergeWay>(one_of(*way, {"tree", "incremental"}, "way to merge"));
      return;
    case Op::kConcat:
      params->only({"separator"}, name);
      if (const ConfigNode* const separator = find("separator")) node.separator = separator->text();
      return;
    case Op::kFilter:
      params->only({"where"}, name);
      if (const ConfigNode* const where = find("where")) node.where_expr = condition_of(*where);
      return;
    case Op::kRegex: {
      params->only({"pattern", "all", "otherwise"}, name);
      const ConfigNode* const pattern = find("pattern");
      if (pattern == nullptr) params->fail("regex has no pattern");
      node.pattern.emplace(pattern->text(), pattern->where);
      if (const ConfigNode* const all = find("all")) node.all = all->flag();
      if (const ConfigNode* const other = present(*params, "otherwise"))
        node.otherwise = other->value;
      return;
    }
    case Op::kJson: {
      params->only({"get", "otherwise"}, name);
      if (const ConfigNode* const get = find("get")) {
        const std::string path = get->text();
        for (const std::string_view part : split(path, '.'))
          node.get.emplace_back(part);
      }
      if (const ConfigNode* const other = present(*params, "otherwise"))
        node.otherwise = other->value;
      return;
    }
    case Op::kExpand:
      params->only({"graph", "depth"}, name);
      read_body_name(*params, node);
      if (find("depth") == nullptr) params->fail("expand has no depth, which bounds it");
      node.most = whole(*find("depth"), "depth", 1);
      if (node.most > kMostDepth) find("depth")->fail(cat("is more than ", kMostDepth));
      return;
    case Op::kLoop:
      params->only({"graph", "rounds", "until"}, name);
      read_body_name(*params, node);
      if (find("rounds") == nullptr) params->fail("loop has no rounds, which bound it");
      node.most = whole(*find("rounds"), "rounds", 1);
      if (const ConfigNode* const until = find("until")) node.until = condition_of(*until);
      return;
    case Op::kTree:
      params->only({"arity"}, name);
      if (const ConfigNode* const arity = find("arity")) node.arity = whole(*arity, "arity", 2);
      return;
    default:
      params->only({}, name);
  }
}

void GraphReader::read_split(const ConfigNode* params, Node& node) {
  params->only({"by", "size", "stride", "keep_sentences"}, "the params of split");
  const ConfigNode* const by = params->find("by");
  if (by == nullptr) params->fail("split has no by");
  node.cut.by = static_cast<Unit>(one_of(*by, unit_names(), "unit"));
  if (params->find("size") == nullptr) params->fail("split has no size");
  // None or less: one piece.
  node.cut.size = whole(*params->find("size"), "size", std::numeric_limits<i64>::min());
  if (const ConfigNode* const stride = params->find("stride")) {
    node.cut.stride = whole(*stride, "stride", 1);
    if (node.cut.size > 0 && node.cut.stride > node.cut.size)
      stride->fail(cat("a stride of ", node.cut.stride, " leaves out what is between pieces of ",
                       node.cut.size));
  }
  if (const ConfigNode* const keep = params->find("keep_sentences")) {
    node.cut.keep_sentences = keep->flag();
    if (node.cut.keep_sentences && node.cut.by != Unit::kChars && node.cut.by != Unit::kTokens)
      keep->fail("sentences are kept of pieces by chars and tokens");
  }
}

void GraphReader::read_body_name(const ConfigNode& at, Node& node) {
  const ConfigNode* const graph = at.find("graph");
  if (graph == nullptr) at.fail(cat(op_name(node.op), " has no graph"));
  const std::string name = graph->text();
  for (i64 i = 1; i < isize(graph_.bodies); ++i)
    if (graph_.bodies[usize(i)].name == name) node.body = i;
  if (node.body < 0) graph->fail(cat("graphs has no ", quote(name)));
}

void GraphReader::read_llm(const ConfigNode& at, Node& node) {
  LlmSpec& llm = node.llm.emplace();
  const ConfigNode* const prompt = at.find("template");
  const ConfigNode* const messages = at.find("messages");
  if ((prompt == nullptr) == (messages == nullptr))
    at.fail("an llm node has either a template or messages");
  if (prompt != nullptr) llm.prompt = template_of(*prompt);
  if (messages != nullptr) {
    if (messages->items.empty()) messages->fail("messages is no list of messages");
    for (const ConfigNode& one : messages->items) {
      one.only({"role", "content"}, "a message");
      if (one.find("role") == nullptr || one.find("content") == nullptr)
        one.fail("a message has role and content");
      llm.messages.emplace_back(one.find("role")->text(), template_of(*one.find("content")));
    }
  }
  llm.params.temperature = 0;
  if (const ConfigNode* const params = at.find("params")) read_sampling(*params, llm);
  if (const ConfigNode* const parse = at.find("parse")) read_parser(*parse, llm);
  if (const ConfigNode* const form = at.find("form")) read_form(*form, llm.form);
  llm.role = at.find("role") != nullptr ? at.find("role")->text() : node.id;
}

void GraphReader::read_sampling(const ConfigNode& params, LlmSpec& llm) {
  if (!params.value.is_map()) params.fail(cat("params is ", params.shown(), ", expected keys"));
  ValueMap sampling;
  for (const ConfigField& field : params.fields) {
    if (field.key == "tries") {
      llm.tries = whole(field.node, "tries", 1);
    } else if (field.key == "samples") {
      sampling.emplace_back(Value("n"), Value(whole(field.node, "samples", 1)));
    } else if (field.key == "max_tokens") {
      sampling.emplace_back(Value("max_tokens"), Value(whole(field.node, "max_tokens", 0)));
    } else if (field.key == "seed") {
      llm.params.seed = seed(field.node);
    } else if (field.key == "n") {
      field.node.fail("the number of replies is called samples here");
    } else {
      sampling.emplace_back(Value(field.key), field.node.value);
    }
  }
  const std::optional<Fault> fault =
      decode::apply_params(text::to_json(Value(std::move(sampling))), llm.params);
  if (fault) params.fail(fault->detail);
}

void GraphReader::read_parser(const ConfigNode& at, LlmSpec& llm) {
  if (!at.value.is_map()) {
    llm.parse.kind = static_cast<Parser::Kind>(one_of(at, parser_names(), "parser"));
  } else {
    at.only({"kind", "pattern", "choices", "nothing", "otherwise"}, "a parser");
    if (at.find("kind") == nullptr) at.fail("a parser has no kind");
    llm.parse.kind = static_cast<Parser::Kind>(one_of(*at.find("kind"), parser_names(), "parser"));
    if (const ConfigNode* const nothing = at.find("nothing")) llm.parse.nothing = nothing->texts();
    if (const ConfigNode* const other = present(at, "otherwise")) llm.otherwise = other->value;
  }
  const ConfigNode* const pattern = at.find("pattern");
  const ConfigNode* const choices = at.find("choices");
  if ((llm.parse.kind == Parser::Kind::kRegex) != (pattern != nullptr))
    at.fail("a parser has a pattern if it is of kind regex, and only then");
  if ((llm.parse.kind == Parser::Kind::kChoice) != (choices != nullptr))
    at.fail("a parser has choices if it is of kind choice, and only then");
  if (pattern != nullptr)
    llm.parse.regex = std::make_shared<const eval::Regex>(pattern->text(), pattern->where);
  if (choices != nullptr) llm.parse.choices = choices->texts();
}

void GraphReader::read_form(const ConfigNode& at, answer::Form& form) {
  using Kind = answer::Form::Kind;
  at.only({"choices", "regex", "schema", "gbnf", "lark"}, "a form");
  if (at.fields.size() != 1) at.fail("a form is one of choices, regex, schema, gbnf, lark");
  const ConfigNode& value = at.fields[0].node;
  const std::string& kind = at.fields[0].key;
  form.kind = kind == "choices" ? Kind::kChoices
              : kind == "regex" ? Kind::kRegex
              : kind == "gbnf"  ? Kind::kGbnf
              : kind == "lark"  ? Kind::kLark
                                : Kind::kSchema;
  if (form.kind == Kind::kChoices) {
    if (value.items.empty()) value.fail("choices is no list of texts");
    text::ValueList list;
    for (const std::string& choice : value.texts())
      list.emplace_back(choice);
    form.text = text::to_json(Value(std::move(list)));
  } else if (form.kind == Kind::kSchema && value.value.is_map()) {
    form.text = text::to_json(value.value);
  } else {
    form.text = value.text();
  }
}

}  // namespace lm::flow
