#pragma once
// A model folder as an embedder: plain decoders, BERT-type encoders, sentence-transformers folders
// with their own settings. A text longer than allowed is cut, or embedded window by window and
// averaged by the windows' tokens.

#include <deque>
#include <memory>
#include <string>

#include "decode/session.h"
#include "embed/embedder.h"
#include "embed/folder_settings.h"
#include "embed/text_embedder.h"

namespace lm::embed {

enum class LongTexts : u8 { kCut, kWindows };

struct ModelEmbedderOptions {
  decode::SessionOptions session;  // its folder is settings.folder
  FolderSettings settings;
  VectorPlan plan;
  i64 max_tokens = 0;  // of a text with its specials; 0: as the settings say, at most the context
  LongTexts long_texts = LongTexts::kCut;
  std::string prefix;  // put before every text ("query: ")
};

class ModelEmbedder final : public TextEmbedder {
 public:
  /// Opens the session. Throws what Session throws; Error{kUsage} for a pooling that the model
  /// cannot have (cls of a decoder, bos without a token that begins texts) and for max_tokens
  /// beyond the context or without room for a token.
  explicit ModelEmbedder(ModelEmbedderOptions options);

  Result<PreparedText> prepare(std::string_view text) override;
  void add(PreparedText text) override;
  i64 pending() const override { return embedder_->pending() + isize(waiting_); }
  bool step() override { return embedder_->step(); }
  std::optional<std::vector<f32>> take() override;
  i64 width() const override { return session_->cfg().width; }
  const std::vector<i64>& layers() const override { return options_.plan.layers; }
  const std::string& digest() const override { return session_->digest(); }
  u64 key() const override;

  const decode::Session& session() const { return *session_; }
  const decode::PassStats& stats() const { return embedder_->stats(); }
  i64 max_tokens() const { return options_.max_tokens; }

 private:
  struct Waiting {
    std::vector<i64> weights;
    i64 taken = 0;
    std::vector<f64> sums;
  };
  void choose_specials();
  void check_limits();

  ModelEmbedderOptions options_;
  std::unique_ptr<decode::Session> session_;
  std::vector<i32> before_, after_;  // specials around every window
  std::unique_ptr<text::EncodeState> state_;
  std::unique_ptr<Embedder> embedder_;
  std::deque<Waiting> waiting_;
};

/// Layers by name: "last", "all", "auto" (ceil(L/6) times 1..5, as far as there are layers), or
/// numbers 0..L separated by commas; ascending. Throws Error{kUsage}.
std::vector<i64> parse_layers(std::string_view text, i64 depth);

}  // namespace lm::embed
