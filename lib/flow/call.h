#pragma once
// Calls: what is asked and what was heard. Private to record_flow.cc.

#include <optional>
#include <string>

#include "flow/record_flow.h"
#include "flow/task.h"

namespace lm::flow {

/// The request of an llm task. id: of the record; params: how many of the task's names are
/// parameters. Throws Error{kData} for what its templates cannot do.
answer::Request request_of(const Task& task, const std::string& id, u64 seed, std::size_t params);

/// Bytes that a request takes.
i64 request_bytes(const answer::Request& request);

/// The task's call with this response, which is no fault. Replies without a value have the
/// node's otherwise, or null, and are counted as failures.
CallRecord call_of(const Task& task, const answer::Response& response, std::optional<f64> seconds);

}  // namespace lm::flow
