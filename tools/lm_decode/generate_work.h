#pragma once
// A record of generate in work.

#include <optional>
#include <string>

#include "decode/generate.h"
#include "decode/languages.h"
#include "io/held.h"
#include "prompts.h"

namespace lm::decode_tool {

struct GenerateWork : io::HeldWork {
  decode::GenerateRequest request;
  std::optional<decode::Language> language;
  decode::SampleParams params;
  std::string params_json;  // the effective ones
  i64 prompt_tokens = 0;
  i64 unwritten = 0;  // samples before those that are written
  ReadPrompt prompt;  // without its rows
  decode::Generated result;
};

}  // namespace lm::decode_tool
