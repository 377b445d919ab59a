#include "cli/parse.h"

#include <algorithm>
#include <map>
#include <sstream>

#include <CLI/CLI.hpp>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::cli {

namespace {

bool takes_value(const Flag& flag) {
  return flag.kind != FlagKind::kSwitch && flag.kind != FlagKind::kRepeat &&
         flag.kind != FlagKind::kOptional;
}

const Flag* by_letter(const std::vector<Flag>& flags, char letter) {
  for (const Flag& flag : flags) {
    if (flag.letter == letter) return &flag;
  }
  return nullptr;
}

const Flag* by_name(const std::vector<Flag>& flags, std::string_view name) {
  for (const Flag& flag : flags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

// Rewrites what CLI11 cannot express: -h against --help, bare --name of optional values, a bare -z.
std::vector<std::string> normalise(const std::vector<Flag>& flags, const std::vector<std::string>& args,
                                   bool& short_help) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& arg = args[i];
    if (arg == "--") {
      out.insert(out.end(), args.begin() + static_cast<std::ptrdiff_t>(i), args.end());
      return out;
    }
    if (arg.starts_with("--")) {
      const Flag* flag = by_name(flags, std::string_view(arg).substr(2));
      if (flag != nullptr && !flag->bare.empty() && flag->kind == FlagKind::kOptional) {
        out.push_back(cat(arg, "=", flag->bare));
        continue;
      }
      out.push_back(arg);
      // The next word is this option's value, whatever it looks like.
      if (flag != nullptr && takes_value(*flag) && i + 1 < args.size()) out.push_back(args[++i]);
      continue;
    }
    if (arg.size() > 1 && arg[0] == '-') {
      if (arg == "-h") short_help = true;
      const Flag* flag = by_letter(flags, arg[1]);
      if (flag != nullptr && flag->letter == 'z' && !flag->bare.empty()) {
        const bool next_is_value =
            arg.size() == 2 && i + 1 < args.size() &&
            (args[i + 1] == "auto" || args[i + 1] == "none" || args[i + 1] == "stored" ||
             args[i + 1] == "zstd" || args[i + 1].starts_with("zstd:"));
        out.push_back(cat("--", flag->name, "=",
                          arg.size() > 2 ? arg.substr(2) : next_is_value ? args[++i] : flag->bare));
        continue;
      }
      out.push_back(arg);
      if (flag != nullptr && takes_value(*flag) && arg.size() == 2 && i + 1 < args.size()) {
        out.push_back(args[++i]);
      }
      continue;
    }
    out.push_back(arg);
  }
  return out;
}

[[noreturn]] void unknown_option(const ToolSpec& spec, const std::vector<Flag>& flags,
                                 const std::string& arg) {
  const std::string name = arg.substr(0, arg.find('='));
  std::vector<std::string> names;
  for (const Flag& flag : flags) {
    names.push_back(cat("--", flag.name));
    if (flag.kind == FlagKind::kSwitch) names.push_back(cat("--no-", flag.name));
  }
  std::string near = nearest_name(name, names);
  if (near.empty()) {
    for (const Verb& verb : spec.verbs) {
      if (by_name(verb.flags, std::string_view(name).substr(std::min<std::size_t>(2, name.size()))) != nullptr) {
        throw Error(ErrorKind::kUsage, cat("unknown option ", name),
                    cat(name, " belongs to '", spec.name, " ", verb.name, "'"));
      }
    }
  }
  throw Error(ErrorKind::kUsage, cat("unknown option ", name),
              near.empty() ? cat(spec.name, " --help lists the options") : cat("did you mean ", near, "?"));
}

struct ParsedWords {
  std::map<std::string, std::vector<std::string>> values;
  std::vector<std::string> operands;
};

ParsedWords split_words(const ToolSpec& spec, const std::vector<Flag>& flags,
                        std::vector<std::string> words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, i64> repeats;
  for (const Flag& flag : flags) {
    std::string names = cat("--", flag.name);
    if (flag.letter != '\0') names = cat("-", flag.letter, ",", names);
    if (flag.kind == FlagKind::kSwitch) {
      app.add_flag_callback(names, [&values, name = flag.name] { values[name] = {"true"}; });
      app.add_flag_callback(cat("--no-", flag.name), [&values, name = flag.name] { values[name] = {"false"}; });
    } else if (flag.kind == FlagKind::kRepeat) {
      app.add_flag(names, repeats[flag.name])->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
      app.add_option(names, values[flag.name])->take_all()->allow_extra_args(false);
    }
  }
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ArgumentMismatch& e) {
    const std::string text = e.what();
    throw Error(ErrorKind::kUsage, cat(text.substr(0, text.find(':')), ": needs a value"));
  } catch (const CLI::ParseError& e) {
    const std::string text = e.what();
    throw Error(ErrorKind::kUsage, text.substr(0, text.find('\n')));
  }
  ParsedWords parsed;
  for (auto& [name, list] : values) {
    if (!list.empty()) parsed.values[name] = std::move(list);
  }
  for (const auto& [name, count] : repeats) {
    if (count > 0) parsed.values[name] = {cat(count)};
  }
  bool only_operands = false;
  for (const std::string& extra : app.remaining()) {
    if (!only_operands && extra == "--") {
      only_operands = true;
    } else if (!only_operands && extra.size() > 1 && extra[0] == '-') {
      unknown_option(spec, flags, extra);
    } else {
      parsed.operands.push_back(extra);
    }
  }
  return parsed;
}

// The last of --x and --no-x wins, in the order written.
void settle_switches(const std::vector<Flag>& flags, const std::vector<std::string>& words,
                     ParsedWords& parsed) {
  for (const std::string& word : words) {
    if (word == "--") return;
    for (const Flag& flag : flags) {
      if (flag.kind != FlagKind::kSwitch) continue;
      if (word == cat("--", flag.name) || (flag.letter != '\0' && word == cat("-", flag.letter))) {
        parsed.values[flag.name] = {"true"};
      } else if (word == cat("--no-", flag.name)) {
        parsed.values[flag.name] = {"false"};
      }
    }
  }
}

i64 line_of_key(const std::string& text, const std::string& section, const std::string& key) {
  std::istringstream lines(text);
  std::string line;
  std::string current;
  for (i64 number = 1; std::getline(lines, line); ++number) {
    const std::string_view trimmed = trim(line);
    if (trimmed.starts_with("[") && trimmed.find(']') != std::string_view::npos) {
      current = trim(trimmed.substr(1, trimmed.find(']') - 1));
    } else if (current == section && trim(trimmed.substr(0, trimmed.find('='))) == key) {
      return number;
    }
  }
  return 0;
}

void apply_config(const ToolSpec& spec, Options& options, const std::string& path) {
  std::string text;
  try {
    text = io::read_file(path, i64{16} << 20);
  } catch (const Error& e) {
    throw Error(ErrorKind::kConfig, e.message());
  }
  std::vector<CLI::ConfigItem> items;
  std::istringstream stream(text);
  try {
    items = CLI::ConfigTOML().from_config(stream);
  } catch (const CLI::Error& e) {
    throw Error(ErrorKind::kConfig, cat(path, ": ", e.what()));
  }
  for (const CLI::ConfigItem& item : items) {
    if (item.name == "++" || item.name == "--") continue;  // section borders
    const std::string section = item.parents.empty() ? "" : item.parents[0];
    // A section per program: one file serves a whole pipeline. Keys before any section are ours.
    if (section != spec.name && !section.empty() && section != "default") continue;
    const bool top = section.empty() || section == "default";
    const i64 line = line_of_key(text, top ? "" : section, item.name);
    const std::string where = cat(path, ":", line, ": ", item.name);
    const Flag* flag = options.find(item.name);
    if (flag == nullptr || item.name == "config" || item.name == "print-config") {
      std::vector<std::string> names;
      for (const Flag& f : options.flags()) names.push_back(f.name);
      const std::string near = nearest_name(item.name, names);
      throw Error(ErrorKind::kConfig, cat(path, ":", line, ": unknown key ", quote(item.name), " for ", spec.name),
                  near.empty() ? "" : cat("did you mean ", near, "?"));
    }
    std::vector<std::string> values = item.inputs;
    if (values.empty()) throw Error(ErrorKind::kConfig, cat(where, ": expected key = value"));
    if (values.size() > 1 && flag->kind != FlagKind::kList) {
      throw Error(ErrorKind::kConfig, cat(where, ": is an array, expected one value"));
    }
    options.set(item.name, values, Origin::kConfig, where);
  }
}

}  // namespace

CommandLine parse_command_line(const ToolSpec& spec, const std::vector<std::string>& args,
                               const char* (*environment)(const char*)) {
  CommandLine line;
  std::vector<std::string> rest = args;
  line.verb = spec.verbs.front().name;
  if (spec.has_verbs() && !rest.empty()) {
    for (const Verb& verb : spec.verbs) {
      if (verb.name == rest[0]) {
        line.verb = verb.name;
        rest.erase(rest.begin());
        break;
      }
    }
  }
  const std::vector<Flag> flags = all_flags(spec, line.verb);
  line.options = Options(flags);
  for (const Flag& flag : flags) {
    if (flag.env.empty()) continue;
    const char* value = environment(flag.env.c_str());
    if (value != nullptr && *value != '\0') {
      line.options.set(flag.name, {value}, Origin::kEnvironment, flag.env);
    }
  }
  const std::vector<std::string> words = normalise(flags, rest, line.short_help);
  ParsedWords parsed = split_words(spec, flags, words);
  settle_switches(flags, words, parsed);
  const auto config = parsed.values.find("config");
  if (config != parsed.values.end()) apply_config(spec, line.options, config->second.back());
  for (const Flag& flag : flags) {
    const auto found = parsed.values.find(flag.name);
    if (found == parsed.values.end()) continue;
    line.options.set(flag.name, found->second, Origin::kCommandLine, cat("--", flag.name));
  }
  line.operands = std::move(parsed.operands);
  return line;
}

std::string print_config(const ToolSpec& spec, const Options& options) {
  static const std::vector<std::string> kOrigins = {"default", "environment", "config", "command line"};
  std::string out = cat("[", spec.name, "]\n");
  const auto value_text = [](const Flag& flag, const std::string& text) {
    const bool bare = flag.kind == FlagKind::kSwitch || flag.kind == FlagKind::kInt ||
                      flag.kind == FlagKind::kFloat || flag.kind == FlagKind::kRepeat;
    if (bare) return text;
    // CLI11 reads "..." without escapes; a text with a quote is written in the other kind.
    return text.find('"') == std::string::npos ? cat('"', text, '"') : cat('\'', text, '\'');
  };
  for (const Flag& flag : options.flags()) {
    if (flag.name == "config" || flag.name == "print-config" || flag.name == "help" ||
        flag.name == "version" || flag.name == "build-info" || flag.name == "generate") {
      continue;
    }
    const std::vector<std::string>& texts = options.list(flag.name);
    if (texts.empty()) continue;
    append(out, flag.name, " = ");
    if (flag.kind == FlagKind::kList) {
      out.push_back('[');
      for (std::size_t i = 0; i < texts.size(); ++i) append(out, i ? ", " : "", value_text(flag, texts[i]));
      out.push_back(']');
    } else {
      out += value_text(flag, texts.back());
    }
    append(out, "  # ", kOrigins[static_cast<std::size_t>(options.origin(flag.name))], "\n");
  }
  return out;
}

}  // namespace lm::cli
