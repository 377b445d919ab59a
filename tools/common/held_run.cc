#include "common/held_run.h"

#include "core/hash.h"
#include "core/str.h"

namespace lm::tool_options {

using cli::FlagKind;

std::vector<cli::Flag> held_flags() {
  return {
      {.name = "drop-extra",
       .kind = FlagKind::kSwitch,
       .group = "Records",
       .help = "write id and results only"},
      {.name = "resume",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = "Records",
       .help = "take records that FILE has from there; store the finished ones there when stopped",
       .details =
           "FILE is the output of a run that did not end, or what a stopped run left. The output "
           "is that of an undisturbed run: what was made by other options, another model or from "
           "another input line is made again.",
       .semantic = false,
       .writes = true},
  };
}

namespace {

/// Options that came after keys did: where they are not asked for, keys leave them out, so that
/// records keep the keys they had. "" in place of one that is asked for or is none of the verb's.
std::string_view idle(const cli::Options& options, std::string_view name) {
  const cli::Flag* const flag = options.find(std::string(name));
  return flag != nullptr && !options.asks(*flag) ? name : "";
}

u64 run_key(const cli::Tool& tool, const std::vector<u64>& models) {
  const cli::Options& options = tool.options();
  const auto late = [&](std::string_view name) { return idle(options, name); };
  // Policies for bad records do not shape good ones.
  std::string text = cat(
      tool.name(), " ", cli::kToolkitVersion, "\n", tool.verb(), "\n",
      options.params_json({"on-error", "max-errors", "max-record", late("chat"), late("chat-var"),
                           late("date"), late("continue-final-message"), late("reply"),
                           late("echo"), late("jrt"), late("jrt-times"), late("jrt-sep"),
                           late("jrt-template"), late("truncate"), late("model-defaults")}),
      "\n", tool.seed());
  for (const u64 model : models)
    append(text, "\n", hex64(model));
  return xxh3_64(text);
}

}  // namespace

void run_held(cli::Tool& tool, io::HeldMapper& mapper, i64 queue, const std::vector<u64>& models,
              HeldOutput output) {
  const cli::Options& options = tool.options();
  io::InputStream& in = tool.input();
  const bool lines = output == HeldOutput::kRecords;
  io::RecordRun& records = lines ? tool.records() : tool.records_only();
  std::optional<io::ResumeFile> resume;
  if (options.given("resume")) {
    tool.refuse_input(options.text("resume"));
    resume.emplace(options.text("resume"), options.integer("max-record"), tool.output_options(),
                   tool.ctx());
  }
  io::HeldRun run{in, lines ? &tool.output() : nullptr, records, tool.counters(), tool.ctx()};
  run.fails = options.text("on-error") == "fail";
  run.queue = queue;
  run.run_key = run_key(tool, models);
  run.resume = resume ? &*resume : nullptr;
  io::run_held(run, mapper);
}

std::string made_by(const cli::Tool& tool, const io::HeldWork& work, std::string_view more) {
  return cat("{\"tool\":\"", tool.name(), "\",\"version\":\"", cli::kToolkitVersion, "\"", more,
             ",\"key\":\"", work.key, "\"}");
}

}  // namespace lm::tool_options
