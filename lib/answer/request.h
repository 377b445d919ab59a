#pragma once
// What answerers share about requests.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "answer/answer.h"
#include "decode/constraint.h"
#include "decode/languages.h"
#include "grammar/recogniser.h"

namespace lm::answer {

/// The prompt as text where there is no chat template: of messages each as "ROLE: CONTENT" and a
/// newline, then "assistant:".
std::string plain_prompt(const Request& request);

/// Its bytes.
i64 prompt_bytes(const Request& request);

/// What a request asks, as JSON without id and meta: equal for requests that ask the same.
std::string canonical_json(const Request& request);
/// 32 hexadecimal digits of that and of who answers.
std::string request_key(const Request& request, u64 answerer);

/// The seed that a request's draws are made with: its parameters' own before the request's.
u64 seed_of(const Request& request);

/// Tokens where there is no tokenizer: characters.
i64 count_characters(std::string_view text);

/// finish_reason of a reply that max_tokens ends.
inline constexpr const char* kLength = "length";
/// Ends the reply if a constraint ends its text as it stands: the text is cut and the reason set.
bool end_text(const std::vector<std::unique_ptr<decode::Constraint>>& constraints, Reply& reply);
/// Ends a reply that is there as a whole where the parameters would have ended it while it was
/// written, at max_tokens, before a stop string, in a loop: text, reason and tokens. Its tokens are
/// its characters; if `tokens` says another number (>= 0), they share the characters evenly.
void end_reply(const decode::SampleParams& params, Reply& reply);

/// Nothing for a free form.
std::optional<decode::Language> language_of(const Form& form);
Form form_of(const decode::Language& language);

/// Tells whether texts are of a form. Blanks of JSON may be any. Keeps the last forms.
class FormCheck {
 public:
  /// Fault "form" where text is not, "grammar" for a form that is no language.
  std::optional<Fault> check(const Form& form, std::string_view text);

 private:
  std::map<std::string, std::unique_ptr<grammar::Recogniser>> made_;  // by kind and text
};

}  // namespace lm::answer
