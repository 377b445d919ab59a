// lm-mix: keeps records by rules over their attributes, cuts spans out of texts, samples.

#include "lm_mix/clean.h"
#include "lm_mix/mix.h"

namespace {

using lm::cli::Flag;
using lm::cli::FlagKind;
using Flags = std::vector<Flag>;

Flags rule_flags() {
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
      {.name = "report-only",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "print what each rule removes, alone and with others, and write no records",
       .main = true},
  };
}

Flags sidecar_flags() {
  const std::string g = "Attribute files";
  return {
      {.name = "sidecar",
       .kind = FlagKind::kList,
       .value_name = "FOLDER",
       .group = g,
       .help = "take attributes from the files of FOLDER too; may be repeated",
       .details =
           "For documents/P/X the file FOLDER/P/X, for other inputs FOLDER/X: a row for each "
           "record, with its id, in the same order. Anything else ends the run.",
       .semantic = false,
       .main = true,
       .excludes = {"shard", "skip-complete"}},
      {.name = "attr-merge",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = g,
       .def = "replace",
       .help =
           "an attribute that the record has already is replaced, appended to, or the record is "
           "bad",
       .choices = {"replace", "append", "error"},
       .needs = {"sidecar"}},
  };
}

Flags text_flags() {
  const std::string g = "Texts";
  return {
      lm::cli::text_field_flag(g, false),
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
       .needs = {"cut"}},
      {.name = "min-left",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "1",
       .help = "remove documents of which cuts and cleaners leave fewer than N characters, blanks "
               "at the "
               "ends not counted; 0: none",
       .min = 0,
       .needs = {"cut|clean"}},
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
      {.name = "shuffle",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "write the records in random order: every order is equally likely",
       .details = "The order depends on the seed and the records only. What does not fit into "
                  "--memory goes to --tmp-dir.",
       .main = true},
      {.name = "unique-ids",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "copies get ids of their own: ID#1, ID#2, ...",
       .needs = {"sample|weights|budget"}},
  };
}

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-mix";
  spec.summary = "keep records by rules over their attributes, cut spans out of texts, sample";
  spec.verbs = {{"", "",
                 lm::cli::joined({rule_flags(), sidecar_flags(), text_flags(),
                                  lm::mix_tool::clean_flags(), sample_flags()})}};
  spec.examples = {
      {"lm-mix --where 'long=score(\"gopher_v1.word_count\") >= 50' tagged.jsonl.zst -o "
       "kept.jsonl.zst",
       "keep documents of 50 words and more"},
      {"lm-mix --report-only --drop 'web=source == \"web\"' --drop 'short=length(text) < 200' "
       "in.jsonl",
       "what two rules would remove, each and together"},
      {"lm-mix --cut 'pii_v3.email:|||EMAIL|||' --cut dup_paragraphs in.jsonl.zst",
       "replace addresses, cut repeated paragraphs out"},
      {"lm-mix --clean c4 --clean fineweb --report-only in.jsonl.zst",
       "what two cleaners would take away"},
      {"lm-mix --sample 0.1 in.jsonl.zst -o tenth.jsonl.zst", "a tenth, the same in any sharding"},
      {"lm-mix --weights temperature:0.5 --budget 3e9 --count 'score(\"tokens.n\")' --shuffle "
       "*.jsonl.zst -o mix.jsonl.zst",
       "three billion tokens, small sources more often, in random order"},
  };
  spec.see_also = {"lm-cat", "lm-dedup", "lm-ppl-filter"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, lm::mix_tool::run_mix);
}
