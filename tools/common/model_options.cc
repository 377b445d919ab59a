#include "common/model_options.h"

#include "core/str.h"
#include "io/file.h"
#include "io/json.h"
#include "model/checkpoint.h"
#include "model/kv_cache.h"

namespace lm::tool_options {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> folder_flags(const std::string& group, const std::string& help,
                               const std::string& details) {
  return {
      {.name = "model",
       .letter = 'm',
       .kind = FlagKind::kPath,
       .value_name = "FOLDER",
       .group = group,
       .help = help,
       .details = details,
       .semantic = false,
       .main = true},
      {.name = "tokenizer",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = group,
       .help = "another tokenizer than the folder's",
       .semantic = false},
  };
}

std::vector<Flag> model_flags(const ModelWords& words) {
  std::vector<std::string> policies = {"parse", "text"};
  if (words.special_error) policies.push_back("error");
  return {
      {.name = "bos",
       .kind = FlagKind::kSwitch,
       .group = words.group,
       .def = "true",
       .help = "begin every text with the model's begin token, if it has one"},
      {.name = "special",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = words.group,
       .def = "parse",
       .help = cat("special tokens spelt in a text: become specials, ",
                   words.special_error ? "stay text, or make a bad record" : "or stay text"),
       .choices = policies},
      {.name = "dtype",
       .kind = FlagKind::kChoice,
       .value_name = "TYPE",
       .group = words.group,
       .def = "auto",
       .help = "type of weights, activations and cache: bf16 on a GPU, f32 on the CPU",
       .choices = {"auto", "f32", "bf16"},
       .semantic = false},
      {.name = "batch",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = words.group,
       .def = words.batch_default,
       .help = cat(words.batch, " in work at once; does not change results"),
       .min = 1,
       .max = 65536,
       .semantic = false},
      {.name = "chunk",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = words.group,
       .def = "512",
       .help = "tokens of a forward pass; does not change results",
       .min = 1,
       .max = 65536,
       .semantic = false},
  };
}

std::vector<Flag> window_flags(const std::string& group) {
  return {
      {.name = "window",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .help = "tokens of a window over a long text; default the model's context",
       .min = 2},
      {.name = "stride",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .help = "distance of windows, at most --window; default half of one",
       .min = 1},
  };
}

void add_model_folder(cli::Tool& tool, const std::string& path) {
  const model::ModelPath parts = model::model_parts(path);
  tool.add_input_folder(parts.base);
  if (!parts.adapter.empty()) tool.add_input_folder(parts.adapter);
}

void add_model_inputs(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  if (options.given("model")) add_model_folder(tool, options.text("model"));
  if (options.given("tokenizer")) tool.add_input_folder(options.text("tokenizer"));
}

std::string model_folder(const cli::Options& options) {
  constexpr std::string_view kLocal = "local:";
  if (options.find("engine") == nullptr || !options.text("engine").starts_with(kLocal))
    return options.text("model");
  return options.text("engine").substr(kLocal.size());
}

text::SpecialPolicy special_policy(const cli::Options& options) {
  const std::string& special = options.text("special");
  return special == "text"    ? text::SpecialPolicy::kText
         : special == "error" ? text::SpecialPolicy::kError
                              : text::SpecialPolicy::kParse;
}

namespace {

std::string needed_model(const cli::Tool& tool) {
  std::string folder = model_folder(tool.options());
  if (folder.empty()) throw Error(ErrorKind::kUsage, "--model FOLDER is needed");
  return folder;
}

}  // namespace

PromptFolder open_prompts(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const std::string folder = needed_model(tool);
  for (const std::string& file : model::model_files(folder))
    tool.add_input(file);
  PromptFolder out;
  const std::string& own = options.text("tokenizer");
  text::LoadOptions load;
  load.add_specials = false;
  load.special = special_policy(options);
  const std::string base = model::model_parts(folder).base;
  if (io::path_exists(base + "/config.json") || !io::path_exists(base))
    out.cfg = model::load_config(base);
  out.tokenizer = text::load_tokenizer(own.empty() ? base : own, load);
  if (out.cfg) {
    try {
      decode::check_vocab(*out.cfg, *out.tokenizer);
    } catch (const Error& e) {
      throw e.with_prefix(folder);
    }
  }
  if (options.on("bos"))
    out.begin = out.cfg ? decode::begin_token(*out.cfg, *out.tokenizer) : out.tokenizer->bos();
  tool.set_param("tokenizer", io::json_string(out.tokenizer->digest()));
  return out;
}

decode::SessionOptions session_options(cli::Tool& tool, const std::string& folder) {
  const cli::Options& options = tool.options();
  for (const std::string& file : model::model_files(folder))
    tool.add_input(file);
  decode::SessionOptions out;
  out.folder = folder;
  out.begin = options.on("bos");
  out.special = special_policy(options);
  out.batch = options.integer("batch");
  out.chunk = options.integer("chunk");
  out.memory = tool.ctx().memory;
  out.embed = embed_draw(options);
  out.compute = model::compute_for(options.text("device"), options.text("dtype"),
                                   options.origin("device") == cli::Origin::kEnvironment);
  return out;
}

std::optional<model::EmbedDraw> embed_draw(const cli::Options& options) {
  const auto given = [&](const char* name) {
    return options.find(name) != nullptr && options.given(name);
  };
  if (!given("embed-seed") && !given("embed-draws")) return std::nullopt;
  model::EmbedDraw out;
  if (given("embed-seed")) out.seed = static_cast<u64>(options.integer("embed-seed"));
  return out;
}

std::unique_ptr<decode::Session> open_model(cli::Tool& tool, i64 later, i64 reserve,
                                            const std::vector<std::string>& adapters,
                                            bool diffusion) {
  const std::string folder = needed_model(tool);
  decode::SessionOptions options = session_options(tool, folder);
  options.tokenizer = tool.options().text("tokenizer");
  options.later = later;
  options.reserve = reserve;
  options.adapters = adapters;
  options.diffusion = diffusion;
  std::unique_ptr<decode::Session> out = std::make_unique<decode::Session>(options);
  tool.set_param("model", io::json_string(out->digest()));
  tool.set_param("tokenizer", io::json_string(out->tokenizer().digest()));
  const std::string_view type = dtype_name(out->activation());
  if (out->activation() != DType::kF32) tool.set_param("dtype", io::json_string(type));
  const model::Engine& engine = out->engine();
  tool.console().message(
      LogLevel::kInfo,
      cat(folder, ": ", model::describe(out->cfg()), ", ", type, " on ", engine.backend().name,
          ", cache of ", engine.cache().total_pages() * model::kPageTokens, " tokens"));
  return out;
}

}  // namespace lm::tool_options
