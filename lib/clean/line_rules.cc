// Lines by simple rules, as datamap-rs has them for OLMo 3: shouted lines, counters, short lines;
// and the document if too much of it went. Lines are those between newlines.

#include <algorithm>
#include <array>

#include "clean/cleaner.h"
#include "clean/lines.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/word_break.h"

namespace lm::clean {

CleanerDef ratio_lines_cleaner();
CleanerDef counter_lines_cleaner();
CleanerDef line_len_cleaner();
CleanerDef word_removal_cleaner();

namespace {

/// Property Uppercase: Lu and the letters in Roman numbers, circles and squares.
bool is_upper(char32_t cp) {
  if (cp < 0x80) return cp >= 'A' && cp <= 'Z';
  if (text::general_category(cp) == text::Category::kLu) return true;
  const auto in = [cp](char32_t first, char32_t last) { return cp >= first && cp <= last; };
  return in(0x2160, 0x216F) || in(0x24B6, 0x24CF) || in(0x1F130, 0x1F149) || in(0x1F150, 0x1F169) ||
         in(0x1F170, 0x1F189);
}

class RatioLines : public Cleaner {
 public:
  enum Type : i64 { kUpper, kDigits };

  explicit RatioLines(const OptionValues& options)
      : upper_(options.number(0)), digits_(options.number(1)) {}

  void clean(tag::Document& document, std::string_view, Findings& out) override {
    const std::span<const tag::Range> lines = document.lines_n();
    LineDropper dropper(lines, out);
    for (i64 i = 0; i < isize(lines); ++i) {
      i64 upper = 0;
      i64 digits = 0;
      i64 chars = 0;
      const std::string_view line = document.slice(lines[usize(i)]);
      for (const char *p = line.data(), *const end = p + line.size(); p < end; ++chars) {
        const char32_t cp = text::next_valid(p);
        upper += is_upper(cp);
        digits += cp >= '0' && cp <= '9';
      }
      const f64 all = static_cast<f64>(std::max<i64>(chars, 1));
      if (static_cast<f64>(upper) / all > upper_) {
        dropper.drop(i, kUpper);
      } else if (static_cast<f64>(digits) / all > digits_) {
        dropper.drop(i, kDigits);
      }
    }
    dropper.finish();
  }

 private:
  f64 upper_;
  f64 digits_;
};

constexpr std::array<std::string_view, 12> kCounted = {
    "likes",     "shares",  "comments",  "retweets",  "reposts", "quotes",
    "bookmarks", "upvotes", "downvotes", "downloads", "views",   "followers"};

/// What is no letter, digit, mark or joint, from p on.
const char* skip_marks(const char* p, const char* end) {
  while (p < end) {
    const char* behind = p;
    if (text::is_word(text::next_valid(behind))) break;
    p = behind;
  }
  return p;
}

/// A number, perhaps in thousands, millions or billions, and what is counted; whole: and nothing
/// else but marks. lower: the line in lower case.
bool is_counter(std::string_view lower, bool whole) {
  const char* const end = lower.data() + lower.size();
  const char* p = skip_marks(lower.data(), end);
  i64 digits = 0;
  while (p < end) {
    const char* behind = p;
    const char32_t cp = text::next_valid(behind);
    if (!text::is_decimal_digit(cp) && (digits == 0 || (cp != ',' && cp != '.'))) break;
    ++digits;
    p = behind;
  }
  if (digits == 0 || p == end) return false;
  if (*p == 'k' || *p == 'm' || *p == 'b') ++p;
  i64 blanks = 0;
  while (p < end) {
    const char* behind = p;
    if (!text::is_white_space(text::next_valid(behind))) break;
    p = behind;
    ++blanks;
  }
  if (blanks == 0) return false;
  const std::string_view rest(p, static_cast<std::size_t>(end - p));
  for (const std::string_view word : kCounted) {
    if (!rest.starts_with(word)) continue;
    return !whole || skip_marks(p + word.size(), end) == end;
  }
  return false;
}

class CounterLines : public Cleaner {
 public:
  explicit CounterLines(const OptionValues& options) : whole_(options.on(0)) {}

  void clean(tag::Document& document, std::string_view, Findings& out) override {
    const std::span<const tag::Range> lines = document.lines_n();
    LineDropper dropper(lines, out);
    for (i64 i = 0; i < isize(lines); ++i)
      if (is_counter(text::to_lower(document.slice(lines[usize(i)])), whole_)) dropper.drop(i, 0);
    dropper.finish();
    if (out.lines_removed == out.lines) out.drop = 0;
  }

 private:
  bool whole_;
};

class LineLen : public Cleaner {
 public:
  explicit LineLen(const OptionValues& options) : words_(options.count(0)) {}

  void clean(tag::Document& document, std::string_view, Findings& out) override {
    const std::span<const tag::Range> lines = document.lines_n();
    LineDropper dropper(lines, out);
    i64 left = 0;  // bytes
    for (i64 i = 0; i < isize(lines); ++i) {
      const std::string_view line = document.slice(lines[usize(i)]);
      if (line.empty() || text::count_words_u29(line) >= words_) {
        left += isize(line);
      } else {
        dropper.drop(i, 0);
      }
    }
    dropper.finish();
    if (left == 0) out.drop = 0;
  }

 private:
  i64 words_;
};

class WordRemoval : public Cleaner {
 public:
  explicit WordRemoval(const OptionValues& options) : share_(options.number(0)) {}

  void clean(tag::Document& document, std::string_view original, Findings& out) override {
    // Most texts are whole still.
    if (document.text() == original) return;
    const i64 before = text::count_words_u29(original);
    const i64 gone = before - text::count_words_u29(document.text());
    if (static_cast<f64>(gone) > share_ * static_cast<f64>(before)) out.drop = 0;
  }

 private:
  f64 share_;
};

const char* const kSource = "OLMo 3; datamap-rs";

}  // namespace

CleanerDef ratio_lines_cleaner() {
  return {"ratio-lines",
          "lines of capitals or digits go",
          kSource,
          {{"upper", "a line with too large a share of upper-case letters"},
           {"digits", "a line with too large a share of digits"}},
          {},
          {{"upper", OptionKind::kShare, "0.5", "share of upper-case letters, at most"},
           {"digits", OptionKind::kShare, "0.999999", "share of the digits 0 to 9, at most"}},
          [](const OptionValues& options) { return std::make_unique<RatioLines>(options); }};
}

CleanerDef counter_lines_cleaner() {
  return {
      "counter-lines",
      "lines that count likes, views and the like go",
      kSource,
      {{"counter", "a line like \"12.3K views\""}},
      {{"empty", "no line is left"}},
      {{"whole", OptionKind::kSwitch, "yes", "the line says nothing else; no: it begins that way"}},
      [](const OptionValues& options) { return std::make_unique<CounterLines>(options); }};
}

CleanerDef line_len_cleaner() {
  return {"line-len",
          "lines of few words go, empty ones stay",
          kSource,
          {{"short", "a line of fewer words than words, but not of no character"}},
          {{"empty", "nothing is left but newlines"}},
          {{"words", OptionKind::kCount, "2", "words of a line, at least"}},
          [](const OptionValues& options) { return std::make_unique<LineLen>(options); }};
}

CleanerDef word_removal_cleaner() {
  return {"word-removal",
          "documents that lost many words to the cleaners before are dropped",
          kSource,
          {},
          {{"share", "too many words are gone"}},
          {{"share", OptionKind::kShare, "0.05", "share of the words that may be gone"}},
          [](const OptionValues& options) { return std::make_unique<WordRemoval>(options); }};
}

}  // namespace lm::clean
