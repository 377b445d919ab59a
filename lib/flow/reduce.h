#pragma once
// What program nodes make of lists. Nulls among the items are no answers and are left out. Pure
// functions; a fault ("type") says what does not fit.

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "text/value.h"

namespace lm::flow {

/// Sum, largest and mean of numbers. Sums of whole numbers are whole; a sum beyond 64 bits is a
/// fault "range". Nothing to add: 0; no largest or mean of nothing: null.
Result<text::Value> sum_of(const text::ValueList& items);
Result<text::Value> max_of(const text::ValueList& items);
Result<text::Value> mean_of(const text::ValueList& items);

/// The items that occur most often, in the order of their first occurrence; empty of nothing.
text::ValueList majority_of(const text::ValueList& items);

/// How lists are merged. Of ascending lists both give the same; what a list has out of order stays
/// out of order, in another place each way.
enum class MergeWay : u8 {
  kTree,         // neighbours in pairs, level by level
  kIncremental,  // the next list into what there is
};
template <typename List, typename Less>
List merge_all(std::vector<List> lists, MergeWay way, Less less) {
  const auto two = [&](const List& a, const List& b) {
    List out;
    out.reserve(a.size() + b.size());
    std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out), less);
    return out;
  };
  if (lists.empty()) return {};
  if (way == MergeWay::kIncremental) {
    for (std::size_t i = 1; i < lists.size(); ++i)
      lists[0] = two(lists[0], lists[i]);
  }
  while (way == MergeWay::kTree && lists.size() > 1) {
    std::vector<List> next;
    for (std::size_t i = 0; i + 1 < lists.size(); i += 2)
      next.push_back(two(lists[i], lists[i + 1]));
    if (lists.size() % 2 == 1) next.push_back(std::move(lists.back()));
    lists = std::move(next);
  }
  return std::move(lists[0]);
}
/// Lists of numbers or of texts. Of equal items the earlier list's come first. O(items log lists)
/// or O(items lists).
Result<text::Value> merge_lists(const text::ValueList& lists, MergeWay way);

/// Texts with a separator between them, or lists one behind the other.
Result<text::Value> concat_items(const text::ValueList& items, const std::string& separator);

}  // namespace lm::flow
