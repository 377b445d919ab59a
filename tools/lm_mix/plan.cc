// The options as a plan.

#include "plan.h"

#include <algorithm>

#include "common/rule_options.h"
#include "core/str.h"
#include "io/json.h"
#include "mix/sample.h"

namespace lm::mix_tool {

std::string StreamOptions::place(const std::string& option, std::size_t i) const {
  const auto found = places.find(option);
  if (found == places.end()) return cat("--", option);
  return found->second[std::min(i, found->second.size() - 1)];
}

std::vector<mix::PlacedText> StreamOptions::placed(const std::string& option) const {
  std::vector<mix::PlacedText> out;
  for (const std::string& text : options.list(option))
    out.push_back({text, place(option, out.size())});
  return out;
}

std::string StreamOptions::params_json() const {
  std::string out = options.params_json();
  if (replacements.empty()) return out;
  out.pop_back();
  append(out, out.size() > 1 ? "," : "", "\"span_replacement\":[");
  for (const auto& [spec, where] : replacements) {
    append(out, out.back() == '[' ? "" : ",", "{\"span\":", io::json_string(spec.span),
           ",\"syntax\":\"", spec.syntax == mix::Syntax::kJq ? "jq" : "jsonpath",
           "\",\"replacement\":", io::json_string(spec.replacement));
    if (spec.min) append(out, ",\"min_score\":", *spec.min);
    if (spec.max) append(out, ",\"max_score\":", *spec.max);
    out += "}";
  }
  return out + "]}";
}

void check_together(const StreamOptions& stream) {
  const cli::Options& options = stream.options;
  const auto asks = [&](std::string_view name) {
    const cli::Flag* const flag = options.find(std::string(name));
    return flag != nullptr && options.asks(*flag);
  };
  for (const auto& [name, places] : stream.places) {
    const cli::Flag& flag = *options.find(name);
    if (!options.asks(flag)) continue;
    for (const std::string& other : flag.excludes) {
      if (asks(other))
        throw Error(stream.kind, cat(places[0], " and ", other, " exclude each other"));
    }
    for (const std::string& need : flag.needs) {
      const std::vector<std::string_view> ways = split(need, '|');
      const bool met = std::any_of(ways.begin(), ways.end(), asks) ||
                       (need == "cut" && !stream.replacements.empty());
      if (!met)
        throw Error(stream.kind,
                    cat(places[0], " needs ",
                        join(std::vector<std::string>(ways.begin(), ways.end()), " or ")));
    }
  }
  // An option of the command line may exclude one of the recipe's.
  for (const cli::Flag& flag : options.flags()) {
    if (!options.asks(flag)) continue;
    for (const std::string& other : flag.excludes) {
      const auto found = stream.places.find(other);
      if (found != stream.places.end() && asks(other))
        throw Error(stream.kind,
                    cat(found->second[0], " and --", flag.name, " exclude each other"));
    }
  }
}

namespace {

mix::BadSpans bad_spans(const cli::Options& options) {
  const std::string& what = options.text("bad-spans");
  return what == "clip"   ? mix::BadSpans::kClip
         : what == "drop" ? mix::BadSpans::kDrop
                          : mix::BadSpans::kError;
}

/// Whole names of --allow-missing.
std::vector<std::string> allowed_names(const StreamOptions& stream, const mix::Names& names) {
  std::vector<std::string> out;
  for (const auto& [given, where] : stream.placed("allow-missing")) {
    // What the command line allows need not be in every stream of a recipe.
    const bool loose =
        stream.kind == ErrorKind::kConfig && stream.places.count("allow-missing") == 0;
    if (loose && !names.has_attribute(mix::attribute_name(given))) continue;
    out.push_back(tool_options::allowed_name(given, names, where, stream.kind));
  }
  return out;
}

}  // namespace

void Plan::add_rules(const StreamOptions& stream) {
  for (const auto& [text, where] : stream.placed("where"))
    rules.add(mix::RuleKind::kWhere, text, where, names, stream.kind);
  for (const auto& [text, where] : stream.placed("drop"))
    rules.add(mix::RuleKind::kDrop, text, where, names, stream.kind);
  const mix::Syntax syntax =
      stream.options.text("syntax") == "jq" ? mix::Syntax::kJq : mix::Syntax::kJsonPath;
  rules.include(stream.placed("include"), syntax, names, stream.kind);
  for (const mix::PlacedText& one : stream.placed("exclude"))
    rules.exclude(one, syntax, names, stream.kind);
  for (const auto& [text, where] : stream.placed("cut"))
    cutter.add(text, names, where, stream.kind);
  for (const auto& [spec, where] : stream.replacements)
    cutter.add(spec, names, where, stream.kind);
}

void Plan::add_draws(const StreamOptions& stream) {
  const cli::Options& options = stream.options;
  const auto number = [&](const char* option, std::optional<mix::Expression>& out) {
    if (options.given(option))
      out.emplace(options.text(option), mix::Expression::Yields::kNumber, names,
                  stream.place(option), stream.kind);
  };
  number("sample", sample);
  if (sample) {
    // A number is the same for every record: wrong before any is read.
    const std::optional<f64> rate = parse_float(options.text("sample"));
    if (rate && !(*rate >= 0 && *rate <= mix::kMostCopies))
      throw Error(stream.kind,
                  cat(stream.place("sample"), " is ", *rate, ", expected 0 to ", mix::kMostCopies));
  }
  number("count", count);
  number("by", by);
  if (options.given("group")) group = names.field(options.text("group"));
  best = options.maybe_integer("reservoir").value_or(options.maybe_integer("top").value_or(0));
  window = options.maybe_integer("shuffle-buffer").value_or(0);
  shuffle = options.on("shuffle");
  if (options.given("weights")) weights = mix::parse_weights(options.text("weights"));
  if (options.given("budget")) {
    budget = static_cast<f64>(options.integer("budget"));
    if (!weights) weights.emplace();
  }
  unique_ids = options.on("unique-ids");
}

/// What is written anew, so that no field is given twice.
void Plan::add_outputs(const StreamOptions& stream) {
  const cli::Options& options = stream.options;
  std::vector<std::string> written = options.list("discard");
  const bool without = std::find(written.begin(), written.end(), "attributes") != written.end();
  const bool changes = cutter.size() > 0 || (cleaners.size() > 0 && !as_attributes);
  drop_attributes = changes && !options.on("keep-attributes") && !without;
  if (changes) written.push_back(names.paths()[mix::Names::kText]);
  if (drop_attributes || as_attributes) written.emplace_back("attributes");
  if (options.on("provenance")) {
    written.emplace_back("metadata.provenance");
    provenance = names.field(written.back());
  }
  if (sample || weights) {
    written.emplace_back("metadata.lm_mix.copy");
    copy = names.field(written.back());
    if (unique_ids) written.emplace_back("id");
  }
  io::check_apart(written);
}

Plan::Plan(const StreamOptions& stream, u64 run_seed)
    : names(stream.options.text("field")),
      rules(tool_options::on_missing(stream.options)),
      cutter(bad_spans(stream.options)),
      seed(run_seed) {
  const cli::Options& options = stream.options;
  add_rules(stream);
  add_draws(stream);
  for (const auto& [text, where] : stream.placed("clean"))
    cleaners.add(text, where, stream.kind);
  as_attributes = options.on("as-attributes");
  asked = isize(names.paths());
  for (const std::string& path : options.list("discard"))
    discard.push_back(names.field(path));
  named = isize(names.paths());
  attributes = names.field("attributes");
  id = names.field("id");
  source = names.field("source");
  min_left = options.integer("min-left");
  min_length = options.integer("min-text-length");
  lax = options.on("lax-attributes");
  allowed = allowed_names(stream, names);
  add_outputs(stream);
  const io::JsonReader judged(names.paths());  // throws for paths that are none
}

}  // namespace lm::mix_tool
