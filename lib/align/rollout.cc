#include "align/rollout.h"

#include <utility>

#include "core/error.h"
#include "core/str.h"

namespace lm::align {

namespace {

decode::GenerateOptions generate_options(const model::Engine& engine,
                                         const text::Tokenizer& tokenizer,
                                         const RollOptions& options) {
  decode::GenerateOptions out;
  out.prefixes = false;  // the objective's rows have none
  out.batch = options.size.batch;
  out.chunk = options.size.chunk;
  out.end_ids = engine.cfg().end_ids;
  if (out.end_ids.empty() && tokenizer.eos()) out.end_ids = {*tokenizer.eos()};
  return out;
}

Rollout rollout_of(decode::Completion completion, i64 prompt, const std::string& id) {
  if (completion.fault)
    throw Error(
        ErrorKind::kData,
        cat("record ", quote(id), ": the policy writes no completion: ", completion.fault->detail),
        "a lower --lr, or a larger --kl, keeps the policy nearer to its beginning");
  Rollout out;
  out.prompt = prompt;
  out.tokens = std::move(completion.tokens);
  out.text = std::move(completion.text);
  out.truncated = completion.finish_reason == "length" || completion.finish_reason == "context";
  LM_CHECK(!out.tokens.empty(), "a completion has a token");
  return out;
}

}  // namespace

Roller::Roller(model::Engine& engine, const text::Tokenizer& tokenizer, const RollOptions& options)
    : engine_(engine),
      options_(options),
      generator_(engine, tokenizer, generate_options(engine, tokenizer, options)) {}

std::optional<std::vector<Rollout>> Roller::roll(std::span<const Prompt> prompts,
                                                 std::span<const i64> picks, i64 first,
                                                 const StopToken& stop) {
  engine_.weights_changed();
  for (i64 i = 0; i < isize(picks); ++i) {
    decode::GenerateRequest request;
    request.id = cat("rollout ", first + i);
    request.seed = options_.seed;
    request.prompt = decode::prompt_rows(prompts[usize(picks[usize(i)])].tokens);
    request.params.n = options_.samples;
    request.params.max_tokens = options_.max_tokens;
    generator_.add(std::move(request));
  }
  std::vector<Rollout> out;
  i64 taken = 0;
  bool more = true;  // results may be complete after the last step
  while (taken < isize(picks)) {
    if (std::optional<decode::Generated> result = generator_.take()) {
      const i64 pick = picks[usize(taken++)];
      const std::string& id = prompts[usize(pick)].id;
      if (result->fault)
        throw Error(ErrorKind::kData, cat("record ", quote(id), ": ", result->fault->detail));
      for (decode::Completion& completion : result->completions)
        out.push_back(rollout_of(std::move(completion), pick, id));
      continue;
    }
    if (stop.requested()) return std::nullopt;
    LM_CHECK(more, "prompts that are not taken are in work");
    more = generator_.step();
  }
  return out;
}

}  // namespace lm::align
