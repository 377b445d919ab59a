// C4's rules as datatrove applies them (Raffel et al. 2020, section 2.2, and the script behind it):
// lines that are no sentences go, and the document if it is code, filler text or too short.

#include <algorithm>

#include "clean/cleaner.h"
#include "clean/phrases.h"
#include "core/str.h"
#include "text/segment.h"
#include "text/sentences.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::clean {

CleanerDef c4_cleaner();
CleanerDef c4_paragraph_cleaner();

namespace {

enum Type : i64 { kLongWord, kNoMark, kFewWords, kJavascript, kPolicy, kCitation, kBlank };
enum Reason : i64 { kLorem, kCurly, kFewSentences };
enum Option : i64 {
  kSentences,
  kWords,
  kWordLength,
  kCitations,
  kMarks,
  kScripts,
  kPolicies,
  kLorems,
  kCurlies,
};

/// Bytes of a citation mark at a '[', 0 if there is none: [digits], also none; [edit]; [citation
/// needed].
std::size_t citation_at(std::string_view text) {
  for (const std::string_view mark : {"[edit]", "[citation needed]"})
    if (text.starts_with(mark)) return mark.size();
  const char* p = text.data() + 1;
  const char* const end = text.data() + text.size();
  while (p < end) {
    const char* behind = p;
    const char32_t cp = text::next_valid(behind);
    if (cp == ']') return static_cast<std::size_t>(behind - text.data());
    if (!text::is_decimal_digit(cp)) return 0;
    p = behind;
  }
  return 0;
}

class C4 : public Cleaner {
 public:
  explicit C4(const OptionValues& options)
      : sentences_(options.count(kSentences)),
        words_(options.count(kWords)),
        word_length_(options.count(kWordLength)),
        citations_(options.on(kCitations)),
        marks_(options.on(kMarks)),
        scripts_(options.on(kScripts)),
        policies_(options.on(kPolicies)),
        lorems_(options.on(kLorems)),
        curlies_(options.on(kCurlies)) {}

  void clean(tag::Document& document, std::string_view, Findings& out) override {
    const std::span<const tag::Range> lines = document.lines_py();
    out.lines = isize(lines);
    i64 sentences = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool last = i + 1 == lines.size();
      const i64 behind = last ? isize(document.text()) : lines[i + 1].begin;
      const std::string_view line = text::strip(document.slice(lines[i]));
      const i64 type = judge(line, out);
      if (out.drop >= 0) return;
      if (type < 0) {
        if (sentences_ > 0) sentences += text::count_sentences(rest_);
        keep(document, line, lines[i], behind, out);
      } else {
        ++out.lines_removed;
        out.remove(lines[i].begin, behind, type);
      }
    }
    if (sentences < sentences_) out.drop = kFewSentences;
    if (out.drop < 0) strip_ends(document.text(), out);
  }

 private:
  /// The type under which the line goes, -1 if it stays. rest_ becomes the line without citations.
  i64 judge(std::string_view line, Findings& out) {
    i64 words = 0;
    text::WordCursor cursor(line);
    for (std::string_view word; cursor.next(word); ++words) {
      if (word_length_ > 0 && isize(word) > word_length_ &&
          text::count_code_points(word) > word_length_)
        return kLongWord;
    }
    find_citations(line);
    constexpr std::string_view kEnds = ".?!\"'";
    const bool ends = !rest_.empty() && kEnds.find(rest_.back()) != std::string_view::npos;
    if (marks_ && (!ends || rest_.ends_with("..."))) return kNoMark;
    if (words < words_) return kFewWords;
    lower_ = text::to_lower(rest_);
    if (lorems_ && lower_.find("lorem ipsum") != std::string::npos) {
      out.drop = kLorem;
      return -1;
    }
    if (scripts_ && lower_.find("javascript") != std::string::npos) return kJavascript;
    if (curlies_ && rest_.find('{') != std::string_view::npos) {
      out.drop = kCurly;
      return -1;
    }
    return policies_ && has_policy_phrase(lower_) ? i64{kPolicy} : i64{-1};
  }

  void find_citations(std::string_view line) {
    found_.clear();
    rest_ = line;
    if (!citations_) return;
    without_.clear();
    std::size_t reached = 0;
    for (std::size_t at = line.find('['); at != std::string_view::npos; at = line.find('[', at)) {
      const std::size_t size = citation_at(line.substr(at));
      if (size == 0) {
        ++at;
        continue;
      }
      found_.push_back({static_cast<i64>(at), static_cast<i64>(at + size)});
      without_.append(line.substr(reached, at - reached));
      reached = at += size;
    }
    if (found_.empty()) return;
    without_.append(line.substr(reached));
    rest_ = without_;
  }

  /// Blanks around the line and citations go; one newline ends it.
  void keep(const tag::Document& document, std::string_view line, tag::Range whole, i64 behind,
            Findings& out) const {
    const i64 begin = line.data() - document.text().data();
    const i64 end = begin + isize(line);
    out.remove(whole.begin, begin, kBlank);
    for (const tag::Range r : found_)
      out.remove(begin + r.begin, begin + r.end, kCitation);
    const std::string_view separator = document.slice(tag::Range{whole.end, behind});
    if (separator == "\r\n") {
      out.remove(end, behind - 1, kBlank);
    } else {
      out.remove(end, whole.end, kBlank);
      if (!separator.empty() && separator != "\n")
        out.edits.push_back({whole.end, behind, kBlank, "\n"});
    }
  }

  /// White space at both ends of what the edits leave goes. What they put in is newlines.
  static void strip_ends(std::string_view text, Findings& out) {
    std::vector<Edit>& edits = out.edits;
    std::vector<Edit> more;
    const std::size_t n = edits.size();
    i64 from = 0;
    for (std::size_t i = 0; i <= n; ++i) {
      const i64 to = i < n ? edits[i].begin : isize(text);
      i64 ink = from;
      for (i64 size = 1; ink < to && size > 0; ink += size)
        size = text::py_space_size(text, ink);
      if (from < ink) more.push_back({from, ink, kBlank, {}});
      if (ink < to || i == n) break;
      edits[i].with.clear();
      from = edits[i].end;
    }
    const i64 done = more.empty() ? -1 : more.back().begin;
    i64 to = isize(text);
    for (std::size_t i = n + 1; i-- > 0;) {
      const i64 begin = i > 0 ? edits[i - 1].end : 0;
      const std::string_view gap = text.substr(usize(begin), usize(to - begin));
      const std::string_view ink = text::strip(gap);
      const i64 left = ink.empty() ? begin : ink.data() + ink.size() - text.data();
      if (left < to && done < left) more.push_back({left, to, kBlank, {}});
      if (!ink.empty() || i == 0) break;
      edits[i - 1].with.clear();
      to = edits[i - 1].begin;
    }
    edits.insert(edits.end(), more.begin(), more.end());
    std::sort(edits.begin(), edits.end(),
              [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  }

  i64 sentences_;
  i64 words_;
  i64 word_length_;
  bool citations_;
  bool marks_;
  bool scripts_;
  bool policies_;
  bool lorems_;
  bool curlies_;
  std::string_view rest_;  // of the line at hand, citations left out
  std::string without_;
  std::string lower_;
  std::vector<tag::Range> found_;
};

class C4Paragraph : public Cleaner {
 public:
  explicit C4Paragraph(const OptionValues& options)
      : paragraphs_(options.count(0)), length_(options.count(1)) {}

  void clean(tag::Document& document, std::string_view, Findings& out) override {
    i64 found = 0;
    for (const tag::Range line : document.lines_n())
      found += document.chars_of(line) >= length_;
    if (found < paragraphs_) out.drop = 0;
  }

 private:
  i64 paragraphs_;
  i64 length_;
};

}  // namespace

CleanerDef c4_cleaner() {
  return {"c4",
          "lines that are no sentences go, documents that are no prose are dropped",
          "Raffel et al. 2020, 2.2; datatrove",
          {{"long_word", "a line with a word of more characters than word-length"},
           {"no_terminal_mark", "a line that does not end in . ? ! \" or ', or ends in ..."},
           {"few_words", "a line of fewer words than words"},
           {"javascript", "a line with javascript in any case"},
           {"policy", "a line that speaks of cookies, privacy or terms of use"},
           {"citation", "[digits], [edit] or [citation needed]"},
           {"blank", "white space around lines and at both ends; line ends that are no newline"}},
          {{"lorem_ipsum", "a line that would stay has lorem ipsum in it, in any case"},
           {"curly_bracket", "a line that would stay has a { in it"},
           {"few_sentences", "fewer sentences are left than sentences"}},
          {{"sentences", OptionKind::kCount, "5", "sentences that have to be left; 0: any number"},
           {"words", OptionKind::kCount, "3", "words that a line has at least"},
           {"word-length", OptionKind::kCount, "1000", "longest word of a line; 0: any"},
           {"citations", OptionKind::kSwitch, "yes", "take citation marks away"},
           {"terminal-mark", OptionKind::kSwitch, "yes", "lines have to end in a mark"},
           {"javascript", OptionKind::kSwitch, "yes", "take lines with javascript away"},
           {"policy", OptionKind::kSwitch, "yes", "take lines about policies away"},
           {"lorem-ipsum", OptionKind::kSwitch, "yes", "drop documents with lorem ipsum"},
           {"curly-bracket", OptionKind::kSwitch, "yes", "drop documents with {"}},
          [](const OptionValues& options) { return std::make_unique<C4>(options); }};
}

CleanerDef c4_paragraph_cleaner() {
  return {"c4-paragraph",
          "documents without long lines are dropped",
          "Xue et al. 2021, 3.1 (mC4); datatrove",
          {},
          {{"few_paragraphs", "fewer lines of length characters than paragraphs"}},
          {{"paragraphs", OptionKind::kCount, "3", "long lines that there have to be"},
           {"length", OptionKind::kCount, "200", "characters of a long line"}},
          [](const OptionValues& options) { return std::make_unique<C4Paragraph>(options); }};
}

}  // namespace lm::clean
