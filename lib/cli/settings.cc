#include "cli/settings.h"

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::cli {

namespace {

class SettingsParser {
 public:
  SettingsParser(std::string_view text, const std::string& path) : text_(text), path_(path) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  Settings parse() {
    Settings out;
    std::string section;
    while (true) {
      skip_blank(true);
      if (at_ == text_.size()) return out;
      if (text_[at_] == '[') {
        section = section_name();
        out.sections.push_back({section, line_});
      } else {
        out.values.push_back(setting(section));
        refuse_second(out.values);
      }
      end_of_line();
    }
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorKind::kConfig, cat(path_, ":", line_, ": ", what));
  }

  // A key that an earlier line of its section has.
  void refuse_second(const std::vector<Setting>& all) {
    const Setting& last = all.back();
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      if (all[i].section != last.section || all[i].key != last.key) continue;
      line_ = last.line;
      fail(cat(last.key, " is set in line ", all[i].line, " already"));
    }
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  // Blanks and comments; with lines, line ends too.
  void skip_blank(bool lines) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n')) {
        if (c == '\n') ++line_;
        ++at_;
      } else {
        return;
      }
    }
  }

  void end_of_line() {
    skip_blank(false);
    if (at_ < text_.size() && text_[at_] != '\n') {
      fail(cat("expected the end of the line, got ", quote(rest_of_line(), 20)));
    }
  }

  std::string_view rest_of_line() const { return text_.substr(at_, text_.find('\n', at_) - at_); }

  static bool bare_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  }

  std::string name(const char* what) {
    if (peek() == '"' || peek() == '\'') return quoted();
    const std::size_t begin = at_;
    while (bare_char(peek()))
      ++at_;
    if (at_ == begin) fail(cat("expected ", what, ", got ", quote(rest_of_line(), 20)));
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string section_name() {
    ++at_;
    skip_blank(false);
    std::string out = name("the name of a section");
    skip_blank(false);
    if (peek() != ']') fail(cat("expected ] after the section ", out));
    ++at_;
    return out;
  }

  Setting setting(const std::string& section) {
    Setting out;
    out.section = section;
    out.line = line_;
    out.key = name("a key");
    skip_blank(false);
    if (peek() != '=') fail(cat(out.key, ": expected key = value"));
    ++at_;
    skip_blank(false);
    if (peek() != '[') {
      out.values.push_back(value(out.key));
      return out;
    }
    out.array = true;
    ++at_;
    while (true) {
      skip_blank(true);
      if (peek() == ']') break;
      out.values.push_back(value(out.key));
      skip_blank(true);
      if (peek() == ',') {
        ++at_;
      } else if (peek() != ']') {
        fail(cat(out.key, ": expected , or ] in the array"));
      }
    }
    ++at_;
    return out;
  }

  std::string value(const std::string& key) {
    if (peek() == '"' || peek() == '\'') return quoted();
    const std::size_t begin = at_;
    while (bare_char(peek()) || peek() == '.' || peek() == '+')
      ++at_;
    std::string word(text_.substr(begin, at_ - begin));
    if (word == "true" || word == "false" || parse_float(word)) return word;
    at_ = begin;
    fail(cat(key, ": expected a number, true, false or a quoted text, got ",
             quote(rest_of_line(), 20)));
  }

  std::string quoted() {
    const char mark = text_[at_++];
    std::string out;
    while (peek() != mark) {
      if (at_ >= text_.size() || text_[at_] == '\n') fail(cat("the text has no closing ", mark));
      out.push_back(text_[at_] == '\\' && mark == '"' ? escape(out) : text_[at_++]);
    }
    ++at_;
    return out;
  }

  // One escape. Returns its last byte; the bytes before it are appended to out.
  char escape(std::string& out) {
    static constexpr std::string_view kNames = "btnfr\"\\";
    static constexpr std::string_view kBytes = "\b\t\n\f\r\"\\";
    ++at_;
    if (peek() == 'u' || peek() == 'U') return code_point(out);
    const std::size_t which = kNames.find(peek());
    if (at_ == text_.size() || which == std::string_view::npos)
      fail(cat("unknown escape \\", peek()));
    ++at_;
    return kBytes[which];
  }

  char code_point(std::string& out) {
    const std::size_t digits = text_[at_++] == 'u' ? 4 : 8;
    u32 c = 0;
    const std::string_view hex = text_.substr(at_, digits);
    const std::from_chars_result end = std::from_chars(hex.data(), hex.data() + hex.size(), c, 16);
    const bool whole = hex.size() == digits && end.ptr == hex.data() + digits;
    if (!whole || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
      fail(cat("not a code point: ", quote(hex)));
    at_ += digits;
    std::string bytes;
    const auto tail = [&](int shift) {
      bytes.push_back(static_cast<char>(0x80 | ((c >> shift) & 0x3F)));
    };
    if (c < 0x80) {
      bytes.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
      bytes.push_back(static_cast<char>(0xC0 | (c >> 6)));
      tail(0);
    } else if (c < 0x10000) {
      bytes.push_back(static_cast<char>(0xE0 | (c >> 12)));
      tail(6);
      tail(0);
    } else {
      bytes.push_back(static_cast<char>(0xF0 | (c >> 18)));
      tail(12);
      tail(6);
      tail(0);
    }
    out.append(bytes, 0, bytes.size() - 1);
    return bytes.back();
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t at_ = 0;
  i64 line_ = 1;
};

}  // namespace

Settings parse_settings(std::string_view text, const std::string& path) {
  return SettingsParser(text, path).parse();
}

// JSON's string syntax is a part of TOML's.
std::string settings_string(std::string_view text) {
  return io::json_string(text);
}

}  // namespace lm::cli
