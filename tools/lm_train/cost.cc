// The embeddings that --emo-cost names.

#include <cmath>
#include <filesystem>

#include "core/str.h"
#include "model/checkpoint.h"
#include "tensor/safetensors.h"
#include "train.h"

namespace lm::train_tool {

namespace {

/// The one matrix of a file.
std::vector<f32> read_matrix(const std::string& path, i64 vocab, i64& width) {
  const SafeFile file(path);
  const SafeEntry* matrix = nullptr;
  for (const SafeEntry& entry : file.entries()) {
    if (entry.shape.rank != 2) continue;
    if (matrix != nullptr)
      throw Error(ErrorKind::kData, cat(path, ": holds several matrices, expected one"));
    matrix = &entry;
  }
  if (matrix == nullptr || matrix->shape[0] < vocab)
    throw Error(ErrorKind::kData,
                cat(path, ": holds ",
                    matrix == nullptr ? std::string("no matrix")
                                      : cat("a matrix of ", to_string(matrix->shape)),
                    ", expected one with a row for each of ", vocab, " ids"));
  width = matrix->shape[1];
  const OwnedTensor all(matrix->shape);
  load_entry(*matrix, all.view);
  return {all.view.f32_data(), all.view.f32_data() + vocab * width};
}

}  // namespace

std::shared_ptr<const train::CostTable> read_cost(cli::Tool& tool, i64 vocab) {
  const std::string& how = tool.options().text("emo-cost");
  if (how == "head") return nullptr;
  if (!how.starts_with("fixed:") || how == "fixed:")
    throw Error(ErrorKind::kUsage,
                cat("--emo-cost ", quote(how), ", expected \"head\" or \"fixed:PATH\""));
  const std::string path = how.substr(6);
  i64 width = 0;
  std::vector<f32> rows;
  if (std::filesystem::is_directory(path)) {
    const model::Model model = model::load_model(path);
    model::require_decoder(model.cfg, path);
    if (model.cfg.embed.kind == model::EmbedKind::kGaussian)
      throw Error(ErrorKind::kData, cat(path, ": a model whose embeddings are drawn has none"));
    const i32 head = model.params->set.find(model.cfg.tied ? "embed.weight" : "head.weight");
    if (model.cfg.vocab < vocab)
      throw Error(ErrorKind::kData, cat(path, ": a model of ", model.cfg.vocab,
                                        " ids, expected a row for each of ", vocab));
    width = model.cfg.width;
    const f32* data = model.weights[head].f32_data();
    rows.assign(data, data + vocab * width);
  } else {
    rows = read_matrix(path, vocab, width);
  }
  for (const f32 value : rows)
    if (!std::isfinite(value))
      throw Error(ErrorKind::kData, cat(path, ": embeddings that are not finite numbers"));
  return std::make_shared<const train::CostTable>(vocab, width, std::move(rows));
}

}  // namespace lm::train_tool
