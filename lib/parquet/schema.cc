#include "parquet/schema.h"

#include <string_view>
#include <unordered_set>

#include "core/str.h"
#include "core/utf8.h"

namespace lm::parquet {

namespace {

constexpr i64 kMaxDepth = 64;
constexpr i32 kMaxDecimalBytes = 64;
constexpr i32 kMaxScale = 200;

struct Node {
  const SchemaElement* element = nullptr;
  i64 leaf = -1;  // of a leaf
  std::vector<Node> children;
  const SchemaElement& operator*() const { return *element; }
  const SchemaElement* operator->() const { return element; }
  bool is_leaf() const { return children.empty(); }
};

class Tree {
 public:
  Tree(std::span<const SchemaElement> elements, const Place& place, Schema& schema)
      : elements_(elements), place_(place), schema_(schema) {}

  Node read(i64 depth, bool repeated) {
    if (depth > kMaxDepth) place_.fail(cat("the schema nests deeper than ", kMaxDepth));
    if (at_ == elements_.size()) place_.fail("the schema ends inside a group");
    Node node;
    node.element = &elements_[at_++];
    const SchemaElement& element = *node;
    repeated = repeated || (depth > 0 && element.repetition == Repetition::kRepeated);
    if (element.children < 0 || (element.children > 0) != (element.physical == Physical::kAbsent)) {
      // A file without columns has a root without children.
      if (depth == 0 && element.children == 0) return node;
      place_.fail(cat("the schema's element ", quote(element.name), " has ", element.children,
                      " children and ", physical_name(element.physical), " as its type"));
    }
    if (element.children == 0) {
      node.leaf = isize(schema_.leaves);
      schema_.leaves.push_back(element.physical);
      schema_.flat.push_back(!repeated);
    }
    for (i32 i = 0; i < element.children; ++i)
      node.children.push_back(read(depth + 1, repeated));
    return node;
  }
  bool done() const { return at_ == elements_.size(); }

 private:
  std::span<const SchemaElement> elements_;
  const Place& place_;
  Schema& schema_;
  std::size_t at_ = 0;
};

bool fits(const SchemaElement& e) {
  const bool int32 = e.physical == Physical::kInt32;
  const bool int64 = e.physical == Physical::kInt64;
  const bool bytes = e.physical == Physical::kByteArray;
  const bool fixed = e.physical == Physical::kFixed;
  switch (e.logical.kind) {
    case Logical::kString:
    case Logical::kEnum:
    case Logical::kJson:
    case Logical::kBson:
      return bytes;
    case Logical::kDecimal:
      return (int32 || int64 || bytes || (fixed && e.type_length <= kMaxDecimalBytes)) &&
             e.logical.scale >= 0 && e.logical.scale <= kMaxScale;
    case Logical::kDate:
      return int32;
    case Logical::kTime:
      return e.logical.digits == 3 ? int32 : e.logical.digits > 0 && int64;
    case Logical::kTimestamp:
      return int64 && e.logical.digits > 0;
    case Logical::kInteger:
      return int32 || int64;
    case Logical::kUuid:
      return fixed && e.type_length == 16;
    case Logical::kFloat16:
      return fixed && e.type_length == 2;
    case Logical::kList:
    case Logical::kMap:
      return false;
    default:
      return true;
  }
}

void take_leaf(const Node& node, const Place& place, Column& out) {
  const SchemaElement& element = *node;
  out.leaf = node.leaf;
  out.physical = element.physical;
  out.type_length = element.type_length;
  out.logical = element.logical;
  if (element.logical.kind == Logical::kUnsupported) {
    out.refused = cat("of type ", element.logical.name);
    return;
  }
  if (element.physical == Physical::kFixed && element.type_length <= 0)
    place.fail(cat("column ", quote(out.name), " has values of ", element.type_length, " bytes"));
  if (!fits(element)) {
    place.fail(cat("column ", quote(out.name), " is annotated as what ",
                   physical_name(element.physical), " cannot hold"));
  }
}

u32 optional_level(const Node& node) {
  return node->repetition == Repetition::kOptional ? 1 : 0;
}

// A group annotated LIST: its one child repeats, and is the element itself (two levels, written by
// older programs) or a group around it (three levels).
void take_list(const Node& group, const Place& place, Column& out) {
  out.list = true;
  out.empty_def = optional_level(group);
  const bool one = group.children.size() == 1 &&
                   group.children[0]->repetition == Repetition::kRepeated &&
                   group->repetition != Repetition::kRepeated;
  if (!one) {
    out.refused = "a list of an unknown form";
    return;
  }
  const Node& repeated = group.children[0];
  if (repeated.is_leaf()) {
    out.max_def = out.empty_def + 1;
    take_leaf(repeated, place, out);
    return;
  }
  const bool wrapped = repeated.children.size() == 1 && repeated->name != "array" &&
                       repeated->name != cat(group->name, "_tuple");
  if (!wrapped) {
    out.refused = "a list of structs";
    return;
  }
  const Node& element = repeated.children[0];
  if (!element.is_leaf() || element->repetition == Repetition::kRepeated) {
    const Logical kind = element->logical.kind;
    out.refused = kind == Logical::kMap ? "a list of maps"
                  : kind == Logical::kList || element->repetition == Repetition::kRepeated
                      ? "a list of lists"
                      : "a list of structs";
    return;
  }
  out.max_def = out.empty_def + 1 + optional_level(element);
  take_leaf(element, place, out);
}

Column read_column(const Node& node, const Place& place) {
  Column out;
  out.name = node->name;
  if (node.is_leaf()) {
    out.list = node->repetition == Repetition::kRepeated;
    out.max_def = out.list ? 1 : optional_level(node);
    take_leaf(node, place, out);
  } else if (node->logical.kind == Logical::kList) {
    take_list(node, place, out);
  } else if (node->logical.kind == Logical::kMap) {
    out.refused = "a map";
  } else {
    out.refused = node->repetition == Repetition::kRepeated ? "a list of structs" : "a struct";
  }
  return out;
}

}  // namespace

Schema read_schema(std::span<const SchemaElement> elements, const Place& place) {
  Schema out;
  Tree tree(elements, place, out);
  const Node root = tree.read(0, false);
  if (!tree.done()) place.fail("the schema has elements outside its tree");
  std::unordered_set<std::string_view> names;
  for (const Node& child : root.children) {
    if (!is_valid_utf8(child->name))
      place.fail(cat("the name of column ", quote(child->name), " is not UTF-8"));
    if (!names.insert(child->name).second)
      place.fail(cat("two columns are called ", quote(child->name)));
    out.columns.push_back(read_column(child, place));
  }
  return out;
}

std::string Column::type_name() const {
  std::string type;
  switch (logical.kind) {
    case Logical::kString:
      type = "string";
      break;
    case Logical::kEnum:
      type = "enum";
      break;
    case Logical::kJson:
      type = "json";
      break;
    case Logical::kDecimal:
      type = "decimal";
      break;
    case Logical::kDate:
      type = "date";
      break;
    case Logical::kTime:
      type = "time";
      break;
    case Logical::kTimestamp:
      type = "timestamp";
      break;
    case Logical::kUuid:
      type = "uuid";
      break;
    default:
      type = ascii_lower(physical_name(physical));
  }
  if (!refused.empty()) return refused;
  return list ? cat("list of ", type) : type;
}

}  // namespace lm::parquet
