// Graph files of lm-flow: what is accepted runs on a record, whose calls repeat their prompts,
// ends, and gives back all the memory it took.

#include "flow/graph.h"

#include "core/str.h"
#include "flow/record_flow.h"
#include "fuzz.h"

namespace {

using namespace lm;

void run(const flow::Graph& graph, MemoryBudget& budget) {
  // A text, a list and a number, in turn: fields have any name.
  const std::vector<text::Value> kinds = {
      text::Value("It is 12.\nThere are 3 of 4.\n"),
      text::Value(text::ValueList{text::Value("a"), text::Value(i64{2}), text::Value()}),
      text::Value(i64{7})};
  std::vector<text::Value> fields;
  for (std::size_t i = 0; i < graph.fields.size(); ++i)
    fields.push_back(kinds[i % kinds.size()]);
  flow::RecordFlow record(
      graph, "r", std::move(fields),
      {.most_calls = 40,
       .trace = true,
       .count_tokens = [](const std::string& text) { return isize(text) / 3 + 1; },
       .memory = &budget});
  answer::Request request;
  while (const std::optional<i64> call = record.next(request)) {
    if (request.params.n > 8) {
      record.lose(*call);
      continue;
    }
    answer::Response response;
    response.prompt_tokens = isize(request.prompt);
    for (i64 i = 0; i < request.params.n; ++i)
      response.replies.push_back({cat(request.prompt, " ", i), "stop", 1, 0});
    record.answer(*call, std::move(response));
  }
  LM_CHECK(record.done(), "a record ends when its calls are answered");
  flow::Outcome out = record.take();
  flow::set_seconds(out, {1, 0.5, 0, 0.25, 0}, true);
  flow::cost_of(out, 2, std::nullopt);
  if (!out.fault) text::to_json(out.answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  using namespace lm;
  fuzz::refuse_or_run([&] {
    const flow::Graph graph = flow::parse_graph(fuzz::text_of(data, size), "graph");
    MemoryBudget budget(i64{16} << 20);
    try {
      run(graph, budget);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kOs) throw;  // a refusal: the budget is small
    }
    LM_CHECK(budget.used() == 0, "a record gives back what it took");
  });
  return 0;
}
