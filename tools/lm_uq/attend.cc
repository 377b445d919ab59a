#include "attend.h"

#include <algorithm>

#include "common/model_options.h"
#include "core/parallel.h"
#include "core/str.h"
#include "decode/prompt.h"
#include "model/config.h"
#include "uq.h"

namespace lm::uq_tool {

namespace {

constexpr const char* kElicit =
    "Each question has a proposed answer. Decide whether it answers the question, Y or N.\n\n"
    "Question: How many legs has a spider?\nAnswer: A spider has eight legs.\nDecision: Y\n\n"
    "Question: Which ocean lies west of Portugal?\nAnswer: The Pacific.\nDecision: N\n\n"
    "Question: {prompt}\nAnswer:{answer}\n\nDecision:";

/// A logarithm is taken of weights: none is written as zero.
constexpr f64 kLeastWeight = 1e-30;

i64 index_of(const std::vector<i64>& layers, i64 layer) {
  return std::lower_bound(layers.begin(), layers.end(), layer) - layers.begin();
}

}  // namespace

AttentionWants attention_wants(const cli::Options& options) {
  AttentionWants out;
  for (const std::string& name : name_list(options, "attention")) {
    bool* const want = name == "attention_score" ? &out.score
                       : name == "rauq"          ? &out.rauq
                       : name == "focus"         ? &out.focus
                       : name == "csl"           ? &out.csl
                                                 : nullptr;
    if (want == nullptr)
      throw Error(ErrorKind::kUsage, cat("--attention: ", quote(name), " is none of its scores"),
                  "attention_score, rauq, focus and csl are");
    *want = true;
  }
  if (options.given("csl-prompt") && !out.csl)
    throw Error(ErrorKind::kUsage, "--csl-prompt needs csl among --attention");
  return out;
}

AttentionMeasurer::AttentionMeasurer(cli::Tool& tool, const AttentionWants& wants, i64 later)
    : wants_(wants), memory_(*tool.ctx().memory) {
  const cli::Options& options = tool.options();
  const std::string text = options.given("csl-prompt") ? options.text("csl-prompt") : kElicit;
  const std::size_t prompt = text.find("{prompt}");
  const std::size_t answer = text.find("{answer}");
  if (prompt == text.npos || answer == text.npos || answer < prompt)
    throw Error(ErrorKind::kUsage, "--csl-prompt has no {prompt} with {answer} behind it");
  before_ = text.substr(0, prompt);
  between_ = text.substr(prompt + 8, answer - prompt - 8);
  after_ = text.substr(answer + 8);

  const std::string& folder = options.text("model");
  const model::ModelCfg cfg = model::load_config(folder);
  model::require_decoder(cfg, folder);
  const i64 depth = cfg.depth();
  // The layers of lm-polygraph: from a third of the depth, the layer behind two thirds included.
  const i64 first = depth / 3;
  const i64 end = std::min(depth, (2 * depth + 2) / 3 + 1);
  std::vector<i64> layers;
  for (i64 layer = 0; layer < depth; ++layer) {
    if (wants.focus || wants.csl || (wants.rauq && layer >= first && layer < end) ||
        (wants.score && layer == depth / 2))
      layers.push_back(layer);
  }
  for (i64 layer = first; wants.rauq && layer < end; ++layer) {
    middle_.push_back(index_of(layers, layer));
    const auto heads = [&](i64 of) {
      const auto* const a = std::get_if<model::AttentionCfg>(&cfg.layers[usize(of)].mixer);
      if (a == nullptr)
        throw Error(ErrorKind::kData, cat(folder, ": layer ", of, " has no attention to look at"));
      return a->heads;
    };
    if (heads(layer) != heads(first))
      throw Error(ErrorKind::kData, cat(folder, ": rauq needs layers of equally many heads"));
  }
  centre_ = index_of(layers, depth / 2);

  decode::SessionOptions how = tool_options::session_options(tool, folder);
  how.tokenizer = options.text("tokenizer");
  how.batch = 1;
  how.logits = false;
  how.states = {layers.back() + 1};
  how.final_state = false;
  how.projections = layers;
  decode::SessionOptions others = tool_options::session_options(tool, folder);
  how.reserve = later * decode::Session::least_bytes(others);
  how.later = later;
  session_ = std::make_unique<decode::Session>(how);
  begin_ = std::make_unique<decode::PromptEncoder>(session_->tokenizer(), session_->begin());
  inside_ = std::make_unique<decode::PromptEncoder>(session_->tokenizer(), std::nullopt);
  reader_ = std::make_unique<decode::AttentionReader>(session_->engine(), layers);
}

std::vector<i32> AttentionMeasurer::tokens_of(decode::PromptEncoder& encoder,
                                              std::string_view text) const {
  const Result<std::vector<decode::PromptRow>> rows = encoder.prompt(text);
  LM_CHECK(bool(rows), "the prompt was good a moment ago");
  return decode::tokens_of(*rows);
}

void AttentionMeasurer::read(std::span<const i32> tokens) {
  charge_.reset();
  charge_.emplace(memory_, reader_->token_bytes() * isize(tokens),
                  cat("queries and keys of ", tokens.size(), " tokens"));
  reader_->read(tokens);
}

AttentionMeasures AttentionMeasurer::of(const Question& q, const std::vector<f64>& keyword) {
  AttentionMeasures out;
  if (q.likeliest().tokens.empty()) return out;
  if (wants_.score || wants_.rauq || wants_.focus) read_answer(q, keyword, out);
  if (wants_.csl) read_elicited(q, out);
  return out;
}

void AttentionMeasurer::read_answer(const Question& q, const std::vector<f64>& keyword,
                                    AttentionMeasures& out) {
  std::vector<i32> tokens = tokens_of(*begin_, q.prompt);
  const i64 start = isize(tokens);
  const std::vector<i32>& answer = q.likeliest().tokens;
  tokens.insert(tokens.end(), answer.begin(), answer.end());
  read(tokens);
  const i64 length = isize(answer);
  const i64 heads = reader_->heads(centre_);
  if (wants_.score) {
    out.self.shape = {heads, length};
    out.self.values.resize(usize(heads * length));
  }
  const i64 middle_heads = middle_.empty() ? 0 : reader_->heads(middle_[0]);
  if (wants_.rauq) {
    out.prev.shape = {isize(middle_), middle_heads, length};
    out.prev.values.resize(usize(isize(middle_) * middle_heads * length));
  }
  if (wants_.focus) out.back.resize(usize(length));
  parallel_for(length, 1, [&](i64 begin, i64 end) {
    std::vector<f64> weights;
    for (i64 t = begin; t < end; ++t) {
      const i64 row = start + t;
      weights.resize(usize(row + 1));
      for (i64 h = 0; wants_.score && h < heads; ++h) {
        reader_->weights(centre_, h, row, weights);
        out.self.values[usize(h * length + t)] = std::max(weights[usize(row)], kLeastWeight);
      }
      for (i64 i = 0; i < isize(middle_) * middle_heads; ++i) {
        reader_->weights(middle_[usize(i / middle_heads)], i % middle_heads, row, weights);
        out.prev.values[usize(i * length + t)] = row > 0 ? weights[usize(row - 1)] : 0;
      }
      if (!wants_.focus || !(keyword[usize(t)] > 0)) continue;
      std::vector<f64>& back = out.back[usize(t)];
      back.assign(usize(t), 0.0);
      for (i64 layer = 0; layer < isize(reader_->layers()); ++layer) {
        for (i64 h = 0; h < reader_->heads(layer); ++h) {
          reader_->weights(layer, h, row, weights);
          for (i64 j = 0; j < t; ++j)
            back[usize(j)] = std::max(back[usize(j)], weights[usize(start + j)]);
        }
      }
    }
  });
}

void AttentionMeasurer::read_elicited(const Question& q, AttentionMeasures& out) {
  std::vector<i32> tokens = tokens_of(*begin_, cat(before_, q.prompt, between_));
  const i64 start = isize(tokens);
  // An end token would end the question; it weighs nothing.
  std::span<const i32> answer = q.likeliest().tokens;
  const std::vector<i32> ends = session_->generate_options().end_ids;
  if (std::find(ends.begin(), ends.end(), answer.back()) != ends.end())
    answer = answer.first(answer.size() - 1);
  tokens.insert(tokens.end(), answer.begin(), answer.end());
  const std::vector<i32> tail = tokens_of(*inside_, after_);
  tokens.insert(tokens.end(), tail.begin(), tail.end());
  if (isize(tokens) > session_->engine().positions()) {
    ++too_long_;
    return;
  }
  read(tokens);
  const i64 row = isize(tokens) - 1;
  std::vector<f64> sum(q.likeliest().tokens.size(), 0.0);
  std::vector<f64> weights(tokens.size());
  f64 maps = 0;
  for (i64 layer = 0; layer < isize(reader_->layers()); ++layer) {
    for (i64 h = 0; h < reader_->heads(layer); ++h, ++maps) {
      reader_->weights(layer, h, row, weights);
      for (i64 t = 0; t < isize(answer); ++t)
        sum[usize(t)] += weights[usize(start + t)];
    }
  }
  for (f64& value : sum)
    value /= maps;
  out.csl = std::move(sum);
}

}  // namespace lm::uq_tool
