#include "ablate/sets.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"

namespace lm::ablate {

namespace {

constexpr std::size_t kLongestName = 200;
constexpr i64 kMostBytes = i64{256} << 20;  // of a file of sets

// Sets of `size` of the units from `first` on, behind what `so_far` has.
void choose(i64 units, i64 size, i64 first, UnitSet& so_far, std::vector<UnitSet>& out) {
  if (size == 0) {
    out.push_back(so_far);
    return;
  }
  for (i64 unit = first; unit + size <= units; ++unit) {
    so_far.push_back(unit);
    choose(units, size - 1, unit + 1, so_far, out);
    so_far.pop_back();
  }
}

std::vector<UnitSet> of_size(i64 units, i64 size) {
  std::vector<UnitSet> out;
  UnitSet so_far;
  choose(units, size, 0, so_far, out);
  return out;
}

std::vector<std::string> names_of(const io::Json& json, const std::string& where) {
  const io::Json* list = &json;
  if (json.is_object() && json.contains("set")) list = &json["set"];
  const bool good =
      list->is_array() &&
      std::all_of(list->begin(), list->end(), [](const io::Json& one) { return one.is_string(); });
  if (!good)
    throw Error(ErrorKind::kData,
                cat(where, ": expected an array of names, or an object with one in \"set\""));
  return list->get<std::vector<std::string>>();
}

bool add_units(const std::string& name, std::span<const UnitName> units,
               std::string UnitName::*field, UnitSet& out) {
  const std::size_t before = out.size();
  for (i64 i = 0; i < isize(units); ++i)
    if (units[usize(i)].*field == name) out.push_back(i);
  return out.size() != before;
}

}  // namespace

std::vector<UnitSet> all_pairs(i64 units) {
  if (units < 2) throw Error(ErrorKind::kData, cat("--sets pairs: ", units, " unit makes no pair"));
  return of_size(units, 2);
}

std::vector<UnitSet> all_subsets(i64 units) {
  if (units > kMostUnitsForAll) {
    throw Error(ErrorKind::kUsage,
                cat("--sets all: ", units, " units have too many sets, expected at most ",
                    kMostUnitsForAll, " units"),
                "--sets pairs, or a file of sets");
  }
  std::vector<UnitSet> out;
  for (i64 size = 1; size <= units; ++size)
    for (UnitSet& one : of_size(units, size))
      out.push_back(std::move(one));
  return out;
}

UnitSet find_set(std::span<const std::string> names, std::span<const UnitName> units,
                 const std::string& where) {
  UnitSet out;
  for (const std::string& name : names) {
    if (add_units(name, units, &UnitName::name, out) || add_units(name, units, &UnitName::key, out))
      continue;
    std::vector<std::string> known;
    for (const UnitName& unit : units)
      known.push_back(unit.name);
    const std::string near = nearest_name(name, known);
    throw Error(
        ErrorKind::kData, cat(where, ": there is no unit and no key ", quote(name)),
        near.empty() ? cat("the units are ", join(known, ", ")) : cat("did you mean ", near, "?"));
  }
  std::sort(out.begin(), out.end());
  const UnitSet::iterator twice = std::adjacent_find(out.begin(), out.end());
  if (twice != out.end())
    throw Error(ErrorKind::kData,
                cat(where, ": means unit ", quote(units[usize(*twice)].name), " twice"));
  if (out.empty()) throw Error(ErrorKind::kData, cat(where, ": a set without units"));
  return out;
}

std::vector<UnitSet> parse_sets(std::string_view text, std::span<const UnitName> units,
                                const std::string& file) {
  std::vector<UnitSet> out;
  std::set<UnitSet> seen;
  i64 line = 0;
  for (const std::string_view one : split(text, '\n')) {
    const std::string where = cat(file, ":", ++line);
    if (trim(one).empty()) continue;
    const io::Json json = io::Json::parse(one, nullptr, false);
    if (json.is_discarded()) throw Error(ErrorKind::kData, cat(where, ": is not JSON"));
    UnitSet set = find_set(names_of(json, where), units, where);
    if (!seen.insert(set).second)
      throw Error(ErrorKind::kData, cat(where, ": this set stands there already"));
    out.push_back(std::move(set));
  }
  if (out.empty()) throw Error(ErrorKind::kData, cat(file, ": names no set"));
  return out;
}

std::vector<UnitSet> read_sets(const std::string& how, std::span<const UnitName> units) {
  if (how == "pairs") return all_pairs(isize(units));
  if (how == "all") return all_subsets(isize(units));
  if (how.empty())
    throw Error(ErrorKind::kUsage, "--sets: the name is empty, expected pairs, all or a file");
  return parse_sets(io::read_file(how, kMostBytes), units, how);
}

std::string set_name(std::span<const std::string> names) {
  std::string out = join(names, "+");
  if (out.size() <= kLongestName) return out;
  return cat(names.size(), "-units-", hex64(xxh64(out)));
}

Cost cost_of(std::span<const UnitSet> sets, std::span<const i64> tokens) {
  Cost cost;
  cost.sets = isize(sets);
  std::vector<bool> used(tokens.size(), false);
  for (const UnitSet& set : sets) {
    for (const i64 unit : set) {
      cost.direct_tokens += tokens[usize(unit)];
      used[usize(unit)] = true;
    }
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!used[i]) continue;
    ++cost.units;
    cost.modular_tokens += tokens[i];
  }
  return cost;
}

}  // namespace lm::ablate
