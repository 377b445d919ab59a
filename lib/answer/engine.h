#pragma once
// Who answers, by name: local:FOLDER a model folder, script:FILE a table of rules, replay:FILE a
// recording, ngram:FILE an n-gram model.

#include <memory>
#include <string>
#include <string_view>

#include "answer/answer.h"
#include "answer/model.h"
#include "core/context.h"

namespace lm::answer {

struct EngineName {
  enum class Kind : u8 { kLocal, kScript, kReplay, kNgram };
  Kind kind = Kind::kLocal;
  std::string path;
};
/// Throws Error{kUsage} "WHERE: ..." for a name of another form.
EngineName parse_engine(std::string_view name, const std::string& where);

struct EngineSettings {
  /// Of local: all but the folder; memory, batch, tokenizer.
  decode::SessionOptions session = {};
  ModelOptions model = {};
  std::string tokenizer;  // of ngram, over pieces
};

/// ctx outlives it; what is opened is charged to ctx.memory. Throws what opening throws, naming the
/// file.
std::unique_ptr<Answerer> open_engine(const EngineName& name, EngineSettings settings,
                                      const Context& ctx);

}  // namespace lm::answer
