// The rules of C4 that mark lines and documents: Raffel et al. 2020, section 2.2, as Dolma computes
// them.

#include "tag/tagger.h"
#include "text/byte_bits.h"
#include "text/find_nocase.h"
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

/// A word of the text that is word in any case.
bool has_word(const Document& document, std::string_view word) {
  const std::string_view text = document.text();
  const text::ByteBits& bits = document.bits();
  for (i64 at = text::find_nocase(text, word); at >= 0;
       at = text::find_nocase(text, word, at + 1)) {
    // Behind the text's end is white space.
    if ((at == 0 || bits.is_space(at - 1)) && bits.is_space(at + isize(word))) return true;
  }
  return false;
}

/// True if [begin, end), which begins a line, has kMinWords words.
bool has_words(const text::ByteBits& bits, Range line) {
  u64 before = 1;  // white space
  std::size_t words = 0;
  for (i64 at = line.begin; at < line.end; at += 64) {
    const u64 spaces = text::ByteBits::window(bits.spaces(), at);
    u64 starts = ~spaces & (spaces << 1 | before);
    before = spaces >> 63;
    if (line.end - at < 64) starts &= (u64{1} << (line.end - at)) - 1;
    for (; starts != 0; starts &= starts - 1)
      if (++words == kMinWords) return true;
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
    const text::ByteBits& bits = document.bits();
    const std::span<const Range> lines = document.lines_n();
    std::string_view rest = lower_offsets_ && !document.ascii() ? document.lower() : text;
    i64 lower_chars = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool last = i + 1 == lines.size();
      i64 end = lines[i].end;  // of the last word
      while (end > lines[i].begin && bits.is_space(end - 1))
        --end;
      const bool no_end = end == lines[i].begin || !ends_sentence(text[usize(end - 1)]);
      const bool few_words = !has_words(bits, lines[i]);
      Range whole = {lines[i].begin, lines[i].end + (last ? 0 : 1)};
      if (lower_offsets_ && !document.ascii()) {
        // D-03: the reference counts in the lower-cased text.
        const std::size_t size = last ? rest.size() : rest.find('\n') + 1;
        whole.begin = lower_chars;
        lower_chars += text::count_code_points(rest.substr(0, size));
        whole.end = lower_chars;
        rest.remove_prefix(size);
      } else if (no_end || few_words) {
        whole = {document.chars_before(whole.begin), document.chars_before(whole.end)};
      }
      if (no_end) out.span_at(kNoEnd, whole.begin, whole.end);
      if (few_words) out.span_at(kFewWords, whole.begin, whole.end);
    }
    // Other characters whose lower case is ASCII are U+212A, a k, and U+0130, an i with a mark
    // behind it: neither can be part of these.
    constexpr std::string_view kScript = "javascript";
    const bool script =
        any_javascript_ ? text::find_nocase(text, kScript) >= 0 : has_word(document, kScript);
    if (naughty_ != nullptr && naughty_->found_in(document.lower(), document.lower_bits()))
      out.value(kNaughty, 1);
    if (script) out.value(kJavascript, 1);
    if (text::find_nocase(text, "lorem ipsum") >= 0) out.value(kLoremIpsum, 1);
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
