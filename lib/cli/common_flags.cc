// The options every program has. Wording here is the wording of every manual page.

#include "cli/flags.h"

namespace lm::cli {

namespace {

void add_stream_flags(const ToolSpec& spec, std::vector<Flag>& flags) {
  const std::string input = "Input and output";
  flags.push_back({.name = "files-from",
                   .kind = FlagKind::kPath,
                   .value_name = "FILE",
                   .group = input,
                   .help = "further inputs, one name a line",
                   .semantic = false});
  flags.push_back({.name = "files0-from",
                   .kind = FlagKind::kPath,
                   .value_name = "FILE",
                   .group = input,
                   .help = "further inputs, NUL-separated names",
                   .semantic = false});
  flags.push_back({.name = "shard",
                   .kind = FlagKind::kString,
                   .value_name = "I/N",
                   .group = input,
                   .def = "0/1",
                   .help = "take every N-th unit of the input, beginning with unit I",
                   .details =
                       "Units are zstd frames, 4 MiB line blocks of plain input, or files with "
                       "--shard-by file. 0 <= I < N.",
                   .semantic = false});
  flags.push_back({.name = "shard-by",
                   .kind = FlagKind::kChoice,
                   .value_name = "UNIT",
                   .group = input,
                   .def = "frame",
                   .help = "what --shard counts",
                   .choices = {"frame", "file"},
                   .semantic = false,
                   .needs = {"shard"}});
  flags.push_back({.name = "compress",
                   .letter = 'z',
                   .kind = FlagKind::kString,
                   .value_name = "auto|none|stored|zstd[:LEVEL]",
                   .group = input,
                   .def = "auto",
                   .help = "how the output is framed; bare -z is zstd:3",
                   .details =
                       "auto: plain to a terminal, stored zstd frames to a pipe, by suffix for "
                       "files (.zst is zstd:3, else none).",
                   .bare = "zstd:3",
                   .semantic = false,
                   .main = true});
  flags.push_back({.name = "seekable",
                   .kind = FlagKind::kSwitch,
                   .group = input,
                   .help = "write independent 4 MiB frames and a seek table",
                   .details =
                       "For parallel reading and sharding by frame. Some Python readers stop "
                       "silently after the first frame of such files; the default is one frame.",
                   .semantic = false});
  std::vector<std::string> policies = {"fail", "skip", "quarantine"};
  if (spec.annotate) policies.push_back("annotate");
  flags.push_back({.name = "on-error",
                   .kind = FlagKind::kChoice,
                   .value_name = "POLICY",
                   .group = input,
                   .def = spec.annotate ? "annotate" : "fail",
                   .help = "what happens to bad records",
                   .choices = policies});
  flags.push_back(
      {.name = "rejects",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = input,
       .help = "where --on-error quarantine stores bad records",
       .details =
           "One JSON object each: error (code, detail, file, line, offset) and the line itself as "
           "raw, or as raw_b64 if it is not UTF-8. Compressed if FILE ends in .zst.",
       .semantic = false,
       .writes = true,
       .needs = {"on-error=quarantine"}});
  flags.push_back({.name = "max-errors",
                   .kind = FlagKind::kString,
                   .value_name = "N|P%",
                   .group = input,
                   .def = "0",
                   .help = "give up after that many bad records; 0 is no limit",
                   .needs = {"on-error=skip,quarantine,annotate"}});
  flags.push_back({.name = "max-record",
                   .kind = FlagKind::kSize,
                   .value_name = "SIZE",
                   .group = input,
                   .def = "64M",
                   .help = "longer records are bad records",
                   .min = 1});
  flags.push_back({.name = "allow-empty",
                   .kind = FlagKind::kSwitch,
                   .group = input,
                   .help = "accept an input pipe without any bytes",
                   .semantic = false});
  flags.push_back({.name = "expect-end",
                   .kind = FlagKind::kSwitch,
                   .group = input,
                   .help = "refuse inputs without an end frame",
                   .semantic = false});
  flags.push_back({.name = "flush",
                   .kind = FlagKind::kChoice,
                   .value_name = "WHEN",
                   .group = input,
                   .def = spec.latency ? "latency" : "size",
                   .help = "send data by frame size, or after 1 s or 256 records",
                   .choices = {"size", "latency"},
                   .semantic = false});
}

}  // namespace

std::vector<Flag> joined(std::initializer_list<std::vector<Flag>> parts) {
  std::vector<Flag> all;
  for (const std::vector<Flag>& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

Flag text_field_flag(const std::string& group, bool main) {
  return {.name = "field",
          .kind = FlagKind::kString,
          .value_name = "PATH",
          .group = group,
          .def = "text",
          .help = "the field that holds the text",
          .main = main};
}

std::vector<Flag> common_flags(const ToolSpec& spec, bool streams) {
  const std::string input = "Input and output";
  const std::string running = "Running";
  const std::string messages = "Messages";
  std::vector<Flag> flags;
  flags.push_back({.name = "output",
                   .letter = 'o',
                   .kind = FlagKind::kPath,
                   .value_name = "FILE",
                   .group = input,
                   .def = "-",
                   .help = "write to FILE, which appears complete or not at all",
                   .semantic = false,
                   .main = true,
                   .writes = true});
  if (streams) add_stream_flags(spec, flags);
  flags.push_back({.name = "sync",
                   .kind = FlagKind::kSwitch,
                   .group = input,
                   .def = "true",
                   .help = "sync outputs to disk before they get their final name",
                   .semantic = false});
  flags.push_back({.name = "rename",
                   .kind = FlagKind::kSwitch,
                   .group = input,
                   .def = "true",
                   .help = "write under a temporary name first; --no-rename is for mounts without "
                           "atomic rename",
                   .semantic = false});
  flags.push_back(
      {.name = "skip-complete",
       .kind = FlagKind::kSwitch,
       .group = input,
       .help = "exit 0 at once if the output is complete, newer than the inputs and made "
               "with the same parameters",
       .details = "A stream must be framed (FILE.zst) to prove it; other outputs are made again.",
       .semantic = false});
  flags.push_back({.name = "threads",
                   .letter = 't',
                   .kind = FlagKind::kInt,
                   .value_name = "N",
                   .group = running,
                   .help = "total worker threads",
                   .details = spec.wide ? "Default: every core this process may use."
                                        : "Default: the cores this process may use, at most 4.",
                   .min = 1,
                   .max = 1024,
                   .semantic = false,
                   .main = true,
                   .env = "LM_THREADS"});
  flags.push_back({.name = "memory",
                   .kind = FlagKind::kString,
                   .value_name = "SIZE",
                   .group = running,
                   .def = "2G",
                   .help = "budget for data that grows with the input (2G, 50%)",
                   .semantic = false,
                   .env = "LM_MEMORY"});
  flags.push_back({.name = "tmp-dir",
                   .kind = FlagKind::kPath,
                   .value_name = "DIR",
                   .group = running,
                   .help = "folder for spill files; default $TMPDIR, /tmp",
                   .semantic = false,
                   .env = "LM_TMPDIR",
                   .writes = true});
  flags.push_back(
      {.name = "device",
       .kind = FlagKind::kString,
       .value_name = "auto|cpu|cuda[:I]",
       .group = running,
       .def = "auto",
       .help = "where kernels run",
       .details = "auto: a GPU where the program has kernels for it and one works, else the CPU.",
       .semantic = false,
       .env = "LM_DEVICE"});
  flags.push_back({.name = "seed",
                   .kind = FlagKind::kString,
                   .value_name = "N",
                   .group = running,
                   .def = "0",
                   .help = "seed of all random draws; 'random' draws one and records it",
                   .semantic = false});
  flags.push_back({.name = "grace",
                   .kind = FlagKind::kFloat,
                   .value_name = "SECS",
                   .group = running,
                   .def = "10",
                   .help = "time to save state after a stop signal",
                   .min = 0,
                   .max = 86400,
                   .semantic = false});
  flags.push_back({.name = "config",
                   .kind = FlagKind::kPath,
                   .value_name = "FILE",
                   .group = running,
                   .help = "read settings from a TOML file",
                   .semantic = false});
  flags.push_back({.name = "print-config",
                   .kind = FlagKind::kSwitch,
                   .group = running,
                   .help = "print the resolved settings in the form --config reads, and exit",
                   .semantic = false});
  flags.push_back(
      {.name = "report",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = messages,
       .help = "write a JSON report, also when the run fails (fd:N, and - with -o FILE)",
       .semantic = false,
       .main = true,
       .writes = true});
  flags.push_back({.name = "quiet",
                   .letter = 'q',
                   .kind = FlagKind::kSwitch,
                   .group = messages,
                   .help = "errors only",
                   .semantic = false});
  flags.push_back(
      {.name = "verbose",
       .letter = 'v',
       .kind = FlagKind::kRepeat,
       .group = messages,
       .def = "0",
       .help =
           "say what was decided; -vv also where in the source an error arose, -vvv every batch",
       .semantic = false});
  flags.push_back({.name = "log-format",
                   .kind = FlagKind::kChoice,
                   .value_name = "FORMAT",
                   .group = messages,
                   .def = "text",
                   .help = "form of messages",
                   .choices = {"text", "json"},
                   .semantic = false,
                   .env = "LM_LOG"});
  flags.push_back({.name = "progress",
                   .kind = FlagKind::kString,
                   .value_name = "auto|never|always|SECS",
                   .group = messages,
                   .def = "auto",
                   .help = "progress line on stderr",
                   .semantic = false,
                   .env = "LM_PROGRESS"});
  flags.push_back({.name = "color",
                   .kind = FlagKind::kChoice,
                   .value_name = "WHEN",
                   .group = messages,
                   .def = "auto",
                   .help = "colour on stderr",
                   .choices = {"auto", "never", "always"},
                   .semantic = false});
  flags.push_back({.name = "help",
                   .letter = 'h',
                   .kind = FlagKind::kSwitch,
                   .group = messages,
                   .help = "-h: this short help; --help: everything",
                   .semantic = false});
  flags.push_back({.name = "version",
                   .letter = 'V',
                   .kind = FlagKind::kSwitch,
                   .group = messages,
                   .help = "versions of the program and its libraries",
                   .semantic = false});
  flags.push_back({.name = "build-info",
                   .kind = FlagKind::kSwitch,
                   .group = messages,
                   .help = "how it was built, as JSON",
                   .semantic = false});
  flags.push_back({.name = "generate",
                   .kind = FlagKind::kChoice,
                   .value_name = "WHAT",
                   .group = messages,
                   .help = "print the manual's generated part, or a completion",
                   .choices = {"man", "bash", "zsh", "fish", "json"},
                   .semantic = false});
  return flags;
}

}  // namespace lm::cli
