#include "flow/call.h"

#include "core/str.h"
#include "flow/reply.h"

namespace lm::flow {

using text::Value;
using text::ValueList;
using text::ValueMap;

answer::Request request_of(const Task& task, const std::string& id, u64 seed, std::size_t params) {
  const LlmSpec& llm = *task.node->llm;
  answer::Request out;
  out.id = cat(id, "/", task.name, task.round > 0 ? cat("~", task.round + 1) : "");
  out.seed = seed;
  out.params = llm.params;
  out.form = llm.form;
  const Value vars(task.vars);
  if (llm.prompt) out.prompt = llm.prompt->render(vars);
  for (const auto& [role, content] : llm.messages)
    out.messages.push_back({role, content.render(vars)});
  ValueMap meta = {{Value("role"), Value(llm.role)}, {Value("node"), Value(task.name)}};
  for (std::size_t i = params; i < task.vars.size(); ++i)
    meta.push_back(task.vars[i]);
  out.meta = text::to_json(Value(std::move(meta)), {.spaced = false});
  return out;
}

i64 request_bytes(const answer::Request& request) {
  i64 out = static_cast<i64>(sizeof(answer::Request)) + isize(request.id) + isize(request.prompt) +
            isize(request.meta) + isize(request.form.text);
  for (const answer::Message& message : request.messages)
    out += static_cast<i64>(sizeof message) + isize(message.role) + isize(message.content);
  return out;
}

CallRecord call_of(const Task& task, const answer::Response& response, std::optional<f64> seconds) {
  const LlmSpec& llm = *task.node->llm;
  LM_CHECK(isize(response.replies) == llm.params.n, "as many replies as were asked for");
  CallRecord out;
  out.name = task.name;
  out.role = llm.role;
  out.item = task.item;
  out.retry = task.round > 0;
  out.seconds = seconds;
  out.tokens.prefill = response.prompt_tokens;
  ValueList values;
  for (const answer::Reply& reply : response.replies) {
    out.tokens.decode += reply.tokens;
    std::optional<Value> value = parse_reply(llm.parse, reply.text);
    if (!value) ++out.failures;
    values.push_back(value ? std::move(*value) : llm.otherwise.value_or(Value()));
  }
  out.value = llm.params.n > 1 ? Value(std::move(values)) : std::move(values[0]);
  return out;
}

}  // namespace lm::flow
