// Gopher's quality and repetition statistics: Rae et al. 2021, appendix A1.1, as Dolma computes
// them.

#include "core/str.h"
#include "tag/grams.h"
#include "tag/rules.h"
#include "tag/tagger.h"

namespace lm::tag {

std::vector<TaggerDef> gopher_taggers();

namespace {

enum Type : i64 {
  kTop2,
  kTop3,
  kTop4,
  kDuplicate5,
  kDuplicate10 = kDuplicate5 + 5,
  kCharacters,
  kWords,
  kMedian,
  kSymbols,
  kAlpha,
  kRequired,
  kBullets,
  kEllipses,
  kDuplicateLines,
  kDuplicateLineChars,
};

class Gopher : public Tagger {
 public:
  explicit Gopher(bool skip_empty_lines) : skip_empty_lines_(skip_empty_lines) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    words(document, out);
    lines(document, out);
    return std::nullopt;
  }

 private:
  void words(Document& document, Emitter& out) {
    const GopherCounts& counts = document.gopher();
    const i64 words = isize(document.words());
    out.value(kCharacters, static_cast<f64>(document.chars()));
    out.value(kWords, static_cast<f64>(words));
    out.value(kMedian, counts.median_word);
    out.value(kSymbols, share(counts.symbol_words, words));
    out.value(kAlpha, share(counts.alpha_words, words));
    out.value(kRequired, static_cast<f64>(counts.stop_words));
    for (int n = 2; n <= kMaxGram; ++n) {
      const GramLevel& level = document.grams(GramSums::kFew).level(n);
      if (level.positions == 0) break;
      if (n <= 4) {
        out.value(kTop2 + n - 2, share(level.top_count * level.top_chars, document.word_chars()));
      } else {
        out.value(kDuplicate5 + n - 5, share(level.duplicate_chars, level.all_chars));
      }
    }
  }

  void lines(Document& document, Emitter& out) {
    const GopherCounts& counts = document.gopher();
    i64 lines = document.chars() > 0 ? isize(document.lines_n()) : 0;
    if (skip_empty_lines_ && lines > 0) {
      // Split at runs of newlines: at both ends there may be an empty one.
      const std::string_view text = document.text();
      lines = counts.lines + text.starts_with('\n') + text.ends_with('\n');
    }
    // Empty lines have no marks and no characters, but are copies of each other.
    const i64 empty = lines - counts.lines;
    out.value(kBullets, share(counts.bullets, lines));
    out.value(kEllipses, share(counts.ellipses, lines));
    out.value(kDuplicateLines, share(counts.copies + (empty > 1 ? empty : 0), lines));
    out.value(kDuplicateLineChars, share(counts.copied_chars, document.word_chars()));
  }

  bool skip_empty_lines_;
};

std::vector<TagType> types() {
  std::vector<TagType> all;
  for (int n = 2; n <= kMaxGram; ++n) {
    if (n <= 4) {
      all.push_back({cat("fraction_of_characters_in_most_common_", n, "grams"),
                     cat("characters of all copies of the most frequent ", n,
                         "-gram over those of words, above 1 where copies overlap")});
    } else {
      all.push_back({cat("fraction_of_characters_in_duplicate_", n, "grams"),
                     cat("share of n-gram characters in ", n, "-grams that occur again")});
    }
  }
  const std::vector<TagType> rest = {
      {"character_count", "code points of the text"},
      {"word_count", "words between white space"},
      {"median_word_length", "median code points of a word"},
      {"symbol_to_word_ratio", "share of words with # or U+2026"},
      {"fraction_of_words_with_alpha_character", "share of words with a letter"},
      {"required_word_count", "occurrences of the, be, to, of, and, that, have, with"},
      {"fraction_of_lines_starting_with_bullet_point", "share of lines that begin with * or -"},
      {"fraction_of_lines_ending_with_ellipsis", "share of lines that end in U+2026"},
      {"fraction_of_duplicate_lines", "share of lines that occur more than once"},
      {"fraction_of_characters_in_duplicate_lines",
       "characters of such lines over those of all words, above 1 where most are white space"},
  };
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

}  // namespace

std::vector<TaggerDef> gopher_taggers() {
  const std::string source = "Rae et al. 2021, A1.1; Dolma";
  return {{"gopher_v1",
           "document",
           "word, line and n-gram statistics",
           source,
           types(),
           {},
           [](const TagSettings&) { return std::make_unique<Gopher>(false); }},
          {"gopher_v2",
           "document",
           "the same; empty lines do not count",
           source,
           types(),
           {},
           [](const TagSettings&) { return std::make_unique<Gopher>(true); }}};
}

}  // namespace lm::tag
