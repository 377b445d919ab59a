// MADLAD-400's rules of questionable sentences (Kudugunta et al. 2023, section 2.3) as allenai's
// datamap-rs applies them: a sentence ends at [.!?]+ before white space, and a document of fewer
// than five sentences is not judged. Its first rule, a sentence in another language than its
// document, needs a language model and is not here.

#include <array>

#include "core/str.h"
#include "io/file.h"
#include "tag/patterns.h"
#include "tag/rules.h"
#include "text/script.h"
#include "text/unicode.h"
#include "text/utf8.h"
#include "text/word_break.h"

namespace lm::tag {

std::vector<TaggerDef> madlad_taggers();

namespace {

constexpr i64 kLeastSentences = 5;
constexpr i64 kListWords = 12;  // words of a sentence that may be a list of titles
constexpr i64 kShort = 20;
constexpr i64 kLong = 500;
constexpr std::string_view kTechnical = "0123456789{}+/()>";

enum Type : i64 {
  kSentences,
  kTooShort,
  kListCase,
  kLength,
  kMarks,
  kAny3,
  kCursed,
  kCase5,
  kAny4
};

bool has_alphanumeric(std::string_view word) {
  const char* p = word.data();
  const char* const end = p + word.size();
  while (p < end) {
    const char32_t cp = text::next_valid(p);
    if (text::is_alphabetic(cp) || text::is_number(cp)) return true;
  }
  return false;
}

bool is_blank_unicode(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end)
    if (!text::is_white_space(text::next_valid(p))) return false;
  return true;
}

/// Sentences of a text, cut at [.!?]+ and the white space behind; blank ones are none.
void cut_sentences(std::string_view text, std::vector<std::string_view>& out) {
  out.clear();
  const auto add = [&](std::size_t begin, std::size_t end) {
    const std::string_view sentence = text.substr(begin, end - begin);
    if (!is_blank_unicode(sentence)) out.push_back(sentence);
  };
  std::size_t begin = 0;
  for (std::size_t at = text.find_first_of(".!?"); at != std::string_view::npos;
       at = text.find_first_of(".!?", at)) {
    const std::size_t mark = at;
    at = text.find_first_not_of(".!?", at);
    if (at == std::string_view::npos) break;
    const char* p = text.data() + at;
    const char* const end = text.data() + text.size();
    while (p < end) {
      const char* next = p;
      if (!text::is_white_space(text::next_valid(next))) break;
      p = next;
    }
    const std::size_t behind = static_cast<std::size_t>(p - text.data());
    if (behind == at) continue;
    add(begin, mark);
    begin = at = behind;
  }
  add(begin, text.size());
}

/// Twelve words or more, more than half of which begin with a capital.
bool is_list(std::string_view sentence) {
  i64 words = 0;
  i64 capitals = 0;
  std::string_view word;
  for (text::WordSegments all(sentence); all.next(word);) {
    if (!has_alphanumeric(word)) continue;
    ++words;
    const char* p = word.data();
    capitals += text::is_uppercase(text::next_valid(p));
  }
  return words >= kListWords && 2 * capitals > words;
}

class Madlad : public Tagger {
 public:
  /// cursed: null without a list.
  Madlad(std::shared_ptr<const PatternList> cursed, bool bytes)
      : cursed_(std::move(cursed)), bytes_(bytes) {}

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    cut_sentences(document.text(), sentences_);
    const i64 n = isize(sentences_);
    out.value(kSentences, static_cast<f64>(n));
    out.value(kTooShort, n < kLeastSentences ? 1 : 0);
    if (n < kLeastSentences) return std::nullopt;
    std::array<i64, kAny4 + 1> counts{};
    for (const std::string_view sentence : sentences_) {
      // The paper has characters; datamap-rs counts bytes.
      const i64 size = bytes_ ? isize(sentence) : text::count_code_points(sentence);
      i64 marks = 0;
      for (const char c : sentence)
        marks += kTechnical.find(c) != std::string_view::npos;
      const bool list = is_list(sentence);
      const bool length = size < kShort || size > kLong;
      const bool technical = 5 * marks > size;
      Result<bool> cursed = false;
      if (cursed_ != nullptr) cursed = cursed_->found_in(sentence, work_);
      if (!cursed) return cursed.fault();
      counts[kListCase] += list;
      counts[kLength] += length;
      counts[kMarks] += technical;
      counts[kAny3] += list || length || technical;
      counts[kCursed] += *cursed;
      counts[kCase5] += list || *cursed;
      counts[kAny4] += list || length || technical || *cursed;
    }
    for (i64 type = kListCase; type <= (cursed_ == nullptr ? kAny3 : kAny4); ++type)
      out.value(type, share(counts[usize(type)], n));
    return std::nullopt;
  }

 private:
  std::shared_ptr<const PatternList> cursed_;
  bool bytes_;
  std::vector<std::string_view> sentences_;
  text::RegexWork work_;
};

/// The list as datamap-rs reads it, and as the paper means it.
struct CursedLists {
  std::shared_ptr<const PatternList> dolma;
  std::shared_ptr<const PatternList> paper;
};

}  // namespace

std::vector<TaggerDef> madlad_taggers() {
  const std::string source = "Kudugunta et al. 2023, 2.3; allenai/datamap-rs";
  TaggerDef plain{
      "madlad",
      "document",
      "shares of questionable sentences",
      source,
      {{"sentences", "parts between . ! ? before white space"},
       {"too_short", "1 where there are fewer than 5, which are not judged"},
       {"rule_2_list_case", "share of sentences of 12 words or more, most with a capital"},
       {"rule_3_length", "share of sentences of fewer than 20 or more than 500 characters"},
       {"rule_4_technical", "share of sentences with more than a fifth of 0-9 { } + / ( ) >"},
       {"rules_2_3_4", "share of sentences with any of these; 0.2 and more is removed"}},
      {},
      [](const TagSettings& settings) {
        return std::make_unique<Madlad>(nullptr, settings.dolma);
      }};
  TaggerDef cursed = plain;
  cursed.name = "madlad_cursed";
  cursed.summary = "shares of questionable sentences, by a list of expressions too";
  cursed.types.push_back({"rule_5_cursed", "share of sentences with an expression of the list"});
  cursed.types.push_back(
      {"rules_2_5", "share of sentences with 2 or 5; OLMo 3 removes 0.2 and more"});
  cursed.types.push_back({"rules_2_3_4_5", "share of sentences with any of these"});
  cursed.file = "madlad_cursed";
  cursed.bind = [](TaggerDef& own, const std::string& path, TagFiles& files) {
    const std::shared_ptr<const CursedLists> lists =
        files.read<CursedLists>(path, [](const std::string& name) {
          const std::string lines = io::read_file(name);
          return CursedLists{std::make_shared<PatternList>(lines, name, true),
                             std::make_shared<PatternList>(lines, name, false)};
        });
    own.make = [lists](const TagSettings& settings) {
      return std::make_unique<Madlad>(settings.dolma ? lists->dolma : lists->paper, settings.dolma);
    };
  };
  return {std::move(plain), std::move(cursed)};
}

}  // namespace lm::tag
