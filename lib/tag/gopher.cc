// Gopher's quality and repetition statistics: Rae et al. 2021, appendix A1.1, as Dolma computes
// them.

#include <algorithm>
#include <array>

#include "core/str.h"
#include "tag/grams.h"
#include "tag/tagger.h"
#include "text/unicode.h"
#include "text/utf8.h"

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

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";  // U+2026

/// A word of up to four bytes as a number, 0 for others.
constexpr u64 packed(std::string_view word) {
  if (word.size() > 4) return 0;
  u64 value = 1;  // so that bytes of zero count
  for (const char c : word)
    value = value << 8 | static_cast<u8>(c);
  return value;
}
constexpr std::array<u64, 8> kRequiredWords = {packed("the"),  packed("be"),  packed("to"),
                                               packed("of"),   packed("and"), packed("that"),
                                               packed("have"), packed("with")};

f64 ratio(i64 part, i64 whole) {
  return static_cast<f64>(part) / static_cast<f64>(std::max<i64>(whole, 1));
}

constexpr u32 kCounted = 64;  // lengths of words that are counted one by one, the last as "or more"

bool has_alpha(std::string_view word) {
  const char* p = word.data();
  const char* const end = p + word.size();
  while (p < end) {
    const char c = *p;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    if (static_cast<u8>(c) < 0x80) {
      ++p;
    } else if (text::is_alpha(text::next_valid(p))) {
      return true;
    }
  }
  return false;
}

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
    const i64 count = isize(document.words());
    document.word_ids();
    const WordTable& table = document.word_table();
    // Few documents have such symbols: asked of the text, not of each word.
    const bool has_symbols = document.text().find('#') != std::string_view::npos ||
                             document.text().find(kEllipsis) != std::string_view::npos;
    i64 symbols = 0;
    i64 alpha = 0;
    i64 required = 0;
    for (u32 id = 0; id < table.size(); ++id) {
      const std::string_view word = table.text(id);
      const i64 times = table.count(id);
      if (has_symbols && (word.find('#') != std::string_view::npos ||
                          word.find(kEllipsis) != std::string_view::npos))
        symbols += times;
      if (has_alpha(word)) alpha += times;
      if (std::find(kRequiredWords.begin(), kRequiredWords.end(), packed(word)) !=
          kRequiredWords.end())
        required += times;
    }
    out.value(kCharacters, static_cast<f64>(document.chars()));
    out.value(kWords, static_cast<f64>(count));
    out.value(kMedian, median(document.words()));
    out.value(kSymbols, ratio(symbols, count));
    out.value(kAlpha, ratio(alpha, count));
    out.value(kRequired, static_cast<f64>(required));
    for (int n = 2; n <= kMaxGram; ++n) {
      const GramLevel& level = document.grams().level(n);
      if (level.positions == 0) break;
      if (n <= 4) {
        out.value(kTop2 + n - 2, ratio(level.top_count * level.top_chars, document.word_chars()));
      } else {
        out.value(kDuplicate5 + n - 5, ratio(level.duplicate_chars, level.all_chars));
      }
    }
  }

  f64 median(std::span<const Word> words) {
    if (words.empty()) return 0;
    // Nearly all words are short: their lengths are counted, not sorted.
    std::array<u32, kCounted> counts{};
    for (const Word& word : words)
      ++counts[std::min(word.chars, kCounted - 1)];
    const i64 half = isize(words) / 2;
    i64 below = 0;   // words of fewer than `length` code points
    u32 length = 0;  // of the middle word
    while (below + counts[length] <= half)
      below += counts[length++];
    if (length < kCounted - 1) {
      if (isize(words) % 2 != 0 || below < half) return length;
      u32 lower = length - 1;
      while (counts[lower] == 0)
        --lower;
      return (static_cast<f64>(length) + lower) / 2;
    }
    lengths_.clear();
    for (const Word& word : words)
      lengths_.push_back(word.chars);
    const std::ptrdiff_t middle = static_cast<std::ptrdiff_t>(lengths_.size() / 2);
    std::nth_element(lengths_.begin(), lengths_.begin() + middle, lengths_.end());
    const f64 upper = lengths_[static_cast<std::size_t>(middle)];
    if (lengths_.size() % 2 != 0) return upper;
    return (upper + *std::max_element(lengths_.begin(), lengths_.begin() + middle)) / 2;
  }

  void lines(Document& document, Emitter& out) {
    i64 bullets = 0;
    i64 ellipses = 0;
    i64 duplicates = 0;
    i64 duplicate_chars = 0;
    std::span<const Range> all;
    if (document.chars() > 0) all = skip_empty_lines_ ? document.lines_nplus() : document.lines_n();
    table_.reset(isize(all));
    ids_.clear();
    for (const Range range : all) {
      const std::string_view line = document.slice(range);
      bullets += line.starts_with('*') || line.starts_with('-');
      ellipses += line.ends_with(kEllipsis);
      ids_.push_back(table_.add(line));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (table_.count(ids_[i]) == 1) continue;
      ++duplicates;
      duplicate_chars += document.chars_of(all[i]);
    }
    out.value(kBullets, ratio(bullets, isize(all)));
    out.value(kEllipses, ratio(ellipses, isize(all)));
    out.value(kDuplicateLines, ratio(duplicates, isize(all)));
    out.value(kDuplicateLineChars, ratio(duplicate_chars, document.word_chars()));
  }

  bool skip_empty_lines_;
  WordTable table_;
  std::vector<u32> ids_;
  std::vector<u32> lengths_;
};

std::vector<TagType> types() {
  std::vector<TagType> all;
  for (int n = 2; n <= kMaxGram; ++n) {
    if (n <= 4) {
      all.push_back({cat("fraction_of_characters_in_most_common_", n, "grams"),
                     cat("share of word characters in copies of the most frequent ", n, "-gram")});
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
       "characters of such lines over those of all words"},
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
