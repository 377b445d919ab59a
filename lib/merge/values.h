#pragma once
// Parameter values as recipes write them: a value, a gradient over layers, or several of these with
// filters on the tensor's name, of which the first that fits counts.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "merge/method.h"

namespace lm::merge {

/// One entry: values for tensors whose name contains the filter.
struct Setting {
  std::string filter;               // empty or "*": every tensor
  std::vector<std::string> values;  // one; or several over the layers of a slice
  std::string where;                // "file:line" or an option, for messages
};

/// The value for a tensor at depth t (0 is the first layer of a slice, 1 the last): the setting
/// that fits, interpolated linearly between the neighbours of t (len - 1) where it is a gradient of
/// numbers, or the nearest below where it is of words. Throws Error{kConfig} naming where the value
/// is written and what def takes.
std::optional<f64> value_at(const std::vector<Setting>& settings, const ParamDef& def,
                            std::string_view tensor, f64 t);

/// One word as a value of def. Throws as value_at.
f64 parse_value(const std::string& text, const ParamDef& def, const std::string& where);

/// Settings by parameter name (never an alias). Names keep the method's spelling.
using ParamSet = std::map<std::string, std::vector<Setting>, std::less<>>;

/// The settings of a parameter, or null.
const std::vector<Setting>* find_settings(const ParamSet& set, std::string_view param);

}  // namespace lm::merge
