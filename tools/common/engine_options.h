#pragma once
// Who answers, in programs that ask a model folder or another engine (answer/engine.h).

#include <memory>
#include <optional>
#include <string>

#include "answer/engine.h"
#include "answer/record.h"
#include "cli/tool.h"

namespace lm::tool_options {

/// --engine and --record, beside folder_flags. details: of --record.
cli::Flag engine_flag(const std::string& group);
cli::Flag record_flag(const std::string& group, const std::string& details = "");

/// --engine, else --model. Throws Error{kUsage} where neither is given.
answer::EngineName engine_name(const cli::Options& options);
/// "--engine script:", for messages.
std::string engine_words(const cli::Options& options);

/// Throws Error{kUsage} "--NAME does not go with WORDS" where the option is asked for.
void refuse_option(const cli::Options& options, const char* name, const std::string& words);
/// The same for what a model folder alone is opened with, where another engine answers.
void refuse_folder_options(const cli::Options& options, answer::EngineName::Kind kind);
/// What --resume leaves out was asked in the run before: throws Error{kUsage} where answers depend
/// on those before them.
void check_resume(const cli::Options& options, const answer::Answerer& answerer);

/// Records who answers in --record FILE, if that is given: an output of the tool, complete with the
/// others. keep: what FILE holds stays.
void open_recording(cli::Tool& tool, answer::Answerer& answerer, bool keep,
                    std::optional<answer::RecordingAnswerer>& out);

/// Opens an engine that is no model folder; notes who answers in the stream's header.
struct OtherEngine {
  std::unique_ptr<answer::Answerer> answerer;
  std::string identity;  // "script:xxh3:..."
};
OtherEngine open_other_engine(cli::Tool& tool, const answer::EngineName& name,
                              answer::EngineSettings settings);

}  // namespace lm::tool_options
