// RefinedWeb's line-wise corrections (Penedo et al. 2023, appendix G.2) in the reading of
// mlfoundations/dclm, baselines/mappers/modifiers: lines that are mainly capitals, only digits, a
// counter ("3 likes") or one word, and short stretches of page furniture in lines of up to ten
// words. A document that loses more than 5 % of its words so is not to be kept. RefinedWeb's
// document filters are Gopher's (gopher_paper) and, as DCLM has them, dclm.

#include <algorithm>
#include <array>

#include "core/str.h"
#include "tag/patterns.h"
#include "tag/rules.h"
#include "text/script.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> refinedweb_taggers();

namespace {

constexpr i64 kShortLine = 10;  // words of a line that is searched for page furniture

constexpr std::array<Rule, 1> kRules = {{
    {"fraction_of_words_removed", "share of words in what these types cover", -kAny, 0.05},
}};

enum Type : i64 { kMainlyUpper = kRules.size() + 1, kOnlyDigits, kCounter, kOneWord, kFurniture };

struct Pattern {
  const char* text;
  text::Regex regex;
  explicit Pattern(const char* pattern)
      : text(pattern), regex(pattern, text::RegexDialect::kRust) {}
};

struct Patterns {
  Pattern counter{
      R"((?i)^\W*\d[,.\d]*[kmb]?\s+(?:likes|shares|comments|retweets|reposts|quotes|bookmarks)"
      R"(|upvotes|downvotes|downloads|views|followers)\W*$)"};
  // In the order of their places in a line.
  std::array<Pattern, 3> furniture{Pattern{R"((?i)^sign-in\s?)"},
                                   Pattern{R"((?i)\s?items in cart)"},
                                   Pattern{R"((?i)\s?read more(?:\.\.\.|\x{2026})$)"}};
};

class RefinedWeb : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    removed_ = 0;
    for (const Range paragraph : document.paragraphs()) {
      std::string_view line = document.slice(paragraph);
      if (line.ends_with('\n')) line.remove_suffix(1);
      if (text::is_blank(line)) continue;
      Result<i64> type = judge(line);
      if (!type) return type.fault();
      if (*type != 0) {
        out.span(*type, paragraph.begin, paragraph.end);
        removed_ += count_dclm_words(line);
      } else if (text::count_words_ws(line) <= kShortLine) {
        if (std::optional<Fault> fault = strip_furniture(line, paragraph.begin, out)) return fault;
      }
    }
    RuleWriter rules(kRules, out);
    rules.put(share(removed_, count_dclm_words(document.text())));
    rules.finish();
    return std::nullopt;
  }

 private:
  /// The first type that a line is of, 0 if none.
  Result<i64> judge(std::string_view line) {
    i64 chars = 0;
    i64 upper = 0;
    i64 digits = 0;
    const char* p = line.data();
    const char* const end = p + line.size();
    while (p < end) {
      const char32_t cp = text::next_valid(p);
      ++chars;
      upper += text::is_uppercase(cp);
      digits += text::is_decimal_digit(cp);
    }
    if (2 * upper > chars) return i64{kMainlyUpper};
    if (digits == chars) return i64{kOnlyDigits};
    if (digits > 0) {
      matches_.clear();
      const std::optional<std::string> why =
          patterns_.counter.regex.try_find(line, 1, work_, matches_);
      if (why) return pattern_fault(patterns_.counter.text, *why);
      if (!matches_.empty()) return i64{kCounter};
    }
    return text::count_words_ws(line) < 2 ? i64{kOneWord} : i64{0};
  }

  std::optional<Fault> strip_furniture(std::string_view line, i64 offset, Emitter& out) {
    matches_.clear();
    for (const Pattern& pattern : patterns_.furniture) {
      const std::optional<std::string> why =
          pattern.regex.try_find(line, isize(line), work_, matches_);
      if (why) return pattern_fault(pattern.text, *why);
    }
    if (matches_.empty()) return std::nullopt;
    rest_.clear();
    i64 at = 0;
    for (const text::Span match : matches_) {
      const i64 begin = std::max(match.begin, at);  // a blank may be claimed twice
      if (begin >= match.end) continue;
      out.span(kFurniture, offset + begin, offset + match.end);
      rest_.append(line.substr(usize(at), usize(begin - at)));
      at = match.end;
    }
    rest_.append(line.substr(usize(at)));
    removed_ += std::max<i64>(count_dclm_words(line) - count_dclm_words(rest_), 0);
    return std::nullopt;
  }

  Patterns patterns_;
  text::RegexWork work_;
  std::vector<text::Span> matches_;
  std::string rest_;
  i64 removed_ = 0;
};

}  // namespace

std::vector<TaggerDef> refinedweb_taggers() {
  std::vector<TagType> types = rule_types(kRules);
  types.push_back({"line_mainly_uppercase", "a line more than half of capitals"});
  types.push_back({"line_only_digits", "a line of digits alone"});
  types.push_back({"line_counter", "a line that counts likes, views and the like"});
  types.push_back({"line_one_word", "a line of one word"});
  types.push_back({"page_furniture", "sign-in, items in cart or read more... in a short line"});
  return {{"refinedweb",
           "line",
           "what RefinedWeb's line-wise corrections remove, and how much it is",
           "Penedo et al. 2023, G.2; mlfoundations/dclm",
           std::move(types),
           {},
           [](const TagSettings&) { return std::make_unique<RefinedWeb>(); }}};
}

}  // namespace lm::tag
