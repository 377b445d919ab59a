// The options as a plan.

#include <algorithm>

#include "core/str.h"
#include "io/json.h"
#include "mix.h"

namespace lm::mix_tool {

namespace {

mix::OnMissing on_missing(const cli::Options& options) {
  const std::string& what = options.text("on-missing");
  return what == "keep"    ? mix::OnMissing::kKeep
         : what == "drop"  ? mix::OnMissing::kDrop
         : what == "error" ? mix::OnMissing::kError
                           : mix::OnMissing::kFalse;
}

mix::BadSpans bad_spans(const cli::Options& options) {
  const std::string& what = options.text("bad-spans");
  return what == "clip"   ? mix::BadSpans::kClip
         : what == "drop" ? mix::BadSpans::kDrop
                          : mix::BadSpans::kError;
}

/// Whole names of --allow-missing, each of which some rule has to name.
std::vector<std::string> allowed_names(const cli::Options& options, const mix::Names& names) {
  std::vector<std::string> out;
  for (const std::string& given : options.list("allow-missing")) {
    const std::string name = mix::attribute_name(given);
    const std::vector<std::string>& known = names.attributes();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const std::string near = nearest_name(name, known, 3);
      throw Error(ErrorKind::kUsage,
                  cat("--allow-missing: no rule names the attribute ", quote(given)),
                  near.empty() ? std::string() : cat("did you mean ", near, "?"));
    }
    out.push_back(name);
  }
  return out;
}

}  // namespace

Plan::Plan(const cli::Options& options, u64 run_seed)
    : names(options.text("field")),
      rules(on_missing(options)),
      cutter(bad_spans(options)),
      seed(run_seed) {
  for (const std::string& text : options.list("where"))
    rules.add(mix::RuleKind::kWhere, text, "--where", names);
  for (const std::string& text : options.list("drop"))
    rules.add(mix::RuleKind::kDrop, text, "--drop", names);
  for (const std::string& spec : options.list("cut"))
    cutter.add(spec, names, "--cut");
  if (options.given("sample")) {
    sample.emplace(options.text("sample"), mix::Expression::Yields::kNumber, names, "--sample");
  }
  if (options.given("count"))
    count.emplace(options.text("count"), mix::Expression::Yields::kNumber, names, "--count");
  cleaners = clean_plan(options);
  as_attributes = options.on("as-attributes");
  asked = isize(names.paths());
  attributes = names.field("attributes");
  id = names.field("id");
  source = names.field("source");
  if (options.given("weights")) weights = mix::parse_weights(options.text("weights"));
  if (options.given("budget")) {
    budget = static_cast<f64>(options.integer("budget"));
    if (!weights) weights.emplace();
  }
  unique_ids = options.on("unique-ids");
  min_left = options.integer("min-left");
  lax = options.on("lax-attributes");
  allowed = allowed_names(options, names);

  // What is written anew, so that no field is given twice.
  std::vector<std::string> written = options.list("discard");
  const bool without = std::find(written.begin(), written.end(), "attributes") != written.end();
  const bool changes = cutter.size() > 0 || (cleaners.size() > 0 && !as_attributes);
  drop_attributes = changes && !options.on("keep-attributes") && !without;
  for (const std::string& path : written)
    discard.push_back(names.field(path));
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

}  // namespace lm::mix_tool
