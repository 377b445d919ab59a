// The options of lm-cat for inputs of other formats.

#include "from.h"

namespace lm::cat_tool {

using cli::FlagKind;

std::vector<cli::Flag> from_flags() {
  const std::string g = "Other formats";
  const std::vector<std::string> tables = {"from=csv,tsv,parquet,auto"};
  const std::vector<std::string> text_tables = {"from=csv,tsv,auto"};
  // What they do to records goes into the stream's header when there is something to convert.
  return {
      {.name = "from",
       .kind = FlagKind::kChoice,
       .value_name = "FORMAT",
       .group = g,
       .def = "jsonl",
       .help = "what the inputs are; other formats than jsonl become records with id, text, source "
               "and metadata",
       .details = "csv, tsv, parquet: a row is a record. text: see --unit. wet: the conversion "
                  "records of a "
                  "WARC file. warc: also its responses, HTML without its tags, menus and forms. "
                  "auto: by the suffix of each name. Plain, gzip or zstd, but for parquet. A "
                  "folder stands for the "
                  "files of that format in it and below, in the order of their names.",
       .choices = {"jsonl", "text", "csv", "tsv", "parquet", "wet", "warc", "auto"},
       .semantic = false,
       .main = true,
       .excludes = {"check", "header", "compare", "expect-end"}},
      {.name = "source",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = g,
       .help = "the records' source",
       .semantic = false,
       .needs = {"from=text,csv,tsv,parquet,wet,warc,auto"}},
      {.name = "unit",
       .kind = FlagKind::kChoice,
       .value_name = "UNIT",
       .group = g,
       .def = "file",
       .help = "what a document of text is",
       .details = "A paragraph is the lines between blank ones. Ids are FILE, or FILE:LINE.",
       .choices = {"file", "line", "paragraph"},
       .semantic = false,
       .needs = {"from=text,auto"}},
      {.name = "text-column",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = g,
       .def = "text",
       .help = "the column that holds the text",
       .details = "The empty name is that of a column without one.",
       .semantic = false,
       .may_be_empty = true,
       .needs = tables},
      {.name = "id-column",
       .kind = FlagKind::kString,
       .value_name = "NAME",
       .group = g,
       .help = "the column that holds the id; without one, id if it is there, else FILE:ROW",
       .details = "The empty name is that of a column without one, as of row numbers of pandas.",
       .semantic = false,
       .may_be_empty = true,
       .needs = tables},
      {.name = "metadata-columns",
       .kind = FlagKind::kString,
       .value_name = "A,B,...",
       .group = g,
       .def = "all",
       .help = "the columns that go into metadata; all are those without other use, or none",
       .details = "Columns source, added and created are fields of the record itself.",
       .semantic = false,
       .needs = tables},
      {.name = "types",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = g,
       .def = "strings",
       .help = "metadata of csv and tsv: every cell a string, or guess",
       .details = "guess: numbers spelled as in JSON, true and false are such, empty cells without "
                  "quotes are null.",
       .choices = {"strings", "guess"},
       .semantic = false,
       .needs = text_tables},
      {.name = "columns",
       .kind = FlagKind::kString,
       .value_name = "A,B,...",
       .group = g,
       .help = "names of the columns of a table without header line",
       .semantic = false,
       .needs = text_tables},
      {.name = "delimiter",
       .kind = FlagKind::kString,
       .value_name = "C",
       .group = g,
       .help = "the byte between cells; a comma in csv, a tab in tsv",
       .semantic = false,
       .needs = {"from=csv,tsv"}},
      {.name = "quoting",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = g,
       .help = "quotes around cells (csv), none (tsv), or backslash escapes",
       .details = "backslash: \\t \\n \\r \\\\ and \\N for null, as the dumps of databases have "
                  "them.",
       .choices = {"quotes", "none", "backslash"},
       .semantic = false,
       .needs = text_tables},
  };
}

}  // namespace lm::cat_tool
