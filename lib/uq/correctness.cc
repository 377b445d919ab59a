#include "uq/correctness.h"

#include <algorithm>

#include "core/str.h"
#include "text/overlap.h"

namespace lm::uq {

namespace {

const std::vector<std::string>& names() {
  static const std::vector<std::string> kNames = {"auto", "given",  "exact",   "contains",
                                                  "f1",   "rougeL", "numeric", "choice"};
  return kNames;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

// A letter at text[at] that ends there, maybe inside brackets.
std::optional<char> letter_at(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '(' || text[at] == '*' ||
                              text[at] == '"' || text[at] == '[' || text[at] == ':'))
    ++at;
  if (at >= text.size() || !is_letter(text[at])) return std::nullopt;
  if (at + 1 < text.size() && (is_letter(text[at + 1]) || text[at + 1] == '\''))
    return std::nullopt;
  return upper(text[at]);
}

f64 one_reference(Correct kind, std::string_view answer, std::string_view ref) {
  if (kind == Correct::kNumeric) {
    const std::string want = text::last_number(ref);
    return !want.empty() && text::last_number(answer) == want ? 1 : 0;
  }
  if (kind == Correct::kChoice) {
    const std::optional<char> want = chosen_letter(ref);
    return want && chosen_letter(answer) == want ? 1 : 0;
  }
  const std::string a = text::answer_key(answer);
  const std::string b = text::answer_key(ref);
  if (kind == Correct::kExact) return a == b ? 1 : 0;
  if (kind == Correct::kContains)
    return !b.empty() && cat(" ", a, " ").find(cat(" ", b, " ")) != std::string::npos ? 1 : 0;
  text::WordIds ids;
  std::vector<i32> words_a;
  std::vector<i32> words_b;
  ids.add_words(a, words_a);
  ids.add_words(b, words_b);
  return kind == Correct::kF1 ? text::rouge_n(words_a, words_b, 1).f1
                              : text::rouge_l(words_a, words_b).f1;
}

}  // namespace

std::span<const std::string> correct_names() {
  return names();
}

std::optional<Correct> find_correct(std::string_view name) {
  const auto found = std::find(names().begin(), names().end(), name);
  if (found == names().end()) return std::nullopt;
  return static_cast<Correct>(found - names().begin());
}

f64 right_from(Correct kind) {
  return kind == Correct::kRougeL ? 0.3 : 0.5;
}

std::optional<char> chosen_letter(std::string_view answer) {
  const std::string_view text = trim(answer);
  const std::string lower = ascii_lower(text);
  // What follows the last "answer" ("the answer is B", "Answer: B").
  for (const std::string_view lead : {"answer is", "answer:"}) {
    const std::size_t found = lower.rfind(lead);
    if (found == std::string::npos) continue;
    if (const std::optional<char> letter = letter_at(text, found + lead.size())) return letter;
  }
  // "B", "(B)", "B. text": not the article of "A dog".
  const std::optional<char> letter = letter_at(text, 0);
  if (!letter) return std::nullopt;
  std::size_t at = 0;
  while (!is_letter(text[at]))
    ++at;
  if (at + 1 < text.size() && text[at + 1] == ' ') return std::nullopt;
  return letter;
}

std::optional<f64> answer_quality(Correct kind, std::string_view answer,
                                  std::span<const std::string_view> refs) {
  if (refs.empty()) return std::nullopt;
  f64 best = 0;
  for (const std::string_view ref : refs)
    best = std::max(best, one_reference(kind, answer, ref));
  return best;
}

const char* quality_missing(Correct kind) {
  return kind == Correct::kGiven  ? "has no field correct, which --correct given reads"
         : kind == Correct::kAuto ? "has neither correct nor refs and an answer to judge by"
                                  : "lacks refs, or an answer to judge by them";
}

std::optional<f64> record_quality(Correct kind, const UqRecord& record) {
  if (kind == Correct::kGiven || (kind == Correct::kAuto && record.correct)) return record.correct;
  if (!record.greedy && record.samples.empty()) return std::nullopt;
  const std::string_view answer = record.greedy ? record.greedy->text : record.samples[0].text;
  return answer_quality(kind == Correct::kAuto ? Correct::kExact : kind, answer, record.refs);
}

}  // namespace lm::uq
