#include "accord/instance.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"

namespace lm::accord {

using text::Value;

const std::vector<std::string>& problem_names() {
  static const std::vector<std::string> names = {"knapsack", "binpack", "tsp",
                                                 "vrp",      "jssp",    "fssp"};
  return names;
}

std::optional<Problem> problem_of(std::string_view name) {
  const std::vector<std::string>& names = problem_names();
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end()) return std::nullopt;
  return static_cast<Problem>(at - names.begin());
}

i64 distance(const Point& a, const Point& b) {
  const i64 dx = a.x - b.x;
  const i64 dy = a.y - b.y;
  const i64 square = dx * dx + dy * dy;
  i64 root = static_cast<i64>(std::sqrt(static_cast<f64>(square)));
  while (root * root > square)
    --root;
  while ((root + 1) * (root + 1) <= square)
    ++root;
  return root;
}

i64 machine_count(const Jssp& instance) {
  i64 count = 0;
  for (const std::vector<Operation>& job : instance.jobs)
    for (const Operation& operation : job)
      count = std::max(count, operation.machine + 1);
  return count;
}

namespace {

std::string list_json(const std::vector<i64>& numbers) {
  std::string out = "[";
  for (const i64 number : numbers)
    append(out, out.size() > 1 ? "," : "", number);
  return out + "]";
}
std::string one_json(const Item& item) {
  return list_json({item.value, item.weight});
}
std::string one_json(const Point& point) {
  return list_json({point.x, point.y});
}
std::string one_json(const Operation& operation) {
  return list_json({operation.machine, operation.time});
}
std::string one_json(i64 number) {
  return cat(number);
}
template <typename T>
std::string one_json(const std::vector<T>& parts) {
  std::string out = "[";
  for (const T& part : parts)
    append(out, out.size() > 1 ? "," : "", one_json(part));
  return out + "]";
}

std::string fields(const Knapsack& it) {
  return cat("\"items\":", one_json(it.items), ",\"capacity\":", it.capacity);
}
std::string fields(const Binpack& it) {
  return cat("\"weights\":", one_json(it.weights), ",\"capacity\":", it.capacity);
}
std::string fields(const Tsp& it) {
  return cat("\"cities\":", one_json(it.cities));
}
std::string fields(const Vrp& it) {
  return cat("\"places\":", one_json(it.places), ",\"demands\":", one_json(it.demands),
             ",\"capacity\":", it.capacity, ",\"vehicles\":", it.vehicles);
}
std::string fields(const Jssp& it) {
  return cat("\"jobs\":", one_json(it.jobs));
}
std::string fields(const Fssp& it) {
  return cat("\"times\":", one_json(it.times));
}

/// Takes the fields of an instance one by one; the first that is wrong is the fault.
class Reader {
 public:
  explicit Reader(const Value& root) : root_(root) {}
  const std::optional<Fault>& fault() const { return fault_; }

  i64 number(const char* key, i64 least) {
    const Value* const value = field(key);
    return value == nullptr ? 0 : whole(*value, key, least);
  }
  /// At least `least` parts, each read by `read`.
  template <typename Read>
  auto list(const char* key, i64 least, Read read) {
    const Value* const value = field(key);
    std::vector<decltype(read(*value))> out;
    if (value == nullptr) return out;
    each(*value, key, least, [&](const Value& part) { out.push_back(read(part)); });
    return out;
  }
  std::vector<i64> numbers(const char* key, i64 least_parts, i64 least) {
    return list(key, least_parts, [&](const Value& part) { return whole(part, key, least); });
  }
  std::pair<i64, i64> pair(const Value& value, const char* key, i64 least_first, i64 least_second) {
    if (!value.is_list() || value.list().size() != 2) {
      fail("type", cat("instance.", key, " has a part that is not a pair of numbers"));
      return {};
    }
    return {whole(value.list()[0], key, least_first), whole(value.list()[1], key, least_second)};
  }
  template <typename Visit>
  void each(const Value& value, const char* key, i64 least, Visit visit) {
    if (!value.is_list()) return fail("type", cat("instance.", key, " is not a list"));
    const i64 size = isize(value.list());
    if (size < least || size > kMostParts)
      return fail("range", cat("instance.", key, " has ", size, " parts, expected ", least, " to ",
                               kMostParts));
    for (const Value& part : value.list()) {
      if (fault_) return;
      visit(part);
    }
  }
  i64 whole(const Value& value, const char* key, i64 least) {
    const std::optional<i64> number = value.is_bool() ? std::nullopt : value.as_whole();
    if (!number) {
      fail("type", cat("instance.", key, " has a value that is no whole number"));
      return 0;
    }
    if (*number < least || *number > kMostNumber)
      fail("range",
           cat("instance.", key, " has ", *number, ", expected ", least, " to ", kMostNumber));
    return *number;
  }
  void fail(const char* code, std::string detail) {
    if (!fault_) fault_ = Fault{code, std::move(detail), -1};
  }

 private:
  const Value* field(const char* key) {
    const Value* const value = root_.find(Value(key));
    if (value == nullptr || value->is_none()) {
      fail("missing", cat("field \"instance.", key, "\" is missing"));
      return nullptr;
    }
    return value;
  }
  const Value& root_;
  std::optional<Fault> fault_;
};

constexpr i64 kLeastCoordinate = -kMostNumber;

std::vector<Point> read_points(Reader& reader, const char* key) {
  return reader.list(key, 2, [&](const Value& part) {
    const std::pair<i64, i64> xy = reader.pair(part, key, kLeastCoordinate, kLeastCoordinate);
    return Point{xy.first, xy.second};
  });
}

Instance read_of(Problem problem, Reader& reader) {
  switch (problem) {
    case Problem::kKnapsack: {
      Knapsack out;
      out.items = reader.list("items", 1, [&](const Value& part) {
        const std::pair<i64, i64> both = reader.pair(part, "items", 0, 0);
        return Item{both.first, both.second};
      });
      out.capacity = reader.number("capacity", 0);
      return out;
    }
    case Problem::kBinpack: {
      Binpack out{reader.numbers("weights", 1, 0), reader.number("capacity", 0)};
      for (const i64 weight : out.weights)
        if (weight > out.capacity)
          reader.fail("range", cat("instance.weights has ", weight, ", which no bin of capacity ",
                                   out.capacity, " takes"));
      return out;
    }
    case Problem::kTsp:
      return Tsp{read_points(reader, "cities")};
    case Problem::kVrp: {
      Vrp out;
      out.places = read_points(reader, "places");
      out.demands = reader.numbers("demands", 2, 0);
      out.capacity = reader.number("capacity", 0);
      out.vehicles = reader.number("vehicles", 1);
      if (out.demands.size() != out.places.size())
        reader.fail("range", cat("instance.demands has ", out.demands.size(), " parts for ",
                                 out.places.size(), " places"));
      else if (out.demands[0] != 0)
        reader.fail("range", "instance.demands has no 0 for place 0, from which all leave");
      return out;
    }
    case Problem::kJssp: {
      Jssp out;
      out.jobs = reader.list("jobs", 1, [&](const Value& part) {
        std::vector<Operation> job;
        reader.each(part, "jobs", 1, [&](const Value& one) {
          const std::pair<i64, i64> both = reader.pair(one, "jobs", 0, 0);
          if (both.first >= kMostParts)
            reader.fail("range", cat("instance.jobs has machine ", both.first, ", expected 0 to ",
                                     kMostParts - 1));
          job.push_back({both.first, both.second});
        });
        return job;
      });
      return out;
    }
    case Problem::kFssp: {
      Fssp out;
      out.times = reader.list("times", 1, [&](const Value& part) {
        std::vector<i64> job;
        reader.each(part, "times", 1,
                    [&](const Value& one) { job.push_back(reader.whole(one, "times", 0)); });
        return job;
      });
      for (const std::vector<i64>& job : out.times)
        if (job.size() != out.times[0].size())
          reader.fail("range", cat("instance.times has jobs of ", out.times[0].size(), " and of ",
                                   job.size(), " machines"));
      return out;
    }
  }
  LM_CHECK(false, "a problem is one of six");
}

template <typename T>
std::vector<T> sorted(std::vector<T> parts, std::size_t from = 0) {
  std::sort(parts.begin() + static_cast<std::ptrdiff_t>(from), parts.end());
  return parts;
}

}  // namespace

std::string instance_json(const Instance& instance) {
  return cat("{\"problem\":\"", problem_names()[instance.index()], "\",",
             std::visit([](const auto& it) { return fields(it); }, instance), "}");
}

Result<Instance> read_instance(std::string_view json) {
  const Result<Value> root = text::parse_json_value(json);
  if (!root) return root.fault();
  return instance_of(*root);
}

Result<Instance> instance_of(const Value& root) {
  if (!root.is_map()) return Fault{"type", "field \"instance\" is not an object", -1};
  const Value* const name = root.find(Value("problem"));
  if (name == nullptr) return Fault{"missing", "field \"instance.problem\" is missing", -1};
  const std::optional<Problem> problem =
      name->is_string() ? problem_of(std::string_view(name->str())) : std::nullopt;
  if (!problem)
    return Fault{"type",
                 cat("instance.problem is ", text::to_json(*name), ", expected one of ",
                     join(problem_names(), ", ")),
                 -1};
  Reader reader(root);
  Instance out = read_of(*problem, reader);
  if (reader.fault()) return *reader.fault();
  return out;
}

std::string canonical(const Instance& instance) {
  Instance same = instance;
  if (Knapsack* const it = std::get_if<Knapsack>(&same)) it->items = sorted(it->items);
  if (Binpack* const it = std::get_if<Binpack>(&same)) it->weights = sorted(it->weights);
  if (Tsp* const it = std::get_if<Tsp>(&same)) it->cities = sorted(it->cities);
  if (Jssp* const it = std::get_if<Jssp>(&same)) it->jobs = sorted(it->jobs);
  if (Fssp* const it = std::get_if<Fssp>(&same)) it->times = sorted(it->times);
  if (Vrp* const it = std::get_if<Vrp>(&same)) {
    std::vector<std::pair<Point, i64>> customers;
    for (std::size_t i = 0; i < it->places.size(); ++i)
      customers.emplace_back(it->places[i], it->demands[i]);
    customers = sorted(customers, 1);
    for (std::size_t i = 0; i < customers.size(); ++i) {
      it->places[i] = customers[i].first;
      it->demands[i] = customers[i].second;
    }
  }
  return instance_json(same);
}

std::string solution_json(const Solution& solution) {
  return one_json(solution);
}

}  // namespace lm::accord
