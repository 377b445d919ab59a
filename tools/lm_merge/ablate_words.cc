#include "ablate_words.h"

#include <algorithm>

#include "core/str.h"

namespace lm::merge_tool {

void check_train_options(const cli::Options& options) {
  if (options.text("output") == "-")
    throw Error(ErrorKind::kUsage, "ablate train needs -o POOL for its models");
  if (!options.given("seed-model"))
    throw Error(ErrorKind::kUsage, "ablate train needs --seed-model, which all models start from",
                "means of models that do not share a start are worth nothing");
  if (!options.given("steps"))
    throw Error(ErrorKind::kUsage, "ablate train needs --steps, the same for every unit");
  constexpr std::string_view kOwn[] = {"--init-from", "--resume",  "--data",   "--steps",  "--seed",
                                       "--keep",      "--threads", "-t",       "--memory", "--comm",
                                       "--device",    "--report",  "--output", "-o",       "--lr",
                                       "--batch",     "--seq-len"};
  for (const std::string& word : options.list("train-option")) {
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    if (std::find(std::begin(kOwn), std::end(kOwn), name) != std::end(kOwn))
      throw Error(ErrorKind::kUsage, cat("--train-option ", name, ": ablate train says it itself"),
                  "its own options are the same for all models");
  }
}

std::vector<std::string> train_words(const cli::Tool& tool, const TrainRun& run) {
  const cli::Options& options = tool.options();
  std::vector<std::string> out = {run.program, "-q", "--init-from", run.start};
  for (const std::string& shards : run.shards) {
    out.emplace_back("--data");
    out.push_back(shards);
  }
  for (const char* const name : {"lr", "batch", "seq-len"}) {
    if (!options.given(name)) continue;
    out.push_back(cat("--", name));
    out.push_back(options.text(name));
  }
  // What all of them have together.
  const i64 threads = std::max<i64>(1, tool.ctx().threads / run.jobs);
  if (options.asked("memory")) {
    out.emplace_back("--memory");
    out.push_back(cat(tool.ctx().memory->limit() / run.jobs));
  }
  for (const char* const name : {"tmp-dir", "grace"}) {
    if (!options.asked(name)) continue;
    out.push_back(cat("--", name));
    out.push_back(options.text(name));
  }
  for (const char* const name : {"sync", "rename"})
    if (!options.on(name)) out.push_back(cat("--no-", name));
  for (const std::string& word : {std::string("--steps"),    cat(run.steps),
                                  std::string("--schedule"), std::string("constant"),
                                  std::string("--warmup"),   std::string("0"),
                                  std::string("--seed"),     cat(tool.seed()),
                                  std::string("--keep"),     std::string("1"),
                                  std::string("--threads"),  cat(threads),
                                  std::string("--comm"),     std::string("self"),
                                  std::string("--device"),   options.text("device"),
                                  std::string("--report"),   run.report,
                                  std::string("-o"),         run.folder})
    out.push_back(word);
  out.insert(out.end(), options.list("train-option").begin(), options.list("train-option").end());
  return out;
}

}  // namespace lm::merge_tool
