#include "grammar/grammar_text.h"

#include <algorithm>

#include "core/str.h"
#include "core/utf8.h"

namespace lm::grammar {

GrammarText::GrammarText(std::string_view text, const RuleNames& names)
    : text_(text), names_(&names) {
  const i64 bad = find_invalid_utf8(text);
  if (bad >= 0) names.fail(1 + count_byte(text.substr(0, usize(bad)), '\n'), "not UTF-8");
}

GrammarText::Nested::Nested(GrammarText& text) : text_(&text) {
  constexpr int kDeepest = 200;
  if (text.depth_ >= kDeepest) text.names_->fail(text.line_, "nested too deeply");
  ++text.depth_;
}

bool GrammarText::take(std::string_view what) {
  if (!next_is(what)) return false;
  at_ += isize(what);
  return true;
}

void GrammarText::blanks(std::string_view mark, std::string_view other_mark) {
  while (more()) {
    if (next_is(mark) || (!other_mark.empty() && next_is(other_mark))) {
      while (more() && here() != '\n')
        ++at_;
    } else if (here() == '\n') {
      ++line_;
      ++at_;
    } else if (here() == ' ' || here() == '\t' || here() == '\r') {
      ++at_;
    } else {
      return;
    }
  }
}

std::optional<i64> GrammarText::number(i64 most) {
  const i64 begin = at_;
  i64 value = 0;
  while (more() && here() >= '0' && here() <= '9')
    value = std::min<i64>(10 * value + (text_[usize(at_++)] - '0'), most + 1);
  if (at_ == begin) return std::nullopt;
  return value;
}

std::string_view GrammarText::word(std::string_view further) {
  const auto is_part = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           further.find(c) != std::string_view::npos;
  };
  const i64 begin = at_;
  while (more() && is_part(here()))
    ++at_;
  return text_.substr(usize(begin), usize(at_ - begin));
}

char32_t GrammarText::character(std::string_view plain) {
  if (!take("\\")) return character_as_is();
  if (!more()) names_->fail(line_, "a backslash at the end");
  const char c = text_[usize(at_++)];
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'x':
      return hex(2);
    case 'u':
      return hex(4);
    case 'U':
      return hex(8);
    default:
      break;
  }
  if (plain.find(c) == std::string_view::npos)
    names_->fail(line_, cat("unknown escape ", quote(std::string{'\\', c})));
  return static_cast<char32_t>(c);
}

char32_t GrammarText::character_as_is() {
  const Decoded c = decode_at(text_, at_);
  at_ += c.size;
  if (c.cp == '\n') ++line_;
  return c.cp;
}

char32_t GrammarText::hex(i64 digits) {
  u64 value = 0;
  for (i64 i = 0; i < digits; ++i) {
    const char c = more() ? here() : ' ';
    const bool decimal = c >= '0' && c <= '9';
    const char lower = static_cast<char>(c | 0x20);
    if (!decimal && (lower < 'a' || lower > 'f'))
      names_->fail(line_, cat("expected ", digits, " hexadecimal digits"));
    value = 16 * value + static_cast<u64>(decimal ? c - '0' : lower - 'a' + 10);
    ++at_;
  }
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
    names_->fail(line_, "a code point that does not exist");
  return static_cast<char32_t>(value);
}

void GrammarText::check_bounds(i64 low, std::optional<i64> high) const {
  if (low > kMostRepeats || (high && *high > kMostRepeats))
    names_->fail(line_, cat("more than ", kMostRepeats, " repetitions"));
  if (high && *high < low) names_->fail(line_, "a repetition whose bounds are reversed");
}

std::string GrammarText::seen() const {
  return more() ? quote(text_.substr(usize(at_), 1)) : std::string("the end");
}

}  // namespace lm::grammar
