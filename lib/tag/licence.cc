// Licences of Creative Commons that a page links to, after the patterns of dkpro-c4corpus: what
// they match, found from the licences' addresses on.

#include <algorithm>
#include <array>

#include "core/str.h"
#include "tag/ascii_class.h"
#include "tag/tagger.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> licence_taggers();

namespace {

constexpr std::string_view kHtml = "metadata.html";
constexpr std::string_view kSite = "://creativecommons.org/";

std::optional<Fault> missing_html() {
  return Fault{"missing",
               "field \"metadata.html\" is missing, the page in which licences are looked for", -1};
}

/// Of the i-th match, from 0 on: the more there are, the less a single one says.
f64 confidence(i64 i) {
  return 0.5 + 0.5 / static_cast<f64>(i + 1);
}

i64 word_size(std::string_view s, i64 at) {
  if (at < 0 || at >= isize(s)) return 0;
  const char* p = s.data() + at;
  return text::is_word(text::next_valid(p)) ? p - (s.data() + at) : 0;
}

/// <a ... href="http://creativecommons.org/licenses/by-sa/4.0/deed.en" ...> and the like: between
/// the name of the element and that of the attribute stand characters of words, punctuation, =, and
/// white space; of several such attributes in them the last one counts; behind the address come, on
/// the same line, a quote and a >.
class LinkScan {
 public:
  explicit LinkScan(std::string_view html) : html_(html) {}

  std::vector<std::string> licences() {
    std::vector<std::string> out;
    Link best;
    for (std::size_t site = html_.find(kSite); site != std::string_view::npos;
         site = html_.find(kSite, site + 1)) {
      const std::optional<Link> link = link_at(static_cast<i64>(site));
      if (!link) continue;
      if (best.element >= 0 && link->element != best.element) take(best, out);
      // Of one element the last link counts; what a match covers begins no other.
      if (link->element >= end_) best = *link;
    }
    if (best.element >= 0) take(best, out);
    return out;
  }

 private:
  struct Link {
    i64 element = -1;  // where it begins
    i64 end = 0;       // behind the >
    std::string licence;
  };

  void take(Link& link, std::vector<std::string>& out) {
    if (link.element >= end_) {
      end_ = link.end;
      out.push_back(link.licence);
    }
    link.element = -1;
  }

  std::optional<Link> link_at(i64 site) {
    i64 at = site;
    while (char_at(html_, at - 1) == 's')
      --at;
    if (!has_at(html_, at - 4, "http")) return std::nullopt;
    at -= 4;
    if (char_at(html_, at - 1) == '\'' || char_at(html_, at - 1) == '"') {
      --at;
    } else if (has_at(html_, at - 6, "&quot;")) {
      at -= 6;
    }
    if (char_at(html_, --at) != '=') return std::nullopt;
    i64 name = -1;
    for (const std::string_view attribute : {"href", "HREF", "content"}) {
      if (has_at(html_, at - isize(attribute), attribute)) name = at - isize(attribute);
    }
    if (name < 0) return std::nullopt;
    Link link;
    link.element = element_of(name);
    if (link.element < 0) return std::nullopt;
    const i64 behind = read_licence(site + isize(kSite), link.licence);
    if (behind < 0) return std::nullopt;
    link.end = closing(behind);
    return link.end < 0 ? std::nullopt : std::optional(std::move(link));
  }

  /// Start of the element whose attribute begins at name, -1 if what stands between is none.
  i64 element_of(i64 name) {
    i64 at = name;
    // One run of such characters is walked through once.
    while (at > 0 && !(run_begin_ >= 0 && at == run_seen_)) {
      i64 before = at - 1;
      while (before > 0 && (static_cast<u8>(html_[usize(before)]) & 0xC0) == 0x80)
        --before;
      const char* p = html_.data() + before;
      const char32_t cp = text::next_valid(p);
      if (cp != '=' && !text::is_word(cp) && !text::is_punctuation(cp) && !text::is_white_space(cp))
        break;
      at = before;
    }
    const i64 begin = run_begin_ >= 0 && at == run_seen_ ? run_begin_ : at;
    run_seen_ = name;
    run_begin_ = begin;
    if (char_at(html_, begin - 1) != '<') return -1;
    for (const std::string_view element : {"a", "A", "meta"}) {
      const i64 space = begin + isize(element);
      if (!has_at(html_, begin, element) || space >= name) continue;
      const char* p = html_.data() + space;
      if (text::is_white_space(text::next_valid(p))) return begin - 1;
    }
    return -1;
  }

  /// Type, version and language at a place; the offset behind them, or -1.
  i64 read_licence(i64 at, std::string& out) const {
    if (has_at(html_, at, "licenses/by")) {
      const i64 begin = at + 9;
      at += 11;
      for (const std::string_view part : {"-nc", "-nd", "-sa"})
        at += has_at(html_, at, part) ? 3 : 0;
      out = html_.substr(usize(begin), usize(at - begin));
    } else {
      const i64 begin = at;
      i64 end = -1;
      for (const std::string_view kind :
           {"publicdomain/zero", "publicdomain/certification", "publicdomain/mark"}) {
        if (has_at(html_, at, kind)) end = begin + isize(kind);
      }
      if (end < 0) return -1;
      out = html_.substr(usize(begin), usize(end - begin));
      at = end;
    }
    if (char_at(html_, at) == '/') {
      const i64 dot = run_end(html_, at + 1, kDigit);
      const i64 end = run_end(html_, dot + 1, kDigit);
      if (dot > at + 1 && char_at(html_, dot) == '.' && end > dot + 1) {
        append(out, "_", html_.substr(usize(at + 1), usize(end - at - 1)));
        at = end;
      }
    }
    // A jurisdiction in front of the language if one follows.
    const i64 pair = two_words(at);
    const i64 far = pair < 0 ? -1 : language(pair, out);
    const i64 near = far < 0 ? language(at, out) : far;
    return near < 0 ? at : near;
  }

  /// Behind "/" and two characters of words; -1 if they are not there.
  i64 two_words(i64 at) const {
    if (char_at(html_, at) != '/') return -1;
    return two_letters(at + 1);
  }
  i64 two_letters(i64 at) const {
    const i64 first = word_size(html_, at);
    const i64 second = first == 0 ? 0 : word_size(html_, at + first);
    return second == 0 ? -1 : at + first + second;
  }
  i64 language(i64 at, std::string& out) const {
    if (char_at(html_, at) != '/') return -1;
    ++at;
    for (const std::string_view page : {"deed.", "legalcode."}) {
      const i64 begin = at + isize(page);
      const i64 end = has_at(html_, at, page) ? two_letters(begin) : -1;
      if (end < 0) continue;
      append(out, "_", html_.substr(usize(begin), usize(end - begin)));
      return end;
    }
    const i64 end = two_letters(at);
    if (end >= 0) append(out, "_", html_.substr(usize(at), usize(end - at)));
    return end;
  }

  i64 closing(i64 at) {
    if (at < unclosed_) return -1;
    bool quoted = false;
    for (; at < isize(html_) && html_[usize(at)] != '\n'; ++at) {
      const char c = html_[usize(at)];
      quoted = quoted || c == '"' || c == '\'' || has_at(html_, at, "&quot;");
      if (quoted && c == '>') return at + 1;
    }
    unclosed_ = at;
    return -1;
  }

  std::string_view html_;
  i64 end_ = 0;        // of the last match
  i64 unclosed_ = -1;  // end of a line on which no address is closed any more
  i64 run_seen_ = -1;  // a place that was asked for, and where its run begins
  i64 run_begin_ = -1;
};

class Links : public Tagger {
 public:
  explicit Links(bool dolma) : dolma_(dolma) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::optional<std::string>& html = document.field(kHtml);
    if (!html) return missing_html();
    i64 count = 0;
    for (const std::string& licence : LinkScan(*html).licences())
      out.named_value(cat("cc_", licence), confidence(count++));
    if (!dolma_) out.value(0, static_cast<f64>(count));
    return std::nullopt;
  }

 private:
  bool dolma_;
};

constexpr std::array<std::string_view, 7> kFast = {"by",       "by-sa",    "by-nd",       "by-nc",
                                                   "by-nc-sa", "by-nc-nd", "publicdomain"};

class FastLinks : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::optional<std::string>& field = document.field(kHtml);
    if (!field) return missing_html();
    const std::string_view html = *field;
    i64 count = 0;
    for (std::size_t site = html.find(kSite); site != std::string_view::npos;
         site = html.find(kSite, site + 1)) {
      const i64 at = static_cast<i64>(site);
      const i64 begin = at + isize(kSite) + 9;
      if (!has_at(html, begin - 9, "licenses/") ||
          (!has_at(html, at - 4, "http") && !has_at(html, at - 5, "https")))
        continue;
      const i64 end = run_end(html, begin, kLow | kDash);
      const auto type =
          std::find(kFast.begin(), kFast.end(), html.substr(usize(begin), usize(end - begin)));
      const char behind = char_at(html, end);
      if (type == kFast.end() || end == isize(html) ||
          std::string_view("\"/ >").find(behind) == std::string_view::npos)
        continue;
      out.value(type - kFast.begin(), confidence(count++));
    }
    return std::nullopt;
  }
};

}  // namespace

std::vector<TaggerDef> licence_taggers() {
  TaggerDef links;
  links.name = "cc_re";
  links.unit = "match";
  links.summary = "licences of Creative Commons in links and meta elements of the page";
  links.source = "Dolma; dkpro-c4corpus";
  links.types = {{"licences", "how many there are; each is cc_TYPE[_VERSION][_LANGUAGE] besides"}};
  links.fields = {std::string(kHtml)};
  links.make = [](const TagSettings& settings) { return std::make_unique<Links>(settings.dolma); };
  links.open_types = true;
  TaggerDef fast;
  fast.name = "cc_re_fast";
  fast.unit = "match";
  fast.summary = "addresses of licences of Creative Commons in the page";
  fast.source = links.source;
  for (const std::string_view type : kFast)
    fast.types.push_back({cat("cc_", type), "the address of this licence, 1 for the first of all"});
  fast.fields = links.fields;
  fast.make = [](const TagSettings&) { return std::make_unique<FastLinks>(); };
  return {links, fast};
}

}  // namespace lm::tag
