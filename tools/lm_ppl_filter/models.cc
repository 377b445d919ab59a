// Which scorer the options ask for.

#include <algorithm>
#include <filesystem>

#include "common/model_options.h"
#include "core/str.h"
#include "decode/neural_scorer.h"
#include "filter.h"
#include "io/json.h"
#include "ngram/scorer.h"

namespace lm::filter_tool {

namespace {

std::pair<std::string, std::string> contrast_models(const cli::Options& options) {
  const std::string& text = options.text("contrast");
  const std::size_t comma = text.find(',');
  if (comma == std::string::npos || comma == 0 || comma + 1 == text.size()) {
    throw Error(ErrorKind::kUsage, cat("--contrast: ", quote(text), " is not GOOD,BAD"));
  }
  return {text.substr(0, comma), text.substr(comma + 1)};
}

std::vector<std::string> model_paths(const cli::Options& options) {
  if (options.given("model")) return {options.text("model")};
  if (!options.given("contrast")) return {};
  const auto [good, bad] = contrast_models(options);
  return {good, bad};
}

/// A model's folder, or a base with an adapter.
bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(model::model_parts(path).base, ignored);
}

bool stored_scores(const cli::Options& options) {
  return options.find("from-attr") != nullptr && options.given("from-attr");
}

/// Options that shape scores of one kind of model only: given without such a model they would be
/// ignored in silence.
void check_kinds(const cli::Options& options, const std::vector<std::string>& paths) {
  const auto folders = std::count_if(paths.begin(), paths.end(), is_folder);
  const auto refuse = [&](std::initializer_list<const char*> names, const char* what) {
    for (const char* const name : names) {
      const cli::Flag& flag = *options.find(name);
      const bool is_switch = flag.kind == cli::FlagKind::kSwitch;
      if (is_switch ? options.on(name) == (flag.def == "true") : options.text(name) == flag.def)
        continue;
      throw Error(ErrorKind::kUsage,
                  cat("--", is_switch && !options.on(name) ? "no-" : "", name, " is for ", what,
                      paths.empty() ? "" : cat(", and ", quote(paths[0]), " is none")));
    }
  };
  if (folders == isize(paths)) refuse({"tokenizer", "unit", "ccnet"}, "n-gram models");
  if (options.given("condition")) {
    if (folders < isize(paths) || paths.empty())
      throw Error(ErrorKind::kUsage, "--condition is for model folders",
                  paths.empty() ? "" : "an n-gram model reads a text alone");
    if (options.integer("probe") > 1)
      throw Error(ErrorKind::kUsage,
                  "--condition excludes --probe: a text stands behind its prompt");
    io::check_apart(std::vector<std::string>{options.text("field"), options.text("condition")});
  }
  if (folders == 0)
    refuse({"window", "stride", "max-tokens", "probe", "bos", "special", "dtype"}, "model folders");
}

/// A GPU serves model folders alone; a wish for one (from the environment) does no harm.
void check_device(const cli::Options& options, const std::vector<std::string>& paths) {
  const std::string& device = options.text("device");
  if (!device.starts_with("cuda") || options.origin("device") == cli::Origin::kEnvironment ||
      std::any_of(paths.begin(), paths.end(), is_folder))
    return;
  throw Error(ErrorKind::kUnavailable,
              cat("--device ", device, ": only model folders compute on a GPU"));
}

/// Refuses folders that hold no model, and says where one may be.
void check_folder(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code hidden;
  if (fs::exists(fs::path(model::model_parts(path).base) / "config.json", hidden)) return;
  if (hidden) throw os_error(ErrorKind::kNoInput, path, "cannot look into it", hidden.value());
  std::error_code ignored;
  const fs::path latest = fs::path(path) / "latest";
  throw Error(ErrorKind::kNoInput, cat(path, ": no config.json: not a model folder"),
              fs::exists(latest / "config.json", ignored)
                  ? cat("-m ", latest.string(), " is the latest model of this run")
                  : "a model folder holds config.json, safetensors and tokenizer files");
}

std::unique_ptr<text::Scorer> open_ngrams(cli::Tool& tool, const std::string& path) {
  const cli::Options& options = tool.options();
  if (path.ends_with(".safetensors") || path.ends_with(".gguf")) {
    throw Error(
        ErrorKind::kData,
        cat(path, ": weights alone are no model, expected an ARPA or LMNG file, or a model folder"),
        "a model folder holds config.json, safetensors and tokenizer files");
  }
  ngram::NgramSource source;
  source.path = path;
  source.tokenizer = options.text("tokenizer");
  if (options.given("unit")) {
    source.unit =
        options.text("unit") == "line" ? ngram::SentenceUnit::kLine : ngram::SentenceUnit::kDoc;
  }
  source.default_unit = ngram::SentenceUnit::kDoc;
  if (options.on("ccnet")) {
    source.ccnet = true;
    source.round = true;
  }
  return ngram::open_ngram_scorer(tool.ctx(), source);
}

decode::NeuralScorerOptions folder_form(const cli::Options& options) {
  decode::NeuralScorerOptions form;
  form.window = options.maybe_integer("window").value_or(0);
  form.stride = options.maybe_integer("stride").value_or(0);
  form.max_tokens = options.integer("max-tokens");
  form.probes = options.integer("probe");
  if (form.probes > 1 && form.probes > form.max_tokens) {
    throw Error(ErrorKind::kUsage,
                cat("--probe ", form.probes, " is more than --max-tokens ", form.max_tokens));
  }
  return form;
}

std::unique_ptr<text::Scorer> open_model(cli::Tool& tool, const std::string& path,
                                         std::span<const std::string> later) {
  if (!is_folder(path)) return open_ngrams(tool, path);
  std::unique_ptr<decode::NeuralScorer> out =
      open_folder(tool, path, folder_form(tool.options()), later);
  if (tool.options().given("condition") && out->windows().apart() > 0)
    throw Error(ErrorKind::kUsage, "--condition needs windows that overlap",
                "--stride below --window: else a later window knows nothing of the prompt");
  return out;
}

/// A file's name without its suffix, a folder's name as it is.
std::string model_name(const std::string& path) {
  if (!is_folder(path)) return text::score_name(path);
  std::filesystem::path folder = std::filesystem::absolute(path).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  return text::score_name(folder.filename().string() + ".");  // an empty suffix to take off
}

}  // namespace

std::unique_ptr<decode::NeuralScorer> open_folder(cli::Tool& tool, const std::string& path,
                                                  decode::NeuralScorerOptions form,
                                                  std::span<const std::string> later) {
  check_folder(path);
  decode::SessionOptions session = tool_options::session_options(tool, path);
  for (const std::string& other : later) {
    if (!is_folder(other)) continue;
    check_folder(other);
    session.reserve += decode::Session::least_bytes(tool_options::session_options(tool, other));
    ++session.later;
  }
  form.not_numbers = [&tool, path, said = false]() mutable {
    if (!std::exchange(said, true))
      tool.console().message(LogLevel::kWarning,
                             cat(path, ": the model's logits are not numbers: no score"));
  };
  std::unique_ptr<decode::NeuralScorer> scorer =
      std::make_unique<decode::NeuralScorer>(session, form);
  tool.console().message(
      LogLevel::kInfo,
      cat(path, ": ", model::describe(scorer->cfg()), ", windows of ", scorer->windows().window,
          " tokens every ", scorer->windows().stride, ", ", dtype_name(session.compute.activation),
          " on ", scorer->backend().name));
  return scorer;
}

std::unique_ptr<text::Scorer> open_scorer(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const int given = (options.given("model") ? 1 : 0) + (options.on("zlib") ? 1 : 0) +
                    (options.given("contrast") ? 1 : 0) + (stored_scores(options) ? 1 : 0);
  if (given != 1) {
    const bool stored = options.find("from-attr") != nullptr;
    throw Error(
        ErrorKind::kUsage,
        cat(given == 0 ? "no scorer" : "more than one scorer", ": give one of -m MODEL, --zlib",
            stored ? ", --contrast GOOD,BAD and --from-attr NAME" : " and --contrast GOOD,BAD"));
  }
  const std::vector<std::string> paths = model_paths(options);
  check_kinds(options, paths);
  check_device(options, paths);
  if (stored_scores(options)) {
    if (options.text("norm") != "tokens")
      throw Error(ErrorKind::kUsage, "--norm is of computed scores; --from-attr takes stored ones");
    return nullptr;
  }
  if (options.on("zlib"))
    return std::make_unique<ngram::ZlibScorer>(options.integer("zlib-min-bytes"));
  std::vector<std::unique_ptr<text::Scorer>> models;
  for (std::size_t i = 0; i < paths.size(); ++i)
    models.push_back(open_model(tool, paths[i], std::span(paths).subspan(i + 1)));
  if (models.size() == 1) return std::move(models[0]);
  return std::make_unique<ngram::ContrastScorer>(std::move(models[0]), std::move(models[1]));
}

std::string name_of(const cli::Options& options) {
  if (options.given("name")) return options.text("name");
  if (options.on("zlib")) return "zlib";
  std::string out;
  for (const std::string& path : model_paths(options))
    append(out, out.empty() ? "" : "_", model_name(path));
  if (options.given("condition"))
    append(out, "_given_", text::score_name(options.text("condition") + "."));
  return out;
}

}  // namespace lm::filter_tool
