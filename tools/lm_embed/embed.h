#pragma once
// The verbs of lm-embed, their options, and the embedder that these ask for.

#include <memory>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "embed/model_embedder.h"

namespace lm::embed_tool {

/// Of both verbs; of each.
std::vector<cli::Flag> model_flags();
std::vector<cli::Flag> embed_flags();
std::vector<cli::Flag> langrank_flags();

void run_embed(cli::Tool& tool);
void run_langrank(cli::Tool& tool);

struct OpenedEmbedder {
  std::unique_ptr<embed::TextEmbedder> embedder;
  const embed::ModelEmbedder* model = nullptr;  // null: hashed n-grams
  embed::FolderSettings settings;
  std::vector<embed::Pooling> pools;  // as many as were asked for; empty: no model
};
/// Opens --model. layers: as parse_layers takes them. pools: names, "" for what the folder says,
/// else a mean of an encoder's states and `fallback` of a decoder's; equal ones are one. Notes
/// digests in the stream's header. Throws Error{kUsage} without --model and for options that hashed
/// n-grams do not have.
OpenedEmbedder open_embedder(cli::Tool& tool, const std::string& layers,
                             const std::vector<std::string>& pools,
                             const std::vector<embed::Pooling>& fallback);

/// Says at the end how many texts were longer than allowed, and what was done with them.
class LongTextCount {
 public:
  void note(const embed::PreparedText& text);
  void report(cli::Tool& tool, const embed::ModelEmbedder* model) const;

 private:
  i64 cut_ = 0;
  i64 windowed_ = 0;
  i64 left_out_ = 0;
};

}  // namespace lm::embed_tool
