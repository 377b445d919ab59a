#include "cli/help.h"

#include <algorithm>

#include "core/str.h"
#include "io/json.h"

namespace lm::cli {

namespace {

std::string flag_head(const Flag& flag) {
  std::string out = flag.letter != '\0' ? cat("-", flag.letter, ", ") : std::string();
  const bool on_by_default = flag.kind == FlagKind::kSwitch && flag.def == "true";
  append(out, on_by_default ? "--[no-]" : "--", flag.name);
  const std::string value = flag.value_name.empty() && flag.kind == FlagKind::kChoice
                                ? join(flag.choices, "|")
                                : flag.value_name;
  if (flag.kind == FlagKind::kOptional) {
    append(out, "[=", value, "]");
  } else if (flag.kind != FlagKind::kSwitch && flag.kind != FlagKind::kRepeat) {
    append(out, " ", value.empty() ? "VALUE" : value);
  }
  return out;
}

std::string flag_text(const Flag& flag) {
  std::string out = flag.help;
  if (flag.kind == FlagKind::kChoice && !flag.value_name.empty()) {
    append(out, " (", join(flag.choices, ", "), ")");
  }
  const bool show_default =
      !flag.def.empty() && flag.kind != FlagKind::kSwitch && flag.kind != FlagKind::kRepeat;
  if (show_default) append(out, " [", flag.def, "]");
  if (flag.kind == FlagKind::kSwitch && flag.def == "true") out += " [on]";
  if (!flag.env.empty()) append(out, " (environment: ", flag.env, ")");
  return out;
}

void wrap(std::string& out, const std::string& text, std::size_t indent, std::size_t width = 80) {
  std::size_t column = indent;
  bool first = true;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    if (!first && column + 1 + word.size() > width) {
      append(out, "\n", std::string(indent, ' '));
      column = indent;
    } else if (!first) {
      out.push_back(' ');
      ++column;
    }
    out.append(word);
    column += word.size();
    first = false;
  }
  out.push_back('\n');
}

void print_flag(std::string& out, const Flag& flag, bool details) {
  constexpr std::size_t kIndent = 28;
  std::string head = cat("  ", flag.letter == '\0' ? "    " : "", flag_head(flag));
  if (head.size() + 2 > kIndent) {
    append(out, head, "\n", std::string(kIndent, ' '));
  } else {
    append(out, head, std::string(kIndent - head.size(), ' '));
  }
  wrap(out, flag_text(flag), kIndent);
  if (details && !flag.details.empty()) {
    out.append(kIndent, ' ');
    wrap(out, flag.details, kIndent);
  }
}

std::string synopsis_line(const ToolSpec& spec, const Verb& verb) {
  return cat(spec.name, verb.name.empty() ? "" : cat(" ", verb.name), " [OPTION]... ",
             spec.operands);
}

std::vector<std::string> groups_of(const std::vector<Flag>& flags) {
  std::vector<std::string> groups;
  for (const Flag& flag : flags) {
    if (std::find(groups.begin(), groups.end(), flag.group) == groups.end())
      groups.push_back(flag.group);
  }
  // The common groups close every page in the same order.
  for (const char* common : {"Input and output", "Running", "Messages"}) {
    const auto at = std::find(groups.begin(), groups.end(), common);
    if (at != groups.end()) {
      groups.erase(at);
      groups.emplace_back(common);
    }
  }
  return groups;
}

struct ExitRow {
  const char* status;
  const char* meaning;
};
constexpr ExitRow kExitRows[] = {
    {"0", "complete; also when the reader closed standard output and that was the only product"},
    {"1", "a question was answered no (--compare, --check); never an error"},
    {"64", "the command line cannot mean anything"},
    {"65", "the input's content is wrong, cut or corrupt"},
    {"66", "an input cannot be opened"},
    {"69", "a needed device or feature is absent"},
    {"70", "internal error"},
    {"71", "out of memory, threads or descriptors"},
    {"73", "an output cannot be created"},
    {"74", "a read or write failed, for example on a full disk"},
    {"75", "stopped on request with its state saved: run the same command again"},
    {"77", "permission denied"},
    {"78", "a configuration file is wrong"},
};

std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      append(out, "\\&", c);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

void man_flags(std::string& out, const std::vector<Flag>& flags) {
  for (const std::string& group : groups_of(flags)) {
    append(out, ".SS ", roff(group), "\n");
    for (const Flag& flag : flags) {
      if (flag.group != group) continue;
      append(out, ".TP\n.B ", roff(flag_head(flag)), "\n", roff(flag_text(flag)), ".\n");
      if (!flag.details.empty()) append(out, roff(flag.details), "\n");
    }
  }
}

// The first of a name wins.
std::vector<Flag> added(std::vector<Flag> flags, const std::vector<Flag>& more) {
  for (const Flag& flag : more) {
    if (std::none_of(flags.begin(), flags.end(),
                     [&](const Flag& f) { return f.name == flag.name; }))
      flags.push_back(flag);
  }
  return flags;
}

// What only those verbs have that read or write streams.
void man_stream_flags(std::string& out, const ToolSpec& spec, const std::vector<Flag>& shared) {
  std::vector<std::string> names;
  for (const Verb& verb : spec.verbs)
    if (verb.streams && !spec.streams) names.push_back(verb.name);
  if (names.empty()) return;
  std::vector<Flag> all = added(shared, common_flags(spec, true));
  all.erase(all.begin(), all.begin() + isize(shared));
  append(out, ".PP\n.B Options of ", roff(join(names, ", ")), "\n");
  man_flags(out, all);
}

std::string generate_man(const ToolSpec& spec) {
  std::string out = ".SH SYNOPSIS\n";
  for (const Verb& verb : spec.verbs) {
    append(out, &verb == &spec.verbs[0] ? "" : ".br\n", ".B ",
           roff(cat(spec.name, verb.name.empty() ? "" : cat(" ", verb.name))), "\n",
           "[\\fIOPTION\\fR]... ", roff(spec.operands), "\n");
  }
  if (spec.has_verbs()) {
    out += ".SH COMMANDS\n";
    for (const Verb& verb : spec.verbs) {
      append(out, ".TP\n.B ", roff(verb.name), "\n", roff(verb.summary),
             &verb == &spec.verbs[0] ? " (the default)" : "", ".\n");
    }
  }
  out += ".SH OPTIONS\n";
  bool first = true;  // no paragraph macro straight after a section's heading
  for (const Verb& verb : spec.verbs) {
    if (verb.flags.empty()) continue;
    if (spec.has_verbs())
      append(out, first ? "" : ".PP\n", ".B Options of ", roff(verb.name), "\n");
    first = false;
    man_flags(out, verb.flags);
  }
  const std::vector<Flag> shared = added(spec.flags, common_flags(spec, spec.streams));
  man_stream_flags(out, spec, shared);
  man_flags(out, shared);
  out += ".SH EXIT STATUS\n";
  for (const ExitRow& row : kExitRows)
    append(out, ".TP\n.B ", row.status, "\n", roff(row.meaning), ".\n");
  return out;
}

std::string flag_json(const Flag& flag) {
  static const std::vector<std::string> kKinds = {"switch", "string",   "path",  "int",
                                                  "count",  "size",     "float", "choice",
                                                  "list",   "optional", "repeat"};
  std::string out =
      cat("{\"name\":", io::json_string(flag.name), ",\"kind\":\"",
          kKinds[static_cast<std::size_t>(flag.kind)], "\",\"group\":", io::json_string(flag.group),
          ",\"default\":", io::json_string(flag.def), ",\"help\":", io::json_string(flag.help),
          ",\"semantic\":", flag.semantic ? "true" : "false", ",\"choices\":[");
  for (std::size_t i = 0; i < flag.choices.size(); ++i)
    append(out, i ? "," : "", io::json_string(flag.choices[i]));
  out += "]";
  if (flag.letter != '\0') append(out, ",\"letter\":\"", flag.letter, "\"");
  return out + "}";
}

std::string generate_json(const ToolSpec& spec) {
  std::string out = cat("{\"name\":", io::json_string(spec.name),
                        ",\"summary\":", io::json_string(spec.summary), ",\"verbs\":[");
  for (std::size_t v = 0; v < spec.verbs.size(); ++v) {
    const Verb& verb = spec.verbs[v];
    append(out, v ? "," : "", "{\"name\":", io::json_string(verb.name),
           ",\"summary\":", io::json_string(verb.summary), ",\"flags\":[");
    const std::vector<Flag> flags = all_flags(spec, verb.name);
    for (std::size_t i = 0; i < flags.size(); ++i)
      append(out, i ? "," : "", flag_json(flags[i]));
    out += "]}";
  }
  return out + "]}\n";
}

std::string all_option_words(const ToolSpec& spec) {
  std::vector<std::string> words;
  for (const Verb& verb : spec.verbs) {
    if (!verb.name.empty()) words.push_back(verb.name);
    for (const Flag& flag : all_flags(spec, verb.name)) {
      const std::string word = cat("--", flag.name);
      if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    }
  }
  return join(words, " ");
}

std::string shell_quote(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out.push_back(c);
    }
  }
  return out + "'";
}

std::string generate_completion(const ToolSpec& spec, const std::string& shell) {
  std::string function = cat("_", spec.name);
  std::replace(function.begin(), function.end(), '-', '_');
  if (shell == "bash") {
    return cat(
        function,
        "() {\n  local word=${COMP_WORDS[COMP_CWORD]}\n  COMPREPLY=($(compgen -o default -W '",
        all_option_words(spec), "' -- \"$word\"))\n}\ncomplete -o default -F ", function, " ",
        spec.name, "\n");
  }
  std::string out = shell == "zsh" ? cat("#compdef ", spec.name, "\n_arguments \\\n") : "";
  std::vector<std::string> seen;
  for (const Verb& verb : spec.verbs) {
    for (const Flag& flag : all_flags(spec, verb.name)) {
      if (std::find(seen.begin(), seen.end(), flag.name) != seen.end()) continue;
      seen.push_back(flag.name);
      const bool value = flag.kind != FlagKind::kSwitch && flag.kind != FlagKind::kRepeat;
      if (shell == "zsh") {
        std::string help = flag.help;
        std::replace(help.begin(), help.end(), '[', '(');
        std::replace(help.begin(), help.end(), ']', ')');
        std::replace(help.begin(), help.end(), ':', ';');
        append(out, "  ",
               shell_quote(cat("--", flag.name, value ? "=" : "", "[", help, "]",
                               value ? ":value:_files" : "")),
               " \\\n");
      } else {
        append(out, "complete -c ", spec.name, " -l ", flag.name, value ? " -r" : "", " -d ",
               shell_quote(flag.help), "\n");
      }
    }
  }
  if (shell == "zsh") out += "  '*:file:_files'\n";
  return out;
}

}  // namespace

std::string short_help(const ToolSpec& spec, const std::string& verb_name) {
  const Verb& verb = spec.verb(verb_name);
  std::string out = cat("usage: ", synopsis_line(spec, verb), "\n\n");
  wrap(out, cat(spec.summary, "."), 0);
  if (spec.has_verbs()) {
    out += "\n";
    for (const Verb& v : spec.verbs) {
      append(out, "  ", v.name, std::string(v.name.size() < 14 ? 14 - v.name.size() : 1, ' '),
             v.summary, "\n");
    }
  }
  if (!spec.examples.empty()) {
    out += "\nexamples:\n";
    for (std::size_t i = 0; i < std::min<std::size_t>(3, spec.examples.size()); ++i) {
      append(out, "  ", spec.examples[i].command, "\n");
    }
  }
  out += "\noptions:\n";
  for (const Flag& flag : all_flags(spec, verb.name)) {
    if (flag.main) print_flag(out, flag, false);
  }
  append(out, "\n", spec.name, " --help shows all options.\n");
  return out;
}

std::string long_help(const ToolSpec& spec, const std::string& verb_name) {
  const Verb& verb = spec.verb(verb_name);
  std::string out = cat("usage: ", synopsis_line(spec, verb), "\n\n");
  wrap(out, cat(spec.summary, "."), 0);
  if (spec.has_verbs()) {
    out += "\ncommands:\n";
    for (const Verb& v : spec.verbs) {
      append(out, "  ", v.name, std::string(v.name.size() < 14 ? 14 - v.name.size() : 1, ' '),
             v.summary, &v == &spec.verbs[0] ? " (default)" : "", "\n");
    }
    append(out, "\nThe options below are those of '", verb.name, "'.\n");
  }
  const std::vector<Flag> flags = all_flags(spec, verb.name);
  for (const std::string& group : groups_of(flags)) {
    append(out, "\n", group.empty() ? "Options" : group, ":\n");
    for (const Flag& flag : flags) {
      if (flag.group == group) print_flag(out, flag, true);
    }
  }
  if (!spec.examples.empty()) {
    out += "\nExamples:\n";
    for (const Example& example : spec.examples)
      append(out, "  # ", example.what, "\n  ", example.command, "\n");
  }
  out += "\nExit status:\n";
  for (const ExitRow& row : kExitRows) {
    append(out, "  ", row.status, std::string(4 - std::string_view(row.status).size(), ' '));
    wrap(out, row.meaning, 6);
  }
  out += "\nSee also: lm-tools(7)";
  for (const std::string& name : spec.see_also)
    append(out, ", ", name, "(1)");
  return out + "\n";
}

std::string generate(const ToolSpec& spec, const std::string& what) {
  if (what == "man") return generate_man(spec);
  if (what == "json") return generate_json(spec);
  return generate_completion(spec, what);
}

}  // namespace lm::cli
