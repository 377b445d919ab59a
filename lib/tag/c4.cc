// The rules of C4 that mark lines and documents: Raffel et al. 2020, section 2.2, as Dolma computes
// them.

#include "tag/tagger.h"
#include "text/segment.h"
#include "text/utf8.h"

namespace lm::tag {

std::vector<TaggerDef> c4_taggers();

namespace {

enum Type : i64 {
  kNoEnd,
  kFewWords,
  kNaughty,
  kJavascript,
  kLoremIpsum,
  kCurly,
  kLines,
};

constexpr std::size_t kMinWords = 3;

bool ends_sentence(char last) {
  return last == '.' || last == '?' || last == '!' || last == '"';
}

/// A word of lower that is word itself.
bool has_word(std::string_view lower, std::string_view word) {
  for (std::size_t at = lower.find(word); at != std::string_view::npos;
       at = lower.find(word, at + 1)) {
    // Both ends fall on white space, which is one to three bytes, or on the text's end.
    const std::string_view behind = lower.substr(at + word.size());
    if (!behind.empty() && text::py_space_size(behind, 0) == 0) continue;
    std::size_t start = at;
    if (start > 0) {
      do
        --start;
      while (start > 0 && (static_cast<u8>(lower[start]) & 0xC0) == 0x80);
      if (text::py_space_size(lower, static_cast<i64>(start)) == 0) continue;
    }
    return true;
  }
  return false;
}

class C4 : public Tagger {
 public:
  /// any_javascript: as a part of a word too (v2).
  C4(const TagSettings& settings, bool any_javascript)
      : naughty_(settings.naughty),
        any_javascript_(any_javascript),
        lower_offsets_(settings.dolma && any_javascript) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    // Lower case neither makes nor removes white space, newlines and the marks that end a sentence,
    // so lines are judged as they are.
    const std::string_view text = document.text();
    const std::string_view lower = document.lower();
    const std::span<const Range> lines = document.lines_n();
    const std::span<const Word> words = document.words();
    std::size_t word = 0;
    std::string_view rest = lower;
    i64 lower_chars = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool last = i + 1 == lines.size();
      // A word never spans lines, and the last one ends where the stripped line does.
      const std::size_t first = word;
      while (word < words.size() && words[word].begin < lines[i].end)
        ++word;
      const bool no_end = word == first || !ends_sentence(document.slice(words[word - 1]).back());
      const bool few_words = word < first + kMinWords;
      Range whole = {lines[i].begin, lines[i].end + (last ? 0 : 1)};
      if (lower_offsets_) {
        // D-03: the reference counts in the lower-cased text.
        const std::size_t size = last ? rest.size() : rest.find('\n') + 1;
        whole.begin = lower_chars;
        lower_chars += text::count_code_points(rest.substr(0, size));
        whole.end = lower_chars;
        rest.remove_prefix(size);
        if (no_end) out.span_at(kNoEnd, whole.begin, whole.end);
        if (few_words) out.span_at(kFewWords, whole.begin, whole.end);
        continue;
      }
      if (!no_end && !few_words) continue;
      const i64 begin = document.chars_before(whole.begin);
      const i64 end = document.chars_before(whole.end);
      if (no_end) out.span_at(kNoEnd, begin, end);
      if (few_words) out.span_at(kFewWords, begin, end);
    }
    constexpr std::string_view kScript = "javascript";
    const bool script =
        any_javascript_ ? lower.find(kScript) != std::string_view::npos : has_word(lower, kScript);
    if (naughty_ != nullptr && naughty_->found_in(lower)) out.value(kNaughty, 1);
    if (script) out.value(kJavascript, 1);
    if (lower.find("lorem ipsum") != std::string_view::npos) out.value(kLoremIpsum, 1);
    if (text.find('{') != std::string_view::npos) out.value(kCurly, 1);
    out.value(kLines, static_cast<f64>(lines.size()));
    return std::nullopt;
  }

 private:
  const WordList* naughty_;
  bool any_javascript_;
  bool lower_offsets_;
};

std::vector<TagType> types(const char* javascript) {
  return {
      {"lines_with_no_ending_punctuation", "a line that does not end in . ? ! or \""},
      {"lines_with_too_few_words", "a line of fewer than 3 words"},
      {"has_naughty_word", "a word or phrase of the list", Needs::kNaughtyWords},
      {"has_javascript", javascript},
      {"has_lorem_ipsum", "\"lorem ipsum\" in any case"},
      {"has_curly_brace", "a {"},
      {"line_count", "newlines and one"},
  };
}

}  // namespace

std::vector<TaggerDef> c4_taggers() {
  const std::string source = "Raffel et al. 2020, 2.2; Dolma";
  return {{"c4_v1",
           "line",
           "lines that are no sentences, documents that are no prose",
           source,
           types("the word javascript in any case"),
           {},
           [](const TagSettings& settings) { return std::make_unique<C4>(settings, false); }},
          {"c4_v2",
           "line",
           "the same; javascript as a part of a word too",
           source,
           types("javascript in any case"),
           {},
           [](const TagSettings& settings) { return std::make_unique<C4>(settings, true); }}};
}

}  // namespace lm::tag
