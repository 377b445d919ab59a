#pragma once
// lm-decode generate: results as JSON.

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "answer/answer.h"
#include "decode/generate.h"

namespace lm::decode_tool {

std::string id_list(std::span<const i32> ids);
std::string number_list(std::span<const f32> numbers);
/// {"name":count,...}, and "name count, ...".
std::string counts_json(const std::map<std::string, i64>& counts);
std::string counts_text(const std::map<std::string, i64>& counts);

/// What a completion tells beside its text.
struct CompletionDetail {
  bool tokens = false;
  bool logprobs = false;
  bool top = false;
};
/// more: further members, each with a comma before it.
std::string completion_json(const decode::Completion& completion, i64 index, u64 seed,
                            const CompletionDetail& detail, std::string_view more);

/// What a run's throughput is told from, beside the generator's own figures.
struct Throughput {
  i64 records = 0;
  i64 reused = 0;
  i64 tokens = 0;  // generated
  f64 wall_s = 0;
  i64 pages = 0;  // of keys and values
};
std::string throughput_json(const decode::GenerateStats& stats, const Throughput& run,
                            const std::map<std::string, i64>& finish_reasons);

/// A reply as a completion that tells its text alone.
std::string reply_json(const answer::Reply& reply, i64 index, u64 seed);

/// A record's messages (their JSON, a list that is not empty) with a text as the assistant's
/// answer, or behind the last message's text.
std::string answered(std::string_view messages, std::string_view text, bool continued);

}  // namespace lm::decode_tool
