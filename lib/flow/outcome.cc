// What a record cost.

#include <limits>

#include "flow/record_flow.h"

namespace lm::flow {

void set_seconds(Outcome& outcome, const CostModel& model, bool always) {
  std::size_t k = 0;
  for (Step& step : outcome.steps) {
    if (!step.call) continue;
    CallRecord& call = outcome.calls[k++];
    if (always || !call.seconds) call.seconds = model.of(call.tokens);
    step.seconds = *call.seconds;
  }
}

CostFigures cost_of(const Outcome& outcome, i64 workers, const std::optional<CostModel>& prices) {
  CostFigures out;
  bool known = true;
  for (const CallRecord& call : outcome.calls) {
    ++out.calls;
    out.tokens.prefill += call.tokens.prefill;
    out.tokens.decode += call.tokens.decode;
    known = known && call.seconds.has_value();
    out.latency += call.seconds.value_or(0);
    if (prices) out.price += prices->of(call.tokens);
  }
  const Timeline timeline = list_timeline(outcome.steps, workers);
  out.peak_tokens = timeline.peak_tokens;
  out.latency_p = timeline.seconds;
  out.latency_ideal = list_timeline(outcome.steps, 0).seconds;
  out.latency_block = block_timeline(outcome.steps, workers);
  if (!known) {
    out.latency = out.latency_p = out.latency_ideal = out.latency_block =
        std::numeric_limits<f64>::quiet_NaN();
  }
  return out;
}

}  // namespace lm::flow
