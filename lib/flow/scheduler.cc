#include "flow/scheduler.h"

#include "core/str.h"
#include "io/json.h"

namespace lm::flow {

bool Scheduler::feed() {
  bool any = false;
  for (const std::unique_ptr<RecordFlow>& record : records_) {
    const bool open = !record->done();
    while (isize(sent_) < options_.calls) {
      answer::Request request;
      // Where memory does not suffice for one more, those that are asked are waited for; none goes
      // before it, so that the order stays.
      const std::optional<i64> call = record->next(request, !sent_.empty());
      if (!call && record->has_ready()) return any;
      if (!call) break;
      const f64 at = options_.clock ? options_.clock() : 0;
      answerer_.add(std::move(request));
      sent_.push_back({record.get(), *call, at});
      any = true;
    }
    any = any || (open && record->done());
    if (isize(sent_) >= options_.calls) break;
  }
  return any;
}

bool Scheduler::drain() {
  bool any = false;
  while (!sent_.empty()) {
    std::optional<answer::Response> response = answerer_.take();
    if (!response) return any;
    const Sent one = sent_.front();
    sent_.pop_front();
    std::optional<f64> seconds;
    if (options_.clock) seconds = options_.clock() - one.at;
    one.record->answer(one.call, std::move(*response), seconds);
    any = true;
  }
  return any;
}

bool Scheduler::step() {
  const bool asked = feed();
  const bool worked = answerer_.step();
  const bool heard = drain();
  if (worked || heard) return true;
  if (sent_.empty()) return asked;
  for (const Sent& one : sent_)
    one.record->lose(one.call);
  sent_.clear();
  return true;
}

std::optional<Outcome> Scheduler::take() {
  if (records_.empty() || !records_.front()->done()) return std::nullopt;
  Outcome out = records_.front()->take();
  records_.pop_front();
  for (const CallRecord& call : out.calls) {
    Usage& usage = usage_[call.role];
    ++usage.calls;
    usage.tokens.prefill += call.tokens.prefill;
    usage.tokens.decode += call.tokens.decode;
    usage.retries += call.retry ? 1 : 0;
    usage.failures += call.failures;
  }
  return out;
}

Usage Scheduler::total() const {
  Usage out;
  for (const auto& [role, one] : usage_) {
    out.calls += one.calls;
    out.tokens.prefill += one.tokens.prefill;
    out.tokens.decode += one.tokens.decode;
    out.retries += one.retries;
    out.failures += one.failures;
  }
  return out;
}

namespace {

std::string fields_of(const Usage& usage) {
  return cat("\"calls\":", usage.calls, ",\"prompt_tokens\":", usage.tokens.prefill,
             ",\"completion_tokens\":", usage.tokens.decode, ",\"retries\":", usage.retries,
             ",\"parse_failures\":", usage.failures);
}

}  // namespace

std::string usage_json(const Scheduler& scheduler) {
  std::string roles;
  for (const auto& [role, usage] : scheduler.usage())
    append(roles, roles.empty() ? "" : ",", io::json_string(role), ":{", fields_of(usage), "}");
  return cat("{", fields_of(scheduler.total()), ",\"roles\":{", roles, "}}");
}

}  // namespace lm::flow
