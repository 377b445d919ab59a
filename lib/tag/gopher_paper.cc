// Gopher's filters with the thresholds of the paper (Rae et al. 2021, A1.1 and table A1) and the
// counting of datatrove: only second and later copies count as duplicates, n-grams are looked for
// without overlap, and fractions are of the text's length. Words are those between white space.

#include <algorithm>
#include <array>

#include "core/str.h"
#include "tag/fineweb.h"
#include "tag/grams.h"
#include "tag/rules.h"
#include "text/normalize.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> gopher_paper_taggers();

namespace {

constexpr std::array<Rule, 21> kRules = {{
    {"word_count", "words that are not all punctuation", 50, 100000},
    {"mean_word_length", "mean code points of such words", 3, 10},
    {"hash_to_word_ratio", "# over words", -kAny, 0.1},
    {"ellipsis_to_word_ratio", "... and U+2026 over words", -kAny, 0.1},
    {"fraction_of_lines_starting_with_bullet_point",
     "share of lines that begin with U+2022 or - behind white space", -kAny, 0.9},
    {"fraction_of_lines_ending_with_ellipsis",
     "share of lines that end in ... or U+2026 before white space", -kAny, 0.3},
    {"fraction_of_words_with_alpha_character", "share of words with a letter", 0.8, kAny},
    {"stop_word_count", "how many of the, be, to, of, and, that, have, with occur", 2, kAny},
    {"fraction_of_duplicate_paragraphs", "share of paragraphs that stood before", -kAny, 0.3},
    {"fraction_of_characters_in_duplicate_paragraphs", "share of characters in them", -kAny, 0.2},
    {"fraction_of_duplicate_lines", "share of lines that stood before", -kAny, 0.3},
    {"fraction_of_characters_in_duplicate_lines", "share of characters in them", -kAny, 0.2},
    {"fraction_of_characters_in_most_common_2grams",
     "characters of all copies of the most frequent 2-gram over those of the text, above 1 where "
     "copies overlap",
     -kAny, 0.2},
    {"fraction_of_characters_in_most_common_3grams", "of the most frequent 3-gram", -kAny, 0.18},
    {"fraction_of_characters_in_most_common_4grams", "of the most frequent 4-gram", -kAny, 0.16},
    {"fraction_of_characters_in_duplicate_5grams",
     "share of characters in 5-grams that stood before", -kAny, 0.15},
    {"fraction_of_characters_in_duplicate_6grams", "in 6-grams that stood before", -kAny, 0.14},
    {"fraction_of_characters_in_duplicate_7grams", "in 7-grams that stood before", -kAny, 0.13},
    {"fraction_of_characters_in_duplicate_8grams", "in 8-grams that stood before", -kAny, 0.12},
    {"fraction_of_characters_in_duplicate_9grams", "in 9-grams that stood before", -kAny, 0.11},
    {"fraction_of_characters_in_duplicate_10grams", "in 10-grams that stood before", -kAny, 0.1},
}};
constexpr std::string_view kBullet = "\xE2\x80\xA2";  // U+2022

/// Whether a word has a letter, and whether it has anything but punctuation, by datatrove's list.
struct Look {
  bool alpha = false;
  bool ink = false;
};

Look look_at(std::string_view word) {
  Look look;
  const char* p = word.data();
  const char* const end = p + word.size();
  while (p < end && !look.alpha) {
    const char32_t cp = text::next_valid(p);
    look.alpha = text::is_alpha(cp);
    look.ink = look.ink || !(text::is_web_mark(cp) || is_terminal_mark(cp));
  }
  look.ink = look.ink || look.alpha;
  return look;
}

class GopherPaper : public Tagger {
 public:
  std::optional<Fault> tag(Document& document, Emitter& out) override {
    RuleWriter rules(kRules, out);
    words(document, rules);
    lines(document, rules);
    letters(document, rules);
    copies(document, rules);
    rules.finish();
    return std::nullopt;
  }

 private:
  void words(Document& document, RuleWriter& out) {
    const std::span<const Word> all = document.words();
    const std::span<const u32> ids = document.word_ids();
    const WordTable& table = document.word_table();
    looks_.clear();
    stop_words_ = 0;
    for (u32 id = 0; id < table.size(); ++id) {
      const std::string_view word = table.text(id);
      looks_.push_back(look_at(word));
      stop_words_ += std::find(kStopWords.begin(), kStopWords.end(), word) != kStopWords.end();
    }
    i64 inked = 0;
    i64 chars = 0;
    alpha_ = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Look look = looks_[ids[i]];
      alpha_ += look.alpha;
      inked += look.ink;
      chars += look.ink ? i64{all[i].chars} : 0;
    }
    const i64 count = isize(all);
    out.put(static_cast<f64>(inked));
    out.put(share(chars, inked));
    out.put(share(count_byte(document.text(), '#'), count));
    out.put(share(count_of(document.text(), "...") + count_of(document.text(), kEllipsis), count));
  }

  void lines(Document& document, RuleWriter& out) {
    i64 bullets = 0;
    i64 ellipses = 0;
    for (const Range range : document.lines_py()) {
      const std::string_view line = text::strip(document.slice(range));
      bullets += line.starts_with(kBullet) || line.starts_with('-');
      ellipses += line.ends_with("...") || line.ends_with(kEllipsis);
    }
    out.put(share(bullets, isize(document.lines_py())));
    out.put(share(ellipses, isize(document.lines_py())));
  }

  void letters(Document& document, RuleWriter& out) {
    out.put(share(alpha_, isize(document.words())));
    out.put(static_cast<f64>(stop_words_));
  }

  void copies(Document& document, RuleWriter& out) {
    find_paragraphs(document);
    for (const std::span<const Range> parts :
         {std::span<const Range>(paragraphs_), document.lines_nplus()}) {
      const Copies copies = count_copies(document, parts, table_);
      out.put(share(copies.parts, isize(parts)));
      out.put(share(copies.chars, document.chars()));
    }
    for (int n = 2; n <= kMaxGram; ++n) {
      const GramLevel& level = document.grams().level(n);
      // The most frequent n-gram has blanks between its words.
      const i64 chars = n > 4 ? level.again_chars : level.top_count * (level.top_chars + n - 1);
      out.put(level.positions == 0 ? 0 : share(chars, document.chars()));
    }
  }

  /// The stripped text, cut at two newlines or more.
  void find_paragraphs(const Document& document) {
    paragraphs_.clear();
    const std::string_view text = text::strip(document.text());
    const i64 offset = text.data() - document.text().data();
    std::size_t begin = 0;
    for (std::size_t lf = text.find("\n\n"); lf != std::string_view::npos;
         lf = text.find("\n\n", begin)) {
      paragraphs_.push_back({offset + static_cast<i64>(begin), offset + static_cast<i64>(lf)});
      begin = text.find_first_not_of('\n', lf);
    }
    paragraphs_.push_back({offset + static_cast<i64>(begin), offset + isize(text)});
  }

  i64 alpha_ = 0;
  i64 stop_words_ = 0;
  std::vector<Look> looks_;
  std::vector<Range> paragraphs_;
  WordTable table_;
};

}  // namespace

std::vector<TaggerDef> gopher_paper_taggers() {
  return {{"gopher_paper",
           "document",
           "the measures of Gopher's filters, and how many fail",
           "Rae et al. 2021, A1.1; datatrove",
           rule_types(kRules),
           {},
           [](const TagSettings&) { return std::make_unique<GopherPaper>(); }}};
}

}  // namespace lm::tag
