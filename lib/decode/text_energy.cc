#include "decode/text_energy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/str.h"

namespace lm::decode {

void TextEnergy::add(const Candidates& c) {
  LM_CHECK(!c.places.empty() && c.values.size() == c.log_proposals.size(), "places are filled");
  const i64 vocab = engine_.cfg().vocab;
  const i64 put = begins(c.tokens) ? 1 : 0;  // tokens before the text
  const i64 first = c.places.front();
  const i64 end = carry_over_ ? c.places.back() + 1 : c.end;
  const auto known = [&](i32 token) { return token < vocab ? token : 0; };
  Text text;
  ScoreRequest request;
  if (put > 0) request.prefix.emplace_back(*begin_);
  for (i64 i = 0; i < first; ++i)
    request.prefix.emplace_back(known(c.tokens[usize(i)]));
  // The first token of all has no probability.
  const bool headless = request.prefix.empty();
  text.counts.assign(usize(end - first), carry_over_ ? 0 : 1);
  for (const i64 place : c.places)
    text.counts[usize(place - first)] = 1;
  if (headless) text.counts.erase(text.counts.begin());
  for (std::size_t j = 0; j < c.values.size(); ++j) {
    std::vector<i32> tail(c.tokens.begin() + first, c.tokens.begin() + end);
    f64 proposed = 0;
    bool unknown = false;
    for (std::size_t i = 0; i < c.places.size(); ++i) {
      const i32 token = c.values[j][i];
      tail[usize(c.places[i] - first)] = known(token);
      unknown = unknown || token >= vocab;
      if (!headless || c.places[i] > 0) proposed += c.log_proposals[j][i];
    }
    ScoreRequest::Branch& branch = request.branches.emplace_back();
    branch.rows = prompt_rows(tail);
    text.proposed.push_back(proposed);
    text.unknown.push_back(unknown ? 1 : 0);
  }
  scorer_.add(std::move(request));
  texts_.push_back(std::move(text));
}

std::vector<std::vector<f64>> TextEnergy::run() {
  std::vector<std::vector<f64>> out;
  while (out.size() < texts_.size()) {
    const std::optional<std::vector<BranchScore>> scores = scorer_.take();
    if (!scores) {
      const bool any = scorer_.step();
      LM_CHECK(any, "what was added is scored");
      continue;
    }
    const Text& text = texts_[out.size()];
    std::vector<f64>& energies = out.emplace_back();
    for (std::size_t j = 0; j < scores->size(); ++j) {
      f64 sum = 0;
      const std::vector<f32>& logprobs = (*scores)[j].logprobs;
      LM_CHECK(logprobs.size() == text.counts.size(), "each token behind the prefix is scored");
      for (std::size_t i = 0; i < logprobs.size(); ++i)
        if (text.counts[i] != 0) sum += static_cast<f64>(logprobs[i]);
      const f64 energy = text.proposed[j] - sum;
      energies.push_back(text.unknown[j] != 0 || std::isnan(energy)
                             ? std::numeric_limits<f64>::infinity()
                             : energy);
    }
  }
  texts_.clear();
  return out;
}

void check_same_tokens(const text::Tokenizer& tokenizer, const text::Tokenizer& of, i32 mask) {
  const auto bytes = [](const text::Tokenizer& in, i32 id) {
    return id < in.vocab_size() && in.has(id) ? in.token_bytes(id, true) : std::string();
  };
  const i64 ids = std::max(tokenizer.vocab_size(), of.vocab_size());
  for (i32 id = 0; id < ids; ++id) {
    if (id == mask || bytes(tokenizer, id) == bytes(of, id)) continue;
    throw Error(
        ErrorKind::kData,
        cat("token ", id, " is ", quote(bytes(tokenizer, id)), ", expected ", quote(bytes(of, id))),
        "two models need the same tokens");
  }
}

}  // namespace lm::decode
