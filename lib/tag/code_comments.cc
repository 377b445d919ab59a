#include "tag/code_comments.h"

#include <algorithm>
#include <vector>

#include "core/str.h"
#include "tag/ascii_class.h"
#include "text/utf8.h"

namespace lm::tag {

namespace {

using Marks = std::vector<std::string_view>;

Marks marks_of(const char* text) {
  Marks out;
  for (const std::string_view mark : split(std::string_view(text), ' ')) {
    if (!mark.empty()) out.push_back(mark);
  }
  return out;
}

class CommentScan {
 public:
  CommentScan(std::string_view text, const CodeLanguage& language, bool dolma)
      : text_(text),
        lines_(marks_of(language.lines)),
        blocks_(marks_of(language.blocks)),
        shape_(language.shape),
        dolma_(dolma),
        line_end_(dolma && language.line_end),
        spanning_(dolma ? language.reference_spanning : language.spanning),
        pages_(lines_.empty() && !blocks_.empty() && blocks_[0] == "<!--"),
        c_(language.line_end && !lines_.empty() && lines_[0] == "//" && shape_ == Shape::kPlain &&
           spanning_.empty()),
        ruby_(!blocks_.empty() && blocks_[0] == "=begin"),
        lisp_(!lines_.empty() && lines_[0] == ";"),
        shell_(language.line_end && lines_.size() == 1 && lines_[0] == "#" && blocks_.empty()) {
    for (const Marks* const marks : {&lines_, &blocks_}) {
      for (const std::string_view mark : *marks) {
        look_at(mark[0]);
        look_at(static_cast<char>(mark[0] - (is_in(mark[0], kLow) ? 32 : 0)));
      }
    }
    // Where ' or another of these begins a comment, or stands for quoting in code, it is no string.
    const bool lua = !blocks_.empty() && blocks_[0] == "--[[";
    const bool plain = lines_.empty() || lines_[0] == "//" || lines_[0] == "#" || lua;
    if (!pages_) quotes_ = plain ? "'\"" : "\"";
    for (const std::string_view line : lines_) {
      if (line == "\"") quotes_ = "'";
    }
    if (quotes_ == "'\"" && spanning_.size() == 3) quotes_ = "'\"`";
    for (const char quote : quotes_)
      look_at(quote);
    if (shape_ == Shape::kScript || ruby_) look_at('/');
    if (shape_ == Shape::kScript || shape_ == Shape::kRaw) look_at('`');
    if (dolma_ && c_) look_at('#');
    if (shape_ == Shape::kPhp) look_at('?');
    if (shape_ == Shape::kPostScript) {
      quotes_ = "";
      look_at('(');
    }
  }

  i64 chars() {
    if (has_at(text_, 0, "#!")) at_ = end_of_line(0);
    if (shape_ == Shape::kPhp) find_code();
    while (at_ < isize(text_)) {
      if (!special_[static_cast<u8>(text_[usize(at_)])]) {
        ++at_;
        continue;
      }
      step();
    }
    return chars_;
  }

 private:
  void look_at(char c) { special_[static_cast<u8>(c)] = true; }

  void step() {
    // A character of Lisp may be a quote or a mark.
    if (lisp_ && has_at(text_, at_ - 2, "#\\")) {
      ++at_;
      return;
    }
    for (std::size_t i = 0; i + 1 < blocks_.size(); i += 2) {
      if (has_at(text_, at_, blocks_[i])) return block(blocks_[i], blocks_[i + 1]);
    }
    for (const std::string_view mark : lines_) {
      if (has_nocase(text_, at_, mark) && may_begin(mark)) return line();
    }
    const char c = text_[usize(at_)];
    if (c == '#' && dolma_ && c_ && leaves_out(at_)) return left_out();
    if (quotes_.find(c) != std::string_view::npos) return string(c);
    if (c == '`' && (shape_ == Shape::kScript || shape_ == Shape::kRaw)) return template_string();
    if ((shape_ == Shape::kScript || ruby_) && c == '/') return pattern();
    if (shape_ == Shape::kPhp && has_at(text_, at_, "?>")) return find_code();
    if (c == '(') return parenthesised();
    ++at_;
  }

  /// What stands behind a # that begins its line; empty for another.
  std::string_view directive(i64 at) const {
    const std::string_view before = text_.substr(0, usize(at));
    const std::size_t begin = before.find_last_not_of(" \t");
    if (char_at(text_, at) != '#' || (begin != std::string_view::npos && before[begin] != '\n'))
      return {};
    return trim(text_.substr(usize(at) + 1, usize(end_of_line(at) - at) - 1));
  }
  bool leaves_out(i64 at) const {
    const std::string_view words = directive(at);
    return words.starts_with("if") && words.size() > 2 && is_blank(words[2]) &&
           trim(words.substr(2)).starts_with('0');
  }

  /// Behind #if 0, up to what ends it, the reference's comments have another name.
  void left_out() {
    i64 depth = 0;
    do {
      const std::string_view words = directive(at_);
      if (words.starts_with("if")) ++depth;
      if (words.starts_with("endif") || words.starts_with("else") || words.starts_with("elif"))
        --depth;
      at_ = std::min(end_of_line(at_) + 1, isize(text_));
      while (depth > 0 && (char_at(text_, at_) == ' ' || char_at(text_, at_) == '\t'))
        ++at_;
    } while (depth > 0 && at_ < isize(text_));
  }

  /// To where code begins in a page.
  void find_code() {
    const std::size_t begin = text_.find("<?", usize(at_));
    at_ = begin == std::string_view::npos ? isize(text_) : static_cast<i64>(begin) + 2;
  }

  i64 end_of_line(i64 at) const {
    const std::size_t lf = text_.find('\n', usize(at));
    return lf == std::string_view::npos ? isize(text_) : static_cast<i64>(lf);
  }

  /// # inside a word and behind $ is none, nor is \%, nor #{ of Ruby, which stands in texts of many
  /// lines; words such as rem stand alone.
  bool may_begin(std::string_view mark) const {
    const char before = char_at(text_, at_ - 1);
    if (mark == "#" && shape_ == Shape::kPhp) return char_at(text_, at_ + 1) != '[';
    if (ruby_ && char_at(text_, at_ + 1) == '{') return false;
    if (mark == "#")
      return at_ == 0 || is_blank(before) || std::string_view(";)}],{(").find(before) < 7;
    if (mark == "%") return before != '\\';
    if (!is_in(mark[0], kLow)) return true;
    return (at_ == 0 || is_blank(before)) && is_blank(char_at(text_, at_ + isize(mark)));
  }
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  void add(i64 begin, i64 end) {
    chars_ += text::count_code_points(text_.substr(usize(begin), usize(end - begin)));
  }

  void parenthesised() {
    i64 depth = 0;
    do {
      const char c = char_at(text_, at_);
      depth += (c == '(') - (c == ')');
      at_ += c == '\\' ? 2 : 1;
    } while (depth > 0 && at_ < isize(text_));
  }

  /// In PostScript the reference leaves %! and %% out, but not behind another line of comment; such
  /// lines have their newlines.
  void postscript_line() {
    const auto begins = [&](i64 at) {
      return (at == 0 || char_at(text_, at - 1) == '\n') && char_at(text_, at) == '%';
    };
    i64 end = end_of_line(at_);
    const char next = char_at(text_, at_ + 1);
    const bool left_out = next == '%' || (next == '!' && begins(at_) && end > at_ + 2);
    if (!left_out && begins(at_) && end < isize(text_) && begins(end + 1)) {
      i64 last = end + 1;
      while (last < isize(text_) && begins(last))
        last = std::min(end_of_line(last) + 1, isize(text_));
      add(at_, last);
      end = last;
    } else if (!left_out) {
      add(at_, end);
    }
    at_ = end;
  }

  void line() {
    if (dolma_ && shape_ == Shape::kPostScript) return postscript_line();
    i64 end = end_of_line(at_);
    const i64 next = end;
    if (end > at_ && text_[usize(end - 1)] == '\r') --end;
    add(at_, end);
    chars_ += line_end_ && !includes();
    at_ = next;
  }

  /// True behind the name of an included file, where the reference leaves the newline out.
  bool includes() const {
    const std::string_view before = text_.substr(0, usize(at_));
    const std::size_t begin = before.find_first_not_of(" \t", before.rfind('\n') + 1);
    if (begin == std::string_view::npos || before[begin] != '#') return false;
    const std::size_t word = before.find_first_not_of(" \t", begin + 1);
    return word != std::string_view::npos && before.substr(word).starts_with("include");
  }

  void block(std::string_view open, std::string_view close) {
    const i64 begin = at_;
    const bool nested = shape_ == Shape::kNested;
    i64 depth = 1;
    i64 at = at_ + isize(open);
    while (depth > 0) {
      const std::size_t end = text_.find(close, usize(at));
      if (end == std::string_view::npos) {
        at = isize(text_);
        break;
      }
      if (nested) {
        const std::string_view inside = text_.substr(0, end);
        for (std::size_t inner = inside.find(open, usize(at)); inner != std::string_view::npos;
             inner = inside.find(open, inner + open.size()))
          ++depth;
      }
      --depth;
      at = static_cast<i64>(end) + isize(close);
    }
    // What documents code in PHP is a string to the reference.
    if (!(dolma_ && shape_ == Shape::kPhp && has_at(text_, begin, "/**") && at > begin + 4))
      add(begin, at);
    at_ = at;
  }

  /// A string that ends on its line, or where strings span lines on any; a quote without another
  /// is an ordinary character.
  void string(char quote) {
    // Up to here no further quote of the kind ends one.
    i64& failed = quote == '"' ? no_double_ : quote == '\'' ? no_single_ : no_back_;
    if (at_ < failed) {
      ++at_;
      return;
    }
    const bool spans = spanning_.find(quote) != std::string_view::npos;
    const bool escapes = !(shell_ && quote == '\'');
    i64 at = at_ + 1;
    for (; at < isize(text_) && text_[usize(at)] != quote && (spans || text_[usize(at)] != '\n');
         ++at) {
      if (text_[usize(at)] == '\\' && escapes) ++at;
      if (ruby_ && quote != '\'' && has_at(text_, at, "#{")) at = interpolation_end(at + 1);
    }
    if (char_at(text_, at) == quote) {
      at_ = at + 1;
      return;
    }
    failed = at;
    // The reference takes the rest of the line for the string.
    at_ = dolma_ && c_ && quote == '"' ? std::min(at, isize(text_)) : at_ + 1;
  }

  /// The brace that closes the one at a place of a string; strings of one line in it may hold more.
  i64 interpolation_end(i64 open) const {
    i64 depth = 0;
    for (i64 at = open; at < isize(text_) && text_[usize(at)] != '\n'; ++at) {
      const char c = text_[usize(at)];
      depth += (c == '{') - (c == '}');
      if (depth == 0) return at;
      if (c != '"' && c != '\'') continue;
      i64 end = at + 1;
      while (end < isize(text_) && text_[usize(end)] != c && text_[usize(end)] != '\n')
        end += text_[usize(end)] == '\\' ? 2 : 1;
      if (char_at(text_, end) == c) at = end;
    }
    return open;
  }

  void template_string() {
    i64 at = at_ + 1;
    for (; at < isize(text_) && text_[usize(at)] != '`'; ++at) {
      if (text_[usize(at)] == '\\' && shape_ != Shape::kRaw) ++at;
    }
    at_ = at + 1;
  }

  /// /pattern/ behind an operator.
  void pattern() {
    i64 before = at_ - 1;
    while (before >= 0 && is_blank(text_[usize(before)]))
      --before;
    const char c = char_at(text_, before);
    const bool value = is_in(c, kAlnum | kUnder) || c == ')' || c == ']' || c == '}' || c == '$' ||
                       (static_cast<u8>(c) & 0x80) != 0;
    if (value || at_ < no_pattern_) {
      ++at_;
      return;
    }
    bool set = false;
    i64 at = at_ + 1;
    for (; at < isize(text_) && text_[usize(at)] != '\n'; ++at) {
      const char here = text_[usize(at)];
      if (here == '\\') ++at;
      if (here == '[') set = true;
      if (here == ']') set = false;
      if (here == '/' && !set) break;
    }
    if (char_at(text_, at) == '/') {
      at_ = at + 1;
      return;
    }
    no_pattern_ = at;
    ++at_;
  }

  std::string_view text_;
  Marks lines_;
  Marks blocks_;
  Shape shape_;
  bool dolma_;
  bool line_end_;
  std::string_view spanning_;  // quotes
  bool pages_;
  bool c_;
  bool ruby_;
  bool lisp_;
  bool shell_;  // or another language whose '...' has no escapes
  std::string_view quotes_;
  bool special_[256] = {};
  i64 no_single_ = 0;
  i64 no_double_ = 0;
  i64 no_back_ = 0;
  i64 no_pattern_ = 0;
  i64 at_ = 0;
  i64 chars_ = 0;
};

}  // namespace

i64 comment_chars(std::string_view text, const CodeLanguage& language, bool dolma) {
  if (dolma && language.reference == Reference::kNothing) return 0;
  if (std::string_view(language.lines) == "python") return python_text_chars(text, dolma);
  return CommentScan(text, language, dolma).chars();
}

}  // namespace lm::tag
