#include "synth/params.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::synth {

namespace {

std::optional<std::vector<SizePair>> parse_sizes(std::string_view text, f64 least, f64 most) {
  std::vector<SizePair> out;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t colon = part.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::optional<i64> first = parse_int(part.substr(0, colon));
    const std::optional<i64> second = parse_int(part.substr(colon + 1));
    for (const std::optional<i64>& size : {first, second})
      if (!size || static_cast<f64>(*size) < least || static_cast<f64>(*size) > most)
        return std::nullopt;
    out.emplace_back(*first, *second);
  }
  return out;
}

/// What a value should have been, or nothing if it is that.
std::string expected(const Param& param, const std::string& value) {
  switch (param.kind) {
    case Param::Kind::kWhole: {
      const std::optional<i64> number = parse_count(value);
      if (number && static_cast<f64>(*number) >= param.least &&
          static_cast<f64>(*number) <= param.most)
        return {};
      return cat("a whole number from ", param.range());
    }
    case Param::Kind::kReal: {
      const std::optional<f64> number = parse_float(value);
      if (number && *number >= param.least && *number <= param.most) return {};
      return cat("a number from ", param.range());
    }
    case Param::Kind::kChoice:
      if (std::find(param.choices.begin(), param.choices.end(), value) != param.choices.end())
        return {};
      return cat("one of ", join(param.choices, ", "));
    case Param::Kind::kSizes:
      if (parse_sizes(value, param.least, param.most)) return {};
      return cat("pairs of sizes from ", param.range(), ", as 2:16,16:2");
  }
  return {};
}

}  // namespace

std::string Param::range(std::string_view between) const {
  if (kind == Kind::kReal) return cat(least, between, most);
  return cat(static_cast<i64>(least), between, static_cast<i64>(most));
}

Params::Params(std::string_view what, std::span<const Param> table,
               std::span<const std::string> settings)
    : table_(table) {
  std::vector<std::string> names;
  for (const Param& param : table) {
    names.push_back(param.name);
    values_[param.name] = param.def;
  }
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const auto param = std::find_if(table.begin(), table.end(),
                                    [&](const Param& one) { return one.name == name; });
    if (equals == std::string::npos)
      throw Error(ErrorKind::kUsage, cat("--set: ", quote(setting), " is not NAME=VALUE"));
    if (param == table.end()) {
      const std::string near = nearest_name(name, names);
      throw Error(
          ErrorKind::kUsage, cat("--set: ", what, " has no parameter ", quote(name)),
          near.empty() ? cat("it has ", join(names, ", ")) : cat("did you mean ", near, "?"));
    }
    const std::string value = setting.substr(equals + 1);
    const std::string wanted = expected(*param, value);
    if (!wanted.empty())
      throw Error(ErrorKind::kUsage,
                  cat("--set: ", name, " is ", quote(value), ", expected ", wanted));
    values_[name] = value;
  }
}

const std::string& Params::text(const std::string& name) const {
  const auto at = values_.find(name);
  LM_CHECK(at != values_.end(), "a parameter of the table");
  return at->second;
}

i64 Params::whole(const std::string& name) const {
  const std::optional<i64> value = parse_count(text(name));
  LM_CHECK(value.has_value(), "a whole parameter");
  return *value;
}

f64 Params::real(const std::string& name) const {
  const std::optional<f64> value = parse_float(text(name));
  LM_CHECK(value.has_value(), "a real parameter");
  return *value;
}

std::vector<SizePair> Params::sizes(const std::string& name) const {
  const std::optional<std::vector<SizePair>> value = parse_sizes(text(name), 0, 1e9);
  LM_CHECK(value.has_value(), "a parameter of sizes");
  return *value;
}

std::string Params::json() const {
  std::string out = "{";
  for (const Param& param : table_) {
    append(out, out.size() > 1 ? "," : "", io::json_string(param.name), ":");
    if (param.kind == Param::Kind::kWhole)
      append(out, whole(param.name));
    else if (param.kind == Param::Kind::kReal)
      append(out, real(param.name));
    else
      append(out, io::json_string(text(param.name)));
  }
  return out + "}";
}

}  // namespace lm::synth
