// What detect-secrets leaves out of its own hits, with the filters that it has on by default.

#include <array>

#include "core/str.h"
#include "tag/ascii_class.h"
#include "tag/secret_assign.h"
#include "tag/secret_match.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::tag {

namespace {

constexpr i64 kLongLine = 1000;  // characters; longer ones are no assignment of a call

struct Comment {
  std::string_view open;
  std::string_view close;
};
constexpr Comment kComments[] = {{"#", ""}, {"//", ""}, {"/*", "*/"},
                                 {"'", ""}, {"--", ""}, {"<!--", "-->"}};

/// Behind "pragma: allowlist secret" (next: "... nextline secret"), which stands at a place; -1 if
/// it does not.
i64 pragma_end(std::string_view s, i64 at, bool next) {
  if (!has_at(s, at, "pragma:")) return -1;
  at += 7;
  at += char_at(s, at) == ' ';
  if (!has_at(s, at, "allowlist") && (next || !has_at(s, at, "whitelist"))) return -1;
  at += 9;
  const auto part = [&](std::string_view word) {
    if (char_at(s, at) != ' ' && char_at(s, at) != '-') return false;
    if (!has_at(s, at + 1, word)) return false;
    at += 1 + isize(word);
    return true;
  };
  if (next && !part("nextline")) return -1;
  return part("secret") ? at : -1;
}

/// True if a comment of this kind around the pragma that begins at `at` and ends at `end`; with
/// whole the line begins with it.
bool is_in_comment(const Comment& comment, std::string_view s, i64 at, i64 end, bool whole) {
  const bool page = comment.open == "<!--";
  while (at > 0 &&
         (s[usize(at - 1)] == ' ' || s[usize(at - 1)] == '\t' || (page && s[usize(at - 1)] == '#')))
    --at;
  const i64 begin = at - isize(comment.open);
  if (!has_at(s, begin, comment.open) || (whole && begin > 0)) return false;
  i64 last = isize(s);
  while (last > end && (s[usize(last - 1)] == ' ' || s[usize(last - 1)] == '\t'))
    --last;
  return s.substr(usize(end), usize(last - end)).ends_with(comment.close);
}

bool has_pragma(std::string_view s, bool next) {
  for (std::size_t at = s.find("pragma:"); at != std::string_view::npos;
       at = s.find("pragma:", at + 1)) {
    const i64 end = pragma_end(s, static_cast<i64>(at), next);
    if (end < 0) continue;
    for (const Comment& comment : kComments) {
      if (is_in_comment(comment, s, static_cast<i64>(at), end, next)) return true;
    }
  }
  return false;
}

/// name = call(...) or name: table[...].
bool is_indirect(std::string_view s) {
  const std::size_t last = s.find_last_of("])");
  if (last == std::string_view::npos || text::count_code_points(s) > kLongLine) return false;
  for (std::size_t op = s.find_first_of(":=!"); op != std::string_view::npos;
       op = s.find_first_of(":=!", op + 1)) {
    i64 at = static_cast<i64>(op) + 1;
    while (at < isize(s)) {
      const i64 space = text::py_space_size(s, at);
      if (space == 0) break;
      at += space;
    }
    const i64 begin = at;
    while (at < isize(s)) {
      const char c = s[usize(at)];
      const i64 size = c == '.' || c == '-' ? 1 : py_word_size(s, at);
      if (size == 0) break;
      at += size;
    }
    const char bracket = char_at(s, at);
    if (at > begin && (bracket == '[' || bracket == '(') && at < static_cast<i64>(last))
      return true;
  }
  return false;
}

bool is_sequence(std::string_view value) {
#define LM_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LM_DIGITS "0123456789"
  constexpr std::array<std::string_view, 6> kSequences = {LM_UPPER LM_UPPER LM_DIGITS "+/",
                                                          LM_DIGITS LM_UPPER LM_UPPER "+/",
                                                          LM_DIGITS LM_UPPER LM_DIGITS LM_UPPER,
                                                          LM_DIGITS LM_DIGITS,
                                                          LM_DIGITS "ABCDEFABCDEF" LM_DIGITS
                                                                    "ABCDEFABCDEF",
                                                          LM_UPPER "=/"};
#undef LM_UPPER
#undef LM_DIGITS
  if (value.size() > kSequences[2].size()) return false;
  std::string upper(value);
  for (char& c : upper)
    c = is_in(c, kLow) ? static_cast<char>(c - 32) : c;
  for (const std::string_view sequence : kSequences) {
    if (sequence.find(upper) != std::string_view::npos) return true;
  }
  return false;
}

bool has_uuid(std::string_view s) {
  for (std::size_t dash = s.find('-', 8); dash != std::string_view::npos;
       dash = s.find('-', dash + 1)) {
    const i64 at = static_cast<i64>(dash);
    if (run_of(s, at - 8, 8, kHexDigit) && run_of(s, at + 1, 4, kHexDigit) &&
        char_at(s, at + 5) == '-' && run_of(s, at + 6, 4, kHexDigit) &&
        char_at(s, at + 10) == '-' && run_of(s, at + 11, 4, kHexDigit) &&
        char_at(s, at + 15) == '-' && run_of(s, at + 16, 12, kHexDigit))
      return true;
  }
  return false;
}

bool is_template(std::string_view value) {
  const char first = value.front();
  const char last = value.back();
  if ((first == '{' && last == '}') || (first == '<' && last == '>')) return true;
  return first == '$';  // ${...} and $NAME
}

/// Something like user_id = in front of the value.
bool has_id_before(std::string_view value, std::string_view line) {
  const std::size_t found = line.find(value);
  if (found == std::string_view::npos) return false;
  const std::string_view before = line.substr(0, found);
  const auto ends = [&](i64 at) {
    at += has_nocase(before, at, "s");
    return at < isize(before) && !is_in(before[usize(at)], kAlnum);
  };
  for (const std::string_view id : {"id", "myid", "userid"}) {
    if (has_nocase(before, 0, id) && ends(isize(id))) return true;
  }
  for (std::size_t at = before.find('_'); at != std::string_view::npos;
       at = before.find('_', at + 1)) {
    if (has_nocase(before, static_cast<i64>(at), "_id") && ends(static_cast<i64>(at) + 3))
      return true;
  }
  return false;
}

}  // namespace

bool is_line_left_out(std::string_view line, std::string_view previous) {
  return is_indirect(line) || has_pragma(line, false) || has_pragma(previous, true);
}

bool is_value_left_out(Secret secret, std::string_view value, std::string_view line) {
  bool letter = false;
  for (const char c : value)
    letter = letter || is_in(c, kAlpha);
  return !letter || is_template(value) || is_sequence(value) || has_uuid(value) ||
         (!has_fixed_form(secret) && has_id_before(value, line));
}

}  // namespace lm::tag
