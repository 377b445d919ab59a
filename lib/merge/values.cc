#include "merge/values.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"

namespace lm::merge {

namespace {

// number: it is one, outside of them.
std::string bounds(const ParamDef& def, bool number) {
  if (!number && def.min <= -1e30) return "a number";
  if (!number && def.max >= 1e30) return cat("a number of at least ", def.min);
  return cat("a number from ", def.min, " to ", def.max);
}

[[noreturn]] void refuse(const std::string& text, const ParamDef& def, const std::string& where) {
  std::string expected =
      def.kind == ParamKind::kWhole ? "a whole number" : bounds(def, parse_float(text).has_value());
  if (def.kind == ParamKind::kWhole && def.min > -1e30) append(expected, " of at least ", def.min);
  if (def.kind == ParamKind::kSwitch) expected = "true or false";
  if (def.kind == ParamKind::kChoice) {
    expected = std::string(def.choices);
    std::replace(expected.begin(), expected.end(), '|', ' ');
    expected = cat("one of: ", expected);
  }
  throw Error(ErrorKind::kConfig,
              cat(where, ": ", def.name, " is ", quote(text), ", expected ", expected));
}

}  // namespace

f64 parse_value(const std::string& text, const ParamDef& def, const std::string& where) {
  const std::string word = ascii_lower(text);
  if (def.kind == ParamKind::kChoice) {
    const std::vector<std::string_view> words = split(def.choices, '|');
    std::string_view wanted = word;
    if (!def.true_word.empty() && word == "true") wanted = def.true_word;
    if (!def.true_word.empty() && word == "false") wanted = words[0];
    const auto at = std::find(words.begin(), words.end(), wanted);
    if (at == words.end()) refuse(text, def, where);
    return static_cast<f64>(at - words.begin());
  }
  if (def.kind == ParamKind::kSwitch) {
    if (word == "true" || word == "yes" || word == "on" || word == "1") return 1;
    if (word == "false" || word == "no" || word == "off" || word == "0") return 0;
    refuse(text, def, where);
  }
  const std::optional<f64> value = parse_float(text);
  if (!value || !std::isfinite(*value) || *value < def.min || *value > def.max)
    refuse(text, def, where);
  if (def.kind == ParamKind::kWhole && *value != std::floor(*value)) refuse(text, def, where);
  return *value;
}

std::optional<f64> value_at(const std::vector<Setting>& settings, const ParamDef& def,
                            std::string_view tensor, f64 t) {
  for (const Setting& setting : settings) {
    const bool every = setting.filter.empty() || setting.filter == "*";
    if (!every && tensor.find(setting.filter) == std::string_view::npos) continue;
    const f64 at = t * static_cast<f64>(setting.values.size() - 1);
    const std::size_t low = static_cast<std::size_t>(at);
    const f64 first = parse_value(setting.values[low], def, setting.where);
    if (def.kind == ParamKind::kChoice || def.kind == ParamKind::kSwitch) return first;
    const std::size_t high = std::min(low + 1, setting.values.size() - 1);
    const f64 share = at - static_cast<f64>(low);
    if (share == 0) return first;
    return (1 - share) * first + share * parse_value(setting.values[high], def, setting.where);
  }
  return std::nullopt;
}

const std::vector<Setting>* find_settings(const ParamSet& set, std::string_view param) {
  const auto at = set.find(param);
  return at != set.end() ? &at->second : nullptr;
}

}  // namespace lm::merge
