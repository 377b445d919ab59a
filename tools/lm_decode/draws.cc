#include "draws.h"

#include <algorithm>

#include "common/model_options.h"

namespace lm::decode_tool {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> draws_flags() {
  return {{.name = "embed-draws",
           .kind = FlagKind::kCount,
           .value_name = "M",
           .group = "Scoring",
           .help = "drawn embeddings: log-probabilities are means over M tables",
           .details = "The first M of --embed-seed, each beside the others in memory.",
           .min = 1,
           .max = 1024}};
}

DrawnSessions::DrawnSessions(cli::Tool& tool, const std::vector<std::string>& adapters) {
  const i64 further = tool.options().maybe_integer("embed-draws").value_or(1) - 1;
  i64 reserve = 0;
  decode::SessionOptions options;
  if (further > 0) {
    if (tool.options().integer("top-logprobs") > 0)
      throw Error(ErrorKind::kUsage,
                  "--top-logprobs are of one table, --embed-draws asks for several");
    options = tool_options::session_options(tool, tool_options::model_folder(tool.options()));
    options.tokenizer = tool.options().text("tokenizer");
    reserve = decode::Session::least_bytes(options);
  }
  first_ = tool_options::open_model(tool, further, further * reserve, adapters);
  for (i64 i = 1; i <= further; ++i) {
    options.embed->draw = static_cast<u32>(i);
    options.later = further - i;
    options.reserve = options.later * reserve;
    more_.push_back(std::make_unique<decode::Session>(options));
  }
}

MeanScorer::MeanScorer(DrawnSessions& sessions, bool prefixes) : done_(usize(sessions.count())) {
  for (i64 i = 0; i < sessions.count(); ++i) {
    decode::ScoreOptions options = sessions[i].score_options();
    options.prefixes = prefixes;
    scorers_.push_back(std::make_unique<decode::TokenScorer>(sessions[i].engine(), options));
  }
}

void MeanScorer::add(decode::ScoreRequest request) {
  for (std::size_t i = 1; i < scorers_.size(); ++i)
    scorers_[i]->add(request);
  scorers_[0]->add(std::move(request));
}

bool MeanScorer::step() {
  bool any = false;
  for (const std::unique_ptr<decode::TokenScorer>& scorer : scorers_)
    any = scorer->step() || any;
  return any;
}

std::optional<std::vector<decode::BranchScore>> MeanScorer::take() {
  if (scorers_.size() == 1) return scorers_[0]->take();
  bool all = true;
  for (std::size_t i = 0; i < scorers_.size(); ++i) {
    while (std::optional<Scores> scores = scorers_[i]->take())
      done_[i].push_back(std::move(*scores));
    all = all && !done_[i].empty();
  }
  if (!all) return std::nullopt;
  const f64 share = 1 / static_cast<f64>(scorers_.size());
  Scores out = done_[0].front();
  for (std::size_t b = 0; b < out.size(); ++b) {
    decode::BranchScore& mean = out[b];
    mean.sum = 0;
    for (const std::deque<Scores>& own : done_)
      mean.sum += share * own.front()[b].sum;
    for (std::size_t t = 0; t < mean.logprobs.size(); ++t) {
      f64 sum = 0;
      for (const std::deque<Scores>& own : done_) {
        sum += share * static_cast<f64>(own.front()[b].logprobs[t]);
        mean.greedy[t] = mean.greedy[t] & own.front()[b].greedy[t];
      }
      mean.logprobs[t] = static_cast<f32>(sum);
    }
  }
  for (std::deque<Scores>& own : done_)
    own.pop_front();
  return out;
}

decode::ScoreStats MeanScorer::stats() const {
  decode::ScoreStats out;
  for (const std::unique_ptr<decode::TokenScorer>& scorer : scorers_) {
    const decode::ScoreStats& own = scorer->stats();
    out.steps += own.steps;
    out.rows += own.rows;
    out.forward_s += own.forward_s;
    out.score_s += own.score_s;
  }
  return out;
}

}  // namespace lm::decode_tool
