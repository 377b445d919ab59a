#include "accord/extent.h"

#include <algorithm>
#include <numeric>

#include "core/str.h"

namespace lm::accord {

namespace {

// Characters that stand between the numbers of a part, counted; then the numbers, each at most as
// long as a sum of all of the instance's.
i64 extent(const Knapsack& it, bool accord) {
  i64 sum = it.capacity;
  for (const Item& item : it.items)
    sum += item.value + item.weight;
  const i64 width = isize(cat(sum));
  const i64 n = isize(it.items);
  return accord ? 10 + n * (33 + 9 * width) + 30 + 3 * width : 2 + n * (6 + 2 * width);
}

i64 extent(const Binpack& it, bool accord) {
  const i64 n = isize(it.weights);
  const i64 width =
      isize(cat(std::accumulate(it.weights.begin(), it.weights.end(), it.capacity + n)));
  return accord ? n * (11 + 2 * width) + n * (8 + 2 * width) : 4 + n * (4 + 2 + width);
}

i64 extent(const Vrp& it, bool accord) {
  i64 reach = 1;
  for (const Point& place : it.places)
    reach = std::max({reach, std::abs(place.x), std::abs(place.y)});
  const i64 n = isize(it.places);
  const i64 width = 1 + isize(cat(6 * reach * n));  // a sign; two ways a place
  const i64 trips = std::min(it.vehicles, n);
  if (!accord) return 4 + trips * (7 + width) + n * (2 + width);
  return trips * (41 + 7 * width) + n * (16 + 4 * width) + 25 + width;
}

i64 extent(const Tsp& it, bool accord) {
  return extent(Vrp{it.cities, {}, 0, 1}, accord);
}

i64 extent(const Jssp& it, bool accord) {
  i64 sum = isize(it.jobs) + machine_count(it), operations = 0;
  for (const std::vector<Operation>& job : it.jobs) {
    operations += isize(job);
    for (const Operation& op : job)
      sum += op.time;
  }
  const i64 width = isize(cat(sum));
  return accord ? operations * (11 + 5 * width) + 11 + width : 2 + operations * (6 + 2 * width);
}

i64 extent(const Fssp& it, bool accord) {
  const i64 jobs = isize(it.times);
  const i64 machines = isize(it.times[0]);
  i64 sum = jobs + machines;
  for (const std::vector<i64>& job : it.times)
    sum = std::accumulate(job.begin(), job.end(), sum);
  const i64 width = isize(cat(sum));
  return accord ? jobs * (4 + width + machines * (9 + 4 * width)) + 11 + width
                : 2 + jobs * (2 + width);
}

}  // namespace

std::string_view bytes_of(Problem problem, Format format) {
  if (format == Format::kLists) return "[], 0123456789";
  switch (problem) {
    case Problem::kKnapsack:
      return "Solution:\n[], -> value:+= weight:<= Total Value: Total Weight:0123456789";
    case Problem::kBinpack:
      return "Bin : (, ) -> <= \n0123456789";
    case Problem::kTsp:
    case Problem::kVrp:
      return "Vehicle Route: (): (, ) -> +\nOverall Total Distance: 0123456789";
    case Problem::kJssp:
      return "J-M: + -> \nMakespan: 0123456789";
    case Problem::kFssp:
      return "J: M(+=) -> \nMakespan: 0123456789";
  }
  return "";
}

i64 most_bytes(const Instance& instance, Format format) {
  return std::visit([&](const auto& it) { return extent(it, format == Format::kAccord); },
                    instance);
}

}  // namespace lm::accord
