#include "cli/flags.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "core/utf8.h"
#include "io/json.h"

namespace lm::cli {

const Verb& ToolSpec::verb(const std::string& verb_name) const {
  for (const Verb& v : verbs) {
    if (v.name == verb_name) return v;
  }
  return verbs.front();
}

std::string need_text(std::string_view need) {
  std::string out;
  for (const std::string_view way : split(need, '|')) {
    const std::size_t equals = way.find('=');
    append(out, out.empty() ? "" : " or ", "--", way.substr(0, equals));
    if (equals == std::string_view::npos) continue;
    const std::vector<std::string_view> values = split(way.substr(equals + 1), ',');
    for (std::size_t i = 0; i < values.size(); ++i)
      append(out, i == 0 ? " " : i + 1 < values.size() ? ", " : " or ", values[i]);
  }
  return out;
}

std::vector<Flag> all_flags(const ToolSpec& spec, const std::string& verb) {
  std::vector<Flag> flags = spec.verb(verb).flags;
  flags.insert(flags.end(), spec.flags.begin(), spec.flags.end());
  // A program may give a common flag its own default or wording: the first of a name wins.
  for (const Flag& flag : common_flags(spec, spec.streams_in(verb))) {
    if (std::none_of(flags.begin(), flags.end(),
                     [&](const Flag& f) { return f.name == flag.name; })) {
      flags.push_back(flag);
    }
  }
  return flags;
}

Options::Options(std::vector<Flag> flags) : flags_(std::move(flags)) {
  for (const Flag& flag : flags_) {
    if (!flag.def.empty()) {
      set(flag.name, {flag.def}, Origin::kDefault, cat("default of --", flag.name));
    } else {
      values_[flag.name] = {};
    }
  }
}

const Flag* Options::find(const std::string& name) const {
  for (const Flag& flag : flags_) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

namespace {

std::string range_text(const Flag& flag) {
  const auto show = [](f64 v) {
    return std::abs(v) < 1e15 && v == std::floor(v) ? cat(static_cast<i64>(v)) : cat(v);
  };
  if (std::isfinite(flag.min) && std::isfinite(flag.max))
    return cat(" from ", show(flag.min), " to ", show(flag.max));
  if (std::isfinite(flag.min)) return cat(", at least ", show(flag.min));
  if (std::isfinite(flag.max)) return cat(", at most ", show(flag.max));
  return "";
}

bool takes_text(const Flag& flag) {
  return flag.kind == FlagKind::kString || flag.kind == FlagKind::kList ||
         flag.kind == FlagKind::kOptional;
}

/// A value that is text: names of files may be any bytes.
bool is_text(const Flag& flag) {
  if (!takes_text(flag)) return false;
  for (const char* const file : {"FILE", "FOLDER", ".json", "ARGUMENT"})
    if (flag.value_name.find(file) != std::string::npos) return false;
  return true;
}

}  // namespace

void Options::set(const std::string& name, const std::vector<std::string>& values, Origin origin,
                  const std::string& where) {
  const Flag* flag = find(name);
  LM_CHECK(flag != nullptr, cat("no flag called ", name));
  const ErrorKind kind = origin == Origin::kConfig ? ErrorKind::kConfig : ErrorKind::kUsage;
  const auto bad = [&](const std::string& text, const std::string& expected) {
    return Error(kind, cat(where, ": ", quote(text), " is not ", expected));
  };
  Value value;
  value.origin = origin;
  value.texts = values;
  if (values.empty()) throw Error(kind, cat(where, ": needs a value"));
  if (flag->kind != FlagKind::kList && values.size() > 1) value.texts = {values.back()};
  const std::string& text = value.texts.back();
  const auto number = [&](std::optional<i64> parsed, const char* what) {
    if (!parsed || static_cast<f64>(*parsed) < flag->min || static_cast<f64>(*parsed) > flag->max) {
      throw bad(text, cat(what, range_text(*flag)));
    }
    value.whole = *parsed;
    value.real = static_cast<f64>(*parsed);
  };
  if (is_text(*flag)) {
    for (const std::string& one : values)
      if (!is_valid_utf8(one)) throw bad(one, "UTF-8 text");
  }
  // Most often a variable of a script that is not set.
  const bool lacks = std::find(value.texts.begin(), value.texts.end(), "") != value.texts.end();
  if (lacks && takes_text(*flag) && !flag->may_be_empty) {
    throw Error(kind,
                cat(where, ": the value is empty, expected ",
                    flag->value_name.empty() ? "a text" : flag->value_name),
                flag->def.empty()
                    ? cat("leave --", name, " out, or look where its value comes from")
                    : cat("without --", name, " it is ", flag->def));
  }
  switch (flag->kind) {
    case FlagKind::kPath:
      if (text.empty()) throw Error(kind, cat(where, ": the name is empty, expected a file"));
      break;
    case FlagKind::kSwitch:
      if (text != "true" && text != "false") throw bad(text, "true or false");
      value.whole = text == "true";
      break;
    case FlagKind::kRepeat:
    case FlagKind::kInt:
      number(parse_int(text), "a whole number");
      break;
    case FlagKind::kCount:
      number(parse_count(text), "a whole number (1e6 is allowed)");
      break;
    case FlagKind::kSize:
      number(parse_size(text), "a size such as 64K, 2G");
      break;
    case FlagKind::kFloat: {
      const std::optional<f64> parsed = parse_float(text);
      if (!parsed || std::isnan(*parsed) || *parsed < flag->min || *parsed > flag->max) {
        throw bad(text, cat("a number", range_text(*flag)));
      }
      value.real = *parsed;
      break;
    }
    case FlagKind::kChoice:
      if (std::find(flag->choices.begin(), flag->choices.end(), text) == flag->choices.end()) {
        const std::string near = nearest_name(text, flag->choices);
        throw Error(kind,
                    cat(where, ": ", quote(text), " is not one of ", join(flag->choices, ", ")),
                    near.empty() ? "" : cat("did you mean ", near, "?"));
      }
      break;
    default:
      break;
  }
  values_[name] = std::move(value);
}

const Options::Value& Options::value(const std::string& name) const {
  const auto found = values_.find(name);
  LM_CHECK(found != values_.end(), cat("no flag called ", name));
  return found->second;
}

bool Options::given(const std::string& name) const {
  return !value(name).texts.empty();
}
bool Options::asked(const std::string& name) const {
  const Value& v = value(name);
  if (v.origin == Origin::kDefault) return false;
  if (v.origin != Origin::kConfig) return true;
  const Flag* flag = find(name);
  return v.texts != std::vector<std::string>{flag->def};
}
bool Options::asks(const Flag& flag) const {
  if (!asked(flag.name)) return false;
  return flag.kind != FlagKind::kSwitch || on(flag.name) != (flag.def == "true");
}
Origin Options::origin(const std::string& name) const {
  return value(name).origin;
}
bool Options::on(const std::string& name) const {
  return value(name).whole != 0;
}

const std::string& Options::text(const std::string& name) const {
  static const std::string kNone;
  const Value& v = value(name);
  return v.texts.empty() ? kNone : v.texts.back();
}

i64 Options::integer(const std::string& name) const {
  LM_CHECK(given(name), cat("--", name, " has no value"));
  return value(name).whole;
}

f64 Options::real(const std::string& name) const {
  LM_CHECK(given(name), cat("--", name, " has no value"));
  return value(name).real;
}

const std::vector<std::string>& Options::list(const std::string& name) const {
  return value(name).texts;
}

std::optional<i64> Options::maybe_integer(const std::string& name) const {
  return given(name) ? std::optional<i64>(value(name).whole) : std::nullopt;
}

std::optional<f64> Options::maybe_real(const std::string& name) const {
  return given(name) ? std::optional<f64>(value(name).real) : std::nullopt;
}

std::string Options::value_json(const Flag& flag) const {
  const Value& v = value(flag.name);
  if (v.texts.empty())
    return flag.kind == FlagKind::kList ? "[]" : flag.kind == FlagKind::kSwitch ? "false" : "null";
  switch (flag.kind) {
    case FlagKind::kSwitch:
      return v.whole ? "true" : "false";
    case FlagKind::kRepeat:
    case FlagKind::kInt:
    case FlagKind::kCount:
    case FlagKind::kSize:
      return cat(v.whole);
    case FlagKind::kFloat: {
      std::string out;
      io::append_json_number(out, v.real);
      return out;
    }
    case FlagKind::kList: {
      std::string out = "[";
      for (std::size_t i = 0; i < v.texts.size(); ++i)
        append(out, i ? "," : "", io::json_string(v.texts[i]));
      return out + "]";
    }
    default:
      return io::json_string(v.texts.back());
  }
}

std::string Options::params_json(std::initializer_list<std::string_view> without) const {
  std::string out = "{";
  for (const Flag& flag : flags_) {
    if (!flag.semantic || flag.kind == FlagKind::kPath) continue;
    if (std::find(without.begin(), without.end(), flag.name) != without.end()) continue;
    append(out, out.size() > 1 ? "," : "", io::json_string(flag.name), ":", value_json(flag));
  }
  return out + "}";
}

std::string Options::all_json() const {
  std::string out = "{";
  for (const Flag& flag : flags_) {
    append(out, out.size() > 1 ? "," : "", io::json_string(flag.name), ":", value_json(flag));
  }
  return out + "}";
}

}  // namespace lm::cli
