// Templates to tokens, with Jinja's whitespace control.

#include <algorithm>

#include "core/str.h"
#include "text/template_tree.h"

namespace lm::text {

void template_fault(const TemplatePlace& place, std::string what) {
  throw TemplateFault{place, std::move(what)};
}

namespace {

constexpr std::string_view kBlanks = " \t\n\r\v\f";

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<u8>(c) >= 0x80;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Lexer {
 public:
  Lexer(std::string_view source, const TemplateOptions& options) : options_(options) {
    for (std::size_t i = 0; i < source.size(); ++i) {  // one kind of newline
      if (source[i] != '\r') {
        source_ += source[i];
      } else {
        source_ += '\n';
        if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
      }
    }
    if (!options.keep_trailing_newline && source_.ends_with('\n')) source_.pop_back();
    lines_.push_back(0);
    for (std::size_t i = 0; i < source_.size(); ++i)
      if (source_[i] == '\n') lines_.push_back(i + 1);
  }

  std::vector<Token> run() {
    while (at_ < source_.size())
      piece();
    tokens_.push_back({TokenKind::kEnd, "", place(at_)});
    return std::move(tokens_);
  }

 private:
  TemplatePlace place(std::size_t at) const {
    const auto line = std::upper_bound(lines_.begin(), lines_.end(), at) - 1;
    return {line - lines_.begin() + 1, static_cast<i64>(at - *line) + 1};
  }
  [[noreturn]] void fail(std::size_t at, std::string what) const {
    template_fault(place(at), std::move(what));
  }
  bool follows(std::string_view text) const {
    return std::string_view(source_).substr(at_).starts_with(text);
  }

  /// Text up to the next tag, then the tag.
  void piece() {
    std::size_t open = at_;
    for (;; ++open) {
      open = source_.find('{', open);
      if (open == std::string::npos || open + 1 == source_.size()) {
        text(at_, source_.size(), false, false);
        at_ = source_.size();
        return;
      }
      if (std::string_view("{%#").find(source_[open + 1]) != std::string::npos) break;
    }
    const char kind = source_[open + 1];
    const char sign = open + 2 < source_.size() ? source_[open + 2] : '\0';
    text(at_, open, sign == '-', options_.lstrip_blocks && kind != '{' && sign != '+');
    at_ = open + (sign == '-' || sign == '+' ? 3 : 2);
    if (kind == '#') {
      comment(open);
    } else if (kind == '%' && raw(open)) {
    } else {
      tag(open, kind == '%');
    }
  }

  void text(std::size_t begin, std::size_t end, bool strip, bool lstrip) {
    if (eat_newline_ && begin < end && source_[begin] == '\n') ++begin;
    if (eat_blanks_) begin = std::min(end, source_.find_first_not_of(kBlanks, begin));
    eat_newline_ = eat_blanks_ = false;
    if (strip) {
      while (end > begin && kBlanks.find(source_[end - 1]) != std::string::npos)
        --end;
    } else if (lstrip) {
      std::size_t line = end;
      while (line > begin && (source_[line - 1] == ' ' || source_[line - 1] == '\t'))
        --line;
      if (line == 0 || source_[line - 1] == '\n') end = line;
    }
    if (begin < end)
      tokens_.push_back({TokenKind::kData, source_.substr(begin, end - begin), place(begin)});
  }

  /// Behind a tag's end; block: of a block or a comment.
  void after(char sign, bool block) {
    eat_blanks_ = sign == '-';
    eat_newline_ = block && sign != '+' && options_.trim_blocks;
  }

  void comment(std::size_t open) {
    const std::size_t end = source_.find("#}", at_);
    if (end == std::string::npos) fail(open, "the comment {# has no end #}");
    at_ = end + 2;
    after(end > open + 2 ? source_[end - 1] : '\0', true);
  }

  /// {% raw %}...{% endraw %}: text as it is.
  bool raw(std::size_t open) {
    const std::size_t word = source_.find_first_not_of(kBlanks, at_);
    if (word == std::string::npos || source_.compare(word, 3, "raw") != 0) return false;
    std::size_t end = source_.find_first_not_of(kBlanks, word + 3);
    if (end == std::string::npos) return false;
    const char sign = source_[end];
    if (sign == '-' || sign == '+') ++end;
    if (source_.compare(end, 2, "%}") != 0) return false;
    at_ = end + 2;
    after(sign, true);
    for (std::size_t close = at_;; ++close) {
      close = source_.find("{%", close);
      if (close == std::string::npos) fail(open, "raw has no endraw");
      std::size_t name = close + 2;
      const char before = name < source_.size() ? source_[name] : '\0';
      if (before == '-' || before == '+') ++name;
      name = source_.find_first_not_of(kBlanks, name);
      if (name == std::string::npos || source_.compare(name, 6, "endraw") != 0) continue;
      std::size_t stop = source_.find_first_not_of(kBlanks, name + 6);
      if (stop == std::string::npos) continue;
      const char behind = source_[stop];
      if (behind == '-' || behind == '+') ++stop;
      if (source_.compare(stop, 2, "%}") != 0) continue;
      text(at_, close, before == '-', options_.lstrip_blocks && before != '+');
      at_ = stop + 2;
      after(behind, true);
      return true;
    }
  }

  void tag(std::size_t open, bool block) {
    tokens_.push_back({block ? TokenKind::kBlockBegin : TokenKind::kPrintBegin, "", place(open)});
    const std::string_view end = block ? "%}" : "}}";
    std::string brackets;
    for (;;) {
      at_ = std::min(source_.size(), source_.find_first_not_of(kBlanks, at_));
      if (at_ == source_.size()) fail(open, block ? "{% has no end %}" : "{{ has no end }}");
      if (brackets.empty()) {
        const char sign = source_[at_];
        const bool signed_end = (sign == '-' || sign == '+') &&
                                std::string_view(source_).substr(at_ + 1).starts_with(end);
        if (signed_end || follows(end)) {
          tokens_.push_back({block ? TokenKind::kBlockEnd : TokenKind::kPrintEnd, "", place(at_)});
          at_ += end.size() + (signed_end ? 1 : 0);
          after(signed_end ? sign : '\0', block);
          return;
        }
      }
      token(brackets);
    }
  }

  void token(std::string& brackets) {
    const char c = source_[at_];
    const std::size_t begin = at_;
    if (is_name_start(c)) {
      while (at_ < source_.size() && (is_name_start(source_[at_]) || is_digit(source_[at_])))
        ++at_;
      tokens_.push_back({TokenKind::kName, source_.substr(begin, at_ - begin), place(begin)});
    } else if (is_digit(c)) {
      number();
    } else if (c == '\'' || c == '"') {
      string();
    } else {
      operator_(brackets);
    }
  }

  void number() {
    const std::size_t begin = at_;
    std::string digits;
    const auto run = [&] {
      while (at_ < source_.size() && (is_digit(source_[at_]) || source_[at_] == '_')) {
        if (source_[at_] != '_') digits += source_[at_];
        ++at_;
      }
    };
    bool real = false;
    run();
    if (at_ + 1 < source_.size() && source_[at_] == '.' && is_digit(source_[at_ + 1])) {
      real = true;
      digits += source_[at_++];
      run();
    }
    if (at_ < source_.size() && (source_[at_] == 'e' || source_[at_] == 'E')) {
      std::size_t exponent = at_ + 1;
      if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-'))
        ++exponent;
      if (exponent < source_.size() && is_digit(source_[exponent])) {
        real = true;
        digits += source_.substr(at_, exponent - at_);
        at_ = exponent;
        run();
      }
    }
    tokens_.push_back({real ? TokenKind::kReal : TokenKind::kWhole, digits, place(begin)});
  }

  void string() {
    const std::size_t begin = at_;
    const char mark = source_[at_++];
    while (at_ < source_.size() && source_[at_] != mark)
      at_ += source_[at_] == '\\' ? 2 : 1;
    if (at_ >= source_.size()) fail(begin, "the string has no end");
    ++at_;
    // Line ends may stand in a string here, unlike in Python.
    std::string text;
    for (const char c : std::string_view(source_).substr(begin, at_ - begin))
      append(text, c == '\n' ? "\\n" : std::string_view(&c, 1));
    const std::optional<Value> value = parse_python_literal(text);
    if (!value) fail(begin, "the string has an escape that is not understood");
    tokens_.push_back({TokenKind::kString, value->str(), place(begin)});
  }

  void operator_(std::string& brackets) {
    static constexpr std::string_view kTwo[] = {"==", "!=", "<=", ">=", "//", "**"};
    for (const std::string_view two : kTwo) {
      if (!follows(two)) continue;
      tokens_.push_back({TokenKind::kOperator, std::string(two), place(at_)});
      at_ += 2;
      return;
    }
    const char c = source_[at_];
    if (std::string_view("+-*/%~<>=()[]{}.,:|;").find(c) == std::string::npos)
      fail(at_, cat("a character that means nothing here: ", quote({&c, 1})));
    if (c == '(' || c == '[' || c == '{') brackets += c;
    if (c == ')' || c == ']' || c == '}') {
      const char open = c == ')' ? '(' : c == ']' ? '[' : '{';
      if (brackets.empty() || brackets.back() != open) fail(at_, cat("\"", c, "\" closes nothing"));
      brackets.pop_back();
    }
    tokens_.push_back({TokenKind::kOperator, std::string(1, c), place(at_)});
    ++at_;
  }

  const TemplateOptions& options_;
  std::string source_;
  std::vector<std::size_t> lines_;  // where each begins
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  bool eat_blanks_ = false;
  bool eat_newline_ = false;
};

}  // namespace

std::vector<Token> lex_template(std::string_view source, const TemplateOptions& options) {
  return Lexer(source, options).run();
}

}  // namespace lm::text
