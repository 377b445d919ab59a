#include "flow/reduce.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/str.h"

namespace lm::flow {

using text::Value;
using text::ValueList;

namespace {

Fault no_number(const Value& item) {
  return {"type", cat("type ", item.type_name(), " stands where numbers should"), -1};
}

/// The items that are there; a fault for what is no number.
std::optional<Fault> numbers_of(const ValueList& items, std::vector<f64>& out) {
  for (const Value& item : items) {
    if (item.is_none()) continue;
    if (!item.is_number()) return no_number(item);
    out.push_back(item.number());
  }
  return std::nullopt;
}

}  // namespace

Result<Value> sum_of(const ValueList& items) {
  i64 whole = 0;
  f64 real = 0;
  bool all_whole = true;
  for (const Value& item : items) {
    if (item.is_none()) continue;
    if (!item.is_number()) return no_number(item);
    real += item.number();
    const std::optional<i64> one = item.as_whole();
    all_whole = all_whole && one.has_value();
    if (all_whole && __builtin_add_overflow(whole, *one, &whole))
      return Fault{"range", "the sum does not fit 64 bits", -1};
  }
  if (!all_whole && !std::isfinite(real))
    return Fault{"range", "the sum is too large for a number", -1};
  return all_whole ? Value(whole) : Value(real);
}

Result<Value> max_of(const ValueList& items) {
  std::vector<f64> numbers;
  if (std::optional<Fault> fault = numbers_of(items, numbers)) return *fault;
  const Value* best = nullptr;
  for (const Value& item : items)
    if (!item.is_none() && (best == nullptr || item.number() > best->number())) best = &item;
  return best == nullptr ? Value() : *best;
}

Result<Value> mean_of(const ValueList& items) {
  std::vector<f64> numbers;
  if (std::optional<Fault> fault = numbers_of(items, numbers)) return *fault;
  if (numbers.empty()) return Value();
  const f64 count = static_cast<f64>(numbers.size());
  f64 sum = 0;
  f64 mean = 0;  // where the sum is too large for a number
  for (const f64 x : numbers) {
    sum += x;
    mean += x / count;
  }
  return Value(std::isfinite(sum) ? sum / count : mean);
}

ValueList majority_of(const ValueList& items) {
  std::unordered_map<std::string, std::size_t> place;  // by JSON, so that equal values meet
  std::vector<i64> votes;
  ValueList kinds;
  for (const Value& item : items) {
    if (item.is_none()) continue;
    const auto [found, fresh] = place.emplace(text::to_json(item, {.sorted = true}), kinds.size());
    if (fresh) {
      kinds.push_back(item);
      votes.push_back(0);
    }
    ++votes[found->second];
  }
  ValueList out;
  const i64 most = votes.empty() ? 0 : *std::max_element(votes.begin(), votes.end());
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (votes[i] == most) out.push_back(kinds[i]);
  return out;
}

Result<Value> merge_lists(const ValueList& lists, MergeWay way) {
  std::vector<ValueList> level;
  const Value* first = nullptr;
  for (const Value& list : lists) {
    if (list.is_none()) continue;
    if (!list.is_list()) return Fault{"type", cat("type ", list.type_name(), " is no list"), -1};
    for (const Value& item : list.list()) {
      if (first == nullptr) first = &item;
      const bool same = item.is_string()
                            ? first->is_string()
                            : item.is_number() && first->is_number() && !std::isnan(item.number());
      if (!same)
        return Fault{"type",
                     cat("types ", item.type_name(), " and ", first->type_name(), " have no order"),
                     -1};
    }
    level.push_back(list.list());
  }
  return Value(merge_all(std::move(level), way,
                         [](const Value& x, const Value& y) { return *text::compare(x, y) < 0; }));
}

Result<Value> concat_items(const ValueList& items, const std::string& separator) {
  std::string joined;
  ValueList all;
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (const Value& item : items) {
    if (item.is_string()) bytes += item.str().size() + separator.size();
    if (item.is_list()) count += item.list().size();
  }
  joined.reserve(bytes);
  all.reserve(count);
  const Value* first = nullptr;
  for (const Value& item : items) {
    if (item.is_none()) continue;
    if (!item.is_list() && !item.is_string())
      return Fault{"type", cat("type ", item.type_name(), " is neither a text nor a list"), -1};
    if (first != nullptr && first->is_list() != item.is_list())
      return Fault{"type", "texts and lists do not join", -1};
    if (item.is_list()) {
      all.insert(all.end(), item.list().begin(), item.list().end());
    } else {
      append(joined, first == nullptr ? "" : separator, item.str());
    }
    first = &item;
  }
  if (first != nullptr && first->is_list()) return Value(std::move(all));
  return Value(std::move(joined));
}

}  // namespace lm::flow
