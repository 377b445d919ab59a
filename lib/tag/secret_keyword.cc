// Values that are given to a name such as password, in the forms of configuration files: the
// detector takes every text for one. With W = a name and the rest of its word, Q = ' " or `,
// S = from a character of words up to the next ' or ", where the last character is no , or `:
//
//   W closing? : blanks Q? S Q       closing: up to two of ] ' "
//   W closing? blanks = == === != or !== blanks Q? S Q
//   W up to 50 characters, then blanks Q S Q ;
//   Q S Q blanks two or three of ! and = blanks W
//
// The same quote on both sides, of several ` the last. Each form gives its first match.

#include <algorithm>
#include <optional>

#include "tag/ascii_class.h"
#include "tag/secret_assign.h"
#include "tag/secret_match.h"
#include "text/segment.h"

namespace lm::tag {

namespace {

constexpr i64 kGap = 50;  // characters between a name and a quoted value

bool is_quote(char c) {
  return c == '\'' || c == '"' || c == '`';
}

class NamedSecrets {
 public:
  NamedSecrets(std::string_view line, std::span<const NameAt> names) : line_(line), names_(names) {
    for (i64 at = 0; at < isize(line); ++at) {
      const char c = line[usize(at)];
      if (c == '\'' || c == '"') quotes_.push_back(at);
      const char before = char_at(line, at - 1);
      if (c != '`' || before == ',' || is_quote(before)) continue;
      ticks_.push_back(at);
      if (char_at(line, at + 1) == ';') ended_ticks_.push_back(at);
    }
    for (const NameAt& name : names) {
      i64 end = name.end;
      // Names in one word end together.
      if (!words_.empty() && words_.back() >= end) continue;
      while (const i64 size = py_word_size(line, end))
        end += size;
      words_.push_back(end);
    }
  }

  std::optional<Range> after_colon() const {
    for (const i64 word : words_) {
      const i64 at = closing(word);
      if (char_at(line_, at) != ':') continue;
      if (const std::optional<Range> value = value_at(blanks(at + 1), false)) return value;
    }
    return std::nullopt;
  }

  std::optional<Range> after_equals() const {
    for (const i64 word : words_) {
      const i64 at = blanks(closing(word));
      const bool differs = char_at(line_, at) == '!';
      const i64 end = run_end(line_, at + differs, kEquals, 4);
      const i64 count = end - at - differs;
      if (count == 0 || count > (differs ? 2 : 3)) continue;
      if (const std::optional<Range> value = value_at(blanks(end), false)) return value;
    }
    return std::nullopt;
  }

  std::optional<Range> quoted_before_semicolon() const {
    for (const i64 word : words_) {
      i64 at = word;
      for (i64 n = 0; n <= kGap; ++n) {
        const i64 quote = blanks(at);
        if (is_quote(char_at(line_, quote))) {
          if (const std::optional<Range> value = value_at(quote, true)) return value;
        }
        if (quote > at || at == isize(line_)) break;
        do
          ++at;
        while (at < isize(line_) && (static_cast<u8>(line_[usize(at)]) & 0xC0) == 0x80);
      }
    }
    return std::nullopt;
  }

  std::optional<Range> before_comparison() const {
    std::vector<i64> closes;  // ` with the rest of the form behind
    for (const i64 tick : ticks_) {
      if (is_compared(tick)) closes.push_back(tick);
    }
    for (i64 open = 0; open < isize(line_); ++open) {
      const char c = line_[usize(open)];
      if (!is_quote(c) || py_word_size(line_, open + 1) == 0) continue;
      const std::optional<i64> close =
          c == '`' ? last_before(closes, open + 2, next_quote(open + 1)) : same_quote(open);
      if (close && (c == '`' || is_compared(*close))) return Range{open + 1, *close};
    }
    return std::nullopt;
  }

 private:
  /// Behind up to two closing marks; with more no form follows.
  i64 closing(i64 at) const {
    for (i64 n = 0; n < 2; ++n) {
      const char c = char_at(line_, at);
      at += c == ']' || c == '\'' || c == '"';
    }
    return at;
  }
  i64 blanks(i64 at) const {
    while (at < isize(line_)) {
      const i64 size = text::py_space_size(line_, at);
      if (size == 0) break;
      at += size;
    }
    return at;
  }
  i64 next_quote(i64 at) const {
    const auto next = std::lower_bound(quotes_.begin(), quotes_.end(), at);
    return next == quotes_.end() ? isize(line_) : *next;
  }
  static std::optional<i64> last_before(const std::vector<i64>& places, i64 least, i64 limit) {
    const auto next = std::lower_bound(places.begin(), places.end(), limit);
    if (next == places.begin() || *(next - 1) < least) return std::nullopt;
    return *(next - 1);
  }
  /// The ' or " that ends what the one at open begins.
  std::optional<i64> same_quote(i64 open) const {
    const i64 close = next_quote(open + 1);
    const char before = char_at(line_, close - 1);
    if (char_at(line_, close) != line_[usize(open)] || before == ',' || before == '`')
      return std::nullopt;
    return close;
  }

  /// S at a place, with its quotes; semicolon: quotes have to be there, and a ; behind.
  std::optional<Range> value_at(i64 at, bool semicolon) const {
    const char c = char_at(line_, at);
    const i64 begin = at + is_quote(c);
    if (py_word_size(line_, begin) == 0) return std::nullopt;
    if (c == '`') {
      const std::optional<i64> close =
          last_before(semicolon ? ended_ticks_ : ticks_, begin + 1, next_quote(begin));
      return close ? std::optional(Range{begin, *close}) : std::nullopt;
    }
    if (begin > at) {
      const std::optional<i64> close = same_quote(at);
      if (!close || (semicolon && char_at(line_, *close + 1) != ';')) return std::nullopt;
      return Range{begin, *close};
    }
    if (semicolon) return std::nullopt;
    i64 end = next_quote(begin);
    while (line_[usize(end - 1)] == ',' || line_[usize(end - 1)] == '`')
      --end;
    return Range{begin, end};
  }

  bool is_compared(i64 quote) const {
    const i64 first = blanks(quote + 1);
    i64 end = first;
    while (end < first + 4 && (char_at(line_, end) == '=' || char_at(line_, end) == '!'))
      ++end;
    if (end - first < 2 || end - first > 3) return false;
    const i64 word = blanks(end);
    auto name = std::upper_bound(names_.begin(), names_.end(), word,
                                 [](i64 at, const NameAt& other) { return at < other.end; });
    i64 last = word;
    for (; name != names_.end(); ++name) {
      while (last < name->end) {
        const i64 size = py_word_size(line_, last);
        if (size == 0) return false;
        last += size;
      }
      if (name->lower) return true;
    }
    return false;
  }

  std::string_view line_;
  std::span<const NameAt> names_;
  std::vector<i64> quotes_;       // ' and "
  std::vector<i64> ticks_;        // ` that may end a value
  std::vector<i64> ended_ticks_;  // those before a semicolon
  std::vector<i64> words_;        // ends of the words with names in them, rising
};

}  // namespace

void find_named_secrets(std::string_view line, std::span<const NameAt> names,
                        std::vector<SecretMatch>& out) {
  const NamedSecrets named(line, names);
  for (const std::optional<Range>& value :
       {named.after_colon(), named.before_comparison(), named.after_equals(),
        named.quoted_before_semicolon()}) {
    if (value) out.push_back({Secret::kKeyword, *value, *value});
  }
}

}  // namespace lm::tag
