// The options of lm-stats.

#include "common/rule_options.h"
#include "common/sidecars.h"
#include "stats_tool.h"

namespace lm::stats_tool {

using cli::Flag;
using cli::FlagKind;

namespace {

std::vector<Flag> number_flags() {
  const std::string g = "Numbers";
  return {
      cli::text_field_flag("Texts", false),
      {.name = "count",
       .kind = FlagKind::kString,
       .value_name = "EXPR",
       .group = "Texts",
       .help = "how many tokens a record has, for totals and rules: a whole number"},
      {.name = "number",
       .kind = FlagKind::kList,
       .value_name = "[NAME=]EXPR",
       .group = g,
       .help = "a number to describe; may be repeated",
       .main = true},
      {.name = "discover",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = g,
       .def = "auto",
       .help = "describe every attribute, and every number of the record and of metadata; auto: "
               "unless --number names some",
       .choices = {"auto", "yes", "no"}},
      {.name = "edges",
       .kind = FlagKind::kList,
       .value_name = "NAME=E1,E2,...",
       .group = g,
       .help = "count a number exactly in bins of these edges; may be repeated",
       .details = "NAME is that of a --number, or the path of a field or attribute: "
                  "attributes.KEY, metadata.stars."},
      {.name = "exact",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "quantiles and histograms of the values as they are, which takes memory for each",
       .details = "Else values have eight significant bits there: within 0.4 %, exact up to 256."},
  };
}

std::vector<Flag> value_flags() {
  const std::string g = "Values and groups";
  return {
      {.name = "top",
       .kind = FlagKind::kList,
       .value_name = "FIELD",
       .group = g,
       .help = "count the values of a field: a path, host(PATH) or suffix(PATH); may be repeated",
       .main = true},
      {.name = "group",
       .kind = FlagKind::kString,
       .value_name = "FIELD",
       .group = g,
       .help = "totals and numbers for each value of a field too",
       .main = true},
      {.name = "cross",
       .kind = FlagKind::kString,
       .value_name = "FIELD,FIELD",
       .group = g,
       .help = "a table of documents by two fields"},
      {.name = "values",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "100000",
       .help = "counts of values are exact up to about N different ones, then estimated",
       .min = 1000},
      {.name = "ids",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "1000000",
       .help = "repeated ids are counted exactly up to N different ones, then estimated",
       .min = 1000},
  };
}

std::vector<Flag> example_flags() {
  const std::string g = "Rules";
  return {
      {.name = "rules",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "further rules, one a line: [drop|where] NAME=EXPR, without a word drop",
       .semantic = false,
       .main = true},
      {.name = "examples",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "0",
       .help = "show N records that each rule removes, and N of each bin of --edges",
       .details = "Which ones depends on the seed and their sources and ids only.",
       .min = 0,
       .max = 10000,
       .main = true},
      {.name = "extract",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "300",
       .help = "characters of their texts",
       .min = 1,
       .max = 100000,
       .needs = {"examples"}},
  };
}

std::vector<Flag> report_flags() {
  const std::string g = "Report";
  return {
      {.name = "json",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "print one JSON document",
       .semantic = false,
       .main = true,
       .excludes = {"tsv", "partial"}},
      {.name = "tsv",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "print tables with tabs",
       .semantic = false,
       .excludes = {"partial"}},
      {.name = "html",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "write a page with histograms and examples too",
       .semantic = false,
       .main = true,
       .writes = true,
       .excludes = {"partial"}},
      {.name = "partial",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "write a partial result, for lm-stats merge",
       .semantic = false,
       .main = true},
      {.name = "quantiles",
       .kind = FlagKind::kString,
       .value_name = "Q,...",
       .group = g,
       .def = "0.05,0.25,0.5,0.75,0.95",
       .help = "which quantiles of numbers are shown",
       .semantic = false},
      {.name = "bins",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "20",
       .help = "about how many bins a histogram has",
       .min = 1,
       .max = 1000,
       .semantic = false},
      {.name = "show",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "20",
       .help = "how many values of a field are shown",
       .min = 1,
       .semantic = false},
      {.name = "histograms",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "print histograms as tables",
       .semantic = false},
  };
}

}  // namespace

std::vector<cli::Verb> verbs() {
  return {
      {"count", "reads records",
       cli::joined({tool_options::rule_flags(), example_flags(),
                    tool_options::sidecar_flags(nullptr), number_flags(), value_flags(),
                    report_flags()})},
      {"merge", "adds up partial results", report_flags()},
  };
}

}  // namespace lm::stats_tool
