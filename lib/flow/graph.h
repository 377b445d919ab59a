#pragma once
// A flow: nodes that call a language model and nodes that are program, joined by JSON values. What
// a graph file says, checked: unknown keys, missing inputs, circles, nodes that lead nowhere and
// types that cannot fit are refused with file and line. Immutable once read.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "answer/answer.h"
#include "flow/pieces.h"
#include "flow/reduce.h"
#include "flow/reply.h"
#include "text/config_node.h"
#include "text/template.h"

namespace lm::flow {

enum class Op : u8 {
  kLlm,    // prompt -> reply -> value
  kSplit,  // a text or list -> its pieces
  kMap,    // a list -> what `do` makes of each item
  kSum,    // a list, or several inputs -> one value; and so on
  kMax,
  kMean,
  kMajority,  // the value of most votes; `all`: a list of those that share the most
  kMerge,     // sorted lists -> one
  kConcat,
  kFilter,  // the items for which `where` holds, by default those that are not null
  kRegex,   // a text -> the matches of a pattern
  kJson,    // a text -> the value it spells; `get`: a path in a value
  kFormat,  // a template -> a text
  kChoose,  // the first input that is not null; of one list its first such item
  kExpand,  // a graph of the file, which may expand itself
  kLoop,    // a graph applied to its own answer
  kTree,    // a list -> `do` of groups of its items, level by level, until one is left
};

/// The name of an operation, as files have it.
const char* op_name(Op op);

/// Where an input comes from.
struct Source {
  enum class From : u8 { kField, kInput, kNode };
  std::string name;  // in templates
  From from = From::kNode;
  i64 index = 0;                  // of the record's field, the graph's input, the node
  std::vector<std::string> path;  // further into the value: keys, and numbers of items
  std::string spelt;              // as the file has it
};

struct LlmSpec {
  std::optional<text::Template> prompt;  // or
  std::vector<std::pair<std::string, text::Template>> messages;
  decode::SampleParams params;  // n replies; more than one make the value a list
  i64 tries = 1;                // requests until every reply has a value
  answer::Form form;
  Parser parse;
  std::optional<text::Value> otherwise;  // of a reply without a value; else the record is bad
  std::string role;
};

struct Node {
  std::string id;     // of an inner node that of the node around it
  std::string where;  // "FILE:LINE"
  Op op = Op::kLlm;
  std::vector<Source> in;  // of an inner node none: it has its item and the others' rest
  std::optional<text::Template> when;  // "1" if the node runs; else its value is null

  std::optional<LlmSpec> llm;
  Cut cut;                                   // split
  std::unique_ptr<Node> inner;               // map, tree
  std::optional<text::Template> where_expr;  // filter
  std::optional<text::Template> text;        // format
  std::optional<eval::Regex> pattern;        // regex
  bool all = false;                          // majority, regex
  MergeWay way = MergeWay::kTree;            // merge
  std::string separator = "\n";              // concat
  std::vector<std::string> get;              // json
  std::optional<text::Value> otherwise;      // json, regex
  i64 arity = 2;                             // tree
  i64 body = -1;                             // expand, loop: index in Graph::bodies
  i64 most = 1;                              // expand: how deep; loop: how many rounds
  std::optional<text::Template> until;       // loop
};

struct Body {
  std::string name;
  std::vector<std::string> inputs;
  std::vector<Node> nodes;  // each behind those it needs; of equal standing in the file's order
  i64 answer = 0;           // a node
};

struct Graph {
  std::string name;
  std::string about;
  text::ValueMap params;            // what templates see by name, as set
  std::vector<std::string> fields;  // paths of the record that are read
  std::vector<Body> bodies;         // the first is the graph itself
  u64 key = 0;                      // of what the file says, parameters set

  const Body& main() const { return bodies[0]; }
  /// A node of the main graph by its id, or -1.
  i64 find(std::string_view id) const;
};

/// NAME=VALUE of a parameter: VALUE is JSON, else a text.
using Settings = std::vector<std::pair<std::string, text::Value>>;

/// Reads a graph file (YAML, or JSON, which is YAML). set: parameters instead of the file's. Throws
/// Error{kNoInput}, Error{kConfig} "FILE:LINE: what", and Error{kUsage} for a parameter that the
/// graph does not have.
Graph read_graph(const std::string& path, const Settings& set = {});
/// The same of a text; name: what errors call it.
Graph parse_graph(std::string_view text, const std::string& name, const Settings& set = {});

/// "{% if EXPRESSION %}1{% endif %}": whether it holds, as Python has it.
text::Template condition(const std::string& expression, const std::string& where);
bool holds(const text::Template& condition, const text::Value& vars);

}  // namespace lm::flow
