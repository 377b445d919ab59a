// A record whose calls all answer rightly.

#include <algorithm>
#include <map>

#include "core/str.h"
#include "flow/predict.h"

namespace lm::flow {

PlannedRecord plan_record(const Graph& graph, Problem problem, const Instance& instance,
                          const CountTokens& count, MemoryBudget* memory) {
  std::vector<text::Value> fields;
  for (const std::string& path : graph.fields) {
    const auto found = std::find_if(instance.fields.begin(), instance.fields.end(),
                                    [&](const auto& one) { return one.first.str() == path; });
    if (found == instance.fields.end())
      throw Error(ErrorKind::kData, cat(graph.name, ": reads the field ", quote(path),
                                        ", which instances of the problem do not have"));
    fields.push_back(found->second);
  }
  RecordFlow flow(graph, instance.id, std::move(fields), {.count_tokens = count, .memory = memory});
  std::map<std::string, PlannedCall> by_name;
  answer::Request request;
  while (const std::optional<i64> call = flow.next(request)) {
    const std::optional<PerfectReply> reply = perfect_reply(problem, request);
    if (!reply)
      throw Error(ErrorKind::kData,
                  cat(graph.name, ": call ", request.id, " is none that the problem ",
                      problem_names()[static_cast<std::size_t>(problem)], " has"));
    const Result<text::Value> meta = text::parse_json_value(request.meta);
    PlannedCall planned;
    planned.name = meta->find(text::Value("node"))->str();
    planned.size = reply->size;
    planned.needles = reply->needles;
    planned.which = reply->which;
    planned.truth = reply->value;
    planned.reply_tokens = count(reply->text);
    planned.last = meta->find(text::Value("item")) == nullptr;
    answer::Response response;
    if (request.messages.empty()) {
      planned.prompt_tokens = count(request.prompt);
    } else {
      for (const answer::Message& message : request.messages)
        planned.prompt_tokens += count(message.content);
    }
    response.prompt_tokens = planned.prompt_tokens;
    for (i64 i = 0; i < request.params.n; ++i)
      response.replies.push_back({reply->text, "stop", 0, 0});
    by_name[planned.name] = std::move(planned);
    flow.answer(*call, std::move(response));
  }
  LM_CHECK(flow.done(), "every call was answered");
  Outcome outcome = flow.take();
  if (outcome.fault) throw Error(ErrorKind::kData, cat(graph.name, ": ", outcome.fault->detail));
  PlannedRecord out;
  for (const CallRecord& call : outcome.calls)
    out.calls.push_back(by_name.at(call.name));
  out.steps = std::move(outcome.steps);
  out.target = !instance.answer.is_none();
  return out;
}

}  // namespace lm::flow
