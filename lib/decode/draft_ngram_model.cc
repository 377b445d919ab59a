#include "decode/draft_ngram_model.h"

#include <numeric>
#include <optional>

#include "core/error.h"
#include "core/str.h"
#include "decode/draft_search.h"
#include "ngram/cutter.h"

namespace lm::decode {

TokenNgrams::TokenNgrams(const Context& ctx, std::string path)
    : path_(std::move(path)),
      model_(ngram::Model::load(ctx, path_)),
      followers_(ctx, model_, path_) {}

void TokenNgrams::set_tokens(const text::Tokenizer& tokenizer) {
  const std::optional<ngram::TextForm> trained = ngram::parse_form(model_.form(), path_);
  ngram::TextForm form;
  form.words = trained && trained->words == ngram::WordKind::kIds ? ngram::WordKind::kIds
                                                                  : ngram::WordKind::kPieces;
  if (form.words == ngram::WordKind::kPieces) form.tokenizer = tokenizer.digest();
  if (trained) ngram::check_form(*trained, form, path_);
  std::vector<i32> ids(usize(tokenizer.vocab_size()));
  std::iota(ids.begin(), ids.end(), 0);
  ngram::CutText cut;
  ngram::TextCutter(form, form.words == ngram::WordKind::kPieces ? &tokenizer : nullptr)
      .cut_ids(ids, cut);
  tokens_.assign(usize(model_.vocab_size()), -1);
  bool any = false;
  for (const i32 id : ids) {
    const u32 word = model_.find(cut.words[usize(id)]);
    words_.push_back(word);
    if (word <= ngram::kEos) continue;
    any = true;
    if (tokens_[word] < 0) tokens_[word] = id;
  }
  if (!any)
    throw Error(ErrorKind::kData, cat(path_, ": none of its words is a token of the model"),
                "lm-ngram train --tokenizer FOLDER makes a model of tokens");
}

ngram::State TokenNgrams::next(const ngram::State& state, i32 token) const {
  const u32 word = usize(token) < words_.size() ? words_[usize(token)] : ngram::kUnk;
  ngram::State out;
  if (word <= ngram::kEos) return begin();
  model_.score_word(state, word, out);
  return out;
}

void TokenNgrams::guess(const ngram::State& state, f64 least,
                        std::vector<std::pair<f32, i32>>& out) const {
  std::vector<std::pair<f32, u32>> words;
  followers_.after(state, least, words);
  out.clear();
  for (const auto& [p, word] : words)
    if (tokens_[word] >= 0) out.emplace_back(p, tokens_[word]);
}

NgramModelDrafter::NgramModelDrafter(std::shared_ptr<const TokenNgrams> model)
    : model_(std::move(model)), state_(model_->begin()) {}

void NgramModelDrafter::propose(std::span<const i32> history, i64 most, DraftTree& out) {
  for (; known_ < isize(history); ++known_)
    state_ = model_->next(state_, history[usize(known_)]);
  states_.clear();
  grow_tree(most, out, [&](i64 node, f64 least, std::vector<std::pair<f32, i32>>& next) {
    if (node >= 0) {
      const i32 parent = out[usize(node)].parent;
      const ngram::State& above = parent < 0 ? state_ : states_[usize(parent)];
      states_.push_back(model_->next(above, out[usize(node)].token));
    }
    model_->guess(node < 0 ? state_ : states_.back(), least, next);
  });
}

}  // namespace lm::decode
