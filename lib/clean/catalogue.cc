#include "clean/catalogue.h"

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::clean {

CleanerDef c4_cleaner();
CleanerDef c4_paragraph_cleaner();
CleanerDef fineweb_cleaner();
CleanerDef nemo_cleaner();
CleanerDef ratio_lines_cleaner();
CleanerDef counter_lines_cleaner();
CleanerDef line_len_cleaner();
CleanerDef ban_lines_cleaner();
CleanerDef word_removal_cleaner();
CleanerDef pii_cleaner();
CleanerDef mojibake_cleaner();

namespace {

constexpr i64 kNear = 3;

[[noreturn]] void refuse(ErrorKind kind, const std::string& message, const std::string& hint = {}) {
  throw Error(kind, message, hint);
}

template <typename Item>
[[noreturn]] void refuse_name(ErrorKind kind, const std::string& message, std::string_view name,
                              const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items)
    names.push_back(item.name);
  const std::string near = nearest_name(name, names, kNear);
  if (names.empty()) refuse(kind, message, "it takes no options");
  refuse(kind, message,
         near.empty() ? cat("there are ", join(names, ", ")) : cat("did you mean ", near, "?"));
}

OptionValues::Value read_value(const OptionDef& option, std::string_view given,
                               const std::string& where, ErrorKind kind) {
  OptionValues::Value value;
  const auto fail = [&](std::string_view expected) {
    refuse(kind,
           cat(where, ": option ", option.name, " is ", quote(given), ", expected ", expected));
  };
  switch (option.kind) {
    case OptionKind::kNumber: {
      const std::optional<f64> number = parse_float(given);
      if (!number || !(*number >= 0)) fail("a number from 0 on");
      value.number = *number;
      break;
    }
    case OptionKind::kShare: {
      const std::optional<f64> number = parse_float(given);
      if (!number || !(*number >= 0 && *number <= 1)) fail("a share, a number from 0 to 1");
      value.number = *number;
      break;
    }
    case OptionKind::kCount: {
      const std::optional<i64> number = parse_count(given);
      if (!number || *number < 0) fail("a whole number from 0 on");
      value.number = static_cast<f64>(*number);
      break;
    }
    case OptionKind::kSwitch:
      if (given != "yes" && given != "no") fail("yes or no");
      value.number = given == "yes";
      break;
    case OptionKind::kChoice: {
      std::size_t at = 0;
      while (at < option.choices.size() && option.choices[at] != given)
        ++at;
      if (at == option.choices.size()) fail(join(option.choices, " or "));
      value.number = static_cast<f64>(at);
      break;
    }
    case OptionKind::kFile:
      value.path = given;
      if (given.empty())
        refuse(kind, cat(where, ": needs ", option.name, "=FILE: ", option.meaning));
      value.text = io::read_file(value.path);
      break;
  }
  return value;
}

}  // namespace

const std::vector<CleanerDef>& catalogue() {
  static const std::vector<CleanerDef> all = {
      c4_cleaner(),           c4_paragraph_cleaner(),  fineweb_cleaner(),  nemo_cleaner(),
      ratio_lines_cleaner(),  counter_lines_cleaner(), line_len_cleaner(), ban_lines_cleaner(),
      word_removal_cleaner(), pii_cleaner(),           mojibake_cleaner()};
  return all;
}

ParsedCleaner parse_cleaner(std::string_view spec, const std::string& where, ErrorKind kind) {
  const std::size_t colon = spec.find(':');
  const std::string_view name = spec.substr(0, colon);
  const CleanerDef* def = nullptr;
  for (const CleanerDef& one : catalogue())
    if (one.name == name) def = &one;
  if (def == nullptr)
    refuse_name(kind, cat(where, ": there is no cleaner ", quote(name)), name, catalogue());
  const std::string at = cat(where, " ", def->name);

  std::vector<std::string_view> given(def->options.size());
  std::vector<bool> is_given(def->options.size());
  if (colon != std::string_view::npos) {
    for (const std::string_view part : split(spec.substr(colon + 1), ',')) {
      const std::size_t equals = part.find('=');
      if (equals == std::string_view::npos)
        refuse(kind, cat(at, ": ", quote(part), " is no OPTION=VALUE"));
      const std::string_view option = part.substr(0, equals);
      std::size_t i = 0;
      while (i < def->options.size() && def->options[i].name != option)
        ++i;
      if (i == def->options.size())
        refuse_name(kind, cat(at, ": there is no option ", quote(option)), option, def->options);
      if (is_given[i]) refuse(kind, cat(at, ": option ", quote(option), " is given twice"));
      is_given[i] = true;
      given[i] = part.substr(equals + 1);
    }
  }
  std::vector<OptionValues::Value> values;
  for (std::size_t i = 0; i < def->options.size(); ++i)
    values.push_back(read_value(
        def->options[i], is_given[i] ? given[i] : std::string_view(def->options[i].def), at, kind));
  return {def, OptionValues(std::move(values))};
}

std::string attribute_key(const CleanerDef& def, std::string_view type) {
  std::string key = cat("clean__", def.name, "__", type);
  for (char& c : key)
    if (c == '-') c = '_';
  return key;
}

std::string drop_type(const Named& reason) {
  return cat("drop_", reason.name);
}

}  // namespace lm::clean
