#pragma once
// A record of generate in work.

#include <memory>
#include <optional>
#include <string>

#include "decode/asap.h"
#include "decode/generate.h"
#include "decode/languages.h"
#include "io/held.h"
#include "prompts.h"

namespace lm::decode_tool {

struct GenerateWork : io::HeldWork {
  decode::GenerateRequest request;
  std::optional<decode::Language> language;
  std::shared_ptr<decode::PermittedMass> mass;  // of asap: what samples learn; the constraint's too
  u64 mass_key = 0;
  decode::SampleParams params;
  std::string params_json;  // the effective ones
  i64 prompt_tokens = 0;
  i64 unwritten = 0;   // samples before those that are written
  ReadPrompt prompt;   // without its rows
  std::string routed;  // adapters that a router has chosen, as JSON
  decode::Generated result;
};

}  // namespace lm::decode_tool
