#include "members.h"

#include <algorithm>
#include <cmath>

#include "common/model_options.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "decode/engine_options.h"
#include "io/json.h"
#include "model/layer.h"
#include "uq/ensemble.h"

namespace lm::uq_tool {

Ensemble::Ensemble(cli::Tool& tool, i64 later) {
  const cli::Options& options = tool.options();
  std::vector<std::string> folders = {options.text("model")};
  for (const std::string& folder : options.list("member")) {
    if (std::find(folders.begin(), folders.end(), folder) != folders.end())
      throw Error(ErrorKind::kUsage, cat("--member: ", folder, " is named twice"),
                  "--model is a member too");
    folders.push_back(folder);
  }
  std::vector<decode::SessionOptions> asked;
  for (const std::string& folder : folders) {
    asked.push_back(tool_options::session_options(tool, folder));
    asked.back().tokenizer = options.text("tokenizer");
    asked.back().batch = 1;
  }
  i64 reserve = later * decode::Session::least_bytes(asked[0]);
  for (std::size_t i = asked.size(); i-- > 0;) {
    asked[i].reserve = reserve;
    asked[i].later = later + isize(asked) - 1 - static_cast<i64>(i);
    reserve += decode::Session::least_bytes(asked[i]);
  }
  std::string digests;
  for (const decode::SessionOptions& how : asked) {
    Member& member = members_.emplace_back();
    member.session = std::make_unique<decode::Session>(how);
    const decode::Session& first = *members_[0].session;
    const decode::Session& own = *member.session;
    if (own.tokenizer().digest() != first.tokenizer().digest() ||
        own.cfg().vocab != first.cfg().vocab)
      throw Error(ErrorKind::kData,
                  cat(how.folder, " and ", folders[0], " differ in their tokenizers"),
                  "members of an ensemble give probabilities to the same tokens");
    member.encoder = std::make_unique<decode::PromptEncoder>(own.tokenizer(), own.begin());
    step_ = members_.size() == 1 ? own.engine().max_logit_rows()
                                 : std::min(step_, own.engine().max_logit_rows());
    append(digests, digests.empty() ? "" : ",", io::json_string(own.digest()));
  }
  tool.set_param("members", cat("[", digests, "]"));
  logp_.assign(members_.size(), std::vector<f64>(usize(members_[0].session->cfg().vocab)));
  all_.assign(logp_.begin(), logp_.end());
}

u64 Ensemble::key() const {
  std::string all;
  for (const Member& member : members_)
    append(all, member.session->digest(), " ");
  return xxh3_64(all);
}

/// False if the member has no room for prompt and answer.
bool Ensemble::begin(Member& member, const Question& q) {
  const Result<std::vector<decode::PromptRow>> prompt = member.encoder->prompt(q.prompt);
  LM_CHECK(bool(prompt), "the prompt was good a moment ago");
  std::vector<i32> tokens = decode::tokens_of(*prompt);
  member.first = isize(tokens) - 1;
  const std::vector<i32>& answer = q.likeliest().tokens;
  tokens.insert(tokens.end(), answer.begin(), answer.end() - 1);  // the last foretells nothing
  model::Engine& engine = member.session->engine();
  if (isize(tokens) > engine.positions()) return false;
  const model::SequenceCache& cache = engine.cache();
  decode::check_room(cache, cache.pages_of(isize(tokens)), isize(tokens));
  member.seq = engine.create();
  member.done = 0;
  member.rows.assign(tokens.size(), {});
  for (i64 i = 0; i < isize(tokens); ++i) {
    model::EvalRow& row = member.rows[usize(i)];
    row.seq = member.seq;
    row.token = tokens[usize(i)];
    row.prefix = i <= member.first && model::reads_prefixes(engine.cfg());
    row.want_logits = i >= member.first;
  }
  return true;
}

/// Rows up to `end`: their logits are readable until the next.
void Ensemble::read(Member& member, i64 end) {
  model::Engine& engine = member.session->engine();
  engine.eval(std::span(member.rows).subspan(usize(member.done), usize(end - member.done)));
  engine.commit(member.seq);
}

/// Log-probabilities of the row-th row of what each member read last.
void Ensemble::widen(i64 token) {
  parallel_for(isize(members_), 1, [&](i64 begin, i64 end) {
    for (i64 m = begin; m < end; ++m) {
      const Member& member = members_[usize(m)];
      const std::span<const f32> logits =
          member.session->engine().logits(member.first + token - member.done);
      const f64 most = static_cast<f64>(*std::max_element(logits.begin(), logits.end()));
      f64 sum = 0;
      for (const f32 logit : logits)
        sum += std::exp(static_cast<f64>(logit) - most);
      const f64 all = most + std::log(sum);
      for (std::size_t v = 0; v < logits.size(); ++v)
        logp_[usize(m)][v] = static_cast<f64>(logits[v]) - all;
    }
  });
}

uq::GivenEnsemble Ensemble::of(const Question& q) {
  const std::vector<i32>& answer = q.likeliest().tokens;
  if (answer.empty()) return {};
  std::size_t begun = 0;
  while (begun < members_.size() && begin(members_[begun], q))
    ++begun;
  const bool fits = begun == members_.size();
  uq::EnsembleMeter product(isize(members_), uq::Posterior::kProductOfExpectations);
  uq::EnsembleMeter expectation(isize(members_), uq::Posterior::kExpectationOfProducts);
  for (i64 t = 0; fits && t < isize(answer); t += step_) {
    const i64 end = std::min(isize(answer), t + step_);
    for (Member& member : members_)
      read(member, member.first + end);
    for (i64 token = t; token < end; ++token) {
      widen(token);
      product.add(all_, answer[usize(token)]);
      expectation.add(all_, answer[usize(token)]);
    }
    for (Member& member : members_)
      member.done = member.first + end;
  }
  for (std::size_t m = 0; m < begun; ++m)
    members_[m].session->engine().release(members_[m].seq);
  if (!fits) {
    ++too_long_;
    return {};
  }
  return {product.measures(), expectation.measures()};
}

}  // namespace lm::uq_tool
