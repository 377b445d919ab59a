#pragma once
// The options with which programs open a model folder, and the folder opened as they say.

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "decode/session.h"

namespace lm::tool_options {

/// What differs in the wording from program to program.
struct ModelWords {
  std::string group = "Model";
  std::string batch = "sequences";  // what is in work at once
  std::string batch_default = "16";
  bool special_error = true;  // --special error is offered: the program has bad records
};
/// --model --tokenizer.
std::vector<cli::Flag> folder_flags(
    const std::string& group,
    const std::string& help = "the model: config.json, safetensors and tokenizer files",
    const std::string& details = "");
/// --bos --special --dtype --batch --chunk.
std::vector<cli::Flag> model_flags(const ModelWords& words);
/// --window --stride, for texts longer than a context.
std::vector<cli::Flag> window_flags(const std::string& group);

/// --model, or the folder of --engine local: in programs that have it; "" where there is neither.
std::string model_folder(const cli::Options& options);

/// --special.
text::SpecialPolicy special_policy(const cli::Options& options);

/// No output may be a file of a model (model::find_model), or lie in its folders.
void add_model_folder(cli::Tool& tool, const std::string& path);
/// The same of --model and --tokenizer.
void add_model_inputs(cli::Tool& tool);

/// The session that these options and --device ask for, within --memory. Throws what compute_for
/// throws.
decode::SessionOptions session_options(cli::Tool& tool, const std::string& folder);

/// What of --model makes prompts: the configuration, if there is one, and the tokenizer.
struct PromptFolder {
  std::optional<model::ModelCfg> cfg;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::optional<i32> begin;  // put before a text

  i64 vocab() const { return cfg ? cfg->vocab : tokenizer->vocab_size(); }
  i64 positions() const { return cfg ? cfg->context : std::numeric_limits<i32>::max(); }
};
/// Opens them without weights, notes the tokenizer's digest in the stream's header. Throws
/// Error{kUsage} without --model, and what load_config and load_tokenizer throw.
PromptFolder open_prompts(cli::Tool& tool);

/// Opens --model with --tokenizer within --memory, notes digests and type in the stream's header
/// and says with -v what was opened. later, reserve: as of SessionOptions, for models opened after
/// it; adapters: folders of those that texts may choose; diffusion: as SessionOptions. Throws
/// Error{kUsage} without --model, and what Session throws.
std::unique_ptr<decode::Session> open_model(cli::Tool& tool, i64 later = 0, i64 reserve = 0,
                                            const std::vector<std::string>& adapters = {},
                                            bool diffusion = false);

/// The first table of --embed-seed, or of 0 where only --embed-draws is given, in programs that
/// have them; else nothing.
std::optional<model::EmbedDraw> embed_draw(const cli::Options& options);

}  // namespace lm::tool_options
