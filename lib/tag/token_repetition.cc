// Runs of tokens that repeat with a period of 1 to 13 tokens, three times at least, as Dolma finds
// them: for each period the maximal stretches in which every token equals the one a period before.

#include <algorithm>

#include "tag/tokens.h"
#include "text/offset_trim.h"

namespace lm::tag {

std::vector<TaggerDef> token_repetition_taggers();

namespace {

enum Type : i64 { kRepetition, kMaxScore, kMaxLength, kFraction };

constexpr i64 kMaxPeriod = 13;
constexpr i64 kTimes = 3;
constexpr i64 kChunk = 100000;  // code points that v2r2 tokenizes at a time
// What the three names share.
constexpr const char* kTokenizer = "tokenizers_AI2_OLMo_v1";

enum class Part { kWhole, kChunks, kParagraphs };

/// A repetition in code points of the document; as the reference has them, one may begin at -1.
struct Found {
  i64 begin;
  i64 end;
  i64 times;
};

class TokenRepetitions : public Tagger {
 public:
  TokenRepetitions(SharedTokenizer tokenizer, Part part, text::OffsetTrim trim, bool dolma)
      : work_(std::move(tokenizer)), part_(part), dolma_(dolma) {
    if (dolma) trim_ = trim;
  }

  std::optional<Fault> tag(Document& document, Emitter& out) override {
    found_.clear();
    if (std::optional<Fault> fault = find(document)) return fault;
    if (found_.empty() && part_ == Part::kChunks) return std::nullopt;
    // The reference has them period by period.
    if (!dolma_) std::sort(found_.begin(), found_.end(), before);
    i64 most = 0;
    i64 longest = 0;
    i64 sum = 0;
    for (const Found& found : found_) {
      out.span_at(kRepetition, std::max<i64>(found.begin, 0), found.end,
                  static_cast<f64>(found.times));
      most = std::max(most, found.times);
      longest = std::max(longest, found.end - found.begin);
      sum += found.end - found.begin;
    }
    out.value(kMaxScore, static_cast<f64>(most));
    out.value(kMaxLength, static_cast<f64>(longest));
    // The reference counts a character once per repetition that it is in.
    out.value(kFraction, static_cast<f64>(dolma_ ? sum : covered()) /
                             static_cast<f64>(std::max<i64>(document.chars(), 1)));
    return std::nullopt;
  }

 private:
  static bool continues(char c) { return (static_cast<u8>(c) & 0xC0) == 0x80; }
  static bool before(const Found& a, const Found& b) {
    return a.begin != b.begin ? a.begin < b.begin
           : a.end != b.end   ? a.end < b.end
                              : a.times < b.times;
  }

  std::optional<Fault> find(Document& document) {
    if (part_ == Part::kWhole) return search(document, document.text(), 0, 0);
    if (part_ == Part::kParagraphs) {
      for (const Range paragraph : document.paragraphs()) {
        // A blank before it makes the first token one like the others.
        spaced_.assign(1, ' ').append(document.slice(paragraph));
        if (std::optional<Fault> fault = search(document, spaced_, paragraph.begin, 1))
          return fault;
      }
      return std::nullopt;
    }
    for (i64 at = 0; at < document.chars(); at += kChunk) {
      const i64 begin = document.byte_of(at);
      const i64 end = document.byte_of(std::min(at + kChunk, document.chars()));
      const std::size_t first = found_.size();
      if (std::optional<Fault> fault =
              search(document, document.slice(Range{begin, end}), begin, 0))
        return fault;
      drop_inner(first);
    }
    return std::nullopt;
  }

  /// Appends the repetitions of a text that stands at byte `at` of the document behind `added`
  /// bytes of its own.
  std::optional<Fault> search(Document& document, std::string_view text, i64 at, i64 added) {
    if (std::optional<Fault> fault = work_.encode(text, true)) return fault;
    const std::vector<i32>& ids = work_.ids();
    const i64 n = isize(ids);
    const auto place = [&](i64 byte) {
      i64 of = at + byte - added;
      // The reference takes the blank put before a paragraph for the newline before it, -1 where
      // there is none.
      if (trim_.blanks) of = std::max(of, at);
      if (of < 0) return of;
      while (of < isize(document.text()) && continues(document.text()[usize(of)]))
        --of;
      return document.chars_before(of);
    };
    for (i64 period = 1; period <= std::min(kMaxPeriod, n / kTimes); ++period) {
      for (i64 i = period; i < n;) {
        if (ids[usize(i)] != ids[usize(i - period)]) {
          ++i;
          continue;
        }
        const i64 first = i - period;
        while (i < n && ids[usize(i)] == ids[usize(i - period)])
          ++i;
        if (i - first >= kTimes * period)
          found_.push_back(
              {place(begin_of(text, first)), place(end_of(text, i - 1)), (i - first) / period});
      }
    }
    return std::nullopt;
  }

  /// Where a token's text begins and ends in bytes, without blanks at its ends unless the reference
  /// has them.
  i64 begin_of(std::string_view text, i64 token) const {
    auto [begin, end] = work_.offsets()[usize(token)];
    if (!trim_.blanks) return begin;
    const bool keeps = trim_.keep_first && (token == 0 || begin == 0);
    const i64 first = begin;
    while (begin < end && text[usize(begin)] == ' ')
      ++begin;
    return keeps && begin > first ? begin - 1 : begin;
  }
  i64 end_of(std::string_view text, i64 token) const {
    const i64 begin = begin_of(text, token);
    i64 end = work_.offsets()[usize(token)].second;
    while (trim_.blanks && end > begin && text[usize(end - 1)] == ' ')
      --end;
    // A token may end inside a character, which then belongs to it.
    while (end < isize(text) && continues(text[usize(end)]))
      ++end;
    return end;
  }

  /// From `first` on: in rising order, without those inside the one kept before.
  void drop_inner(std::size_t first) {
    const std::vector<Found>::iterator begin = found_.begin() + static_cast<std::ptrdiff_t>(first);
    std::stable_sort(begin, found_.end(), [](const Found& a, const Found& b) {
      return a.begin != b.begin ? a.begin < b.begin
             : a.end != b.end   ? a.end > b.end
                                : a.times > b.times;
    });
    i64 last_begin = -1;
    i64 last_end = -1;
    found_.erase(std::remove_if(begin, found_.end(),
                                [&](const Found& found) {
                                  if (found.begin >= last_begin && found.end <= last_end)
                                    return true;
                                  last_begin = found.begin;
                                  last_end = found.end;
                                  return false;
                                }),
                 found_.end());
  }

  /// Characters in any of the repetitions, which are sorted.
  i64 covered() const {
    i64 sum = 0;
    i64 end = 0;
    for (const Found& found : found_) {
      sum += std::max<i64>(found.end - std::max(found.begin, end), 0);
      end = std::max(end, found.end);
    }
    return sum;
  }

  TokenWork work_;
  Part part_;
  bool dolma_;
  text::OffsetTrim trim_{true, false};
  std::vector<Found> found_;
  std::string spaced_;
};

TaggerDef repetitions(const char* name, const char* summary, Part part) {
  TaggerDef def{name,
                "match",
                summary,
                "Dolma",
                {
                    {"repetition", "up to 13 tokens three times or more; the score is how often"},
                    {"doc_max_score_repetition", "most copies of a group"},
                    {"doc_max_length_repetition", "code points of the longest repetition"},
                    {"doc_frac_repetition", "share of the text's code points in repetitions"},
                },
                {},
                {}};
  def.file = kTokenizer;
  def.bind = [part](TaggerDef& own, const std::string& path, TagFiles& files) {
    own.make = [part, tokenizer = read_tokenizer(path, files),
                trim = text::offset_trim(path)](const TagSettings& settings) {
      return std::make_unique<TokenRepetitions>(tokenizer, part, trim, settings.dolma);
    };
  };
  return def;
}

}  // namespace

std::vector<TaggerDef> token_repetition_taggers() {
  return {
      repetitions("tokenizer_repetitions_v1", "repeated groups of tokens", Part::kWhole),
      repetitions("tokenizer_repetitions_v2r2",
                  "repeated groups of tokens, none inside another; nothing where there is none",
                  Part::kChunks),
      repetitions("paragraph_tokenizer_repetitions_v1",
                  "repeated groups of tokens, each paragraph by itself", Part::kParagraphs),
  };
}

}  // namespace lm::tag
