#include "common/rule_options.h"

#include "core/str.h"

namespace lm::tool_options {

std::vector<cli::Flag> rule_flags() {
  using cli::FlagKind;
  const std::string g = "Rules";
  return {
      {.name = "where",
       .kind = FlagKind::kList,
       .value_name = "[NAME=]EXPR",
       .group = g,
       .help = "keep records for which EXPR holds; may be repeated, all have to hold",
       .details = "NAME is the rule's in the report; without one it is where1, where2, ...",
       .main = true},
      {.name = "drop",
       .kind = FlagKind::kList,
       .value_name = "[NAME=]EXPR",
       .group = g,
       .help = "remove records for which EXPR holds; may be repeated",
       .main = true},
      {.name = "on-missing",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = g,
       .def = "false",
       .help =
           "a rule that needs a value which the record lacks: the comparison is false, the rule "
           "keeps or drops the record, or the record is bad",
       .choices = {"false", "keep", "drop", "error"}},
      {.name = "allow-missing",
       .kind = FlagKind::kList,
       .value_name = "KEY",
       .group = g,
       .help = "accept that no record has this attribute; may be repeated",
       .semantic = false},
      {.name = "lax-attributes",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "accept that for all attributes: a misspelt one is not noticed",
       .semantic = false},
  };
}

mix::OnMissing on_missing(const cli::Options& options) {
  const std::string& what = options.text("on-missing");
  return what == "keep"    ? mix::OnMissing::kKeep
         : what == "drop"  ? mix::OnMissing::kDrop
         : what == "error" ? mix::OnMissing::kError
                           : mix::OnMissing::kFalse;
}

std::string allowed_name(const std::string& given, const mix::Names& names,
                         const std::string& where, ErrorKind kind) {
  std::string name = mix::attribute_name(given);
  if (names.has_attribute(name)) return name;
  const std::string near = nearest_name(name, names.attributes(), 3);
  throw Error(kind, cat(where, ": no rule names the attribute ", quote(given)),
              near.empty() ? std::string() : cat("did you mean ", near, "?"));
}

std::vector<std::string> allowed_names(const cli::Options& options, const mix::Names& names) {
  std::vector<std::string> out;
  for (const std::string& given : options.list("allow-missing"))
    out.push_back(allowed_name(given, names, "--allow-missing", ErrorKind::kUsage));
  return out;
}

}  // namespace lm::tool_options
