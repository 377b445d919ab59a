#include "decode/text_classifier.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/str.h"

namespace lm::decode {

TextClassifier::TextClassifier(SessionOptions options) {
  options.batch = 1;
  options.logits = false;
  options.final_state = true;
  session_ = std::make_unique<Session>(options);
  const model::ModelCfg& cfg = session_->cfg();
  if (cfg.scores < 2)
    throw Error(ErrorKind::kData,
                cat(options.folder, ": ", model::describe(cfg), ", expected a classifier of texts"),
                "lm-train --objective classify makes one");
  labels_ = model::score_names(cfg, options.folder);
  head_ = session_->score_head();
  encoder_ = std::make_unique<PromptEncoder>(session_->tokenizer(), session_->begin());
}

Result<std::vector<f64>> TextClassifier::classify(std::string_view text) {
  model::Engine& engine = session_->engine();
  const Result<std::vector<PromptRow>> rows = encoder_->prompt(PromptText(text));
  if (!rows) return rows.fault();
  std::vector<i32> tokens = tokens_of(*rows);
  const std::optional<i32> end = end_token(session_->cfg(), &session_->tokenizer());
  if (end && (tokens.empty() || tokens.back() != *end)) tokens.push_back(*end);
  if (tokens.empty()) return Fault{"empty", "the text has no tokens to tell its kind by", -1};
  tokens.resize(usize(std::min(isize(tokens), engine.positions())));
  const i32 seq = engine.create();
  std::vector<model::EvalRow> pass;
  for (i64 begin = 0; begin < isize(tokens); begin += engine.max_rows()) {
    pass.clear();
    for (i64 i = begin; i < std::min(isize(tokens), begin + engine.max_rows()); ++i) {
      model::EvalRow row;
      row.seq = seq;
      row.token = tokens[usize(i)];
      row.want_hidden = i + 1 == isize(tokens);
      pass.push_back(row);
    }
    engine.eval(pass);
    engine.commit(seq);
  }
  const std::span<const f32> state = engine.hidden(isize(pass) - 1);
  std::vector<f64> out;
  for (i64 k = 0; k < isize(labels_); ++k)
    out.push_back(std::inner_product(
        state.begin(), state.end(), head_.begin() + k * isize(state), 0.0, std::plus<>(),
        [](f32 a, f32 b) { return static_cast<f64>(a) * static_cast<f64>(b); }));
  engine.release(seq);
  const f64 largest = *std::max_element(out.begin(), out.end());
  if (!std::isfinite(largest))
    return Fault{"logits", "the classifier's scores are not numbers", -1};
  f64 sum = 0;
  for (f64& one : out)
    sum += one = std::exp(one - largest);
  for (f64& one : out)
    one /= sum;
  return out;
}

std::vector<f32> likeliest_shares(std::span<const f64> probabilities, i64 k) {
  std::vector<i64> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](i64 a, i64 b) { return probabilities[usize(a)] > probabilities[usize(b)]; });
  order.resize(usize(std::min(k, isize(order))));
  f64 sum = 0;
  for (const i64 i : order)
    sum += probabilities[usize(i)];
  std::vector<f32> out(probabilities.size(), 0);
  for (const i64 i : order)
    out[usize(i)] = static_cast<f32>(probabilities[usize(i)] / sum);
  return out;
}

}  // namespace lm::decode
