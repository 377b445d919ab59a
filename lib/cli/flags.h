#pragma once
// One table per program: from it come the parser, both helps, the manual's options, completions and
// the settings file. Values are parsed here (decimal only, 1e6 for counts, K M G T for sizes), so
// that every program words its mistakes alike.

#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/types.h"

namespace lm::cli {

enum class FlagKind {
  kSwitch,  // --name / --no-name
  kString,
  kPath,
  kInt,
  kCount,  // 1000, 1e6
  kSize,   // bytes with K M G T
  kFloat,
  kChoice,
  kList,      // may be repeated; every value counts
  kOptional,  // --name or --name=VALUE
  kRepeat,    // a switch that counts: -vv
};

struct Flag {
  std::string name;  // without dashes
  char letter = '\0';
  FlagKind kind = FlagKind::kString;
  std::string value_name = "";  // "N", "FILE"
  std::string group = "";
  std::string def = "";      // default as text; empty = unset
  std::string help = "";     // one sentence without full stop
  std::string details = "";  // more, for --help and the manual
  std::vector<std::string> choices = {};
  f64 min = -std::numeric_limits<f64>::infinity();
  f64 max = std::numeric_limits<f64>::infinity();
  std::string bare = "";      // kOptional: the value of a bare --name
  bool semantic = true;       // can change the content of the output
  bool main = false;          // shown by -h
  std::string env = "";       // environment variable (only for how to run)
  bool may_be_empty = false;  // an empty text is a value, and help says which; else it is refused
  bool writes = false;        // kPath: names an output; others are read and no output may be one
  // Flags that must, or must not, be asked for beside this one (Options::asked). Of needs also
  // "a|b", one of them, and "name=x,y", an option whose value is one of these.
  std::vector<std::string> needs = {};
  std::vector<std::string> excludes = {};
};

struct Verb {
  std::string name;  // empty for a program without verbs; of two words where steps share the first
  std::string summary;
  std::vector<Flag> flags;
  bool streams = false;        // reads and writes record streams, whatever the program's others do
  bool kernels = false;        // can compute on a GPU, whatever they do
  bool stateful = false;       // saves its state on a stop request and exits 75, whatever they do
  std::string chosen_by = "";  // an option of its own that stands for the verb where none is named
};

struct Example {
  std::string command;
  std::string what;
};

struct ToolSpec {
  std::string name;     // "lm-cat"
  std::string summary;  // one sentence without full stop
  std::string operands = "[FILE]...";
  std::vector<Verb> verbs;       // the first is the default
  std::vector<Flag> flags = {};  // of every verb
  std::vector<Example> examples = {};
  bool wide = false;               // uses all cores by default (training, decoding)
  bool latency = false;            // --flush latency by default
  bool annotate = false;           // --on-error annotate offered and the default
  bool stateful = false;           // saves its state on a stop request and exits 75
  std::string stateful_with = "";  // ... but only when this option is given
  bool streams = true;             // reads and writes record streams
  bool kernels = false;            // can compute on a GPU
  std::vector<std::string> see_also = {};

  const Verb& verb(const std::string& verb_name) const;
  bool streams_in(const std::string& verb_name) const { return streams || verb(verb_name).streams; }
  bool kernels_in(const std::string& verb_name) const { return kernels || verb(verb_name).kernels; }
  bool stateful_in(const std::string& verb_name) const {
    return stateful || verb(verb_name).stateful;
  }
  bool has_verbs() const { return verbs.size() > 1 || !verbs[0].name.empty(); }
};

/// A flag's need in words: "--objective sft", "--data or --eval-data".
std::string need_text(std::string_view need);

/// Tables one behind the other.
std::vector<Flag> joined(std::initializer_list<std::vector<Flag>> parts);

/// The flags that every program has, in the order of the manual. streams: with those of streams.
std::vector<Flag> common_flags(const ToolSpec& spec, bool streams);
/// --field PATH, where a record's text is; main: in the short help.
Flag text_field_flag(const std::string& group, bool main = true);
/// Own flags of the verb, the program's, the common ones.
std::vector<Flag> all_flags(const ToolSpec& spec, const std::string& verb);

enum class Origin { kDefault, kEnvironment, kConfig, kCommandLine };

/// Resolved values. Getters throw Error{kInternal} for names that are not in the table.
class Options {
 public:
  Options() = default;
  explicit Options(std::vector<Flag> flags);

  const std::vector<Flag>& flags() const { return flags_; }
  /// Sets a value as text; validates kind, range and choices. where names the origin in messages.
  /// Throws Error{kUsage} (kConfig when origin is kConfig).
  void set(const std::string& name, const std::vector<std::string>& values, Origin origin,
           const std::string& where);

  bool given(const std::string& name) const;  // set to something, by default or otherwise
  bool explicitly(const std::string& name) const { return origin(name) != Origin::kDefault; }
  /// Explicitly, but not by a settings file that repeats the default, as --print-config writes it.
  bool asked(const std::string& name) const;
  /// The same for what needs or excludes others: a switch asks where it is not as by default.
  bool asks(const Flag& flag) const;
  Origin origin(const std::string& name) const;
  bool on(const std::string& name) const;
  const std::string& text(const std::string& name) const;  // "" when unset
  i64 integer(const std::string& name) const;              // kInt, kCount, kSize, kRepeat
  f64 real(const std::string& name) const;                 // kFloat
  const std::vector<std::string>& list(const std::string& name) const;
  std::optional<i64> maybe_integer(const std::string& name) const;
  std::optional<f64> maybe_real(const std::string& name) const;

  /// {"name":value,...} of the semantic flags, resolved, in table order; without those named.
  std::string params_json(std::initializer_list<std::string_view> without = {}) const;
  /// Every flag for the report.
  std::string all_json() const;

  const Flag* find(const std::string& name) const;

 private:
  struct Value {
    std::vector<std::string> texts;
    i64 whole = 0;
    f64 real = 0;
    Origin origin = Origin::kDefault;
  };
  const Value& value(const std::string& name) const;
  std::string value_json(const Flag& flag) const;

  std::vector<Flag> flags_;
  std::map<std::string, Value> values_;
};

}  // namespace lm::cli
