#pragma once
// The table of a scripted model: one JSON object a line, the first that matches a request answers
// it. A file is understood or refused with file and line. Rules with scores match requests that ask
// for scores, rules with an error all, the others requests that ask for replies.
//
//   when         an object, all of which must hold:
//     id, id_prefix, prompt, prompt_sha256 (64 hexadecimal digits)  texts that are equal; prompt_re
//                a pattern (PCRE2) found in the prompt; role of the last message; meta, meta.PATH a
//                value that is equal. The prompt of messages is plain_prompt().
//   times        it is used up after that many matches
// and one of
//   reply        a text
//   replies      texts; by: sample (by the sample's number, the default), attempt (the next at
//                every match), hash (by seed, id and sample), each round and round
//   scores       an object of nats by continuation; a request with another one has no rule
//   fn           a function of oracle.h; input: {"meta": PATH}, or {"after": TEXT, "before": TEXT}
//                of the prompt, else all of it; needle: a text or {"meta": PATH}; separator,
//                absent, path, prefix, suffix; noise: kind and parameters
//   error        {"code", "message"}
// and for replies
//   finish       finish_reason, default stop
//   tokens       of a reply, default its characters; they share it evenly
//   logprob      nats, default 0
//   raw          replies need not be of the form asked for
// delay_ms       of the response
// Paths are names and numbers of items joined by dots.
// A reply ends where its request's parameters end it (script.h).

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "answer/answer.h"
#include "answer/oracle.h"
#include "core/memory_hold.h"
#include "io/json_node.h"
#include "mix/pattern.h"

namespace lm::answer {

struct ScriptRule {
  enum class Answer : u8 { kReplies, kScores, kOracle, kError };
  enum class By : u8 { kSample, kAttempt, kHash };

  i64 line = 0;
  std::string text;  // as it stands there

  // When.
  std::optional<std::string> id, id_prefix, prompt, prompt_sha256, role;
  std::optional<mix::Pattern> prompt_re;
  std::vector<std::pair<std::string, io::Json>> meta;  // path and value

  // What.
  Answer answer = Answer::kReplies;
  std::vector<std::string> replies;
  By by = By::kSample;
  std::vector<std::pair<std::string, f64>> scores;
  Oracle oracle;
  std::optional<std::string> input_meta, input_after, input_before;
  std::string needle;
  std::optional<std::string> needle_meta;
  Fault error;

  i64 times = -1;  // -1: any number
  std::string finish = "stop";
  i64 tokens = -1;  // -1: counted
  f64 logprob = 0;
  bool raw = false;
  i64 delay_ms = 0;
};

/// Throws Error{kData} "FILE:LINE..." for what is no table, and Error{kOs} where rules do not fit
/// into memory, which holds them; null: nowhere.
std::vector<ScriptRule> parse_script(std::string_view text, const std::string& file,
                                     MemoryHold* memory = nullptr);

}  // namespace lm::answer
