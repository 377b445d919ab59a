// Where a run goes on.

#include "resume.h"

#include "core/str.h"

namespace lm::train_tool {

namespace {

using cli::Options;

/// The step folder to go on from, empty for a new run.
std::string resume_folder(const Options& o, const train::RunFolder& folder, Log& log) {
  const std::string& how = o.text("resume");
  if (how != "auto" && how != "no") {
    const std::string wrong = model::verify_folder(how);
    if (!wrong.empty()) throw Error(ErrorKind::kData, cat(how, ": ", wrong));
    return how;
  }
  const bool some = !folder.steps().empty();
  if (how == "no") {
    if (some)
      throw Error(ErrorKind::kCannotCreate, cat(folder.path(), ": has checkpoints already"),
                  "--resume auto goes on from the newest; or name another folder with -o");
    return {};
  }
  if (!some) return {};
  return folder.step_path(*folder.newest_good(log));
}

/// The steps that the newest checkpoint was made for; empty where there are none.
std::string recorded_steps(const Options& o, const train::RunFolder& folder, Log& log) {
  const std::string from = resume_folder(o, folder, log);
  if (from.empty()) return {};
  for (const auto& [name, value] : train::read_state(from).params)
    if (name == kClassSteps) return value;
  return {};
}

}  // namespace

void settle_steps(cli::Tool& tool, Ranks& ranks, const train::RunFolder* folder, Setup& setup) {
  const Options& o = tool.options();
  std::string recorded;
  if (folder != nullptr && !o.on("extend"))
    ranks.together([&] {
      if (ranks.first()) recorded = recorded_steps(o, *folder, tool.console());
    });
  recorded = ranks.from_first(recorded);
  const std::optional<i64> known = parse_int(recorded);
  const i64 steps = known ? *known : measured_steps(tool, ranks, setup);
  ranks.together([&] { set_steps(tool, steps, setup); });
}

Resume find_resume(cli::Tool& tool, Ranks& ranks, const train::RunFolder& folder, Setup& setup) {
  Resume out;
  std::string text;
  ranks.together([&] {
    if (!ranks.first()) return;
    out.from = resume_folder(tool.options(), folder, tool.console());
    if (out.from.empty() && tool.options().on("extend"))
      throw Error(ErrorKind::kUsage,
                  cat("--extend goes on with a run, and ", folder.path(), " has no checkpoint"),
                  "without --extend the command begins a new run");
    if (out.from.empty()) return;
    text = train::read_state_text(out.from);
    train::TrainState state = train::parse_state(text, out.from);
    adopt_warmup(tool.options(), out.from, state, setup);
    if (check_same_run(tool.options(), out.from, state, setup)) {
      out.from = extension_start(tool, folder, out.from, state, setup);
      text = train::read_state_text(out.from);
      state = train::parse_state(text, out.from);
    }
    out.complete =
        state.counters.step >= setup.run.steps && io::path_exists(folder.path() + "/final");
  });
  out.from = ranks.from_first(out.from);
  if (out.from.empty()) return out;
  out.state = train::parse_state(ranks.from_first(text), out.from);
  adopt_warmup(tool.options(), out.from, *out.state, setup);
  out.complete = !ranks.from_first(out.complete ? "complete" : "").empty();
  return out;
}

}  // namespace lm::train_tool
