#include "accord/check.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/str.h"

namespace lm::accord {

namespace {

/// The first thing that is wrong; the rest is not looked at.
class Checker {
 public:
  explicit Checker(const Claims& claims) : claims_(claims) {}
  Verdict take() {
    out_.feasible = out_.reason.empty();
    if (!out_.feasible) {
      out_.objective = 0;
      out_.solution.clear();
    }
    out_.format = claims_.format;
    return std::move(out_);
  }

  void operator()(const Knapsack& it) {
    std::multimap<Item, i64> left;  // equal items in the instance's order
    for (i64 i = 0; i < isize(it.items); ++i)
      left.emplace(it.items[usize(i)], i);
    i64 value = 0, weight = 0;
    out_.solution.emplace_back();
    for (const Step& s : claims_.lines[0].steps) {
      const auto at = left.lower_bound(Item{s[0], s[1]});
      if (at == left.end() || at->first != Item{s[0], s[1]})
        return wrong(cat("item [", s[0], ", ", s[1], "] is not one of those left"));
      out_.solution[0].push_back(at->second);
      left.erase(at);
      if (accord() &&
          (!same(s[2], value, "a total value") || !same(s[3], s[0], "an added value") ||
           !same(s[4], value + s[0], "a total value") || !same(s[5], weight, "a total weight") ||
           !same(s[6], s[1], "an added weight") || !same(s[7], weight + s[1], "a total weight") ||
           !same(s[8], it.capacity, "the capacity")))
        return;
      value += s[0];
      weight += s[1];
      if (weight > it.capacity)
        return wrong(cat("weight ", weight, " is above the capacity ", it.capacity));
    }
    if (!totals({value, weight, it.capacity})) return;
    out_.objective = value;
  }

  void operator()(const Binpack& it) {
    std::vector<i64> times(it.weights.size());
    for (std::size_t b = 0; b < claims_.lines.size(); ++b) {
      const Line& line = claims_.lines[b];
      if (accord() && (!same(line.label, static_cast<i64>(b) + 1, "a bin's number") ||
                       !same(line.bound, it.capacity, "the capacity")))
        return;
      if (line.steps.empty()) return wrong(cat("bin ", b + 1, " is empty"));
      i64 weight = 0;
      out_.solution.emplace_back();
      for (const Step& s : line.steps) {
        if (!known(s[0], isize(times), "item") || !once(times, s[0], "item")) return;
        if (accord() && !same(s[1], it.weights[usize(s[0])], "an item's weight")) return;
        weight += it.weights[usize(s[0])];
        out_.solution.back().push_back(s[0]);
      }
      if (weight > it.capacity)
        return wrong(cat("bin ", b + 1, " holds ", weight, ", above the capacity ", it.capacity));
    }
    if (!all(times, "item", 0)) return;
    out_.objective = isize(claims_.lines);
  }

  void operator()(const Tsp& it) {
    if (claims_.lines.size() != 1)
      return wrong(cat(claims_.lines.size(), " round trips, expected one"));
    routes(it.cities);
  }

  void operator()(const Vrp& it) {
    if (isize(claims_.lines) > it.vehicles)
      return wrong(cat(claims_.lines.size(), " round trips for ", it.vehicles, " vehicles"));
    routes(it.places);
    if (!out_.reason.empty()) return;
    for (std::size_t v = 0; v < out_.solution.size(); ++v) {
      i64 load = 0;
      for (const i64 place : out_.solution[v])
        load += it.demands[usize(place)];
      if (load > it.capacity)
        return wrong(
            cat("round trip ", v + 1, " carries ", load, ", above the capacity ", it.capacity));
    }
  }

  void operator()(const Jssp& it) {
    std::vector<std::size_t> next(it.jobs.size());
    std::vector<i64> job_end(it.jobs.size());
    std::vector<std::vector<std::pair<i64, i64>>> machines(usize(machine_count(it)));
    std::vector<i64> machine_end(machines.size());
    out_.solution.emplace_back();
    for (const Step& s : claims_.lines[0].steps) {
      const i64 job = s[0];
      if (!known(job, isize(next), "job")) return;
      const std::vector<Operation>& operations = it.jobs[usize(job)];
      std::size_t& n = next[usize(job)];
      if (n == operations.size())
        return wrong(cat("job ", job, " has ", n, " operations and is mentioned more often"));
      const Operation& op = operations[n];
      if (s[1] != op.machine)
        return wrong(cat("operation ", n + 1, " of job ", job, " is on machine ", op.machine,
                         ", not ", s[1]));
      i64 begin = job_end[usize(job)];
      if (accord()) {
        if (s[2] < begin)
          return wrong(cat("operation ", n + 1, " of job ", job, " begins at ", s[2],
                           ", before the one before it ends at ", begin));
        begin = s[2];
        if (!same(s[3], op.time, "a duration") || !same(s[4], begin + op.time, "an end")) return;
      } else {
        begin = std::max(begin, machine_end[usize(op.machine)]);
      }
      const i64 end = begin + op.time;
      machines[usize(op.machine)].emplace_back(begin, end);
      machine_end[usize(op.machine)] = std::max(machine_end[usize(op.machine)], end);
      job_end[usize(job)] = end;
      ++n;
      out_.solution[0].push_back(job);
    }
    for (std::size_t j = 0; j < next.size(); ++j)
      if (next[j] != it.jobs[j].size())
        return wrong(cat("operation ", next[j] + 1, " of job ", j, " is missing"));
    for (std::size_t m = 0; m < machines.size(); ++m) {
      std::sort(machines[m].begin(), machines[m].end());
      for (std::size_t i = 1; i < machines[m].size(); ++i)
        if (machines[m][i].first < machines[m][i - 1].second)
          return wrong(cat("machine ", m, " has two operations at ", machines[m][i].first));
    }
    const i64 last = *std::max_element(job_end.begin(), job_end.end());
    if (!totals({last})) return;
    out_.objective = last;
  }

  void operator()(const Fssp& it) {
    std::vector<i64> order;
    if (accord()) {
      for (const Line& line : claims_.lines)
        order.push_back(line.label);
    } else {
      for (const Step& s : claims_.lines[0].steps)
        order.push_back(s[0]);
    }
    std::vector<i64> times(it.times.size());
    const std::size_t machines = it.times[0].size();
    std::vector<i64> machine_end(machines);
    for (std::size_t i = 0; i < order.size(); ++i) {
      const i64 job = order[i];
      if (!known(job, isize(times), "job") || !once(times, job, "job")) return;
      if (accord() && claims_.lines[i].steps.size() != machines)
        return wrong(
            cat("job ", job, " is on ", claims_.lines[i].steps.size(), " machines of ", machines));
      i64 ready = 0;
      for (std::size_t m = 0; m < machines; ++m) {
        i64 begin = std::max(ready, machine_end[m]);
        if (accord()) {
          const Step& s = claims_.lines[i].steps[m];
          if (!same(s[0], static_cast<i64>(m) + 1, "a machine")) return;
          if (s[1] < begin)
            return wrong(
                cat("job ", job, " begins on machine ", m + 1, " at ", s[1], ", before ", begin));
          begin = s[1];
          if (!same(s[2], it.times[usize(job)][m], "a duration") ||
              !same(s[3], begin + it.times[usize(job)][m], "an end"))
            return;
        }
        ready = machine_end[m] = begin + it.times[usize(job)][m];
      }
    }
    if (!all(times, "job", 0)) return;
    if (!totals({machine_end.back()})) return;
    out_.objective = machine_end.back();
    out_.solution = {order};
  }

 private:
  bool accord() const { return claims_.format == Format::kAccord; }
  void wrong(std::string reason) { out_.reason = std::move(reason); }
  bool same(i64 stated, i64 right, const char* what) {
    if (stated == right) return true;
    wrong(cat(what, " is given as ", stated, ", and is ", right));
    return false;
  }
  bool known(i64 id, i64 count, const char* what) {
    if (id >= 0 && id < count) return true;
    wrong(cat(what, " ", id, " does not exist"));
    return false;
  }
  bool once(std::vector<i64>& times, i64 id, const char* what) {
    if (++times[usize(id)] == 1) return true;
    wrong(cat(what, " ", id, " is there twice"));
    return false;
  }
  bool all(const std::vector<i64>& times, const char* what, i64 from) {
    for (i64 id = from; id < isize(times); ++id)
      if (times[usize(id)] == 0) {
        wrong(cat(what, " ", id, " is missing"));
        return false;
      }
    return true;
  }
  bool totals(const std::vector<i64>& right) {
    if (!accord()) return true;
    for (std::size_t i = 0; i < right.size(); ++i)
      if (!same(claims_.totals[i], right[i], "the last total")) return false;
    return true;
  }
  void routes(const std::vector<Point>& places) {
    std::vector<i64> times(places.size());
    i64 length = 0;
    for (const Line& line : claims_.lines) {
      const std::vector<Step>& steps = line.steps;
      if (steps.size() < 2 || steps.front()[0] != 0 || steps.back()[0] != 0)
        return wrong("a round trip does not begin and end at place 0");
      out_.solution.emplace_back();
      for (std::size_t i = 0; i < steps.size(); ++i) {
        const i64 place = steps[i][0];
        if (!known(place, isize(places), "place")) return;
        const Point& here = places[usize(place)];
        if (accord() && (!same(steps[i][1], here.x, "a coordinate") ||
                         !same(steps[i][2], here.y, "a coordinate")))
          return;
        if (i == 0) continue;
        const i64 way = distance(places[usize(steps[i - 1][0])], here);
        if (accord() && !same(steps[i][3], way, "a distance")) return;
        length += way;
        if (i + 1 == steps.size()) continue;
        if (place == 0) return wrong("place 0 is inside of a round trip");
        if (!once(times, place, "place")) return;
        out_.solution.back().push_back(place);
      }
    }
    if (!all(times, "place", 1)) return;
    if (!totals({length})) return;
    out_.objective = length;
  }

  const Claims& claims_;
  Verdict out_;
};

}  // namespace

Verdict check(const Instance& instance, std::string_view text, std::optional<Format> format) {
  const Result<Claims> claims = parse_claims(problem_of(instance), text, format);
  if (!claims) {
    Verdict out;
    out.reason = claims.fault().offset < 0
                     ? claims.fault().detail
                     : cat(claims.fault().detail, " (byte ", claims.fault().offset, ")");
    return out;
  }
  Checker checker(*claims);
  std::visit(checker, instance);
  return checker.take();
}

std::optional<f64> gap(i64 value, i64 best) {
  if (value == best) return 0.0;
  if (best == 0) return std::nullopt;
  return std::abs(static_cast<f64>(value - best)) / static_cast<f64>(best);
}

}  // namespace lm::accord
