#pragma once
// Parameters of tasks: a table for each task, from which come parsing, ranges and the list that
// users see.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::synth {

struct Param {
  enum class Kind : u8 { kWhole, kReal, kChoice, kSizes };
  std::string name;
  Kind kind = Kind::kWhole;
  std::string def;
  std::string help;
  f64 least = 0;
  f64 most = 0;
  std::vector<std::string> choices = {};  // kChoice
  /// "1 to 100000".
  std::string range(std::string_view between = " to ") const;
};

/// Two sizes, as "2:16" has them.
using SizePair = std::pair<i64, i64>;

/// Resolved values. Getters throw Error{kInternal} for names that are not in the table.
class Params {
 public:
  /// settings: "name=value" each, the last one counts. Throws Error{kUsage} for unknown names, with
  /// the nearest one, and for values out of range. what: the task, for messages.
  Params(std::string_view what, std::span<const Param> table,
         std::span<const std::string> settings);
  i64 whole(const std::string& name) const;
  f64 real(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  bool is(const std::string& name, std::string_view value) const { return text(name) == value; }
  /// "2:16,16:2", at least one.
  std::vector<SizePair> sizes(const std::string& name) const;
  /// {"name":value,...} in the table's order.
  std::string json() const;

 private:
  std::span<const Param> table_;
  std::map<std::string, std::string> values_;
};

}  // namespace lm::synth
