#include "embed/model_embedder.h"

#include <algorithm>

#include "core/hash.h"
#include "core/str.h"
#include "model/diffusion.h"

namespace lm::embed {
namespace {

decode::SessionOptions session_options(const ModelEmbedderOptions& options) {
  decode::SessionOptions out = options.session;
  out.folder = options.settings.folder;
  out.logits = false;
  const StateOptions states = state_options(options.plan, model::load_config(out.folder));
  out.states = states.states;
  out.final_state = states.final_state;
  return out;
}

}  // namespace

ModelEmbedder::ModelEmbedder(ModelEmbedderOptions options)
    : options_(std::move(options)),
      session_(std::make_unique<decode::Session>(session_options(options_))),
      state_(session_->tokenizer().new_state()) {
  choose_specials();
  check_limits();
  embedder_ = std::make_unique<Embedder>(
      session_->engine(), options_.plan,
      decode::PassLimits{options_.session.batch, options_.session.chunk});
}

/// Encoders and sentence-transformers folders were trained with what their tokenizer puts around a
/// text; other decoders begin as they do in all programs.
void ModelEmbedder::choose_specials() {
  const text::Tokenizer& tokenizer = session_->tokenizer();
  const bool encoder = session_->cfg().kind == model::ModelKind::kEncoder;
  if (encoder || options_.settings.sentence) {
    before_.assign(tokenizer.before().begin(), tokenizer.before().end());
    after_.assign(tokenizer.after().begin(), tokenizer.after().end());
  }
  if (before_.empty() && after_.empty() && !encoder && session_->begin())
    before_ = {*session_->begin()};
}

void ModelEmbedder::check_limits() {
  const std::string& folder = options_.session.folder;
  const model::ModelCfg& cfg = session_->cfg();
  for (const Pooling pool : options_.plan.pools) {
    if (pool == Pooling::kClass && !model::sees_behind(cfg))
      throw Error(ErrorKind::kUsage,
                  cat("pooling cls is an encoder's, and ", folder, " is a decoder (", cfg.family,
                      "), whose first token sees nothing behind it"),
                  "--pool last or --pool mean");
    if ((pool == Pooling::kBegin || pool == Pooling::kClass) && before_.empty())
      throw Error(ErrorKind::kUsage,
                  cat("pooling ", pooling_name(pool), " needs a token that begins texts, and ",
                      folder, " has none or --no-bos leaves it out"));
  }
  const i64 context = session_->engine().positions() - cfg.first_position;
  if (options_.max_tokens > context)
    throw Error(ErrorKind::kUsage, cat("--max-tokens ", options_.max_tokens,
                                       " is more than the model's context of ", context));
  if (options_.max_tokens == 0)
    options_.max_tokens = options_.settings.max_tokens > 0
                              ? std::min(context, options_.settings.max_tokens)
                              : context;
  if (options_.max_tokens <= isize(before_) + isize(after_))
    throw Error(ErrorKind::kUsage,
                cat("texts of ", options_.max_tokens, " tokens have no room beside ",
                    before_.size() + after_.size(), " special tokens"));
}

Result<PreparedText> ModelEmbedder::prepare(std::string_view text) {
  std::vector<i32> ids;
  std::string whole;
  if (!options_.prefix.empty()) {
    whole = cat(options_.prefix, text);
    text = whole;
  }
  if (std::optional<Fault> fault = text::encode_record(session_->tokenizer(), text, *state_, ids))
    return *fault;
  if (ids.empty() && before_.empty() && after_.empty())
    return Fault{"empty", "the text has no token and the model has none that begins a text", -1};
  PreparedText out;
  out.tokens = isize(ids);
  const i64 room = options_.max_tokens - isize(before_) - isize(after_);
  i64 begin = 0;
  do {
    const i64 end = std::min(isize(ids), begin + room);
    std::vector<i32>& window = out.windows.emplace_back(before_);
    window.insert(window.end(), ids.begin() + begin, ids.begin() + end);
    window.insert(window.end(), after_.begin(), after_.end());
    out.weights.push_back(std::max<i64>(1, end - begin));
    begin = end;
  } while (begin < isize(ids) && options_.long_texts == LongTexts::kWindows);
  out.left_out = isize(ids) - begin;
  return out;
}

void ModelEmbedder::add(PreparedText text) {
  for (std::vector<i32>& window : text.windows)
    embedder_->add(std::move(window));
  waiting_.push_back({std::move(text.weights), 0, {}});
}

std::optional<std::vector<f32>> ModelEmbedder::take() {
  if (waiting_.empty()) return std::nullopt;
  Waiting& text = waiting_.front();
  std::vector<f32> out;
  while (text.taken < isize(text.weights)) {
    std::optional<std::vector<f32>> one = embedder_->take();
    if (!one) return std::nullopt;
    out = std::move(*one);
    if (isize(text.weights) > 1) {
      text.sums.resize(out.size());
      for (std::size_t i = 0; i < out.size(); ++i)
        text.sums[i] +=
            static_cast<f64>(text.weights[usize(text.taken)]) * static_cast<f64>(out[i]);
    }
    ++text.taken;
  }
  if (!text.sums.empty()) {
    f64 all = 0;
    for (const i64 weight : text.weights)
      all += static_cast<f64>(weight);
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<f32>(text.sums[i] / all);
  }
  waiting_.pop_front();
  return out;
}

u64 ModelEmbedder::key() const {
  std::string text = cat(session_->key(), "\n", options_.plan.final_norm, "\n", options_.max_tokens,
                         "\n", static_cast<i64>(options_.long_texts), "\n", options_.prefix);
  for (const Pooling pool : options_.plan.pools)
    append(text, "\n", pooling_name(pool));
  for (const i64 layer : options_.plan.layers)
    append(text, "\n", layer);
  for (const std::vector<i32>* ids : {&before_, &after_}) {
    text += '\n';
    for (const i32 id : *ids)
      append(text, id, " ");
  }
  return xxh3_64(text);
}

std::vector<i64> parse_layers(std::string_view text, i64 depth) {
  std::vector<i64> out;
  if (text == "last") return {depth};
  if (text == "all") {
    for (i64 layer = 0; layer <= depth; ++layer)
      out.push_back(layer);
    return out;
  }
  if (text == "auto") {
    const i64 step = (depth + 5) / 6;
    for (i64 i = 1; i <= 5 && i * step <= depth; ++i)
      out.push_back(i * step);
    return out;
  }
  for (const std::string_view part : split(text, ',')) {
    const std::optional<i64> layer = parse_int(part);
    if (!layer || *layer < 0 || *layer > depth)
      throw Error(ErrorKind::kUsage,
                  cat("layer ", quote(part), " is not a number from 0 to ", depth));
    out.push_back(*layer);
  }
  std::sort(out.begin(), out.end());
  if (std::adjacent_find(out.begin(), out.end()) != out.end())
    throw Error(ErrorKind::kUsage, cat("a layer is named twice in ", quote(text)));
  return out;
}

}  // namespace lm::embed
