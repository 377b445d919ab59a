#pragma once
// Candidate sets: choices of units to train on, and what it costs to judge them.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::ablate {

/// Indices of units, ascending, each once.
using UnitSet = std::vector<i64>;

inline constexpr i64 kMostUnitsForAll = 16;

/// n (n - 1) / 2 pairs in lexicographic order. Throws Error{kData} for fewer than two units.
std::vector<UnitSet> all_pairs(i64 units);
/// 2^n - 1 sets by size, then lexicographic. Throws Error{kUsage} above kMostUnitsForAll.
std::vector<UnitSet> all_subsets(i64 units);

/// A unit by its name, and the key that it has in common with others.
struct UnitName {
  std::string name;
  std::string key;
};
/// The set that names stand for: of units, or of keys, which mean all their units. where: for
/// messages. Throws Error{kData} for a name of neither (with the nearest), for a unit that is meant
/// twice, and for an empty set.
UnitSet find_set(std::span<const std::string> names, std::span<const UnitName> units,
                 const std::string& where);
/// One set a line: a JSON array of names, or an object with one in "set". Blank lines are skipped.
/// Throws Error{kData} naming file and line, also for a set that stands there twice.
std::vector<UnitSet> parse_sets(std::string_view text, std::span<const UnitName> units,
                                const std::string& file);

/// What --sets says: "pairs", "all", or the name of a file for parse_sets.
std::vector<UnitSet> read_sets(const std::string& how, std::span<const UnitName> units);

/// Names joined by '+'; a hash of them where that is too long for a file name.
std::string set_name(std::span<const std::string> names);

/// Tokens to train on for candidates. Source: Na et al. 2024, section 2.
struct Cost {
  i64 sets = 0;
  i64 units = 0;           // that occur in a set
  i64 modular_tokens = 0;  // each unit once
  i64 direct_tokens = 0;   // each set by itself
};
/// tokens: by unit.
Cost cost_of(std::span<const UnitSet> sets, std::span<const i64> tokens);

}  // namespace lm::ablate
