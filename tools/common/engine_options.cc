#include "common/engine_options.h"

#include "answer/script.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json.h"

namespace lm::tool_options {

using answer::EngineName;
using cli::Flag;
using cli::FlagKind;

cli::Flag engine_flag(const std::string& group) {
  return {.name = "engine",
          .kind = FlagKind::kString,
          .value_name = "NAME",
          .group = group,
          .help = "who answers instead of --model",
          .details =
              "local:FOLDER a model folder; script:FILE rules; replay:FILE what --record "
              "wrote; ngram:FILE an n-gram model.",
          .semantic = false,
          .excludes = {"model"}};
}

cli::Flag record_flag(const std::string& group, const std::string& details) {
  return {.name = "record",
          .kind = FlagKind::kPath,
          .value_name = "FILE",
          .group = group,
          .help = "write every request with its response, for replay:",
          .details = details,
          .semantic = false,
          .writes = true};
}

EngineName engine_name(const cli::Options& options) {
  if (!options.text("engine").empty())
    return answer::parse_engine(options.text("engine"), "--engine");
  if (options.text("model").empty())
    throw Error(ErrorKind::kUsage, "--model FOLDER or --engine NAME is needed: somebody answers");
  return {EngineName::Kind::kLocal, options.text("model")};
}

std::string engine_words(const cli::Options& options) {
  const std::string& name = options.text("engine");
  return cat("--engine ", name.substr(0, name.find(':') + 1));
}

void refuse_option(const cli::Options& options, const char* name, const std::string& words) {
  const Flag* const flag = options.find(name);
  LM_CHECK(flag != nullptr, "the verb has the option");
  if (options.asks(*flag))
    throw Error(ErrorKind::kUsage, cat("--", name, " does not go with ", words));
}

void refuse_folder_options(const cli::Options& options, EngineName::Kind kind) {
  if (kind == EngineName::Kind::kLocal) return;
  if (options.find("device") != nullptr && options.text("device").starts_with("cuda") &&
      options.origin("device") != cli::Origin::kEnvironment)
    throw Error(ErrorKind::kUnavailable, cat("--device ", options.text("device"),
                                             ": only a model folder computes on a GPU"));
  for (const char* const name :
       {"tokenizer", "bos", "special", "dtype", "chunk", "model-defaults"}) {
    if (options.find(name) == nullptr) continue;
    if (kind == EngineName::Kind::kNgram && std::string_view(name) == "tokenizer") continue;
    refuse_option(options, name, engine_words(options));
  }
}

void check_resume(const cli::Options& options, const answer::Answerer& answerer) {
  if (options.find("resume") == nullptr || !options.given("resume")) return;
  if (const auto* script = dynamic_cast<const answer::ScriptAnswerer*>(&answerer);
      script != nullptr && script->ordered_line() > 0)
    throw Error(
        ErrorKind::kUsage,
        cat("--resume does not go with a script whose rules are used up or take turns (line ",
            script->ordered_line(), ")"));
  if (const auto* replay = dynamic_cast<const answer::ReplayAnswerer*>(&answerer);
      replay != nullptr && replay->ordered())
    throw Error(ErrorKind::kUsage,
                "--resume does not go with a recording that has a request several times");
}

void open_recording(cli::Tool& tool, answer::Answerer& answerer, bool keep,
                    std::optional<answer::RecordingAnswerer>& out) {
  const std::string& path = tool.options().text("record");
  if (path.empty()) return;
  if (path.ends_with(".zst"))
    throw Error(ErrorKind::kUsage, cat(path, ": a recording is text, not compressed"),
                "name it without .zst");
  if (keep && !tool.output_options().rename && io::path_exists(path))
    throw Error(ErrorKind::kUsage, cat("--no-rename does not go with --resume and --record: ", path,
                                       " would be emptied before what it holds is kept"));
  out.emplace(answerer, tool.other_output(path), keep, tool.ctx().memory);
}

OtherEngine open_other_engine(cli::Tool& tool, const EngineName& name,
                              answer::EngineSettings settings) {
  OtherEngine out;
  tool.add_input(name.path);
  settings.tokenizer = tool.options().text("tokenizer");
  out.answerer = answer::open_engine(name, std::move(settings), tool.ctx());
  if (const auto* replay = dynamic_cast<const answer::ReplayAnswerer*>(out.answerer.get());
      replay != nullptr && replay->torn())
    tool.console().message(LogLevel::kWarning,
                           cat(name.path, ": the last line is cut and does not count"));
  const std::string& given = tool.options().text("engine");
  out.identity = cat(given.substr(0, given.find(':')), ":xxh3:", hex64(out.answerer->key()));
  tool.set_param("model", io::json_string(out.identity));
  return out;
}

}  // namespace lm::tool_options
