// lm-cat: joins, cuts, checks and re-frames record streams; makes them of other formats.

#include <map>

#include "cli/tool.h"
#include "core/str.h"
#include "io/cat.h"
#include "io/file_header.h"
#include "lm_cat/from.h"
#include "lm_cat/to.h"

using namespace lm;
using cli::Flag;
using cli::FlagKind;

namespace {

cli::ToolSpec make_spec() {
  const std::string g = "What to do";
  cli::ToolSpec spec;
  spec.name = "lm-cat";
  spec.summary = "Joins, cuts, checks and re-frames record streams";
  spec.verbs = {
      {.name = "",
       .summary = "",
       .flags = {
           {.name = "head",
            .letter = 'n',
            .kind = FlagKind::kCount,
            .value_name = "N",
            .group = g,
            .help = "stop after N records",
            .min = 0,
            .main = true,
            .excludes = {"check", "header", "compare", "split"}},
           {.name = "check",
            .kind = FlagKind::kOptional,
            .value_name = "full",
            .group = g,
            .help = "verify end frames from the frame headers alone; =full reads and digests every "
                    "record",
            .details = "Prints one line per input. Exit 1 when an input is not a complete stream "
                       "of this toolkit.",
            .choices = {},
            .bare = "frames",
            .semantic = false,
            .main = true,
            .excludes = {"header", "compare", "split", "output"}},
           {.name = "header",
            .kind = FlagKind::kSwitch,
            .group = g,
            .help = "print the provenance of each input as JSON",
            .semantic = false,
            .main = true,
            .excludes = {"compare", "split", "output"}},
           {.name = "compare",
            .kind = FlagKind::kSwitch,
            .group = g,
            .help = "compare two inputs as bags of records: exit 0 if equal, 1 if not",
            .semantic = false,
            .main = true,
            .excludes = {"split", "output"}},
           {.name = "split",
            .kind = FlagKind::kCount,
            .value_name = "N",
            .group = g,
            .help = "deal the records to N files named by the printf pattern in --output",
            .details = "'part-%05d-of-%05d.jsonl.zst' gets index and N. Records go round robin by "
                       "blocks of 4 MiB.",
            .min = 1,
            .max = 100000,
            .semantic = false,
            .main = true},
           {.name = "validate",
            .kind = FlagKind::kChoice,
            .value_name = "HOW",
            .group = g,
            .def = "used",
            .help = "how much of a record's JSON is checked",
            .details = "used: structure only; full: every value, as a strict parser would.",
            .choices = {"used", "full"},
            .excludes = {"check", "header", "compare"}},
       }}};
  spec.verbs[0].flags =
      cli::joined({spec.verbs[0].flags, cat_tool::from_flags(), cat_tool::to_flags()});
  spec.examples = {
      {"lm-cat a.jsonl.zst b.jsonl.zst -o all.jsonl.zst", "join two files"},
      {"lm-cat --head 1000 --compress none all.jsonl.zst | jq -c .id",
       "look at the first thousand records"},
      {"lm-cat --check=full part-*.jsonl.zst", "verify that every part is complete"},
      {"lm-cat --from csv --text-column body export.csv.gz -o all.jsonl.zst",
       "the rows of a table as records"},
      {"lm-cat --to parquet all.jsonl.zst -o all.parquet", "records as rows of a Parquet file"},
      {"lm-cat --split 8 --output 'part-%05d-of-%05d.jsonl.zst' all.jsonl.zst",
       "cut a file into eight"},
  };
  return spec;
}

void run_check(cli::Tool& tool) {
  const bool full = tool.options().text("check") != "frames";
  if (full && tool.options().text("check") != "full") {
    throw Error(ErrorKind::kUsage,
                cat("--check: ", quote(tool.options().text("check")), " is not full"));
  }
  tool.need_input();
  std::string out;
  for (const std::string& file :
       tool.files().empty() ? std::vector<std::string>{"-"} : tool.files()) {
    const io::CheckResult result =
        full ? io::check_records(file, tool.ctx()) : io::check_frames(file);
    append(out, io::input_display_name(file), ": ", result.complete ? "complete" : "not complete",
           ", ", result.totals.records, " records, ", result.totals.bytes, " bytes, digest ",
           hex64(result.totals.digest), result.detail.empty() ? "" : cat(": ", result.detail),
           "\n");
    if (!result.complete) tool.set_exit(1);
  }
  io::write_full(1, out.data(), static_cast<i64>(out.size()), "<stdout>");
}

void run_header(cli::Tool& tool) {
  tool.need_input();
  std::string out;
  for (const std::string& file :
       tool.files().empty() ? std::vector<std::string>{"-"} : tool.files()) {
    const std::optional<io::StreamHeader> header =
        io::file_header(file == "-" ? "/dev/stdin" : file);
    append(out, header ? header->json() : std::string("null"), "\n");
  }
  io::write_full(1, out.data(), static_cast<i64>(out.size()), "<stdout>");
}

void run_compare(cli::Tool& tool) {
  if (tool.files().size() != 2) throw Error(ErrorKind::kUsage, "--compare needs two inputs");
  const io::StreamTotals a = io::count_records(tool.files()[0], tool.ctx());
  const io::StreamTotals b = io::count_records(tool.files()[1], tool.ctx());
  if (a == b) return;
  tool.set_exit(1);
  tool.console().message(
      LogLevel::kWarning,
      cat(tool.files()[0], " has ", a.records, " records and digest ", hex64(a.digest), ", ",
          tool.files()[1], " has ", b.records, " and ", hex64(b.digest)));
}

void run_cat(cli::Tool& tool) {
  io::CatOptions options;
  options.head = tool.options().maybe_integer("head");
  options.validate_full = tool.options().text("validate") == "full";
  cat_tool::From from(tool);
  tool.input();
  io::cat_records(tool.records(), tool.input(), options);
  from.finish();
}

void run_split(cli::Tool& tool) {
  const std::string pattern = tool.options().text("output");
  if (pattern == "-")
    throw Error(ErrorKind::kUsage, "--split needs --output 'part-%05d-of-%05d.jsonl.zst'");
  cat_tool::From from(tool);
  const i64 parts = tool.options().integer("split");
  for (i64 i = 0; i < parts; ++i)
    tool.claim_output(io::part_name(pattern, i, parts));
  const std::optional<io::Compression> compression =
      io::parse_compression(tool.options().text("compress"));
  if (!compression)
    throw Error(ErrorKind::kUsage,
                cat("--compress: ", quote(tool.options().text("compress")), " is unknown"));
  io::StreamOutputOptions out;
  out.compression = *compression;
  out.seekable = tool.options().on("seekable");
  out.file = tool.output_options();
  io::CatOptions options;
  options.validate_full = tool.options().text("validate") == "full";
  io::split_records(tool.records_only(), pattern, parts, out, tool.header(), tool.input(), options,
                    tool.ctx());
  from.finish();
}

void body(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (options.given("check")) return run_check(tool);
  if (options.on("header")) return run_header(tool);
  if (options.on("compare")) return run_compare(tool);
  if (options.given("split")) return run_split(tool);
  if (cat_tool::wants_other(options)) return cat_tool::run_to_parquet(tool);
  run_cat(tool);
}

}  // namespace

int main(int argc, char** argv) {
  return cli::tool_main(argc, argv, make_spec, body);
}
