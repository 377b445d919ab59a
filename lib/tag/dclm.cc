// The document filters of DCLM-Baseline (Li et al. 2024), which are its reading of RefinedWeb's:
// the measures of mlfoundations/dclm, baselines/mappers/filters, with the limits of its
// configuration dclm_baseline_refinedweb. Language, URL lists and the removal of URLs are not among
// them.

#include <algorithm>
#include <array>

#include "core/str.h"
#include "tag/rules.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/word_break.h"

namespace lm::tag {

std::vector<TaggerDef> dclm_taggers();

namespace {

constexpr std::array<Rule, 20> kRules = {{
    {"word_count", "words that begin with a letter or a number", 50, 100000},
    {"mean_word_length", "mean code points of words between white space", 3, 10},
    {"symbol_to_word_ratio", "#, ..., . . . and U+2026 over words", -kAny, 0.1},
    {"fraction_of_lines_starting_with_bullet_point",
     "share of lines that begin with U+25CF, U+2022, * or -", -kAny, 0.9},
    {"fraction_of_lines_ending_with_ellipsis", "share of lines that end in ..., . . . or U+2026",
     -kAny, 0.3},
    {"fraction_of_words_with_alpha_character", "share of words with a letter", 0.8, kAny},
    {"stop_word_count", "occurrences of the, be, to, of, and, that, have, with in any case", 2,
     kAny},
    {"fraction_of_duplicate_lines", "share of lines that occur more than once", -kAny, 0.3},
    {"fraction_of_duplicate_paragraphs", "share of paragraphs that occur more than once", -kAny,
     0.3},
    {"fraction_of_characters_in_duplicate_lines", "share of the lines' characters in such lines",
     -kAny, 0.2},
    {"fraction_of_characters_in_duplicate_paragraphs",
     "share of the paragraphs' characters in such paragraphs", -kAny, 0.2},
    {"fraction_of_characters_in_most_common_2grams",
     "characters of all copies of the most frequent 2-gram that repeats over those of words, above "
     "1 "
     "where copies overlap",
     -kAny, 0.2},
    {"fraction_of_characters_in_most_common_3grams", "of the most frequent 3-gram", -kAny, 0.18},
    {"fraction_of_characters_in_most_common_4grams", "of the most frequent 4-gram", -kAny, 0.16},
    {"fraction_of_characters_in_duplicate_5grams",
     "share of word characters in 5-grams that occur more than once", -kAny, 0.15},
    {"fraction_of_characters_in_duplicate_6grams", "in such 6-grams", -kAny, 0.14},
    {"fraction_of_characters_in_duplicate_7grams", "in such 7-grams", -kAny, 0.13},
    {"fraction_of_characters_in_duplicate_8grams", "in such 8-grams", -kAny, 0.12},
    {"fraction_of_characters_in_duplicate_9grams", "in such 9-grams", -kAny, 0.11},
    {"fraction_of_characters_in_duplicate_10grams", "in such 10-grams", -kAny, 0.1},
}};

char32_t first_of(std::string_view word) {
  const char* p = word.data();
  return text::next_valid(p);
}

bool has_alpha(std::string_view word) {
  const char* p = word.data();
  const char* const end = p + word.size();
  while (p < end)
    if (text::is_alpha(text::next_valid(p))) return true;
  return false;
}

class Dclm : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    RuleWriter rules(kRules, out);
    // Lines and paragraphs are stripped, blank ones are none.
    cut(document, "\n", lines_);
    cut(document, "\n\n", paragraphs_);
    const i64 words = isize(document.words());
    put_words(document, rules);
    i64 bullets = 0;
    i64 ellipses = 0;
    for (const Range range : lines_) {
      const std::string_view line = document.slice(range);
      bullets += line.starts_with("\xE2\x97\x8F") || line.starts_with("\xE2\x80\xA2") ||
                 line.starts_with('*') || line.starts_with('-');
      ellipses += line.ends_with("...") || line.ends_with(". . .") || line.ends_with(kEllipsis);
    }
    rules.put(share(bullets, isize(lines_)));
    rules.put(share(ellipses, isize(lines_)));
    rules.put(share(alpha_, words));
    rules.put(static_cast<f64>(stop_words_));
    const Repeated lines = repeated(document, lines_);
    const Repeated paragraphs = repeated(document, paragraphs_);
    rules.put(lines.parts);
    rules.put(paragraphs.parts);
    rules.put(lines.chars);
    rules.put(paragraphs.chars);
    put_grams(document, rules);
    rules.finish();
    return std::nullopt;
  }

 private:
  /// Shares of parts that occur more than once and of the characters in them.
  struct Repeated {
    f64 parts = 0;
    f64 chars = 0;
  };

  static void cut(const Document& document, std::string_view end, std::vector<Range>& out) {
    out.clear();
    const std::string_view text = document.text();
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t found = std::min(text.find(end, begin), text.size());
      const std::string_view part = text::strip(text.substr(begin, found - begin));
      const i64 at = part.data() - text.data();
      if (!part.empty()) out.push_back({at, at + isize(part)});
      begin = found + end.size();
    }
  }

  void put_words(Document& document, RuleWriter& rules) {
    const std::span<const u32> ids = document.word_ids();
    const WordTable& table = document.word_table();
    alpha_ = stop_words_ = 0;
    for (u32 id = 0; id < table.size(); ++id) {
      const std::string_view word = table.text(id);
      const i64 times = table.count(id);
      if (has_alpha(word)) alpha_ += times;
      if (word.size() <= 4 &&
          std::find(kStopWords.begin(), kStopWords.end(), ascii_lower(word)) != kStopWords.end())
        stop_words_ += times;
    }
    const std::string_view text = document.text();
    const i64 symbols = count_byte(text, '#') + count_of(text, "...") + count_of(text, ". . .") +
                        count_of(text, kEllipsis);
    rules.put(static_cast<f64>(count_dclm_words(text)));
    rules.put(share(document.word_chars(), isize(ids)));
    rules.put(share(symbols, isize(ids)));
  }

  Repeated repeated(Document& document, std::span<const Range> parts) {
    if (parts.size() < 2) return {};
    table_.reset(isize(parts));
    ids_.clear();
    for (const Range part : parts)
      ids_.push_back(table_.add(document.slice(part)));
    i64 number = 0;
    i64 chars = 0;
    i64 all = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const i64 size = document.chars_of(parts[i]);
      const bool more = table_.count(ids_[i]) > 1;
      number += more;
      chars += more ? size : 0;
      all += size;
    }
    return {share(number, isize(parts)), share(chars, all)};
  }

  /// Of Unicode's words that begin with a letter or a number.
  void put_grams(Document& document, RuleWriter& rules) {
    words_.clear();
    ids_.clear();
    table_.reset(isize(document.words()));
    if (document.is_long()) document.forget();  // words of two kinds at once are not needed
    i64 chars = 0;
    std::string_view word;
    for (text::WordSegments all(document.text()); all.next(word);) {
      if (!text::is_alnum(first_of(word))) continue;
      const i64 size = text::count_code_points(word);
      words_.push_back({static_cast<u32>(word.data() - document.text().data()),
                        static_cast<u32>(word.size()), static_cast<u32>(size)});
      ids_.push_back(table_.add(word));
      chars += size;
    }
    grams_.count(words_, ids_, table_.counts());
    for (int n = 2; n <= kMaxGram; ++n) {
      const GramLevel& level = grams_.level(n);
      const i64 top = level.top_count > 1 ? level.top_count * level.longest_top_chars : 0;
      rules.put(level.positions == 0 ? 0 : share(n <= 4 ? top : level.covered_chars, chars));
    }
  }

  i64 alpha_ = 0;
  i64 stop_words_ = 0;
  std::vector<Range> lines_;
  std::vector<Range> paragraphs_;
  std::vector<Word> words_;
  std::vector<u32> ids_;
  WordTable table_;
  GramCounter grams_;
};

}  // namespace

std::vector<TaggerDef> dclm_taggers() {
  return {{"dclm",
           "document",
           "the measures of DCLM-Baseline's document filters, and how many fail",
           "Li et al. 2024; mlfoundations/dclm",
           rule_types(kRules),
           {},
           [](const TagSettings&) { return std::make_unique<Dclm>(); }}};
}

}  // namespace lm::tag
