#include "sample_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "core/str.h"
#include "uq/record_json.h"

namespace lm::uq_tool {

using decode::Completion;

namespace {

/// The shortest decimal number that is this f32: records say no more digits than are known.
f64 decimal(f32 value) {
  char text[32];
  const std::to_chars_result end = std::to_chars(text, text + sizeof text, value);
  f64 out = 0;
  std::from_chars(text, end.ptr, out);
  return out;
}

std::vector<f64> decimals(std::span<const f32> values) {
  std::vector<f64> out;
  for (const f32 value : values)
    out.push_back(decimal(value));
  return out;
}

/// As many digits as f32 has: what follows is noise of the pass that they come from.
std::vector<f64> rounded(std::span<const f64> values) {
  std::vector<f64> out;
  for (const f64 value : values)
    out.push_back(decimal(static_cast<f32>(value)));
  return out;
}

/// A list by token, or none if a value is not finite.
std::vector<f64> spread_list(const Completion& c, f64 decode::Spread::*value) {
  std::vector<f64> out;
  for (const decode::Spread& spread : c.spreads)
    out.push_back(decimal(static_cast<f32>(spread.*value)));
  for (const f64 one : out) {
    if (!std::isfinite(one)) return {};
  }
  return out;
}

}  // namespace

std::string greedy_json(const Question& q, const AnswerMeasures& measures,
                        const GreedyMeasures& own, i64 top) {
  const Completion& c = q.likeliest();
  uq::GreedyAnswer answer;
  answer.text = c.text;
  answer.tokens.assign(c.tokens.begin(), c.tokens.end());
  answer.logp = decimals(c.logprobs);
  answer.entropy = spread_list(c, &decode::Spread::entropy);
  answer.sqrt_mass = spread_list(c, &decode::Spread::sqrt_mass);
  answer.mean_logp = spread_list(c, &decode::Spread::mean_logp);
  if (q.without_prompt) answer.logp0 = decimals(*q.without_prompt);
  answer.emb = decimals(measures.emb);
  answer.relevance = measures.relevance;
  for (const std::vector<decode::TokenLogprob>& row : c.top) {
    if (top == 0) break;
    std::vector<uq::TopToken>& list = answer.top.emplace_back();
    for (const auto& [id, logp] : std::span(row).first(std::min(row.size(), usize(top)))) {
      if (std::isfinite(logp)) list.push_back({id, decimal(logp)});
    }
  }
  answer.boosted = rounded(own.boosted);
  answer.focus = rounded(own.focus);
  answer.keyword = own.keyword;
  answer.csl_weight = rounded(own.attention.csl);
  answer.attn_self = own.attention.self;
  answer.attn_self.values = rounded(answer.attn_self.values);
  answer.attn_prev = own.attention.prev;
  answer.attn_prev.values = rounded(answer.attn_prev.values);
  for (const std::vector<f64>& row : own.attention.back)
    answer.attn_back.push_back(rounded(row));
  std::string out;
  uq::append_greedy(out, answer);
  return out;
}

std::string numbers_json(std::span<const f32> values) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    io::append_json_number(out, values[i]);
  }
  return out + "]";
}

std::string samples_json(std::span<const Completion> completions,
                         std::span<const AnswerMeasures> measures) {
  std::vector<uq::Answer> answers;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    uq::Answer& answer = answers.emplace_back();
    answer.text = completions[i].text;
    answer.logp = decimals(completions[i].logprobs);
    answer.emb = decimals(measures[i].emb);
    answer.relevance = measures[i].relevance;
  }
  std::string out;
  uq::append_samples(out, answers);
  return out;
}

std::string probability_json(f64 p) {
  return cat(decimal(static_cast<f32>(std::min(1.0, p))));
}

std::optional<Fault> Rewordings::read(std::string_view raw) {
  text_ = raw;
  text_.append(usize(io::kJsonPadding), ' ');
  entries_.clear();
  prompts_.clear();
  const Fault wrong{"type", "field \"perturb\" is not a list of objects", -1};
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::array items;
  if (parser.iterate(text_.data(), raw.size(), text_.size()).get(document) != simdjson::SUCCESS ||
      document.get_array().get(items) != simdjson::SUCCESS)
    return wrong;
  for (simdjson::simdjson_result<simdjson::ondemand::value> item : items) {
    simdjson::ondemand::object object;
    std::string_view entry;
    if (item.get_object().get(object) != simdjson::SUCCESS ||
        object.raw_json().get(entry) != simdjson::SUCCESS)
      return wrong;
    entries_.push_back(entry.substr(0, entry.rfind('}') + 1));
  }
  for (const std::string_view entry : entries_) {
    if (std::optional<Fault> fault = json_.parse(entry)) return fault;
    const Result<std::string_view> prompt = json_.string(0);
    if (!prompt) {
      Fault fault = prompt.fault();
      fault.detail = cat("rewording ", prompts_.size() + 1, ": ", fault.detail);
      return fault;
    }
    prompts_.emplace_back(*prompt);
  }
  return std::nullopt;
}

std::vector<std::string> Rewordings::without(std::string_view kind) {
  std::vector<std::string> out;
  for (const std::string_view entry : entries_) {
    LM_CHECK(!json_.parse(entry), "the list was read before");
    if (json_.text_of(2) != kind) out.emplace_back(entry);
  }
  return out;
}

std::string Rewordings::with(const std::vector<std::string>& samples,
                             const std::vector<std::vector<f32>>& embs) {
  std::string out = "[";
  for (std::size_t j = 0; j < entries_.size(); ++j) {
    LM_CHECK(!json_.parse(entries_[j]), "the list was read before");
    io::RecordEdit edit(json_);
    edit.set(1, samples[j]);
    if (j < embs.size()) edit.set(3, numbers_json(embs[j]));
    if (j > 0) out += ',';
    edit.write(out);
    out.pop_back();  // the newline
  }
  return out + "]";
}

}  // namespace lm::uq_tool
