// The options of lm-mix.

#include "clean.h"
#include "common/rule_options.h"
#include "mix.h"

namespace lm::mix_tool {

namespace {

using cli::Flag;
using cli::FlagKind;
using Flags = std::vector<Flag>;

Flags filter_flags() {
  const std::string g = "Rules";
  return {
      {.name = "include",
       .kind = FlagKind::kList,
       .value_name = "FILTER",
       .group = g,
       .help = "keep records that FILTER picks, or one of several; in the language of --syntax",
       .details = "All of them are one rule, include."},
      {.name = "exclude",
       .kind = FlagKind::kList,
       .value_name = "[NAME=]FILTER",
       .group = g,
       .help = "remove records that FILTER picks; may be repeated"},
      {.name = "syntax",
       .kind = FlagKind::kChoice,
       .value_name = "LANGUAGE",
       .group = g,
       .def = "jsonpath",
       .help = "language of --include and --exclude: a part of JSONPath, or jq, which is slow",
       .choices = {"jsonpath", "jq"}},
      {.name = "require",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "a run that leaves no record, or a stream of a recipe that does, is an error",
       .semantic = false},
      {.name = "report-only",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "print what each rule removes, alone and with others, and write no records",
       .main = true},
  };
}

Flags text_flags() {
  const std::string g = "Texts";
  return {
      cli::text_field_flag(g, false),
      {.name = "cut",
       .kind = FlagKind::kList,
       .value_name = "KEY[>=MIN][<MAX][:REPLACEMENT]",
       .group = g,
       .help = "cut the spans of attribute KEY out of the text, or replace them; may be repeated",
       .details =
           "Spans of scores from MIN on and below MAX. In REPLACEMENT {} stands for the span's "
           "text; $PATH alone is the value of a field, $$ at the beginning stands for $.",
       .main = true},
      {.name = "keep-attributes",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "keep the attributes of texts that were changed, whose offsets are wrong then"},
      {.name = "bad-spans",
       .kind = FlagKind::kChoice,
       .value_name = "WHAT",
       .group = g,
       .def = "error",
       .help =
           "spans that end behind the text: cut what there is of them, leave them, or the record "
           "is bad",
       .choices = {"clip", "drop", "error"},
       .needs = {"cut|recipe"}},
      {.name = "min-left",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "1",
       .help =
           "remove documents of which cuts and cleaners leave fewer than N characters, blanks at "
           "the ends not counted; 0: none",
       .min = 0,
       .needs = {"cut|clean|recipe"}},
      {.name = "min-text-length",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "0",
       .help = "remove documents of fewer than N characters, cut or not, blanks at the ends not "
               "counted",
       .min = 0},
      {.name = "discard",
       .kind = FlagKind::kList,
       .value_name = "FIELD",
       .group = g,
       .help = "leave this field out of what is written; may be repeated"},
      {.name = "provenance",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "set metadata.provenance to the input's file name and line"},
  };
}

Flags sample_flags() {
  const std::string g = "Sampling";
  return {
      {.name = "sample",
       .kind = FlagKind::kString,
       .value_name = "P",
       .group = g,
       .help = "write each record P times on average; P is a number or an expression",
       .details =
           "Whether a record stays depends on the seed, its source and its id alone: a sample is "
           "the same however the records are sharded, and one of a larger P contains it. Copies "
           "have metadata.lm_mix.copy 1, 2, ...",
       .main = true},
      {.name = "weights",
       .kind = FlagKind::kString,
       .value_name = "HOW",
       .group = g,
       .help = "mix sources: SOURCE=WEIGHT,... or temperature:ALPHA or unimax:EPOCHS",
       .details =
           "Shares of what is written, counted by --count; the source is the field source. "
           "temperature: in proportion to n^ALPHA; unimax: as evenly as the sizes allow without "
           "repeating any source more than EPOCHS times. Records are read, then written.",
       .main = true,
       .excludes = {"sample"}},
      {.name = "budget",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help =
           "write about N bytes of text, or of what --count counts; default: as much as there is",
       .min = 1,
       .main = true,
       .excludes = {"sample"}},
      {.name = "count",
       .kind = FlagKind::kString,
       .value_name = "EXPR",
       .group = g,
       .help = "what a record counts, as it was read, for --weights and --budget, which else count "
               "bytes of text as it is written, and beside records and bytes in the report"},
      {.name = "reservoir",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "write N records, all equally likely; with --group N of each group",
       .details =
           "Which ones depends on the seed, their sources and their ids, not on their order.",
       .min = 1,
       .excludes = {"sample", "weights", "budget", "top"}},
      {.name = "top",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "write the N records of which --by is greatest; with --group N of each group",
       .min = 1,
       .needs = {"by"},
       .excludes = {"sample", "weights", "budget"}},
      {.name = "by",
       .kind = FlagKind::kString,
       .value_name = "EXPR",
       .group = g,
       .help = "number by which --top ranks; of equal ones the draw decides",
       .needs = {"top"}},
      {.name = "group",
       .kind = FlagKind::kString,
       .value_name = "FIELD",
       .group = g,
       .help = "records with the same value of this field are a group; those without it, too",
       .needs = {"reservoir|top"}},
      {.name = "shuffle",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "write the records in random order: every order is equally likely",
       .details = "The order depends on the seed and the records only. What does not fit into "
                  "--memory goes to --tmp-dir.",
       .main = true},
      {.name = "shuffle-buffer",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "shuffle a stream without end, roughly: of N records that wait a random one leaves",
       .min = 1,
       .excludes = {"shuffle"}},
      {.name = "unique-ids",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "copies get ids of their own: ID#1, ID#2, ...",
       .needs = {"sample|weights|budget|recipe"}},
  };
}

Flags stream_flags() {
  const std::string g = "Streams and outputs";
  return {
      {.name = "recipe",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help =
           "make the streams of a YAML or JSON file, also one of Dolma's mixer, each into files "
           "of its own",
       .details = "The command line's rules and other options hold for every stream that does not "
                  "say otherwise. Outputs appear when all streams are complete, those of a stream "
                  "with STREAM.manifest.json; --skip-complete leaves streams that are.",
       .semantic = false,
       .main = true,
       .excludes = {"shard", "max-size"}},
      {.name = "max-size",
       .kind = FlagKind::kSize,
       .value_name = "SIZE",
       .group = g,
       .help = "write files of at most SIZE bytes of uncompressed records: -o NAME-%05d.jsonl.zst",
       .details = "A record that is larger has a file of its own.",
       .min = 1,
       .semantic = false,
       .excludes = {"skip-complete"}},
  };
}

}  // namespace

std::vector<cli::Flag> flags() {
  return cli::joined({tool_options::rule_flags(), filter_flags(),
                      tool_options::sidecar_flags("recipe"), text_flags(), clean_flags(),
                      sample_flags(), stream_flags()});
}

}  // namespace lm::mix_tool
