#include "measure.h"

#include <algorithm>
#include <cmath>

#include "common/model_options.h"
#include "core/parallel.h"
#include "core/str.h"
#include "uq/token_measures.h"

namespace lm::uq_tool {

namespace {

/// A layer by number, "last", or "middle", where states of answers tell most (Chen et al. 2024).
std::vector<i64> layer_of(const std::string& name, i64 depth) {
  if (name == "middle") return {(depth + 1) / 2};
  try {
    const std::vector<i64> layers = embed::parse_layers(name, depth);
    if (layers.size() == 1) return layers;
  } catch (const Error& e) {
    throw e.with_prefix("--emb");
  }
  throw Error(ErrorKind::kUsage, cat("--emb: ", quote(name), " is not one layer"));
}

}  // namespace

Measurer::Measurer(cli::Tool& tool) : wants_(attention_wants(tool.options())) {
  const cli::Options& options = tool.options();
  boosted_ = options.on("boosted");
  if (options.given("idf") && !wants_.focus)
    throw Error(ErrorKind::kUsage, "--idf needs focus among --attention");
  const bool has_model = !options.text("model").empty();  // refused where the model is opened
  if (options.given("member") && has_model)
    ensemble_ = std::make_unique<Ensemble>(
        tool, 1 + (wants_.any() ? 1 : 0) + (options.given("emb") ? 1 : 0));
  if (wants_.any() && has_model)
    attention_ = std::make_unique<AttentionMeasurer>(tool, wants_, options.given("emb") ? 2 : 1);
  if (attention_ && options.given("idf"))
    rarity_ = std::make_unique<TokenRarity>(tool, options.text("idf"), attention_->tokenizer());
  if (options.given("relevance")) sim_ = uq::find_sim(options.text("relevance"));
  if (!options.given("emb") || !has_model) return;
  const std::string& folder = options.text("model");
  const model::ModelCfg cfg = model::load_config(folder);
  model::require_decoder(cfg, folder);
  embed::ModelEmbedderOptions how;
  how.settings.folder = folder;
  how.plan.layers = layer_of(options.text("emb"), cfg.depth());
  layer_ = how.plan.layers[0];
  how.plan.pools = {embed::Pooling::kLast};
  how.session = tool_options::session_options(tool, folder);
  how.session.tokenizer = options.text("tokenizer");
  how.session.reserve = decode::Session::least_bytes(how.session);
  how.session.later = 1;
  embedder_ = std::make_unique<embed::ModelEmbedder>(how);
}

i64 Measurer::top() const {
  return std::max(boosted_ ? uq::kBoostedTop : i64{0}, wants_.focus ? uq::kFocusTop : i64{0});
}

void Measurer::measure_tokens(const Question& q, const decode::Session& session,
                              GreedyMeasures& out) {
  const decode::Completion& c = q.likeliest();
  const i64 vocab = session.cfg().vocab;
  if (wants_.focus) {
    out.keyword = keyword_tokens(session.tokenizer(), c.tokens);
  }
  std::function<f64(i64)> weight;
  if (rarity_) weight = [this](i64 token) { return rarity_->weight(token); };
  std::vector<uq::TopToken> top;
  for (std::size_t t = 0; t < c.top.size(); ++t) {
    top.clear();
    for (const auto& [id, logp] : c.top[t])
      top.push_back({id, static_cast<f64>(logp)});
    if (boosted_)
      out.boosted.push_back(
          uq::boosted_probability(top, c.tokens[t], static_cast<f64>(c.logprobs[t]), vocab)
              .value_or(NAN));
    if (wants_.focus)
      out.focus.push_back(uq::focus_surprise(top, c.tokens[t], vocab, weight).value_or(NAN));
  }
  for (std::vector<f64>* list : {&out.boosted, &out.focus}) {
    if (std::any_of(list->begin(), list->end(), [](f64 x) { return !std::isfinite(x); }))
      list->clear();
  }
}

std::vector<f32> Measurer::next_state() {
  std::optional<std::vector<f32>> state;
  while (!(state = embedder_->take()))
    LM_CHECK(embedder_->step(), "a text that was added gets its state");
  return std::move(*state);
}

/// The prompt alone, then every answer behind it, token by token as it was generated.
void Measurer::add_states(const std::string& prompt, const decode::Generated& generated) {
  Result<embed::PreparedText> prepared = embedder_->prepare(prompt);
  LM_CHECK(bool(prepared), "the prompt was good a moment ago");
  embedder_->add(*prepared);
  for (const decode::Completion& completion : generated.completions) {
    embed::PreparedText text = *prepared;
    text.windows[0].insert(text.windows[0].end(), completion.tokens.begin(),
                           completion.tokens.end());
    embedder_->add(std::move(text));
  }
}

QuestionMeasures Measurer::of(const Question& q, const decode::Session& session,
                              const std::vector<std::string>& wordings) {
  const text::Tokenizer& tokenizer = session.tokenizer();
  QuestionMeasures out;
  if (boosted_ || wants_.focus) measure_tokens(q, session, out.greedy);
  if (ensemble_) out.ensemble = ensemble_->of(q);
  if (attention_) out.greedy.attention = attention_->of(q, out.greedy.keyword);
  out.answers.resize(q.answers.completions.size());
  for (const decode::Generated& wording : q.wordings)
    out.wording_answers.emplace_back(wording.completions.size());
  if (sim_) {
    std::vector<std::pair<const decode::Completion*, AnswerMeasures*>> all;
    const auto list = [&all](const decode::Generated& from, std::vector<AnswerMeasures>& to) {
      for (std::size_t i = 0; i < to.size(); ++i)
        all.emplace_back(&from.completions[i], &to[i]);
    };
    list(q.answers, out.answers);
    for (std::size_t j = 0; j < q.wordings.size(); ++j)
      list(q.wordings[j], out.wording_answers[j]);
    parallel_for(isize(all), 1, [&](i64 begin, i64 end) {
      for (i64 i = begin; i < end; ++i) {
        const auto& [completion, measures] = all[usize(i)];
        measures->relevance = token_relevance(tokenizer, completion->tokens, *sim_);
      }
    });
  }
  if (!embedder_) return out;
  add_states(q.prompt, q.answers);
  for (std::size_t j = 0; j < q.wordings.size(); ++j)
    add_states(wordings[j], q.wordings[j]);
  out.prompt = next_state();
  for (AnswerMeasures& one : out.answers)
    one.emb = next_state();
  for (std::vector<AnswerMeasures>& answers : out.wording_answers) {
    out.wordings.push_back(next_state());
    for (AnswerMeasures& one : answers)
      one.emb = next_state();
  }
  return out;
}

std::vector<f64> keyword_tokens(const text::Tokenizer& tokenizer, std::span<const i32> tokens) {
  const std::string text = tokenizer.decode(tokens, true);
  const std::vector<u8> keyword = uq::keyword_bytes(text);
  std::vector<f64> out;
  std::size_t begin = 0;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    // A token that ends inside a character belongs to the one whose last byte it brings.
    const std::size_t end =
        std::clamp(tokenizer.decode(tokens.first(t + 1), true).size(), begin, text.size());
    const auto first = keyword.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = keyword.begin() + static_cast<std::ptrdiff_t>(end);
    out.push_back(std::find(first, last, 1) != last ? 1 : 0);
    begin = end;
  }
  return out;
}

std::vector<f64> token_relevance(const text::Tokenizer& tokenizer, std::span<const i32> tokens,
                                 uq::Sim sim) {
  uq::TextComparer comparer;
  uq::Similarities alike;
  const std::string whole = tokenizer.decode(tokens, true);
  std::vector<f64> out;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    std::vector<i32> rest(tokens.begin(), tokens.end());
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(t));
    const std::string without = tokenizer.decode(rest, true);
    const std::string_view texts[] = {whole, without};
    comparer.compare(sim, texts, alike);
    out.push_back(1 - alike.at(0, 1));
  }
  return out;
}

}  // namespace lm::uq_tool
