#pragma once
// A language model as one stage of a program: requests of text go in, replies of text come out,
// whatever makes them (a model, a script, a record of an earlier run, an n-gram model). One thread
// drives it.

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "decode/params.h"

namespace lm::answer {

/// What a reply must be (lib/grammar).
struct Form {
  enum class Kind : u8 { kFree, kGbnf, kLark, kRegex, kSchema, kChoices };
  Kind kind = Kind::kFree;
  std::string text;  // of the grammar; of choices a JSON list of texts
};

/// One role and what it said.
struct Message {
  std::string role, content;
};

struct Request {
  std::string id;                 // keys the draws, with the number of the sample
  std::string prompt;             // the text to continue; or
  std::vector<Message> messages;  // what the model's chat template makes a prompt of
  decode::SampleParams params;    // params.n replies of at most params.max_tokens
  u64 seed = 0;
  Form form;
  /// Not empty: these continuations of the prompt are scored, and none is written.
  std::vector<std::string> score;
  /// What the request is about, a JSON value: scripts look at it, models do not.
  std::string meta = "null";
};

struct Reply {
  std::string text;
  std::string finish_reason;  // as decode::Completion's
  i64 tokens = 0;
  f64 logprob = 0;  // nats, of the tokens
};

struct Response {
  std::vector<Reply> replies;  // by sample
  std::vector<f64> scores;     // nats, by continuation
  i64 prompt_tokens = 0;
  /// Then the rest is void: "prompt", "context", "budget" (no reply of the form fits), "grammar",
  /// "no_rule" (nothing answers this), "form" (a recorded reply is not of the form), or a script's
  /// own.
  std::optional<Fault> fault;
};

class Answerer {
 public:
  virtual ~Answerer() = default;
  virtual void add(Request request) = 0;
  /// Requests added and not taken.
  virtual i64 pending() const = 0;
  /// A piece of work, such as one pass of a model. False if nothing is left to do.
  virtual bool step() = 0;
  /// The oldest request's response if it is complete.
  virtual std::optional<Response> take() = 0;
  /// Tokens of a text as a prompt's part.
  virtual i64 count_tokens(const std::string& text) const = 0;
  /// 64 bits of what shapes the replies beside the request.
  virtual u64 key() const = 0;
};

}  // namespace lm::answer
