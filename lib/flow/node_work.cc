// Program nodes.

#include <algorithm>

#include "core/str.h"
#include "flow/ledger.h"
#include "flow/task.h"

namespace lm::flow {

using text::Value;
using text::ValueList;

namespace {

template <typename T>
T good(Result<T> result) {
  if (!result) throw NodeFault{result.fault()};
  return std::move(*result);
}

/// What joining the items takes.
i64 joined_bytes(const ValueList& items, const std::string& separator) {
  i64 out = 0;
  for (const Value& item : items) {
    if (item.is_string()) out += isize(item.str()) + isize(separator);
    if (item.is_list()) out += isize(item.list()) * static_cast<i64>(sizeof(Value));
  }
  return out;
}

/// The items of a reduction: those of its list, or its inputs.
const ValueList& items_of(const Node& node, const std::vector<Value>& args) {
  if (args.size() > 1) return args;
  if (!args[0].is_list())
    throw NodeFault{
        {"type", cat(op_name(node.op), " needs a list, not type ", args[0].type_name()), -1}};
  return args[0].list();
}

const std::string& text_of(const Node& node, const Value& value) {
  if (!value.is_string())
    throw NodeFault{
        {"type", cat(op_name(node.op), " needs a text, not type ", value.type_name()), -1}};
  return value.str();
}

Value run_filter(const Node& node, const std::vector<Value>& args, const Value& vars) {
  if (!args[0].is_list())
    throw NodeFault{{"type", cat("filter needs a list, not type ", args[0].type_name()), -1}};
  const ValueList& items = args[0].list();
  ValueList out;
  text::ValueMap own = vars.map();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (node.where_expr) {
      Value here(own);
      here.set(Value("item"), items[i]);
      here.set(Value("index"), Value(static_cast<i64>(i)));
      here.set(Value("count"), Value(isize(items)));
      if (holds(*node.where_expr, here)) out.push_back(items[i]);
    } else if (!items[i].is_none()) {
      out.push_back(items[i]);
    }
  }
  return Value(std::move(out));
}

Value run_regex(const Node& node, const Value& value, MemoryBudget* memory) {
  // Beside a group's bytes: its text while it is found, its value, and a list around several.
  constexpr i64 kGroupBytes = static_cast<i64>(sizeof(std::string) + 2 * sizeof(Value)) + 64;
  MemoryHold made(memory);
  ValueList out;
  node.pattern->each(text_of(node, value), [&](std::vector<std::string> groups) {
    ValueList list;
    for (std::string& group : groups) {
      made.add(isize(group) + kGroupBytes, "matches");
      list.emplace_back(std::move(group));
    }
    out.push_back(list.size() == 1 ? list[0] : Value(std::move(list)));
    return node.all;
  });
  if (node.all) return Value(std::move(out));
  if (!out.empty()) return out[0];
  if (node.otherwise) return *node.otherwise;
  throw NodeFault{{"regex", cat("the pattern is not in ", quote(value.str())), -1}};
}

Value run_json(const Node& node, const Value& value, MemoryBudget* memory) {
  Value parsed = value;
  if (value.is_string()) {
    const std::string_view text = trim(value.str());
    MemoryHold made(memory);
    made.add(json_value_bytes(text), "the value of a JSON text");
    Result<Value> read = text::parse_json_value(text);
    if (!read) {
      if (node.otherwise) return *node.otherwise;
      throw NodeFault{read.fault()};
    }
    parsed = std::move(*read);
  }
  if (!node.otherwise) return value_at(parsed, node.get, join(node.get, "."));
  try {
    return value_at(parsed, node.get, "");
  } catch (const NodeFault&) {
    return *node.otherwise;
  }
}

Value run_choose(const std::vector<Value>& args) {
  const bool list = args.size() == 1 && args[0].is_list();
  for (const Value& one : list ? args[0].list() : args)
    if (!one.is_none()) return one;
  return Value();
}

}  // namespace

Value value_at(const Value& value, const std::vector<std::string>& path, const std::string& spelt) {
  Value at = value;
  for (const std::string& part : path) {
    if (at.is_none()) return at;
    if (at.is_list()) {
      const std::optional<i64> index = parse_int(part);
      if (index && *index >= 0 && *index < isize(at.list())) {
        Value next = at.list()[usize(*index)];
        at = std::move(next);
        continue;
      }
    } else if (at.is_map()) {
      if (const Value* const found = at.find(Value(part))) {
        Value next = *found;
        at = std::move(next);
        continue;
      }
    }
    throw NodeFault{{"missing", cat("there is nothing at ", quote(spelt)), -1}};
  }
  return at;
}

Value run_program(const Node& node, const std::vector<Value>& args, const Value& vars,
                  const FlowOptions& options) {
  MemoryHold made(options.memory);
  switch (node.op) {
    case Op::kSplit:
      return Value(good(cut_pieces(args[0], node.cut, options.count_tokens, options.memory)));
    case Op::kSum:
      return good(sum_of(items_of(node, args)));
    case Op::kMax:
      return good(max_of(items_of(node, args)));
    case Op::kMean:
      return good(mean_of(items_of(node, args)));
    case Op::kMajority: {
      ValueList most = majority_of(items_of(node, args));
      if (node.all) return Value(std::move(most));
      return most.empty() ? Value() : most[0];
    }
    case Op::kMerge:
      made.add(2 * joined_bytes(items_of(node, args), ""), "lists that are merged");
      return good(merge_lists(items_of(node, args), node.way));
    case Op::kConcat:
      made.add(joined_bytes(items_of(node, args), node.separator), "what is joined");
      return good(concat_items(items_of(node, args), node.separator));
    case Op::kFilter:
      return run_filter(node, args, vars);
    case Op::kRegex:
      return run_regex(node, args[0], options.memory);
    case Op::kJson:
      return run_json(node, args[0], options.memory);
    case Op::kFormat:
      return Value(node.text->render(vars));
    case Op::kChoose:
      return run_choose(args);
    default:
      LM_CHECK(false, "a node of program that is done at once");
  }
  return Value();
}

}  // namespace lm::flow
