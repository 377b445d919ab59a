#include "score_frame.h"

#include <utility>

#include "common/held_run.h"
#include "core/str.h"

namespace lm::decode_tool {

namespace {

std::vector<std::string> fixed_paths(const cli::Options& options, const std::string& result,
                                     const std::string& results,
                                     const std::vector<std::string>& own) {
  std::vector<std::string> out = {"id",          options.text("field"),
                                  "prompt",      "completion",
                                  "completions", "choices",
                                  result,        results,
                                  "best",        "model",
                                  "lm"};
  out.insert(out.end(), own.begin(), own.end());
  for (const std::string& path : options.list("completion-field"))
    if (path != "completion") out.push_back(path);
  return out;
}

}  // namespace

ScoreFrame::ScoreFrame(cli::Tool& tool, decode::Session& session, std::string result,
                       std::string results, const std::vector<std::string>& own)
    : tool_(tool),
      result_(std::move(result)),
      results_(std::move(results)),
      own_(own),
      paths_(fixed_paths(tool.options(), result_, results_, own)),
      model_(io::json_string(session.digest())),
      dtype_(session.activation() == DType::kF32
                 ? ""
                 : cat(",\"dtype\":", io::json_string(dtype_name(session.activation())))),
      input_(tool, session.tokenizer(),
             {kText, kPrompt, kCompletion, kCompletions, kChoices, named()}, paths_,
             isize(paths_)) {}

/// Numbers of --completion-field's paths.
std::vector<i64> ScoreFrame::named() const {
  std::vector<i64> out;
  i64 next = kOwn + isize(own_);
  for (const std::string& path : tool_.options().list("completion-field"))
    out.push_back(path == "completion" ? i64{kCompletion} : next++);
  return out;
}

std::vector<std::string> ScoreFrame::paths() const {
  std::vector<std::string> out = paths_;
  out.insert(out.end(), input_.paths().begin(), input_.paths().end());
  return out;
}

std::optional<Fault> ScoreFrame::read(io::Record& record, text::EncodeState& state, ScoreHeld& work,
                                      ScoreInput& out) {
  const Result<std::string> id = io::record_id(record.json, kId, record.ordinal);
  if (!id) return id.fault();
  work.id = *id;
  if (std::optional<Fault> fault = input_.read(record.json, state, out)) return fault;
  work.listed = out.listed;
  return std::nullopt;
}

void ScoreFrame::write(io::JsonReader& json, const ScoreHeld& work, const std::string& result,
                       const std::string& best, std::string& out) const {
  io::ResultLine line(json, tool_.options().on("drop-extra"));
  line.set_id(kId, work.id);
  if (work.listed) {
    line.set(kResults, results_, cat("[", result, "]"));
    line.set(kBest, "best", best);
  } else {
    line.set(kResult, result_, result);
  }
  line.set(kModel, "model", model_);
  line.set(kLm, "lm", tool_options::made_by(tool_, work, dtype_));
  line.write(out);
}

}  // namespace lm::decode_tool
