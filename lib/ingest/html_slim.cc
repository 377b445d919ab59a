#include "ingest/html_slim.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/str.h"

namespace lm::ingest {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class Slimmer {
 public:
  Slimmer(std::string_view html, i64 max_depth) : html_(html), max_depth_(max_depth) {
    out_.reserve(html.size() + 64);
  }

  std::optional<std::string> run() {
    std::size_t at = html_.find('<');
    while (at != kNone && at + 1 < html_.size()) {
      const std::size_t next = markup(at);
      if (depth_ > max_depth_) return std::nullopt;
      if (next == kNone) break;
      at = html_.find('<', next);
    }
    out_ += html_.substr(copied_);
    return std::move(out_);
  }

 private:
  /// Behind the markup at `at`; kNone: the rest stays as it is, though its depth counts.
  std::size_t markup(std::size_t at) {
    const std::string_view rest = html_.substr(at);
    if (rest.starts_with("<!--")) return comment(at);
    if (rest.starts_with("<![CDATA[")) return leave(at);
    const bool end_tag = rest[1] == '/';
    const std::size_t name = at + (end_tag ? 2 : 1);
    if (name < html_.size() && is_letter(html_[name])) return tag(at, name, end_tag);
    if (rest[1] != '!' && rest[1] != '?' && !end_tag) return at + 1;  // a character
    const std::size_t end = html_.find('>', at);
    return end == kNone ? kNone : end + 1;
  }

  std::size_t comment(std::size_t at) {
    const std::size_t body = at + 4;
    const std::string_view rest = html_.substr(body);
    if (rest.starts_with('>')) return body + 1;
    if (rest.starts_with("->")) return body + 2;
    const std::size_t plain = html_.find("-->", body);
    const std::size_t odd = html_.substr(0, plain).find("--!>", body);
    if (odd != kNone || plain == kNone) return leave(at);
    cut(body, plain);
    return plain + 3;
  }

  std::size_t tag(std::size_t at, std::size_t name_at, bool end_tag) {
    std::size_t name_end = name_at;
    while (name_end < html_.size() && !is_space(html_[name_end]) && html_[name_end] != '/' &&
           html_[name_end] != '>')
      ++name_end;
    const std::size_t end = tag_end(name_end);
    if (end == kNone) return kNone;
    const std::string name = name_end - name_at > 20
                                 ? std::string("long")
                                 : ascii_lower(html_.substr(name_at, name_end - name_at));
    if (end_tag) {
      if (name == "form") {
        // What is unfinished when a form ends would stand behind it; an empty comment finishes it.
        out_ += html_.substr(copied_, at - copied_);
        out_ += "<!>";
        copied_ = at;
      }
      count(name, true);
      return end;
    }
    count(name, false);
    static const std::unordered_set<std::string> kRaw = {"title",  "textarea", "xmp",
                                                         "iframe", "noembed",  "noframes"};
    const bool code = name == "script" || name == "style";
    if (name == "plaintext") return kNone;
    if ((name == "svg" || name == "math") && html_[end - 2] != '/')
      return is_plain_drawing(end, name) ? end : leave(end);
    if (!code && !kRaw.contains(name)) return end;
    if (html_[end - 2] == '/') return leave(end);  // closed already if it stands in a drawing
    const std::size_t close = closing(end, name);
    if (close == kNone) return leave(end);
    if (code && html_.substr(end, close - end).find("<!--") == kNone) cut(end, close);
    return close;
  }

  /// A drawing or formula that begins at `at` has an end, and before it nothing that the parser
  /// reads otherwise there than in a page.
  bool is_plain_drawing(std::size_t at, const std::string& name) const {
    const std::size_t close = closing(at, name);
    if (close == kNone) return false;
    for (at = html_.find('<', at); at < close; at = html_.find('<', at + 1)) {
      const std::string_view rest = html_.substr(at);
      for (const std::string_view other :
           {"<!", "<?", "<svg", "<math", "<script", "<style", "<textarea", "<xmp", "<iframe",
            "<noembed", "<noframes", "<plaintext"})
        if (starts_with_nocase(rest, other)) return false;
      // The name of a drawing, which is text alone.
      if (starts_with_nocase(rest, "<title") &&
          !starts_with_nocase(html_.substr(html_.find('<', at + 1)), "</title"))
        return false;
    }
    return true;
  }

  /// Behind the '>' of a tag whose name ends at `at`.
  std::size_t tag_end(std::size_t at) const {
    bool named = false;
    while (at < html_.size()) {
      const char c = html_[at++];
      if (c == '>') return at;
      if (is_space(c) || c == '/') {
        // White space may stand between a name and its '='.
        const std::size_t next = html_.find_first_not_of(" \t\n\f\r", at);
        if (next != kNone && html_[next] != '=') named = false;
        if (c == '/') named = false;
        continue;
      }
      if (c != '=' || !named) {
        named = true;
        continue;
      }
      named = false;
      at = html_.find_first_not_of(" \t\n\f\r", at);
      if (at == kNone) return kNone;
      if (html_[at] == '"' || html_[at] == '\'') {
        at = html_.find(html_[at], at + 1);
        if (at == kNone) return kNone;
        ++at;
      } else {
        while (at < html_.size() && !is_space(html_[at]) && html_[at] != '>')
          ++at;
      }
    }
    return kNone;
  }

  /// Where the end tag of that name begins.
  std::size_t closing(std::size_t at, const std::string& name) const {
    for (at = html_.find("</", at); at != kNone; at = html_.find("</", at + 2)) {
      const std::size_t behind = at + 2 + name.size();
      if (behind < html_.size() && starts_with_nocase(html_.substr(at + 2), name) &&
          (is_space(html_[behind]) || html_[behind] == '/' || html_[behind] == '>'))
        return at;
    }
    return kNone;
  }

  void cut(std::size_t begin, std::size_t end) {
    out_ += html_.substr(copied_, begin - copied_);
    copied_ = end;
  }

  /// From here on nothing is cut, but what looks like a tag counts.
  std::size_t leave(std::size_t at) {
    for (at = html_.find('<', at + 1); at != kNone && depth_ <= max_depth_;
         at = html_.find('<', at + 1)) {
      const bool end_tag = html_.substr(at + 1).starts_with('/');
      const std::size_t name = at + (end_tag ? 2 : 1);
      std::size_t end = name;
      while (end < html_.size() && end < name + 20 && is_letter(html_[end]))
        ++end;
      if (end > name) count(ascii_lower(html_.substr(name, end - name)), end_tag);
    }
    return kNone;
  }

  void count(const std::string& name, bool end_tag) {
    static const std::unordered_set<std::string> kFlat = {
        "br", "p",  "li",   "img",  "meta", "link",   "input", "hr",    "td",    "tr",    "th",
        "dt", "dd", "area", "base", "col",  "source", "wbr",   "param", "embed", "option"};
    if (kFlat.contains(name)) return;
    i64& same = open_[name];
    if (!end_tag) {
      ++same;
      ++depth_;
    } else if (same > 0) {
      --same;
      --depth_;
    }
  }

  std::string_view html_;
  i64 max_depth_;
  std::string out_;
  std::size_t copied_ = 0;  // html_ before it is in out_, or cut
  std::unordered_map<std::string, i64> open_;
  i64 depth_ = 0;
};

}  // namespace

std::optional<std::string> slim_html(std::string_view html, i64 max_depth) {
  return Slimmer(html, max_depth).run();
}

}  // namespace lm::ingest
