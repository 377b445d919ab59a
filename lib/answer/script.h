#pragma once
// A model that a table of rules stands for (script_rules.h). What it answers depends on the
// requests and, for rules that are used up or take turns, on their order; delays change no reply.
// Replies end as a model's would whose tokens are characters: at max_tokens (finish_reason
// "length"), before a stop string ("stop_string"), in a loop ("repetition"). A rule that says how
// many tokens its reply has shares it evenly among them.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "answer/answer.h"
#include "answer/request.h"
#include "answer/script_rules.h"

namespace lm::answer {

class ScriptAnswerer final : public Answerer {
 public:
  /// file: a table of rules. memory: rules and responses are charged there, null: nowhere. Throws
  /// what reading it throws, and Error{kOs}.
  explicit ScriptAnswerer(const std::string& file, MemoryBudget* memory = nullptr);
  ScriptAnswerer(std::string_view table, const std::string& name, MemoryBudget* memory = nullptr);

  void add(Request request) override;
  i64 pending() const override { return isize(waiting_); }
  bool step() override;
  std::optional<Response> take() override;
  /// Characters.
  i64 count_tokens(const std::string& text) const override { return count_characters(text); }
  u64 key() const override { return key_; }

  /// The line of a rule that is used up or takes turns: what is answered then depends on the order
  /// of requests; 0: there is none.
  i64 ordered_line() const;
  /// How often each rule was used.
  const std::vector<ScriptRule>& rules() const { return rules_; }
  const std::vector<i64>& uses() const { return uses_; }
  /// {"rules", "used", "unmatched", "unused": [{"line", "rule"}]}
  std::string coverage_json() const;
  /// Requests that no rule was for, and the prompt of the first.
  i64 unmatched() const { return unmatched_; }
  const std::string& first_unmatched() const { return first_unmatched_; }

 private:
  struct Waiting {
    Response response;
    f64 due_s = 0;
    i64 bytes = 0;
  };
  bool matches(const ScriptRule& rule, const Request& request, const std::string& prompt,
               const io::Json& meta, std::string& digest) const;
  Response answer(const Request& request, i64& delay_ms);
  void reply(const ScriptRule& rule, i64 attempt, const Request& request, const std::string& prompt,
             const io::Json& meta, Response& out);
  Result<std::string> text_of(const ScriptRule& rule, i64 attempt, const Request& request,
                              const std::string& prompt, const io::Json& meta, i64 sample) const;
  Response no_rule(const std::string& prompt);

  MemoryHold memory_;
  std::vector<ScriptRule> rules_;
  std::vector<i64> uses_;
  u64 key_;
  FormCheck forms_;
  std::deque<Waiting> waiting_;
  i64 unmatched_ = 0;
  std::string first_unmatched_;
};

}  // namespace lm::answer
