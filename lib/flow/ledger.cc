#include "flow/ledger.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"

namespace lm::flow {

using text::Value;

namespace {

constexpr i64 kEntryBytes = 160;  // of the table, with its node and bucket

/// visit(value) for what lies directly inside.
template <typename Visit>
void each_inside(const Value& value, Visit visit) {
  if (value.is_list()) {
    for (const Value& item : value.list())
      visit(item);
  } else if (value.is_map()) {
    for (const auto& [key, item] : value.map()) {
      visit(key);
      visit(item);
    }
  }
}

}  // namespace

i64 Ledger::hold(const Value& value, std::string_view node) {
  const Value::Shared shared = value.shared();
  if (shared.at == nullptr) return 0;
  Entry& entry = entries_[shared.at];
  if (entry.holders++ > 0) return entry.depth;
  add(shared.bytes + kEntryBytes, node, "a value");
  entry.value = value;
  entry.bytes = shared.bytes + kEntryBytes;
  i64 inside = 0;
  each_inside(value, [&](const Value& item) { inside = std::max(inside, hold(item, node)); });
  // References into the table stay where they are while it grows.
  entry.depth = value.is_string() ? 0 : inside + 1;
  return entry.depth;
}

void Ledger::drop(const Value& value) {
  const Value::Shared shared = value.shared();
  if (shared.at == nullptr) return;
  const auto found = entries_.find(shared.at);
  LM_CHECK(found != entries_.end() && found->second.holders > 0, "what is dropped was held");
  if (--found->second.holders > 0) return;
  const Value own = std::move(found->second.value);
  memory_.add(-found->second.bytes, {});
  entries_.erase(found);
  each_inside(own, [&](const Value& item) { drop(item); });
}

void Ledger::add(i64 bytes, std::string_view node, std::string_view what) {
  if (!memory_.try_add(bytes)) about(node, [&] { memory_.add(bytes, what); });
}

void Ledger::refuse(std::string_view node, const Error& error) const {
  const std::string name = node.empty() ? std::string() : cat("node ", node, ": ");
  throw Error(error.kind(), cat(owner_, ": ", name, error.message()),
              cat(name, error.hint(),
                  " if nothing grows further; a smaller --batch holds fewer records at once"));
}

i64 json_value_bytes(std::string_view json) {
  // Every value has a comma before it, a bracket that opens or the beginning. The parser's tape has
  // 8 bytes of a value or bracket and its texts once more.
  i64 parts = 1;
  bool quoted = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++at;
    parts += !quoted && (c == ',' || c == ':' || c == '[' || c == '{') ? 1 : 0;
  }
  constexpr i64 kPartBytes = static_cast<i64>(2 * sizeof(Value)) + 16 + 64;
  return 3 * isize(json) + parts * kPartBytes;
}

}  // namespace lm::flow
