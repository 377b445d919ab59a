#include "ingest/soup.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include <gumbo.h>

#include "core/str.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::ingest {

namespace {

constexpr i64 kNone = -1;
constexpr std::string_view kBlanks = " \n\t\f\r";

constexpr std::array<std::string_view, 24> kEmptyElements = {
    "area",     "base", "basefont", "bgsound", "br",     "col",     "command", "embed",
    "frame",    "hr",   "image",    "img",     "input",  "isindex", "keygen",  "link",
    "menuitem", "meta", "nextid",   "param",   "source", "spacer",  "track",   "wbr"};
/// Elements whose strings are no text of the page.
constexpr std::array<std::string_view, 5> kHidden = {"rp", "rt", "script", "style", "template"};
constexpr std::array<std::string_view, 2> kKeeping = {"pre", "textarea"};

template <std::size_t n>
bool is_one_of(std::string_view name, const std::array<std::string_view, n>& all) {
  return std::find(all.begin(), all.end(), name) != all.end();
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Elements that are open, and the strings between marks.
class Tree {
 public:
  void data(std::string_view text) {
    any_ = true;
    chars_ += text::count_code_points(text);
    blank_ = blank_ && text.find_first_not_of(kBlanks) == std::string_view::npos;
  }

  /// Ends a string. counted: it is text, not part of a comment or declaration.
  void end_string(bool counted) {
    if (!any_) return;
    const i64 chars = blank_ && open_keeping_ == 0 ? 1 : chars_;
    if (counted) sum_ += chars;
    any_ = false;
    blank_ = true;
    chars_ = 0;
  }
  void end_text() { end_string(open_hidden_ == 0); }

  void open(const std::string& name) {
    end_text();
    open_.push_back(name);
    ++counts_[name];
    open_hidden_ += is_one_of(name, kHidden);
    open_keeping_ += is_one_of(name, kKeeping);
  }

  /// Closes the last element of the name and all in it; nothing if there is none.
  void close(const std::string& name) {
    end_text();
    const auto at = counts_.find(name);
    if (at == counts_.end() || at->second == 0) return;
    for (bool last = false; !last;) {
      last = open_.back() == name;
      --counts_[open_.back()];
      open_hidden_ -= is_one_of(open_.back(), kHidden);
      open_keeping_ -= is_one_of(open_.back(), kKeeping);
      open_.pop_back();
    }
  }

  /// A comment or declaration stands between two strings.
  void part() { end_text(); }
  /// A CDATA section is text wherever it stands.
  void section(std::string_view text) {
    end_text();
    data(text);
    end_string(true);
  }

  i64 sum() const { return sum_; }

 private:
  std::vector<std::string> open_;
  std::unordered_map<std::string, i64> counts_;
  i64 open_hidden_ = 0;
  i64 open_keeping_ = 0;
  bool any_ = false;
  bool blank_ = true;
  i64 chars_ = 0;
  i64 sum_ = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view html) : text_(html) {}

  std::optional<i64> count() {
    // What the first pass leaves, the second takes as the end of the page.
    for (const bool last : {false, true}) {
      last_ = last;
      run();
      if (refused_) return std::nullopt;
    }
    if (at_ < size() && content_.empty()) tree_.data(text_.substr(usize(at_)));
    tree_.end_text();
    return tree_.sum();
  }

 private:
  i64 size() const { return isize(text_); }
  char at(i64 i) const { return i < size() ? text_[usize(i)] : '\0'; }
  bool has(i64 i, std::string_view part) const {
    return i <= size() && text_.substr(usize(i)).starts_with(part);
  }
  std::string_view between(i64 begin, i64 end) const {
    return text_.substr(usize(begin), usize(end - begin));
  }
  i64 find(std::string_view what, i64 from) const {
    const std::size_t found = text_.find(what, usize(from));
    return found == std::string_view::npos ? kNone : static_cast<i64>(found);
  }
  /// find for one character, that need not look twice where there is none.
  i64 find(char c, i64 from, i64& none_from) const {
    if (from >= none_from) return kNone;
    const std::size_t found = text_.find(c, usize(from));
    if (found != std::string_view::npos) return static_cast<i64>(found);
    none_from = from;
    return kNone;
  }
  i64 find_close(i64 from) { return find('>', from, no_close_); }

  i64 skip_space(i64 i) const {
    while (i < size()) {
      const i64 more = text::py_space_size(text_, i);
      if (more == 0) break;
      i += more;
    }
    return i;
  }

  void run() {
    while (at_ < size()) {
      if (!content_.empty()) {
        const i64 end = find_content_end();
        if (end == kNone) return;
        if (end > at_) tree_.data(between(at_, end));
        at_ = end;
      } else {
        const std::size_t found = text_.find_first_of("&<", usize(at_));
        const i64 next = found == std::string_view::npos ? size() : static_cast<i64>(found);
        if (next > at_) tree_.data(between(at_, next));
        at_ = next;
        if (at_ == size()) return;
      }
      if (at(at_) == '<' ? !mark() : !reference()) return;
    }
  }

  /// </script> or </style>, the one that is open.
  i64 find_content_end() {
    for (i64 i = find("</", at_); i != kNone; i = find("</", i + 1)) {
      const i64 name = skip_space(i + 2);
      const i64 end = name + isize(content_);
      if (end > size() || ascii_lower(between(name, end)) != content_) continue;
      if (at(skip_space(end)) == '>') return i;
    }
    return kNone;
  }

  /// What < begins. False if the pass ends here.
  bool mark() {
    i64 next = kNone;
    if (is_letter(at(at_ + 1))) {
      next = start_tag();
    } else if (has(at_, "</")) {
      next = end_tag();
    } else if (has(at_, "<!--")) {
      next = comment();
    } else if (has(at_, "<?")) {
      next = skip_to_close(at_ + 2);
    } else if (has(at_, "<!")) {
      next = declaration();
    } else if (at_ + 1 < size()) {
      tree_.data("<");
      next = at_ + 1;
    } else {
      return false;
    }
    if (refused_) return false;
    if (next == kNone) {
      if (!last_) return false;
      next = find_close(at_ + 1) + 1;
      if (next == 0) {
        next = find('<', at_ + 1, no_open_);
        if (next == kNone) next = at_ + 1;
      }
      tree_.data(between(at_, next));
    }
    at_ = next;
    return true;
  }

  /// Behind the > from a place on that ends something without text.
  i64 skip_to_close(i64 from) {
    const i64 close = find_close(from);
    if (close == kNone) return kNone;
    tree_.part();
    return close + 1;
  }

  i64 comment() {
    for (i64 i = at_ + 4; i < no_comment_end_; ++i) {
      i = find("--", i);
      if (i == kNone) break;
      const i64 close = skip_space(i + 2);
      if (at(close) != '>') continue;
      tree_.part();
      return close + 1;
    }
    no_comment_end_ = std::min(no_comment_end_, at_ + 4);
    return kNone;
  }

  i64 declaration() {
    if (has(at_, "<![")) return section();
    const bool type = ascii_lower(text_.substr(usize(at_), 9)) == "<!doctype";
    return skip_to_close(at_ + (type ? 9 : 2));
  }

  i64 section() {
    const i64 begin = at_ + 3;
    if (begin == size()) return kNone;
    i64 end = begin;
    if (is_letter(at(begin))) end = end_of_word(begin, "-_.");
    const std::string name = ascii_lower(between(begin, end));
    if (end > begin && skip_space(end) == size()) return kNone;
    const bool two = name == "temp" || name == "cdata" || name == "ignore" || name == "include" ||
                     name == "rcdata";
    refused_ = !two && name != "if" && name != "else" && name != "endif";
    if (refused_) return kNone;
    i64& none_from = two ? no_section_end_ : no_condition_end_;
    for (i64 i = begin; i < none_from; ++i) {
      i = find("]", i);
      if (i == kNone) break;
      i64 close = skip_space(i + 1);
      if (two) close = at(close) == ']' ? skip_space(close + 1) : size();
      if (at(close) != '>') continue;
      if (name == "cdata" && at(end) == '[' && i > end) {
        tree_.section(between(end + 1, i));
      } else {
        tree_.part();
      }
      return close + 1;
    }
    none_from = std::min(none_from, begin);
    return kNone;
  }

  /// Behind the letters, digits and these marks from a place on.
  i64 end_of_word(i64 i, std::string_view marks) const {
    while (i < size() &&
           (is_letter(at(i)) || is_digit(at(i)) || marks.find(at(i)) != std::string_view::npos))
      ++i;
    return i;
  }
  i64 end_of_name(i64 i) const {
    const std::size_t end = text_.find_first_of(std::string_view("\t\n\r\f />\0", 8), usize(i));
    return end == std::string_view::npos ? size() : static_cast<i64>(end);
  }

  /// White space, and / without > behind it.
  i64 skip_slashes(i64 i) const {
    for (;;) {
      const i64 next = skip_space(i);
      if (at(next) != '/' || at(next + 1) == '>') return next;
      i = next + 1;
    }
  }

  /// Behind the value of an attribute from where = may stand; the place itself if there is none.
  i64 skip_value(i64 i) {
    const i64 first = skip_space(i);
    i64 begin = first;
    while (at(begin) == '=')
      ++begin;
    if (begin == first) return i;
    const i64 value = skip_space(begin);
    const char quote = at(value);
    if (quote != '"' && quote != '\'') return end_of_bare(value);
    const i64 end = find(quote, value + 1, quote == '"' ? no_double_ : no_single_);
    if (end != kNone) return end + 1;
    // A quote that nothing ends is no value, but may be part of a bare one.
    if (value > begin) return value;
    return begin - first > 1 ? end_of_bare(begin - 1) : i;
  }
  i64 end_of_bare(i64 i) const {
    while (i < size() && at(i) != '>' && text::py_space_size(text_, i) == 0)
      ++i;
    return i;
  }

  /// Behind the attributes that begin at a place.
  i64 skip_attributes(i64 i) {
    for (;;) {
      if (i >= size() || at(i) == '/' || at(i) == '>' || text::py_space_size(text_, i) > 0)
        return i;
      const char before = at(i - 1);
      if (before != '"' && before != '\'' && before != '/' && !space_before(i)) return i;
      ++i;
      while (i < size() && at(i) != '/' && at(i) != '=' && at(i) != '>' &&
             text::py_space_size(text_, i) == 0)
        ++i;
      i = skip_slashes(skip_value(i));
    }
  }
  bool space_before(i64 i) const {
    do
      --i;
    while (i > 0 && (static_cast<u8>(at(i)) & 0xC0) == 0x80);
    return text::py_space_size(text_, i) > 0;
  }

  /// Behind a start tag, kNone if it does not end.
  i64 whole_tag() {
    if (find_close(at_) == kNone) return kNone;  // no tag ends from here on
    i64 i = skip_space(end_of_name(at_ + 1));
    while (at(i) == '/')
      i = skip_space(i + 1);
    i = skip_space(skip_attributes(i));
    if (i >= size()) return kNone;
    const char c = at(i);
    if (c == '>') return i + 1;
    if (c == '/') return at(i + 1) == '>' ? i + 2 : kNone;
    return is_letter(c) || c == '=' ? kNone : i;
  }

  i64 start_tag() {
    const i64 end = whole_tag();
    if (end == kNone) return kNone;
    const i64 name_end = end_of_name(at_ + 1);
    const i64 close = std::min(skip_attributes(skip_slashes(name_end)), end);
    const std::string_view rest = text::strip(between(close, end));
    if (rest != ">" && rest != "/>") {
      tree_.data(between(at_, end));
      return end;
    }
    const std::string name = text::to_lower(between(at_ + 1, name_end));
    tree_.open(name);
    if (rest == "/>") {
      tree_.close(name);
    } else {
      if (is_one_of(name, kEmptyElements)) {
        tree_.close(name);
        ++closed_[name];
      }
      if (name == "script" || name == "style") content_ = name;
    }
    return end;
  }

  void close_element(const std::string& name) {
    const auto at = closed_.find(name);
    if (at != closed_.end() && at->second > 0) {
      --at->second;
    } else {
      tree_.close(name);
    }
  }

  i64 end_tag() {
    if (find_close(at_ + 1) == kNone) return kNone;
    const i64 begin = skip_space(at_ + 2);
    i64 end = begin;
    if (is_letter(at(begin))) end = end_of_word(begin, "-.:_");
    const i64 close = skip_space(end);
    if (end > begin && at(close) == '>') {
      close_element(ascii_lower(between(begin, end)));
      content_.clear();
      return close + 1;
    }
    if (is_letter(at(at_ + 2))) {
      const i64 name_end = end_of_name(at_ + 2);
      close_element(text::to_lower(between(at_ + 2, name_end)));
      return find_close(name_end) + 1;
    }
    if (at(at_ + 2) == '>') return at_ + 3;
    return skip_to_close(at_ + 2);
  }

  /// What & begins. False if the pass ends here.
  bool reference() {
    if (at(at_ + 1) == '#') return number();
    if (!is_letter(at(at_ + 1))) {
      if (at_ + 1 >= size()) return false;
      tree_.data("&");
      ++at_;
      return true;
    }
    i64 end = end_of_word(at_ + 1, "-.");
    if (end == size()) {
      // The name needs something behind it that is no letter or digit.
      do
        --end;
      while (end > at_ + 1 && at(end) != '-' && at(end) != '.');
      if (end == at_ + 1) {
        if (last_ && size() == at_ + 2) ++at_;
        return false;
      }
    }
    named(between(at_ + 1, end));
    at_ = end + (at(end) == ';');
    return true;
  }

  bool number() {
    const bool hex = at(at_ + 2) == 'x' || at(at_ + 2) == 'X';
    const i64 begin = at_ + (hex ? 3 : 2);
    i64 end = begin;
    while (hex ? is_hex(at(end)) : is_digit(at(end)))
      ++end;
    if (end == begin || end >= size() || is_hex(at(end))) {
      if (find(";", at_) != kNone) {
        tree_.data("&#");
        at_ += 2;
      }
      return false;
    }
    u32 value = 0;
    for (i64 i = begin; i < end; ++i) {
      const char c = at(i);
      const u32 digit = static_cast<u32>(is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
      value = std::min<u32>(value * (hex ? 16 : 10) + digit, 0x110000);
    }
    // One character, whatever it is; that it is a blank is all that matters.
    const char c = value == 0x20 || value == '\n' || value == '\t' || value == '\f' || value == '\r'
                       ? static_cast<char>(value)
                       : 'x';
    tree_.data(std::string_view(&c, 1));
    at_ = end + (at(end) == ';');
    return true;
  }

  void named(std::string_view name) {
    const auto [at, fresh] = names_.emplace(std::string(name), std::string());
    if (fresh) at->second = character(name);
    tree_.data(at->second);
  }

  /// What libgumbo makes of a name. Of an unknown one it decodes a known beginning, and leaves the
  /// ;.
  static std::string character(std::string_view name) {
    const std::string mark = cat("x&", name, ";");
    GumboOutput* const page =
        gumbo_parse_with_options(&kGumboDefaultOptions, mark.data(), mark.size());
    const GumboNode* node = page->root;
    while (node != nullptr && node->type == GUMBO_NODE_ELEMENT) {
      const GumboVector& children = node->v.element.children;
      node = children.length == 0
                 ? nullptr
                 : static_cast<const GumboNode*>(children.data[children.length - 1]);
    }
    std::string found = node == nullptr ? "" : node->v.text.text;
    gumbo_destroy_output(&kGumboDefaultOptions, page);
    if (found.size() < 2 || found.find(';') != std::string::npos) return cat("&", name);
    return found.substr(1);
  }

  std::string_view text_;
  Tree tree_;
  i64 at_ = 0;
  bool last_ = false;
  bool refused_ = false;
  std::string content_;                          // script or style, while it is open
  std::unordered_map<std::string, i64> closed_;  // elements without content whose end may yet stand
  std::unordered_map<std::string, std::string> names_;
  // From where on a thing stands nowhere.
  i64 no_close_ = i64{1} << 62;
  i64 no_open_ = no_close_;
  i64 no_single_ = no_close_;
  i64 no_double_ = no_close_;
  i64 no_comment_end_ = no_close_;
  i64 no_section_end_ = no_close_;
  i64 no_condition_end_ = no_close_;
};

}  // namespace

std::optional<i64> count_soup_text(std::string_view html) {
  return Parser(html).count();
}

}  // namespace lm::ingest
