#include "grammar/regex.h"

#include <array>
#include <optional>

#include "core/str.h"
#include "core/utf8.h"
#include "text/unicode.h"

namespace lm::grammar {

namespace {

constexpr i32 kMostRepeats = 1000000;
constexpr int kDeepest = 200;

struct NamedCategory {
  std::string_view code;
  std::string_view name;
};
// In the order of text::Category.
constexpr NamedCategory kCategories[] = {
    {"Cn", "Unassigned"},
    {"Lu", "Uppercase_Letter"},
    {"Ll", "Lowercase_Letter"},
    {"Lt", "Titlecase_Letter"},
    {"Lm", "Modifier_Letter"},
    {"Lo", "Other_Letter"},
    {"Mn", "Nonspacing_Mark"},
    {"Mc", "Spacing_Mark"},
    {"Me", "Enclosing_Mark"},
    {"Nd", "Decimal_Number"},
    {"Nl", "Letter_Number"},
    {"No", "Other_Number"},
    {"Pc", "Connector_Punctuation"},
    {"Pd", "Dash_Punctuation"},
    {"Ps", "Open_Punctuation"},
    {"Pe", "Close_Punctuation"},
    {"Pi", "Initial_Punctuation"},
    {"Pf", "Final_Punctuation"},
    {"Po", "Other_Punctuation"},
    {"Sm", "Math_Symbol"},
    {"Sc", "Currency_Symbol"},
    {"Sk", "Modifier_Symbol"},
    {"So", "Other_Symbol"},
    {"Zs", "Space_Separator"},
    {"Zl", "Line_Separator"},
    {"Zp", "Paragraph_Separator"},
    {"Cc", "Control"},
    {"Cf", "Format"},
    {"Cs", "Surrogate"},
    {"Co", "Private_Use"},
};
constexpr NamedCategory kGroups[] = {{"L", "Letter"},      {"M", "Mark"},   {"N", "Number"},
                                     {"P", "Punctuation"}, {"S", "Symbol"}, {"Z", "Separator"},
                                     {"C", "Other"}};

/// An expression by whether it may begin and end inside the text or only at its ends:
/// at[begin][end].
struct Piece {
  std::array<std::array<Expr, 2>, 2> at{};
  bool anchored() const {
    return at[0][1] != kNothing || at[1][0] != kNothing || at[1][1] != kNothing;
  }
};

class Parser {
 public:
  Parser(ExprTable& table, std::string_view pattern, const RegexSyntax& syntax)
      : table_(table),
        pattern_(pattern),
        syntax_(syntax),
        ignore_case_(syntax.ignore_case),
        dot_all_(syntax.dot_all) {
    const i64 bad = find_invalid_utf8(pattern);
    if (bad >= 0) fail("not UTF-8", bad);
  }

  Expr parse() {
    const Piece all = alternatives();
    if (at_ < isize(pattern_)) fail("a closing parenthesis without an opening one", at_);
    const Expr gap = syntax_.search ? table_.star(encode(complement({}))) : kEmpty;
    std::vector<Expr> options;
    for (int begin = 0; begin < 2; ++begin) {
      for (int end = 0; end < 2; ++end) {
        const Expr inner = all.at[usize(begin)][usize(end)];
        options.push_back(
            table_.cat(begin == 1 ? kEmpty : gap, table_.cat(inner, end == 1 ? kEmpty : gap)));
      }
    }
    return table_.alt(std::move(options));
  }

 private:
  [[noreturn]] void fail(std::string_view what, i64 at) const {
    i64 column = 1;
    for (i64 i = 0; i < at; ++i)
      column += (static_cast<u8>(pattern_[usize(i)]) & 0xC0) != 0x80;
    refuse(cat("pattern ", quote(pattern_), ", column ", column, ": ", what), at);
  }
  bool more() const { return at_ < isize(pattern_); }
  bool next_is(std::string_view text) const {
    return pattern_.substr(usize(at_)).starts_with(text);
  }
  bool take(std::string_view text) {
    if (!next_is(text)) return false;
    at_ += isize(text);
    return true;
  }
  char32_t take_char() {
    const Decoded c = decode_at(pattern_, at_);
    at_ += c.size;
    return c.cp;
  }

  Expr encode(const CharSet& set) {
    return syntax_.encode ? syntax_.encode(set) : table_.chars(set);
  }
  Piece of_set(const CharSet& set) {
    Piece out;
    out.at[0][0] = encode(set);
    return out;
  }
  Piece of_char(char32_t c) {
    const CharSet set = normal({{c, c}});
    return of_set(ignore_case_ ? fold_case(set) : set);
  }

  Piece alternatives() {
    const i64 begin = at_;
    if (++depth_ > kDeepest) fail("nested too deeply", begin);
    Piece out = sequence();
    while (take("|")) {
      const Piece more = sequence();
      for (std::size_t b = 0; b < 2; ++b) {
        for (std::size_t e = 0; e < 2; ++e)
          out.at[b][e] = table_.alt(out.at[b][e], more.at[b][e]);
      }
    }
    --depth_;
    return out;
  }

  Piece sequence() {
    std::vector<Piece> items;
    while (more() && !next_is("|") && !next_is(")"))
      items.push_back(repeated());
    // From the end, so that each step adds one expression.
    Piece out;
    out.at[0][0] = kEmpty;
    for (auto it = items.rbegin(); it != items.rend(); ++it)
      out = joined(*it, out);
    return out;
  }

  Piece joined(const Piece& a, const Piece& b) {
    Piece out;
    for (std::size_t i = 0; i < 16; ++i) {
      const std::size_t begin_a = i & 1, end_a = i >> 1 & 1, begin_b = i >> 2 & 1, end_b = i >> 3;
      Expr x = a.at[begin_a][end_a];
      Expr y = b.at[begin_b][end_b];
      if (x == kNothing || y == kNothing) continue;
      // What stands behind the end, or before the begin, can only be empty.
      if (begin_b == 1) x = table_.nullable(x) ? kEmpty : kNothing;
      if (end_a == 1) y = table_.nullable(y) ? kEmpty : kNothing;
      Expr& into = out.at[begin_a | begin_b][end_a | end_b];
      into = table_.alt(into, table_.cat(x, y));
    }
    return out;
  }

  Piece repeated() {
    const i64 begin = at_;
    Piece item = atom();
    while (more()) {
      const i64 here = at_;
      i32 min = 0;
      i32 max = kNoLimit;
      if (take("*")) {
      } else if (take("+")) {
        min = 1;
      } else if (take("?")) {
        max = 1;
      } else if (!bounds(min, max)) {
        break;
      }
      if (here == begin) fail("nothing to repeat", here);
      if (next_is("+")) fail("possessive repetition", at_);
      take("?");  // lazy: the same texts
      if (item.anchored()) {
        if (max != 1) fail("an anchor inside a repetition", begin);
        if (min == 0) item.at[0][0] = table_.alt(item.at[0][0], kEmpty);
      } else {
        item.at[0][0] = table_.repeat(item.at[0][0], min, max);
      }
    }
    return item;
  }

  // {m}, {m,}, {m,n}; what else begins with a brace is literal.
  bool bounds(i32& min, i32& max) {
    const i64 begin = at_;
    if (!take("{")) return false;
    const std::optional<i64> low = number();
    std::optional<i64> high = low;
    bool open = false;
    if (low && take(",")) {
      high = number();
      open = !high;
    }
    if (!low || !take("}")) {
      at_ = begin;
      return false;
    }
    if (*low > kMostRepeats || (high && *high > kMostRepeats))
      fail(lm::cat("more than ", kMostRepeats, " repetitions"), begin);
    if (high && *high < *low) fail("a repetition whose bounds are reversed", begin);
    min = static_cast<i32>(*low);
    max = open ? kNoLimit : static_cast<i32>(*high);
    return true;
  }
  std::optional<i64> number() {
    const i64 begin = at_;
    i64 value = 0;
    while (more() && pattern_[usize(at_)] >= '0' && pattern_[usize(at_)] <= '9')
      value = std::min<i64>(10 * value + (pattern_[usize(at_++)] - '0'), kMostRepeats + 1);
    if (at_ == begin) return std::nullopt;
    return value;
  }

  Piece atom() {
    const i64 begin = at_;
    if (take("(")) return group(begin);
    if (take("[")) return of_set(char_class(begin));
    if (take(".")) {
      if (dot_all_) return of_set(complement({}));
      if (syntax_.ecma)
        return of_set(complement(normal({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}})));
      return of_set(complement(normal({{'\n', '\n'}})));
    }
    if (take("^")) return anchor(true);
    if (take("$")) return anchor(false);
    if (next_is("*") || next_is("+") || next_is("?")) fail("nothing to repeat", begin);
    if (take("\\")) {
      if (take("A")) return anchor(true);
      if (take("z")) return anchor(false);
      CharSet set;
      if (escaped_set(set)) return of_set(set);
      return of_char(escaped_char(begin, false));
    }
    return of_char(take_char());
  }

  Piece anchor(bool at_begin) {
    Piece out;
    out.at[at_begin ? 1 : 0][at_begin ? 0 : 1] = kEmpty;
    return out;
  }

  Piece group(i64 begin) {
    const bool outer_case = ignore_case_;
    const bool outer_dot = dot_all_;
    if (take("?")) {
      if (next_is("=") || next_is("!")) fail("look-ahead", begin);
      if (next_is("<=") || next_is("<!")) fail("look-behind", begin);
      if (next_is(">")) fail("an atomic group", begin);
      if (next_is("(")) fail("a condition", begin);
      if (next_is("|")) fail("a branch-reset group", begin);
      if (next_is("P=")) fail("a back-reference", begin);
      if (next_is("P>") || next_is("R") || next_is("&")) fail("recursion", begin);
      if (next_is("#")) fail("a comment", begin);
      if (take("P<") || take("<")) {
        const std::size_t end = pattern_.find('>', usize(at_));
        if (end == std::string_view::npos) fail("a group name without end", begin);
        at_ = static_cast<i64>(end) + 1;
      } else if (flags(begin)) {  // (?i) holds to the end of the group it stands in
        Piece empty;
        empty.at[0][0] = kEmpty;
        return empty;
      }
    } else if (next_is("*")) {
      fail("a control verb", begin);
    }
    const Piece inner = alternatives();
    if (!take(")")) fail("a group without end", begin);
    ignore_case_ = outer_case;
    dot_all_ = outer_dot;
    return inner;
  }

  // True for (?flags), false for (?flags: whose group follows.
  bool flags(i64 begin) {
    bool on = true;
    while (more()) {
      if (take(")")) return true;
      if (take(":")) return false;
      if (take("-")) {
        on = false;
      } else if (take("i")) {
        ignore_case_ = on;
      } else if (take("s")) {
        dot_all_ = on;
      } else {
        fail(lm::cat("flag ", quote(pattern_.substr(usize(at_), 1))), at_);
      }
    }
    fail("a group without end", begin);
  }

  // \d and the like, after the backslash.
  bool escaped_set(CharSet& out) {
    const i64 begin = at_ - 1;
    if (!more()) fail("a backslash at the end", begin);
    const char c = pattern_[usize(at_)];
    const CharSet word = normal({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
    switch (c) {
      case 'd':
        out = normal({{'0', '9'}});
        break;
      case 'D':
        out = complement(normal({{'0', '9'}}));
        break;
      case 'w':
        out = word;
        break;
      case 'W':
        out = complement(word);
        break;
      case 's':
        out = spaces();
        break;
      case 'S':
        out = complement(spaces());
        break;
      case 'p':
      case 'P': {
        ++at_;
        std::string_view name = pattern_.substr(usize(at_), 1);
        if (take("{")) {
          const std::size_t end = pattern_.find('}', usize(at_));
          if (end == std::string_view::npos) fail("a property without end", begin);
          name = pattern_.substr(usize(at_), end - usize(at_));
          at_ = static_cast<i64>(end) + 1;
        } else {
          ++at_;
        }
        const bool negated = name.starts_with('^');
        if (negated) name.remove_prefix(1);
        for (const std::string_view prefix : {"General_Category=", "gc="}) {
          if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
        }
        if (!category_chars(name, out)) fail(lm::cat("unknown property ", quote(name)), begin);
        if (negated != (c == 'P')) out = complement(out);
        return true;
      }
      default:
        return false;
    }
    ++at_;
    return true;
  }

  CharSet spaces() const {
    if (!syntax_.ecma) return normal({{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}});
    return normal({{'\t', '\r'},
                   {' ', ' '},
                   {0xA0, 0xA0},
                   {0x1680, 0x1680},
                   {0x2000, 0x200A},
                   {0x2028, 0x2029},
                   {0x202F, 0x202F},
                   {0x205F, 0x205F},
                   {0x3000, 0x3000},
                   {0xFEFF, 0xFEFF}});
  }

  // One character, after the backslash.
  char32_t escaped_char(i64 begin, bool in_class) {
    const char32_t c = take_char();
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'f':
        return '\f';
      case 'v':
        return '\v';
      case 'a':
        return '\a';
      case 'e':
        return 0x1B;
      case 'x':
        return take("{") ? braced(begin) : digits(2, begin);
      case 'u': {
        if (take("{")) return braced(begin);
        const char32_t unit = digits(4, begin);
        if (unit < 0xD800 || unit > 0xDFFF) return unit;
        if (unit > 0xDBFF || !take("\\u")) fail("half of a surrogate pair", begin);
        const char32_t low = digits(4, begin);
        if (low < 0xDC00 || low > 0xDFFF) fail("half of a surrogate pair", begin);
        return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
      }
      case 'c': {
        const char32_t letter = more() ? take_char() : 0;
        const char32_t lower = letter | 0x20;
        if (lower < 'a' || lower > 'z') fail("a control escape without letter", begin);
        return letter & 0x1F;
      }
      case '0':
        if (more() && pattern_[usize(at_)] >= '0' && pattern_[usize(at_)] <= '9')
          fail("an octal escape", begin);
        return 0;
      case 'b':
        if (in_class) return '\b';
        fail("a word boundary", begin);
      case 'B':
        fail("a word boundary", begin);
      case 'k':
      case 'g':
        fail("a back-reference", begin);
      default:
        break;
    }
    if (c >= '1' && c <= '9') fail("a back-reference", begin);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter) fail(lm::cat("unknown escape \\", static_cast<char>(c)), begin);
    return c;
  }

  static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  }
  char32_t digits(int count, i64 begin) {
    char32_t value = 0;
    for (int i = 0; i < count; ++i) {
      const int digit = more() ? hex_value(pattern_[usize(at_)]) : -1;
      if (digit < 0) fail("an escape with too few hexadecimal digits", begin);
      value = 16 * value + static_cast<char32_t>(digit);
      ++at_;
    }
    return value;
  }
  char32_t braced(i64 begin) {
    char32_t value = 0;
    i64 count = 0;
    for (; more() && !next_is("}"); ++count, ++at_) {
      const int digit = hex_value(pattern_[usize(at_)]);
      if (digit < 0 || count == 8) fail("a code point that is no hexadecimal number", begin);
      value = 16 * value + static_cast<char32_t>(digit);
    }
    if (count == 0 || !take("}") || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
      fail("a code point that does not exist", begin);
    return value;
  }

  CharSet char_class(i64 begin) {
    const bool negated = take("^");
    std::vector<CharRange> ranges;
    bool first = !syntax_.ecma;
    for (;; first = false) {
      if (!more()) fail("a class without end", begin);
      if (!first && take("]")) break;
      if (next_is("[:") && named_class(ranges)) continue;
      const i64 here = at_;
      if (next_is("&&")) fail("an intersection of classes", here);
      CharSet set;
      if (take("\\") && escaped_set(set)) {
        ranges.insert(ranges.end(), set.begin(), set.end());
        continue;
      }
      at_ = here;
      const char32_t low = class_char();
      char32_t high = low;
      if (next_is("-") && !next_is("-]")) {
        take("-");
        if (next_is("\\d") || next_is("\\w") || next_is("\\s"))
          fail("a range that ends with a class", here);
        high = class_char();
        if (high < low) fail("a range whose ends are reversed", here);
      }
      ranges.push_back({low, high});
    }
    CharSet set = normal(std::move(ranges));
    if (ignore_case_) set = fold_case(set);
    return negated ? complement(set) : set;
  }
  char32_t class_char() {
    const i64 begin = at_;
    if (!more()) fail("a class without end", begin);
    return take("\\") ? escaped_char(begin, true) : take_char();
  }

  bool named_class(std::vector<CharRange>& ranges) {
    struct Named {
      std::string_view name;
      std::vector<CharRange> ranges;
    };
    static const Named kNamed[] = {
        {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
        {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
        {"digit", {{'0', '9'}}},
        {"lower", {{'a', 'z'}}},
        {"upper", {{'A', 'Z'}}},
        {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
        {"space", {{'\t', '\r'}, {' ', ' '}}},
        {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
    };
    if (syntax_.ecma) return false;
    for (const Named& one : kNamed) {
      if (!take(lm::cat("[:", one.name, ":]"))) continue;
      ranges.insert(ranges.end(), one.ranges.begin(), one.ranges.end());
      return true;
    }
    fail("an unknown named class", at_);
  }

  ExprTable& table_;
  std::string_view pattern_;
  const RegexSyntax& syntax_;
  i64 at_ = 0;
  int depth_ = 0;
  bool ignore_case_;
  bool dot_all_;
};

}  // namespace

bool category_chars(std::string_view name, CharSet& out) {
  u32 bits = 0;
  for (std::size_t i = 0; i < std::size(kCategories); ++i) {
    const NamedCategory& one = kCategories[i];
    bool wanted = one.code == name || one.name == name;
    for (const NamedCategory& group : kGroups)
      wanted |= (group.code == name || group.name == name) && one.code[0] == group.code[0];
    if (wanted) bits |= u32{1} << i;
  }
  if (bits == 0) return false;
  std::vector<CharRange> ranges;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (!text::in_categories(c, bits)) continue;
    if (!ranges.empty() && ranges.back().high + 1 == c) {
      ranges.back().high = c;
    } else {
      ranges.push_back({c, c});
    }
  }
  out = normal(std::move(ranges));
  return true;
}

Expr parse_regex(ExprTable& table, std::string_view pattern, const RegexSyntax& syntax) {
  return Parser(table, pattern, syntax).parse();
}

}  // namespace lm::grammar
