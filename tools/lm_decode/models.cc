#include "models.h"

#include "common/model_options.h"
#include "core/str.h"

namespace lm::decode_tool {

std::vector<u64> Models::keys() const {
  std::vector<u64> out = {main->key()};
  if (both_write) out.push_back(second->key());
  return out;
}

Models open_models(cli::Tool& tool, const Adapters& adapters) {
  const cli::Options& options = tool.options();
  Models out;
  std::string folder;
  const std::string& draft = options.text("draft");
  const bool ngram_model = draft == "ngram-model";
  if (draft == "model" || ngram_model) {
    folder = options.text("draft-model");
    if (folder.empty())
      throw Error(ErrorKind::kUsage,
                  cat("--draft ", draft, " needs --draft-model ", ngram_model ? "FILE" : "FOLDER"));
  }
  if (ngram_model) {
    // First: the model takes what the budget has left.
    tool.add_input(folder);
    const auto ngrams = std::make_shared<decode::TokenNgrams>(tool.ctx(), folder);
    out.main = tool_options::open_model(tool, 0, 0, adapters.folders());
    ngrams->set_tokens(out.main->tokenizer());
    out.ngrams = ngrams;
    return out;
  }
  if (draft != "model") {
    folder = options.text("small-model");
    out.both_write = !folder.empty();
  }
  if (folder.empty()) {
    out.main = tool_options::open_model(tool, 0, 0, adapters.folders());
    return out;
  }
  tool.add_input_folder(folder);
  decode::SessionOptions second = tool_options::session_options(tool, folder);
  if (!model::load_config(folder).embed.drawn()) second.embed.reset();
  out.main =
      tool_options::open_model(tool, 1, decode::Session::least_bytes(second), adapters.folders());
  out.second = std::make_shared<decode::Session>(second);
  if (out.second->tokenizer().digest() != out.main->tokenizer().digest())
    throw Error(ErrorKind::kData,
                cat(folder, ": its tokenizer is not that of ", tool_options::model_folder(options)),
                "two models need the same tokens");
  return out;
}

}  // namespace lm::decode_tool
