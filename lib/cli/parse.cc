#include "cli/parse.h"

#include <algorithm>
#include <map>

#include "cli/settings.h"
#include "core/error.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::cli {

namespace {

bool is_counter(const Flag& flag) {
  return flag.kind == FlagKind::kSwitch || flag.kind == FlagKind::kRepeat;
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
      if (by_name(verb.flags, std::string_view(name).substr(
                                  std::min<std::size_t>(2, name.size()))) != nullptr) {
        throw Error(ErrorKind::kUsage, cat("unknown option ", name),
                    cat(name, " belongs to '", spec.name, " ", verb.name, "'"));
      }
    }
  }
  throw Error(
      ErrorKind::kUsage, cat("unknown option ", name),
      near.empty() ? cat(spec.name, " --help lists the options") : cat("did you mean ", near, "?"));
}

// Words to values and operands, from left to right. A value is a value whatever it looks like, so
// nothing that follows an option in need of one is ever taken for another option.
class WordSplitter {
 public:
  WordSplitter(const ToolSpec& spec, const std::vector<Flag>& flags,
               const std::vector<std::string>& words)
      : spec_(spec), flags_(flags), words_(words) {}

  void split() {
    for (at_ = 0; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      if (word == "--") {
        operands.insert(operands.end(), words_.begin() + static_cast<std::ptrdiff_t>(at_) + 1,
                        words_.end());
        return;
      }
      if (word.starts_with("--")) {
        long_option(word);
      } else if (word.size() > 1 && word[0] == '-') {
        letters(word);
      } else {
        operands.push_back(word);
      }
    }
  }

  std::map<std::string, std::vector<std::string>> values;
  std::vector<std::string> operands;
  bool short_help = false;

 private:
  void long_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals - 2);
    const Flag* flag = by_name(flags_, name);
    const Flag* negated =
        flag == nullptr && name.starts_with("no-") ? by_name(flags_, name.substr(3)) : nullptr;
    if (negated != nullptr && negated->kind != FlagKind::kSwitch) negated = nullptr;
    if (flag == nullptr && negated == nullptr) unknown_option(spec_, flags_, word);
    if (negated != nullptr || is_counter(*flag)) {
      if (equals != std::string::npos) {
        throw Error(ErrorKind::kUsage, cat("--", name, ": takes no value"),
                    negated == nullptr && flag->kind == FlagKind::kSwitch
                        ? cat("--", name, " turns it on, --no-", name, " off")
                        : "");
      }
      count(negated != nullptr ? *negated : *flag, negated == nullptr);
    } else if (equals != std::string::npos) {
      values[name].push_back(word.substr(equals + 1));
    } else if (flag->kind == FlagKind::kOptional) {
      values[name].push_back(flag->bare);
    } else {
      values[name].push_back(next_word(cat("--", name)));
    }
  }

  // -q -v -vv -n5 -n 5 -qn5
  void letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const Flag* flag = by_letter(flags_, word[i]);
      if (flag == nullptr) unknown_option(spec_, flags_, cat("-", word[i]));
      if (word[i] == 'h') short_help = true;
      if (is_counter(*flag)) {
        count(*flag, true);
        continue;
      }
      const std::string rest = word.substr(i + 1);
      if (!rest.empty()) {
        values[flag->name].push_back(rest);
      } else if (!flag->bare.empty() &&
                 (flag->kind == FlagKind::kOptional || !next_is_compression())) {
        values[flag->name].push_back(flag->bare);
      } else {
        values[flag->name].push_back(next_word(cat("-", word[i])));
      }
      return;
    }
  }

  // -z may stand bare or take the next word, when that can be nothing else.
  bool next_is_compression() const {
    if (at_ + 1 == words_.size()) return false;
    const std::string& next = words_[at_ + 1];
    return next == "auto" || next == "none" || next == "stored" || next == "zstd" ||
           next.starts_with("zstd:");
  }

  std::string next_word(const std::string& option) {
    if (at_ + 1 == words_.size()) throw Error(ErrorKind::kUsage, cat(option, ": needs a value"));
    return words_[++at_];
  }

  void count(const Flag& flag, bool on) {
    if (flag.kind == FlagKind::kSwitch) {
      values[flag.name] = {on ? "true" : "false"};
      return;
    }
    std::vector<std::string>& seen = values[flag.name];
    seen = {cat(seen.empty() ? 1 : parse_int(seen[0]).value_or(0) + 1)};
  }

  const ToolSpec& spec_;
  const std::vector<Flag>& flags_;
  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
};

// Help, version and completions need no valid environment, file or other option.
constexpr const char* kAboutItself[] = {"help", "version", "build-info", "generate"};

bool asks_about_itself(const WordSplitter& words) {
  for (const char* name : kAboutItself) {
    const auto found = words.values.find(name);
    if (found != words.values.end() && found->second.back() != "false") return true;
  }
  return false;
}

void apply_config(const ToolSpec& spec, Options& options, const std::string& path) {
  std::string text;
  try {
    text = io::read_file(path, i64{16} << 20);
  } catch (const Error& e) {
    throw Error(ErrorKind::kConfig, e.message());
  }
  for (const Setting& setting : parse_settings(text, path)) {
    // A section per program: one file serves a whole pipeline. Keys before any section are ours.
    if (!setting.section.empty() && setting.section != spec.name) continue;
    const std::string where = cat(path, ":", setting.line, ": ", setting.key);
    const Flag* flag = options.find(setting.key);
    if (flag == nullptr || setting.key == "config" || setting.key == "print-config") {
      std::vector<std::string> names;
      for (const Flag& f : options.flags())
        names.push_back(f.name);
      const std::string near = nearest_name(setting.key, names);
      throw Error(
          ErrorKind::kConfig,
          cat(path, ":", setting.line, ": unknown key ", quote(setting.key), " for ", spec.name),
          near.empty() ? "" : cat("did you mean ", near, "?"));
    }
    if (setting.array && flag->kind != FlagKind::kList) {
      throw Error(ErrorKind::kConfig, cat(where, ": is an array, expected one value"));
    }
    if (!setting.values.empty()) options.set(setting.key, setting.values, Origin::kConfig, where);
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
  WordSplitter words(spec, flags, rest);
  words.split();
  line.short_help = words.short_help;
  const bool only_itself = asks_about_itself(words);
  if (!only_itself) {
    for (const Flag& flag : flags) {
      if (flag.env.empty()) continue;
      const char* value = environment(flag.env.c_str());
      if (value != nullptr && *value != '\0') {
        line.options.set(flag.name, {value}, Origin::kEnvironment, flag.env);
      }
    }
    const auto config = words.values.find("config");
    if (config != words.values.end()) apply_config(spec, line.options, config->second.back());
  }
  for (const Flag& flag : flags) {
    const auto found = words.values.find(flag.name);
    if (found == words.values.end()) continue;
    const bool about = std::find(std::begin(kAboutItself), std::end(kAboutItself), flag.name) !=
                       std::end(kAboutItself);
    if (only_itself && !about) continue;
    line.options.set(flag.name, found->second, Origin::kCommandLine, cat("--", flag.name));
  }
  line.operands = std::move(words.operands);
  return line;
}

std::string print_config(const ToolSpec& spec, const Options& options) {
  static const std::vector<std::string> kOrigins = {"default", "environment", "config",
                                                    "command line"};
  std::string out = cat("[", spec.name, "]\n");
  const auto value_text = [](const Flag& flag, const std::string& text) {
    const bool bare = flag.kind == FlagKind::kSwitch || flag.kind == FlagKind::kInt ||
                      flag.kind == FlagKind::kFloat || flag.kind == FlagKind::kCount ||
                      flag.kind == FlagKind::kRepeat;
    return bare ? text : settings_string(text);
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
      for (std::size_t i = 0; i < texts.size(); ++i)
        append(out, i ? ", " : "", value_text(flag, texts[i]));
      out.push_back(']');
    } else {
      out += value_text(flag, texts.back());
    }
    append(out, "  # ", kOrigins[static_cast<std::size_t>(options.origin(flag.name))], "\n");
  }
  return out;
}

}  // namespace lm::cli
