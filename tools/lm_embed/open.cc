// The embedder that the options ask for.

#include <algorithm>

#include "common/model_options.h"
#include "core/str.h"
#include "embed.h"
#include "embed/hash_embedder.h"
#include "io/json.h"
#include "model/diffusion.h"
#include "model/kv_cache.h"

namespace lm::embed_tool {
namespace {

constexpr std::string_view kHash = "hash:";

OpenedEmbedder open_hash(cli::Tool& tool, std::string_view shape) {
  for (const char* name : {"layer", "layers", "pool", "mexa-pool", "final-norm", "max-tokens",
                           "long", "prefix", "tokenizer"}) {
    if (tool.options().find(name) != nullptr && tool.options().asked(name))
      throw Error(ErrorKind::kUsage, cat("--", name, " needs a model, and --model ", kHash,
                                         " has hashed n-grams instead"));
  }
  static_cast<void>(tool_options::session_options(tool, {}));  // refuses a device that is not there
  OpenedEmbedder out;
  out.embedder = std::make_unique<embed::HashEmbedder>(embed::parse_hash_shape(shape));
  return out;
}

std::vector<embed::Pooling> choose_pools(const OpenedEmbedder& opened, bool behind,
                                         const std::vector<std::string>& names,
                                         const std::vector<embed::Pooling>& fallback) {
  std::vector<embed::Pooling> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    embed::Pooling pool = behind ? embed::Pooling::kMean : fallback[i];
    if (opened.settings.pool) pool = *opened.settings.pool;
    if (!names[i].empty()) pool = embed::pooling_of(names[i]);
    if (std::find(out.begin(), out.end(), pool) == out.end()) out.push_back(pool);
  }
  return out;
}

}  // namespace

OpenedEmbedder open_embedder(cli::Tool& tool, const std::string& layers,
                             const std::vector<std::string>& pools,
                             const std::vector<embed::Pooling>& fallback) {
  const cli::Options& options = tool.options();
  const std::string& name = options.text("model");
  if (name.empty())
    throw Error(ErrorKind::kUsage, "--model FOLDER is needed",
                "--model hash:char3-5,dim=1024 needs no folder");
  OpenedEmbedder out;
  if (name.starts_with(kHash)) {
    out = open_hash(tool, std::string_view(name).substr(kHash.size()));
  } else {
    tool_options::add_model_inputs(tool);
    embed::ModelEmbedderOptions how;
    how.settings = out.settings = embed::read_folder_settings(name);
    const model::ModelCfg cfg = model::load_config(out.settings.folder);
    out.pools = choose_pools(out, model::sees_behind(cfg), pools, fallback);
    how.plan.layers = embed::parse_layers(layers, cfg.depth());
    how.plan.pools = out.pools;
    how.plan.final_norm =
        options.explicitly("final-norm") ? options.on("final-norm") : out.settings.sentence;
    how.session = tool_options::session_options(tool, name);
    how.session.tokenizer = options.text("tokenizer");
    how.max_tokens = options.maybe_integer("max-tokens").value_or(0);
    how.long_texts =
        options.text("long") == "windows" ? embed::LongTexts::kWindows : embed::LongTexts::kCut;
    how.prefix = options.text("prefix");
    std::unique_ptr<embed::ModelEmbedder> made = std::make_unique<embed::ModelEmbedder>(how);
    out.model = made.get();
    const decode::Session& session = made->session();
    tool.set_param("tokenizer", io::json_string(session.tokenizer().digest()));
    const std::string_view type = dtype_name(session.activation());
    if (session.activation() != DType::kF32) tool.set_param("dtype", io::json_string(type));
    const model::Engine& engine = session.engine();
    tool.console().message(
        LogLevel::kInfo,
        cat(name, ": ", model::describe(session.cfg()), ", ", type, " on ", engine.backend().name,
            ", texts of ", made->max_tokens(), " tokens, cache of ",
            engine.cache().total_pages() * model::kPageTokens, " tokens"));
    out.embedder = std::move(made);
  }
  tool.set_param("model", io::json_string(out.embedder->digest()));
  // What a folder's settings and the defaults make of the options.
  tool.set_param("vectors", io::json_string(hex64(out.embedder->key())));
  return out;
}

void LongTextCount::note(const embed::PreparedText& text) {
  if (text.windows.size() > 1) ++windowed_;
  if (text.left_out > 0) ++cut_;
  left_out_ += text.left_out;
}

void LongTextCount::report(cli::Tool& tool, const embed::ModelEmbedder* model) const {
  if (model == nullptr) return;
  tool.add_metric("long_texts",
                  cat("{\"max_tokens\":", model->max_tokens(), ",\"cut\":", cut_,
                      ",\"tokens_left_out\":", left_out_, ",\"windowed\":", windowed_, "}"));
  if (cut_ > 0)
    tool.console().message(
        LogLevel::kWarning,
        cat(cut_, cut_ == 1 ? " text is" : " texts are", " longer than ", model->max_tokens(),
            " tokens and cut there: ", left_out_, " tokens left out (--long windows takes them)"));
  if (windowed_ > 0)
    tool.console().message(
        LogLevel::kInfo, cat(windowed_, windowed_ == 1 ? " text is" : " texts are", " longer than ",
                             model->max_tokens(), " tokens: means of windows"));
}

}  // namespace lm::embed_tool
