// Round trips: exact over subsets, and local search.

#include <algorithm>
#include <bit>
#include <limits>

#include "accord/packing.h"
#include "accord/solve.h"

namespace lm::accord {

namespace {

constexpr i64 kFar = std::numeric_limits<i64>::max() / 4;

class Ways {
 public:
  explicit Ways(const std::vector<Point>& places) : count_(isize(places)) {
    between_.reserve(places.size() * places.size());
    for (const Point& a : places)
      for (const Point& b : places)
        between_.push_back(distance(a, b));
  }
  i64 count() const { return count_; }
  i64 operator()(i64 a, i64 b) const { return between_[usize(a * count_ + b)]; }
  i64 length(const std::vector<i64>& trip) const {
    i64 sum = 0, at = 0;
    for (const i64 next : trip) {
      sum += (*this)(at, next);
      at = next;
    }
    return sum + (*this)(at, 0);
  }

 private:
  i64 count_;
  std::vector<i64> between_;
};

/// Shortest trips through every subset of the customers 1 .. n: Held and Karp's table.
/// O(2^n n^2) time, 9 bytes for each of 2^n n states.
class Subsets {
 public:
  explicit Subsets(const Ways& ways)
      : n_(ways.count() - 1),
        ways_(ways),
        length_((std::size_t{1} << n_) * usize(n_), kFar),
        before_(length_.size(), -1),
        trip_(std::size_t{1} << n_, 0),
        last_(trip_.size(), -1) {
    for (std::size_t set = 1; set < trip_.size(); ++set) {
      trip_[set] = kFar;
      for (i64 end = 0; end < n_; ++end) {
        if ((set >> end & 1) == 0) continue;
        reach(set, end);
        const i64 closed = at(set, end) + ways_(end + 1, 0);
        if (closed >= trip_[set]) continue;
        trip_[set] = closed;
        last_[set] = static_cast<signed char>(end);
      }
    }
  }
  /// Of the trip from place 0 and back, 0 for no customers.
  i64 length(std::size_t set) const { return trip_[set]; }
  std::vector<i64> trip(std::size_t set) const {
    std::vector<i64> out;
    i64 end = last_[set];
    while (set != 0) {
      out.push_back(end + 1);
      const i64 before = before_[set * usize(n_) + usize(end)];
      set &= ~(std::size_t{1} << end);
      end = before;
    }
    std::reverse(out.begin(), out.end());
    return out;
  }

 private:
  i64& at(std::size_t set, i64 end) { return length_[set * usize(n_) + usize(end)]; }
  void reach(std::size_t set, i64 end) {
    const std::size_t without = set & ~(std::size_t{1} << end);
    if (without == 0) {
      at(set, end) = ways_(0, end + 1);
      return;
    }
    for (i64 from = 0; from < n_; ++from) {
      if ((without >> from & 1) == 0) continue;
      const i64 length = at(without, from) + ways_(from + 1, end + 1);
      if (length >= at(set, end)) continue;
      at(set, end) = length;
      before_[set * usize(n_) + usize(end)] = static_cast<signed char>(from);
    }
  }

  i64 n_;
  const Ways& ways_;
  std::vector<i64> length_;
  std::vector<signed char> before_;
  std::vector<i64> trip_;
  std::vector<signed char> last_;
};

/// Place of a trip, with place 0 at both ends.
i64 stop(const std::vector<i64>& trip, i64 i) {
  return i < 0 || i >= isize(trip) ? 0 : trip[usize(i)];
}

/// Turns a stretch around where that is shorter; true if it did.
bool two_opt(const Ways& ways, std::vector<i64>& trip) {
  bool better = false;
  for (i64 i = 0; i < isize(trip); ++i)
    for (i64 j = i + 1; j < isize(trip); ++j) {
      const i64 a = stop(trip, i - 1), b = stop(trip, i), c = stop(trip, j), d = stop(trip, j + 1);
      if (ways(a, c) + ways(b, d) >= ways(a, b) + ways(c, d)) continue;
      std::reverse(trip.begin() + i, trip.begin() + j + 1);
      better = true;
    }
  return better;
}

/// Moves a stretch of one to three places, turned around or not, to another spot of its trip.
bool or_opt(const Ways& ways, std::vector<i64>& trip) {
  for (i64 size = 1; size <= 3; ++size)
    for (i64 i = 0; i + size <= isize(trip); ++i) {
      const i64 before = stop(trip, i - 1), first = stop(trip, i);
      const i64 last = stop(trip, i + size - 1), after = stop(trip, i + size);
      const i64 gain = ways(before, first) + ways(last, after) - ways(before, after);
      std::vector<i64> rest(trip.begin(), trip.begin() + i);
      rest.insert(rest.end(), trip.begin() + i + size, trip.end());
      for (i64 to = 0; to <= isize(rest); ++to) {
        const i64 left = stop(rest, to - 1), right = stop(rest, to);
        for (const bool turned : {false, true}) {
          const i64 in = turned ? last : first, out = turned ? first : last;
          if (ways(left, in) + ways(out, right) - ways(left, right) >= gain) continue;
          std::vector<i64> stretch(trip.begin() + i, trip.begin() + i + size);
          if (turned) std::reverse(stretch.begin(), stretch.end());
          rest.insert(rest.begin() + to, stretch.begin(), stretch.end());
          trip = std::move(rest);
          return true;
        }
      }
    }
  return false;
}

void improve(const Ways& ways, std::vector<i64>& trip) {
  while (two_opt(ways, trip) || or_opt(ways, trip)) {
  }
}

/// Whole ways by the nearest place not seen, from `start`, cut open at place 0.
std::vector<i64> nearest_neighbours(const Ways& ways, i64 start) {
  std::vector<u8> seen(usize(ways.count()));
  std::vector<i64> round;
  for (i64 at = start; at >= 0;) {
    seen[usize(at)] = 1;
    round.push_back(at);
    i64 next = -1;
    for (i64 c = 0; c < ways.count(); ++c)
      if (seen[usize(c)] == 0 && (next < 0 || ways(at, c) < ways(at, next))) next = c;
    at = next;
  }
  std::rotate(round.begin(), std::find(round.begin(), round.end(), 0), round.end());
  return {round.begin() + 1, round.end()};
}

/// Trips of at most so many vehicles while they are improved.
class Fleet {
 public:
  Fleet(const Vrp& it, const Ways& ways, Solution trips) : it_(it), ways_(ways), trips_(trips) {
    trips_.resize(usize(it.vehicles));
  }
  void improve_all() {
    do {
      for (std::vector<i64>& trip : trips_)
        improve(ways_, trip);
    } while (relocate() || exchange() || swap_ends());
  }
  i64 length() const {
    i64 sum = 0;
    for (const std::vector<i64>& trip : trips_)
      sum += ways_.length(trip);
    return sum;
  }
  Solution trips() const {
    Solution out = trips_;
    std::erase_if(out, [](const std::vector<i64>& trip) { return trip.empty(); });
    return out;
  }

 private:
  i64 load(const std::vector<i64>& trip) const {
    i64 sum = 0;
    for (const i64 c : trip)
      sum += it_.demands[usize(c)];
    return sum;
  }
  /// Puts b's and a's trips in place of the old ones where they fit and are shorter together.
  bool accept(std::size_t a, std::size_t b, std::vector<i64> trip_a, std::vector<i64> trip_b) {
    if (load(trip_a) > it_.capacity || load(trip_b) > it_.capacity) return false;
    if (ways_.length(trip_a) + ways_.length(trip_b) >=
        ways_.length(trips_[a]) + ways_.length(trips_[b]))
      return false;
    trips_[a] = std::move(trip_a);
    trips_[b] = std::move(trip_b);
    return true;
  }
  template <typename Try>
  bool each_pair(Try attempt) {
    for (std::size_t a = 0; a < trips_.size(); ++a)
      for (std::size_t b = 0; b < trips_.size(); ++b)
        if (a != b && attempt(a, b)) return true;
    return false;
  }
  bool relocate() {
    return each_pair([&](std::size_t a, std::size_t b) {
      for (i64 i = 0; i < isize(trips_[a]); ++i)
        for (i64 to = 0; to <= isize(trips_[b]); ++to) {
          std::vector<i64> from = trips_[a], into = trips_[b];
          into.insert(into.begin() + to, from[usize(i)]);
          from.erase(from.begin() + i);
          if (accept(a, b, std::move(from), std::move(into))) return true;
        }
      return false;
    });
  }
  bool exchange() {
    return each_pair([&](std::size_t a, std::size_t b) {
      for (i64 i = 0; i < isize(trips_[a]); ++i)
        for (i64 j = 0; j < isize(trips_[b]); ++j) {
          std::vector<i64> one = trips_[a], other = trips_[b];
          std::swap(one[usize(i)], other[usize(j)]);
          if (accept(a, b, std::move(one), std::move(other))) return true;
        }
      return false;
    });
  }
  bool swap_ends() {
    return each_pair([&](std::size_t a, std::size_t b) {
      for (i64 i = 0; i <= isize(trips_[a]); ++i)
        for (i64 j = 0; j <= isize(trips_[b]); ++j) {
          const std::vector<i64>&x = trips_[a], &y = trips_[b];
          std::vector<i64> one(x.begin(), x.begin() + i), other(y.begin(), y.begin() + j);
          one.insert(one.end(), y.begin() + j, y.end());
          other.insert(other.end(), x.begin() + i, x.end());
          if (accept(a, b, std::move(one), std::move(other))) return true;
        }
      return false;
    });
  }

  const Vrp& it_;
  const Ways& ways_;
  Solution trips_;
};

/// Joins ends of trips by what that saves, while loads allow; the rest by what it costs least.
/// Perhaps more trips than vehicles.
Solution savings(const Vrp& it, const Ways& ways) {
  struct Saving {
    i64 gain, a, b;
  };
  std::vector<Saving> all;
  for (i64 a = 1; a < ways.count(); ++a)
    for (i64 b = a + 1; b < ways.count(); ++b)
      all.push_back({ways(0, a) + ways(0, b) - ways(a, b), a, b});
  std::stable_sort(all.begin(), all.end(),
                   [](const Saving& x, const Saving& y) { return x.gain > y.gain; });
  Solution trips(it.places.size());
  std::vector<i64> load = it.demands;
  std::vector<i64> trip_of(it.places.size());
  for (i64 c = 1; c < ways.count(); ++c) {
    trips[usize(c)] = {c};
    trip_of[usize(c)] = c;
  }
  i64 count = ways.count() - 1;
  for (const Saving& saving : all) {
    if (saving.gain <= 0 && count <= it.vehicles) break;
    const std::size_t x = usize(trip_of[usize(saving.a)]), y = usize(trip_of[usize(saving.b)]);
    if (x == y || load[x] + load[y] > it.capacity) continue;
    std::vector<i64>&left = trips[x], &right = trips[y];
    if (left.front() == saving.a) std::reverse(left.begin(), left.end());
    if (right.back() == saving.b) std::reverse(right.begin(), right.end());
    if (left.back() != saving.a || right.front() != saving.b) continue;
    for (const i64 c : right)
      trip_of[usize(c)] = static_cast<i64>(x);
    left.insert(left.end(), right.begin(), right.end());
    right.clear();
    load[x] += load[y];
    --count;
  }
  std::erase_if(trips, [](const std::vector<i64>& trip) { return trip.empty(); });
  return trips;
}

/// All subsets that a vehicle takes, and the best way to share the customers among vehicles.
Solution shortest_trips(const Vrp& it, const Ways& ways) {
  const Subsets subsets(ways);
  const i64 n = ways.count() - 1;
  const std::size_t sets = std::size_t{1} << n;
  std::vector<i64> load(sets, 0);
  for (std::size_t set = 1; set < sets; ++set)
    load[set] = load[set & (set - 1)] + it.demands[usize(std::countr_zero(set) + 1)];
  // best[set] with v vehicles, and the trip of the lowest customer in it.
  const i64 vehicles = std::min(it.vehicles, n);
  std::vector<i64> best(sets, kFar);
  best[0] = 0;
  std::vector<std::vector<std::size_t>> first(usize(vehicles), std::vector<std::size_t>(sets, 0));
  for (i64 v = 0; v < vehicles; ++v) {
    std::vector<i64> next(sets, kFar);
    next[0] = 0;
    for (std::size_t set = 1; set < sets; ++set) {
      const std::size_t lowest = set & (~set + 1);
      const std::size_t others = set ^ lowest;
      for (std::size_t sub = others;; sub = (sub - 1) & others) {
        const std::size_t trip = sub | lowest;
        if (load[trip] <= it.capacity) {
          const i64 length = subsets.length(trip) + best[set ^ trip];
          if (length < next[set]) {
            next[set] = length;
            first[usize(v)][set] = trip;
          }
        }
        if (sub == 0) break;
      }
    }
    best = std::move(next);
  }
  Solution out;
  std::size_t set = sets - 1;
  for (i64 v = vehicles - 1; set != 0; --v) {
    const std::size_t trip = first[usize(v)][set];
    out.push_back(subsets.trip(trip));
    set ^= trip;
  }
  return out;
}

}  // namespace

Solved solve_tsp(const Tsp& it) {
  const Ways ways(it.cities);
  Solved out;
  if (ways.count() <= kExactCities) {
    const Subsets subsets(ways);
    out.solution = {subsets.trip((std::size_t{1} << (ways.count() - 1)) - 1)};
    out.proved = true;
  } else {
    i64 best = kFar;
    for (i64 start = 0; start < ways.count(); ++start) {
      std::vector<i64> trip = nearest_neighbours(ways, start);
      improve(ways, trip);
      if (ways.length(trip) >= best) continue;
      best = ways.length(trip);
      out.solution = {trip};
    }
  }
  out.objective = ways.length(out.solution[0]);
  out.solution = ordered(it, std::move(out.solution));
  return out;
}

Result<Solved> solve_vrp(const Vrp& it) {
  const Ways ways(it.places);
  bool proved = false;
  const std::vector<i64> demands(it.demands.begin() + 1, it.demands.end());
  const std::optional<std::vector<i64>> packed =
      pack(demands, std::vector<i64>(usize(it.vehicles), it.capacity), proved);
  if (!packed) return Fault{"infeasible", "no assignment of all customers to the vehicles", -1};
  Solved out;
  if (isize(demands) <= kExactCustomers) {
    out.solution = shortest_trips(it, ways);
    out.proved = true;
    for (const std::vector<i64>& trip : out.solution)
      out.objective += ways.length(trip);
  } else {
    Solution assigned(usize(it.vehicles));
    for (std::size_t i = 0; i < packed->size(); ++i)
      assigned[usize((*packed)[i])].push_back(static_cast<i64>(i) + 1);
    out.objective = kFar;
    for (Solution& trips : std::vector<Solution>{savings(it, ways), assigned}) {
      if (isize(trips) > it.vehicles) continue;
      Fleet fleet(it, ways, std::move(trips));
      fleet.improve_all();
      if (fleet.length() >= out.objective) continue;
      out.objective = fleet.length();
      out.solution = fleet.trips();
    }
  }
  out.solution = ordered(it, std::move(out.solution));
  return out;
}

}  // namespace lm::accord
