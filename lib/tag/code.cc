// Measures of program text: RedPajama's and StarCoder's, licence headers, and NeMo Curator's
// filters.

#include <algorithm>
#include <array>

#include "core/str.h"
#include "ingest/soup.h"
#include "tag/code_comments.h"
#include "tag/rules.h"
#include "tag/tagger.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> code_taggers();

namespace {

constexpr std::string_view kExtension = "metadata.ext";
constexpr std::string_view kStars = "metadata.max_stars_count";
constexpr i64 kLeastText = 100;  // characters of a page with text to speak of

bool holds_nocase(std::string_view text, std::string_view lower) {
  for (std::size_t at = 0; at + lower.size() <= text.size(); ++at) {
    if (starts_with_nocase(text.substr(at), lower)) return true;
  }
  return false;
}

class Copyright : public Tagger {
 public:
  enum Type : i64 { kNotice, kBlock, kDoc };
  explicit Copyright(bool dolma) : dolma_(dolma) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::string_view text = document.text();
    std::optional<Range> found;  // in code points
    const std::size_t open = text.find("/*");
    const std::size_t close = open == std::string_view::npos ? open : text.find("*/", open + 2);
    if (close != std::string_view::npos) {
      const Range comment{static_cast<i64>(open), static_cast<i64>(close) + 2};
      if (holds_nocase(document.slice(comment), "copyright")) {
        out.span(kNotice, comment.begin, comment.end);
        found = {document.chars_before(comment.begin), document.chars_before(comment.end)};
      }
    } else if (const std::optional<i64> end = comment_lines(document)) {
      found = {0, *end};
      out.span_at(kBlock, 0, *end);
    }
    out.value(kDoc, share_of(found, document.chars()));
    return std::nullopt;
  }

 private:
  /// Code points of the lines at the start that are comments or empty; nullopt if there are none.
  std::optional<i64> comment_lines(Document& document) const {
    i64 lines = 0;
    i64 chars = 0;
    i64 end = 0;
    for (const Range range : document.lines_n()) {
      const std::string_view line = document.slice(range);
      if (!line.empty() && !line.starts_with("//") && line[0] != '#' && !line.starts_with("--"))
        break;
      ++lines;
      // Its newlines are not in the reference's sum but where the line is empty (D-08).
      chars += line.empty() ? 1 : document.chars_of(range);
      end = std::min(range.end + 1, isize(document.text()));
    }
    if (lines == 0 || (document.text().empty() && !dolma_)) return std::nullopt;
    return dolma_ ? chars : document.chars_before(end);
  }

  f64 share_of(const std::optional<Range>& found, i64 chars) const {
    if (!found) return chars == 0 && !dolma_ ? -1 : 0;
    if (chars == 0) return -1;
    return static_cast<f64>(found->size() + dolma_) / static_cast<f64>(chars);
  }

  bool dolma_;
};

/// Letters, letters and numbers, and pieces of a text: \w+ or what is neither \w nor white space.
struct Letters {
  i64 alpha = 0;
  i64 alnum = 0;
  i64 pieces = 0;
};

Letters count_letters(std::string_view text) {
  enum : u8 { kSpace, kWord, kOther };
  struct Look {
    u8 kind;
    bool alpha;
    bool alnum;
  };
  static const std::array<Look, 128> kAscii = [] {
    std::array<Look, 128> out{};
    for (char32_t cp = 0; cp < 128; ++cp)
      out[cp] = {text::is_white_space(cp) ? kSpace
                 : text::is_word(cp)      ? kWord
                                          : kOther,
                 text::is_alpha(cp), text::is_alnum(cp)};
    return out;
  }();
  Letters out;
  u8 before = kSpace;
  for (const char *p = text.data(), *const end = p + text.size(); p < end;) {
    const char32_t cp = text::next_valid(p);
    const Look look = cp < 128 ? kAscii[cp]
                               : Look{text::is_white_space(cp) ? kSpace
                                      : text::is_word(cp)      ? kWord
                                                               : kOther,
                                      text::is_alpha(cp), text::is_alnum(cp)};
    out.alpha += look.alpha;
    out.alnum += look.alnum;
    out.pieces += look.kind != before && look.kind != kSpace;
    before = look.kind;
  }
  return out;
}

class RedPajama : public Tagger {
 public:
  enum Type : i64 { kMaxLine, kMeanLine, kAlnum, kAlpha };

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    i64 longest = 0;
    i64 sum = 0;
    for (const Range line : document.lines_py()) {
      const i64 chars = document.chars_of(line);
      longest = std::max(longest, chars);
      sum += chars;
    }
    const Letters letters = count_letters(document.text());
    out.value(kMaxLine, static_cast<f64>(longest));
    out.value(kMeanLine, share(sum, isize(document.lines_py())));
    out.value(kAlnum, share(letters.alnum, document.chars()));
    // Splitting at the pieces gives one part more than there are pieces.
    out.value(kAlpha, share(letters.alpha, letters.pieces + 1));
    return std::nullopt;
  }
};

class StarCoder : public Tagger {
 public:
  enum Type : i64 { kXml, kStarCount, kComments, kHtml };
  StarCoder(bool dolma, bool all) : dolma_(dolma), all_(all) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::string_view text = document.text();
    const i64 head = document.byte_of(std::min<i64>(document.chars(), 100));
    const bool xml = text.substr(0, usize(head)).find("<?xml version=") != std::string_view::npos;
    const std::optional<std::string>& stars = document.field(kStars);
    const std::optional<f64> count = stars ? parse_float(*stars) : std::nullopt;
    const std::optional<std::string>& extension = document.field(kExtension);
    const CodeLanguage* const language = extension ? language_of(*extension) : nullptr;
    f64 comments = comment_share(document, language, extension ? *extension : "");
    f64 html = language == nullptr && all_ ? -1 : 1;
    // One value fails with the other in the first version.
    if (all_ && comments < 0) {
      html = -1;
    } else if (extension && is_html(*extension)) {
      html = visible_share(document);
      if (all_ && html < 0) comments = -1;
    }
    out.value(kXml, xml);
    out.value(kStarCount, count.value_or(0));
    out.value(kComments, comments);
    out.value(kHtml, html);
    return std::nullopt;
  }

 private:
  f64 comment_share(Document& document, const CodeLanguage* language,
                    std::string_view extension) const {
    if (!all_ && !is_common_language(extension)) return 0.5;
    const bool fails = language == nullptr || (dolma_ && language->reference == Reference::kFails);
    if (all_ && (fails || document.chars() == 0)) return -1;
    return share(comment_chars(document.text(), *language, dolma_), document.chars());
  }

  static f64 visible_share(Document& document) {
    if (document.chars() == 0) return -1;
    const std::optional<i64> chars = ingest::count_soup_text(document.text());
    if (!chars) return -1;
    return *chars > kLeastText ? share(*chars, document.chars()) : 0;
  }

  bool dolma_;
  bool all_;  // languages; else the three of the second version
};

constexpr std::array<Rule, 6> kNemoRules = {{
    {"num_lines", "newlines and one", 10, 20000},
    {"comment_to_code_ratio",
     "share of characters in comments and their marks; without a known language in limits", 0.01,
     0.85},
    {"alpha_ratio", "share of letters of any script", 0.25, kAny},
    {"xml_header", "1 where <?xml version= stands in the first 100 characters", -kAny, 0},
    {"max_line_length", "characters of the longest line", -kAny, 1000},
    {"html_text_ratio", "share of visible text of a page, 0 for less than 100 characters, else 1",
     0.2, kAny},
}};

class NemoCode : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    const std::string_view text = document.text();
    const std::optional<std::string>& extension = document.field(kExtension);
    const CodeLanguage* const language = extension ? language_of(*extension) : nullptr;
    i64 letters = 0;
    for (const char *p = text.data(), *const end = p + text.size(); p < end;)
      letters += text::is_alphabetic(text::next_valid(p));
    i64 longest = 0;
    for (const Range line : document.lines_n())
      longest = std::max(longest, document.chars_of(line));
    const i64 head = document.byte_of(std::min<i64>(document.chars(), 100));
    RuleWriter rules(kNemoRules, out);
    rules.put(static_cast<f64>(isize(document.lines_n())));
    rules.put(language == nullptr ? 0.5
                                  : share(comment_chars(text, *language, false), document.chars()));
    rules.put(share(letters, document.chars()));
    rules.put(text.substr(0, usize(head)).find("<?xml version=") != std::string_view::npos);
    rules.put(static_cast<f64>(longest));
    rules.put(extension && is_html(*extension) ? visible_share(document) : 1);
    rules.finish();
    return std::nullopt;
  }

 private:
  static f64 visible_share(Document& document) {
    const i64 chars = ingest::count_soup_text(document.text()).value_or(0);
    return chars < kLeastText ? 0 : share(chars, document.chars());
  }
};

TaggerDef starcoder(const char* name, bool all) {
  TaggerDef def;
  def.name = name;
  def.unit = "document";
  def.summary = all ? "StarCoder's measures; comments of every language by its extension"
                    : "StarCoder's measures; comments of Python, Java and JavaScript";
  def.source = "Dolma; Li et al. 2023";
  def.types = {
      {"has_xml_template_doc", "1 where <?xml version= stands in the first 100 characters"},
      {"num_github_stars_doc", "metadata.max_stars_count, or 0"},
      {all ? "nl_ratio_doc" : "code_to_comment_ratio_doc",
       all ? "share of characters in comments, -1 for an unknown extension"
           : "share of characters in comments, 0.5 for other languages"},
      {"code_to_text_ratio_html_doc",
       "share of visible text of an HTML page, 0 for up to 100 characters, 1 for other languages"}};
  def.fields = {std::string(kExtension), std::string(kStars)};
  def.make = [all](const TagSettings& settings) {
    return std::make_unique<StarCoder>(settings.dolma, all);
  };
  return def;
}

}  // namespace

std::vector<TaggerDef> code_taggers() {
  return {{"code_copyright_comments_v1",
           "match",
           "the licence that a program begins with",
           "Dolma; RedPajama",
           {{"copyright_notice", "the first /* comment */, if it speaks of copyright"},
            {"comment_block", "lines at the start that begin with //, # or --, or are empty"},
            {"doc", "share of characters in either, -1 for the empty text"}},
           {},
           [](const TagSettings& settings) { return std::make_unique<Copyright>(settings.dolma); }},
          {"code_redpajama_taggers_v1",
           "document",
           "RedPajama's measures of program text",
           "Dolma; RedPajama",
           {{"max_line_length_doc", "characters of the longest line"},
            {"avg_line_length_doc", "mean characters of a line"},
            {"alnum_prop_doc", "share of letters and numbers"},
            {"alpha_token_prop_doc", "letters over one more than the words and runs of marks"}},
           {},
           [](const TagSettings&) { return std::make_unique<RedPajama>(); }},
          starcoder("code_starcoder_taggers_v1", true),
          starcoder("code_starcoder_taggers_v2", false),
          {"nemo_code",
           "document",
           "the measures of NeMo Curator's filters for code, and how many fail",
           "NeMo Curator; Li et al. 2023",
           rule_types(kNemoRules),
           {std::string(kExtension)},
           [](const TagSettings&) { return std::make_unique<NemoCode>(); }}};
}

}  // namespace lm::tag
