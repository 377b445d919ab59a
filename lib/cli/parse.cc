#include "cli/parse.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/build.h"
#include "cli/settings.h"
#include "core/error.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::cli {

namespace {

// CLI11 2.1.2 reads some words wrongly: --name= as --name, --switch=true as --switch, the rest of
// -q-x as --x. No word of a command line holds a NUL, so NULs can mark such words, and what was
// written can always be had back (tests/unit/cli/cli11_test.cc shows each misreading).
constexpr std::string_view kMark("\0", 1);
constexpr std::string_view kAdded("\0\0", 2);  // what follows was not written

// A bare -z may take the next word, when that can be nothing else.
bool is_compression(const std::string& word) {
  return word == "auto" || word == "none" || word == "stored" || word == "zstd" ||
         word.starts_with("zstd:");
}

std::string marked(const std::vector<Flag>& flags, const std::string& word,
                   const std::string* next) {
  if (word.size() < 2 || word[0] != '-') return word;
  if (word[1] == '-') return word.find('=') == std::string::npos ? word : cat(word, kMark);
  const std::size_t dash = word.find('-', 1);
  if (dash != std::string::npos) return cat(word.substr(0, dash), kMark, word.substr(dash));
  for (const Flag& flag : flags) {
    if (flag.letter != word.back() || flag.bare.empty()) continue;
    if (next == nullptr || !is_compression(*next)) return cat(word, kAdded, flag.bare);
  }
  return word;
}

std::string as_written(std::string_view text) {
  const std::size_t added = text.find(kAdded);
  std::string out(added == 0 ? text.substr(kAdded.size()) : text.substr(0, added));
  std::erase(out, '\0');
  return out;
}

// The verb that the words begin with, if they do. Steps of one verb need their second word.
const Verb* named_verb(const ToolSpec& spec, const std::vector<std::string>& words) {
  if (words.empty()) return nullptr;
  const std::string two = words.size() > 1 ? cat(words[0], " ", words[1]) : words[0];
  const Verb* step = nullptr;
  std::string steps;
  for (const Verb& verb : spec.verbs) {
    if (verb.name == words[0] || verb.name == two) return &verb;
    if (!verb.name.starts_with(cat(words[0], " "))) continue;
    if (step == nullptr) step = &verb;
    append(steps, steps.empty() ? "" : ", ", verb.name.substr(words[0].size() + 1));
  }
  const auto is_help = [](const std::string& word) { return word == "--help" || word == "-h"; };
  if (step == nullptr || std::any_of(words.begin(), words.end(), is_help)) return step;
  throw Error(ErrorKind::kUsage, cat(quote(words[0]), " needs the name of a step: ", steps),
              cat(spec.name, " ", step->name, " --help"));
}

// The verb that an option among the words stands for.
const Verb* chosen_verb(const ToolSpec& spec, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return nullptr;
    for (const Verb& verb : spec.verbs) {
      const std::string option = cat("--", verb.chosen_by);
      if (!verb.chosen_by.empty() && (word == option || word.starts_with(option + "=")))
        return &verb;
    }
  }
  return nullptr;
}

// Help, version and completions need no valid environment, file or other option.
bool is_about_itself(const Flag& flag) {
  return flag.name == "help" || flag.name == "version" || flag.name == "build-info" ||
         flag.name == "generate";
}

// A need that CLI11 understands.
bool is_name(std::string_view need) {
  return need.find_first_of("|=") == std::string_view::npos;
}

// Whom a failure is laid to: a settings file has a status of its own.
ErrorKind kind_of(Origin origin) {
  return origin == Origin::kConfig ? ErrorKind::kConfig : ErrorKind::kUsage;
}

// A section that no program reads is a slip of the pen: its settings would be lost.
void check_section(const ToolSpec& spec, const Section& section, const std::string& path) {
  std::vector<std::string> programs = program_names();
  programs.push_back(spec.name);
  if (std::find(programs.begin(), programs.end(), section.name) != programs.end()) return;
  const std::string near = nearest_name(section.name, programs, 3);
  throw Error(ErrorKind::kConfig,
              cat(path, ":", section.line, ": no program is called ", quote(section.name)),
              near.empty() ? "a section is named after the program that reads it, such as [lm-cat]"
                           : cat("did you mean [", near, "]?"));
}

void apply_settings(const ToolSpec& spec, Options& options, const std::string& path) {
  std::string text;
  try {
    text = io::read_file(path, i64{16} << 20);
  } catch (const Error& e) {
    throw Error(ErrorKind::kConfig, e.message());
  }
  const Settings settings = parse_settings(text, path);
  for (const Section& section : settings.sections)
    check_section(spec, section, path);
  for (const Setting& setting : settings.values) {
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

// One command line through CLI11. CLI11 finds the options and their values and judges what belongs
// together; each value is judged by Options, whatever its origin, so that all are worded alike and
// a mistake is reported in the order: unknown option, environment, settings file, command line.
class WordParser {
 public:
  // no_verb: the first word when it names no verb, else empty.
  WordParser(CLI::App& app, const ToolSpec& spec, const char* (*environment)(const char*),
             std::string no_verb, CommandLine& line)
      : app_(app),
        spec_(spec),
        environment_(environment),
        no_verb_(std::move(no_verb)),
        line_(line) {
    for (const Flag& flag : line_.options.flags())
      found_.push_back({flag, add(flag), {}});
    for (const Found& found : found_) {
      for (const std::string& other : found.flag.needs)
        if (is_name(other)) found.option->needs(cat("--", other));
      for (const std::string& other : found.flag.excludes)
        found.option->excludes(cat("--", other));
    }
    // It has no name, so no word reaches it, and is called once all words are read.
    const CLI::callback_t call = [this](const CLI::results_t&) {
      resolve();
      return true;
    };
    app_.add_option("", call)->force_callback();
  }

  void parse(const std::vector<std::string>& words) {
    std::vector<std::string> left;  // CLI11 takes the words from the end
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string* next = i + 1 < words.size() ? &words[i + 1] : nullptr;
      left.push_back(marked(line_.options.flags(), words[i], next));
    }
    std::reverse(left.begin(), left.end());
    try {
      app_.parse(left);
    } catch (const CLI::ArgumentMismatch&) {
      take_operands();
      mismatch(words[words.size() - left.size() - 1]);
    } catch (const CLI::RequiresError& e) {
      const auto [one, other] = names_in(e, " requires ");
      throw Error(kind_of(line_.options.origin(one)),
                  cat(asked_as(*line_.options.find(one)), " needs --", other));
    } catch (const CLI::ExcludesError& e) {
      const auto [one, other] = names_in(e, " excludes ");
      const bool both = line_.options.origin(one) == line_.options.origin(other);
      throw Error(kind_of(both ? line_.options.origin(one) : Origin::kCommandLine),
                  cat("--", one, " and --", other, " exclude each other"));
    }
    if (!about_itself_) check_needs();
  }

 private:
  struct Found {
    const Flag& flag;
    CLI::Option* option;
    std::vector<std::string> texts;  // from the command line
  };

  CLI::Option* add(const Flag& flag) {
    using Policy = CLI::MultiOptionPolicy;
    std::string names = cat("--", flag.name);
    const std::string letter = flag.letter == '\0' ? "" : cat(",-", flag.letter);
    switch (flag.kind) {
      case FlagKind::kSwitch:  // -h is told from --help by its value
        append(names, ",!--no-", flag.name);
        if (!letter.empty()) append(names, letter, "{-", flag.letter, "}");
        return app_.add_flag(names)->disable_flag_override();
      case FlagKind::kRepeat:
        return app_.add_flag(names + letter)
            ->disable_flag_override()
            ->multi_option_policy(Policy::TakeAll);
      case FlagKind::kOptional:
        LM_CHECK(letter.empty(), cat("--", flag.name, " may be bare, so it can have no letter"));
        return app_.add_option(names)->expected(0, 0)->default_str(flag.bare)->multi_option_policy(
            Policy::TakeLast);
      case FlagKind::kList:
        return app_.add_option(names + letter)->multi_option_policy(Policy::TakeAll);
      default:
        return app_.add_option(names + letter)->multi_option_policy(Policy::TakeLast);
    }
  }

  // Between the words and what belongs together.
  void resolve() {
    take_operands();
    for (Found& found : found_) {
      if (found.option->count() == 0) continue;
      take_texts(found);
      about_itself_ |= is_about_itself(found.flag) && found.texts.back() != "false";
    }
    if (!about_itself_) {
      check_verb();
      read_environment();
      read_settings();
    }
    for (const Found& found : found_) {
      const std::string& name = found.flag.name;
      if (!found.texts.empty() && (!about_itself_ || is_about_itself(found.flag))) {
        line_.options.set(name, found.texts, Origin::kCommandLine, cat("--", name));
      }
      // What belongs together is judged over all origins.
      found.option->clear();
      if (line_.options.asks(found.flag) && !about_itself_) {
        found.option->add_result(line_.options.text(name));
      }
    }
  }

  // What CLI11 cannot say: one of several options, or an option with one of several values.
  void check_needs() const {
    for (const Found& found : found_) {
      if (!line_.options.asks(found.flag)) continue;
      for (const std::string& need : found.flag.needs) {
        const std::vector<std::string_view> ways = split(need, '|');
        const auto is_met = [&](std::string_view way) { return met(way); };
        if (is_name(need) || std::any_of(ways.begin(), ways.end(), is_met)) continue;
        throw Error(kind_of(line_.options.origin(found.flag.name)),
                    cat(asked_as(found.flag), " needs ", need_text(offered(need))));
      }
    }
  }

  /// How an option was asked for: a switch that is on by default, with --no-.
  std::string asked_as(const Flag& flag) const {
    const bool off = flag.kind == FlagKind::kSwitch && !line_.options.on(flag.name);
    return cat(off ? "--no-" : "--", flag.name);
  }

  /// A need without the values that the verb does not offer.
  std::string offered(std::string_view need) const {
    std::string out;
    for (const std::string_view way : split(need, '|')) {
      const std::size_t equals = way.find('=');
      append(out, out.empty() ? "" : "|", way.substr(0, equals));
      if (equals == std::string_view::npos) continue;
      const Flag* flag = line_.options.find(std::string(way.substr(0, equals)));
      LM_CHECK(flag != nullptr, cat("no flag called ", way.substr(0, equals)));
      char before = '=';
      for (const std::string_view value : split(way.substr(equals + 1), ',')) {
        const std::vector<std::string>& choices = flag->choices;
        if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
          continue;
        append(out, before, value);
        before = ',';
      }
    }
    return out;
  }

  bool met(std::string_view way) const {
    const std::size_t equals = way.find('=');
    const std::string name(way.substr(0, equals));
    const Flag* flag = line_.options.find(name);
    LM_CHECK(flag != nullptr, cat("no flag called ", name));
    if (equals == std::string_view::npos) return line_.options.asks(*flag);
    const std::vector<std::string_view> values = split(way.substr(equals + 1), ',');
    return std::find(values.begin(), values.end(), line_.options.text(name)) != values.end();
  }

  void take_texts(Found& found) {
    const std::vector<std::string>& all = found.option->results();
    if (found.flag.kind == FlagKind::kRepeat) {
      found.texts = {cat(all.size())};
    } else if (found.flag.kind == FlagKind::kSwitch) {
      found.texts = {all.back() == "false" ? "false" : "true"};
      if (found.flag.name == "help") {
        line_.short_help = std::find(all.begin(), all.end(), "-h") != all.end();
      }
    } else {
      for (const std::string& text : found.option->reduced_results())
        found.texts.push_back(as_written(text));
    }
  }

  // What CLI11 has no option for: operands, and unknown options, which come before other mistakes.
  void take_operands() {
    bool options_end = false;
    for (const std::string& left : app_.remaining()) {
      const std::string word = as_written(left);
      if (!options_end && left == "--") {
        options_end = true;
      } else if (!options_end && word.size() > 1 && word[0] == '-') {
        check_verb();
        unknown_option(left[1] == kMark[0] ? "--" : word);  // the second dash of -q-x
      } else {
        line_.operands.push_back(word);
      }
    }
  }

  [[noreturn]] void unknown_option(const std::string& word) const {
    const bool one_letter = word[1] != '-' && static_cast<unsigned char>(word[1]) < 0x80;
    const std::string name = one_letter ? word.substr(0, 2) : word.substr(0, word.find('='));
    std::vector<std::string> names;
    for (const Flag& flag : line_.options.flags()) {
      names.push_back(cat("--", flag.name));
      if (flag.kind == FlagKind::kSwitch) names.push_back(cat("--no-", flag.name));
    }
    const auto is_it = [&](const Flag& flag) { return cat("--", flag.name) == name; };
    const auto has_it = [&](const Verb& verb) {
      return std::any_of(verb.flags.begin(), verb.flags.end(), is_it);
    };
    const std::string near = nearest_name(name, names);
    const auto verb = std::find_if(spec_.verbs.begin(), spec_.verbs.end(), has_it);
    throw Error(ErrorKind::kUsage, cat("unknown option ", name),
                !near.empty() ? cat("did you mean ", near, "?")
                : verb != spec_.verbs.end()
                    ? cat(name, " belongs to '", spec_.name, " ", verb->name, "'")
                    : cat(spec_.name, " --help lists the options"));
  }

  // A first word that is no verb is a file of the default verb, or else was to be a verb.
  void check_verb() const {
    std::vector<std::string> verbs;
    for (const Verb& verb : spec_.verbs)
      verbs.push_back(verb.name);
    const std::string near =
        nearest_name(no_verb_, verbs, std::min<i64>(2, std::ssize(no_verb_) / 2));
    if (near.empty() || ::access(no_verb_.c_str(), F_OK) == 0) return;
    throw Error(ErrorKind::kUsage, cat(quote(no_verb_), " is neither a verb nor a file"),
                cat("did you mean ", spec_.name, " ", near, "?"));
  }

  // The word at which CLI11 gave up: --switch=x, or the last one, an option that has no value.
  [[noreturn]] void mismatch(const std::string& word) const {
    const std::size_t equals = word.find('=');
    if (!word.starts_with("--")) {
      throw Error(ErrorKind::kUsage, cat("-", word.back(), ": needs a value"));
    }
    if (equals == std::string::npos) throw Error(ErrorKind::kUsage, cat(word, ": needs a value"));
    const std::string name = word.substr(2, equals - 2);
    const Flag* flag = line_.options.find(name);
    const bool is_switch = flag != nullptr && flag->kind == FlagKind::kSwitch;
    throw Error(ErrorKind::kUsage, cat("--", name, ": takes no value"),
                is_switch ? cat("--", name, " turns it on, --no-", name, " off") : "");
  }

  // CLI11 names the two options in its text only: "--one requires --other".
  static std::pair<std::string, std::string> names_in(const CLI::Error& e, std::string_view verb) {
    const std::string_view text = e.what();
    const std::size_t at = text.find(verb);
    LM_CHECK(text.starts_with("--") && at != std::string_view::npos, cat("CLI11 says ", text));
    return {std::string(text.substr(2, at - 2)), std::string(text.substr(at + verb.size() + 2))};
  }

  void read_environment() {
    for (const Found& found : found_) {
      if (found.flag.env.empty()) continue;
      const char* value = environment_(found.flag.env.c_str());
      if (value == nullptr || *value == '\0') continue;
      line_.options.set(found.flag.name, {value}, Origin::kEnvironment, found.flag.env);
    }
  }

  void read_settings() {
    for (const Found& found : found_) {
      // An empty name is refused with all others, when the command line is taken.
      if (found.flag.name == "config" && !found.texts.empty() && !found.texts.back().empty()) {
        apply_settings(spec_, line_.options, found.texts.back());
      }
    }
  }

  CLI::App& app_;
  const ToolSpec& spec_;
  const char* (*environment_)(const char*);
  const std::string no_verb_;
  bool about_itself_ = false;  // asks for help, the version or completions only
  CommandLine& line_;
  std::vector<Found> found_;
};

}  // namespace

CommandLine parse_command_line(const ToolSpec& spec, const std::vector<std::string>& args,
                               const char* (*environment)(const char*)) {
  // Not CLI11's help, whose texts are not ours. Operands are its extras.
  CLI::App program(spec.summary, spec.name);
  program.set_help_flag();
  program.allow_extras();
  CLI::App* app = &program;
  CommandLine line;
  line.verb = spec.verbs.front().name;
  std::vector<std::string> words = args;
  std::string no_verb;
  if (spec.has_verbs()) {
    if (!words.empty() && !words[0].starts_with('-')) no_verb = words[0];
    if (const Verb* const named = named_verb(spec, words)) {
      line.verb = named->name;
      const bool both = words.size() > 1 && line.verb == cat(words[0], " ", words[1]);
      words.erase(words.begin(), words.begin() + (both ? 2 : 1));
      no_verb.clear();
    } else if (const Verb* const chosen = chosen_verb(spec, words)) {
      line.verb = chosen->name;
      no_verb.clear();
    }
    // CLI11 takes no name with a blank, and needs none.
    app = program.add_subcommand("verb");
  }
  // The verb's part parses for itself: as a part of the whole, CLI11 would go back to the whole at
  // "--" and at a file called "++", and take a later word for another verb.
  line.options = Options(all_flags(spec, line.verb));
  try {
    WordParser(*app, spec, environment, no_verb, line).parse(words);
  } catch (const CLI::Error& e) {
    throw Error(ErrorKind::kInternal, cat("the option table of ", spec.name, ": ", e.what()));
  }
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
