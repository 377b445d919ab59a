// The English filters of NeMo Curator, in their order: measures of one document, each with a limit.
// "Sentences" are lines that are not blank, paragraphs what lies between two newlines.

#include <algorithm>
#include <array>

#include "clean/cleaner.h"
#include "clean/phrases.h"
#include "core/error.h"
#include "core/str.h"
#include "tag/rules.h"
#include "text/segment.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::clean {

CleanerDef nemo_cleaner();

namespace {

struct Limit {
  const char* name;
  bool least;  // the limit is the least value, else the most
  f64 value;
  const char* meaning;
};

constexpr std::array<Limit, 30> kLimits = {{
    {"non-alphanumeric", false, 0.25,
     "share of characters other than ASCII letters, digits, newline and ? ! , ."},
    {"symbols", false, 0.1, "share of words that are an ellipsis or mostly #"},
    {"digits", false, 0.15, "share of decimal digits among characters"},
    {"urls", false, 0.2, "share of characters in http addresses"},
    {"blanks", false, 0.25, "share of blanks, tabs and line ends among characters"},
    {"brackets", false, 0.1, "share of brackets among characters"},
    {"boilerplate", false, 0.4,
     "share of paragraphs about cookies and terms; lorem ipsum counts as all"},
    {"unique-lines", true, 0.7, "share of lines left without copies"},
    {"unique-paragraphs", true, 0.7, "share of paragraphs left without copies"},
    {"unique-lines-chars", true, 0.8, "share of characters of lines left without copies"},
    {"unique-paragraphs-chars", true, 0.8, "share of characters of paragraphs left without copies"},
    {"min-words", true, 50, "number of words"},
    {"max-words", false, 100000, "number of words"},
    {"no-end-mark", false, 0.85, "share of lines that do not end in . ? ! \" or '"},
    {"alphabetic-words", true, 0.8, "share of words with a letter"},
    {"common-words", true, 2, "words that are one of the, be, to, of, and, that, have, with"},
    {"min-mean-word", true, 3, "mean characters of a word"},
    {"max-mean-word", false, 10, "mean characters of a word"},
    {"word-length", false, 1000, "characters of the longest word"},
    {"ellipsis-lines", false, 0.3, "share of lines that end in an ellipsis or \"read more\""},
    {"top-2gram", false, 0.2, "share of characters in copies of the most frequent 2-gram"},
    {"top-3gram", false, 0.18, "of the most frequent 3-gram"},
    {"top-4gram", false, 0.16, "of the most frequent 4-gram"},
    {"dup-5gram", false, 0.15, "share of characters in 5-grams that stood before"},
    {"dup-6gram", false, 0.14, "in 6-grams that stood before"},
    {"dup-7gram", false, 0.13, "in 7-grams that stood before"},
    {"dup-8gram", false, 0.12, "in 8-grams that stood before"},
    {"dup-9gram", false, 0.11, "in 9-grams that stood before"},
    {"dup-10gram", false, 0.1, "in 10-grams that stood before"},
    {"bullets", false, 0.9, "share of lines that begin with a bullet"},
}};

// Beside kPolicyPhrases.
constexpr std::array<std::string_view, 6> kMorePhrases = {
    "privacy overview",
    "privacy & cookies policy",
    "privacy and cookies policy",
    "necessary cookies are absolutely essential for the website to function properly. this "
    "category "
    "only includes cookies that ensures basic functionalities and security features of the "
    "website. "
    "these cookies do not store any personal information.",
    "any cookies that may not be particularly necessary for the website to function and is used "
    "specifically to collect user personal data via analytics, ads, other embedded contents are "
    "termed as non-necessary cookies. it is mandatory to procure user consent prior to running "
    "these "
    "cookies on your website.",
    "if you continue to browse this site without changing your cookie settings, you agree to this "
    "use. acceptread more"};
constexpr std::array<std::string_view, 8> kCommon = {"the", "be",   "to",   "of",
                                                     "and", "that", "have", "with"};
// ... [...] U+2026 (...) [U+2026] -U+00BB
constexpr std::array<std::string_view, 6> kEllipses = {"...",   "[...]",          "\xE2\x80\xA6",
                                                       "(...)", "[\xE2\x80\xA6]", "-\xC2\xBB"};
constexpr std::array<std::string_view, 2> kMore = {"read more..", "read more"};
constexpr std::array<char32_t, 12> kBullets = {0x2022, 0x2023, 0x2043, 0x204C, 0x204D, 0x2219,
                                               0x25CB, 0x25CF, 0x25D8, 0x25E6, 0x29BE, 0x29BF};

using tag::share;

/// Bytes of the address at text's beginning, 0 if there is none.
std::size_t url_size(std::string_view text) {
  constexpr std::string_view kSigns = "$-_@.&+/:=?#~!*(),";
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  const std::size_t scheme = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : 0;
  if (scheme == 0) return 0;
  std::size_t at = scheme;
  while (at < text.size()) {
    const char c = text[at];
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       kSigns.find(c) != std::string_view::npos;
    const bool escape =
        c == '%' && at + 2 < text.size() && is_hex(text[at + 1]) && is_hex(text[at + 2]);
    if (!plain && !escape) break;
    at += plain ? 1 : 3;
  }
  return at == scheme ? 0 : at;
}

/// One measure after the other against its limit, until one fails.
class Judge {
 public:
  Judge(std::span<const f64> limits, Findings& out) : limits_(limits), out_(out) {}
  bool failed() const { return out_.drop >= 0; }
  void put([[maybe_unused]] const char* name, f64 value) {
    const Limit& limit = kLimits[next_];
    LM_DCHECK(std::string_view(name) == limit.name, "measures come in the order of their limits");
    const f64 bound = limits_[next_++];
    if (!failed() && (limit.least ? value < bound : value > bound))
      out_.drop = static_cast<i64>(next_);  // behind "empty"
  }

 private:
  std::span<const f64> limits_;
  Findings& out_;
  std::size_t next_ = 0;
};

class Nemo : public Cleaner {
 public:
  explicit Nemo(const OptionValues& options) {
    for (std::size_t i = 0; i < kLimits.size(); ++i)
      limits_.push_back(options.number(static_cast<i64>(i)));
  }

  void clean(tag::Document& document, std::string_view, Findings& out) override {
    if (document.words().empty()) {
      out.drop = 0;
      return;
    }
    find_parts(document);
    Judge judge(limits_, out);
    using Step = void (Nemo::*)(tag::Document&, Judge&);
    for (const Step step :
         {&Nemo::characters, &Nemo::copies, &Nemo::words, &Nemo::grams, &Nemo::bullets}) {
      (this->*step)(document, judge);
      if (judge.failed()) return;
    }
  }

 private:
  void find_parts(tag::Document& document) {
    lines_.clear();
    for (const tag::Range line : document.lines_n())
      if (!text::is_blank(document.slice(line))) lines_.push_back(line);
    paragraphs_.clear();
    const std::string_view text = document.text();
    std::size_t begin = 0;
    for (std::size_t at = text.find("\n\n"); at != std::string_view::npos;
         at = text.find("\n\n", begin)) {
      paragraphs_.push_back({static_cast<i64>(begin), static_cast<i64>(at)});
      begin = at + 2;
    }
    paragraphs_.push_back({static_cast<i64>(begin), isize(text)});
  }

  void characters(tag::Document& document, Judge& judge) {
    const std::string_view text = document.text();
    const i64 chars = document.chars();
    i64 plain = 0;
    i64 digits = 0;
    i64 blanks = 0;
    i64 brackets = 0;
    for (const char *p = text.data(), *const end = p + text.size(); p < end;) {
      const char32_t cp = text::next_valid(p);
      const bool digit = cp >= '0' && cp <= '9';
      plain += digit || (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || cp == '\n' ||
               cp == '?' || cp == '!' || cp == ',' || cp == '.';
      digits += cp < 0x80 ? digit : text::is_decimal_digit(cp);
      blanks += cp == ' ' || cp == '\n' || cp == '\t' || cp == '\r' || cp == '\b';
      brackets += cp == '(' || cp == ')' || cp == '[' || cp == ']' || cp == '{' || cp == '}' ||
                  cp == 0x27E8 || cp == 0x27E9;
    }
    i64 urls = 0;
    for (std::size_t at = text.find("http"); at != std::string_view::npos;) {
      const std::size_t size = url_size(text.substr(at));
      urls += static_cast<i64>(size);
      at = text.find("http", at + std::max<std::size_t>(size, 1));
    }
    i64 symbols = 0;
    for (const tag::Word& word : document.words())
      symbols += is_symbol(document.slice(word), word.chars);
    judge.put("non-alphanumeric", share(chars - plain, chars));
    judge.put("symbols", share(symbols, isize(document.words())));
    judge.put("digits", share(digits, chars));
    judge.put("urls", share(urls, chars));
    judge.put("blanks", share(blanks, chars));
    judge.put("brackets", share(brackets, chars));
    judge.put("boilerplate", boilerplate(document));
  }

  static bool is_symbol(std::string_view word, i64 chars) {
    if (std::find(kEllipses.begin(), kEllipses.end(), word) != kEllipses.end()) return true;
    i64 runs = 0;
    for (std::size_t i = 0; i < word.size(); ++i)
      runs += word[i] == '#' && (i == 0 || word[i - 1] != '#');
    return 2 * runs > chars;
  }

  f64 boilerplate(tag::Document& document) const {
    i64 found = 0;
    for (const tag::Range paragraph : paragraphs_) {
      const std::string lower = text::to_lower(document.slice(paragraph));
      if (lower.find("lorem ipsum") != std::string::npos) return 1;
      bool policy = has_policy_phrase(lower);
      for (const std::string_view phrase : kMorePhrases)
        policy = policy || lower.find(phrase) != std::string::npos;
      found += policy;
    }
    return share(found, isize(paragraphs_));
  }

  void copies(tag::Document& document, Judge& judge) {
    std::array<tag::Copies, 2> copies;
    std::array<i64, 2> chars{};
    for (std::size_t i = 0; i < 2; ++i) {
      const std::vector<tag::Range>& parts = i == 0 ? lines_ : paragraphs_;
      copies[i] = tag::count_copies(document, parts, table_);
      for (const tag::Range part : parts)
        chars[i] += document.chars_of(part);
    }
    const auto left = [](i64 gone, i64 all) { return share(all - gone, all); };
    judge.put("unique-lines", left(copies[0].parts, isize(lines_)));
    judge.put("unique-paragraphs", left(copies[1].parts, isize(paragraphs_)));
    judge.put("unique-lines-chars", left(copies[0].chars, chars[0]));
    judge.put("unique-paragraphs-chars", left(copies[1].chars, chars[1]));
  }

  void words(tag::Document& document, Judge& judge) {
    const std::span<const tag::Word> all = document.words();
    const std::span<const u32> ids = document.word_ids();
    const tag::WordTable& table = document.word_table();
    is_alphabetic_.clear();
    i64 common = 0;
    for (u32 id = 0; id < table.size(); ++id) {
      is_alphabetic_.push_back(has_letter(table.text(id)));
      if (std::find(kCommon.begin(), kCommon.end(), table.text(id)) != kCommon.end())
        common += table.count(id);
    }
    i64 alphabetic = 0;
    i64 longest = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      alphabetic += is_alphabetic_[ids[i]];
      longest = std::max<i64>(longest, all[i].chars);
    }
    i64 unmarked = 0;
    i64 ellipses = 0;
    for (const tag::Range range : lines_) {
      const std::string_view line = text::strip(document.slice(range));
      unmarked += std::string_view(".?!\"'").find(line.back()) == std::string_view::npos;
      ellipses += ends_in_ellipsis(line);
    }
    const i64 n = isize(all);
    const f64 mean = share(document.word_chars(), n);
    judge.put("min-words", static_cast<f64>(n));
    judge.put("max-words", static_cast<f64>(n));
    judge.put("no-end-mark", share(unmarked, isize(lines_)));
    judge.put("alphabetic-words", share(alphabetic, n));
    judge.put("common-words", static_cast<f64>(common));
    judge.put("min-mean-word", mean);
    judge.put("max-mean-word", mean);
    judge.put("word-length", static_cast<f64>(longest));
    judge.put("ellipsis-lines", share(ellipses, isize(lines_)));
  }

  static bool has_letter(std::string_view word) {
    for (const char *p = word.data(), *const end = p + word.size(); p < end;)
      if (text::is_alphabetic(text::next_valid(p))) return true;
    return false;
  }

  static bool ends_in_ellipsis(std::string_view line) {
    for (const std::string_view mark : kEllipses)
      if (line.ends_with(mark)) return true;
    const std::string end =
        ascii_lower(line.substr(line.size() - std::min<std::size_t>(line.size(), 11)));
    return std::any_of(kMore.begin(), kMore.end(),
                       [&](std::string_view mark) { return end.ends_with(mark); });
  }

  void grams(tag::Document& document, Judge& judge) {
    constexpr std::array<const char*, 11> kNames = {
        "",          "",          "top-2gram", "top-3gram", "top-4gram", "dup-5gram",
        "dup-6gram", "dup-7gram", "dup-8gram", "dup-9gram", "dup-10gram"};
    for (int n = 2; n <= tag::kMaxGram; ++n) {
      const tag::GramLevel& level = document.grams().level(n);
      const i64 chars = n > 4 ? level.stood_chars : top_chars(document, level, n);
      judge.put(kNames[usize(n)], level.positions == 0 ? 1 : share(chars, document.chars()));
    }
  }

  /// Characters of all places where the words of the most frequent n-gram stand with single blanks.
  i64 top_chars(tag::Document& document, const tag::GramLevel& level, int n) {
    if (level.positions == 0) return 0;
    joined_.clear();
    i64 chars = n - 1;
    for (int i = 0; i < n; ++i) {
      const tag::Word& word = document.words()[usize(level.top_at + i)];
      append(joined_, i > 0 ? " " : "", document.slice(word));
      chars += word.chars;
    }
    i64 times = 0;
    const std::string_view text = document.text();
    for (std::size_t at = text.find(joined_); at != std::string_view::npos;
         at = text.find(joined_, at + joined_.size()))
      ++times;
    return times * chars;
  }

  void bullets(tag::Document& document, Judge& judge) {
    i64 found = 0;
    for (const tag::Range range : lines_) {
      const char* p = text::strip(document.slice(range)).data();
      found += std::find(kBullets.begin(), kBullets.end(), text::next_valid(p)) != kBullets.end();
    }
    judge.put("bullets", share(found, isize(lines_)));
  }

  std::vector<f64> limits_;
  std::vector<tag::Range> lines_;  // not blank
  std::vector<tag::Range> paragraphs_;
  tag::WordTable table_;
  std::vector<bool> is_alphabetic_;  // by number of the word
  std::string joined_;
};

std::string underscored(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

}  // namespace

CleanerDef nemo_cleaner() {
  CleanerDef def = {"nemo-en",
                    "documents that are no English prose are dropped",
                    "NVIDIA NeMo Curator's English filters",
                    {},
                    {{"empty", "nothing but white space"}},
                    {},
                    [](const OptionValues& options) { return std::make_unique<Nemo>(options); }};
  for (const Limit& limit : kLimits) {
    const std::string meaning = cat(limit.meaning, limit.least ? ", at least" : ", at most");
    def.reasons.push_back({underscored(limit.name), meaning});
    // Counts and means are bounded by numbers above 1; the measures of the others never exceed it.
    const OptionKind kind = limit.value > 1 ? OptionKind::kNumber : OptionKind::kShare;
    def.options.push_back({limit.name, kind, cat(limit.value), meaning});
  }
  return def;
}

}  // namespace lm::clean
