// Comments and docstrings of Python: tokens as its tokenize module cuts them, and the strings that
// stand first in a module, class or function. What is no Python is read on all the same.

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/str.h"
#include "tag/ascii_class.h"
#include "tag/code_comments.h"
#include "tag/secret_assign.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::tag {

namespace {

/// What the string literal between its quotes stands for. raw: backslashes are themselves.
void append_value(std::string_view body, bool raw, std::string& out) {
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '\r') {
      if (i + 1 == body.size() || body[i + 1] != '\n') out.push_back('\n');
      continue;
    }
    if (c != '\\' || raw || i + 1 == body.size()) {
      out.push_back(c);
      continue;
    }
    const char next = body[++i];
    const i64 at = static_cast<i64>(i);
    i64 digits = 0;
    switch (next) {
      case '\n':
        continue;
      case 'x':
        digits = 2;
        break;
      case 'u':
        digits = 4;
        break;
      case 'U':
        digits = 8;
        break;
      case 't':
        out.push_back('\t');
        continue;
      case 'n':
        out.push_back('\n');
        continue;
      case '\\':
      case '\'':
      case '"':
        out.push_back(next);
        continue;
      default:
        break;
    }
    if (digits > 0 && run_of(body, at + 1, digits, kHexDigit)) {
      char32_t cp = 0;
      for (i64 k = 1; k <= digits; ++k) {
        const char h = ascii_low(body[usize(at + k)]);
        cp = cp << 4 | static_cast<char32_t>(h <= '9' ? h - '0' : h - 'a' + 10);
      }
      append_utf8(out, cp);
      i += usize(digits);
    } else if (next >= '0' && next <= '7') {
      char32_t cp = 0;
      i64 k = at;
      for (; k < at + 3 && char_at(body, k) >= '0' && char_at(body, k) <= '7'; ++k)
        cp = cp << 3 | static_cast<char32_t>(body[usize(k)] - '0');
      append_utf8(out, cp);
      i = usize(k - 1);
    } else if (next == 'N' && char_at(body, at + 1) == '{' &&
               body.find('}', i) != std::string_view::npos) {
      out.push_back('?');  // one character, whichever it is
      i = body.find('}', i);
    } else if (std::string_view("abfrv").find(next) != std::string_view::npos) {
      out.push_back('\a');
    } else {
      out.push_back('\\');
      out.push_back(next);
    }
  }
}

/// As inspect.cleandoc: tabs to columns, the common indentation away, no blank lines around.
std::string clean_doc(std::string_view doc) {
  std::string wide;
  i64 column = 0;
  for (const char c : doc) {
    if (c == '\t') {
      const i64 blanks = 8 - column % 8;
      wide.append(usize(blanks), ' ');
      column += blanks;
      continue;
    }
    wide.push_back(c);
    if ((static_cast<u8>(c) & 0xC0) != 0x80) column = c == '\n' || c == '\r' ? 0 : column + 1;
  }
  std::vector<std::string_view> lines = split(std::string_view(wide), '\n');
  const auto indent_of = [](std::string_view line) {
    const std::string_view stripped = text::strip(line);
    return stripped.empty() ? -1 : static_cast<i64>(stripped.data() - line.data());
  };
  i64 margin = -1;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const i64 indent = indent_of(lines[i]);
    if (indent >= 0 && (margin < 0 || indent < margin)) margin = indent;
  }
  const i64 first = indent_of(lines[0]);
  lines[0].remove_prefix(first < 0 ? lines[0].size() : usize(first));
  for (std::size_t i = 1; i < lines.size() && margin > 0; ++i)
    lines[i].remove_prefix(std::min(lines[i].size(), usize(margin)));
  while (!lines.empty() && lines.back().empty())
    lines.pop_back();
  std::size_t skip = 0;
  while (skip < lines.size() && lines[skip].empty())
    ++skip;
  std::string out;
  for (std::size_t i = skip; i < lines.size(); ++i)
    append(out, i > skip ? "\n" : "", lines[i]);
  return out;
}

class PythonScan {
 public:
  PythonScan(std::string_view text, bool async) : text_(text), async_(async) {}

  void run() {
    while (at_ < isize(text_))
      logical_line();
    // The reference's tokenizer wants every bracket closed.
    failed_ = failed_ || depth_ > 0;
  }
  bool failed() const { return failed_; }
  const std::string& comments() const { return comments_; }
  /// Of classes, functions and the module, each by name.
  std::string docs() {
    std::stable_sort(docs_.begin(), docs_.end(), [](const Doc& a, const Doc& b) {
      return a.owner != b.owner ? a.owner < b.owner : a.name < b.name;
    });
    std::string out;
    for (const Doc& doc : docs_)
      append(out, out.empty() ? "" : "\n", doc.text);
    return out;
  }

 private:
  void logical_line() {
    i64 indent = 0;
    i64 at = at_;
    for (; at < isize(text_); ++at) {
      const char c = text_[usize(at)];
      if (c == ' ') {
        ++indent;
      } else if (c == '\t') {
        indent = (indent / 8 + 1) * 8;
      } else if (c == '\f') {
        indent = 0;
      } else {
        break;
      }
    }
    at_ = at;
    const char c = char_at(text_, at);
    if (at == isize(text_) || c == '\n' || c == '\r' || c == '#') {
      if (c == '#') comment();
      return newline();
    }
    set_indent(indent);
    const bool header = begins_body();
    if (header) name_body();
    const bool wait = expected_ && (indent > header_indent_ || header_indent_ < 0);
    expected_ = false;
    if (wait) docstring();
    rest_of_line(header, indent);
  }

  void set_indent(i64 indent) {
    bool back = false;
    for (; !indents_.empty() && indent < indents_.back(); back = true)
      indents_.pop_back();
    const i64 now = indents_.empty() ? 0 : indents_.back();
    if (indent == now) return;
    failed_ = failed_ || back;  // no level of this depth was opened
    indents_.push_back(indent);
  }

  bool word_at(i64 at, std::string_view word) const {
    return has_at(text_, at, word) && py_word_size(text_, at + isize(word)) == 0;
  }

  bool begins_body() const {
    i64 at = at_;
    if (word_at(at, "async")) {
      at += 5;
      while (char_at(text_, at) == ' ')
        ++at;
      return async_ && word_at(at, "def");
    }
    return word_at(at, "def") || word_at(at, "class");
  }

  /// What a docstring belongs to, in the order in which they are joined.
  enum class Owner : u8 { kClass, kFunction, kModule };
  struct Doc {
    Owner owner;
    std::string_view name;
    std::string text;
  };

  /// Of the body whose first line begins here.
  void name_body() {
    i64 at = at_;
    const auto skip = [&](std::string_view word) {
      if (!word_at(at, word)) return false;
      at += isize(word);
      while (char_at(text_, at) == ' ')
        ++at;
      return true;
    };
    skip("async");
    owner_ = skip("class") ? Owner::kClass : Owner::kFunction;
    skip("def");
    const i64 begin = at;
    while (const i64 size = py_word_size(text_, at))
      at += size;
    name_ = text_.substr(usize(begin), usize(at - begin));
  }

  /// Reads to the newline that ends the logical line.
  void rest_of_line(bool header, i64 indent) {
    while (at_ < isize(text_)) {
      const char c = text_[usize(at_)];
      if (c == '#') {
        comment();
      } else if (c == '\n' || c == '\r') {
        newline();
        if (depth_ == 0) return;
      } else if (c == '\\' &&
                 (char_at(text_, at_ + 1) == '\n' || char_at(text_, at_ + 1) == '\r')) {
        ++at_;
        newline();
      } else if (c == '(' || c == '[' || c == '{') {
        ++depth_;
        ++at_;
      } else if (c == ')' || c == ']' || c == '}') {
        depth_ = std::max<i64>(depth_ - 1, 0);
        ++at_;
      } else if (c == ':' && header && depth_ == 0) {
        ++at_;
        header = false;
        body_begins(indent);
      } else if (!skip_string()) {
        skip_word();
      }
    }
  }

  /// Behind the colon: a string on the same line is a docstring too.
  void body_begins(i64 indent) {
    i64 at = at_;
    while (char_at(text_, at) == ' ' || char_at(text_, at) == '\t')
      ++at;
    const char c = char_at(text_, at);
    if (at == isize(text_) || c == '\n' || c == '\r' || c == '#') {
      expected_ = true;
      header_indent_ = indent;
      return;
    }
    at_ = at;
    docstring();
  }

  void newline() {
    if (char_at(text_, at_) == '\r') ++at_;
    if (char_at(text_, at_) == '\n') ++at_;
  }

  void comment() {
    const i64 begin = at_;
    while (at_ < isize(text_) && text_[usize(at_)] != '\n' && text_[usize(at_)] != '\r')
      ++at_;
    for (const char c : text_.substr(usize(begin), usize(at_ - begin))) {
      if (c != '#') comments_.push_back(c);
    }
  }

  struct Literal {
    i64 end;
    std::string_view body;
    bool raw = false;
    bool plain = true;  // neither bytes nor formatted
  };

  /// The string literal at a place, with its prefix.
  std::optional<Literal> literal_at(i64 at) {
    if (no_triple_) return std::nullopt;
    Literal out{};
    i64 quote = at;
    for (; quote < at + 2 && is_in(char_at(text_, quote), kAlpha); ++quote) {
      const char c = ascii_low(text_[usize(quote)]);
      if (c != 'r' && c != 'b' && c != 'f' && c != 'u') return std::nullopt;
      out.raw = out.raw || c == 'r';
      out.plain = out.plain && c != 'b' && c != 'f';
    }
    const char q = char_at(text_, quote);
    if (q != '\'' && q != '"') return std::nullopt;
    const bool triple = char_at(text_, quote + 1) == q && char_at(text_, quote + 2) == q;
    const i64 begin = quote + (triple ? 3 : 1);
    for (i64 i = begin; i < isize(text_); ++i) {
      const char c = text_[usize(i)];
      if (c == '\\') {
        i += char_at(text_, i + 1) == '\r' && char_at(text_, i + 2) == '\n' ? 2 : 1;
        continue;
      }
      if (c == '\n' && !triple) return std::nullopt;  // an ordinary character then
      if (c != q || (triple && (char_at(text_, i + 1) != q || char_at(text_, i + 2) != q)))
        continue;
      out.body = text_.substr(usize(begin), usize(i - begin));
      out.end = i + (triple ? 3 : 1);
      return out;
    }
    failed_ = failed_ || triple;
    no_triple_ = triple;
    return std::nullopt;
  }

  bool skip_string() {
    const char c = char_at(text_, at_);
    if (c != '\'' && c != '"' && !is_in(c, kAlpha)) return false;
    const std::optional<Literal> literal = literal_at(at_);
    if (!literal) return false;
    at_ = literal->end;
    return true;
  }

  void skip_word() {
    const i64 begin = at_;
    while (const i64 size = py_word_size(text_, at_))
      at_ += size;
    if (at_ == begin) ++at_;
  }

  /// Strings one behind the other that are the whole statement.
  void docstring() {
    std::string value;
    i64 at = at_;
    bool any = false;
    while (true) {
      const std::optional<Literal> literal = literal_at(at);
      if (!literal) break;
      if (!literal->plain) return;
      append_value(literal->body, literal->raw, value);
      any = true;
      at = literal->end;
      while (char_at(text_, at) == ' ' || char_at(text_, at) == '\t')
        ++at;
    }
    const char c = char_at(text_, at);
    if (!any || (at < isize(text_) && c != '\n' && c != '\r' && c != '#' && c != ';')) return;
    at_ = at;
    std::string doc = clean_doc(value);
    if (!doc.empty()) docs_.push_back({owner_, name_, std::move(doc)});
  }

  std::string_view text_;
  bool async_;
  i64 at_ = 0;
  i64 depth_ = 0;
  bool expected_ = true;  // the next statement may be a docstring: the module's at first
  i64 header_indent_ = -1;
  std::vector<i64> indents_;
  bool no_triple_ = false;  // the text ends inside a string of several lines
  bool failed_ = false;
  std::string comments_;
  Owner owner_ = Owner::kModule;  // of the next docstring
  std::string_view name_;
  std::vector<Doc> docs_;
};

}  // namespace

i64 python_text_chars(std::string_view text, bool dolma) {
  PythonScan scan(text, !dolma);
  scan.run();
  if (dolma && scan.failed()) return 0;
  return text::count_code_points(text::strip(cat(scan.docs(), "\n", scan.comments())));
}

}  // namespace lm::tag
