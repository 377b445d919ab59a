// The option tables of lm-dedup.

#include "flags.h"

#include "dedup.h"
#include "text/normalize.h"

namespace lm::dedup_tool {

namespace {

using cli::Flag;
using cli::FlagKind;
using cli::Verb;

}  // namespace

std::vector<std::string> normaliser_choices() {
  const std::span<const std::string> all = text::normaliser_names();
  return {all.begin(), all.end()};
}

std::vector<Flag> action_flags(const std::string& verb) {
  const std::string group = "Duplicates";
  return {
      {.name = "action",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = group,
       .def = "annotate",
       .help = "mark duplicates in an attribute, remove them, or count them only",
       .details = "report: records pass unchanged, the figures are in the --report.",
       .choices = {"annotate", "remove", "report"},
       .main = true},
      {.name = "attr",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = group,
       .def = "lm_dedup_" + verb,
       .help = "name of the attribute",
       .details =
           "The attribute is a list of spans [start, end, score] in code points of the text; "
           "it is empty where nothing is a duplicate.",
       .needs = {"action=annotate"}},
      cli::text_field_flag(group, false),
  };
}

Flag missing_flag() {
  return {.name = "on-missing",
          .kind = FlagKind::kChoice,
          .value_name = "WHAT",
          .group = "Keys",
          .def = "error",
          .help = "records without the field, or with null in it: bad records, or kept as they are",
          .choices = {"error", "keep"}};
}

Flag prefer_flag() {
  return {.name = "prefer",
          .kind = FlagKind::kString,
          .value_name = "WHICH",
          .group = "Duplicates",
          .def = "first",
          .help = "which copy is kept",
          .details =
              "first; longest or shortest (text); newest:FIELD or oldest:FIELD (ISO 8601 time); "
              "source=a,b,c (the field source, in this order, others last); attr:NAME:desc or "
              "attr:NAME:asc (score of the attribute's first span). Where that ties, the first. "
              "Records without the value come last. Other than first, all records are read "
              "before one is written.",
          .main = true};
}

namespace {

/// Exact set or Bloom filter.
std::vector<Flag> memory_flags() {
  const std::string group = "Exact set and Bloom filter";
  return {
      {.name = "exact",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "remember every key (the default without a --bloom option)",
       .details =
           "128-bit digests in memory up to --memory, then sorted on disk: no false positives.",
       .semantic = false,
       .excludes = {"bloom-n", "bloom-size", "bloom-in", "bloom-out"}},
      {.name = "bloom-n",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .help = "use a Bloom filter for N different keys",
       .min = 1,
       .main = true},
      {.name = "bloom-p",
       .kind = FlagKind::kFloat,
       .value_name = "P",
       .group = group,
       .def = "1e-6",
       .help = "its false-positive rate at N keys",
       .min = 1e-15,
       .max = 0.5,
       .needs = {"bloom-n"},
       .excludes = {"bloom-size"}},
      {.name = "bloom-size",
       .kind = FlagKind::kSize,
       .value_name = "SIZE",
       .group = group,
       .help = "its size, instead of --bloom-p",
       .min = 16384},
      {.name = "bloom-scheme",
       .kind = FlagKind::kChoice,
       .value_name = "SCHEME",
       .group = group,
       .def = "auto",
       .help = "probes anywhere (classic) or in one cache line (blocked)",
       .details = "auto: blocked for rates from 1e-4 up, else classic.",
       .choices = {"auto", "classic", "blocked"},
       .needs = {"bloom-n"}},
      {.name = "bloom-in",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = group,
       .help = "start from this filter file",
       .semantic = false},
      {.name = "bloom-out",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = group,
       .help = "write the filter at the end",
       .semantic = false,
       .writes = true},
      {.name = "bloom-read-only",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "only look keys up in --bloom-in, insert nothing",
       .needs = {"bloom-in"}},
      {.name = "on-overfull",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = group,
       .def = "warn",
       .help = "when the false-positive rate passes twice its target",
       .choices = {"warn", "stop"},
       .needs = {"bloom-n|bloom-in"}},
  };
}

Flag normalise_flag(const std::string& def) {
  return {.name = "normalise",
          .kind = FlagKind::kChoice,
          .value_name = "NAME",
          .group = "Keys",
          .def = def,
          .help = "what is done to the text before it is compared",
          .choices = normaliser_choices(),
          .main = true};
}

Verb document_verb() {
  const std::string keys = "Keys";
  const std::vector<Flag> own = {
      {.name = "key",
       .kind = FlagKind::kList,
       .value_name = "PATH",
       .group = keys,
       .help = "compare this field instead of the text; may be repeated",
       .main = true},
      normalise_flag("raw"),
      missing_flag(),
      {.name = "min-words",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = keys,
       .def = "0",
       .help = "keys with fewer words take no part"},
      {.name = "min-chars",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = keys,
       .def = "0",
       .help = "keys with fewer characters take no part"},
      {.name = "dedup-empty",
       .kind = FlagKind::kSwitch,
       .group = keys,
       .help = "blank keys are duplicates of each other"},
  };
  return {"document", "equal documents, or equal values of a field",
          cli::joined({own, action_flags("document"), {prefer_flag()}, memory_flags()})};
}

Verb paragraph_verb() {
  const std::string keys = "Keys";
  const std::vector<Flag> own = {
      {.name = "separator",
       .kind = FlagKind::kString,
       .value_name = "TEXT",
       .group = keys,
       .def = "\\n",
       .help = "what ends a paragraph (\\n and \\t are understood)"},
      normalise_flag("raw"),
      {.name = "min-words",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = keys,
       .def = "0",
       .help = "paragraphs with fewer words take no part"},
      {.name = "min-chars",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = keys,
       .def = "0",
       .help = "paragraphs with fewer characters take no part"},
      {.name = "skip-empty",
       .kind = FlagKind::kSwitch,
       .group = keys,
       .help = "blank paragraphs take no part"},
      {.name = "across-only",
       .kind = FlagKind::kSwitch,
       .group = keys,
       .help = "repeats inside one document do not count"},
      {.name = "drop-if-empty",
       .kind = FlagKind::kSwitch,
       .group = "Duplicates",
       .help = "with --action remove: drop documents of which only blanks are left",
       .needs = {"action=remove"}},
      {.name = "min-left",
       .kind = FlagKind::kCount,
       .value_name = "CHARS",
       .group = "Duplicates",
       .def = "0",
       .help = "drop documents that were cut to fewer characters",
       .needs = {"action=remove"}},
  };
  return {"paragraph", "paragraphs that an earlier document, or the same, already has",
          cli::joined({own, action_flags("paragraph"), memory_flags()})};
}

}  // namespace

std::vector<Verb> verbs() {
  return {document_verb(),
          paragraph_verb(),
          minhash_verb(),
          {"bloom", "look at filter files: info|merge|and|test FILE...", {}}};
}

}  // namespace lm::dedup_tool
