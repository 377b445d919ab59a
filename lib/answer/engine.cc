#include "answer/engine.h"

#include <filesystem>

#include "answer/ngram.h"
#include "answer/record.h"
#include "answer/script.h"
#include "core/str.h"

namespace lm::answer {

using Kind = EngineName::Kind;

namespace {

constexpr std::pair<std::string_view, Kind> kKinds[] = {{"local:", Kind::kLocal},
                                                        {"script:", Kind::kScript},
                                                        {"replay:", Kind::kReplay},
                                                        {"ngram:", Kind::kNgram}};

}  // namespace

EngineName parse_engine(std::string_view name, const std::string& where) {
  for (const auto& [prefix, kind] : kKinds) {
    if (!name.starts_with(prefix)) continue;
    EngineName out{kind, std::string(name.substr(prefix.size()))};
    if (out.path.empty())
      throw Error(ErrorKind::kUsage, cat(where, ": ", quote(name), " names no file"));
    return out;
  }
  std::error_code code;
  throw Error(ErrorKind::kUsage,
              cat(where, ": ", quote(name),
                  " is none of local:FOLDER, script:FILE, replay:FILE and ngram:FILE"),
              std::filesystem::is_directory(name, code) ? cat("local:", name, " is a model folder")
                                                        : std::string());
}

std::unique_ptr<Answerer> open_engine(const EngineName& name, EngineSettings settings,
                                      const Context& ctx) {
  settings.model.languages.memory = ctx.memory;
  switch (name.kind) {
    case Kind::kLocal:
      settings.session.folder = name.path;
      settings.session.memory = ctx.memory;
      return std::make_unique<ModelAnswerer>(std::make_unique<decode::Session>(settings.session),
                                             settings.model);
    case Kind::kScript:
      return std::make_unique<ScriptAnswerer>(name.path, ctx.memory);
    case Kind::kReplay:
      return std::make_unique<ReplayAnswerer>(name.path, ctx.memory);
    case Kind::kNgram:
      return std::make_unique<NgramAnswerer>(
          ctx, NgramOptions{name.path, settings.tokenizer, settings.model.languages});
  }
  return nullptr;
}

}  // namespace lm::answer
